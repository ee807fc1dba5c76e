/* SPDX-License-Identifier: MIT */
/* A fault at every call of a writer's files.  After each: the books balance, the disk has
 * exactly the packets of the books, foreign files are as before, and no descriptor is left. */
#include "../../support/write_case.h"
#include "writer/files.h"
#include "writer/file_ring.h"

#include <criterion/criterion.h>

TestSuite(file_faults, .init = case_begin, .fini = case_end, .timeout = 550);

#define CHUNKS 12
#define PACKETS 3
#define OFFERED (CHUNKS * PACKETS)

static struct case_chunk chunk;

/* A way to write files. */
struct way {
	const char *name;
	bool pcapng, part, ledger, stops, replaces, shorts;
	uint64_t keep_files;
};

static const struct way ways[] = {
	{ "rotating pcapng", true, true, true, false, false, false, 2 },
	{ "rotating pcap, short writes", false, true, true, false, false, true, 2 },
	{ "stop on error", true, true, true, true, false, true, 0 },
	{ "plain", true, false, false, false, true, true, 0 },
};

/* The answers of a run. */
struct outcome {
	struct bpei_files_counts counts;
	uint64_t lost;
	int opened;
};

static void put_foreign(void)
{
	case_put("x-00002.cap", "foreign");
	case_put("x-00003.cap.part", "foreign");
	case_put("foreign", "foreign");
}

static void expect_foreign(const char *what)
{
	static const char *const names[] = { "x-00002.cap", "x-00003.cap.part", "foreign" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		long n = 0;
		char *text = case_get(names[i], &n);
		cr_expect(text && !strcmp(text, "foreign"), "%s: %s", what, names[i]);
		free(text);
		unlinkat(write_case.directory, names[i], 0);
	}
}

/* Writes 12 chunks into files of 3 chunks each, with a second later and a tick after each.  The
 * second chunk of a file has an interface. */
static struct outcome run_files(const struct way *way)
{
	struct bpei_files_options o = case_options(way->replaces ? "old.cap" : "x-%N.cap");
	struct outcome out = { 0 };
	struct bpei_files *files = NULL;
	struct bpe_error error = { 0 };
	uint32_t number = 0;

	o.pcapng = way->pcapng;
	o.part = way->part;
	o.ledger = way->ledger;
	o.stop_on_error = way->stops;
	o.keep.files = way->keep_files;
	o.keep.free_percent = way->keep_files ? 1 : 0;
	o.sync_ns = CASE_S;
	o.sha256 = true;
	o.replace = way->replaces;
	o.at_once = way->replaces;
	if (way->replaces)
		o.style = BPEI_NAMES_PLAIN;
	out.opened = bpei_files_open(&files, &o, CASE_S * 1720958477, &error);
	if (out.opened != BPE_OK) {
		cr_expect(error.text[0], "an error has a text");
		out.lost = OFFERED;
		out.counts.lost = OFFERED;
		return out;
	}
	for (int i = 0; i < CHUNKS; i++) {
		chunk_begin(&chunk, way->pcapng, way->replaces ? i == 0 : i % 3 == 0);
		if (way->pcapng && i % 3 == 1)
			put_interface_block(&chunk);
		for (int k = 0; k < PACKETS; k++)
			chunk_packet(&chunk, way->pcapng, ++number);
		chunk.chunk.ends_file = i % 3 == 2 && !way->replaces;
		out.lost += bpei_files_write(files, &chunk.chunk);
		write_case.now_ns += CASE_S;
		bpei_files_tick(files, CASE_S * 1720958477);
	}
	out.counts = *bpei_files_counts(files);
	const int status = bpei_files_close(files, NULL, &error);
	cr_expect_eq(status, out.lost ? BPE_E_IO : BPE_OK);
	return out;
}

