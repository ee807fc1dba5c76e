/* SPDX-License-Identifier: MIT */
/* Transports: whole messages from the encoder to a collector, or to a file.
 *
 * A transport keeps messages in a queue of bounded size.  A message gets the sequence number when
 * the message leaves.  In the sender's books (export.h) a record is sent or failed, never both.
 *
 * UDP: records count as sent if no refusal came back for UDP_DOUBT_MS after the datagram left.  TCP
 * and TLS: records count as sent once the collector's system has confirmed the bytes, where the
 * system here can tell.  Records without confirmation at the end of a connection go over the next
 * connection, or count as failed at the end of the run.  File: once written whole.
 *
 * Threads: the sender's only thread; a thread apart resolves names (resolver.h). */
#ifndef IPFIX_TRANSPORT_H
#define IPFIX_TRANSPORT_H

#include "tools/export/export.h"

#define TRANSPORT_GREETINGS_MOST 8
#define TRANSPORT_MTU 1400 /* payload of a datagram, if the user says nothing else */
#define TRANSPORT_MTU_LEAST 1200
#define TRANSPORT_MTU_MOST 65000
#define TRANSPORT_STREAM_BYTES 16384 /* largest message over TCP, TLS and to files */

enum transport_kind { TRANSPORT_UDP = 0, TRANSPORT_TCP, TRANSPORT_TLS, TRANSPORT_FILE };

struct transport_settings {
	enum transport_kind kind;
	char host[256];   /* as the user wrote it */
	const char *path; /* of a file; borrowed, as the names of TLS below */
	uint16_t port;
	uint32_t message_most; /* bytes */
	uint64_t rate;         /* records a second, UDP alone; 0: as fast as possible */
	uint32_t timeout_ms;   /* without progress, until a connection counts as dead */
	uint32_t sequence_at;  /* offset of the sequence number in a message */
	bool counts_messages;  /* the sequence counts messages (NetFlow v9), else data records */
	/* TLS: names of PEM files, "" for none */
	const char *ca, *cert, *key;
	const char *name; /* that the certificate must have; "": the host */
	bool verify;
};

struct transport;

/* Makes a transport; descriptors of files are opened now (the program's first rights), sockets
 * later.  Returns NULL with the reason in
 * sender->why. */
struct transport *transport_make(
	const struct transport_settings *settings, struct export_sender *sender);
/* Begins.  sequence: number of the first message's sequence.  Returns 0, or -1 with the reason in
 * sender->why. */
int transport_open(struct transport *transport, uint32_t sequence);
/* Returns the sequence number of the next message. */
uint32_t transport_sequence(const struct transport *transport);
/* Forgets the greeting, and gives it anew: messages that begin each connection (templates).  Each
 * is copied.  records: data records in the message.  Returns 0, or -1 without room. */
void transport_greeting_clear(struct transport *transport);
int transport_greeting_add(
	struct transport *transport, const uint8_t *message, uint32_t bytes, uint32_t records);
/* Returns the bytes that the next message may have. */
uint32_t transport_limit(const struct transport *transport);
/* Returns whether there is room for as many messages. */
bool transport_has_room(const struct transport *transport, uint32_t messages);
/* Returns memory for the next message, transport_limit bytes; NULL: no room. */
uint8_t *transport_room(struct transport *transport);
/* Takes the message in the memory of transport_room.  records: data records in the message; flows:
 * of these, records of the books. */
void transport_put(struct transport *transport, uint32_t bytes, uint32_t records, uint32_t flows);
/* Sends, connects, times.  Returns after how many ms to call again, if nothing happens before. */
int transport_work(struct transport *transport, int64_t now_ns);
/* Sends the rest until the time is over (CLOCK_MONOTONIC); counts as failed what is left. */
void transport_finish(struct transport *transport, int64_t until_ns);
/* Frees; NULL is allowed. */
void transport_close(struct transport *transport);

/* Returns NULL, or why this build has no TLS, with advice. */
const char *transport_tls_missing(void);

#endif
