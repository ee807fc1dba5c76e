/* SPDX-License-Identifier: MIT */
/* Tokens of the filter language. */
#ifndef BPEI_FILTER_LEX_H
#define BPEI_FILTER_LEX_H

#include "filter/compile.h"

enum token {
	T_END = 256,
	T_WRONG,
	T_NUMBER,
	T_DOTTED,
	T_IP6,
	T_MAC,
	T_NAME,
	T_PROTO_NAME,
	T_SRC,
	T_DST,
	T_HOST,
	T_NET,
	T_MASK,
	T_PORT,
	T_PORTRANGE,
	T_PROTO,
	T_LESS,
	T_GREATER,
	T_BROADCAST,
	T_MULTICAST,
	T_AND,
	T_OR,
	T_NOT,
	T_LEN,
	T_INBOUND,
	T_OUTBOUND,
	T_VLAN,
	T_MPLS,
	T_PPPOED,
	T_PPPOES,
	T_GEQ,
	T_LEQ,
	T_NEQ,
	T_LSH,
	T_RSH,
	T_TYPE,
	T_SUBTYPE,
	T_DIR,
	T_LLC,
	T_ADDRESS,
	T_GATEWAY,
	T_PROTOCHAIN,
	T_IFINDEX,
	T_BYTE,
	T_TUNNEL,
	T_INNER,
	T_PKTAP,
	T_ATM,
	T_SIGNAL_UNIT,
	T_FIELD,
	T_PF,
	T_ARC
};

/* Reads the next token into c->token.  c->number becomes a number's value, a keyword's number or a
 * dotted address; c->bytes an address; c->word a name.  A token of a single character is that
 * character's code. */
void bpei_lex_next(struct bpei_compile *c);
/* Returns the token behind the current token; c stays as it is. */
int bpei_lex_peek(const struct bpei_compile *c);

#endif
