/* SPDX-License-Identifier: MIT */
/* bpfbench's verdicts: the bounds against published values, the sentences against rows made here.
 */
#include "src/tools/bpfbench/amounts.h"
#include "src/tools/bpfbench/verdict.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1u << 20)

static const struct judge plain = { 0.001, 1, 0 };

Test(amounts, are_read_without_counting_digits)
{
	static const struct {
		double rate;
		const char *text;
	} rates[] = { { 0, "0 packets/s" }, { 31, "31 packets/s" }, { 1234, "1234 packets/s" },
		{ 9999, "9999 packets/s" }, { 31000, "31 thousand packets/s" },
		{ 76345, "76.3 thousand packets/s" }, { 999600, "1 million packets/s" },
		{ 1234567, "1.23 million packets/s" }, { 2.5e9, "2.5 billion packets/s" },
		{ 300000, "300 thousand packets/s" } };
	char text[AMOUNT_ROOM];

	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		cr_assert_str_eq(amount_rate(text, sizeof text, rates[i].rate), rates[i].text);
	cr_assert_str_eq(amount_count(text, sizeof text, 9999), "9999");
	cr_assert_str_eq(amount_count(text, sizeof text, 1234567), "1,234,567");
	cr_assert_str_eq(amount_count(text, sizeof text, UINT64_MAX), "18,446,744,073,709,551,615");
	cr_assert_str_eq(amount_of(text, sizeof text, 1, "worker"), "1 worker");
	cr_assert_str_eq(amount_of(text, sizeof text, 0, "worker"), "0 workers");
	cr_assert_str_eq(amount_bytes(text, sizeof text, 256u << 10), "256 KiB");
	cr_assert_str_eq(amount_bytes(text, sizeof text, 16 * MIB), "16 MiB");
	cr_assert_str_eq(amount_bytes(text, sizeof text, 1), "1 byte");
	cr_assert_str_eq(amount_percent(text, sizeof text, 0.00132), "0.13 %");
	cr_assert_str_eq(amount_percent(text, sizeof text, 0.5), "50 %");
	cr_assert_str_eq(amount_percent(text, sizeof text, 1), "100 %");
	cr_assert_str_eq(amount_percent(text, sizeof text, 0), "0 %");
	cr_assert_str_eq(amount_separate(text, sizeof text, "-12345.678"), "-12,345.678");
	cr_assert_str_eq(amount_separate(text, sizeof text, "1e+20"), "1e+20");
	cr_assert_str_eq(amount_separate(text, sizeof text, "123456"), "123,456");
}

Test(judge, bounds_are_those_of_clopper_and_pearson)
{
	/* One-sided upper ends at 95 %, as tables of the binomial distribution have them. */
	static const struct {
		uint64_t lost, n;
		double bound;
	} known[] = { { 0, 10, 0.2589 }, { 0, 100, 0.02951 }, { 1, 10, 0.3942 },
		{ 1, 100, 0.04656 }, { 10, 100, 0.1637 }, { 5, 10, 0.7776 }, { 10, 10, 1 } };

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		cr_assert_float_eq(judge_bound(known[i].lost, known[i].n), known[i].bound, 0.0001);
	cr_assert_float_eq(judge_bound(0, 1000000000), 3e-9, 1e-11, "about three in n");
	cr_assert(judge_bound(500000, 1000000000) > 0.0005 &&
			  judge_bound(500000, 1000000000) < 0.000502,
		"large counts");
	cr_assert_eq(judge_packets(0.001), 2995);
	cr_assert(judge_bound(0, 2995) <= 0.001 && judge_bound(0, 2994) > 0.001);
	cr_assert_eq(judge_rounds(), 6);
}

/* Returns a run of a second that filled its buffer so many times. */
static struct row make_row(uint64_t rate, uint64_t buffer, uint64_t lost, double fills)
{
	struct row r;

	row_init(&r, "case");
	snprintf(r.filter, sizeof r.filter, "none");
	snprintf(r.mode, sizeof r.mode, "auto");
	r.rate = r.sent = r.arrived = rate;
	r.buffer_bytes = buffer;
	r.frame_bytes = 64;
	r.workers = 0;
	r.seconds = 1;
	r.kernel_dropped = lost;
	r.packets = r.delivered = rate - lost;
	r.block_bytes = (uint64_t)(fills * (double)buffer);
	row_work_out(&r);
	return r;
}

