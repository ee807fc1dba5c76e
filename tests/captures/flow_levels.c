/* SPDX-License-Identifier: MIT */
/* flow_levels [DIRECTORY]: reads every file of DIRECTORY at both levels, under several options: by
 * the engine with 0 workers and by the capture with a flow table.  Both levels hand over the same
 * records in the same order, byte for byte.  Both give the same flow with each batch, and end with
 * the same status and the same counts.  The last line is "N passed, N failed", counted in files.
 * Exit code 77 (skipped): there are no captures. */
#define _XOPEN_SOURCE 700
#include "bpfengine.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST 5

/* What a level said of a file. */
struct told {
	int status; /* of opening, or of the end */
	struct bpe_flow *records;
	size_t count, room;
	uint64_t batches;
	uint64_t digest; /* of the flow and the key of each batch's last packet */
	struct bpe_flow largest[LARGEST];
	int found;
	struct bpe_stats stats;
};

static unsigned passed, failed, skipped;
static unsigned long long compared;

static void keep_told_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	struct told *t = user;

	if (worker)
		abort();
	if (t->count == t->room) {
		t->room = t->room * 2 + 64;
		t->records = realloc(t->records, t->room * sizeof *t->records);
		if (!t->records)
			abort();
	}
	t->records[t->count++] = *flow;
}

static uint64_t mix_words(uint64_t h, const void *p, size_t n) /* FNV-1a */
{
	const uint8_t *b = p;
	uint64_t word;

	for (; n >= sizeof word; n -= sizeof word, b += sizeof word) {
		memcpy(&word, b, sizeof word);
		h = (h ^ word) * 1099511628211u;
	}
	return h;
}

static void look_at_batch(void *user, const struct bpe_batch *batch)
{
	struct told *t = user;
	const uint32_t last = batch->count - 1;
	struct bpe_flow flow;

	t->batches++;
	if (batch->layers[last].flags & BPE_PKT_KEY)
		t->digest = mix_words(t->digest, &batch->key[last], sizeof batch->key[last]);
	if (bpe_batch_flow(batch, last, &flow))
		t->digest = mix_words(t->digest, &flow, sizeof flow);
}

static void ask_engine(struct bpe_options o, struct told *t)
{
	struct bpe_engine *e;

	o.workers = 0;
	o.on_batch = look_at_batch;
	t->status = bpe_engine_open(&o, &e, NULL);
	if (t->status < 0)
		return;
	t->status = bpe_engine_run(e, 0, NULL);
	t->found = bpe_engine_largest_flows(
		e, BPE_ORDER_PACKETS, INT64_MIN, t->largest, LARGEST, NULL, NULL);
	bpe_engine_stats(e, &t->stats);
	bpe_engine_close(e);
}

static void ask_capture(struct bpe_options o, struct told *t)
{
	struct bpe_capture *c;
	struct bpe_batch batch;

	o.flow_table = true;
	t->status = bpe_capture_open(&o, &c, NULL);
	if (t->status < 0)
		return;
	while ((t->status = bpe_capture_next(c, &batch, -1, NULL)) > 0)
		look_at_batch(t, &batch);
	if (t->status == BPE_E_END)
		t->status = BPE_OK;
	t->found = bpe_capture_largest_flows(
		c, BPE_ORDER_PACKETS, INT64_MIN, t->largest, LARGEST, NULL, NULL);
	if (bpe_capture_end_flows(c, NULL) != 0) /* the end has handed over all */
		t->status = BPE_E_STATE;
	bpe_capture_stats(c, &t->stats);
	bpe_capture_close(c);
}

/* Returns the first difference, or NULL. */
static const char *compare_levels(const struct told *a, const struct told *b)
{
	const struct bpe_stats *x = &a->stats;
	const struct bpe_stats *y = &b->stats;

	if (a->status != b->status)
		return "status";
	if (a->count != b->count)
		return "number of records";
	for (size_t i = 0; i < a->count; i++)
		if (memcmp(&a->records[i], &b->records[i], sizeof *a->records))
			return "record";
	if (a->batches != b->batches || a->digest != b->digest)
		return "flows of batches";
	if (a->found != b->found ||
		(a->found > 0 &&
			memcmp(a->largest, b->largest, (size_t)a->found * sizeof *a->largest)))
		return "largest flows";
	if (x->flows_opened != y->flows_opened || x->flows_active != y->flows_active ||
		x->flows_peak != y->flows_peak || x->flows_ended != y->flows_ended ||
		x->flows_evicted != y->flows_evicted || x->flows_periods != y->flows_periods ||
		x->flows_refused != y->flows_refused || x->flow_packets != y->flow_packets ||
		x->time_steps != y->time_steps || x->duplicates != y->duplicates ||
		x->flow_bytes != y->flow_bytes || x->read_packets != y->read_packets)
		return "counts";
	if (x->flows_opened != x->flows_active + x->flows_ended + x->flows_evicted)
		return "books";
	return NULL;
}

/* Returns the options of a trial; both levels get the same. */
static struct bpe_options trial_options(int trial, const char *path)
{
	struct bpe_options o;

	bpe_options_init(&o);
	o.file = path;
	o.fixed_seed = true;
	o.hash_seed = 22;
	o.on_flow = keep_told_record;
	if (trial == 1) { /* many ends, periods, and all that a record may have */
		o.flow_idle_ns = 50000000;
		o.flow_closed_ns = 1000000;
		o.flow_active_ns = 20000000;
		o.flow_lengths = true;
		o.process = true;
		o.direction_by_port = true;
	}
	if (trial == 2) { /* a full table, and an end by the limit */
		o.max_flows = 5;
		o.max_packets = 100;
		o.no_tcp_health = true;
	}
	return o;
}

static int check_file(const char *path, const struct stat *s, int kind, struct FTW *ftw)
{
	const char *why = NULL;
	(void)ftw;

	if (kind != FTW_F || !s->st_size)
		return 0;
	for (int trial = 0; trial < 3 && !why; trial++) {
		static struct told engine, capture;
		struct bpe_options o = trial_options(trial, path);

		engine = capture = (struct told){ .digest = 14695981039346656037u };
		o.user = &engine;
		ask_engine(o, &engine);
		o.user = &capture;
		ask_capture(o, &capture);
		why = compare_levels(&engine, &capture);
		compared += engine.count;
		free(engine.records);
		free(capture.records);
		if (engine.status == BPE_E_FORMAT && !why) {
			skipped++; /* no savefile */
			return 0;
		}
		if (why)
			printf("FAILED: %s, trial %d: %s differs\n", path, trial, why);
	}
	failed += why != NULL;
	passed += !why;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 2 || nftw(argv[1], check_file, 20, FTW_PHYS) || passed + failed == 0) {
		printf("SKIP: no captures\n0 passed, 0 failed, 1 skipped\n");
		return 77;
	}
	printf("%llu records compared; %u other files\n", compared, skipped);
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0 || !compared;
}
