/* SPDX-License-Identifier: MIT */
/* Writes the graph as a program.  Blocks follow each other.  A block loads what its test needs,
 * unless the registers hold the operands on every path to the block.  A value computed more than
 * once can be kept in a memory word.  This is tried value by value, if the program gets shorter.
 * Pure. */
#include "filter/emit.h"

#include "filter/errors.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_TRIED 12  /* values for which keeping is tried */
#define BLOCKS_TRIED 600 /* in larger graphs no value is kept */
#define COST_MOST 10000u

/* Joins another path to the registers at a block's entry. */
static void join_registers(struct registers *r, const struct registers *with)
{
	if (!r->reached) {
		*r = *with;
		r->reached = true;
		return;
	}
	if (r->a != with->a)
		r->a = NO_VALUE;
	if (r->x != with->x)
		r->x = NO_VALUE;
	r->stored &= with->stored;
}

/* Writes the instructions of all blocks to o, and each block's begin to bodies.  r: room for the
 * registers of each block. */
static void write_bodies(
	struct block_code *o, const struct graph *g, struct registers *r, uint32_t *bodies)
{
	const struct registers unknown = { NO_VALUE, NO_VALUE, 0, true };

	r[g->root] = unknown;
	for (int32_t i = 0; i < g->count && !o->failed; i++) {
		const struct block *b = &g->blocks[i];

		bodies[i] = o->count;
		o->now = o->c->unoptimized ? unknown : r[i];
		bpei_emit_operands(o, b);
		if (b->yes >= 0)
			join_registers(&r[b->yes], &o->now);
		if (b->no >= 0)
			join_registers(&r[b->no], &o->now);
	}
	bodies[g->count] = o->count;
}

/* Returns the program with these values kept; NULL: no memory, or c->failed. */
static struct bpe_insn *emit_keeping(struct bpei_compile *c, const struct graph *from,
	const int32_t *kept, uint32_t keeps, uint32_t *length)
{
	struct block_code o = { .c = c, .keeps = keeps };
	const size_t n = (size_t)from->count;
	struct registers *r = calloc(n, sizeof *r);
	uint32_t *bodies = malloc((n + 1) * sizeof *bodies);
	struct bpe_insn *program = NULL;
	struct graph g;

	if (keeps)
		memcpy(o.kept, kept, keeps * sizeof *kept);
	if (bpei_graph_copy(from, &g) && r && bodies) {
		write_bodies(&o, &g, r, bodies);
		if (o.too_complex && !keeps)
			bpei_compile_fail(
				c, "the arithmetic is too deep: a program has 16 words of memory");
		if (!o.failed)
			program = bpei_emit_layout(&o, &g, bodies, c->snaplen, length);
	}
	free(r);
	free(bodies);
	free(g.blocks);
	free(o.insns);
	return program;
}

/* ---- Values to keep ---- */

/* Instructions that bring a value to A, and how often the value is needed. */
struct demand {
	uint32_t cost, times;
	int32_t last; /* the last block with the value */
};

/* Counts the value and the parts of the value as needed by the block; parts once a block. */
static void count_demand(
	const struct bpei_compile *c, struct demand *demands, int32_t v, int32_t block)
{
	while (v >= 0) {
		const struct value *value = &c->values[v];

		demands[v].times++;
		if (demands[v].last == block)
			return;
		demands[v].last = block;
		if (value->kind != VALUE_LOAD && value->kind != VALUE_ALU)
			return;
		if (value->kind == VALUE_ALU)
			count_demand(c, demands, value->b, block);
		v = value->a;
	}
}

/* Computes the cost of a value.  Its parts have lower indexes and known costs. */
static uint32_t cost_of_value(
	const struct bpei_compile *c, const struct demand *demands, const struct value *value)
{
	uint64_t cost = 1;

	if (value->kind == VALUE_LOAD && value->a >= 0)
		cost += demands[value->a].cost + 1;
	if (value->kind == VALUE_ALU) {
		cost += demands[value->a].cost;
		if (value->b >= 0 && c->values[value->b].kind != VALUE_IMM)
			cost += demands[value->b].cost + 1;
	}
	return cost > COST_MOST ? COST_MOST : (uint32_t)cost;
}

static uint32_t gain_of_keeping(const struct demand *d)
{
	return d->times > 1 && d->cost > 1 ? (d->times - 1) * (d->cost - 1) : 0;
}

/* Inserts the value into the list of the n best; returns the new n. */
static uint32_t insert_candidate(
	const struct demand *demands, int32_t v, int32_t best[VALUES_TRIED], uint32_t n)
{
	const uint32_t gain = gain_of_keeping(&demands[v]);
	uint32_t at = n;

	if (n == VALUES_TRIED) {
		at = VALUES_TRIED - 1;
		if (gain_of_keeping(&demands[best[at]]) >= gain)
			return n;
	}
	best[at] = v;
	for (; at && gain_of_keeping(&demands[best[at - 1]]) < gain; at--) {
		best[at] = best[at - 1];
		best[at - 1] = v;
	}
	return n == VALUES_TRIED ? n : n + 1;
}

/* Stores the values for which keeping may pay, the best first.  Returns how many there are. */
static uint32_t find_candidates(
	const struct bpei_compile *c, const struct graph *g, int32_t best[VALUES_TRIED])
{
	struct demand *demands = calloc((size_t)c->value_count + 1, sizeof *demands);
	uint32_t n = 0;

	if (!demands)
		return 0;
	for (int32_t v = 0; v < c->value_count; v++) {
		demands[v].cost = cost_of_value(c, demands, &c->values[v]);
		demands[v].last = -1;
	}
	for (int32_t i = 0; i < g->count; i++) {
		count_demand(c, demands, g->blocks[i].value, i);
		count_demand(c, demands, g->blocks[i].x, i);
	}
	for (int32_t v = 0; v < c->value_count; v++)
		if (c->values[v].kind >= VALUE_LOAD && gain_of_keeping(&demands[v]))
			n = insert_candidate(demands, v, best, n);
	free(demands);
	return n;
}

/* Returns the program for a graph without a test. */
static struct bpe_insn *emit_constant(uint32_t verdict, uint32_t *length)
{
	struct bpe_insn *program = calloc(1, sizeof *program);

	if (program)
		*program = (struct bpe_insn){ .code = INSN_RET_K, .k = verdict };
	*length = 1;
	return program;
}

struct bpe_insn *bpei_emit(struct bpei_compile *c, const struct graph *g, uint32_t *length)
{
	int32_t kept[KEPT_MOST], best[VALUES_TRIED];
	uint32_t keeps = 0, n = 0;

	if (g->root < 0)
		return emit_constant(g->root == WAY_ACCEPT ? c->snaplen : 0, length);
	struct bpe_insn *program = emit_keeping(c, g, NULL, 0, length);
	if (program && !c->unoptimized && g->count <= BLOCKS_TRIED)
		n = find_candidates(c, g, best);
	for (uint32_t i = 0; i < n && keeps < KEPT_MOST; i++) {
		uint32_t with = 0;

		kept[keeps] = best[i];
		struct bpe_insn *shorter = emit_keeping(c, g, kept, keeps + 1, &with);
		if (shorter && with < *length) {
			free(program);
			program = shorter;
			*length = with;
			keeps++;
		} else {
			free(shorter);
		}
	}
	return program;
}
