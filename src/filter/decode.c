/* SPDX-License-Identifier: MIT */
/* Decodes a checked program into steps (ops.h).  Jumps lead forward only, so a single pass
 * in order sees every path to an instruction before the instruction.  Linear in time and memory,
 * but for the sorting of chains: n log n.
 *
 * A successful load proves a least length of the packet, for everything that follows.  X is never
 * negative, and X + k does not overflow in a successful load.  So a load at X + k proves as much as
 * a load at k. */
#include "filter/decode.h"

#include "filter/opcodes.h"
#include "filter/ops.h"

#include <stdlib.h>

#define CHAIN_LEAST 6u /* a shorter chain of tests is run test by test */
#define FOLLOW_MOST 16 /* unconditional jumps followed from a target on */
#define UNSEEN UINT32_MAX

struct decoder {
	const struct bpe_insn *p;
	uint32_t n;
	uint32_t *proved; /* bytes of every packet that comes here; UNSEEN: no path */
	bool *chained;    /* a search does this test */
	struct bpei_decoded *to;
	uint32_t keys;
};

static bool is_constant_test(const struct bpe_insn *i)
{
	return bpei_insn_is_jump(i) && i->code != INSN_JA && !(i->code & INSN_X);
}

static bool is_load_to_a(const struct bpe_insn *i)
{
	return bpei_insn_reads_packet(i) && bpei_insn_class(i) == INSN_LD;
}

static uint32_t packet_load_size(const struct bpe_insn *i)
{
	switch (i->code & INSN_SIZE) {
	case SIZE_B:
		return 1;
	case SIZE_H:
		return 2;
	default:
		return 4;
	}
}

/* Returns the instruction reached by a jump to `at`, past unconditional jumps. */
static uint32_t follow_jumps(const struct decoder *d, uint32_t at)
{
	for (int turns = 0; d->p[at].code == INSN_JA && turns < FOLLOW_MOST; turns++)
		at += 1 + d->p[at].k;
	return at;
}

/* ---- Proved lengths ---- */

/* Records that a path with `bytes` proved leads to `at`. */
static void join_proved_path(struct decoder *d, uint32_t at, uint32_t bytes)
{
	if (d->proved[at] > bytes)
		d->proved[at] = bytes; /* UNSEEN is the greatest number */
}

/* Returns how many bytes the packet has behind the instruction, if `before` were proved. */
static uint32_t proved_behind(const struct bpe_insn *i, uint32_t before)
{
	uint64_t needs = 0;

	if (is_load_to_a(i))
		needs = (uint64_t)i->k + packet_load_size(i);
	else if (i->code == INSN_LDX_MSH)
		needs = (uint64_t)i->k + 1;
	if (needs <= before)
		return before;
	return needs < UNSEEN ? (uint32_t)needs : UNSEEN - 1;
}

static void prove_lengths(struct decoder *d)
{
	for (uint32_t i = 0; i < d->n; i++)
		d->proved[i] = i ? UNSEEN : 0;
	for (uint32_t at = 0; at < d->n; at++) {
		const struct bpe_insn *i = &d->p[at];

		if (d->proved[at] == UNSEEN || bpei_insn_is_return(i))
			continue;
		const uint32_t bytes = proved_behind(i, d->proved[at]);
		if (i->code == INSN_JA) {
			join_proved_path(d, at + 1 + i->k, bytes);
		} else if (bpei_insn_is_jump(i)) {
			join_proved_path(d, at + 1 + i->jt, bytes);
			join_proved_path(d, at + 1 + i->jf, bytes);
		} else {
			join_proved_path(d, at + 1, bytes);
		}
	}
}

/* ---- Chains: if A == k1 go there, else if A == k2 ... ---- */

static int compare_keys(const void *a, const void *b)
{
	const struct bpei_key *x = a;
	const struct bpei_key *y = b;

	return (x->k > y->k) - (x->k < y->k);
}

/* Returns the instruction behind the test's "no". */
static uint32_t next_in_chain(const struct decoder *d, uint32_t at)
{
	return follow_jumps(d, at + 1 + d->p[at].jf);
}

/* Drops repeated keys from the sorted keys.  Returns how many are left, or 0 if equal keys lead to
 * different places: the first test wins then, and sorting has lost the order. */
static uint32_t merge_keys(struct bpei_key *keys, uint32_t n)
{
	uint32_t kept = 0;

	for (uint32_t i = 1; i < n; i++)
		if (keys[i].k == keys[i - 1].k && keys[i].to != keys[i - 1].to)
			return 0;
	for (uint32_t i = 0; i < n; i++)
		if (!kept || keys[kept - 1].k != keys[i].k)
			keys[kept++] = keys[i];
	return kept;
}

