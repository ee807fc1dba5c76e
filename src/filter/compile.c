/* SPDX-License-Identifier: MIT */
/* Compiles an expression to a program: the entry to the compiler. */
#include "filter/compile.h"

#include "base/error.h"
#include "base/sized.h"
#include "filter/errors.h"
#include "filter/graph.h"
#include "filter/kernel.h"
#include "filter/parse.h"
#include "filter/resolve.h"
#include "names/numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST (1u << 20)
#define LEVELS 2            /* encapsulations behind each other that --through looks into */
#define BLOCKS_ORDERED 2000 /* in larger graphs tests keep their places */
#define LINE_MOST 70        /* columns of the expression that an error shows */
#define LINE_BEFORE 40      /* of these, columns in front of the fault */

/* Releases the values, the nodes and the names; the text is the caller's. */
void bpei_compile_free(struct bpei_compile *c)
{
	free(c->values);
	free(c->value_table);
	free(c->nodes);
	bpei_resolve_free(c);
}

/* Stores the compilation's error in *error: the reason, the part of the expression around the
 * fault, and a caret below.  Returns the error's code. */
static int report_compile_error(const struct bpei_compile *c, struct bpe_error *error)
{
	const size_t from = c->why_at > LINE_BEFORE ? c->why_at - LINE_BEFORE : 0;
	const size_t left = strlen(c->text) - from;
	const size_t shown = left > LINE_MOST ? LINE_MOST : left;
	size_t begin = c->why_at - from;
	size_t width = c->why_length ? c->why_length : 1;
	char line[LINE_MOST + 10], caret[LINE_MOST + 10];

	if (c->out_of_memory)
		return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	for (size_t i = 0; i < shown; i++) {
		const char letter = c->text[from + i];

		line[i] = (unsigned char)letter < ' ' ? ' ' : letter;
	}
	line[shown] = 0;
	if (begin > LINE_MOST)
		begin = LINE_MOST;
	if (begin + width > LINE_MOST + 2)
		width = LINE_MOST + 2 - begin;
	memset(caret, ' ', begin);
	memset(caret + begin, '^', width);
	caret[begin + width] = 0;
	/* The reason gets what the two lines leave of the error's text. */
	const size_t lines = sizeof "\n  \n  " + strlen(line) + strlen(caret);
	const int room = (int)(sizeof((struct bpe_error *)0)->text - lines);
	return bpei_fail(error, c->unsupported ? BPE_E_UNSUPPORTED : BPE_E_ARGUMENT, "filter", 0,
		"%.*s\n  %s\n  %s", room, c->why, line, caret);
}

/* ---- From text to tree ---- */

/* Parses the expression with the offsets as they are.  An expression with geneve or vxlan is parsed
 * for each shape that the tunnel can have, and for a packet without the tunnel. */
static int32_t parse_shapes(struct bpei_compile *c, struct complaint *first)
{
	const struct offsets here = c->offsets;
	int32_t all = -1;

	for (c->tunnel = 0;; c->tunnel++) {
		c->offsets = here;
		c->at = 0;
		c->nesting = 0;
		c->inners = 0;
		c->tunnel_kind = 0;
		c->tunnel_absent = false;
		int32_t tree = bpei_parse_filter(c);
		if (tree >= 0 && c->tunnel_kind)
			tree = bpei_and(c, c->tunnel_guard, tree);
		bpei_complaint_keep(c, first);
		all = bpei_or_optional(c, all, tree);
		if (!c->tunnel_kind || c->tunnel_absent || c->failed)
			return all;
	}
}

/* Parses the expression as parse_shapes, and behind the encapsulations of --through, `levels`
 * deep. */
static int32_t parse_through(struct bpei_compile *c, uint32_t levels, struct complaint *first)
{
	const struct offsets here = c->offsets;
	int32_t all = parse_shapes(c, first);

	for (uint32_t kind = 1; levels && kind <= BPE_THROUGH_GTPU && !c->failed; kind <<= 1)
		for (uint32_t shape = 0; c->through & kind && !c->failed; shape++) {
			int32_t tree = -1;

			c->offsets = here;
			const int32_t guard = bpei_tunnel_enter(c, kind, shape, false, 0);
			if (guard == BPEI_NO_SHAPE)
				break;
			if (guard >= 0)
				tree = parse_through(c, levels - 1, first);
			if (tree >= 0)
				all = bpei_or_optional(c, all, bpei_and(c, guard, tree));
			bpei_complaint_keep(c, first);
		}
	c->offsets = here;
	return all;
}

