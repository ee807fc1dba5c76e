/* SPDX-License-Identifier: MIT */
/* Telephony in the grammar: fields of ATM cells and of SS7's signal units, compared with numbers:
 * vpi 3, vci > 5, opc (1 or 2 or 7). */
#include "filter/parse.h"

/* Parses a number, at most `most`, and returns its comparison with the field's value `left`. */
static int32_t compare_field(struct bpei_compile *c, int32_t left, int comparison, uint32_t most)
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

/* Parses (NUMBER or NUMBER ...). */
static int32_t parse_field_numbers(struct bpei_compile *c, int32_t left, uint32_t most)
{
	bpei_lex_next(c);
	int32_t any = compare_field(c, left, '=', most);
	while (!c->failed && c->token == T_OR) {
		bpei_lex_next(c);
		any = bpei_or(c, any, compare_field(c, left, '=', most));
	}
	return bpei_parse_take(c, ')', "or, or a closing parenthesis,") ? any : -1;
}

int32_t bpei_parse_field(struct bpei_compile *c)
{
	uint32_t most;
	int comparison = '=';
	const int32_t left = bpei_term_field(c, c->number, &most);

	bpei_lex_next(c);
	if (c->token == '(')
		return parse_field_numbers(c, left, most);
	if (bpei_parse_is_comparison(c->token)) {
		comparison = c->token;
		bpei_lex_next(c);
	}
	return compare_field(c, left, comparison, most);
}
