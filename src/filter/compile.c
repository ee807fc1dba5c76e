/* SPDX-License-Identifier: MIT */
/* From text to program: the one door to the compiler. */
#include "base/error.h"
#include "filter/kernel.h"
#include "filter/resolve.h"
#include "filter/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST (1u << 20)

/* Why it failed, with the place pointed at: the words around it, and a caret below. */
static int told(const struct bpei_compile *c, struct bpe_error *error)
{
	if (c->out_of_memory)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	size_t at = c->why_at, from = at > 40 ? at - 40 : 0, length = strlen(c->text),
	       shown = length - from > 70 ? 70 : length - from;
	char line[80], caret[80];
	for (size_t i = 0; i < shown; i++)
		line[i] = (unsigned char)c->text[from + i] < ' ' ? ' ' : c->text[from + i];
	line[shown] = 0;
	size_t n = c->why_length ? c->why_length : 1, begin = at - from;
	if (begin > 70)
		begin = 70;
	if (begin + n > 72)
		n = 72 - begin;
	memset(caret, ' ', begin);
	memset(caret + begin, '^', n);
	caret[begin + n] = 0;
	/* What the place leaves of the text is the reason's. */
	const struct bpe_error *whole = error;
	int room = (int)(sizeof whole->text - sizeof "\n  \n  " - strlen(line) - strlen(caret));
	return bpei_fail(error, c->unsupported ? BPE_E_UNSUPPORTED : BPE_E_ARGUMENT, "filter", 0,
		"%.*s\n  %s\n  %s", room, c->why, line, caret);
}

void bpei_compile_free(struct bpei_compile *c)
{
	free(c->values), free(c->value_table), free(c->nodes);
	bpei_resolve_free(c);
}

#define LEVELS 2 /* encapsulations behind each other that --through looks into */

/* The expression with the offsets as they are.  With a geneve or vxlan in it: for each shape that
 * the packet may have there, and for none. */
static int32_t as_written(struct bpei_compile *c, struct complaint *w)
{
	const struct offsets here = c->offsets;
	int32_t all = -1;
	for (c->tunnel = 0;; c->tunnel++) {
		c->offsets = here;
		c->at = c->nesting = c->inners = c->tunnel_kind = 0;
		c->tunnel_last = false;
		int32_t tree = bpei_parse_filter(c);
		if (tree >= 0 && c->tunnel_kind)
			tree = bpei_and(c, c->tunnel_guard, tree);
		bpei_complaint_keep(c, w);
		all = bpei_either(c, all, tree);
		if (!c->tunnel_kind || c->tunnel_last || c->failed)
			return all;
	}
}

/* The same, and behind each of the encapsulations asked for. */
static int32_t through(struct bpei_compile *c, uint32_t levels, struct complaint *w)
{
	const struct offsets here = c->offsets;
	int32_t all = as_written(c, w);
	for (uint32_t kind = 1; levels && kind <= BPE_THROUGH_GTPU && !c->failed; kind <<= 1)
		for (uint32_t shape = 0; c->through & kind && !c->failed; shape++) {
			c->offsets = here;
			int32_t guard = bpei_tunnel_enter(c, kind, shape, false, 0), tree = -1;
			if (guard == BPEI_NO_SHAPE)
				break;
			if (guard >= 0)
				tree = through(c, levels - 1, w);
			if (tree >= 0)
				all = bpei_either(c, all, bpei_and(c, guard, tree));
			bpei_complaint_keep(c, w);
		}
	c->offsets = here;
	return all;
}

/* The expression's tree.  Where packets of a link type come in several shapes it is read for each
 * of them; a shape in which it has no meaning (an Ethernet address on raw IP) has no packet that
 * matches, unless it has none in all of them. */
static int32_t parse(struct bpei_compile *c, uint32_t link_type)
{
	int32_t all = -1, guard;
	struct complaint first = { .why = "" };
	bool empty = !c->text[strspn(c->text, " \t\r\n")]; /* everything, of any shape */
	for (; !c->failed && bpei_terms_init(c, link_type, &guard) == BPE_OK; c->variant++) {
		int32_t tree = through(c, c->through & 0xff ? LEVELS : 0, &first);
		if (tree >= 0 && guard >= 0 && !empty)
			tree = bpei_and(c, guard, tree);
		all = bpei_either(c, all, tree);
	}
	return all < 0 || c->failed ? bpei_complaint_say(c, &first) : all;
}

void bpe_filter_options_init(struct bpe_filter_options *o)
{
	*o = (struct bpe_filter_options){ .link_type = 1 };
}

#define ORDERED 2000 /* blocks: in larger graphs tests keep their places */

