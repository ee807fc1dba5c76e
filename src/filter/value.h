/* SPDX-License-Identifier: MIT */
/* Values of the filter compiler: numbers that a program can load or compute.  Each value has an
 * index in bpei_compile.values; equal values share an index.  A negative index means failure, and
 * every function here returns -1 for a negative argument. */
#ifndef BPEI_FILTER_VALUE_H
#define BPEI_FILTER_VALUE_H

#include "filter/opcodes.h"

struct bpei_compile;

enum value_kind { VALUE_IMM, VALUE_LEN, VALUE_LOAD, VALUE_MSH, VALUE_ALU };

struct value {
	uint8_t kind; /* enum value_kind */
	uint8_t size; /* LOAD: 1, 2, 4 bytes */
	uint16_t op;  /* ALU: OP_ADD ... */
	int32_t a, b; /* LOAD: a is the index value, -1: none; ALU: both operands */
	uint32_t k;   /* IMM: the number; LOAD, MSH: the offset */
};

/* Returns the index of the value, which is added unless an equal value exists. */
int32_t bpei_value_intern(struct bpei_compile *c, struct value value);
int32_t bpei_value_imm(struct bpei_compile *c, uint32_t k);
/* Returns the packet's length on the wire as a value. */
int32_t bpei_value_len(struct bpei_compile *c);
/* Returns `size` bytes of the packet in network order, at `offset` plus the value `index` (-1:
 * none).  A constant index goes into the offset unless the sum overflows. */
int32_t bpei_value_load(struct bpei_compile *c, uint32_t size, int32_t index, uint32_t offset);
/* Returns a OP b; constants are folded.  b is -1 for OP_NEG.  A division by 0 and a shift by more
 * than 31 are errors of the expression. */
int32_t bpei_value_alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b);
/* Returns a OP k. */
int32_t bpei_value_alu_imm(struct bpei_compile *c, uint16_t op, int32_t a, uint32_t k);
/* Returns true if the value is a constant, and stores the number in *k. */
bool bpei_value_is_imm(const struct bpei_compile *c, int32_t value, uint32_t *k);

#endif
