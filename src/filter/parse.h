/* SPDX-License-Identifier: MIT */
/* What the files of the grammar share. */
#ifndef BPEI_FILTER_PARSE_H
#define BPEI_FILTER_PARSE_H

#include "filter/lex.h"

enum address {
	A_NONE,
	A_DEFAULT,
	A_HOST,
	A_NET,
	A_PORT,
	A_PORTRANGE,
	A_PROTO,
	A_PROTOCHAIN,
	A_GATEWAY
};
struct qualifiers {
	enum address address;
	enum proto proto;
	enum direction direction;
};

/* parse_list.c: "in FILE" behind host, net, port, portrange. */
bool bpei_parse_list_begins(const struct bpei_compile *c);
int32_t bpei_parse_list(struct bpei_compile *c, const struct qualifiers *q);

/* parse_link.c: the terms that begin with type, subtype, dir and llc. */
int32_t bpei_parse_link(struct bpei_compile *c);
/* parse_pktap.c: pid, epid, proc, eproc, svc, if. */
int32_t bpei_parse_pktap(struct bpei_compile *c);
/* parse_pf.c: ifname, rnr, srnr, rset, reason, action. */
int32_t bpei_parse_pf(struct bpei_compile *c);
/* parse_field.c: vpi, vci, sio, opc, dpc, sls. */
int32_t bpei_parse_field(struct bpei_compile *c);
/* parse_arith.c: a comparison of two values, as it stands, and by its token. */
int32_t bpei_parse_relation(struct bpei_compile *c);
int32_t bpei_parse_compare(struct bpei_compile *c, int32_t left, int token, int32_t right);

/* parse.c */
int32_t bpei_parse_value(
	struct bpei_compile *c, const struct qualifiers *q); /* one value, qualified so */
bool bpei_parse_take(struct bpei_compile *c, int token,
	const char *wanted); /* the token in hand, which must be this one */
bool bpei_parse_deeper(
	struct bpei_compile *c); /* one more level of nesting; the caller takes it back */
int32_t bpei_parse_unexpected(struct bpei_compile *c, const char *wanted);

#endif
