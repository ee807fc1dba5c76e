/* SPDX-License-Identifier: MIT */
/* From text to program: the one door to the compiler. */
#include "base/error.h"
#include "filter/tree.h"

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

/* The expression's tree.  Where packets of a link type come in several shapes it is read for each of them; a shape in which it has no
 * meaning (an Ethernet address on raw IP) has no packet that matches, unless it has none in all of them. */
static int32_t parse(struct bpei_compile *c, uint32_t link_type)
{
	int32_t all = -1, guard;
	bool empty = !c->text[strspn(c->text, " \t\r\n")];	/* everything, of any shape */
	struct bpei_compile first = { .failed = false };
	for (int r; (r = bpei_terms_init(c, link_type, &guard)) != 1; c->variant++) {
		if (r < 0) return bpei_compile_fail(c, "no filters for this link type");
		c->at = c->nesting = 0;
		int32_t tree = bpei_parse_filter(c);
		if (c->out_of_memory) return -1;
		if (tree >= 0 && guard >= 0 && !empty) tree = bpei_and(c, guard, tree);
		if (tree >= 0) all = all < 0 ? tree : bpei_or(c, all, tree);
		else if (!first.failed) first = *c;
		c->failed = false;
	}
	if (all < 0) c->failed = first.failed, memcpy(c->why, first.why, sizeof c->why), c->why_at = first.why_at, c->why_length = first.why_length;
	return all;
}

int bpe_filter_compile(const char *expression, int link_type, uint32_t snaplen, struct bpe_insn **program, uint32_t *length, struct bpe_error *error)
{
	struct bpei_compile c = { .text = expression, .snaplen = snaplen ? snaplen : BPE_MAX_SNAPLEN };
	struct graph g = { .root = WAY_REJECT };
	struct bpe_insn *made = NULL;
	uint32_t n = 0;
	if (!expression || !program || !length) return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "an expression, and places for the program and its length, are wanted");
	if (strlen(expression) > TEXT_MOST) return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0, "the expression is longer than %u bytes", TEXT_MOST);
	const char *name = bpe_link_type_name(link_type);
	int32_t guard, tree = -1;
	if (link_type < 0 || bpei_terms_init(&c, (uint32_t)link_type, &guard) == BPE_E_UNSUPPORTED) {
		free(c.values), free(c.value_table), free(c.nodes);
		return bpei_fail(error, BPE_E_UNSUPPORTED, "filter", 0, "no filters can be written for packets of link type %s: read them without one", name ? name : "of that number");
	}
	tree = parse(&c, (uint32_t)link_type);
	if (tree >= 0 && !c.failed && bpei_graph_make(&c, tree, &g) && bpei_graph_thread(&c, &g)) {
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
	return r;
}

void bpe_filter_free(struct bpe_insn *program) { free(program); }
