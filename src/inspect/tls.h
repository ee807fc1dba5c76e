/* SPDX-License-Identifier: MIT */
/* Readers of TLS and DTLS for the table of readers. */
#ifndef BPEI_TLS_H
#define BPEI_TLS_H

#include "inspect/inspect.h"

/* Reads a direction of TLS 1.0 to 1.3 or SSL 3.0 over TCP: the client's first hello, or the
 * server's hello and certificate.  Also a hello in the form of SSL 2.0, and conversations that
 * began before the capture. */
enum bpei_verdict bpei_read_tls(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);

/* Reads the datagrams of a direction of DTLS 1.0 to 1.3. */
enum bpei_verdict bpei_read_dtls(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said);

/* Returns where a reader writes: *said, or *waste if options.names asks for no names of TLS. */
struct bpe_flow_names *bpei_tls_names(
	const struct bpei_inspector *in, struct bpe_flow_names *said, struct bpe_flow_names *waste);

/* Reads a hello in the form of SSL 2.0 (RFC 5246, appendix E.2). */
enum bpei_verdict bpei_read_sslv2(struct bpei_stream *stream, struct bpe_flow_names *said);

#endif
