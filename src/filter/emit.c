/* SPDX-License-Identifier: MIT */
/* The graph as a program.  Blocks follow each other; a block loads what its test needs and the
 * registers do not hold on every way that leads to it.  What is worked out more than once may be
 * kept in a memory word: tried value by value, and left where the program gets shorter.  Blocks
 * whose instructions are the same and go on to the same places become one, whatever they test: the
 * registers hold what each of them wants.  A jump of more than 255 instructions goes over a JA
 * behind its block.  Pure. */
#include "filter/tree.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY 16
#define NOTHING (-1)

#define KEPT 8           /* words for values; the upper ones are for the way */
#define TRIED 12         /* values tried for keeping */
#define TRIED_BLOCKS 600 /* in graphs up to here */

struct registers {
	int32_t a, x;
	uint16_t there; /* bits: the word holds its value */
	bool reached;
};

struct code {
	const struct bpei_compile *c;
	struct bpe_insn *insns;
	uint32_t count, room;
	struct registers now;
	uint32_t memory; /* words in use, from the last one down */
	int32_t kept[KEPT];
	uint32_t keeps;
	bool failed, too_complex;
};

static void put(struct code *o, uint16_t code, uint32_t k)
{
	if (o->count == o->room) {
		uint32_t room = o->room ? o->room * 2 : 64;
		struct bpe_insn *insns =
			room <= 1u << 20 ? realloc(o->insns, room * sizeof *insns) : NULL;
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

static int word_of(const struct code *o, int32_t v) /* -1: it is not kept */
{
	for (uint32_t i = 0; i < o->keeps; i++)
		if (o->kept[i] == v)
			return (int)i;
	return -1;
}

static bool is_there(const struct code *o, int32_t v)
{
	int w = word_of(o, v);
	return w >= 0 && o->now.there >> w & 1;
}

static void keep(struct code *o, int32_t v) /* what has just come into A */
{
	int w = word_of(o, v);
	if (w < 0)
		return;
	put(o, 0x02, (uint32_t)w);
	o->now.there |= (uint16_t)(1u << w);
}

/* A word for the way; MEMORY: there is none. */
static uint32_t borrow(struct code *o)
{
	if (o->memory + o->keeps >= MEMORY) {
		o->too_complex = o->failed = true;
		return MEMORY;
	}
	return MEMORY - ++o->memory;
}

/* Whether v comes into A without X being set to anything but x, once x is in X: what A holds now
 * helps only if X holds x already, for bringing it there goes through A. */
static bool leaves_x(const struct code *o, int32_t v, int32_t x)
{
	for (;;) {
		const struct value *value = &o->c->values[v];
		if (is_there(o, v) || (o->now.a == v && o->now.x == x))
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

static bool straight_to_x(const struct code *o, int32_t v) /* without A, whatever X holds */
{
	uint8_t kind = o->c->values[v].kind;
	return kind == VALUE_MSH || kind == VALUE_IMM || kind == VALUE_LEN;
}

static void into_x(struct code *o, int32_t v)
{
	const struct value *value = &o->c->values[v];
	if (o->now.x == v)
		return;
	if (is_there(o, v)) {
		put(o, 0x61, (uint32_t)word_of(o, v));
		o->now.x = v;
		return;
	}
	switch (value->kind) {
	case VALUE_MSH:
		put(o, 0xb1, value->k);
		break;
	case VALUE_IMM:
		put(o, 0x01, value->k);
		break;
	case VALUE_LEN:
		put(o, 0x81, 0);
		break;
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
	} else if (straight_to_x(o, value->b) || is_there(o, value->b)) {
		into_a(o, value->a);
		into_x(o, value->b);
		put(o, (uint16_t)(0x0c | value->op), 0);
	} else if (leaves_x(o, value->a, value->b)) {
		into_x(o, value->b);
		into_a(o, value->a);
		put(o, (uint16_t)(0x0c | value->op), 0);
	} else {
		into_a(o, value->b);
		uint32_t m = borrow(o);
		if (m == MEMORY)
			return;
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
	if (o->now.a == v || o->failed)
		return;
	if (is_there(o, v)) {
		put(o, 0x60, (uint32_t)word_of(o, v));
		o->now.a = v;
		return;
	}
	switch (value->kind) {
	case VALUE_IMM:
		put(o, 0x00, value->k);
		break;
	case VALUE_LEN:
		put(o, 0x80, 0);
		break;
	case VALUE_MSH:
		into_x(o, v);
		put(o, 0x87, 0);
		break;
	case VALUE_LOAD: {
		uint16_t size = value->size == 4 ? 0x00 : value->size == 2 ? 0x08 : 0x10;
		if (value->a >= 0)
			into_x(o, value->a);
		put(o, (uint16_t)((value->a >= 0 ? 0x40 : 0x20) | size), value->k);
		break;
	}
	default:
		alu(o, value);
	}
	o->now.a = v;
	keep(o, v);
}

static void operands(struct code *o, const struct block *b)
{
	if (b->x < 0) {
		into_a(o, b->value);
	} else if (straight_to_x(o, b->x) || is_there(o, b->x)) {
		into_a(o, b->value);
		into_x(o, b->x);
	} else if (leaves_x(o, b->value, b->x)) {
		into_x(o, b->x);
		into_a(o, b->value);
	} else {
		into_a(o, b->x);
		uint32_t m = borrow(o);
		if (m == MEMORY)
			return;
		put(o, 0x02, m);
		into_a(o, b->value);
		put(o, 0x61, m);
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
	if (r->a != with->a)
		r->a = NOTHING;
	if (r->x != with->x)
		r->x = NOTHING;
	r->there &= with->there;
}

struct spot {
	uint32_t start, jump, returns; /* where the next two returns are behind the jump */
	bool far_yes, far_no, gone, island;
};

static uint32_t hash_code(const struct code *o, const struct block *b, uint32_t from, uint32_t to)
{
	uint64_t h = ((uint64_t)b->k << 32 | (uint32_t)b->yes) * 0x9e3779b97f4a7c15u ^
		     ((uint64_t)b->cmp << 32 | (uint32_t)b->no) * 0xd6e8feb86659fd93u;
	for (; from < to; from++)
		h = (h ^ o->insns[from].k ^ (uint64_t)o->insns[from].code << 32) *
		    0x9e3779b97f4a7c15u;
	return (uint32_t)(h >> 32);
}

/* From the end on: a block with another's instructions and ways goes, and who led to it leads to
 * that later one. */
static bool fold(const struct code *o, struct graph *g, struct spot *p, const uint32_t *bodies)
{
	uint32_t size = 64;
	while (size < (uint32_t)g->count * 2)
		size *= 2;
	int32_t *table = malloc(size * sizeof *table),
		*to = malloc(((size_t)g->count + 1) * sizeof *to);
	bool good = table && to;
	if (good)
		memset(table, 0xff, size * sizeof *table);
	for (int32_t i = g->count - 1; good && i >= 0; i--) {
		struct block *b = &g->blocks[i];
		if (b->yes >= 0)
			b->yes = to[b->yes];
		if (b->no >= 0)
			b->no = to[b->no];
		uint32_t n = bodies[i + 1] - bodies[i],
			 at = hash_code(o, b, bodies[i], bodies[i + 1]);
		for (to[i] = i; table[at &= size - 1] >= 0; at++) {
			int32_t j = table[at];
			const struct block *other = &g->blocks[j];
			if (other->cmp != b->cmp || other->k != b->k ||
				(other->x < 0) != (b->x < 0) || other->yes != b->yes ||
				other->no != b->no)
				continue;
			if (bodies[j + 1] - bodies[j] != n ||
				(n && memcmp(o->insns + bodies[j], o->insns + bodies[i],
					      n * sizeof *o->insns)))
				continue;
			to[i] = j;
			break;
		}
		p[i].gone = to[i] != i;
		if (!p[i].gone)
			table[at] = i;
	}
	if (good && g->root >= 0)
		g->root = to[g->root];
	free(table), free(to);
	return good;
}

static uint32_t where(const struct spot *p, int32_t from, int32_t way)
{
	return way == WAY_ACCEPT   ? p[from].returns
	       : way == WAY_REJECT ? p[from].returns + 1
				   : p[way].start;
}

/* Places for all blocks, as far as is known which jumps are long and where returns stand between
 * them.  Returns the end. */
static uint32_t place(const struct graph *g, struct spot *p, const uint32_t *bodies)
{
	uint32_t at = 0, returns;
	for (int32_t i = 0; i < g->count; i++) {
		p[i].start = at;
		if (p[i].gone)
			continue;
		p[i].jump = at + bodies[i + 1] - bodies[i];
		at = p[i].jump + 1 + p[i].far_yes + p[i].far_no + 2 * p[i].island;
	}
	returns = at;
	for (int32_t i = g->count - 1; i >= 0; i--) {
		if (p[i].island && !p[i].gone)
			returns = p[i].jump + 1 + p[i].far_yes + p[i].far_no;
		p[i].returns = returns;
	}
	return at;
}

/* Two returns go behind the last block that i's jump reaches, with some room for what is still to
 * grow; false: there is none such. */
static bool put_island(const struct graph *g, struct spot *p, int32_t i)
{
	int32_t best = -1;
	for (int32_t j = i; j < g->count && p[j].start - p[i].jump < 240; j++)
		if (!p[j].gone && p[j].jump - p[i].jump < 240 && !p[j].island)
			best = j;
	if (best >= 0)
		p[best].island = true;
	return best >= 0;
}

/* Until no jump is too long that was not known to be; then the final program.  Jumps to the end
 * that are too long find two returns of their own on the way; others go over a JA behind their
 * block. */
static struct bpe_insn *lay_out(const struct code *o, const struct graph *g, struct spot *p,
	const uint32_t *bodies, uint32_t snaplen, uint32_t *length)
{
	uint32_t end;
	for (bool changed = true, moved; changed;) {
		changed = moved = false;
		end = place(g, p, bodies);
		for (int32_t i = 0; i < g->count && !moved; i++) {
			if (p[i].gone)
				continue;
			for (int yes = 0; yes < 2; yes++) {
				int32_t way = yes ? g->blocks[i].yes : g->blocks[i].no;
				bool *far = yes ? &p[i].far_yes : &p[i].far_no;
				if (*far || where(p, i, way) - p[i].jump - 1 <= 255)
					continue;
				if (way >= 0)
					*far = true;
				else if (put_island(g, p, i))
					moved = true;
				else
					*far = true;
				changed = true;
			}
		}
	}
	struct bpe_insn *out = calloc(end + 2, sizeof *out);
	if (!out)
		return NULL;
	for (int32_t i = 0; i < g->count; i++) {
		if (p[i].gone)
			continue;
		const struct block *b = &g->blocks[i];
		uint32_t j = p[i].jump, yes = where(p, i, b->yes), no = where(p, i, b->no),
			 extra = j + 1;
		if (bodies[i + 1] > bodies[i])
			memcpy(out + p[i].start, o->insns + bodies[i],
				(bodies[i + 1] - bodies[i]) * sizeof *out);
		out[j] = (struct bpe_insn){ .code = (uint16_t)(0x05 | b->cmp | (b->x >= 0 ? 8 : 0)),
			.k = b->x >= 0 ? 0 : b->k };
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
		if (p[i].island)
			out[extra].code = out[extra + 1].code = 0x06, out[extra].k = snaplen;
	}
	out[end] = (struct bpe_insn){ .code = 0x06, .k = snaplen };
	out[end + 1] = (struct bpe_insn){ .code = 0x06 };
	*length = end + 2;
	return out;
}

/* The program with these values kept; NULL: no memory, or c->failed. */
static struct bpe_insn *emit(struct bpei_compile *c, const struct graph *from, const int32_t *kept,
	uint32_t keeps, uint32_t *length)
{
	struct code o = { .c = c, .keeps = keeps };
	struct bpe_insn *program = NULL;
	struct graph g = *from;
	size_t n = (size_t)g.count;
	struct registers *r = calloc(n, sizeof *r);
	struct spot *p = calloc(n, sizeof *p);
	uint32_t *bodies = malloc((n + 1) * sizeof *bodies);
	g.blocks = malloc(n * sizeof *g.blocks); /* fold changes their ways */
	if (keeps)
		memcpy(o.kept, kept, keeps * sizeof *kept);
	if (r && p && bodies && g.blocks) {
		memcpy(g.blocks, from->blocks, n * sizeof *g.blocks);
		r[g.root] = (struct registers){ NOTHING, NOTHING, 0, true };
		for (int32_t i = 0; i < g.count && !o.failed; i++) {
			const struct block *b = &g.blocks[i];
			bodies[i] = o.count;
			o.now = c->unoptimized ? (struct registers){ NOTHING, NOTHING, 0, true }
					       : r[i];
			operands(&o, b);
			if (b->yes >= 0)
				arrive(&r[b->yes], &o.now);
			if (b->no >= 0)
				arrive(&r[b->no], &o.now);
		}
		bodies[g.count] = o.count;
		if (o.too_complex && !keeps)
			bpei_compile_fail(
				c, "the arithmetic is too deep: a program has 16 words of memory");
		if (!o.failed && fold(&o, &g, p, bodies))
			program = lay_out(&o, &g, p, bodies, c->snaplen, length);
	}
	free(r), free(p), free(bodies), free(g.blocks), free(o.insns);
	return program;
}

/* ---- What to keep ---- */

/* Instructions that bring each value into A, and how often it is wanted.  A value's parts have
 * lower numbers. */
struct want {
	uint32_t cost, times;
	int32_t last;
};

static void want(const struct bpei_compile *c, struct want *w, int32_t v, int32_t block)
{
	while (v >= 0) {
		const struct value *value = &c->values[v];
		w[v].times++;
		if (w[v].last == block)
			return; /* its parts are wanted once */
		w[v].last = block;
		if (value->kind != VALUE_LOAD && value->kind != VALUE_ALU)
			return;
		if (value->kind == VALUE_ALU)
			want(c, w, value->b, block);
		v = value->a;
	}
}

static uint32_t gain(const struct want *w)
{
	return w->times > 1 && w->cost > 1 ? (w->times - 1) * (w->cost - 1) : 0;
}

/* The values that it may pay to keep, the best first. */
static uint32_t candidates(const struct bpei_compile *c, const struct graph *g, int32_t best[TRIED])
{
	struct want *w = calloc((size_t)c->value_count + 1, sizeof *w);
	uint32_t n = 0;
	if (!w)
		return 0;
	for (int32_t v = 0; v < c->value_count; v++) {
		const struct value *value = &c->values[v];
		uint64_t cost = 1;
		if (value->kind == VALUE_LOAD && value->a >= 0)
			cost += w[value->a].cost + 1;
		if (value->kind == VALUE_ALU)
			cost += w[value->a].cost +
				(value->b >= 0 && c->values[value->b].kind != VALUE_IMM
						? w[value->b].cost + 1
						: 0);
		w[v].cost = cost > 10000 ? 10000 : (uint32_t)cost;
		w[v].last = -1;
	}
	for (int32_t i = 0; i < g->count; i++)
		want(c, w, g->blocks[i].value, i), want(c, w, g->blocks[i].x, i);
	for (int32_t v = 0; v < c->value_count; v++) {
		if (c->values[v].kind < VALUE_LOAD || !gain(&w[v]))
			continue;
		uint32_t at = n < TRIED ? n++ : TRIED - 1;
		if (at == TRIED - 1 && n == TRIED && best[at] >= 0 &&
			gain(&w[best[at]]) >= gain(&w[v]))
			continue;
		for (best[at] = v; at && gain(&w[best[at - 1]]) < gain(&w[v]); at--)
			best[at] = best[at - 1], best[at - 1] = v;
	}
	free(w);
	return n;
}

struct bpe_insn *bpei_emit(struct bpei_compile *c, const struct graph *g, uint32_t *length)
{
	if (g->root < 0) { /* one answer for all */
		struct bpe_insn *program = calloc(1, sizeof *program);
		if (program)
			*program = (struct bpe_insn){ .code = 0x06,
				.k = g->root == WAY_ACCEPT ? c->snaplen : 0 };
		*length = 1;
		return program;
	}
	int32_t kept[KEPT], best[TRIED];
	uint32_t keeps = 0;
	memset(best, 0xff, sizeof best);
	struct bpe_insn *program = emit(c, g, NULL, 0, length);
	uint32_t n =
		program && !c->unoptimized && g->count <= TRIED_BLOCKS ? candidates(c, g, best) : 0;
	for (uint32_t i = 0; i < n && keeps < KEPT; i++) {
		uint32_t with = 0;
		kept[keeps] = best[i];
		struct bpe_insn *other = emit(c, g, kept, keeps + 1, &with);
		if (other && with < *length) {
			free(program);
			program = other;
			*length = with;
			keeps++;
		} else {
			free(other);
		}
	}
	return program;
}
