/* SPDX-License-Identifier: MIT */
/* The contents of a page (state.h); the sink owns the state. */
#include "state.h"

#include <stdio.h>
#include <string.h>

enum { PLACES = 20 };

int metrics_places_read(const struct export_address *address, uint32_t *places, uint32_t *servers,
	char *why, size_t room)
{
	uint64_t top = PLACES;
	uint64_t names = 0;

	if (export_number(address, "top", 0, METRICS_PLACES_MOST, &top, why, room) ||
		export_number(address, "servers", 0, METRICS_PLACES_MOST, &names, why, room))
		return -1;
	*places = (uint32_t)top;
	*servers = (uint32_t)names;
	return 0;
}

bool metrics_state_open(struct metrics_state *s, const struct export_sender *sender)
{
	uint32_t places, servers;
	char why[8];

	memset(s, 0, sizeof *s);
	s->sender = sender;
	return !metrics_places_read(sender->address, &places, &servers, why, sizeof why) &&
	       metrics_totals_open(&s->totals, places, servers);
}

void metrics_state_close(struct metrics_state *s)
{
	metrics_totals_close(&s->totals);
}

void metrics_state_record(struct metrics_state *s, const struct bpe_flow *flow)
{
	metrics_totals_add(&s->totals, flow);
	export_add(&s->sender->books->sent, 1);
}

void metrics_state_counts(
	struct metrics_state *s, const struct export_counts *counts, int64_t now_ns)
{
	s->counts = *counts;
	s->counts_ns = now_ns;
}

/* ---- The page ---- */

/* Writes the program, the source and the times of the run. */
static void put_run(struct metrics_page *page, const struct metrics_state *s, int64_t now_ns)
{
	const struct export_sender *const sender = s->sender;
	const struct metrics_labels build = { { "version", NULL }, { bpe_version(), NULL } };
	const char *const name = sender->source ? sender->source : "";
	const char *const kind = sender->is_live ? "live" : "savefile";
	const struct metrics_labels source = { { "source", "kind", NULL }, { name, kind, NULL } };

	metrics_family(page, METRICS_INFO, "bpfengine_build", "The program's version.");
	metrics_count(page, &build, 1);
	metrics_family(page, METRICS_INFO, "bpfengine_source", "Where packets come from.");
	metrics_count(page, &source, 1);
	metrics_family(page, METRICS_GAUGE, "bpfengine_start_time_seconds",
		"When the program was started, in seconds since 1970-01-01 UTC.");
	metrics_seconds(page, NULL, sender->started_ns);
	if (!s->counts_ns)
		return;
	metrics_family(page, METRICS_GAUGE, "bpfengine_snapshot_age_seconds",
		"Age of the counters of the run: about a second at most while the capture runs.");
	metrics_seconds(page, NULL, now_ns > s->counts_ns ? now_ns - s->counts_ns : 0);
	metrics_family_count(page, METRICS_GAUGE, "bpfengine_ended",
		"1 once the run has ended, and all counters are final.", s->counts.is_final);
}

bool metrics_state_put(struct metrics_page *page, const struct metrics_state *s,
	enum metrics_form form, int64_t now_ns)
{
	metrics_page_begin(page, form);
	put_run(page, s, now_ns);
	if (s->counts_ns) {
		metrics_stats_put(page, &s->counts.stats);
		metrics_interfaces_put(page, &s->counts);
		metrics_workers_put(page, &s->counts);
		if (s->counts.has_written)
			metrics_written_put(page, &s->counts.written);
	}
	metrics_totals_put(page, &s->totals);
	metrics_targets_put(page, s->sender->targets, s->sender->target_count);
	return metrics_page_end(page);
}