/* Parses the expression for each shape of the link type's packets.  In some shapes the expression
 * may have no meaning (an Ethernet address on raw IP); then no packet of the shape matches.  If
 * there is no meaning in any shape, the expression is wrong. */
static int32_t parse_expression_text(struct bpei_compile *c, uint32_t link_type)
{
	const bool empty = !c->text[strspn(c->text, " \t\r\n")]; /* all packets, of any shape */
	const uint32_t levels = c->through & 0xff ? LEVELS : 0;
	struct complaint first = { .why = "" };
	int32_t all = -1;
	int32_t guard;

	for (; !c->failed && bpei_terms_init(c, link_type, &guard) == BPE_OK; c->variant++) {
		int32_t tree = parse_through(c, levels, &first);

		if (tree >= 0 && guard >= 0 && !empty)
			tree = bpei_and(c, guard, tree);
		all = bpei_or_optional(c, all, tree);
	}
	return all < 0 || c->failed ? bpei_complaint_raise(c, &first) : all;
}

/* ---- From tree to program ---- */

/* Returns the program of the graph with some tests swapped, if shorter than *n, else NULL. */
static struct bpe_insn *emit_reordered(struct bpei_compile *c, struct graph *g, uint32_t *n)
{
	uint32_t length;

	if (c->unoptimized || g->count > BLOCKS_ORDERED || !bpei_graph_order(g))
		return NULL;
	struct bpe_insn *program = bpei_emit(c, g, &length);
	if (program && length < *n) {
		*n = length;
		return program;
	}
	free(program);
	return NULL;
}

/* Returns the program of the threaded graph, which stays as it is.  NULL: no memory, or
 * c->failed. */
static struct bpe_insn *emit_program(
	struct bpei_compile *c, const struct graph *threaded, uint32_t *n)
{
	struct bpe_insn *program = NULL;
	struct graph g;

	if (!bpei_graph_copy(threaded, &g))
		return NULL;
	if (c->unoptimized || g.count < 3 || bpei_graph_sets(&g, 0))
		program = bpei_emit(c, &g, n);
	if (program) {
		struct bpe_insn *shorter = emit_reordered(c, &g, n);

		if (shorter) {
			free(program);
			program = shorter;
		}
	}
	free(g.blocks);
	return program;
}

/* Returns a wider program for the kernel, in at most `most` instructions; NULL: there is none. */
static struct bpe_insn *emit_wide_program(struct bpei_compile *c, int32_t tree,
	const struct graph *g, uint32_t most, struct bpei_filter *made)
{
	struct graph other = { .count = 0 };
	struct bpe_insn *wide = NULL;

	if (!made->late)
		return bpei_filter_relax(c, g, most, &made->wide_length);
	tree = bpei_or(c, bpei_term_pktap_unknown(c), tree);
	if (tree >= 0 && bpei_graph_make(c, tree, &other) && bpei_graph_thread(c, &other))
		wide = emit_program(c, &other, &made->wide_length);
	if (wide && made->wide_length > most) {
		free(wide);
		wide = bpei_filter_relax(c, &other, most, &made->wide_length);
	}
	free(other.blocks);
	return wide;
}

/* Makes the programs of the tree; on failure made->program is NULL. */
static void make_programs(struct bpei_compile *c, int32_t tree, const struct bpei_kernel *kernel,
	uint32_t most, struct bpei_filter *made)
{
	struct graph g = { .root = WAY_REJECT };
	const bool has_graph = bpei_graph_make(c, tree, &g) &&
			       (c->unoptimized ? bpei_graph_sort(&g) : bpei_graph_thread(c, &g));

	if (has_graph) {
		c->token_at = 0;
		c->token_length = strlen(c->text);
		if (g.root == WAY_REJECT) /* an error, as in libpcap: surely a mistake */
			bpei_compile_fail(c, "the expression rejects all packets");
		else
			made->program = emit_program(c, &g, &made->length);
		made->late = c->process && kernel;
		if (made->program && (made->length > most || made->late))
			made->wide = emit_wide_program(c, tree, &g, most, made);
		if (made->late && !made->wide) {
			free(made->program);
			made->program = NULL;
		}
	}
	free(g.blocks);
}

