/* SPDX-License-Identifier: MIT */
/* Instructions that bring values to the registers A and X.  A value that a register or a memory
 * word holds on every path is not loaded again.  Pure. */
#include "filter/emit.h"

#include <stdlib.h>

static void load_a(struct block_code *o, int32_t v);

static void put_insn(struct block_code *o, uint32_t code, uint32_t k)
{
	if (o->count == o->room) {
		const uint32_t room = o->room ? o->room * 2 : 64;
		struct bpe_insn *insns =
			room <= INSNS_MOST ? realloc(o->insns, room * sizeof *insns) : NULL;

		if (!insns) {
			o->failed = true;
			return;
		}
		o->insns = insns;
		o->room = room;
	}
	o->insns[o->count++] = (struct bpe_insn){ .code = (uint16_t)code, .k = k };
}

/* ---- Memory words ---- */

/* Returns the word in which the value is kept, or -1. */
static int word_of_value(const struct block_code *o, int32_t v)
{
	for (uint32_t i = 0; i < o->keeps; i++)
		if (o->kept[i] == v)
			return (int)i;
	return -1;
}

static bool is_stored(const struct block_code *o, int32_t v)
{
	const int word = word_of_value(o, v);

	return word >= 0 && o->now.stored >> word & 1;
}

/* Stores the value, which has just come into A, if it is to be kept. */
static void store_kept(struct block_code *o, int32_t v)
{
	const int word = word_of_value(o, v);

	if (word < 0)
		return;
	put_insn(o, INSN_ST, (uint32_t)word);
	o->now.stored |= (uint16_t)(1u << word);
}

/* Takes a word for an intermediate value.  Returns INSN_WORDS if there is none. */
static uint32_t borrow_word(struct block_code *o)
{
	if (o->borrowed + o->keeps >= INSN_WORDS) {
		o->too_complex = true;
		o->failed = true;
		return INSN_WORDS;
	}
	return INSN_WORDS - ++o->borrowed;
}

/* ---- Registers ---- */

/* Returns true if v comes into A without changing X, once x is in X.  If v is in A already, X must
 * hold x already, too, since bringing x to X goes through A. */
static bool leaves_x_alone(const struct block_code *o, int32_t v, int32_t x)
{
	for (;;) {
		const struct value *value = &o->c->values[v];

		if (is_stored(o, v) || (o->now.a == v && o->now.x == x))
			return true;
		switch (value->kind) {
		case VALUE_IMM:
		case VALUE_LEN:
			return true;
		case VALUE_LOAD:
			return value->a < 0 || value->a == x;
		case VALUE_MSH:
			return v == x;
		default:
			if (value->b >= 0 && o->c->values[value->b].kind != VALUE_IMM &&
				value->b != x)
				return false;
			v = value->a;
		}
	}
}

/* Returns true if the value comes into X without changing A. */
static bool leaves_a_alone(const struct block_code *o, int32_t v)
{
	const uint8_t kind = o->c->values[v].kind;

	return kind == VALUE_MSH || kind == VALUE_IMM || kind == VALUE_LEN || is_stored(o, v);
}

static void load_x(struct block_code *o, int32_t v)
{
	const struct value *value = &o->c->values[v];

	if (o->now.x == v)
		return;
	if (is_stored(o, v)) {
		put_insn(o, INSN_LDX_MEM, (uint32_t)word_of_value(o, v));
		o->now.x = v;
		return;
	}
	switch (value->kind) {
	case VALUE_MSH:
		put_insn(o, INSN_LDX_MSH, value->k);
		break;
	case VALUE_IMM:
		put_insn(o, INSN_LDX_IMM, value->k);
		break;
	case VALUE_LEN:
		put_insn(o, INSN_LDX_LEN, 0);
		break;
	default:
		load_a(o, v);
		put_insn(o, INSN_TAX, 0);
	}
	o->now.x = v;
}

/* Brings `left` to A and `right` to X, in the order that needs the fewest instructions.  Returns
 * false if the memory words do not suffice. */
static bool load_both(struct block_code *o, int32_t left, int32_t right)
{
	if (leaves_a_alone(o, right)) {
		load_a(o, left);
		load_x(o, right);
		return true;
	}
	if (leaves_x_alone(o, left, right)) {
		load_x(o, right);
		load_a(o, left);
		return true;
	}
	load_a(o, right);
	const uint32_t word = borrow_word(o);
	if (word == INSN_WORDS)
		return false;
	put_insn(o, INSN_ST, word);
	load_a(o, left);
	put_insn(o, INSN_LDX_MEM, word);
	o->now.x = right;
	return true;
}

static void compute_a(struct block_code *o, const struct value *value)
{
	const struct value *right = value->b >= 0 ? &o->c->values[value->b] : NULL;
	const uint32_t borrowed = o->borrowed;

	if (!right) {
		load_a(o, value->a);
		put_insn(o, INSN_NEG, 0);
	} else if (right->kind == VALUE_IMM) {
		load_a(o, value->a);
		put_insn(o, INSN_ALU | value->op, right->k);
	} else if (load_both(o, value->a, value->b)) {
		put_insn(o, INSN_ALU | INSN_X | value->op, 0);
		o->borrowed = borrowed;
	}
}

static void load_packet_bytes(struct block_code *o, const struct value *value)
{
	uint32_t size = SIZE_B;

	if (value->size == 4)
		size = SIZE_W;
	else if (value->size == 2)
		size = SIZE_H;
	if (value->a >= 0)
		load_x(o, value->a);
	put_insn(o, INSN_LD | size | (value->a >= 0 ? MODE_IND : MODE_ABS), value->k);
}

static void load_a(struct block_code *o, int32_t v)
{
	const struct value *value = &o->c->values[v];

	if (o->now.a == v || o->failed)
		return;
	if (is_stored(o, v)) {
		put_insn(o, INSN_LD_MEM, (uint32_t)word_of_value(o, v));
		o->now.a = v;
		return;
	}
	switch (value->kind) {
	case VALUE_IMM:
		put_insn(o, INSN_LD_IMM, value->k);
		break;
	case VALUE_LEN:
		put_insn(o, INSN_LD_LEN, 0);
		break;
	case VALUE_MSH:
		load_x(o, v);
		put_insn(o, INSN_TXA, 0);
		break;
	case VALUE_LOAD:
		load_packet_bytes(o, value);
		break;
	default:
		compute_a(o, value);
	}
	o->now.a = v;
	store_kept(o, v);
}

void bpei_emit_operands(struct block_code *o, const struct block *b)
{
	const uint32_t borrowed = o->borrowed;

	if (b->x < 0)
		load_a(o, b->value);
	else if (load_both(o, b->value, b->x))
		o->borrowed = borrowed;
}
