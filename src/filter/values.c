/* SPDX-License-Identifier: MIT */
/* Values and tree nodes: made once each, constants worked out as they are made.  Pure over struct
 * bpei_compile. */
#include "filter/tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int32_t fail(
	struct bpei_compile *c, size_t at, size_t length, const char *format, va_list args)
{
	if (c->failed)
		return -1;
	vsnprintf(c->why, sizeof c->why, format, args);
	c->failed = true;
	c->why_at = at;
	c->why_length = length;
	return -1;
}

int32_t bpei_compile_fail(struct bpei_compile *c, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fail(c, c->token_at, c->token_length, format, args);
	va_end(args);
	return -1;
}

int32_t bpei_compile_fail_last(struct bpei_compile *c, const char *why)
{
	bpei_compile_fail(c, "%s", why);
	c->why_at = c->last_at, c->why_length = c->last_length;
	return -1;
}

int32_t bpei_compile_fail_term(struct bpei_compile *c, const char *format, ...)
{
	size_t end = c->token_at > c->term_at ? c->token_at : c->term_at + c->token_length;
	while (end > c->term_at && strchr(" \t\r\n", c->text[end - 1]))
		end--;
	va_list args;
	va_start(args, format);
	fail(c, c->term_at, end - c->term_at, format, args);
	va_end(args);
	return -1;
}

int32_t bpei_compile_end(struct bpei_compile *c, const char *why)
{
	c->final = true;
	return bpei_compile_fail(c, "%s", why);
}

int32_t bpei_compile_no_memory(struct bpei_compile *c)
{
	c->out_of_memory = true;
	return bpei_compile_end(c, "no memory");
}

void bpei_complaint_keep(struct bpei_compile *c, struct complaint *first)
{
	if (c->failed && !first->why[0])
		first->at = c->why_at, first->length = c->why_length,
		memcpy(first->why, c->why, sizeof first->why);
	c->failed = c->final;
}

int32_t bpei_complaint_say(struct bpei_compile *c, const struct complaint *first)
{
	if (c->failed)
		return -1; /* a final one */
	c->failed = true;
	c->why_at = first->at, c->why_length = first->length;
	memcpy(c->why, first->why, sizeof c->why);
	return -1;
}

int32_t bpei_either(struct bpei_compile *c, int32_t all, int32_t one)
{
	return all < 0 ? one : one < 0 ? all : bpei_or(c, all, one);
}

static uint32_t hash(const struct value *v)
{
	uint64_t h =
		((uint64_t)v->kind << 56 | (uint64_t)v->size << 48 | (uint64_t)v->op << 32 | v->k) *
		0x9e3779b97f4a7c15u;
	h ^= ((uint64_t)(uint32_t)v->a << 32 | (uint32_t)v->b) * 0xd6e8feb86659fd93u;
	return (uint32_t)(h ^ h >> 32) * 0x9e3779b1u;
}

static bool same(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->size == b->size && a->op == b->op && a->a == b->a &&
	       a->b == b->b && a->k == b->k;
}

static bool grow_values(struct bpei_compile *c)
{
	int32_t room = c->value_room ? c->value_room * 2 : 64;
	struct value *values = realloc(c->values, (size_t)room * sizeof *values);
	if (values)
		c->values = values;
	int32_t *table = malloc((size_t)room * 2 * sizeof *table);
	if (!values || !table) {
		free(table);
		return false;
	}
	memset(table, 0xff, (size_t)room * 2 * sizeof *table);
	for (int32_t i = 0; i < c->value_count; i++) {
		uint32_t at = hash(&values[i]);
		while (table[at &= (uint32_t)room * 2 - 1] >= 0)
			at++;
		table[at] = i;
	}
	free(c->value_table);
	c->value_table = table;
	c->value_room = room;
	return true;
}

