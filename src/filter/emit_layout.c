/* SPDX-License-Identifier: MIT */
/* Places the blocks of a program and writes their jumps.  Blocks with the same instructions and
 * exits become a single block, whatever they test: the registers hold the operands of each.  A jump
 * over more than 255 instructions goes over a JA behind the block.  Pure. */
#include "filter/emit.h"

#include <stdlib.h>
#include <string.h>

#define JUMP_MOST 255u   /* instructions that a conditional jump skips */
#define ISLAND_REACH 240 /* the same for new islands, with room for what is still to grow */

/* The place of a block. */
struct block_place {
	uint32_t start, jump;
	uint32_t returns; /* the next two returns behind the jump: accept, reject */
	bool far_yes;     /* a JA behind the jump leads to the exit */
	bool far_no;
	bool gone;   /* another block is equal */
	bool island; /* two returns follow the block */
};

struct layout_work {
	const struct block_code *o;
	struct graph *g;
	const uint32_t *bodies;
	struct block_place *places;
};

/* ---- Equal blocks ---- */

/* Hashes the block's instructions, jump and exits. */
static uint32_t hash_body(const struct layout_work *w, int32_t i)
{
	const struct block *b = &w->g->blocks[i];
	uint64_t h = ((uint64_t)b->k << 32 | (uint32_t)b->yes) * 0x9e3779b97f4a7c15u ^
		     ((uint64_t)b->cmp << 32 | (uint32_t)b->no) * 0xd6e8feb86659fd93u;

	for (uint32_t at = w->bodies[i]; at < w->bodies[i + 1]; at++) {
		const struct bpe_insn *insn = &w->o->insns[at];

		h = (h ^ insn->k ^ (uint64_t)insn->code << 32) * 0x9e3779b97f4a7c15u;
	}
	return (uint32_t)(h >> 32);
}

/* Returns true if the blocks have the same instructions, jump and exits. */
static bool equal_bodies(const struct layout_work *w, int32_t i, int32_t j)
{
	const struct block *a = &w->g->blocks[i];
	const struct block *b = &w->g->blocks[j];
	const uint32_t n = w->bodies[i + 1] - w->bodies[i];
	const struct bpe_insn *insns = w->o->insns;

	if (a->cmp != b->cmp || a->k != b->k || (a->x < 0) != (b->x < 0) || a->yes != b->yes ||
		a->no != b->no || w->bodies[j + 1] - w->bodies[j] != n)
		return false;
	return !n || !memcmp(insns + w->bodies[j], insns + w->bodies[i], n * sizeof *insns);
}

/* Marks blocks that equal a later block as gone, from the last block on, and moves the edges to the
 * later block.  Returns false if there is no memory. */
static bool fold_equal_blocks(struct layout_work *w)
{
	struct graph *g = w->g;
	uint32_t size = 64;

	while (size < (uint32_t)g->count * 2)
		size *= 2;
	int32_t *table = malloc(size * sizeof *table);
	int32_t *to = malloc(((size_t)g->count + 1) * sizeof *to);
	const bool has_memory = table && to;
	if (has_memory)
		memset(table, 0xff, size * sizeof *table);
	for (int32_t i = g->count - 1; has_memory && i >= 0; i--) {
		struct block *b = &g->blocks[i];

		if (b->yes >= 0)
			b->yes = to[b->yes];
		if (b->no >= 0)
			b->no = to[b->no];
		uint32_t at = hash_body(w, i) & (size - 1);
		while (table[at] >= 0 && !equal_bodies(w, i, table[at]))
			at = (at + 1) & (size - 1);
		to[i] = table[at] >= 0 ? table[at] : i;
		w->places[i].gone = to[i] != i;
		table[at] = to[i];
	}
	if (has_memory && g->root >= 0)
		g->root = to[g->root];
	free(table);
	free(to);
	return has_memory;
}

/* ---- Places ---- */

static uint32_t target_of_exit(const struct layout_work *w, int32_t from, int32_t way)
{
	if (way >= 0)
		return w->places[way].start;
	return w->places[from].returns + (way == WAY_REJECT ? 1 : 0);
}

static uint32_t behind_jumps(const struct block_place *p)
{
	return p->jump + 1 + p->far_yes + p->far_no;
}