/* Makes the tests from `at` on a search if they are a long chain.  A test belongs to a single
 * chain. */
static void search_chain(struct decoder *d, uint32_t at)
{
	struct bpei_key *keys = d->to->keys + d->keys;
	uint32_t n = 0;
	uint32_t next = at;

	if (d->chained[at])
		return;
	for (; d->p[next].code == INSN_JEQ_K && !d->chained[next]; next = next_in_chain(d, next))
		n++;
	if (n < CHAIN_LEAST)
		return;
	n = 0;
	for (uint32_t i = at; i != next; i = next_in_chain(d, i)) {
		keys[n++] = (struct bpei_key){ d->p[i].k, follow_jumps(d, i + 1 + d->p[i].jt) };
		d->chained[i] = true;
	}
	qsort(keys, n, sizeof *keys, compare_keys);
	const uint32_t kept = merge_keys(keys, n);
	if (!kept)
		return;
	d->to->steps[at] =
		(struct bpei_step){ .code = STEP_SEARCH, .at = d->keys, .k = kept, .no = next };
	d->keys += n;
}

/* ---- Steps ---- */

static void set_jump(struct bpei_step *s, const struct decoder *d, uint32_t at)
{
	s->k = d->p[at].k;
	s->yes = follow_jumps(d, at + 1 + d->p[at].jt);
	s->no = follow_jumps(d, at + 1 + d->p[at].jf);
}

static void set_next(struct bpei_step *s, const struct decoder *d, uint32_t at)
{
	s->yes = follow_jumps(d, at);
	s->no = s->yes;
}

/* Adds the rest of a step from instruction `at` on: [AND #mask] [comparison with #k], each if
 * present.  Returns the distance of the step's code from the GO code. */
static uint32_t add_mask_and_test(struct bpei_step *s, const struct decoder *d, uint32_t at)
{
	s->mask = UINT32_MAX;
	if (at < d->n && d->p[at].code == INSN_AND_K)
		s->mask = d->p[at++].k;
	if (is_constant_test(&d->p[at]) && d->to->steps[at].code != STEP_SEARCH) {
		set_jump(s, d, at);
		return (d->p[at].code & INSN_OP) >> 4; /* EQ 1 ... SET 4, as in BPEI_TESTS */
	}
	set_next(s, d, at);
	return 0;
}

static void set_reject(struct bpei_step *s)
{
	s->code = STEP_RET;
	s->k = 0;
}

static void decode_load(struct bpei_step *s, const struct decoder *d, uint32_t at)
{
	const struct bpe_insn *i = &d->p[at];
	const uint32_t size = packet_load_size(i);
	const uint64_t end = (uint64_t)i->k + size;
	const bool proved = end <= d->proved[at] && d->proved[at] != UNSEEN;
	uint32_t code = proved ? STEP_FREE4_GO : STEP_ABS4_GO;

	if ((i->code & INSN_MODE) == MODE_IND)
		code = STEP_IND4_GO;
	s->at = i->k;
	s->need = (uint32_t)end;
	if (code == STEP_ABS4_GO && end > UINT32_MAX) { /* no packet has so many bytes */
		set_reject(s);
		return;
	}
	if (size < 4)
		code += BPEI_STEPS_OF_SIZE * (size == 2 ? 1 : 2);
	s->code = code + add_mask_and_test(s, d, at + 1);
}

static void decode_msh(struct bpei_step *s, const struct decoder *d, uint32_t at)
{
	const struct bpe_insn *i = &d->p[at];
	const bool proved = d->proved[at] != UNSEEN && i->k < d->proved[at];

	if (i->k == UINT32_MAX) {
		set_reject(s);
		return;
	}
	if (is_load_to_a(i + 1) && (i[1].code & INSN_MODE) == MODE_IND) {
		decode_load(s, d, at + 1);
		s->code += STEP_MSH4_GO - STEP_IND4_GO;
	} else {
		s->code = STEP_X_MSH;
		s->yes = follow_jumps(d, at + 1);
	}
	s->msh = i->k;
	s->need = proved ? 0 : i->k + 1;
}

/* The steps of opcodes with a step of their own.  Pairs, not designated rows: C++17 takes no array
 * with rows left out. */
