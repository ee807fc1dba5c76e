/* SPDX-License-Identifier: MIT */
/* The contents of a page: the counters of the run, the books of all targets, and the totals of flow
 * records.  Both sinks (page and file) have a state each. */
#ifndef METRICS_STATE_H
#define METRICS_STATE_H

#include "tools/export/export.h"
#include "totals.h"

struct metrics_state {
	const struct export_sender *sender;
	struct metrics_totals totals;
	struct export_counts counts;
	int64_t counts_ns; /* CLOCK_MONOTONIC, when counts came; 0: none came yet */
};

/* Reads the parameters of both sinks: top and servers.  Returns 0, or -1 with the reason in
 * why. */
int metrics_places_read(const struct export_address *address, uint32_t *places, uint32_t *servers,
	char *why, size_t room);
/* Opens a state by the parameters.  Returns false without memory. */
bool metrics_state_open(struct metrics_state *state, const struct export_sender *sender);
void metrics_state_close(struct metrics_state *state);
/* Counts a record, and books the record as sent. */
void metrics_state_record(struct metrics_state *state, const struct bpe_flow *flow);
void metrics_state_counts(
	struct metrics_state *state, const struct export_counts *counts, int64_t now_ns);
/* Writes the whole page.  now_ns: CLOCK_MONOTONIC.  Returns whether there was memory for all. */
bool metrics_state_put(struct metrics_page *page, const struct metrics_state *state,
	enum metrics_form form, int64_t now_ns);

/* ---- Parts of the page ---- */

/* Writes all statistics of the run (stats.c). */
void metrics_stats_put(struct metrics_page *page, const struct bpe_stats *stats);
/* Returns the name of the family of a statistic, without _total (stats.c). */
#define METRICS_FAMILY_BYTES 96
const char *metrics_stat_family(char to[METRICS_FAMILY_BYTES], const struct bpe_stat *stat);
/* Write the counters of interfaces, workers and savefiles (members.c). */
void metrics_interfaces_put(struct metrics_page *page, const struct export_counts *counts);
void metrics_workers_put(struct metrics_page *page, const struct export_counts *counts);
void metrics_written_put(struct metrics_page *page, const struct bpe_written *written);
/* Writes the books of all targets (members.c). */
void metrics_targets_put(
	struct metrics_page *page, const struct export_target *targets, uint32_t count);

#endif
