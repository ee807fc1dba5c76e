/* SPDX-License-Identifier: MIT */
/* From text to program: the one door to the compiler. */
#include "base/error.h"
#include "filter/resolve.h"
#include "filter/terms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST (1u << 20)

/* Why it failed, with the place pointed at: the words around it, and a caret below. */
static int told(const struct bpei_compile *c, struct bpe_error *error)
{
	if (c->out_of_memory) return bpei_fail(error, BPE_E_MEMORY, "filter", 0, "no memory for the filter");
	size_t at = c->why_at, from = at > 40 ? at - 40 : 0, length = strlen(c->text), shown = length - from > 70 ? 70 : length - from;
	char line[80], caret[80];
	for (size_t i = 0; i < shown; i++) line[i] = (unsigned char)c->text[from + i] < ' ' ? ' ' : c->text[from + i];
	line[shown] = 0;
	size_t n = c->why_length ? c->why_length : 1, begin = at - from;
	if (begin > 70) begin = 70;
	if (begin + n > 72) n = 72 - begin;
	memset(caret, ' ', begin);
	memset(caret + begin, '^', n);
	caret[begin + n] = 0;
	return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "%.90s\n  %s\n  %s", c->why, line, caret);
}

#define LEVELS 2	/* encapsulations behind each other that --through looks into */

/* The expression with the offsets as they are.  With a geneve or vxlan in it: for each shape that the packet may have there, and for none. */
static int32_t as_written(struct bpei_compile *c, struct complaint *w)
{
	const struct offsets here = c->offsets;
	int32_t all = -1;
	for (c->tunnel = 0;; c->tunnel++) {
		c->offsets = here;
		c->at = c->nesting = c->inners = c->tunnel_kind = 0;
		c->tunnel_last = false;
		int32_t tree = bpei_parse_filter(c);
		if (tree >= 0 && c->tunnel_kind) tree = bpei_and(c, c->tunnel_guard, tree);
		bpei_complaint_keep(c, w);
		all = bpei_either(c, all, tree);
		if (!c->tunnel_kind || c->tunnel_last || c->failed) return all;
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
			if (guard == BPEI_NO_SHAPE) break;
			if (guard >= 0) tree = through(c, levels - 1, w);
			if (tree >= 0) all = bpei_either(c, all, bpei_and(c, guard, tree));
			bpei_complaint_keep(c, w);
		}
	c->offsets = here;
	return all;
}

/* The expression's tree.  Where packets of a link type come in several shapes it is read for each of them; a shape in which it has no
 * meaning (an Ethernet address on raw IP) has no packet that matches, unless it has none in all of them. */
static int32_t parse(struct bpei_compile *c, uint32_t link_type)
{
	int32_t all = -1, guard;
	struct complaint first = { .why = "" };
	bool empty = !c->text[strspn(c->text, " \t\r\n")];	/* everything, of any shape */
	for (; !c->failed && bpei_terms_init(c, link_type, &guard) == BPE_OK; c->variant++) {
		int32_t tree = through(c, c->through ? LEVELS : 0, &first);
		if (tree >= 0 && guard >= 0 && !empty) tree = bpei_and(c, guard, tree);
		all = bpei_either(c, all, tree);
	}
	return all < 0 || c->failed ? bpei_complaint_say(c, &first) : all;
}

void bpe_filter_options_init(struct bpe_filter_options *o) { *o = (struct bpe_filter_options){ .link_type = 1 }; }

int bpe_filter_compile_with(const char *expression, const struct bpe_filter_options *o, struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	struct graph g = { .root = WAY_REJECT };
	struct bpe_insn *made = NULL;
	uint32_t n = 0;
	if (!expression || !o || !program || !length)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "an expression, and places for the program and its length, are wanted");
	if (strlen(expression) > TEXT_MOST) return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "the expression is longer than %u bytes", TEXT_MOST);
	if (o->through & ~0xffu) return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "through has bits that are no BPE_THROUGH_");
	struct bpei_compile c = { .text = expression, .snaplen = o->snaplen ? o->snaplen : BPE_MAX_SNAPLEN, .through = o->through, .netmask = o->netmask,
		.has_netmask = o->has_netmask, .pktap = o->link_type == LINK_PKTAP, .unoptimized = o->unoptimized };
	const char *name = bpe_link_type_name(o->link_type);
	int32_t guard, tree = -1;
	if (o->link_type < 0 || bpei_terms_init(&c, (uint32_t)o->link_type, &guard) == BPE_E_UNSUPPORTED) {
		free(c.values), free(c.value_table), free(c.nodes);
		return bpei_fail(error, BPE_E_UNSUPPORTED, "filter", 0, "no filters can be written for packets of link type %s: read them without one", name ? name : "of that number");
	}
	tree = parse(&c, (uint32_t)o->link_type);
	if (tree >= 0 && !c.failed && bpei_graph_make(&c, tree, &g) && (c.unoptimized ? bpei_graph_sort(&g) : bpei_graph_thread(&c, &g))) {
		c.token_at = c.token_length = 0;
		if (g.root == WAY_REJECT) bpei_compile_fail(&c, "the expression rejects all packets");	/* as libpcap: surely not what was meant */
		else made = bpei_emit(&c, &g, &n);
	}
	if (!made && !c.failed) {
		c.out_of_memory = true;
		c.failed = true;
	}
	int r = c.failed ? told(&c, error) : BPE_OK;
	if (r < 0) free(made);
	else *program = made, *length = n;
	free(g.blocks), free(c.values), free(c.value_table), free(c.nodes);
	bpei_resolve_free(&c);
	return r;
}

int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen, struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	const struct bpe_filter_options o = { .link_type = link_type, .snaplen = snaplen };
	return bpe_filter_compile_with(expression, &o, program, length, error);
}

void bpe_filter_free(struct bpe_insn *program) { free(program); }
