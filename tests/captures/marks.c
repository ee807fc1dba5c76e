/* SPDX-License-Identifier: MIT */
/* marks [DIRECTORY]: reads every file of DIRECTORY with options.marks, by the engine with 0, 1 and
 * 3 workers and by the capture.  The packets with each mark are as many as the records of all flows
 * count.  The records equal the records of a run without marks.  The last line is "N passed, N
 * failed", counted in files.  Exit code 77 (skipped): there are no captures. */
#define _XOPEN_SOURCE 700
#include "bpfengine.h"

#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKS 12
#define KINDS 10

/* The findings of a run. */
struct told {
	uint64_t marks[BPE_MAX_WORKERS][MARKS]; /* packets by bit */
	uint64_t counts[KINDS];                 /* of all records, by kind */
	uint64_t records, digest;               /* digest: a sum, whatever the order */
	uint64_t rtt_flows;                     /* records with a round trip or a handshake */
	bool is_cut;                            /* a record is not complete */
	bool is_wrong;                          /* a column is not as bpfengine.h says */
	bool wants_marks;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned passed, failed, skipped;
static uint64_t seen[KINDS];

/* The marks that a kind of count sums up. */
static const uint16_t kinds[KINDS] = { BPE_MARK_RETRANSMISSION, BPE_MARK_FAST, BPE_MARK_SPURIOUS,
	BPE_MARK_OUT_OF_ORDER, BPE_MARK_ZERO_WINDOW, BPE_MARK_LOST_BEFORE | BPE_MARK_LOST_OTHER,
	BPE_MARK_UNSEEN_ACK, BPE_MARK_KEEP_ALIVE, BPE_MARK_REPEATED_ACK, BPE_MARK_DUPLICATE };
static const char *const names[KINDS] = { "retransmissions", "fast", "spurious", "out of order",
	"zero windows", "lost segments", "unseen acks", "keep-alives", "repeated acks",
	"duplicates" };

static uint64_t digest_record(const struct bpe_flow *flow)
{
	struct bpe_flow copy = *flow;
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	uint64_t word;

	copy.worker = 0;
	copy.slot = 0;
	for (size_t k = 0; k + sizeof word <= sizeof copy; k += sizeof word) {
		memcpy(&word, (const char *)&copy + k, sizeof word);
		h = (h ^ word) * 1099511628211u;
	}
	return h;
}

static void add_marked_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct told *t = user;

	(void)worker;
	pthread_mutex_lock(&lock);
	t->records++;
	t->digest += digest_record(f);
	t->is_cut |= !!(f->flags & BPE_FLOW_CUT);
	t->rtt_flows += f->rtt_ns[0] >= 0 || f->rtt_ns[1] >= 0 || f->handshake_ns[0] >= 0 ||
			f->handshake_ns[1] >= 0;
	for (int end = 0; end < 2; end++) {
		const uint32_t counts[KINDS] = { f->retransmissions[end],
			f->fast_retransmissions[end], f->spurious_retransmissions[end],
			f->out_of_order[end], f->zero_windows[end], f->lost_segments[end],
			f->unseen_acks[end], f->keep_alives[end], f->repeated_acks[end],
			f->duplicates[end] };

		for (int k = 0; k < KINDS; k++)
			t->counts[k] += counts[k];
	}
	pthread_mutex_unlock(&lock);
}

static void add_batch(void *user, const struct bpe_batch *b)
{
	struct told *t = user;

	if (!BPE_HAS(b, rtt_ns) || !b->marks != !t->wants_marks || !b->rtt_ns != !t->wants_marks) {
		t->is_wrong = true;
		return;
	}
	for (uint32_t i = 0; t->wants_marks && i < b->count; i++) {
		const uint32_t marks = b->marks[i];

		for (int bit = 0; bit < MARKS; bit++)
			t->marks[b->worker][bit] += marks >> bit & 1;
		t->is_wrong |= marks >> MARKS || (marks && b->layers[i].proto != BPE_PROTO_TCP);
		t->is_wrong |= marks & BPE_MARK_RTT && b->rtt_ns[i] < 0;
	}
}

static void run_marked_engine(struct bpe_options o)
{
	struct bpe_engine *e;

	o.on_batch = add_batch;
	if (bpe_engine_open(&o, &e, NULL) < 0)
		return;
	bpe_engine_run(e, 0, NULL);
	bpe_engine_close(e);
}

static void run_marked_capture(struct bpe_options o, struct told *t)
{
	struct bpe_capture *c;
	struct bpe_batch batch;

	o.flow_table = true;
	if (bpe_capture_open(&o, &c, NULL) < 0)
		return;
	while (bpe_capture_next(c, &batch, -1, NULL) > 0)
		add_batch(t, &batch);
	bpe_capture_end_flows(c, NULL);
	bpe_capture_close(c);
}

/* Reads the file.  workers < 0: by the capture. */
static void read_with_marks(const char *path, int workers, bool marks, struct told *t)
{
	struct bpe_options o;

	memset(t, 0, sizeof *t);
	t->wants_marks = marks;
	bpe_options_init(&o);
	o.file = path;
	o.fixed_seed = true;
	o.hash_seed = 22;
	o.marks = marks;
	o.on_flow = add_marked_record;
	o.user = t;
	if (workers < 0) {
		run_marked_capture(o, t);
	} else {
		o.workers = workers;
		run_marked_engine(o);
	}
}

/* Returns the name of a difference, or NULL. */
static const char *compare_marks(const struct told *plain, const struct told *t, bool is_first)
{
	uint64_t rtts = 0;

	if (plain->is_wrong || t->is_wrong)
		return "a column";
	if (t->records != plain->records || t->digest != plain->digest)
		return "the records differ with marks";
	for (int w = 0; w < BPE_MAX_WORKERS; w++)
		rtts += t->marks[w][11];
	if (!rtts != !t->rtt_flows)
		return "round trips";
	for (int k = 0; k < KINDS; k++) {
		uint64_t sum = 0;

		for (int w = 0; w < BPE_MAX_WORKERS; w++)
			for (int bit = 0; bit < MARKS; bit++)
				sum += kinds[k] >> bit & 1 ? t->marks[w][bit] : 0;
		if (is_first)
			seen[k] += sum;
		if (sum != t->counts[k] && !t->is_cut)
			return names[k];
	}
	return NULL;
}

static int check_marks_of_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	static const int levels[] = { 0, 1, 3, -1 };
	static struct told plain;
	static struct told marked;
	const char *why = NULL;

	(void)st;
	(void)at;
	if (type != FTW_F)
		return 0;
	for (size_t k = 0; !why && k < sizeof levels / sizeof *levels; k++) {
		read_with_marks(path, levels[k], false, &plain);
		read_with_marks(path, levels[k], true, &marked);
		why = compare_marks(&plain, &marked, !k);
		if (why)
			printf("%s: workers %d: %s\n", path, levels[k], why);
	}
	if (!plain.records)
		skipped++;
	else if (why)
		failed++;
	else
		passed++;
	return 0;
}

int main(int argc, char **argv)
{
	bool has_all = true;

	if (argc < 2 || nftw(argv[1], check_marks_of_file, 16, FTW_PHYS) || !(passed + failed)) {
		puts("there are no captures");
		return 77;
	}
	for (int k = 0; k < KINDS; k++) {
		printf("%s: %" PRIu64 "\n", names[k], seen[k]);
		has_all &= seen[k] > 0;
	}
	if (!has_all)
		puts("a mark was never seen: the test proves nothing about it");
	printf("%u without flows\n%u passed, %u failed\n", skipped, passed, failed);
	return failed || !has_all;
}