/* The graph's program; NULL: no memory, or c->failed. */
static struct bpe_insn *program_of(
	struct bpei_compile *c, const struct graph *threaded, uint32_t *n)
{
	struct graph g = *threaded;
	struct bpe_insn *made = NULL;
	g.room = g.count + 1;
	g.blocks = malloc(
		(size_t)g.room * sizeof *g.blocks); /* what was threaded stays, for bpei_widen */
	if (!g.blocks)
		return NULL;
	if (g.count)
		memcpy(g.blocks, threaded->blocks, (size_t)g.count * sizeof *g.blocks);
	if (c->unoptimized || g.count < 3 || bpei_graph_sets(&g, 0))
		made = bpei_emit(c, &g, n);
	if (made && !c->unoptimized && g.count <= ORDERED && bpei_graph_order(&g)) {
		uint32_t length;
		struct bpe_insn *other = bpei_emit(c, &g, &length);
		if (other && length < *n) {
			struct bpe_insn *longer = made;
			made = other, other = longer;
			*n = length;
		}
		free(other);
	}
	free(g.blocks);
	return made;
}

/* For the kernel, in at most `most` instructions; NULL: there is none. */
static struct bpe_insn *wide_of(struct bpei_compile *c, int32_t tree, const struct graph *g,
	uint32_t most, struct bpei_filter *made)
{
	struct graph other = { .count = 0 };
	struct bpe_insn *wide = NULL;
	if (!made->late)
		return bpei_widen(c, g, most, &made->wide_length);
	tree = bpei_or(c, bpei_term_pktap_unknown(c), tree);
	if (tree >= 0 && bpei_graph_make(c, tree, &other) && bpei_graph_thread(c, &other))
		wide = program_of(c, &other, &made->wide_length);
	if (wide && made->wide_length > most)
		free(wide), wide = bpei_widen(c, &other, most, &made->wide_length);
	free(other.blocks);
	return wide;
}

int bpei_compile_for(const char *expression, const struct bpe_filter_options *o,
	const struct bpei_kernel *kernel, uint32_t most, struct bpei_filter *filter,
	struct bpe_error *error)
{
	struct graph g = { .root = WAY_REJECT };
	struct bpei_filter made = { .length = 0 };
	if (!expression || !o)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"an expression, and places for the program and its length, are wanted");
	if (strlen(expression) > TEXT_MOST)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"the expression is longer than %u bytes", TEXT_MOST);
	if (o->through & ~0x1ffu)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"through has bits that are no BPE_THROUGH_");
	struct bpei_compile c = { .text = expression,
		.no_names = o->no_names,
		.through = o->through,
		.pktap = o->link_type == LINK_PKTAP,
		.family6 = kernel ? kernel->family6 : 0,
		.no_mod_xor = kernel && !kernel->mod_xor,
		.unoptimized = o->unoptimized,
		.way = o->way,
		.netmask = o->netmask,
		.has_netmask = o->has_netmask,
		.snaplen = o->snaplen ? o->snaplen : BPE_MAX_SNAPLEN };
	int32_t tree = -1;
	if (o->link_type < 0 || o->link_type > UINT16_MAX)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "filter", 0,
			"no link type has number %d: they go "
			"from 0 to %d",
			o->link_type, UINT16_MAX);
	tree = parse(&c, (uint32_t)o->link_type);
	if (tree >= 0 && !c.failed && bpei_graph_make(&c, tree, &g) &&
		(c.unoptimized ? bpei_graph_sort(&g) : bpei_graph_thread(&c, &g))) {
		c.token_at = 0, c.token_length = strlen(expression);
		if (g.root == WAY_REJECT)
			bpei_compile_fail(
				&c, "the expression rejects all packets"); /* as libpcap: surely not
									      what was meant */
		else
			made.program = program_of(&c, &g, &made.length);
		made.late = c.process && kernel;
		if (made.program && (made.length > most || made.late))
			made.wide = wide_of(&c, tree, &g, most, &made);
		if (made.late && !made.wide)
			free(made.program), made.program = NULL;
	}
	if (!made.program && !c.failed) {
		c.out_of_memory = true;
		c.failed = true;
	}
	int r = c.failed ? told(&c, error) : BPE_OK;
	if (r < 0)
		free(made.program), free(made.wide);
	else
		*filter = made;
	free(g.blocks);
	bpei_compile_free(&c);
	return r;
}

int bpe_filter_compile_with(const char *expression, const struct bpe_filter_options *o,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	struct bpei_filter f;
	struct bpei_kernel_program fit;
	const struct bpei_kernel *kernel = NULL;
	if (!o || !program || !length)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"an expression, and places for the program and its length, are wanted");
	if (o->kernel && !(kernel = bpei_kernel_find(o->kernel)))
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"no kernel is called %.64s: there are macos, freebsd, netbsd, openbsd and linux",
			o->kernel);
	int r = bpei_compile_for(
		expression, o, kernel, kernel ? kernel->most : UINT32_MAX, &f, error);
	if (r < 0)
		return r;
	if (kernel) {
		r = bpei_filter_fit(kernel, &f, kernel->most, BPE_MAX_SNAPLEN, &fit);
		free(f.program), free(f.wide);
		if (r < 0)
			return bpei_fail(error, r, "filter", 0, "no memory for the filter");
		f.program = fit.program, f.length = fit.length;
	}
	*program = f.program, *length = f.length;
	return BPE_OK;
}

int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	const struct bpe_filter_options o = { .link_type = link_type, .snaplen = snaplen };
	return bpe_filter_compile_with(expression, &o, program, length, error);
}

void bpe_filter_free(struct bpe_insn *program)
{
	free(program);
}
