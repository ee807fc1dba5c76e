/* SPDX-License-Identifier: MIT */
/* The grammar of pcap-filter(7), top: expressions and terms.  "and" and "or" bind alike and to the
 * left.  A bare value behind either takes the qualifiers of the term before ("port
 * 80 or 443").  Nesting is bounded. */
#include "filter/parse.h"

#include "filter/phrases.h"

static int32_t parse_expression(struct bpei_compile *c, struct qualifiers *q);
static int32_t parse_term(struct bpei_compile *c, struct qualifiers *q);

static void clear_qualifiers(struct qualifiers *q)
{
	*q = (struct qualifiers){ A_NONE, P_DEFAULT, D_DEFAULT };
}

/* ---- inner(EXPRESSION) ---- */

/* inner() while it is parsed: for all shapes of all encapsulations. */
struct inner {
	size_t from; /* begin of the parenthesis */
	size_t end;  /* end of the parenthesis, once a shape could be parsed */
	int32_t all;
	struct complaint first;
};

/* Parses the parenthesis for a shape of the encapsulation, behind which the offsets are.  guard:
 * the test for the shape. */
static void parse_inner_shape(
	struct bpei_compile *c, struct qualifiers *q, struct inner *inner, int32_t guard)
{
	const uint32_t nesting = c->nesting;
	const uint32_t inners = c->inners;
	int32_t tree = -1;

	c->at = inner->from;
	if (guard >= 0) {
		bpei_lex_next(c);
		bpei_parse_take(c, '(', "a parenthesis");
		tree = parse_expression(c, q);
	}
	if (tree >= 0 && c->token != ')')
		tree = bpei_parse_unexpected(c, "a closing parenthesis");
	if (tree >= 0) {
		inner->end = c->at;
		inner->all = bpei_or_optional(c, inner->all, bpei_and(c, guard, tree));
	}
	bpei_complaint_keep(c, &inner->first);
	c->nesting = nesting;
	c->inners = inners;
}

/* Parses inner(EXPRESSION): the expression holds behind an encapsulation, which is any of
 * --through, or any at all without --through. */
static int32_t parse_inner_term(struct bpei_compile *c, struct qualifiers *q)
{
	const struct offsets here = c->offsets;
	const uint32_t chosen = c->through & 0xff;
	const uint32_t kinds = chosen ? chosen : 0xff;
	struct inner inner = { .from = c->at, .all = -1, .first = { .why = "" } };

	if (c->failed || !bpei_parse_deeper(c))
		return -1;
	if (++c->inners > COMPILE_INNERS) /* each level has 17 shapes */
		return bpei_compile_fail_final(c, "inner goes at most two encapsulations deep");
	for (uint32_t kind = 1; kind < 0x100 && !c->failed; kind <<= 1)
		for (uint32_t shape = 0; kinds & kind && !c->failed; shape++) {
			c->offsets = here;
			const int32_t guard = bpei_tunnel_enter(c, kind, shape, false, 0);

			if (guard == BPEI_NO_SHAPE)
				break;
			parse_inner_shape(c, q, &inner, guard);
		}
	c->nesting--;
	c->inners--;
	c->offsets = here;
	clear_qualifiers(q);
	if (inner.all < 0 || c->failed)
		return bpei_complaint_raise(c, &inner.first);
	c->at = inner.end;
	bpei_lex_next(c);
	const size_t length = inner.end - inner.from;
	const int shown = length < 200 ? (int)length : 200;
	bpei_phrase_add(c, inner.all, "behind one encapsulation%s: %.*s",
		chosen ? " of --through" : "", shown, c->text + inner.from);
	return inner.all;
}

/* ---- Terms ---- */

static int32_t parse_relation_term(struct bpei_compile *c, struct qualifiers *q)
{
	clear_qualifiers(q);
	return bpei_parse_relation(c);
}