/* Judges the rows as a sweep and compares the whole text; frees the verdicts. */
static void expect_sentence(
	const struct judge *j, struct row *rows, size_t n, const char *wanted, const char *outcome)
{
	static char text[SENTENCE_ROOM];
	struct result r;

	result_init(&r, KIND_SWEEP);
	r.rows = rows;
	r.count = n;
	cr_assert(verdict_sweep(&r, j));
	const size_t next = verdict_sentence(&r, 0, text, sizeof text);
	cr_assert_str_eq(text, wanted);
	cr_assert_str_eq(r.verdicts[r.verdict_count - 1].outcome, outcome);
	cr_assert_eq(next, r.verdict_count, "a sentence for all settings");
	cr_assert_eq(verdicts_judged(&r), strcmp(outcome, "not_judged") != 0);
	free(r.verdicts);
}

Test(verdict, is_per_setting)
{
	struct row rows[] = { make_row(16000, 256u << 10, 0, 9), make_row(31000, 256u << 10, 40, 9),
		make_row(76000, 256u << 10, 9000, 9), make_row(16000, 16 * MIB, 0, 0.2),
		make_row(31000, 16 * MIB, 0, 1.2), make_row(76000, 16 * MIB, 0, 2) };

	expect_sentence(&plain, rows, 6,
		"With 256 KiB loss began at 31 thousand packets/s (0.13 %, none up to 16 thousand packets/s); with 16 MiB nothing was lost up to 76 thousand packets/s.",
		"none_lost");
}

Test(verdict, of_the_rounds_of_a_case)
{
	struct row rows[] = { make_row(16000, MIB, 0, 9), make_row(16000, MIB, 1, 9),
		make_row(16000, MIB, 0, 9), make_row(31000, MIB, 0, 9), make_row(31000, MIB, 0, 9),
		make_row(31000, MIB, 0, 9) };

	expect_sentence(&plain, rows, 6,
		"With 1 MiB loss began at 16 thousand packets/s (0.0021 % in 1 of 3 rounds, the lowest rate that was tried), though none was lost at 31 thousand packets/s.",
		"always_lost");
}

Test(verdict, names_the_settings_that_differ)
{
	struct row rows[] = { make_row(16000, MIB, 0, 9), make_row(20000, MIB, 0, 9),
		make_row(16000, MIB, 0, 9), make_row(20000, MIB, 0, 9) };
	static char text[SENTENCE_ROOM];
	struct result r;

	rows[2].workers = rows[3].workers = 1;
	rows[2].frame_bytes = rows[3].frame_bytes = 1514;
	result_init(&r, KIND_SWEEP);
	r.rows = rows;
	r.count = 4;
	cr_assert(verdict_sweep(&r, &plain));
	cr_assert_eq(r.verdict_count, 2);
	cr_assert_eq(verdict_sentence(&r, 0, text, sizeof text), 1);
	cr_assert_str_eq(text,
		"64-byte frames, 0 workers: with 1 MiB nothing was lost up to 20 thousand packets/s.");
	cr_assert_eq(verdict_sentence(&r, 1, text, sizeof text), 2);
	cr_assert_str_eq(text,
		"1514-byte frames, 1 worker: with 1 MiB nothing was lost up to 20 thousand packets/s.");
	free(r.verdicts);
}