/* Places all blocks, with the long jumps and islands known so far.  Returns the end. */
static uint32_t place_all(struct layout_work *w)
{
	uint32_t at = 0;

	for (int32_t i = 0; i < w->g->count; i++) {
		struct block_place *p = &w->places[i];

		p->start = at;
		if (p->gone)
			continue;
		p->jump = at + w->bodies[i + 1] - w->bodies[i];
		at = behind_jumps(p) + (p->island ? 2 : 0);
	}
	uint32_t returns = at;
	for (int32_t i = w->g->count - 1; i >= 0; i--) {
		struct block_place *p = &w->places[i];

		if (p->island && !p->gone)
			returns = behind_jumps(p);
		p->returns = returns;
	}
	return at;
}

/* Puts two returns behind the last block in reach of i's jump.  Returns false if there is none. */
static bool add_island(struct layout_work *w, int32_t i)
{
	struct block_place *p = w->places;
	int32_t best = -1;

	for (int32_t j = i; j < w->g->count && p[j].start - p[i].jump < ISLAND_REACH; j++)
		if (!p[j].gone && p[j].jump - p[i].jump < ISLAND_REACH && !p[j].island)
			best = j;
	if (best >= 0)
		p[best].island = true;
	return best >= 0;
}

/* Mends block i's jumps that are too long: a return nearby, or a JA.  *moved: a return was added,
 * so all blocks need new places.  Returns true if any jump was too long. */
static bool mend_jumps(struct layout_work *w, int32_t i, bool *moved)
{
	struct block_place *p = &w->places[i];
	bool changed = false;

	for (int yes = 0; yes < 2; yes++) {
		const int32_t way = yes ? w->g->blocks[i].yes : w->g->blocks[i].no;
		bool *far = yes ? &p->far_yes : &p->far_no;

		if (*far || target_of_exit(w, i, way) - p->jump - 1 <= JUMP_MOST)
			continue;
		if (way < 0 && add_island(w, i))
			*moved = true;
		else
			*far = true;
		changed = true;
	}
	return changed;
}

/* Places all blocks until no jump is too long.  Returns the end. */
static uint32_t find_places(struct layout_work *w)
{
	uint32_t end;
	bool changed = true;

	do {
		bool moved = false;

		changed = false;
		end = place_all(w);
		for (int32_t i = 0; i < w->g->count && !moved; i++)
			if (!w->places[i].gone)
				changed |= mend_jumps(w, i, &moved);
	} while (changed);
	return end;
}

/* ---- Writing ---- */

/* Writes the block's instructions, jumps and returns to the program. */
static void write_block(
	const struct layout_work *w, int32_t i, uint32_t snaplen, struct bpe_insn *out)
{
	const struct block *b = &w->g->blocks[i];
	const struct block_place *p = &w->places[i];
	const uint32_t body = w->bodies[i + 1] - w->bodies[i];
	struct bpe_insn *jump = &out[p->jump];
	uint32_t yes = target_of_exit(w, i, b->yes);
	uint32_t no = target_of_exit(w, i, b->no);
	uint32_t extra = p->jump + 1;

	if (body)
		memcpy(out + p->start, w->o->insns + w->bodies[i], body * sizeof *out);
	jump->code = (uint16_t)(INSN_JMP | b->cmp | (b->x >= 0 ? INSN_X : 0));
	jump->k = b->x >= 0 ? 0 : b->k;
	if (p->far_yes) {
		out[extra] = (struct bpe_insn){ .code = INSN_JA, .k = yes - extra - 1 };
		yes = extra++;
	}
	if (p->far_no) {
		out[extra] = (struct bpe_insn){ .code = INSN_JA, .k = no - extra - 1 };
		no = extra++;
	}
	jump->jt = (uint8_t)(yes - p->jump - 1);
	jump->jf = (uint8_t)(no - p->jump - 1);
	if (p->island) {
		out[extra] = (struct bpe_insn){ .code = INSN_RET_K, .k = snaplen };
		out[extra + 1] = (struct bpe_insn){ .code = INSN_RET_K };
	}
}

struct bpe_insn *bpei_emit_layout(const struct block_code *o, struct graph *g,
	const uint32_t *bodies, uint32_t snaplen, uint32_t *length)
{
	struct layout_work w = { o, g, bodies, calloc((size_t)g->count, sizeof *w.places) };
	struct bpe_insn *out = NULL;

	if (w.places && fold_equal_blocks(&w)) {
		const uint32_t end = find_places(&w);

		out = calloc(end + 2, sizeof *out);
		for (int32_t i = 0; out && i < g->count; i++)
			if (!w.places[i].gone)
				write_block(&w, i, snaplen, out);
		if (out) {
			out[end] = (struct bpe_insn){ .code = INSN_RET_K, .k = snaplen };
			out[end + 1] = (struct bpe_insn){ .code = INSN_RET_K };
			*length = end + 2;
		}
	}
	free(w.places);
	return out;
}
