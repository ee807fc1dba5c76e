/* SPDX-License-Identifier: MIT */
/* The graph as a program.  Blocks follow each other; a block loads what its test needs and the registers do not hold on every way
 * that leads to it.  A jump of more than 255 instructions goes over a JA behind its block.  Pure. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY 16
#define NOTHING (-1)

struct registers { int32_t a, x; bool reached; };

struct code {
	const struct bpei_compile *c;
	struct bpe_insn *insns;
	uint32_t count, room;
	struct registers now;
	uint32_t memory;	/* words in use */
	bool failed, too_complex;
};

static void put(struct code *o, uint16_t code, uint32_t k)
{
	if (o->count == o->room) {
		uint32_t room = o->room ? o->room * 2 : 64;
		struct bpe_insn *insns = room <= 1u << 20 ? realloc(o->insns, room * sizeof *insns) : NULL;
		if (!insns) {
			o->failed = true;
			return;
		}
		o->insns = insns;
		o->room = room;
	}
	o->insns[o->count++] = (struct bpe_insn){ .code = code, .k = k };
}

static void into_a(struct code *o, int32_t v);

static bool straight_to_x(const struct code *o, int32_t v)	/* without A, whatever X holds */
{
	uint8_t kind = o->c->values[v].kind;
	return kind == VALUE_MSH || kind == VALUE_IMM || kind == VALUE_LEN;
}

static void into_x(struct code *o, int32_t v)
{
	const struct value *value = &o->c->values[v];
	if (o->now.x == v) return;
	switch (value->kind) {
	case VALUE_MSH: put(o, 0xb1, value->k); break;
	case VALUE_IMM: put(o, 0x01, value->k); break;
	case VALUE_LEN: put(o, 0x81, 0); break;
	default:
		into_a(o, v);
		put(o, 0x07, 0);
	}
	o->now.x = v;
}

static void alu(struct code *o, const struct value *value)
{
	const struct value *right = value->b >= 0 ? &o->c->values[value->b] : NULL;
	if (!right) {
		into_a(o, value->a);
		put(o, 0x84, 0);
	} else if (right->kind == VALUE_IMM) {
		into_a(o, value->a);
		put(o, (uint16_t)(0x04 | value->op), right->k);
	} else if (straight_to_x(o, value->b)) {
		into_a(o, value->a);
		into_x(o, value->b);
		put(o, (uint16_t)(0x0c | value->op), 0);
	} else {
		uint32_t m = o->memory++;
		if (m >= MEMORY) {
			o->too_complex = o->failed = true;
			return;
		}
		into_a(o, value->b);
		put(o, 0x02, m);
		into_a(o, value->a);
		put(o, 0x61, m);
		o->now.x = value->b;
		put(o, (uint16_t)(0x0c | value->op), 0);
		o->memory--;
	}
}

static void into_a(struct code *o, int32_t v)
{
	const struct value *value = &o->c->values[v];
	if (o->now.a == v || o->failed) return;
	switch (value->kind) {
	case VALUE_IMM: put(o, 0x00, value->k); break;
	case VALUE_LEN: put(o, 0x80, 0); break;
	case VALUE_MSH:
		into_x(o, v);
		put(o, 0x87, 0);
		break;
	case VALUE_LOAD: {
		uint16_t size = value->size == 4 ? 0x00 : value->size == 2 ? 0x08 : 0x10;
		if (value->a >= 0) into_x(o, value->a);
		put(o, (uint16_t)((value->a >= 0 ? 0x40 : 0x20) | size), value->k);
		break;
	}
	default: alu(o, value);
	}
	o->now.a = v;
}

static void operands(struct code *o, const struct block *b)
{
	if (b->x < 0) {
		into_a(o, b->value);
	} else if (straight_to_x(o, b->x)) {
		into_a(o, b->value);
		into_x(o, b->x);
	} else {
		into_a(o, b->x);
		put(o, 0x02, o->memory);
		int32_t m = (int32_t)o->memory++;
		into_a(o, b->value);
		put(o, 0x61, (uint32_t)m);
		o->now.x = b->x;
		o->memory--;
	}
}

static void arrive(struct registers *r, const struct registers *with)
{
	if (!r->reached) {
		*r = *with;
		r->reached = true;
		return;
	}
	if (r->a != with->a) r->a = NOTHING;
	if (r->x != with->x) r->x = NOTHING;
}

