/* SPDX-License-Identifier: MIT */
/* The table of readers: each sample is taken by its own reader and by no other, whole and cut at
 * each byte.  Random bytes and near misses are taken by no reader. */
#include "app_case.h"
#include "app_misses.h"

#include <criterion/criterion.h>

/* Returns whether samples of the protocol are here; other protocols have their own tests. */
static bool has_sample(uint8_t app)
{
	for (size_t k = 0; k < APP_SAMPLES; k++)
		if (app_samples[k].app == app)
			return true;
	return false;
}

Test(readers, table_is_whole)
{
	cr_assert_gt(bpei_reader_count, 0);
	for (uint32_t k = 0; k < bpei_reader_count; k++) {
		const struct bpei_reader *const row = &bpei_readers[k];

		cr_assert(row->app < BPE_APP_COUNT);
		cr_assert_not_null(row->read);
		cr_assert(row->over && !(row->over & ~(BPEI_OVER_TCP | BPEI_OVER_UDP)));
		cr_assert(row->names && !(row->names & ~(BPE_NAMES_ALL | BPE_NAMES_JA3)));
		for (uint32_t other = 0; other < k; other++)
			cr_assert(!row->app || bpei_readers[other].app != row->app);
	}
	for (uint8_t app = BPE_APP_HTTP; app < BPE_APP_COUNT; app++)
		cr_assert(has_sample(app), "%s has no sample", bpe_app_name(app));
}

Test(readers, samples_are_recognised)
{
	for (size_t k = 0; k < APP_SAMPLES; k++) {
		const struct app_sample *const sample = &app_samples[k];
		struct bpei_stream s = { .end = sample->end };
		struct bpe_flow_names said = { .app = sample->known ? sample->app : 0 };
		struct app_bytes bytes;

		decode_sample(sample, &bytes);
		const enum bpei_verdict verdict =
			call_reader(find_reader(sample->app), &bytes, bytes.n, &s, &said);
		cr_expect_eq(verdict, sample->verdict, "sample %zu, %s: %d", k,
			bpe_app_name(sample->app), verdict);
		cr_expect_eq(said.app, sample->app, "sample %zu", k);
		if (verdict == BPEI_INNER)
			cr_expect_eq(s.inner, sample->inner, "sample %zu: %u", k, s.inner);
	}
}

/* Proves that other readers say NOT and leave *said alone, and the table's order is free. */
Test(readers, samples_are_of_one_protocol)
{
	for (size_t k = 0; k < APP_SAMPLES; k++) {
		const struct app_sample *const sample = &app_samples[k];
		struct app_bytes bytes;

		decode_sample(sample, &bytes);
		for (uint32_t r = 0; r < bpei_reader_count; r++) {
			struct bpei_stream s = { .end = sample->end };
			struct bpe_flow_names said;
			struct bpe_flow_names before;

			if (bpei_readers[r].app == sample->app ||
				!(bpei_readers[r].over & sample->over))
				continue;
			memset(&said, 0, sizeof said);
			memset(&before, 0, sizeof before);
			s.last = true;
			const enum bpei_verdict verdict =
				call_reader(&bpei_readers[r], &bytes, bytes.n, &s, &said);
			cr_expect_eq(verdict, BPEI_NOT, "sample %zu, %s, is taken by %s", k,
				bpe_app_name(sample->app), bpe_app_name(bpei_readers[r].app));
			cr_expect_eq(memcmp(&said, &before, sizeof said), 0);
		}
	}
}

/* Checks a sample of which n bytes have come.  The own reader waits for more than the bytes there,
 * or is done; at the end of the flow the reader does not wait. */
static void check_sample_cut(
	const struct app_sample *sample, const struct app_bytes *bytes, uint32_t n)
{
	struct bpei_stream s = { .end = sample->end };
	struct bpe_flow_names said = { .app = sample->known ? sample->app : 0 };
	enum bpei_verdict verdict = call_reader(find_reader(sample->app), bytes, n, &s, &said);
	const uint32_t have = bytes->datagrams ? s.datagrams : n;

	if (verdict == BPEI_MORE)
		cr_expect(s.want == 0 || s.want > have, "%s at %u wants %u",
			bpe_app_name(sample->app), n, s.want);
	if (verdict == BPEI_INNER)
		cr_expect_leq(s.inner, n);
	if (!bytes->datagrams && n) /* the namer shows each reader the first byte alone */
		cr_expect_neq(
			verdict, BPEI_NOT, "%s is not known at %u", bpe_app_name(sample->app), n);
	memset(&said, 0, sizeof said);
	said.app = sample->known ? sample->app : 0;
	s.last = true;
	verdict = call_reader(find_reader(sample->app), bytes, n, &s, &said);
	cr_expect_neq(
		verdict, BPEI_MORE, "%s at %u waits at the end", bpe_app_name(sample->app), n);
	cr_expect(verdict == BPEI_NOT || said.app == sample->app);
}

