/* SPDX-License-Identifier: MIT */
/* Records and fragments of DTLS (RFC 6347, 4.1 and 4.2.3): messages over several datagrams,
 * in any order. */
#ifndef BPEI_DTLS_FRAGMENTS_H
#define BPEI_DTLS_FRAGMENTS_H

#include "inspect/inspect.h"

/* Most bytes of a handshake message. */
#define BPEI_DTLS_MOST 16384u

/* A message put together, as TLS writes it: type, length, body. */
struct bpei_dtls_message {
	size_t total;    /* bytes of the whole message, 4 of the head included; 0: no fragment */
	size_t n;        /* bytes from the start on without a hole */
	uint16_t number; /* message_seq */
	uint8_t bytes[BPEI_DTLS_MOST];
	uint8_t seen[BPEI_DTLS_MOST / 8]; /* a bit a byte */
};

/* Returns whether a datagram is nothing but records of DTLS. */
bool bpei_dtls_fits(const uint8_t *datagram, size_t n);
/* Puts together the first message of a type with a message_seq of at least `from`.  Datagrams of
 * other protocols are passed.  Returns false if there is no fragment of the type. */
bool bpei_dtls_gather(const struct bpei_stream *stream, uint8_t type, uint32_t from,
	struct bpei_dtls_message *message);

/* Returns the type of the message with the message_seq; -1: none of its fragments is there. */
int bpei_dtls_type(const struct bpei_stream *stream, uint32_t number);
/* Returns whether a record is there other than a handshake message in the clear: the readable part
 * has ended. */
bool bpei_dtls_is_closed(const struct bpei_stream *stream);

#endif
