/* SPDX-License-Identifier: MIT */
/* Members of a flow record that several formats write.  Pure. */
#ifndef BPEI_FLOW_TEXT_H
#define BPEI_FLOW_TEXT_H

#include "format/writer.h"

/* Writes ,"process":{} by ECS's names, which EVE's lines have as well; nothing if the process is
 * not known. */
void bpei_flow_write_process(struct bpei_writer *w, const struct bpe_flow *flow);

/* Writes the tunnel as members of the line: ,"tunnel_kind":"vxlan" and more; nothing without a
 * tunnel. */
void bpei_flow_write_tunnel(struct bpei_writer *w, const struct bpe_flow *flow);

/* Writes the tunnel as ,"tunnel":{}; nothing without a tunnel.  src, dst, kind_name: the beginnings
 * of these members, up to the value's quote. */
void bpei_flow_write_tunnel_object(struct bpei_writer *w, const struct bpe_flow *flow,
	const char *src, const char *dst, const char *kind_name);

/* Writes both counts, behind `name`, as 1,2]; nothing if both are 0.  name ends with [. */
void bpei_flow_write_counts(struct bpei_writer *w, const char *name, const uint32_t counts[2]);

/* Writes what the cutoff left out, as ,"unwritten_packets":[1,2],"unwritten_bytes":[3,4]; nothing
 * without BPE_FLOW_CUTOFF.  first: no comma in front. */
void bpei_flow_write_unwritten(struct bpei_writer *w, const struct bpe_flow *flow, bool first);

/* Returns the protocol's name, "tcp"; of an unknown protocol "ip-proto-254", in room. */
const char *bpei_flow_proto(const struct bpe_flow *flow, char room[16]);

/* Returns the state's name, "established"; "" if the flow is not TCP. */
const char *bpei_flow_tcp_state(const struct bpe_flow *flow);

/* Fills letters from the flags, as tcpdump's: "FSPA". */
void bpei_flow_tcp_flags(uint8_t flags, char letters[9]);

/* Returns whether the flow's protocol has ports. */
bool bpei_flow_has_ports(const struct bpe_flow *flow);

/* 128 bits, equal in all formats and in every record of a flow with the same beginning. */
struct bpei_flow_id {
	uint64_t a, b;
};
struct bpei_flow_id bpei_flow_id(const struct bpe_flow *flow);

#endif
