/* SPDX-License-Identifier: MIT */
/* ServerHello and certificate of TLS, DTLS and QUIC, as handshake bytes without records. */
#ifndef BPEI_SERVER_HELLO_H
#define BPEI_SERVER_HELLO_H

#include "inspect/client_hello.h"

/* Reads a ServerHello, or a HelloRetryRequest, of n bytes, as bpei_client_hello does.  At BPEI_DONE
 * *said has tls_version and tls_cipher of the server's choice, and BPE_NAMED_SERVER.  alpn is the
 * server's choice up to TLS 1.2 ("": none); TLS 1.3 encrypts the choice, and alpn stays. */
enum bpei_verdict bpei_server_hello(
	const uint8_t *handshake, size_t n, char transport, struct bpe_flow_names *said);

/* Returns whether a version encrypts the certificate: TLS 1.3 and the drafts, DTLS 1.3. */
bool bpei_server_encrypts(uint16_t version);

/* Reads subject and issuer of a certificate in DER (X.509, RFC 5280), of which n bytes are there.
 * Returns 0 at the end: *said has both, or the bytes are no certificate.  Otherwise returns how
 * many bytes of the certificate are needed to go on: more than n. */
size_t bpei_certificate_names(const uint8_t *der, size_t n, struct bpe_flow_names *said);

/* Reads the first certificate of a Certificate message up to TLS 1.2 in the same way. */
size_t bpei_certificate_message(const uint8_t *handshake, size_t n, struct bpe_flow_names *said);

#endif