int32_t bpei_value(struct bpei_compile *c, struct value v)
{
	if (c->failed)
		return -1;
	if (c->value_count == c->value_room && !grow_values(c))
		return bpei_compile_no_memory(c);
	uint32_t mask = (uint32_t)c->value_room * 2 - 1, at = hash(&v) & mask;
	for (; c->value_table[at] >= 0; at = (at + 1) & mask)
		if (same(&c->values[c->value_table[at]], &v))
			return c->value_table[at];
	c->values[c->value_count] = v;
	return c->value_table[at] = c->value_count++;
}

int32_t bpei_value_imm(struct bpei_compile *c, uint32_t k)
{
	return bpei_value(c, (struct value){ .kind = VALUE_IMM, .a = -1, .b = -1, .k = k });
}

bool bpei_value_const(const struct bpei_compile *c, int32_t v, uint32_t *k)
{
	if (v < 0 || c->values[v].kind != VALUE_IMM)
		return false;
	*k = c->values[v].k;
	return true;
}

/* A constant index goes into the offset, as far as that does not run over. */
int32_t bpei_value_load(struct bpei_compile *c, uint32_t size, int32_t index, uint32_t offset)
{
	uint32_t k;
	if (index >= 0 && bpei_value_const(c, index, &k) && k + offset >= k) {
		offset += k;
		index = -1;
	}
	return bpei_value(c, (struct value){ .kind = VALUE_LOAD,
				     .size = (uint8_t)size,
				     .a = index,
				     .b = -1,
				     .k = offset });
}

int32_t bpei_value_alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	uint32_t x = 0, y = 0, r;
	if (a < 0 || (b < 0 && op != OP_NEG))
		return -1;
	bool known_a = bpei_value_const(c, a, &x),
	     known_b = op == OP_NEG || bpei_value_const(c, b, &y);
	if (known_b && (op == OP_DIV || op == OP_MOD) && !y)
		return bpei_compile_fail_last(
			c, op == OP_DIV ? "division by zero" : "modulus by zero");
	if (known_b && (op == OP_LSH || op == OP_RSH) && y > 31)
		return bpei_compile_fail_last(c, "a shift by more than 31 bits");
	if (known_a && known_b) {
		switch (op) {
		case OP_ADD:
			r = x + y;
			break;
		case OP_SUB:
			r = x - y;
			break;
		case OP_MUL:
			r = x * y;
			break;
		case OP_DIV:
			r = x / y;
			break;
		case OP_MOD:
			r = x % y;
			break;
		case OP_OR:
			r = x | y;
			break;
		case OP_AND:
			r = x & y;
			break;
		case OP_XOR:
			r = x ^ y;
			break;
		case OP_LSH:
			r = x << y;
			break;
		case OP_RSH:
			r = x >> y;
			break;
		default:
			r = 0 - x;
			break;
		}
		return bpei_value_imm(c, r);
	}
	if (known_b && !y && (op == OP_MUL || op == OP_AND))
		return bpei_value_imm(c, 0);
	if (known_b && !y && op != OP_NEG)
		return a; /* x + 0 and their kin */
	if (known_b && y == 1 && (op == OP_MUL || op == OP_DIV))
		return a;
	if (known_b && y == UINT32_MAX && op == OP_AND)
		return a;
	if (op == OP_MOD && known_b && !(y & (y - 1)))
		return bpei_value_alu(c, OP_AND, a, bpei_value_imm(c, y - 1));
	if (c->no_mod_xor && op == OP_MOD) /* a - a / b * b, which fails for 0 as well */
		return bpei_value_alu(c, OP_SUB, a,
			bpei_value_alu(c, OP_MUL, bpei_value_alu(c, OP_DIV, a, b), b));
	if (c->no_mod_xor && op == OP_XOR)
		return bpei_value_alu(
			c, OP_SUB, bpei_value_alu(c, OP_OR, a, b), bpei_value_alu(c, OP_AND, a, b));
	return bpei_value(c,
		(struct value){ .kind = VALUE_ALU, .op = op, .a = a, .b = op == OP_NEG ? -1 : b });
}