static const struct {
	uint8_t opcode;
	uint8_t step;
} plain_steps[] = {
	{ INSN_LD_LEN, STEP_LEN },
	{ INSN_LDX_LEN, STEP_X_LEN },
	{ INSN_LD_IMM, STEP_IMM },
	{ INSN_LDX_IMM, STEP_X_IMM },
	{ INSN_LD_MEM, STEP_MEM },
	{ INSN_LDX_MEM, STEP_X_MEM },
	{ INSN_ST, STEP_ST },
	{ INSN_STX, STEP_STX },
	{ INSN_ADD_K, STEP_ADD },
	{ INSN_ADD_X, STEP_ADD_X },
	{ INSN_SUB_K, STEP_SUB },
	{ INSN_SUB_X, STEP_SUB_X },
	{ INSN_MUL_K, STEP_MUL },
	{ INSN_MUL_X, STEP_MUL_X },
	{ INSN_DIV_K, STEP_DIV },
	{ INSN_DIV_X, STEP_DIV_X },
	{ INSN_MOD_K, STEP_MOD },
	{ INSN_MOD_X, STEP_MOD_X },
	{ INSN_OR_K, STEP_OR },
	{ INSN_OR_X, STEP_OR_X },
	{ INSN_AND_X, STEP_AND_X },
	{ INSN_XOR_K, STEP_XOR },
	{ INSN_XOR_X, STEP_XOR_X },
	{ INSN_LSH_K, STEP_LSH },
	{ INSN_LSH_X, STEP_LSH_X },
	{ INSN_RSH_K, STEP_RSH },
	{ INSN_RSH_X, STEP_RSH_X },
	{ INSN_NEG, STEP_NEG },
	{ INSN_TAX, STEP_TAX },
	{ INSN_TXA, STEP_TXA },
	{ INSN_JEQ_X, STEP_EQ_X },
	{ INSN_JGT_X, STEP_GT_X },
	{ INSN_JGE_X, STEP_GE_X },
	{ INSN_JSET_X, STEP_SET_X },
};
_Static_assert(STEP_COUNT <= 0x100, "a step's code fits a byte");

/* Returns the step of an opcode; 0 if the opcode has no step of its own. */
static uint8_t find_plain_step(uint8_t opcode)
{
	for (size_t k = 0; k < sizeof plain_steps / sizeof *plain_steps; k++)
		if (plain_steps[k].opcode == opcode)
			return plain_steps[k].step;
	return 0;
}

static void decode_step(struct decoder *d, uint32_t at)
{
	struct bpei_step *s = &d->to->steps[at];
	const struct bpe_insn *i = &d->p[at];

	if (s->code == STEP_SEARCH)
		return;
	*s = (struct bpei_step){ .k = i->k };
	if (bpei_insn_is_return(i)) {
		s->code = i->code == INSN_RET_K ? STEP_RET : STEP_RET_A;
	} else if (is_load_to_a(i)) {
		decode_load(s, d, at);
	} else if (i->code == INSN_LDX_MSH) {
		decode_msh(s, d, at);
	} else if (i->code == INSN_AND_K || is_constant_test(i)) {
		s->code = STEP_TEST_GO + add_mask_and_test(s, d, at);
	} else if (i->code == INSN_JA) {
		s->code = STEP_TEST_GO;
		s->mask = UINT32_MAX;
		set_next(s, d, at);
	} else {
		s->code = find_plain_step(i->code & 0xff);
		if (bpei_insn_is_jump(i))
			set_jump(s, d, at);
		else
			s->yes = follow_jumps(d, at + 1);
	}
	if (i->code == INSN_LD_MEM || i->code == INSN_LDX_MEM)
		d->to->memory = true;
}

struct bpei_decoded *bpei_decode(const struct bpe_insn *program, uint32_t length)
{
	struct decoder d = { .p = program, .n = length };

	d.proved = malloc(length * sizeof *d.proved);
	d.chained = calloc(length, sizeof *d.chained);
	d.to = calloc(1, sizeof *d.to + length * (sizeof *d.to->steps + sizeof *d.to->keys));
	if (d.proved && d.chained && d.to) {
		d.to->keys = (struct bpei_key *)(void *)(d.to->steps + length);
		prove_lengths(&d);
		for (uint32_t i = 0; i < length; i++)
			if (program[i].code == INSN_JEQ_K)
				search_chain(&d, i);
		for (uint32_t i = 0; i < length; i++)
			decode_step(&d, i);
	} else {
		free(d.to);
		d.to = NULL;
	}
	free(d.proved);
	free(d.chained);
	return d.to;
}

void bpei_decoded_free(struct bpei_decoded *decoded)
{
	free(decoded);
}
