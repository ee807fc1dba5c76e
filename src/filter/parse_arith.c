/* SPDX-License-Identifier: MIT */
/* Arithmetic in the grammar: proto[index:size], len, numbers, operators, comparisons. */
#include "filter/parse.h"

/* An arithmetic expression: the value, and the test for the headers from which the value is loaded
 * (-1: none). */
struct arith {
	int32_t value, guard;
};

/* Returns the precedence of a binary operator; 0 for other tokens. */
static int precedence_of_token(int token)
{
	switch (token) {
	case '|':
		return 1;
	case '&':
		return 3;
	case T_LSH:
	case T_RSH:
		return 4;
	case '+':
	case '-':
		return 5;
	case '*':
	case '/':
		return 6;
	default:
		return 0;
	}
}

static uint16_t operation_of_token(int token)
{
	switch (token) {
	case '|':
		return OP_OR;
	case '^':
		return OP_XOR;
	case '&':
		return OP_AND;
	case T_LSH:
		return OP_LSH;
	case T_RSH:
		return OP_RSH;
	case '+':
		return OP_ADD;
	case '-':
		return OP_SUB;
	case '*':
		return OP_MUL;
	case '/':
		return OP_DIV;
	default:
		return OP_MOD;
	}
}

static int32_t join_guards(struct bpei_compile *c, int32_t a, int32_t b)
{
	if (a < 0)
		return b;
	return b < 0 ? a : bpei_and(c, a, b);
}

static struct arith parse_arithmetic(struct bpei_compile *c, int least);
static struct arith parse_factor(struct bpei_compile *c);

/* Parses the size in proto[index:size], if there is a size; otherwise returns 1. */
static uint32_t parse_load_size(struct bpei_compile *c)
{
	if (c->failed || c->token != ':')
		return 1;
	bpei_lex_next(c);
	const uint32_t size = c->number;
	if (c->token != T_NUMBER || (size != 1 && size != 2 && size != 4))
		bpei_compile_fail(c, "1, 2 or 4 bytes can be loaded");
	bpei_lex_next(c);
	return size;
}

/* Parses proto[index:size]. */
static struct arith parse_load(struct bpei_compile *c)
{
	const enum proto p = c->number;
	struct arith r = { -1, -1 };
	int32_t guard;

	if (!bpei_parse_deeper(c))
		return r;
	bpei_lex_next(c);
	if (!bpei_parse_take(c, '[', "an index such as [0:2]"))
		return r;
	r = parse_arithmetic(c, 1);
	const uint32_t size = parse_load_size(c);
	c->nesting--;
	if (!bpei_parse_take(c, ']', "a closing bracket"))
		return r;
	r.value = bpei_term_load(c, p, r.value, size, &guard);
	r.guard = join_guards(c, r.guard, guard);
	return r;
}

static struct arith parse_negative(struct bpei_compile *c)
{
	struct arith r = { -1, -1 };

	if (!bpei_parse_deeper(c))
		return r;
	bpei_lex_next(c);
	r = parse_factor(c);
	r.value = bpei_value_alu(c, OP_NEG, r.value, -1);
	c->nesting--;
	return r;
}

static struct arith parse_arithmetic_parenthesis(struct bpei_compile *c)
{
	struct arith r = { -1, -1 };

	if (!bpei_parse_deeper(c))
		return r;
	bpei_lex_next(c);
	r = parse_arithmetic(c, 1);
	c->nesting--;
	bpei_parse_take(c, ')', "a closing parenthesis");
	return r;
}

static struct arith parse_operand(struct bpei_compile *c)
{
	struct arith r = { -1, -1 };

	if (c->failed)
		return r;
	switch (c->token) {
	case T_NUMBER:
		r.value = bpei_value_imm(c, c->number);
		bpei_lex_next(c);
		return r;
	case T_LEN:
		r.value = bpei_value_len(c);
		bpei_lex_next(c);
		return r;
	case '-':
		return parse_negative(c);
	case '(':
		return parse_arithmetic_parenthesis(c);
	case T_PROTO_NAME:
		return parse_load(c);
	default:
		bpei_parse_unexpected(c, "a number, len or protocol[index]");
		return r;
	}
}

/* Returns "left op right".  The guard is the left operand's alone, as in libpcap's programs
 * (gen_arth). */
static struct arith join_operands(
	struct bpei_compile *c, struct arith left, uint16_t op, struct arith right)
{
	left.value = bpei_value_alu(c, op, left.value, right.value);
	return left;
}

/* Parses an operand, and % or ^ behind it.  These have no precedence in libpcap's grammar, which
 * makes them take the operand in front, and everything that follows. */
static struct arith parse_factor(struct bpei_compile *c)
{
	struct arith left = parse_operand(c);

	if (c->failed || (c->token != '%' && c->token != '^'))
		return left;
	const uint16_t op = operation_of_token(c->token);
	if (!bpei_parse_deeper(c))
		return left;
	bpei_lex_next(c);
	left = join_operands(c, left, op, parse_arithmetic(c, 1));
	c->nesting--;
	return left;
}

/* Parses an expression of operators with at least the precedence `least`. */
static struct arith parse_arithmetic(struct bpei_compile *c, int least)
{
	struct arith left = parse_factor(c);

	while (!c->failed) {
		const int precedence = precedence_of_token(c->token);
		const uint16_t op = operation_of_token(c->token);

		if (precedence < least)
			break;
		bpei_lex_next(c);
		left = join_operands(c, left, op, parse_arithmetic(c, precedence + 1));
	}
	return left;
}

int32_t bpei_parse_compare(struct bpei_compile *c, int32_t left, int token, int32_t right)
{
	const bool above = token == '>' || token == T_LEQ;
	uint8_t cmp = above ? CMP_GT : CMP_GE;

	if (token == '=' || token == T_NEQ)
		cmp = CMP_EQ;
	const int32_t t = bpei_test_x(c, left, cmp, right);
	return token == '<' || token == T_LEQ || token == T_NEQ ? bpei_not(c, t) : t;
}

static int32_t parse_comparison(struct bpei_compile *c)
{
	const struct arith left = parse_arithmetic(c, 1);
	const int token = c->token;

	if (c->failed)
		return -1;
	if (!bpei_parse_is_comparison(token))
		return bpei_parse_unexpected(c, "a comparison");
	bpei_lex_next(c);
	const struct arith right = parse_arithmetic(c, 1);
	if (c->failed)
		return -1;
	const int32_t guard = join_guards(c, left.guard, right.guard);
	const int32_t t = bpei_parse_compare(c, left.value, token, right.value);
	return guard < 0 ? t : bpei_and(c, guard, t);
}

/* Parses a comparison of fields over IP again for each number of extension headers, with
 * BPE_THROUGH_IPV6_EXT. */
int32_t bpei_parse_relation(struct bpei_compile *c)
{
	const struct bpei_compile before = *c;
	int32_t each[BPEI_EXTENSIONS + 1];

	c->indexes_carried = false;
	const int32_t plain = parse_comparison(c);
	if (!c->indexes_carried || !(c->through & BPE_THROUGH_IPV6_EXT) || c->failed)
		return plain;
	for (c->extensions = 1; c->extensions <= BPEI_EXTENSIONS + 1; c->extensions++) {
		c->at = before.at;
		c->token = before.token;
		c->number = before.number;
		c->token_at = before.token_at;
		c->token_length = before.token_length;
		each[c->extensions - 1] = parse_comparison(c);
	}
	c->extensions = 0;
	return bpei_or(c, plain, bpei_term_extensions(c, each, false));
}
