/* SPDX-License-Identifier: MIT */
#include "write/whole.h"

#include "../../support/write_case.h"

#include <criterion/criterion.h>

static struct case_chunk chunk;

/* Expects the measure of every cut of the chunk: the largest of the ends that fits. */
static void expect_cuts(bool pcapng, const size_t *ends, const uint32_t *packets, size_t count)
{
	for (size_t cut = 0; cut <= chunk.chunk.used; cut++) {
		size_t at = 0;
		while (at + 1 < count && ends[at + 1] <= cut)
			at++;
		uint8_t *copy = malloc(cut + 1); /* for sanitizers: nothing lies behind */
		memcpy(copy, chunk.bytes, cut);
		const struct bpei_whole whole =
			bpei_whole_measure(copy, cut, pcapng, chunk.chunk.starts_file);
		cr_expect_eq(whole.bytes, ends[at], "cut %zu: %zu", cut, whole.bytes);
		cr_expect_eq(whole.packets, packets[at]);
		cr_expect_eq(whole.captured_bytes, packets[at] * CASE_PAYLOAD);
		free(copy);
	}
}

Test(whole, blocks_of_pcapng)
{
	static const size_t ends[] = { 0, 28, 48, 140, 160, 252 };
	static const uint32_t packets[] = { 0, 0, 0, 1, 1, 2 };

	chunk_begin(&chunk, true, true);
	chunk_packet(&chunk, true, 1);
	put_interface_block(&chunk);
	chunk_packet(&chunk, true, 2);
	expect_cuts(true, ends, packets, 6);
}

Test(whole, records_of_pcap)
{
	static const size_t ends[] = { 0, 24, 100, 176 };
	static const size_t later_ends[] = { 0, 76 };
	static const uint32_t packets[] = { 0, 0, 1, 2 };
	static const uint32_t later_packets[] = { 0, 1 };

	chunk_begin(&chunk, false, true);
	chunk_packet(&chunk, false, 1);
	chunk_packet(&chunk, false, 2);
	expect_cuts(false, ends, packets, 4);
	chunk_begin(&chunk, false, false);
	chunk_packet(&chunk, false, 3);
	expect_cuts(false, later_ends, later_packets, 2);
}

Test(whole, bytes_that_are_no_block_end_the_measure)
{
	static const uint32_t lengths[] = { 0, 8, 11, 13, 1000, UINT32_MAX, UINT32_MAX - 3 };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		chunk_begin(&chunk, true, true);
		put_word(&chunk, 6);
		put_word(&chunk, lengths[i]);
		for (int k = 0; k < 20; k++)
			put_word(&chunk, 0);
		cr_expect_eq(
			bpei_whole_measure(chunk.bytes, chunk.chunk.used, true, true).bytes, 48);
	}
}

Test(whole, descriptions_are_what_packets_and_statistics_are_not)
{
	static const uint32_t process[4] = { 77 };
	uint8_t copy[4096];

	chunk_begin(&chunk, true, true);
	chunk_packet(&chunk, true, 1);
	put_block(&chunk, 5, process, 12);
	put_block(&chunk, 0x80000001, process, 8);
	put_block(&chunk, 3, process, 16);
	put_block(&chunk, 4, process, 4);
	const size_t n =
		bpei_whole_describe(chunk.bytes, chunk.chunk.used, true, true, copy, sizeof copy);
	cr_expect_eq(n, 48 + 20 + 16);
	cr_expect_eq(bpei_whole_describe(chunk.bytes, chunk.chunk.used, true, true, NULL, 0), n);
	cr_expect(!memcmp(copy, chunk.bytes, 48));
	uint32_t type = 0;
	memcpy(&type, copy + 48, 4);
	cr_expect_eq(type, 0x80000001);
	memcpy(&type, copy + 68, 4);
	cr_expect_eq(type, 4);
	chunk_begin(&chunk, false, true);
	chunk_packet(&chunk, false, 1);
	cr_expect_eq(bpei_whole_describe(chunk.bytes, chunk.chunk.used, false, true, copy, 24), 24);
	cr_expect(!memcmp(copy, chunk.bytes, 24));
	cr_expect_eq(bpei_whole_describe(
			     chunk.bytes + 24, chunk.chunk.used - 24, false, false, copy, 24),
		0);
}
