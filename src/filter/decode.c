/* SPDX-License-Identifier: MIT */
/* Making a checked program ready (ops.h).  Jumps lead forward only, so one pass in order sees
 * every way to an instruction before the instruction itself.  Linear in time and memory but for the
 * sorting of chains: n log n.
 *
 * A load that succeeds proves the packet to be at least so long, for all that comes after it; X is
 * never negative, and X + k does not run over in a load that succeeds, so one at X + k proves what
 * one at k would. */
#include "filter/decode.h"

#include "filter/ops.h"

#include <stdlib.h>

#define CHAIN_LEAST 6u /* tests of a chain that are searched, not tried in turn */
#define UNSEEN UINT32_MAX

enum {
	LD_W = 0x00,
	LD_H = 0x08,
	LD_B = 0x10,
	AND_K = 0x54,
	JA = 0x05,
	JEQ_K = 0x15,
	LDX_MSH = 0xb1
};

struct work {
	const struct bpe_insn *p;
	uint32_t n;
	uint32_t *proved; /* bytes that every packet here has; UNSEEN: no way leads here */
	bool *chained;    /* a search does this test */
	struct bpei_decoded *to;
	uint32_t keys;
};

static bool is_jump_k(const struct bpe_insn *i)
{
	return (i->code & 7) == 5 && i->code != JA && !(i->code & 8);
}
static bool is_load(const struct bpe_insn *i)
{
	return !(i->code & 7) && ((i->code & 0xe0) == 0x20 || (i->code & 0xe0) == 0x40);
}
static uint32_t size_of(const struct bpe_insn *i)
{
	return (i->code & 0x18) == LD_B ? 1 : (i->code & 0x18) == LD_H ? 2 : 4;
}

/* Where a jump that ends at `at` leads, past jumps that always jump. */
static uint32_t past(const struct work *w, uint32_t at)
{
	for (int turns = 0; w->p[at].code == JA && turns < 16; turns++)
		at += 1 + w->p[at].k;
	return at;
}

/* ---- What is proved ---- */

static void flows_to(struct work *w, uint32_t at, uint32_t bytes)
{
	if (w->proved[at] > bytes)
		w->proved[at] = bytes; /* UNSEEN is the greatest */
}

static void prove(struct work *w)
{
	for (uint32_t i = 0; i < w->n; i++)
		w->proved[i] = i ? UNSEEN : 0;
	for (uint32_t at = 0; at < w->n; at++) {
		const struct bpe_insn *i = &w->p[at];
		uint64_t bytes = w->proved[at], loads = is_load(i) ? (uint64_t)i->k + size_of(i)
							: i->code == LDX_MSH ? (uint64_t)i->k + 1
									     : 0;
		if (bytes == UNSEEN)
			continue;
		if (loads > bytes)
			bytes = loads < UNSEEN ? loads : UNSEEN - 1;
		if ((i->code & 7) == 6)
			continue;
		if (i->code == JA)
			flows_to(w, at + 1 + i->k, (uint32_t)bytes);
		else if ((i->code & 7) == 5)
			flows_to(w, at + 1 + i->jt, (uint32_t)bytes),
				flows_to(w, at + 1 + i->jf, (uint32_t)bytes);
		else
			flows_to(w, at + 1, (uint32_t)bytes);
	}
}

/* ---- Chains: if A == k1 go there, else if A == k2 ... ---- */

static int by_key(const void *a, const void *b)
{
	const struct bpei_key *x = a, *y = b;
	return (x->k > y->k) - (x->k < y->k);
}

/* The test at `at` as the first of a chain: true if it became a search.  Each test is searched from
 * one place at most. */
static bool chain(struct work *w, uint32_t at)
{
	uint32_t n = 0, next = at, kept = 0;
	struct bpei_key *keys = w->to->keys + w->keys;
	if (w->chained[at])
		return false;
	for (; w->p[next].code == JEQ_K && !w->chained[next];
		next = past(w, next + 1 + w->p[next].jf))
		n++;
	if (n < CHAIN_LEAST)
		return false;
	n = 0;
	for (uint32_t i = at; i != next; i = past(w, i + 1 + w->p[i].jf)) {
		keys[n++] = (struct bpei_key){ w->p[i].k, past(w, i + 1 + w->p[i].jt) };
		w->chained[i] = true;
	}
	/* Of equal keys the first test wins, which the sorted ones cannot tell: where it matters
	 * the tests stay as they are. */
	qsort(keys, n, sizeof *keys, by_key);
	for (uint32_t i = 1; i < n; i++)
		if (keys[i].k == keys[i - 1].k && keys[i].to != keys[i - 1].to)
			return false;
	for (uint32_t i = 0; i < n; i++)
		if (!kept || keys[kept - 1].k != keys[i].k)
			keys[kept++] = keys[i];
	w->to->steps[at] =
		(struct bpei_step){ .code = STEP_SEARCH, .at = w->keys, .k = kept, .no = next };
	w->keys += n;
	return true;
}

/* ---- Steps ---- */

static uint32_t comparison(const struct bpe_insn *i)
{
	return (i->code >> 4) & 7;
} /* EQ 1, GT 2, GE 3, SET 4; as in BPEI_TESTS */

static void jump(struct bpei_step *s, const struct work *w, uint32_t at)
{
	s->k = w->p[at].k;
	s->yes = past(w, at + 1 + w->p[at].jt);
	s->no = past(w, at + 1 + w->p[at].jf);
}

/* From instruction `at` on: [AND #mask] [comparison with #k], each if it is there; its code's
 * distance from the GO one. */