struct spot { uint32_t start, jump; bool far_yes, far_no; };

static uint32_t where(const struct spot *p, uint32_t end, int32_t way)
{
	
	return way == WAY_ACCEPT ? end : way == WAY_REJECT ? end + 1 : p[way].start;
}

/* Which jumps are too long, until none is that was not known to be; then the final program. */
static struct bpe_insn *lay_out(const struct code *o, const struct graph *g, struct spot *p, const uint32_t *bodies, uint32_t snaplen, uint32_t *length)
{
	for (;;) {
		uint32_t at = 0;
		bool changed = false;
		for (int32_t i = 0; i < g->count; i++) {
			p[i].start = at;
			p[i].jump = at + bodies[i + 1] - bodies[i];
			at = p[i].jump + 1 + p[i].far_yes + p[i].far_no;
		}
		for (int32_t i = 0; i < g->count; i++) {
			uint32_t after = p[i].jump + 1;
			bool far_yes = p[i].far_yes || where(p, at, g->blocks[i].yes) - after > 255, far_no = p[i].far_no || where(p, at, g->blocks[i].no) - after > 255;
			changed |= far_yes != p[i].far_yes || far_no != p[i].far_no;
			p[i].far_yes = far_yes;
			p[i].far_no = far_no;
		}
		if (changed) continue;
		struct bpe_insn *out = calloc(at + 2, sizeof *out);
		if (!out) return NULL;
		for (int32_t i = 0; i < g->count; i++) {
			const struct block *b = &g->blocks[i];
			uint32_t j = p[i].jump, yes = where(p, at, b->yes), no = where(p, at, b->no), extra = j + 1;
			if (bodies[i + 1] > bodies[i]) memcpy(out + p[i].start, o->insns + bodies[i], (bodies[i + 1] - bodies[i]) * sizeof *out);
			out[j] = (struct bpe_insn){ .code = (uint16_t)(0x05 | b->cmp | (b->x >= 0 ? 8 : 0)), .k = b->x >= 0 ? 0 : b->k };
			if (p[i].far_yes) {
				out[extra] = (struct bpe_insn){ .code = 0x05, .k = yes - extra - 1 };
				yes = extra++;
			}
			if (p[i].far_no) {
				out[extra] = (struct bpe_insn){ .code = 0x05, .k = no - extra - 1 };
				no = extra++;
			}
			out[j].jt = (uint8_t)(yes - j - 1);
			out[j].jf = (uint8_t)(no - j - 1);
		}
		out[at] = (struct bpe_insn){ .code = 0x06, .k = snaplen };
		out[at + 1] = (struct bpe_insn){ .code = 0x06, .k = 0 };
		*length = at + 2;
		return out;
	}
}

struct bpe_insn *bpei_emit(struct bpei_compile *c, const struct graph *g, uint32_t *length)
{
	struct code o = { .c = c };
	struct bpe_insn *program = NULL;
	if (g->root < 0) {	/* one answer for all */
		program = calloc(1, sizeof *program);
		if (program) *program = (struct bpe_insn){ .code = 0x06, .k = g->root == WAY_ACCEPT ? c->snaplen : 0 };
		*length = 1;
		return program;
	}
	struct registers *r = malloc((size_t)g->count * sizeof *r);
	struct spot *p = calloc((size_t)g->count, sizeof *p);
	uint32_t *bodies = malloc(((size_t)g->count + 1) * sizeof *bodies);
	if (r && p && bodies) {
		memset(r, 0, (size_t)g->count * sizeof *r);
		r[g->root] = (struct registers){ NOTHING, NOTHING, true };
		for (int32_t i = 0; i < g->count && !o.failed; i++) {
			const struct block *b = &g->blocks[i];
			bodies[i] = o.count;
			o.now = r[i];
			operands(&o, b);
			if (b->yes >= 0) arrive(&r[b->yes], &o.now);
			if (b->no >= 0) arrive(&r[b->no], &o.now);
		}
		bodies[g->count] = o.count;
		if (o.too_complex) bpei_compile_fail(c, "the arithmetic is too deep: a program has 16 words of memory");
		if (!o.failed) program = lay_out(&o, g, p, bodies, c->snaplen, length);
	}
	free(r), free(p), free(bodies), free(o.insns);
	return program;
}
