/* SPDX-License-Identifier: MIT */
/* Nodes of the tree.  Tests of constants are answered when a node is made.  Pure over struct
 * bpei_compile. */
#include "filter/node.h"

#include "filter/errors.h"

#include <stdlib.h>

static bool grow_nodes(struct bpei_compile *c)
{
	const int32_t room = c->node_room ? c->node_room * 2 : 64;

	if (room > COMPILE_NODES) {
		bpei_compile_fail_final(c, "the expression is too long");
		return false;
	}
	struct node *nodes = realloc(c->nodes, (size_t)room * sizeof *nodes);
	if (!nodes) {
		bpei_compile_no_memory(c);
		return false;
	}
	c->nodes = nodes;
	c->node_room = room;
	return true;
}

static uint32_t depth_of_node(const struct bpei_compile *c, int32_t n)
{
	return n >= 0 ? c->nodes[n].depth : 0;
}

static int32_t add_node(struct bpei_compile *c, struct node n)
{
	if (c->failed)
		return -1;
	if (c->node_count == c->node_room && !grow_nodes(c))
		return -1;
	const uint32_t left = depth_of_node(c, n.left);
	const uint32_t right = depth_of_node(c, n.right) + 1;
	n.depth = left > right ? left : right;
	if (n.depth > COMPILE_DEPTH)
		return bpei_compile_fail_final(c, "the expression is nested too deeply");
	c->nodes[c->node_count] = n;
	return c->node_count++;
}

int32_t bpei_const(struct bpei_compile *c, bool yes)
{
	return add_node(
		c, (struct node){ .kind = NODE_CONST, .value = yes, .left = -1, .right = -1 });
}

bool bpei_compare(uint8_t cmp, uint32_t a, uint32_t b)
{
	switch (cmp) {
	case CMP_EQ:
		return a == b;
	case CMP_GT:
		return a > b;
	case CMP_GE:
		return a >= b;
	default:
		return (a & b) != 0;
	}
}

/* Moves a constant to the other side of "v == *k": for v = a + known, a - known, a ^ known the
 * test becomes a == *k.  Returns false for other values. */
static bool move_constant(const struct value *v, uint32_t known, uint32_t *k)
{
	switch (v->op) {
	case OP_ADD:
		*k -= known;
		return true;
	case OP_SUB:
		*k += known;
		return true;
	case OP_XOR:
		*k ^= known;
		return true;
	default:
		return false;
	}
}

int32_t bpei_test(struct bpei_compile *c, int32_t value, uint8_t cmp, uint32_t k)
{
	uint32_t known;

	if (value < 0)
		return -1;
	if (bpei_value_is_imm(c, value, &known))
		return bpei_const(c, bpei_compare(cmp, known, k));
	const struct value *v = &c->values[value];
	if (cmp == CMP_EQ && v->kind == VALUE_ALU && bpei_value_is_imm(c, v->b, &known)) {
		if (move_constant(v, known, &k))
			return bpei_test(c, v->a, cmp, k);
		if (v->op == OP_AND && !k)
			return bpei_not(c, bpei_test(c, v->a, CMP_SET, known));
	}
	return add_node(c, (struct node){ .kind = NODE_TEST,
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
	if (bpei_value_is_imm(c, x, &k))
		return bpei_test(c, value, cmp, k);
	return add_node(c, (struct node){ .kind = NODE_TEST,
				   .cmp = cmp,
				   .value = value,
				   .x = x,
				   .left = -1,
				   .right = -1 });
}

int32_t bpei_and(struct bpei_compile *c, int32_t a, int32_t b)
{
	if (a < 0 || b < 0)
		return -1;
	return add_node(c, (struct node){ .kind = NODE_AND, .left = a, .right = b });
}

int32_t bpei_or(struct bpei_compile *c, int32_t a, int32_t b)
{
	if (a < 0 || b < 0)
		return -1;
	return add_node(c, (struct node){ .kind = NODE_OR, .left = a, .right = b });
}

int32_t bpei_not(struct bpei_compile *c, int32_t a)
{
	if (a < 0)
		return -1;
	return add_node(c, (struct node){ .kind = NODE_NOT, .left = a, .right = -1 });
}

int32_t bpei_or_optional(struct bpei_compile *c, int32_t a, int32_t b)
{
	if (a < 0)
		return b;
	return b < 0 ? a : bpei_or(c, a, b);
}
