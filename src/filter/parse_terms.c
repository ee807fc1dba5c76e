/* SPDX-License-Identifier: MIT */
/* Terms of qualifiers and values, and terms with a keyword of their own. */
#include "filter/parse.h"
#include "filter/phrases.h"

/* ---- Values behind qualifiers ---- */

static int32_t parse_negated_values(struct bpei_compile *c, const struct qualifiers *q)
{
	if (!bpei_parse_deeper(c))
		return -1;
	bpei_lex_next(c);
	const int32_t b = bpei_not(c, bpei_parse_values(c, q));
	c->nesting--;
	return b;
}

static int32_t parse_value_or_list(struct bpei_compile *c, const struct qualifiers *q)
{
	const size_t from = c->token_at;
	const bool is_list = bpei_parse_at_list(c);
	const int32_t b = is_list ? bpei_parse_list(c, q) : bpei_parse_value(c, q);

	bpei_phrase_value(c, b, q, from);
	return b;
}

int32_t bpei_parse_values(struct bpei_compile *c, const struct qualifiers *q)
{
	if (c->failed)
		return -1;
	if (c->token == T_NOT)
		return parse_negated_values(c, q);
	if (c->token != '(')
		return parse_value_or_list(c, q);
	if (!bpei_parse_deeper(c))
		return -1;
	bpei_lex_next(c);
	c->term_at = c->token_at;
	int32_t b = bpei_parse_values(c, q);
	while (!c->failed && (c->token == T_AND || c->token == T_OR)) {
		const bool both = c->token == T_AND;

		bpei_lex_next(c);
		c->term_at = c->token_at;
		const int32_t right = bpei_parse_values(c, q);
		b = both ? bpei_and(c, b, right) : bpei_or(c, b, right);
	}
	c->nesting--;
	return bpei_parse_take(c, ')', "a closing parenthesis") ? b : -1;
}

/* ---- Qualifiers ---- */

/* Returns the token's address qualifier, or A_DEFAULT. */
static enum address address_of_token(int token)
{
	switch (token) {
	case T_GATEWAY:
		return A_GATEWAY;
	case T_PROTOCHAIN:
		return A_PROTOCHAIN;
	case T_HOST:
		return A_HOST;
	case T_NET:
		return A_NET;
	case T_PORT:
		return A_PORT;
	case T_PORTRANGE:
		return A_PORTRANGE;
	case T_PROTO:
		return A_PROTO;
	default:
		return A_DEFAULT;
	}
}

bool bpei_parse_is_qualifier(int token)
{
	return token == T_SRC || token == T_DST || token == T_ADDRESS ||
	       address_of_token(token) != A_DEFAULT;
}

/* Parses src, dst, "src or dst" and "src and dst". */
static enum direction parse_direction(struct bpei_compile *c)
{
	const int first = c->token;
	const int second = first == T_SRC ? T_DST : T_SRC;

	bpei_lex_next(c);
	const bool both = c->token == T_AND;
	if ((both || c->token == T_OR) && bpei_lex_peek(c) == second) {
		bpei_lex_next(c);
		bpei_lex_next(c);
		return both ? D_AND : D_OR;
	}
	return first == T_SRC ? D_SRC : D_DST;
}

int32_t bpei_parse_qualified(struct bpei_compile *c, enum proto p, struct qualifiers *q)
{
	*q = (struct qualifiers){ A_DEFAULT, p, D_DEFAULT };
	if (c->token == T_SRC || c->token == T_DST)
		q->direction = parse_direction(c);
	if (c->token == T_ADDRESS) {
		q->direction = c->number;
		bpei_lex_next(c);
	}
	q->address = address_of_token(c->token);
	if (q->address != A_DEFAULT)
		bpei_lex_next(c);
	return bpei_parse_values(c, q);
}

/* ---- Keywords ---- */

/* Parses a number, unless an arithmetic expression begins here. */
static bool parse_optional_number(struct bpei_compile *c, uint32_t *number)
{
	*number = 0;
	if (c->token != T_NUMBER || bpei_parse_is_operator(bpei_lex_peek(c)))
		return false;
	*number = c->number;
	bpei_lex_next(c);
	return true;
}

/* Consumes a number, which must be here.  Returns false after an error. */
static bool parse_wanted_number(struct bpei_compile *c, const char *wanted, uint32_t *number)
{
	*number = c->number;
	return bpei_parse_take(c, T_NUMBER, wanted);
}

