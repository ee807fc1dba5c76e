/* SPDX-License-Identifier: MIT */
/* The grammar of pcap-filter(7), shared by the parse*.c files: recursive descent, in which each
 * function parses from the current token on and returns a node, or -1 after an error. */
#ifndef BPEI_FILTER_PARSE_H
#define BPEI_FILTER_PARSE_H

#include "filter/errors.h"
#include "filter/lex.h"
#include "filter/terms.h"

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

/* parse.c.  Parses the whole expression; an empty expression means every packet. */
int32_t bpei_parse_filter(struct bpei_compile *c);

/* parse_tokens.c */
/* Fails with "`wanted` should be here", and with a hint where a word was misspelled. */
int32_t bpei_parse_unexpected(struct bpei_compile *c, const char *wanted);
/* Consumes the current token, which must be `token`.  Returns false after an error. */
bool bpei_parse_take(struct bpei_compile *c, int token, const char *wanted);
/* Enters a nesting level, which the caller leaves with c->nesting--.  Returns false if there are
 * too many levels. */
bool bpei_parse_deeper(struct bpei_compile *c);
/* Returns true for tokens that continue an arithmetic expression or begin a comparison. */
bool bpei_parse_is_operator(int token);
/* Returns true if the current token is a parenthesis around arithmetic. */
bool bpei_parse_at_arithmetic(const struct bpei_compile *c);
/* Returns true if a bare value begins at the current token, as "and" and "or" allow. */
bool bpei_parse_at_value(const struct bpei_compile *c);

/* parse_names.c.  A name or a number, by the qualifiers in front. */
int32_t bpei_parse_named(struct bpei_compile *c, const char *name, const struct qualifiers *q);
/* bits: leading bits of `value` that were written as parts of an address; 0: a bare number. */
int32_t bpei_parse_numbered(
	struct bpei_compile *c, uint32_t value, uint32_t bits, const struct qualifiers *q);

/* parse_value.c: a single value. */
int32_t bpei_parse_value(struct bpei_compile *c, const struct qualifiers *q);

/* parse_list.c: "in FILE" behind host, net, port, portrange. */
bool bpei_parse_at_list(const struct bpei_compile *c);
int32_t bpei_parse_list(struct bpei_compile *c, const struct qualifiers *q);

/* parse_terms.c */
/* Parses a value, or several in parentheses. */
int32_t bpei_parse_values(struct bpei_compile *c, const struct qualifiers *q);
/* Parses qualifiers and the values behind them.  The qualifiers go to *q, for a bare value behind
 * a later "and" or "or". */
int32_t bpei_parse_qualified(struct bpei_compile *c, enum proto p, struct qualifiers *q);
/* Returns true for tokens that bpei_parse_qualified begins with. */
bool bpei_parse_is_qualifier(int token);
/* Parses a term that begins with a keyword of its own, such as vlan or less. */
int32_t bpei_parse_keyword(struct bpei_compile *c);

/* parse_link.c: the terms that begin with type, subtype, dir and llc. */
int32_t bpei_parse_link(struct bpei_compile *c);
/* parse_pktap.c: pid, epid, proc, eproc, svc, if. */
int32_t bpei_parse_pktap(struct bpei_compile *c);
/* parse_pf.c: ifname, rnr, srnr, rset, reason, action. */
int32_t bpei_parse_pf(struct bpei_compile *c);
/* parse_field.c: vpi, vci, sio, opc, dpc, sls. */
int32_t bpei_parse_field(struct bpei_compile *c);
/* parse_arith.c: a comparison of two arithmetic expressions. */
int32_t bpei_parse_relation(struct bpei_compile *c);
/* Returns "left `token` right" for two values; the token is a comparison. */
int32_t bpei_parse_compare(struct bpei_compile *c, int32_t left, int token, int32_t right);
/* Returns true for the tokens of comparisons. */
bool bpei_parse_is_comparison(int token);

#endif
