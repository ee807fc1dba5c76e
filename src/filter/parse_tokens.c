/* SPDX-License-Identifier: MIT */
/* Steps over tokens, and looks ahead, for all files of the grammar. */
#include "filter/keywords.h"
#include "filter/parse.h"

#define NESTING 200u

int32_t bpei_parse_unexpected(struct bpei_compile *c, const char *wanted)
{
	if (c->token == T_END)
		return bpei_compile_fail(c, "the expression ends where %s should be", wanted);
	if (c->token == T_NAME && !c->pktap && bpei_keyword_find_pktap(c->word))
		return bpei_compile_fail(
			c, "\"%s\" is for PKTAP's packets (macOS: -i pktap)", c->word);
	const char *near = c->token == T_NAME ? bpei_keyword_nearest(c->word) : NULL;
	if (near)
		return bpei_compile_fail(
			c, "%s should be here; did you mean \"%s\"?", wanted, near);
	return bpei_compile_fail(c, "%s should be here", wanted);
}

bool bpei_parse_take(struct bpei_compile *c, int token, const char *wanted)
{
	if (c->failed)
		return false;
	if (c->token != token) {
		bpei_parse_unexpected(c, wanted);
		return false;
	}
	bpei_lex_next(c);
	return true;
}

bool bpei_parse_deeper(struct bpei_compile *c)
{
	if (++c->nesting <= NESTING)
		return true;
	bpei_compile_fail(c, "parentheses are nested too deeply");
	return false;
}

bool bpei_parse_is_comparison(int token)
{
	switch (token) {
	case '<':
	case '>':
	case '=':
	case T_GEQ:
	case T_LEQ:
	case T_NEQ:
		return true;
	default:
		return false;
	}
}

bool bpei_parse_is_operator(int token)
{
	switch (token) {
	case '+':
	case '-':
	case '*':
	case '/':
	case '%':
	case '&':
	case '|':
	case '^':
	case T_LSH:
	case T_RSH:
		return true;
	default:
		return bpei_parse_is_comparison(token);
	}
}

/* Returns a copy of the compiler for looking ahead: the lexer changes only the copy. */
static struct bpei_compile start_lookahead(const struct bpei_compile *c)
{
	struct bpei_compile ahead = *c;

	ahead.failed = false;
	return ahead;
}

/* Looks for an operator behind the parenthesis, which holds arithmetic then.  The expression's end
 * bounds the loop. */
bool bpei_parse_at_arithmetic(const struct bpei_compile *c)
{
	struct bpei_compile ahead = start_lookahead(c);
	uint32_t depth = 1;

	while (depth) {
		bpei_lex_next(&ahead);
		if (ahead.token == '(')
			depth++;
		else if (ahead.token == ')')
			depth--;
		else if (ahead.token == T_END)
			return false;
	}
	bpei_lex_next(&ahead);
	return bpei_parse_is_operator(ahead.token);
}

bool bpei_parse_at_value(const struct bpei_compile *c)
{
	struct bpei_compile ahead = start_lookahead(c);
	bool parenthesis = false;

	while (ahead.token == T_NOT || ahead.token == '(') {
		parenthesis |= ahead.token == '(';
		bpei_lex_next(&ahead);
	}
	switch (ahead.token) {
	case T_DOTTED:
	case T_IP6:
	case T_MAC:
	case T_NAME:
		return true;
	case T_NUMBER:
		bpei_lex_next(&ahead);
		while (parenthesis && ahead.token == ')')
			bpei_lex_next(&ahead);
		return !bpei_parse_is_operator(ahead.token);
	default:
		return false;
	}
}
