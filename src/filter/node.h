/* SPDX-License-Identifier: MIT */
/* Nodes of the tree into which an expression is parsed.  Each node has an index in
 * bpei_compile.nodes.  A negative index means failure, and every function here returns -1 for a
 * negative argument, but for bpei_or_optional. */
#ifndef BPEI_FILTER_NODE_H
#define BPEI_FILTER_NODE_H

#include "filter/opcodes.h"

struct bpei_compile;

enum node_kind { NODE_TEST, NODE_AND, NODE_OR, NODE_NOT, NODE_CONST };

struct node {
	uint8_t kind;  /* enum node_kind */
	uint8_t cmp;   /* TEST: CMP_EQ ... */
	int32_t value; /* TEST: the left side; CONST: 0 or 1 */
	int32_t x;     /* TEST: the right side's value, -1: k */
	uint32_t k;
	int32_t left, right; /* nodes */
	uint32_t depth;      /* of the recursion over the tree below; the left side is a loop */
};

/* Returns the node "value cmp k"; with a constant value, the answer. */
int32_t bpei_test(struct bpei_compile *c, int32_t value, uint8_t cmp, uint32_t k);
int32_t bpei_test_x(struct bpei_compile *c, int32_t value, uint8_t cmp, int32_t x);
int32_t bpei_and(struct bpei_compile *c, int32_t a, int32_t b); /* a is tested first */
int32_t bpei_or(struct bpei_compile *c, int32_t a, int32_t b);
int32_t bpei_not(struct bpei_compile *c, int32_t a);
int32_t bpei_const(struct bpei_compile *c, bool yes);
/* Returns "a or b", or the other node if either is -1. */
int32_t bpei_or_optional(struct bpei_compile *c, int32_t a, int32_t b);

/* Returns "a cmp b" for two constants. */
bool bpei_compare(uint8_t cmp, uint32_t a, uint32_t b);

#endif
