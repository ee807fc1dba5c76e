/* SPDX-License-Identifier: MIT */
/* ClientHello of TLS, DTLS and QUIC, as handshake bytes without records or packets. */
#ifndef BPEI_CLIENT_HELLO_H
#define BPEI_CLIENT_HELLO_H

#include "inspect/inspect.h"

/* Transports of a hello: the first letter of the hello's JA4. */
#define BPEI_HELLO_TLS 't'
#define BPEI_HELLO_QUIC 'q'
#define BPEI_HELLO_DTLS 'd'

/* Reads a ClientHello of n bytes: the type (1), a length of 3 bytes, the body.  A hello of DTLS
 * comes without message_seq and without the place of its fragment.  Returns
 *   BPEI_DONE: the hello is whole.  *said has server, source, tls_version, alpn, ja4, the flags of
 *   ECH, and with BPE_NAMES_JA3 ja3;
 *   BPEI_MORE: a hello as far as n goes; bpei_hello_bytes has the whole length;
 *   BPEI_NOT: a length or a value does not fit.  *said is unchanged.
 * The choice of a server (BPE_NAMED_SERVER) stays in *said.  The caller fills said->app. */
enum bpei_verdict bpei_client_hello(const uint8_t *handshake, size_t n, char transport,
	struct bpei_inspector *in, struct bpe_flow_names *said);

/* Reads a hello of which no more than n bytes are to be had: server, versions and ALPN as far as n
 * goes, without fingerprints.  Returns BPEI_DONE, with BPE_NAMED_CUT in said->flags, or BPEI_NOT.
 */
enum bpei_verdict bpei_client_hello_part(const uint8_t *handshake, size_t n, char transport,
	struct bpei_inspector *in, struct bpe_flow_names *said);

/* Returns the bytes of a handshake message, with the head of 4 bytes; 4 if n is less. */
size_t bpei_hello_bytes(const uint8_t *handshake, size_t n);

#endif
