/* SPDX-License-Identifier: MIT */
/* Records of TLS (RFC 8446, 5.1): handshake messages over several records. */
#ifndef BPEI_TLS_RECORDS_H
#define BPEI_TLS_RECORDS_H

#include "inspect/inspect.h"

#define BPEI_RECORD_CIPHER 20u /* change_cipher_spec */
#define BPEI_RECORD_ALERT 21u
#define BPEI_RECORD_HANDSHAKE 22u
#define BPEI_RECORD_DATA 23u
#define BPEI_RECORD_HEARTBEAT 24u
#define BPEI_RECORD_HEAD 5u
#define BPEI_RECORD_MOST (16384u + 2048u) /* bytes of a record's content */

/* Handshake bytes of the records at the start of a direction. */
struct bpei_handshake {
	const uint8_t *bytes; /* of the stream if a record has all of them; else of room */
	size_t n;
	bool is_closed;      /* no more handshake bytes will come */
	bool is_bad;         /* the next bytes are no record */
	uint32_t record_end; /* where in the stream the last record ends, perhaps behind n */
	uint8_t room[BPEI_STREAM_MOST];
};

/* Returns whether bytes can begin a record, as far as n goes. */
bool bpei_record_fits(const uint8_t *bytes, size_t n);
/* Gathers the handshake bytes of the first records.  Warnings (alerts) between them are passed. */
void bpei_handshake_gather(const uint8_t *bytes, size_t n, struct bpei_handshake *handshake);
/* Returns the least bytes of the stream with which the handshake can have `need` bytes, more than
 * it has.  n: the bytes of the stream now. */
uint32_t bpei_handshake_want(const struct bpei_handshake *handshake, size_t n, size_t need);
/* Returns whether n bytes, from within a conversation, are records as far as they go.  *want
 * is 0 if a record ends at n or a second one begins; else the bytes of the stream to tell. */
bool bpei_record_chain(const uint8_t *bytes, size_t n, uint32_t *want);

#endif