/* ---- Entries ---- */

/* Returns BPE_OK, or the error of the arguments. */
static int check_compile_arguments(
	const char *expression, const struct bpe_filter_options *o, struct bpe_error *error)
{
	if (!expression || !o)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"an expression, and places for the program and its length, are wanted");
	if (strlen(expression) > TEXT_MOST)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"the expression is longer than %u bytes", TEXT_MOST);
	if (o->through & ~0x1ffu)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"through has bits that are no BPE_THROUGH_");
	if (o->link_type < 0 || o->link_type > UINT16_MAX)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "filter", 0,
			"no link type has number %d: they go from 0 to %d", o->link_type,
			UINT16_MAX);
	return BPE_OK;
}

int bpei_compile_for(const char *expression, const struct bpe_filter_options *o,
	const struct bpei_kernel *kernel, uint32_t most, struct bpei_filter *filter,
	struct bpe_error *error)
{
	struct bpei_filter made = { .length = 0 };
	int status = check_compile_arguments(expression, o, error);

	if (status < 0)
		return status;
	const uint32_t snaplen = o->snaplen ? o->snaplen : BPE_MAX_SNAPLEN;
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
		.snaplen = snaplen };
	const int32_t tree = parse_expression_text(&c, (uint32_t)o->link_type);
	if (tree >= 0 && !c.failed)
		make_programs(&c, tree, kernel, most, &made);
	if (!made.program && !c.failed) {
		c.out_of_memory = true;
		c.failed = true;
	}
	if (c.failed) {
		status = report_compile_error(&c, error);
		free(made.program);
		free(made.wide);
	} else {
		*filter = made;
	}
	bpei_compile_free(&c);
	return status;
}

void bpe_filter_options_init_sized(struct bpe_filter_options *options, size_t bytes)
{
	const struct bpe_filter_options defaults = { .struct_size = (uint32_t)bytes,
		.link_type = LINK_ETHERNET };

	bpei_sized_give(options, bytes, &defaults, sizeof defaults);
}

int bpei_filter_options_take(struct bpe_filter_options *copy,
	const struct bpe_filter_options *given, struct bpe_error *error)
{
	bpe_filter_options_init(copy);
	return bpei_sized_take(copy, sizeof *copy, given, "bpe_filter_options_init", error);
}

int bpe_filter_compile_with(const char *expression, const struct bpe_filter_options *options,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	const struct bpei_kernel *kernel = NULL;
	struct bpe_filter_options o;
	struct bpei_filter f;

	if (!options || !program || !length)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"an expression, and places for the program and its length, are wanted");
	int status = bpei_filter_options_take(&o, options, error);

	if (status < 0)
		return status;
	if (o.kernel) {
		kernel = bpei_kernel_find_or_fail(o.kernel, error);
		if (!kernel)
			return BPE_E_ARGUMENT;
	}
	const uint32_t most = kernel ? kernel->most : UINT32_MAX;

	status = bpei_compile_for(expression, &o, kernel, most, &f, error);
	if (status < 0)
		return status;
	if (kernel) {
		struct bpei_kernel_program fit;

		status = bpei_filter_fit(kernel, &f, most, BPE_MAX_SNAPLEN, &fit);
		free(f.program);
		free(f.wide);
		if (status < 0)
			return bpei_fail(error, status, "filter", 0, "no memory for the filter");
		f.program = fit.program;
		f.length = fit.length;
	}
	*program = f.program;
	*length = f.length;
	return BPE_OK;
}

int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen,
	struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	const struct bpe_filter_options o = {
		.struct_size = sizeof o, .link_type = link_type, .snaplen = snaplen
	};

	return bpe_filter_compile_with(expression, &o, program, length, error);
}

void bpe_filter_free(struct bpe_insn *program)
{
	free(program);
}
