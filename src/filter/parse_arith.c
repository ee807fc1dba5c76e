/* SPDX-License-Identifier: MIT */
/* The part of the grammar that reckons: proto[index:size], len, numbers, operators, comparisons. */
#include "filter/parse.h"

struct arith {
	int32_t value, guard;
};

static int precedence(int token)
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

static uint16_t operation(int token)
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

static int32_t both_guards(struct bpei_compile *c, int32_t a, int32_t b)
{
	return a < 0 ? b : b < 0 ? a : bpei_and(c, a, b);
}

static struct arith arithmetic(struct bpei_compile *c, int least);
static struct arith factor(struct bpei_compile *c);

static struct arith operand(struct bpei_compile *c)
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
		r.value = bpei_value(c, (struct value){ .kind = VALUE_LEN, .a = -1, .b = -1 });
		bpei_lex_next(c);
		return r;
	case '-':
		if (!bpei_parse_deeper(c))
			return r;
		bpei_lex_next(c);
		r = factor(c);
		r.value = bpei_value_alu(c, OP_NEG, r.value, -1);
		c->nesting--;
		return r;
	case '(':
		if (!bpei_parse_deeper(c))
			return r;
		bpei_lex_next(c);
		r = arithmetic(c, 1);
		c->nesting--;
		bpei_parse_take(c, ')', "a closing parenthesis");
		return r;
	case T_PROTO_NAME: {
		enum proto p = c->number;
		uint32_t size = 1;
		int32_t guard;
		if (!bpei_parse_deeper(c))
			return r;
		bpei_lex_next(c);
		if (!bpei_parse_take(c, '[', "an index such as [0:2]"))
			return r;
		r = arithmetic(c, 1);
		if (!c->failed && c->token == ':') {
			bpei_lex_next(c);
			size = c->number;
			if (c->token != T_NUMBER || (size != 1 && size != 2 && size != 4))
				bpei_compile_fail(c, "1, 2 or 4 bytes can be loaded");
			bpei_lex_next(c);
		}
		c->nesting--;
		if (!bpei_parse_take(c, ']', "a closing bracket"))
			return r;
		r.value = bpei_term_load(c, p, r.value, size, &guard);
		r.guard = both_guards(c, r.guard, guard);
		return r;
	}
	default:
		bpei_parse_unexpected(c, "a number, len or protocol[index]");
		return r;
	}
}

/* The guard is the left operand's alone: libpcap's programs have always been so (gen_arth), and
 * ours mean the same. */
static struct arith with(struct bpei_compile *c, struct arith left, uint16_t op, struct arith right)
{
	left.value = bpei_value_alu(c, op, left.value, right.value);
	return left;
}

/* % and ^ have no precedence in libpcap's grammar, which makes them take the operand in front of
 * them, and all that follows. */
static struct arith factor(struct bpei_compile *c)
{
	struct arith left = operand(c);
	if (c->failed || (c->token != '%' && c->token != '^'))
		return left;
	uint16_t op = operation(c->token);
	if (!bpei_parse_deeper(c))
		return left;
	bpei_lex_next(c);
	left = with(c, left, op, arithmetic(c, 1));
	c->nesting--;
	return left;
}

static struct arith arithmetic(struct bpei_compile *c, int least)
{
	struct arith left = factor(c);
	for (int p; !c->failed && (p = precedence(c->token)) >= least;) {
		uint16_t op = operation(c->token);
		bpei_lex_next(c);
		left = with(c, left, op, arithmetic(c, p + 1));
	}
	return left;
}

int32_t bpei_parse_compare(struct bpei_compile *c, int32_t left, int token, int32_t right)
{
	bool equal = token == '=' || token == T_NEQ, above = token == '>' || token == T_LEQ;
	int32_t t = bpei_test_x(c, left, equal ? CMP_EQ : above ? CMP_GT : CMP_GE, right);
	return token == '<' || token == T_LEQ || token == T_NEQ ? bpei_not(c, t) : t;
}

static int32_t relation(struct bpei_compile *c)
{
	struct arith a = arithmetic(c, 1);
	int token = c->token;
	if (c->failed)
		return -1;
	if (token != '<' && token != '>' && token != '=' && token != T_GEQ && token != T_LEQ &&
		token != T_NEQ)
		return bpei_parse_unexpected(c, "a comparison");
	bpei_lex_next(c);
	struct arith b = arithmetic(c, 1);
	if (c->failed)
		return -1;
	int32_t guard = both_guards(c, a.guard, b.guard);
	int32_t t = bpei_parse_compare(c, a.value, token, b.value);
	return guard < 0 ? t : bpei_and(c, guard, t);
}

/* Where IPv6's extension headers are gone behind, once more for each number of them, if it asks for
 * what they carry. */
int32_t bpei_parse_relation(struct bpei_compile *c)
{
	const struct bpei_compile before = *c;
	int32_t plain, each[BPEI_EXTENSIONS + 1];
	c->carried = false;
	plain = relation(c);
	if (!c->carried || !(c->through & BPE_THROUGH_IPV6_EXT) || c->failed)
		return plain;
	for (c->extensions = 1; c->extensions <= BPEI_EXTENSIONS + 1; c->extensions++) {
		c->at = before.at, c->token = before.token, c->number = before.number;
		c->token_at = before.token_at, c->token_length = before.token_length;
		each[c->extensions - 1] = relation(c);
	}
	c->extensions = 0;
	return bpei_or(c, plain, bpei_term_extensions(c, each, false));
}