/* Parses "less LENGTH" and "greater LENGTH". */
static int32_t parse_length(struct bpei_compile *c, bool less)
{
	uint32_t n;

	bpei_lex_next(c);
	if (!parse_wanted_number(c, "a length", &n))
		return -1;
	const int32_t length = bpei_value_len(c);
	if (less)
		return bpei_not(c, bpei_test(c, length, CMP_GT, n));
	return bpei_test(c, length, CMP_GE, n);
}

/* Parses "byte OFFSET =, <, >, &, | NUMBER", a test of a byte behind the link header's begin. */
static int32_t parse_byte(struct bpei_compile *c)
{
	const struct place header = c->offsets.header;
	uint32_t at, k;

	bpei_lex_next(c);
	if (!parse_wanted_number(c, "a byte's offset", &at))
		return -1;
	const int op = c->token;
	if (op != '=' && op != '<' && op != '>' && op != '&' && op != '|')
		return bpei_parse_unexpected(c, "one of = < > & |");
	bpei_lex_next(c);
	k = c->number;
	if (c->token == T_NUMBER && k > 255)
		return bpei_compile_fail(c, "a byte ends at 255");
	if (!bpei_parse_take(c, T_NUMBER, "a number"))
		return -1;
	const int32_t v = bpei_value_load(c, 1, header.base, header.at + at);
	switch (op) {
	case '=':
		return bpei_test(c, v, CMP_EQ, k);
	case '>':
		return bpei_test(c, v, CMP_GT, k);
	case '<':
		return bpei_not(c, bpei_test(c, v, CMP_GE, k));
	case '&':
		return bpei_test(c, v, CMP_SET, k);
	default:
		return bpei_not(c, bpei_test(c, bpei_value_alu_imm(c, OP_OR, v, k), CMP_EQ, 0));
	}
}

static int32_t parse_ifindex(struct bpei_compile *c)
{
	uint32_t index;

	bpei_lex_next(c);
	if (!parse_wanted_number(c, "the number of an interface", &index))
		return -1;
	return bpei_term_ifindex(c, index);
}

/* Parses a keyword with an optional number: vlan, mpls, pppoes, geneve, vxlan. */
static int32_t parse_optional_id(struct bpei_compile *c)
{
	const int keyword = c->token;
	const uint32_t kind = c->number;
	uint32_t id;

	bpei_lex_next(c);
	const bool has_id = parse_optional_number(c, &id);
	switch (keyword) {
	case T_VLAN:
		return bpei_term_vlan(c, has_id, id);
	case T_MPLS:
		return bpei_term_mpls(c, has_id, id);
	case T_PPPOES:
		return bpei_term_pppoe(c, true, has_id, id);
	default:
		return bpei_term_tunnel(c, kind, has_id, id);
	}
}

/* Parses a keyword without arguments. */
static int32_t parse_plain_keyword(struct bpei_compile *c)
{
	const int keyword = c->token;
	const uint32_t number = c->number;

	bpei_lex_next(c);
	switch (keyword) {
	case T_BROADCAST:
		return bpei_term_broadcast(c, P_DEFAULT);
	case T_MULTICAST:
		return bpei_term_multicast(c, P_DEFAULT);
	case T_INBOUND:
		return bpei_term_outbound(c, false);
	case T_OUTBOUND:
		return bpei_term_outbound(c, true);
	case T_ATM:
		return bpei_term_atm(c, number);
	case T_SIGNAL_UNIT:
		return bpei_term_signal_unit(c, number);
	default:
		return bpei_term_pppoe(c, false, false, 0);
	}
}

int32_t bpei_parse_keyword(struct bpei_compile *c)
{
	switch (c->token) {
	case T_LESS:
		return parse_length(c, true);
	case T_GREATER:
		return parse_length(c, false);
	case T_BROADCAST:
	case T_MULTICAST:
	case T_INBOUND:
	case T_OUTBOUND:
	case T_ATM:
	case T_SIGNAL_UNIT:
	case T_PPPOED:
		return parse_plain_keyword(c);
	case T_VLAN:
	case T_MPLS:
	case T_PPPOES:
	case T_TUNNEL:
		return parse_optional_id(c);
	case T_PKTAP:
		return bpei_parse_pktap(c);
	case T_PF:
		return bpei_parse_pf(c);
	case T_FIELD:
		return bpei_parse_field(c);
	case T_TYPE:
	case T_SUBTYPE:
	case T_DIR:
	case T_LLC:
		return bpei_parse_link(c);
	case T_BYTE:
		return parse_byte(c);
	case T_IFINDEX:
		return parse_ifindex(c);
	default:
		return bpei_parse_unexpected(c, "a term (\"tcp\", \"host 10.0.0.1\", \"port 80\")");
	}
}
