/* SPDX-License-Identifier: MIT */
/* The verdict of an expression on a packet, for the tests of filters. */
#ifndef MATCH_PACKET_H
#define MATCH_PACKET_H

#include "filter/filter.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Compiles the expression; checks the program. */
static inline struct bpe_insn *compile_checked(
	const char *expression, const struct bpe_filter_options *o)
{
	struct bpe_insn *program;
	uint32_t length;
	struct bpe_error e;

	cr_assert_eq(bpe_filter_compile_with(expression, o, &program, &length, &e), BPE_OK,
		"%s: %s", expression, e.text);
	cr_assert_null(bpei_filter_check(program, length));
	return program;
}

/* Returns the verdict on the packet, which must be the same without the optimizer.  Also runs the
 * program on all cuts of the packet. */
static inline bool matches_packet(
	const char *expression, int link_type, uint32_t through, const uint8_t *bytes, uint32_t n)
{
	struct bpe_filter_options o;

	bpe_filter_options_init(&o);
	o.link_type = link_type;
	o.through = through;
	struct bpe_insn *program = compile_checked(expression, &o);
	const bool yes = bpe_filter_run(program, bytes, n, n);
	o.unoptimized = 1;
	struct bpe_insn *plain = compile_checked(expression, &o);
	cr_expect_eq(!!bpe_filter_run(plain, bytes, n, n), yes, "%s, optimized or not", expression);
	for (uint32_t cut = 0; cut < n; cut++) {
		uint8_t *part = malloc(cut + !cut); /* of the same size, for the sanitizers */

		memcpy(part, bytes, cut);
		bpe_filter_run(program, part, n, cut);
		free(part);
	}
	bpe_filter_free(program);
	bpe_filter_free(plain);
	return yes;
}

#endif
