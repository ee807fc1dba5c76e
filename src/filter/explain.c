/* SPDX-License-Identifier: MIT */
/* Explains an expression in words: the phrases of its terms, joined as in the expression;
 * the cost of the program; and how much of the filter each kernel can run. */
#include "base/error.h"
#include "filter/kernel.h"
#include "filter/opcodes.h"
#include "filter/phrases.h"
#include "names/numbers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MOST 12u /* parts of a row */
#define INDENT_MOST 60u
#define SENTENCE_BYTES 256

/* ---- Text ---- */

/* A growing text. */
struct long_text {
	char *s;
	size_t used, room;
	bool failed;
};

static void add_text(struct long_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_text(struct long_text *t, const char *format, ...)
{
	va_list args;

	for (int attempt = 0; attempt < 2 && !t->failed; attempt++) {
		const size_t left = t->s ? t->room - t->used : 0;

		va_start(args, format);
		const int n = vsnprintf(t->s ? t->s + t->used : NULL, left, format, args);
		va_end(args);
		if (n < 0) {
			t->failed = true;
		} else if ((size_t)n < left) {
			t->used += (size_t)n;
			return;
		} else {
			const size_t room = (t->room + (size_t)n) * 2 + 256;
			char *s = realloc(t->s, room);

			t->failed = !s;
			if (s) {
				t->s = s;
				t->room = room;
			}
		}
	}
}

/* ---- The tree in words ---- */

struct explanation {
	const struct bpei_compile *c;
	char **of_node; /* each node's phrase, or NULL */
	struct long_text *to;
};

static void explain_node(const struct explanation *e, int32_t n, uint32_t indent);

static void add_indented_line(const struct explanation *e, uint32_t indent, const char *text)
{
	add_text(e->to, "%*s%s\n", (int)indent * 2, "", text);
}

/* Explains the parts joined by "and" or "or", each on a line.  The left side of a node is a row of
 * the same kind. */
static void explain_row(const struct explanation *e, int32_t n, uint8_t kind, uint32_t indent)
{
	const struct node *nodes = e->c->nodes;
	uint32_t count = 1;
	int32_t at = n;

	for (; nodes[at].kind == kind && !e->of_node[at]; at = nodes[at].left)
		count++;
	int32_t *parts = malloc(count * sizeof *parts);
	if (!parts) {
		e->to->failed = true;
		return;
	}
	at = n;
	for (uint32_t i = count; i-- > 1; at = nodes[at].left)
		parts[i] = nodes[at].right;
	parts[0] = at;
	const uint32_t shown = count <= SHOWN_MOST + 2 ? count : SHOWN_MOST;
	add_indented_line(e, indent, kind == NODE_AND ? "all of" : "any of");
	for (uint32_t i = 0; i < shown; i++)
		explain_node(e, parts[i], indent + 1);
	if (shown < count)
		add_text(e->to, "%*s... and %u more like these\n", (int)(indent + 1) * 2, "",
			count - shown);
	free(parts);
}

static void explain_negation(const struct explanation *e, int32_t n, uint32_t indent)
{
	if (e->of_node[n]) {
		add_text(e->to, "%*snot: %s\n", (int)indent * 2, "", e->of_node[n]);
	} else {
		add_indented_line(e, indent, "none of what follows:");
		explain_node(e, n, indent + 1);
	}
}

static void explain_node(const struct explanation *e, int32_t n, uint32_t indent)
{
	const struct node *t = &e->c->nodes[n];

	if (e->to->failed || indent > INDENT_MOST)
		return;
	if (e->of_node[n])
		add_indented_line(e, indent, e->of_node[n]);
	else if (t->kind == NODE_NOT)
		explain_negation(e, t->left, indent);
	else if (t->kind == NODE_AND || t->kind == NODE_OR)
		explain_row(e, n, t->kind, indent);
	else if (t->kind == NODE_CONST && t->value)
		add_indented_line(e, indent, "everything");
	else
		add_indented_line(e, indent, "a test of the packet's bytes");
}

/* Explains the tree with the phrases noted for its nodes. */
static void explain_tree(struct long_text *t, const struct bpei_compile *c, int32_t tree)
{
	struct explanation e = { c, calloc((size_t)c->node_count + 1, sizeof(char *)), t };

	if (!e.of_node) {
		t->failed = true;
		return;
	}
	for (uint32_t i = 0; i < c->phrases->count; i++)
		if (c->phrases->list[i].node < c->node_count)
			e.of_node[c->phrases->list[i].node] = c->phrases->list[i].text;
	if (tree >= 0)
		explain_node(&e, tree, 1);
	free(e.of_node);
}

/* Explains the expression in the first shape of the packet with a meaning. */
static void explain_expression(
	struct long_text *t, const char *expression, const struct bpe_filter_options *o)
{
	struct bpei_phrases phrases = { .count = 0 };
	struct bpei_compile c = { .text = expression,
		.no_names = o->no_names,
		.through = o->through,
		.pktap = o->link_type == LINK_PKTAP,
		.netmask = o->netmask,
		.has_netmask = o->has_netmask,
		.phrases = &phrases };
	const uint32_t link_type = (uint32_t)o->link_type;
	int32_t guard, tree = -1;

	while (tree < 0 && !c.final && bpei_terms_init(&c, link_type, &guard) == BPE_OK) {
		c.at = 0;
		c.nesting = 0;
		c.inners = 0;
		c.tunnel_kind = 0;
		c.failed = false;
		tree = bpei_parse_filter(&c);
		c.variant++;
	}
	explain_tree(t, &c, tree);
	for (uint32_t i = 0; i < phrases.count; i++)
		free(phrases.list[i].text);
	free(phrases.list);
	bpei_compile_free(&c);
}

static void explain_through(struct long_text *t, uint32_t through)
{
	static const char *const names[] = { "a VLAN tag", "MPLS labels", "PPPoE", "GRE",
		"IP in IP", "VXLAN", "Geneve", "GTP-U" };
	const char *between = "";

	if (through & 0xff) {
		add_text(t, "or match so behind one or two of: ");
		for (uint32_t i = 0; i < sizeof names / sizeof *names; i++)
			if (through >> i & 1) {
				add_text(t, "%s%s", between, names[i]);
				between = ", ";
			}
		add_text(t, "\n");
	}
	if (through & BPE_THROUGH_IPV6_EXT)
		add_text(t,
			"(protocols and ports over IPv6 hold behind up to %d extension headers, too)\n",
			BPEI_EXTENSIONS);
}

/* ---- The program's cost ---- */

/* Instructions run for a packet, and loads from the packet, from an instruction on. */
struct program_cost {
	uint32_t most, least, loads;
};

static uint32_t larger_of(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static struct program_cost join_costs(const struct program_cost *a, const struct program_cost *b)
{
	return (struct program_cost){ larger_of(a->most, b->most),
		a->least < b->least ? a->least : b->least, larger_of(a->loads, b->loads) };
}

/* Stores the program's cost in *cost.  Returns false if there is no memory. */
static bool compute_cost(const struct bpe_insn *p, uint32_t n, struct program_cost *cost)
{
	struct program_cost *c = calloc(n, sizeof *c);

	if (!c)
		return false;
	for (uint32_t i = n; i--;) {
		struct program_cost next = { 0, 0, 0 };

		if (p[i].code == INSN_JA)
			next = c[i + 1 + p[i].k];
		else if (bpei_insn_is_jump(&p[i]))
			next = join_costs(&c[i + 1 + p[i].jt], &c[i + 1 + p[i].jf]);
		else if (!bpei_insn_is_return(&p[i]))
			next = c[i + 1];
		c[i] = (struct program_cost){ next.most + 1, next.least + 1,
			next.loads + (bpei_insn_reads_packet(&p[i]) ? 1 : 0) };
	}
	*cost = c[0];
	free(c);
	return true;
}

static void explain_cost(struct long_text *t, const struct bpei_filter *f)
{
	struct program_cost cost;

	if (!compute_cost(f->program, f->length, &cost)) {
		t->failed = true;
		return;
	}
	const char *insns_end = f->length == 1 ? "" : "s";
	const char *loads_end = cost.loads == 1 ? "" : "s";
	add_text(t,
		"\nCost\n  %u instruction%s; a packet takes %u to %u, with at most %u load%s from it\n",
		f->length, insns_end, cost.least, cost.most, cost.loads, loads_end);
}

/* ---- Kernels ---- */

/* Describes how much of the filter the kernel runs; an empty text if there is no memory. */
static void describe_kernel(
	const struct bpei_kernel *k, const struct bpei_filter *f, char to[SENTENCE_BYTES])
{
	struct bpei_kernel_program fit;

	to[0] = 0;
	if (bpei_filter_fit(k, f, k->given, BPE_MAX_SNAPLEN, &fit) < 0)
		return;
	if (fit.exact)
		snprintf(to, SENTENCE_BYTES,
			"the kernel does all of it, in %u of at most %u instructions", fit.length,
			k->given);
	else
		snprintf(to, SENTENCE_BYTES,
			"the kernel is given a wider filter, %u of at most %u instructions (%s); what that lets through is filtered here",
			fit.length, k->given, fit.why);
	free(fit.program);
}

/* Adds the sentences; kernels with the same sentence share a line. */
static void add_kernel_lines(struct long_text *t, char sentences[BPEI_KERNELS][SENTENCE_BYTES])
{
	for (int k = 0; k < BPEI_KERNELS; k++) {
		if (!sentences[k][0])
			continue;
		add_text(t, "  %s", bpei_kernels[k].title);
		for (int other = k + 1; other < BPEI_KERNELS; other++)
			if (!strcmp(sentences[k], sentences[other])) {
				add_text(t, ", %s", bpei_kernels[other].title);
				sentences[other][0] = 0;
			}
		add_text(t, ": %s\n", sentences[k]);
	}
}

/* Explains the part of each kernel, or only of `chosen`.  Returns BPE_OK or an error. */
static int explain_kernels(struct long_text *t, const char *expression,
	const struct bpe_filter_options *o, const struct bpei_kernel *chosen,
	struct bpe_error *error)
{
	char sentences[BPEI_KERNELS][SENTENCE_BYTES] = { "" };

	add_text(t, "\nWhere it runs\n");
	if (!chosen)
		add_text(t, "  savefiles: all of it here\n");
	for (int k = 0; k < BPEI_KERNELS && !t->failed; k++) {
		const struct bpei_kernel *kernel = &bpei_kernels[k];
		struct bpei_filter f;

		if (chosen && chosen != kernel)
			continue;
		const int status =
			bpei_compile_for(expression, o, kernel, kernel->given, &f, error);
		if (status < 0)
			return status;
		describe_kernel(kernel, &f, sentences[k]);
		t->failed |= !sentences[k][0];
		free(f.program);
		free(f.wide);
	}
	add_kernel_lines(t, sentences);
	return BPE_OK;
}

int bpe_filter_explain(const char *expression, const struct bpe_filter_options *options,
	char **text, struct bpe_error *error)
{
	struct bpe_filter_options o;
	const struct bpei_kernel *kernel = NULL;
	struct long_text t = { .s = NULL };
	struct bpei_filter f;

	if (!options || !text)
		return bpei_fail(error, BPE_E_ARGUMENT, "filter", 0,
			"options, and a place for the text, are wanted");
	int status = bpei_filter_options_take(&o, options, error);

	if (status < 0)
		return status;
	if (o.kernel) {
		kernel = bpei_kernel_find_or_fail(o.kernel, error);
		if (!kernel)
			return BPE_E_ARGUMENT;
	}
	status = bpei_compile_for(expression, &o, kernel, UINT32_MAX, &f, error);
	if (status < 0)
		return status;
	const char *name = bpe_link_type_name(o.link_type);
	add_text(&t, "Packets of link type %s match that are\n", name ? name : "of that number");
	explain_expression(&t, expression, &o);
	explain_through(&t, o.through);
	explain_cost(&t, &f);
	free(f.program);
	free(f.wide);
	status = explain_kernels(&t, expression, &o, kernel, error);
	if (t.failed)
		status = bpei_fail(
			error, BPE_E_MEMORY, "filter", 0, "no memory for the explanation");
	if (status < 0)
		free(t.s);
	else
		*text = t.s;
	return status;
}

void bpe_filter_text_free(char *text)
{
	free(text);
}