static int32_t parse_negation(struct bpei_compile *c, struct qualifiers *q)
{
	if (!bpei_parse_deeper(c))
		return -1;
	bpei_lex_next(c);
	const int32_t b = bpei_not(c, parse_term(c, q));
	c->nesting--;
	return b;
}

static int32_t parse_parenthesis(struct bpei_compile *c, struct qualifiers *q)
{
	const struct qualifiers before = *q;

	if (bpei_parse_at_arithmetic(c))
		return parse_relation_term(c, q);
	if (!bpei_parse_deeper(c))
		return -1;
	bpei_lex_next(c);
	const int32_t b = parse_expression(c, q);
	c->nesting--;
	*q = before;
	return bpei_parse_take(c, ')', "a closing parenthesis") ? b : -1;
}

/* Parses a term that begins with a protocol: qualifiers, the protocol alone, or protocol[index]. */
static int32_t parse_protocol(struct bpei_compile *c, struct qualifiers *q)
{
	const enum proto p = c->number;
	const int ahead = bpei_lex_peek(c);

	if (ahead == '[')
		return parse_relation_term(c, q);
	bpei_lex_next(c);
	if (bpei_parse_is_qualifier(ahead))
		return bpei_parse_qualified(c, p, q);
	if (ahead == T_TYPE || ahead == T_SUBTYPE || ahead == T_DIR)
		return parse_term(c, q); /* "wlan type ...": "wlan" has no meaning there */
	clear_qualifiers(q);
	if (ahead == T_BROADCAST) {
		bpei_lex_next(c);
		return bpei_term_broadcast(c, p);
	}
	if (ahead == T_MULTICAST) {
		bpei_lex_next(c);
		return bpei_term_multicast(c, p);
	}
	return bpei_term_proto_name(c, p);
}

static int32_t parse_plain_term(struct bpei_compile *c, struct qualifiers *q)
{
	if (c->failed)
		return -1;
	if (bpei_parse_is_qualifier(c->token))
		return bpei_parse_qualified(c, P_DEFAULT, q);
	switch (c->token) {
	case T_NOT:
		return parse_negation(c, q);
	case '(':
		return parse_parenthesis(c, q);
	case T_PROTO_NAME:
		return parse_protocol(c, q);
	case T_NUMBER:
	case T_LEN:
	case '-':
		return parse_relation_term(c, q);
	case T_INNER:
		clear_qualifiers(q);
		return parse_inner_term(c, q);
	default:
		clear_qualifiers(q);
		return bpei_parse_keyword(c);
	}
}

/* Parses a term, and notes a phrase for the term unless its parts have noted phrases. */
static int32_t parse_term(struct bpei_compile *c, struct qualifiers *q)
{
	const size_t from = c->token_at;
	const uint32_t number = c->number;
	const uint32_t phrases = c->phrases ? c->phrases->count : 0;
	const int token = c->token;

	c->term_at = from;
	const int32_t b = parse_plain_term(c, q);
	if (c->phrases && c->phrases->count == phrases)
		bpei_phrase_term(c, b, token, number, from);
	return b;
}

static int32_t parse_expression(struct bpei_compile *c, struct qualifiers *q)
{
	int32_t b = parse_term(c, q);

	while (!c->failed && (c->token == T_AND || c->token == T_OR)) {
		const bool both = c->token == T_AND;

		bpei_lex_next(c);
		c->term_at = c->token_at;
		const bool bare = bpei_parse_at_value(c);
		const int32_t right = bare ? bpei_parse_values(c, q) : parse_term(c, q);
		b = both ? bpei_and(c, b, right) : bpei_or(c, b, right);
	}
	return b;
}

int32_t bpei_parse_filter(struct bpei_compile *c)
{
	struct qualifiers q;

	clear_qualifiers(&q);
	bpei_lex_next(c);
	if (c->token == T_END)
		return bpei_const(c, true);
	const int32_t b = parse_expression(c, &q);
	if (!c->failed && c->token != T_END)
		bpei_parse_unexpected(c, "\"and\", \"or\" or the end");
	return c->failed ? -1 : b;
}
