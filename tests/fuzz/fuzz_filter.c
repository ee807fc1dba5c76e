/* SPDX-License-Identifier: MIT */
/* Any bytes as a BPF program and a packet.  An accepted program ends and reads only
 * the packet; the decoded program has the same verdict.  Input: a byte with the number of
 * instructions, 8 bytes for each instruction, and the packet. */
#include "filter/kernel.h"
#include "filter/decode.h"
#include "fuzz.h"

#include <string.h>

#define PROGRAM_MOST 64
#define INSN_BYTES 8
#define KEEP 77777u

static void read_insns(const uint8_t *bytes, struct bpe_insn *program, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++) {
		const uint8_t *p = bytes + i * INSN_BYTES;
		const uint32_t k =
			(uint32_t)p[7] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[5] << 8 | p[4];

		program[i] = (struct bpe_insn){ (uint16_t)(p[1] << 8 | p[0]), p[2], p[3], k };
	}
}

/* Compares the verdicts of the decoded program on all cuts of the packet. */
static void check_decoded(
	const struct bpe_insn *program, uint32_t length, const uint8_t *packet, uint32_t bytes)
{
	struct bpei_decoded *decoded = bpei_decode(program, length);

	if (!decoded)
		abort();
	for (uint32_t cut = 0; cut <= bytes; cut += cut < 64 ? 1 : 61)
		FUZZ_CHECK(bpei_decoded_run(decoded, packet, bytes + 7, cut) ==
			   bpei_filter_run(program, packet, bytes + 7, cut));
	bpei_decoded_free(decoded);
}

/* Checks each kernel's program: accepted by the kernel, and no narrower than the original.
 * verdict: the original's. */
static void check_kernel_programs(const struct bpe_insn *program, uint32_t length, uint32_t most,
	const uint8_t *packet, uint32_t bytes, uint32_t verdict)
{
	for (int k = 0; k < BPEI_KERNELS; k++) {
		struct bpei_kernel_program fit;

		if (bpei_kernel_fit(&bpei_kernels[k], program, length, most, KEEP, &fit) < 0)
			abort();
		FUZZ_CHECK(fit.length <= most);
		FUZZ_CHECK(!bpei_kernel_check(&bpei_kernels[k], fit.program, fit.length));
		const uint32_t theirs = bpei_filter_run(fit.program, packet, bytes + 7, bytes);
		if (fit.exact)
			FUZZ_CHECK(theirs == verdict);
		else
			FUZZ_CHECK(theirs == KEEP || (!theirs && !verdict));
		free(fit.program);
	}
}

void fuzz_filter(const uint8_t *bytes, size_t n)
{
	struct bpe_insn program[PROGRAM_MOST];

	if (!n)
		return;
	const uint32_t length = bytes[0] % PROGRAM_MOST + 1;
	if (n - 1 < length * INSN_BYTES)
		return;
	read_insns(bytes + 1, program, length);
	if (bpei_filter_check(program, length))
		return;
	const uint32_t left = (uint32_t)(n - 1 - length * INSN_BYTES);
	uint8_t *packet = malloc(left ? left : 1); /* of exactly the packet's size */
	if (!packet)
		abort();
	memcpy(packet, bytes + n - left, left);
	const uint32_t verdict = bpei_filter_run(program, packet, left + 7, left);
	FUZZ_CHECK(verdict == bpei_filter_run(program, packet, left + 7, left));
	check_decoded(program, length, packet, left);
	check_kernel_programs(program, length, 1 + bytes[0] / 4u, packet, left, verdict);
	free(packet);
}
