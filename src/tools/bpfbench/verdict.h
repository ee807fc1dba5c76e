/* SPDX-License-Identifier: MIT */
/* The verdicts of a result: a sentence for each setting, with the figures behind the sentence. */
#ifndef BENCH_VERDICT_H
#define BENCH_VERDICT_H

#include "judge.h"
#include "spread.h"

struct verdict {
	char outcome[20]; /* none_lost, loss_begins, always_lost, lost, not_judged, not_known,
			     cannot_lose, not_confirmed; of times: faster, slower, no_difference,
			     measured */
	/* The setting.  subject opens the clause: "with 16 MiB"; "": none. */
	char context[320], subject[80];
	char filter[200], mode[16], what[48], layout[16], backend[16];
	uint64_t buffer_bytes, frame_bytes, workers;
	/* Loss.  Rates are in packets a second; NAN: none. */
	double no_loss_up_to, loss_from, loss, loss_bound, buffer_fills, seconds_wanted;
	uint64_t rounds, packets, lost;
	/* Times in nanoseconds a packet: the median and the quartiles. */
	double ns, ns_low, ns_high, speed; /* speed: times that of the other contender */
	char clause[400];                  /* what holds, behind the subject */
	char reason[320];                  /* why, behind the clause; "": no reason */
};

extern const struct column verdict_columns[];

/* Makes all figures absent. */
void verdict_init(struct verdict *verdict);
/* Adds the verdicts of a sweep, one for each setting; the rates of a setting are judged together.
 * Rows of a case lie side by side.  The caller frees result->verdicts.  Returns false without
 * memory. */
bool verdict_sweep(struct result *result, const struct judge *judge);
/* Fills the verdict of a single sample: a run, or an interface's own traffic. */
void verdict_sample(struct verdict *v, const struct judge *judge, const struct row *row);
/* Fills the verdict of a loop: best is its highest good rate, confirmed by the last row, or 0. */
void verdict_loop(struct verdict *v, const struct judge *judge, const struct result *result,
	double best, bool confirmed);
/* Fills the verdict about a time per packet beside another contender's time.  unit: "ns of CPU
 * time".  A difference counts if the quartiles do not meet. */
void verdict_times(struct verdict *v, const char *unit, const struct spread *ours,
	const char *other_name, const struct spread *other);
/* Fills the verdict about a time per packet with nothing beside. */
void verdict_time(struct verdict *v, const char *unit, const struct spread *ours);
/* Refuses a verdict about times if there are too few rounds.  Returns true if there are enough. */
bool verdict_has_rounds(struct verdict *v, uint64_t rounds);

/* Returns false if a sample was too small to be judged. */
bool verdicts_judged(const struct result *result);
/* Writes the sentence that begins with verdict number `first`: the clauses of all settings with
 * the same context, and a reason behind the last clause that has the reason.  Returns the number of
 * the next verdict. */
size_t verdict_sentence(const struct result *result, size_t first, char *to, size_t room);
#define SENTENCE_ROOM 6000

#endif