static uint32_t tail(struct bpei_step *s, const struct work *w, uint32_t at)
{
	s->mask = UINT32_MAX;
	if (at < w->n && w->p[at].code == AND_K)
		s->mask = w->p[at++].k;
	if (is_jump_k(&w->p[at]) && w->to->steps[at].code != STEP_SEARCH) {
		jump(s, w, at);
		return comparison(&w->p[at]);
	}
	s->yes = s->no = past(w, at);
	return 0;
}

static void load_step(struct bpei_step *s, const struct work *w, uint32_t at)
{
	const struct bpe_insn *i = &w->p[at];
	uint32_t code, size = size_of(i);
	uint64_t end = (uint64_t)i->k + size;
	if ((i->code & 0xe0) == 0x40)
		code = STEP_IND4_GO;
	else
		code = end <= w->proved[at] && w->proved[at] != UNSEEN ? STEP_FREE4_GO
								       : STEP_ABS4_GO;
	s->at = i->k;
	s->need = (uint32_t)end;
	if (code == STEP_ABS4_GO && end > UINT32_MAX) { /* no packet is so long */
		s->code = STEP_RET;
		s->k = 0;
		return;
	}
	s->code = code + (size == 4 ? 0 : size == 2 ? 5 : 10) + tail(s, w, at + 1);
}

static void msh_step(struct bpei_step *s, const struct work *w, uint32_t at)
{
	const struct bpe_insn *i = &w->p[at];
	bool proved = w->proved[at] != UNSEEN && i->k < w->proved[at];
	if (i->k == UINT32_MAX) {
		s->code = STEP_RET;
		s->k = 0;
		return;
	}
	if (is_load(i + 1) && (i[1].code & 0xe0) == 0x40) {
		load_step(s, w, at + 1);
		s->code += STEP_MSH4_GO - STEP_IND4_GO;
	} else {
		s->code = STEP_X_MSH;
		s->yes = past(w, at + 1);
	}
	s->msh = i->k;
	s->need = proved ? 0 : i->k + 1;
}

static uint32_t plain_code(uint16_t code)
{
	switch (code) {
	case 0x80:
		return STEP_LEN;
	case 0x81:
		return STEP_X_LEN;
	case 0x00:
		return STEP_IMM;
	case 0x01:
		return STEP_X_IMM;
	case 0x60:
		return STEP_MEM;
	case 0x61:
		return STEP_X_MEM;
	case 0x02:
		return STEP_ST;
	case 0x03:
		return STEP_STX;
	case 0x04:
		return STEP_ADD;
	case 0x0c:
		return STEP_ADD_X;
	case 0x14:
		return STEP_SUB;
	case 0x1c:
		return STEP_SUB_X;
	case 0x24:
		return STEP_MUL;
	case 0x2c:
		return STEP_MUL_X;
	case 0x34:
		return STEP_DIV;
	case 0x3c:
		return STEP_DIV_X;
	case 0x94:
		return STEP_MOD;
	case 0x9c:
		return STEP_MOD_X;
	case 0x44:
		return STEP_OR;
	case 0x4c:
		return STEP_OR_X;
	case 0x5c:
		return STEP_AND_X;
	case 0xa4:
		return STEP_XOR;
	case 0xac:
		return STEP_XOR_X;
	case 0x64:
		return STEP_LSH;
	case 0x6c:
		return STEP_LSH_X;
	case 0x74:
		return STEP_RSH;
	case 0x7c:
		return STEP_RSH_X;
	case 0x84:
		return STEP_NEG;
	case 0x07:
		return STEP_TAX;
	case 0x87:
		return STEP_TXA;
	case 0x1d:
		return STEP_EQ_X;
	case 0x2d:
		return STEP_GT_X;
	case 0x3d:
		return STEP_GE_X;
	case 0x4d:
		return STEP_SET_X;
	default:
		return 0; /* no checked program has it */
	}
}

static void step(struct work *w, uint32_t at)
{
	struct bpei_step *s = &w->to->steps[at];
	const struct bpe_insn *i = &w->p[at];
	if (s->code == STEP_SEARCH)
		return;
	*s = (struct bpei_step){ .k = i->k };
	if ((i->code & 7) == 6)
		s->code = i->code == 0x06 ? STEP_RET : STEP_RET_A;
	else if (is_load(i))
		load_step(s, w, at);
	else if (i->code == LDX_MSH)
		msh_step(s, w, at);
	else if (i->code == AND_K || is_jump_k(i))
		s->code = STEP_TEST_GO + tail(s, w, at);
	else if (i->code == JA)
		s->code = STEP_TEST_GO, s->mask = UINT32_MAX, s->yes = s->no = past(w, at);
	else if ((i->code & 7) == 5)
		s->code = plain_code(i->code), jump(s, w, at);
	else
		s->code = plain_code(i->code), s->yes = past(w, at + 1);
	if (i->code == 0x60 || i->code == 0x61)
		w->to->memory = true;
}

struct bpei_decoded *bpei_decode(const struct bpe_insn *program, uint32_t length)
{
	struct work w = { .p = program, .n = length };
	w.proved = malloc(length * sizeof *w.proved);
	w.chained = calloc(length, sizeof *w.chained);
	w.to = calloc(1, sizeof *w.to + length * (sizeof *w.to->steps + sizeof *w.to->keys));
	if (w.proved && w.chained && w.to) {
		w.to->keys = (struct bpei_key *)(void *)(w.to->steps + length);
		prove(&w);
		for (uint32_t i = 0; i < length; i++)
			if (program[i].code == JEQ_K)
				chain(&w, i);
		for (uint32_t i = 0; i < length; i++)
			step(&w, i);
	} else {
		free(w.to);
		w.to = NULL;
	}
	free(w.proved), free(w.chained);
	return w.to;
}

void bpei_decoded_free(struct bpei_decoded *p)
{
	free(p);
}