/* Counts the packets in the ledger. */
static uint64_t sum_ledger(const char *what)
{
	long n = 0;
	uint64_t packets = 0;
	char *text = case_get("x.jsonl", &n);

	for (char *at = text; at && *at;) {
		char *end = strchr(at, '\n');
		const char *packets_text = strstr(at, "\"packets\":");
		cr_assert_not_null(end, "%s: a line without its end", what);
		const struct bpei_ledger_known known = bpei_ledger_read(at, (size_t)(end - at));
		cr_expect(known.event || write_case.torn_allowed, "%s: %s", what, at);
		if (known.event == BPEI_LEDGER_COMPLETE || known.event == BPEI_LEDGER_CUT)
			packets += strtoull(packets_text + 10, NULL, 10);
		at = end + 1;
	}
	free(text);
	return packets;
}

/* Expects that books, disk, reports and ledger agree. */
static void expect_agreement(const struct way *way, const struct outcome *out, const char *what)
{
	struct case_found found = { 0 };

	expect_foreign(what);
	case_each(read_found, &found);
	cr_expect_eq(out->counts.lost, out->lost, "%s", what);
	cr_expect_eq(out->counts.packets + out->lost, OFFERED, "%s", what);
	cr_expect_eq(write_case.told_packets, out->counts.packets, "%s", what);
	cr_expect_eq(write_case.open_files, 0, "%s: a descriptor is left", what);
	if (way->keep_files)
		cr_expect_leq(found.packets, out->counts.packets, "%s", what);
	else
		cr_expect_eq(found.packets, out->counts.packets, "%s", what);
	for (uint32_t i = 1; i <= OFFERED; i++)
		cr_expect_leq(found.seen[i], 1, "%s: packet %u twice", what, i);
	cr_expect(!found.torn || write_case.torn_allowed, "%s: a torn block", what);
	if (!strstr(write_case.all_notices, "ledger") && out->opened == BPE_OK && way->ledger)
		cr_expect_eq(sum_ledger(what), out->counts.packets, "%s", what);
}

/* Runs with a fault at call k.  Returns the number of calls. */
static long run_fault(const struct way *way, long k, long calls, int failure)
{
	char what[200];

	case_clear();
	write_case.now_ns = CASE_S;
	write_case.calls = 0;
	write_case.notices = 0;
	write_case.told_packets = 0;
	write_case.open_files = 0;
	write_case.torn_allowed = 0;
	write_case.all_notices[0] = 0;
	put_foreign();
	if (way->replaces)
		case_put("old.cap", "old");
	write_case.fail_at = k;
	write_case.fail_for = calls;
	write_case.fail_with = failure;
	write_case.short_writes = way->shorts;
	snprintf(what, sizeof what, "%s, %ld calls from %ld: %s", way->name, calls, k,
		strerror(failure));
	const struct outcome out = run_files(way);
	write_case.fail_at = 0;
	if (way->replaces && out.opened != BPE_OK)
		unlinkat(write_case.directory, "old.cap", 0);
	expect_agreement(way, &out, what);
	if (!k)
		cr_expect_eq(out.lost, 0, "%s", what);
	return write_case.calls;
}

static void sweep_faults(const struct way *way)
{
	/* EINTR comes once: a call interrupted for ever never returns. */
	static const struct {
		int failure;
		long calls;
	} faults[] = { { EIO, 1 }, { EIO, 4 }, { EIO, 100000 }, { ENOSPC, 1 }, { ENOSPC, 100000 },
		{ EINTR, 1 }, { EFBIG, 1 }, { EACCES, 1 } };
	const long all = run_fault(way, 0, 0, 0);

	cr_expect_gt(all, 20);
	for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
		for (long k = 1; k <= all; k++)
			run_fault(way, k, faults[f].calls, faults[f].failure);
}

Test(file_faults, rotating)
{
	sweep_faults(&ways[0]);
}

Test(file_faults, rotating_with_short_writes)
{
	sweep_faults(&ways[1]);
}

Test(file_faults, stopping)
{
	sweep_faults(&ways[2]);
}

Test(file_faults, plain)
{
	sweep_faults(&ways[3]);
}
