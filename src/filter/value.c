/* SPDX-License-Identifier: MIT */
/* Values: interned in a hash table, so equal values share an index; constants are folded when a
 * value is made.  Pure over struct bpei_compile. */
#include "filter/value.h"

#include "filter/errors.h"

#include <stdlib.h>
#include <string.h>

static uint32_t hash_value(const struct value *v)
{
	const uint64_t head =
		(uint64_t)v->kind << 56 | (uint64_t)v->size << 48 | (uint64_t)v->op << 32 | v->k;
	const uint64_t operands = (uint64_t)(uint32_t)v->a << 32 | (uint32_t)v->b;
	const uint64_t h = head * 0x9e3779b97f4a7c15u ^ operands * 0xd6e8feb86659fd93u;

	return (uint32_t)(h ^ h >> 32) * 0x9e3779b1u;
}

static bool equal_values(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->size == b->size && a->op == b->op && a->a == b->a &&
	       a->b == b->b && a->k == b->k;
}

/* Doubles the room for values, and makes the table anew.  Returns false if there is no memory. */
static bool grow_values(struct bpei_compile *c)
{
	const int32_t room = c->value_room ? c->value_room * 2 : 64;
	const uint32_t mask = (uint32_t)room * 2 - 1;
	struct value *values = realloc(c->values, (size_t)room * sizeof *values);
	int32_t *table = malloc((size_t)room * 2 * sizeof *table);

	if (values)
		c->values = values;
	if (!values || !table) {
		free(table);
		return false;
	}
	memset(table, 0xff, (size_t)room * 2 * sizeof *table);
	for (int32_t i = 0; i < c->value_count; i++) {
		uint32_t at = hash_value(&values[i]) & mask;

		while (table[at] >= 0)
			at = (at + 1) & mask;
		table[at] = i;
	}
	free(c->value_table);
	c->value_table = table;
	c->value_room = room;
	return true;
}

int32_t bpei_value_intern(struct bpei_compile *c, struct value v)
{
	if (c->failed)
		return -1;
	if (c->value_count == c->value_room && !grow_values(c))
		return bpei_compile_no_memory(c);
	const uint32_t mask = (uint32_t)c->value_room * 2 - 1;
	uint32_t at = hash_value(&v) & mask;
	for (; c->value_table[at] >= 0; at = (at + 1) & mask)
		if (equal_values(&c->values[c->value_table[at]], &v))
			return c->value_table[at];
	c->values[c->value_count] = v;
	c->value_table[at] = c->value_count;
	return c->value_count++;
}

int32_t bpei_value_imm(struct bpei_compile *c, uint32_t k)
{
	return bpei_value_intern(c, (struct value){ .kind = VALUE_IMM, .a = -1, .b = -1, .k = k });
}

int32_t bpei_value_len(struct bpei_compile *c)
{
	return bpei_value_intern(c, (struct value){ .kind = VALUE_LEN, .a = -1, .b = -1 });
}

bool bpei_value_is_imm(const struct bpei_compile *c, int32_t v, uint32_t *k)
{
	if (v < 0 || c->values[v].kind != VALUE_IMM)
		return false;
	*k = c->values[v].k;
	return true;
}

int32_t bpei_value_load(struct bpei_compile *c, uint32_t size, int32_t index, uint32_t offset)
{
	uint32_t k;

	if (index >= 0 && bpei_value_is_imm(c, index, &k) && k + offset >= k) {
		offset += k;
		index = -1;
	}
	return bpei_value_intern(c, (struct value){ .kind = VALUE_LOAD,
					    .size = (uint8_t)size,
					    .a = index,
					    .b = -1,
					    .k = offset });
}

/* Returns x OP y.  A division by 0 and a shift by more than 31 bits must not come here. */
static uint32_t fold_constants(uint16_t op, uint32_t x, uint32_t y)
{
	switch (op) {
	case OP_ADD:
		return x + y;
	case OP_SUB:
		return x - y;
	case OP_MUL:
		return x * y;
	case OP_DIV:
		return x / y;
	case OP_MOD:
		return x % y;
	case OP_OR:
		return x | y;
	case OP_AND:
		return x & y;
	case OP_XOR:
		return x ^ y;
	case OP_LSH:
		return x << y;
	case OP_RSH:
		return x >> y;
	default:
		return 0 - x;
	}
}

/* Returns why "... OP y" is an error, or NULL. */
static const char *check_operand(uint16_t op, uint32_t y)
{
	if (op == OP_DIV && !y)
		return "division by zero";
	if (op == OP_MOD && !y)
		return "modulus by zero";
	if ((op == OP_LSH || op == OP_RSH) && y > INSN_SHIFT_MOST)
		return "a shift by more than 31 bits";
	return NULL;
}

/* Returns true if "a OP y" is the value a for every a. */
static bool is_neutral(uint16_t op, uint32_t y)
{
	if (!y)
		return op != OP_MUL && op != OP_AND;
	if (y == 1)
		return op == OP_MUL || op == OP_DIV;
	return y == UINT32_MAX && op == OP_AND;
}

/* Returns "a OP b" for a kernel without MOD and XOR.  a - a / b * b fails for b = 0 as MOD does. */
static int32_t replace_mod_xor(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	if (op == OP_MOD) {
		const int32_t quotient = bpei_value_alu(c, OP_DIV, a, b);
		const int32_t multiple = bpei_value_alu(c, OP_MUL, quotient, b);

		return bpei_value_alu(c, OP_SUB, a, multiple);
	}
	const int32_t common = bpei_value_alu(c, OP_AND, a, b);
	const int32_t any = bpei_value_alu(c, OP_OR, a, b);

	return bpei_value_alu(c, OP_SUB, any, common);
}

int32_t bpei_value_alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	const bool unary = op == OP_NEG;
	uint32_t x = 0, y = 0;

	if (a < 0 || (b < 0 && !unary))
		return -1;
	const bool known_a = bpei_value_is_imm(c, a, &x);
	const bool known_b = !unary && bpei_value_is_imm(c, b, &y);
	const char *why = known_b ? check_operand(op, y) : NULL;
	if (why)
		return bpei_compile_fail_previous(c, why);
	if (known_a && (known_b || unary))
		return bpei_value_imm(c, fold_constants(op, x, y));
	if (known_b && !y && (op == OP_MUL || op == OP_AND))
		return bpei_value_imm(c, 0);
	if (known_b && is_neutral(op, y))
		return a;
	if (op == OP_MOD && known_b && !(y & (y - 1)))
		return bpei_value_alu(c, OP_AND, a, bpei_value_imm(c, y - 1));
	if (c->no_mod_xor && (op == OP_MOD || op == OP_XOR))
		return replace_mod_xor(c, op, a, b);
	return bpei_value_intern(
		c, (struct value){ .kind = VALUE_ALU, .op = op, .a = a, .b = unary ? -1 : b });
}

int32_t bpei_value_alu_imm(struct bpei_compile *c, uint16_t op, int32_t a, uint32_t k)
{
	return bpei_value_alu(c, op, a, bpei_value_imm(c, k));
}
