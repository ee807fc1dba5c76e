/* SPDX-License-Identifier: MIT */
/* Parts that the transports share among themselves (transport.h). */
#ifndef IPFIX_TRANSPORT_PARTS_H
#define IPFIX_TRANSPORT_PARTS_H

#include "resolver.h"
#include "transport.h"

#include "tools/common/program.h"

#define NS_A_MS 1000000ll
#define TRANSPORT_PAUSE_LEAST_MS 250 /* after a failure; doubled with each failure in turn */

/* A message in the queue. */
struct transport_slot {
	uint32_t bytes, records, flows;
	bool is_stamped;
	uint64_t mark; /* streams: bytes of the connection up to the message's end */
};

struct transport_greeting {
	uint8_t *bytes;
	uint32_t count, records;
};

enum transport_state {
	TRANSPORT_PAUSES = 0, /* until until_ns */
	TRANSPORT_RESOLVES,
	TRANSPORT_CONNECTS, /* UDP: the greeting has left, and may be refused */
	TRANSPORT_SHAKES,   /* TLS */
	TRANSPORT_IS_UP
};

/* Records in the hands of UDP that may be refused yet. */
struct transport_doubt {
	uint64_t flows, messages, bytes;
};

struct transport_udp {
	struct transport_doubt young, old;
	int64_t turned_ns;   /* when young became old */
	double tokens;       /* records that may leave now */
	int64_t tokens_ns;   /* when tokens were counted */
	uint32_t path_limit; /* payload that the path takes; 0: as the settings say */
	uint64_t cut_until;  /* messages below may be fragmented: made before the path shrank */
	bool is_proven;      /* datagrams left, and no refusal came back */
};

struct transport_stream {
	uint32_t greeting_at; /* next part of the greeting */
	uint32_t offset;      /* bytes of the current message that are written */
	uint64_t written;     /* bytes of the connection */
	uint64_t confirmed;
	int64_t progress_ns;
	void *tls; /* transport_tls.c */
	bool wants_write, has_ended;
};

struct transport_file {
	struct outfile out;
	bool is_greeted;
};

struct transport {
	struct transport_settings settings;
	struct export_sender *sender;
	uint8_t *bytes;
	struct transport_slot *slots;
	uint32_t slot_count;
	uint64_t head, next, tail; /* settled | left, not settled | waits | free */
	uint32_t greeting_count;
	struct transport_greeting greetings[TRANSPORT_GREETINGS_MOST];
	uint32_t sequence;
	enum transport_state state;
	int fd;
	int64_t until_ns; /* end of a pause, or of an attempt */
	int64_t pause_ms;
	bool was_told; /* that the collector does not answer */
	bool is_finishing;
	struct resolver *resolver;
	struct resolver_addresses found;
	uint32_t address_at;
	struct transport_udp udp;
	struct transport_stream stream;
	struct transport_file file;
};

/* ---- transport_queue.c ---- */

/* Returns the entry of a message. */
static inline struct transport_slot *transport_slot(struct transport *t, uint64_t number)
{
	return &t->slots[number % t->slot_count];
}
/* Returns the memory of a message. */
static inline uint8_t *transport_bytes(struct transport *t, uint64_t number)
{
	return t->bytes + (number % t->slot_count) * t->settings.message_most;
}
/* Writes the sequence number of a message that is about to leave. */
void transport_stamp(struct transport *t, uint8_t *message, uint32_t records);
/* Returns CLOCK_MONOTONIC. */
int64_t transport_now(void);
/* Sets whether the collector takes records, for the books and the user. */
void transport_set_up(struct transport *t);
/* Closes the socket, tells the user why, and begins a pause. */
void transport_set_down(struct transport *t, int64_t now_ns, const char *why);
/* Gives an address to try.  Returns 1 with *address, or 0: none yet, or a pause begins. */
int transport_next_address(struct transport *t, int64_t now_ns, uint32_t *address);
/* Makes a socket for an address: non-blocking, closed on exec.  Returns -1 and errno. */
int transport_socket(const struct transport *t, uint32_t address);
/* Waits for the socket's events besides errors. */
void transport_watch(struct transport *t, short events);

/* ---- One file a transport ---- */

int transport_udp_work(struct transport *t, int64_t now_ns);
/* Returns whether all is settled. */
bool transport_udp_settle(struct transport *t, int64_t now_ns);
/* Counts the records in doubt as sent, at the end. */
void transport_udp_end(struct transport *t);

int transport_stream_work(struct transport *t, int64_t now_ns);
/* Closes well: the collector gets all bytes, and then the end. */
void transport_stream_end(struct transport *t);
/* Forgets the connection; waiting messages will be sent anew. */
void transport_stream_reset(struct transport *t);

int transport_file_make(struct transport *t);
int transport_file_open(struct transport *t);
int transport_file_work(struct transport *t);

/* TLS (transport_tls.c, or transport_notls.c).  Each returns 1 done, 0 not yet, -1 with why. */
int transport_tls_make(struct transport *t, char *why, size_t room);
int transport_tls_begin(struct transport *t, char *why, size_t room);
int transport_tls_shake(struct transport *t, char *why, size_t room);
/* Returns bytes written, 0: not yet, -1 with why. */
int transport_tls_write(
	struct transport *t, const uint8_t *bytes, uint32_t n, char *why, size_t room);
/* Reads and drops the collector's words.  Returns 1, or -1 with why at the end. */
int transport_tls_drain(struct transport *t, char *why, size_t room);
/* Returns bytes handed to the socket so far. */
uint64_t transport_tls_written(const struct transport *t);
void transport_tls_reset(struct transport *t); /* frees the connection */
void transport_tls_end(struct transport *t);   /* says the end to the collector */
void transport_tls_free(struct transport *t);  /* frees all */

#endif
