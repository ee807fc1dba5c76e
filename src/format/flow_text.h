/* SPDX-License-Identifier: MIT */
/* Members of a flow record that several formats write.  Pure. */
#ifndef BPEI_FLOW_TEXT_H
#define BPEI_FLOW_TEXT_H

#include "format/writer.h"

/* ,"process":{}, by ECS's names, which EVE's lines have, too; nothing if it is not known. */
void bpei_flow_write_process(struct bpei_writer *w, const struct bpe_flow *flow);

/* The tunnel, nothing if it is not known: ,"tunnel_kind":"vxlan" and more; ,"tunnel":{} with those
 * names for its ends and kind. */
void bpei_flow_write_tunnel(struct bpei_writer *w, const struct bpe_flow *flow);
void bpei_flow_write_tunnel_object(struct bpei_writer *w, const struct bpe_flow *flow,
	const char *src, const char *dst, const char *kind_name);

/* What the formats share.  letters: room for 9, "FSPA" as tcpdump's. */
const char *bpei_flow_proto(const struct bpe_flow *flow, char room[16]); /* "tcp", "ip-proto-254" */
const char *bpei_flow_tcp_state(const struct bpe_flow *flow); /* "established"; "" not TCP */
void bpei_flow_tcp_flags(uint8_t flags, char letters[9]);
/* Members of both counts, name first and behind it "[1,2]"; nothing where both are 0. */
void bpei_flow_write_counts(struct bpei_writer *w, const char *name, const uint32_t counts[2]);
bool bpei_flow_has_ports(const struct bpe_flow *flow); /* its protocol has ports */
/* 128 bits that are the same for every record of a flow with that beginning, whatever the format.
 */
struct bpei_flow_id {
	uint64_t a, b;
};
struct bpei_flow_id bpei_flow_id(const struct bpe_flow *flow);

#endif
