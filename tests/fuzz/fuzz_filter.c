/* SPDX-License-Identifier: MIT */
/* Any bytes as a BPF program and a packet: what the check lets through ends, and reads nothing but
 * the packet, and its prepared form says the same.  Input: a byte of instructions, so many times 8
 * bytes of them, the rest is the packet. */
#include "filter/kernel.h"
#include "filter/decode.h"
#include "fuzz.h"

#include <string.h>

void fuzz_filter(const uint8_t *bytes, size_t n)
{
	struct bpe_insn program[64];
	if (!n)
		return;
	uint32_t length = bytes[0] % 64 + 1;
	if (n - 1 < length * sizeof *program)
		return;
	for (uint32_t i = 0; i < length; i++) {
		const uint8_t *p = bytes + 1 + i * 8;
		program[i] = (struct bpe_insn){ (uint16_t)(p[1] ? p[1] << 8 | p[0] : p[0]), p[2],
			p[3],
			(uint32_t)p[7] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[5] << 8 | p[4] };
	}
	if (bpei_filter_check(program, length))
		return;
	size_t left = n - 1 - length * sizeof *program;
	uint8_t *packet = malloc(left ? left : 1); /* of exactly its size */
	if (!packet)
		abort();
	memcpy(packet, bytes + n - left, left);
	uint32_t first = bpei_filter_run(program, packet, (uint32_t)left + 7, (uint32_t)left);
	FUZZ_CHECK(first == bpei_filter_run(program, packet, (uint32_t)left + 7, (uint32_t)left));
	struct bpei_decoded *prepared = bpei_decode(program, length);
	if (!prepared)
		abort();
	for (uint32_t cut = 0; cut <= left; cut += cut < 64 ? 1 : 61)
		FUZZ_CHECK(bpei_decoded_run(prepared, packet, (uint32_t)left + 7, cut) ==
			   bpei_filter_run(program, packet, (uint32_t)left + 7, cut));
	bpei_decoded_free(prepared);
	for (int k = 0; k < BPEI_KERNELS;
		k++) { /* what a kernel is given: what it takes, and nothing narrower */
		struct bpei_kernel_program fit;
		uint32_t most = 1 + bytes[0] / 4u;
		if (bpei_kernel_fit(&bpei_kernels[k], program, length, most, 77777, &fit) < 0)
			abort();
		FUZZ_CHECK(fit.length <= most &&
			   !bpei_kernel_check(&bpei_kernels[k], fit.program, fit.length));
		uint32_t theirs =
			bpei_filter_run(fit.program, packet, (uint32_t)left + 7, (uint32_t)left);
		FUZZ_CHECK(fit.exact ? theirs == first : theirs == 77777 || (!theirs && !first));
		free(fit.program);
	}
	free(packet);
}