Test(verdict, is_refused_to_small_samples)
{
	struct row few = make_row(1000, 16 * MIB, 0, 9);
	struct row brief = make_row(50000, 16 * MIB, 0, 0.5);
	struct row narrow = make_row(50000, 16 * MIB, 0, 1.5);
	struct row none = make_row(5000, 16 * MIB, 0, 0);
	struct row below[] = { make_row(50000, 16 * MIB, 0, 0.5), make_row(90000, 16 * MIB, 9, 3) };

	expect_sentence(&plain, &few, 1,
		"With 16 MiB nothing can be said about loss: 1000 packets are too few: a loss of 0.30 % could go unseen; -t 3 would do.",
		"not_judged");
	expect_sentence(&plain, &brief, 1,
		"With 16 MiB nothing can be said about loss: the packets of 1 s fill the buffer 0.5 times, so that a reader that stands still loses nothing; -t 4 would do.",
		"not_judged");
	expect_sentence(&plain, &narrow, 1,
		"With 16 MiB nothing can be said about loss: the packets of 1 s fill the buffer 1.5 times, so that a reader that is half as fast as needed loses nothing; -t 1.4 would do.",
		"not_judged");
	none.packets = none.delivered = 0;
	expect_sentence(&plain, &none, 1,
		"With 16 MiB nothing can be said about loss: no packet came that could be lost.",
		"not_judged");
	expect_sentence(&plain, below, 2,
		"With 16 MiB loss began at 90 thousand packets/s (0.010 %), or at a lower rate: the packets of 1 s fill the buffer 0.5 times, so that a reader that stands still loses nothing; -t 4 would do.",
		"not_judged");
}

Test(verdict, a_smaller_claim_needs_more_packets)
{
	const struct judge strict = { 0.00001, 1, 0 };
	struct row r = make_row(50000, MIB, 0, 9);

	expect_sentence(&plain, &r, 1,
		"With 1 MiB nothing was lost of 50,000 packets at 50 thousand packets/s; the true loss is below 0.0060 % (95 % confidence).",
		"none_lost");
	expect_sentence(&strict, &r, 1,
		"With 1 MiB nothing can be said about loss: 50,000 packets are too few: a loss of 0.0060 % could go unseen; -t 6 would do.",
		"not_judged");
}

Test(verdict, two_buffers_of_a_bpf_device_hide_twice_as_much)
{
	const struct judge bpf = { 0.001, 2, 0 };
	struct row r = make_row(50000, MIB, 0, 3);

	expect_sentence(&bpf, &r, 1,
		"With 1 MiB nothing can be said about loss: the packets of 1 s fill the buffer 1.5 times, so that a reader that is half as fast as needed loses nothing; -t 1.4 would do.",
		"not_judged");
}

Test(verdict, of_generated_traffic)
{
	const struct judge synth = { 0.001, 1, 1 };
	struct row r = make_row(50000, MIB, 0, 9);

	r.sent = ABSENT;
	expect_sentence(&synth, &r, 1,
		"With blocks of 1 MiB nothing can be said about loss: 1 s are too short: generated traffic is lost when it is more than a second late, so that a reader that is half as fast as needed loses nothing; -t 2 would do.",
		"not_judged");
	r.kernel_dropped = ABSENT;
	expect_sentence(&synth, &r, 1,
		"With blocks of 1 MiB 50 thousand packets/s were read: nothing can be lost, since the generator waits for the reader.",
		"cannot_lose");
	expect_sentence(&plain, &r, 1,
		"With 1 MiB 50,000 packets came at 50 thousand packets/s: the source does not tell what was lost.",
		"not_known");
}

Test(verdict, of_times)
{
	const double fast[] = { 10, 11, 12, 10, 11, 12 };
	const double slow[] = { 30, 31, 32, 30, 31, 32 };
	const double wide[] = { 5, 11, 60, 9, 11, 60 };
	const struct spread ours = spread_of(fast, 6);
	const struct spread other = spread_of(slow, 6);
	const struct spread noise = spread_of(wide, 6);
	const struct spread five = spread_of(fast, 5);
	struct verdict v;

	verdict_init(&v);
	verdict_times(&v, "ns", &ours, "libpcap", &other);
	cr_assert_str_eq(v.outcome, "faster");
	cr_assert_float_eq(v.speed, 31.0 / 11, 1e-9);
	verdict_times(&v, "ns", &other, "libpcap", &ours);
	cr_assert_str_eq(v.outcome, "slower");
	verdict_times(&v, "ns", &ours, "libpcap", &noise);
	cr_assert_str_eq(v.outcome, "no_difference");
	cr_assert(strstr(v.clause, "within the noise"));
	verdict_times(&v, "ns", &five, "libpcap", &other);
	cr_assert_str_eq(v.outcome, "not_judged");
	cr_assert_str_eq(v.reason,
		"5 rounds cannot hold the median with 95 % confidence; --rounds 6 would do");
}
