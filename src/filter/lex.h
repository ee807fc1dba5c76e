/* SPDX-License-Identifier: MIT */
/* Tokens of the filter language; one-character ones are their character. */
#ifndef BPEI_FILTER_LEX_H
#define BPEI_FILTER_LEX_H

#include "filter/tree.h"

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

/* Numbers of the keywords of ATM, SS7 and pf. */
enum {
	ATM_WORD_LANE,
	ATM_WORD_METAC,
	ATM_WORD_BCC,
	ATM_WORD_SC,
	ATM_WORD_ILMIC,
	ATM_WORD_OAMF4SC,
	ATM_WORD_OAMF4EC,
	ATM_WORD_OAM,
	ATM_WORD_CONNECT,
	ATM_WORD_METACONNECT
};
enum { SS7_WORD_FISU, SS7_WORD_LSSU, SS7_WORD_MSU, SS7_WORD_HFISU, SS7_WORD_HLSSU, SS7_WORD_HMSU };
enum {
	FIELD_VPI,
	FIELD_VCI,
	FIELD_SIO,
	FIELD_OPC,
	FIELD_DPC,
	FIELD_SLS,
	FIELD_HSIO,
	FIELD_HOPC,
	FIELD_HDPC,
	FIELD_HSLS
};
enum {
	PF_WORD_IFNAME,
	PF_WORD_RULESET,
	PF_WORD_RULE,
	PF_WORD_SUBRULE,
	PF_WORD_REASON,
	PF_WORD_ACTION
};

/* The next token into c->token, with c->number (value, keyword's number, dotted address), c->bytes
 * (addresses), c->word (names). */
void bpei_lex_next(struct bpei_compile *c);
bool bpei_lex_is_pktap(const char *word);
bool bpei_lex_is_pktap(const char *word);       /* a word on PKTAP's link type only */
const char *bpei_lex_nearest(const char *word); /* the keyword that is most like it; NULL: none */

#endif
