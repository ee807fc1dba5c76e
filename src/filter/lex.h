/* SPDX-License-Identifier: MIT */
/* Tokens of the filter language; one-character ones are their character. */
#ifndef BPEI_FILTER_LEX_H
#define BPEI_FILTER_LEX_H

#include "filter/tree.h"

enum token { T_END = 256, T_WRONG, T_NUMBER, T_DOTTED, T_IP6, T_MAC, T_NAME, T_PROTO_NAME, T_SRC, T_DST, T_HOST, T_NET, T_MASK, T_PORT, T_PORTRANGE,
	     T_PROTO, T_LESS, T_GREATER, T_BROADCAST, T_MULTICAST, T_AND, T_OR, T_NOT, T_LEN, T_INBOUND, T_OUTBOUND, T_VLAN, T_MPLS, T_PPPOED, T_PPPOES,
	     T_GEQ, T_LEQ, T_NEQ, T_LSH, T_RSH, T_TYPE, T_SUBTYPE, T_DIR, T_LLC, T_ADDRESS, T_GATEWAY, T_PROTOCHAIN, T_IFINDEX, T_BYTE, T_TUNNEL, T_INNER, T_PKTAP };

/* The next token into c->token, with c->number (value, keyword's number, dotted address), c->bytes (addresses), c->word (names). */
void bpei_lex_next(struct bpei_compile *c);
bool bpei_lex_is_pktap(const char *word);
bool bpei_lex_is_pktap(const char *word);		/* a word on PKTAP's link type only */
const char *bpei_lex_nearest(const char *word);	/* the keyword that is most like it; NULL: none */

#endif