Test(readers, samples_cut_at_each_byte)
{
	for (size_t k = 0; k < APP_SAMPLES; k++) {
		struct app_bytes bytes;

		decode_sample(&app_samples[k], &bytes);
		for (uint32_t n = 0; n <= bytes.n; n++)
			check_sample_cut(&app_samples[k], &bytes, n);
	}
}

/* Proves that segments make no difference. */
Test(readers, samples_byte_by_byte)
{
	for (size_t k = 0; k < APP_SAMPLES; k++) {
		const struct app_sample *const sample = &app_samples[k];
		struct bpei_stream s = { .end = sample->end };
		struct bpei_stream t = { .end = sample->end };
		struct bpe_flow_names whole = { .app = sample->known ? sample->app : 0 };
		struct bpe_flow_names said = { .app = sample->known ? sample->app : 0 };
		struct app_bytes bytes;
		enum bpei_verdict verdict = BPEI_MORE;
		uint32_t n;

		if (sample->over != BPEI_OVER_TCP)
			continue;
		decode_sample(sample, &bytes);
		call_reader(find_reader(sample->app), &bytes, bytes.n, &s, &whole);
		for (n = 1; n <= bytes.n && verdict == BPEI_MORE; n++)
			verdict = call_reader(find_reader(sample->app), &bytes, n, &t, &said);
		cr_expect_eq(verdict, sample->verdict, "sample %zu", k);
		cr_expect_eq(memcmp(&said, &whole, sizeof said), 0, "sample %zu", k);
	}
}

/* Returns the reader of the bytes; NULL: none. */
static const struct bpei_reader *find_taker(const struct app_bytes *bytes, uint8_t over)
{
	for (uint32_t r = 0; r < bpei_reader_count; r++) {
		struct bpei_stream s = { .last = true, .port = { 50000, 40000 } };
		struct bpe_flow_names said = { 0 };

		if ((bpei_readers[r].over & over) && has_sample(bpei_readers[r].app) &&
			call_reader(&bpei_readers[r], bytes, bytes->n, &s, &said) != BPEI_NOT)
			return &bpei_readers[r];
	}
	return NULL;
}

Test(readers, near_misses_are_not_taken)
{
	for (size_t k = 0; k < APP_MISSES; k++) {
		const struct app_sample *const miss = &app_misses[k];
		struct app_bytes bytes;

		decode_sample(miss, &bytes);
		const struct bpei_reader *const taker = find_taker(&bytes, miss->over);
		cr_expect_null(
			taker, "miss %zu is taken by %s", k, taker ? bpe_app_name(taker->app) : "");
	}
}

/* Gives random payloads with each first byte to all readers, over TCP and UDP, of lengths among
 * which are lengths of short protocols.  The most lenient reader is that of SOCKS 4: the second
 * byte is 1 or 2 (1 of 2^7), and the user's name ends at the last byte or before a text (1 of 2^8).
 * 200,000 / 2^9 payloads have the first byte over TCP, so 0.02 payloads are expected to be taken.
 */
Test(readers, random_bytes_are_not_taken)
{
	static const uint32_t lengths[] = { 12, 20, 48, 64, 92, 148, 200, 32, 9, 100 };
	uint64_t state = 0x9e3779b97f4a7c15u;
	uint32_t taken = 0;

	for (uint32_t k = 0; k < 200000; k++) {
		struct app_bytes bytes;

		bytes.n = lengths[k / 256 % 10];
		for (uint32_t i = 0; i < bytes.n; i += 8) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			memcpy(bytes.bytes + i, &state, 8);
		}
		bytes.bytes[0] = (uint8_t)k;
		bytes.ends[0] = (uint16_t)bytes.n;
		bytes.datagrams = k / 2560 % 2;
		taken +=
			find_taker(&bytes, bytes.datagrams ? BPEI_OVER_UDP : BPEI_OVER_TCP) != NULL;
	}
	cr_assert_leq(taken, 1);
}