/* ---- Nodes ---- */

static int32_t node(struct bpei_compile *c, struct node n)
{
	if (c->failed)
		return -1;
	if (c->node_count == c->node_room) {
		int32_t room = c->node_room ? c->node_room * 2 : 64;
		struct node *nodes = room <= COMPILE_NODES
					     ? realloc(c->nodes, (size_t)room * sizeof *nodes)
					     : NULL;
		if (!nodes)
			return room <= COMPILE_NODES
				       ? bpei_compile_no_memory(c)
				       : bpei_compile_end(c, "the expression is too long");
		c->nodes = nodes;
		c->node_room = room;
	}
	uint32_t l = n.left >= 0 ? c->nodes[n.left].depth : 0,
		 r = n.right >= 0 ? c->nodes[n.right].depth : 0;
	n.depth = l > r + 1 ? l : r + 1;
	if (n.depth > COMPILE_DEPTH)
		return bpei_compile_end(c, "the expression is nested too deeply");
	c->nodes[c->node_count] = n;
	return c->node_count++;
}

int32_t bpei_const(struct bpei_compile *c, bool yes)
{
	return node(c, (struct node){ .kind = NODE_CONST, .value = yes, .left = -1, .right = -1 });
}

static bool compare(uint8_t cmp, uint32_t a, uint32_t b)
{
	return cmp == CMP_EQ   ? a == b
	       : cmp == CMP_GT ? a > b
	       : cmp == CMP_GE ? a >= b
			       : (a & b) != 0;
}

int32_t bpei_test(struct bpei_compile *c, int32_t value, uint8_t cmp, uint32_t k)
{
	uint32_t known;
	if (value < 0)
		return -1;
	if (bpei_value_const(c, value, &known))
		return bpei_const(c, compare(cmp, known, k));
	const struct value *v = &c->values[value];
	if (cmp == CMP_EQ && v->kind == VALUE_ALU &&
		(v->op == OP_ADD || v->op == OP_SUB || v->op == OP_XOR) &&
		bpei_value_const(c, v->b, &known))
		return bpei_test(c, v->a, cmp,
			v->op == OP_ADD   ? k - known
			: v->op == OP_SUB ? k + known
					  : k ^ known);
	if (cmp == CMP_EQ && !k && v->kind == VALUE_ALU && v->op == OP_AND &&
		bpei_value_const(c, v->b, &known))
		return bpei_not(c, bpei_test(c, v->a, CMP_SET, known));
	return node(c, (struct node){ .kind = NODE_TEST,
			       .cmp = cmp,
			       .value = value,
			       .x = -1,
			       .k = k,
			       .left = -1,
			       .right = -1 });
}

int32_t bpei_test_x(struct bpei_compile *c, int32_t value, uint8_t cmp, int32_t x)
{
	uint32_t k;
	if (value < 0 || x < 0)
		return -1;
	if (bpei_value_const(c, x, &k))
		return bpei_test(c, value, cmp, k);
	return node(c, (struct node){ .kind = NODE_TEST,
			       .cmp = cmp,
			       .value = value,
			       .x = x,
			       .left = -1,
			       .right = -1 });
}

int32_t bpei_and(struct bpei_compile *c, int32_t a, int32_t b)
{
	return a < 0 || b < 0 ? -1
			      : node(c, (struct node){ .kind = NODE_AND, .left = a, .right = b });
}

int32_t bpei_or(struct bpei_compile *c, int32_t a, int32_t b)
{
	return a < 0 || b < 0 ? -1
			      : node(c, (struct node){ .kind = NODE_OR, .left = a, .right = b });
}

int32_t bpei_not(struct bpei_compile *c, int32_t a)
{
	return a < 0 ? -1 : node(c, (struct node){ .kind = NODE_NOT, .left = a, .right = -1 });
}
