/* SPDX-License-Identifier: MIT */
/* Text written into a caller's bytes, never past their end: a writer that did not have room says so
 * once and for all (full).  Pure. */
#ifndef BPEI_TEXT_H
#define BPEI_TEXT_H

#include "bpfengine.h"

#include <string.h>

struct bpei_text {
	char *at, *end; /* end: where the 0 goes */
	bool full;
};

static inline void bpei_text_bytes(struct bpei_text *t, const char *s, size_t n)
{
	if ((size_t)(t->end - t->at) < n) {
		t->full = true;
		return;
	}
	memcpy(t->at, s, n);
	t->at += n;
}

/* Of a literal. */
#define BPEI_TEXT(t, literal) bpei_text_bytes(t, "" literal, sizeof literal - 1)

static inline void bpei_text_string(struct bpei_text *t, const char *s)
{
	bpei_text_bytes(t, s, strlen(s));
}
static inline void bpei_text_char(struct bpei_text *t, char c)
{
	bpei_text_bytes(t, &c, 1);
}

/* text.c */
void bpei_text_number(struct bpei_text *t, uint64_t v);
void bpei_text_member(struct bpei_text *t, const char *name,
	uint64_t v); /* name is all that stands before the number */
void bpei_text_word(struct bpei_text *t, const char *name,
	const char *value); /* and before the value, whose quotes it begins; not escaped */
void bpei_text_signed(struct bpei_text *t, int64_t v);
void bpei_text_digits(
	struct bpei_text *t, uint64_t v, int digits); /* the last so many, with zeros before */
void bpei_text_seconds(struct bpei_text *t, int64_t ns,
	int digits); /* 1.000000000; digits behind the point: 6 or 9, cut off */
void bpei_text_span(struct bpei_text *t, int64_t from_ns, int64_t to_ns,
	int digits); /* the same, of what lies between, which may be over 2^63 ns */
void bpei_text_iso(struct bpei_text *t, int64_t ns, int digits,
	const char *zone); /* 2026-01-31T23:59:59.123456 and the zone, of UTC; digits as above */
void bpei_text_address(struct bpei_text *t, const uint8_t *addr, int version);
void bpei_text_json(struct bpei_text *t, const char *s,
	size_t most); /* quoted; ends at a 0 or after `most` bytes; what is not UTF-8 becomes U+FFFD
		       */
void bpei_text_csv(struct bpei_text *t, const char *s,
	size_t most); /* the same by RFC 4180: quoted where it must be */

/* ,"process":{}, by ECS's names, which EVE's lines have, too; nothing if it is not known. */
void bpei_text_process(struct bpei_text *t, const struct bpe_flow *flow);

/* The tunnel, nothing if it is not known: ,"tunnel_kind":"vxlan" and more; ,"tunnel":{} with those
 * names for its ends and kind. */
void bpei_text_tunnel(struct bpei_text *t, const struct bpe_flow *flow);
void bpei_text_tunnel_object(struct bpei_text *t, const struct bpe_flow *flow, const char *src,
	const char *dst, const char *kind_name);

/* What the formats share.  letters: room for 9, "FSPA" as tcpdump's. */
const char *bpei_flow_proto(const struct bpe_flow *flow, char room[16]); /* "tcp", "ip-proto-254" */
const char *bpei_flow_tcp_state(const struct bpe_flow *flow); /* "established"; "" not TCP */
void bpei_flow_tcp_flags(uint8_t flags, char letters[9]);
/* Members of both counts, name first and behind it "[1,2]"; nothing where both are 0. */
void bpei_text_counts(struct bpei_text *t, const char *name, const uint32_t counts[2]);
bool bpei_flow_has_ports(const struct bpe_flow *flow); /* its protocol has ports */
/* 128 bits that are the same for every record of a flow with that beginning, whatever the format.
 */
struct bpei_flow_id {
	uint64_t a, b;
};
struct bpei_flow_id bpei_flow_id(const struct bpe_flow *flow);

/* json.c, zeek.c, eve.c, ecs.c, csv.c: a line without its end. */
void bpei_format_json(struct bpei_text *t, const struct bpe_flow *flow);
void bpei_format_zeek(struct bpei_text *t, const struct bpe_flow *flow);
void bpei_format_eve(struct bpei_text *t, const struct bpe_flow *flow);
void bpei_format_ecs(struct bpei_text *t, const struct bpe_flow *flow);
void bpei_format_csv(struct bpei_text *t, const struct bpe_flow *flow); /* NULL: the names */

#endif
