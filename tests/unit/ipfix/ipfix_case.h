/* SPDX-License-Identifier: MIT */
/* A flow for the tests of the encoder. */
#ifndef IPFIX_CASE_H
#define IPFIX_CASE_H

#include "tools/ipfix/encoder.h"

#include <string.h>

#define CASE_FIRST_NS INT64_C(1700000000123456789)
#define CASE_LAST_NS INT64_C(1700000001999000000)
#define CASE_NOW_NS INT64_C(1700000002500000000)
#define CASE_STARTED_NS INT64_C(1699999000000000000)

/* Fills a flow of TCP over IPv4: 192.0.2.1:40000 sent 10 packets, 198.51.100.2:443 sent 7. */
static inline void fill_case_flow(struct bpe_flow *flow)
{
	static const uint8_t source[4] = { 192, 0, 2, 1 };
	static const uint8_t target[4] = { 198, 51, 100, 2 };

	memset(flow, 0, sizeof *flow);
	flow->version = BPE_FLOW_VERSION;
	flow->size = sizeof *flow;
	memcpy(flow->addr[0], source, 4);
	memcpy(flow->addr[1], target, 4);
	flow->port[0] = 40000;
	flow->port[1] = 443;
	flow->ip_proto = 6;
	flow->ip_version = 4;
	flow->tcp_flags[0] = 0x1b;
	flow->tcp_flags[1] = 0x12;
	flow->end = BPE_END_CLOSED;
	flow->flags = BPE_FLOW_LENGTHS;
	flow->hash = 0x01020304;
	flow->worker = 1;
	flow->slot = 5;
	flow->interface_index = 3;
	memcpy(flow->interface_name, "en0", 4);
	flow->packets[0] = 10;
	flow->packets[1] = 7;
	flow->wire_bytes[0] = 1140;
	flow->wire_bytes[1] = 5098;
	flow->ip_bytes[0] = 1000;
	flow->ip_bytes[1] = 5000;
	flow->first_ns = CASE_FIRST_NS;
	flow->last_ns = CASE_LAST_NS;
	for (int k = 0; k < 2; k++) {
		flow->handshake_ns[k] = -1;
		flow->rtt_ns[k] = -1;
		flow->window_scale[k] = -1;
	}
	flow->pid = -1;
	flow->effective_pid = -1;
	flow->names.uid = -1;
}

#endif
