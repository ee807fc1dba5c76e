/* SPDX-License-Identifier: MIT */
/* The part of the grammar that speaks of telephony: fields of ATM cells and of SS7's signal units,
 * compared with numbers: vpi 3, vci > 5, opc (1 or 2 or 7). */
#include "filter/parse.h"

/* The field's value `left`, compared with the number in hand. */
static int32_t field_is(struct bpei_compile *c, int32_t left, int comparison, uint32_t most)
{
	if (c->failed)
		return -1;
	if (c->token != T_NUMBER)
		return bpei_parse_unexpected(c, "a number");
	if (c->number > most)
		return bpei_compile_fail(c, "such numbers end at %u", most);
	int32_t number = bpei_value_imm(c, c->number);
	bpei_lex_next(c);
	return bpei_parse_compare(c, left, comparison, number);
}

int32_t bpei_parse_field(struct bpei_compile *c)
{
	uint32_t most;
	int comparison = '=';
	int32_t left = bpei_term_field(c, c->number, &most), all;
	bpei_lex_next(c);
	switch (c->token) {
	case '(':
		bpei_lex_next(c);
		all = field_is(c, left, '=', most);
		while (!c->failed && c->token == T_OR) {
			bpei_lex_next(c);
			all = bpei_or(c, all, field_is(c, left, '=', most));
		}
		return bpei_parse_take(c, ')', "or, or a closing parenthesis,") ? all : -1;
	case '=':
	case '<':
	case '>':
	case T_GEQ:
	case T_LEQ:
	case T_NEQ:
		comparison = c->token;
		bpei_lex_next(c);
		break;
	default:
		break;
	}
	return field_is(c, left, comparison, most);
}
