/* SPDX-License-Identifier: MIT */
/* Puts the findings of judge.c into words and figures (verdict.h).  Pure but for memory. */
#include "verdict.h"

#include "amounts.h"

#include <ctype.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define SENDER_LAGS 0.98 /* below this part of the rate the sender, not the list, set the rate */

#define LOSSES (KIND_RUN | KIND_SWEEP | KIND_LOOP)
#define TIMES (KIND_COMPARE | KIND_STAGES)
#define WORD(member, kinds) { #member, COLUMN_TEXT, offsetof(struct verdict, member), kinds, 0, 0 }
#define COUNT(member, kinds)                                                                       \
	{ #member, COLUMN_COUNT, offsetof(struct verdict, member), kinds, 0, 0 }
#define FIGURE(name, member, kinds)                                                                \
	{ name, COLUMN_NUMBER, offsetof(struct verdict, member), kinds, 0, 0 }

const struct column verdict_columns[] = { WORD(outcome, LOSSES | TIMES), WORD(filter, KIND_SWEEP),
	WORD(mode, KIND_SWEEP), COUNT(buffer_bytes, LOSSES), COUNT(frame_bytes, LOSSES),
	COUNT(workers, LOSSES), WORD(what, KIND_COMPARE), WORD(layout, KIND_STAGES),
	WORD(backend, KIND_STAGES), COUNT(rounds, LOSSES | TIMES), COUNT(packets, LOSSES),
	COUNT(lost, LOSSES), FIGURE("loss", loss, LOSSES), FIGURE("loss_bound", loss_bound, LOSSES),
	FIGURE("no_loss_up_to", no_loss_up_to, LOSSES), FIGURE("loss_from", loss_from, LOSSES),
	FIGURE("buffer_fills", buffer_fills, LOSSES),
	FIGURE("seconds_wanted", seconds_wanted, LOSSES), FIGURE("ns_per_packet", ns, TIMES),
	FIGURE("ns_quarter", ns_low, TIMES), FIGURE("ns_three_quarters", ns_high, TIMES),
	FIGURE("speed", speed, TIMES), { NULL, COLUMN_TEXT, 0, 0, 0, 0 } };

void verdict_init(struct verdict *v)
{
	memset(v, 0, sizeof *v);
	v->buffer_bytes = v->frame_bytes = v->workers = ABSENT;
	v->rounds = v->packets = v->lost = ABSENT;
	v->no_loss_up_to = v->loss_from = v->loss = v->loss_bound = NAN;
	v->buffer_fills = v->seconds_wanted = NAN;
	v->ns = v->ns_low = v->ns_high = v->speed = NAN;
}

static void set_outcome(struct verdict *v, const char *outcome)
{
	snprintf(v->outcome, sizeof v->outcome, "%s", outcome);
}

/* ---- Words for a sample ---- */

/* Returns the seconds, rounded up to a short number. */
static double round_seconds_up(double seconds)
{
	return seconds < 10 ? ceil(seconds * 10) / 10 : ceil(seconds);
}

/* Writes why a sample is too small, and the -t of a larger sample. */
static void describe_lack(char *to, size_t room, const struct judge *j, const struct sample *s)
{
	char count[AMOUNT_ROOM], percent[AMOUNT_ROOM], hint[48] = "";
	const char *reader = s->fills < 1 ? "stands still" : "is half as fast as needed";

	if (isfinite(s->seconds_wanted))
		snprintf(
			hint, sizeof hint, "; -t %g would do", round_seconds_up(s->seconds_wanted));
	switch (s->lack) {
	case LACK_NOTHING:
		*to = 0;
		break;
	case LACK_ANY_PACKET:
		snprintf(to, room, "no packet came that could be lost");
		break;
	case LACK_PACKETS:
		snprintf(to, room, "%s are too few: a loss of %s could go unseen%s",
			amount_of(count, sizeof count, s->packets, "packet"),
			amount_percent(percent, sizeof percent, s->bound), hint);
		break;
	case LACK_FILLS:
		if (j->hidden_s > 0)
			snprintf(to, room,
				"%.1g s are too short: generated traffic is lost when it is more than a second late, so that a reader that %s loses nothing%s",
				s->seconds, reader, hint);
		else
			snprintf(to, room,
				"the packets of %.2g s fill the buffer %.2g times, so that a reader that %s loses nothing%s",
				s->seconds, s->fills, reader, hint);
		break;
	}
}

/* Makes the verdict a refusal. */
static void refuse_verdict(struct verdict *v, const struct judge *j, const struct sample *s)
{
	describe_lack(v->reason, sizeof v->reason, j, s);
	set_outcome(v, "not_judged");
	v->seconds_wanted = s->seconds_wanted;
	snprintf(v->clause, sizeof v->clause, "nothing can be said about loss");
}

/* Copies the figures of a sample. */
static void copy_sample(struct verdict *v, const struct sample *s)
{
	v->rounds = s->rounds;
	v->packets = s->packets;
	v->lost = s->lost;
	v->loss = s->loss;
	v->loss_bound = s->bound;
	v->buffer_fills = s->fills;
}

/* Fills the verdict of a sample without neighbours. */
static void judge_alone(struct verdict *v, const struct judge *j, const struct sample *s)
{
	char rate[AMOUNT_ROOM], bound[AMOUNT_ROOM], part[AMOUNT_ROOM], lost[AMOUNT_ROOM],
		packets[AMOUNT_ROOM];

	copy_sample(v, s);
	amount_rate(rate, sizeof rate, s->offered);
	amount_of(packets, sizeof packets, s->packets, "packet");
	amount_percent(bound, sizeof bound, s->bound);
	if (s->lost) {
		set_outcome(v, "lost");
		v->loss_from = s->offered;
		snprintf(v->clause, sizeof v->clause,
			"%s was lost, %s of %s at %s; the true loss is below %s (95 %% confidence)",
			amount_percent(part, sizeof part, s->loss),
			amount_count(lost, sizeof lost, s->lost), packets, rate, bound);
	} else if (s->waits && s->packets) {
		set_outcome(v, "cannot_lose");
		snprintf(v->clause, sizeof v->clause, "%s were read", rate);
		snprintf(v->reason, sizeof v->reason,
			"nothing can be lost, since the generator waits for the reader");
	} else if (s->packets && !s->known) {
		set_outcome(v, "not_known");
		snprintf(v->clause, sizeof v->clause, "%s came at %s", packets, rate);
		snprintf(v->reason, sizeof v->reason, "the source does not tell what was lost");
	} else if (s->lack) {
		refuse_verdict(v, j, s);
	} else {
		set_outcome(v, "none_lost");
		v->no_loss_up_to = s->offered;
		snprintf(v->clause, sizeof v->clause,
			"nothing was lost of %s at %s; the true loss is below %s (95 %% confidence)",
			packets, rate, bound);
	}
}

void verdict_sample(struct verdict *v, const struct judge *j, const struct row *row)
{
	const struct sample s = judge_sample(j, row, 1);

	v->buffer_bytes = row->buffer_bytes;
	v->workers = row->workers;
	judge_alone(v, j, &s);
}

/* ---- A setting of a sweep ---- */

/* The cases of a setting by their rates. */
struct setting {
	struct sample sample[64];
	const struct row *row[64];
	size_t count;
	/* Indices of the samples with the answer; count: none. */
	size_t lossy, good, above;
};

static bool is_same_setting(const struct row *a, const struct row *b)
{
	return !strcmp(a->filter, b->filter) && !strcmp(a->mode, b->mode) &&
	       a->frame_bytes == b->frame_bytes && a->workers == b->workers &&
	       a->buffer_bytes == b->buffer_bytes;
}

/* Gathers the cases of the setting that begins at `rows`.  Returns the number of rows. */
static size_t gather_setting(
	struct setting *s, const struct judge *j, const struct row *rows, size_t rest)
{
	size_t used = 0;

	s->count = 0;
	while (used < rest && is_same_setting(rows, &rows[used])) {
		size_t n = 1;

		while (used + n < rest && is_same_setting(rows, &rows[used + n]) &&
			rows[used].rate == rows[used + n].rate)
			n++;
		if (s->count < sizeof s->sample / sizeof *s->sample) {
			s->row[s->count] = &rows[used];
			s->sample[s->count++] = judge_sample(j, &rows[used], n);
		}
		used += n;
	}
	return used;
}

/* Finds the lowest rate with loss, the highest good rate below, and a good rate above. */
static void find_borders(struct setting *s)
{
	const struct sample *all = s->sample;

	s->lossy = s->good = s->above = s->count;
	for (size_t i = 0; i < s->count; i++)
		if (all[i].lost && (s->lossy == s->count || all[i].offered < all[s->lossy].offered))
			s->lossy = i;
	for (size_t i = 0; i < s->count; i++) {
		if (all[i].lost || all[i].lack || !all[i].known)
			continue;
		const bool below = s->lossy == s->count || all[i].offered < all[s->lossy].offered;
		size_t *best = below ? &s->good : &s->above;

		if (*best == s->count || all[i].offered > all[*best].offered)
			*best = i;
	}
}

/* Returns the sample with the highest rate. */
static size_t find_fastest(const struct setting *s)
{
	size_t best = 0;

	for (size_t i = 1; i < s->count; i++)
		if (s->sample[i].offered > s->sample[best].offered)
			best = i;
	return best;
}

/* Returns true if there is a case below the lowest rate with loss. */
static bool has_lower_case(const struct setting *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sample[i].offered < s->sample[s->lossy].offered)
			return true;
	return false;
}

/* Fills the verdict of a setting with loss. */
static void describe_lossy(struct verdict *v, const struct judge *j, const struct setting *s)
{
	const struct sample *at = &s->sample[s->lossy];
	char rate[AMOUNT_ROOM], part[AMOUNT_ROOM], other[AMOUNT_ROOM];
	char rounds[64] = "", below[80] = "", above[80] = "";

	copy_sample(v, at);
	v->loss_from = at->offered;
	amount_rate(rate, sizeof rate, at->offered);
	amount_percent(part, sizeof part, at->loss);
	if (at->lossy < at->rounds)
		snprintf(rounds, sizeof rounds, " in %zu of %zu rounds", at->lossy, at->rounds);
	if (s->above < s->count)
		snprintf(above, sizeof above, ", though none was lost at %s",
			amount_rate(other, sizeof other, s->sample[s->above].offered));
	if (s->good < s->count) {
		set_outcome(v, "loss_begins");
		v->no_loss_up_to = s->sample[s->good].offered;
		snprintf(below, sizeof below, ", none up to %s",
			amount_rate(other, sizeof other, v->no_loss_up_to));
	} else if (has_lower_case(s)) {
		size_t k = s->lossy;

		for (size_t i = 0; i < s->count; i++) /* the next rate below */
			if (s->sample[i].offered < at->offered &&
				(k == s->lossy || s->sample[i].offered > s->sample[k].offered))
				k = i;
		describe_lack(v->reason, sizeof v->reason, j, &s->sample[k]);
		set_outcome(v, "not_judged");
		v->seconds_wanted = s->sample[k].seconds_wanted;
		snprintf(v->clause, sizeof v->clause, "loss began at %s (%s%s), or at a lower rate",
			rate, part, rounds);
		return;
	} else {
		set_outcome(v, "always_lost");
		snprintf(below, sizeof below, ", the lowest rate that was tried");
	}
	snprintf(v->clause, sizeof v->clause, "loss began at %s (%s%s%s)%s", rate, part, rounds,
		below, above);
}

/* Fills the verdict of a setting without loss. */
static void describe_lossless(struct verdict *v, const struct judge *j, const struct setting *s)
{
	const size_t fastest = find_fastest(s);
	const struct sample *at = &s->sample[s->good < s->count ? s->good : fastest];
	const struct row *row = s->row[fastest];
	char rate[AMOUNT_ROOM];
	const char *more = "";

	if (s->good == s->count) {
		judge_alone(v, j, at); /* no rate stands for the setting, so the fastest speaks */
		return;
	}
	copy_sample(v, at);
	set_outcome(v, "none_lost");
	v->no_loss_up_to = at->offered;
	if (row->sent != ABSENT && s->good == fastest &&
		(!row->rate || at->offered < SENDER_LAGS * (double)row->rate))
		more = ", the most that could be sent";
	snprintf(v->clause, sizeof v->clause, "nothing was lost up to %s%s",
		amount_rate(rate, sizeof rate, at->offered), more);
}

/* The settings that differ within a sweep. */
struct differences {
	bool filters, sizes, modes, workers;
};

/* Names the settings that differ, except for the buffer. */
static void name_context(char *to, size_t room, const struct row *r, const struct differences *d)
{
	size_t at = 0;

	*to = 0;
	if (d->sizes && r->frame_bytes != ABSENT)
		at += (size_t)snprintf(to + at, room - at, "%llu-byte frames, ",
			(unsigned long long)r->frame_bytes);
	if (d->modes)
		at += (size_t)snprintf(to + at, room - at, "read mode %s, ", r->mode);
	if (d->workers) {
		char workers[AMOUNT_ROOM];

		at += (size_t)snprintf(to + at, room - at, "%s, ",
			amount_of(workers, sizeof workers, r->workers, "worker"));
	}
	if (d->filters)
		at += (size_t)snprintf(to + at, room - at, "filter %s, ", r->filter);
	if (at > 2)
		to[at - 2] = 0;
}

/* Fills the verdict of a setting. */
static void judge_setting(struct verdict *v, const struct judge *j, struct setting *s)
{
	char size[AMOUNT_ROOM];
	const struct row *r = s->row[0];
	const char *blocks = j->hidden_s > 0 ? "blocks of " : "";

	snprintf(v->subject, sizeof v->subject, "with %s%s", blocks,
		amount_bytes(size, sizeof size, r->buffer_bytes));
	snprintf(v->filter, sizeof v->filter, "%s", r->filter);
	snprintf(v->mode, sizeof v->mode, "%s", r->mode);
	v->buffer_bytes = r->buffer_bytes;
	v->frame_bytes = r->frame_bytes;
	v->workers = r->workers;
	find_borders(s);
	if (s->count == 1)
		judge_alone(v, j, &s->sample[0]);
	else if (s->lossy < s->count)
		describe_lossy(v, j, s);
	else
		describe_lossless(v, j, s);
}

bool verdict_sweep(struct result *r, const struct judge *j)
{
	const struct row *rows = r->rows;
	struct differences d = { .filters = false };
	struct setting *s = malloc(sizeof *s);
	struct verdict *v = malloc((r->count ? r->count : 1) * sizeof *v);
	size_t count = 0;

	for (size_t i = 1; i < r->count; i++) {
		d.filters |= strcmp(rows[i].filter, rows[0].filter) != 0;
		d.modes |= strcmp(rows[i].mode, rows[0].mode) != 0;
		d.sizes |= rows[i].frame_bytes != rows[0].frame_bytes;
		d.workers |= rows[i].workers != rows[0].workers;
	}
	for (size_t i = 0; i < r->count && s && v; count++) {
		verdict_init(&v[count]);
		name_context(v[count].context, sizeof v[count].context, &rows[i], &d);
		i += gather_setting(s, j, &rows[i], r->count - i);
		judge_setting(&v[count], j, s);
	}
	r->verdicts = v;
	r->verdict_count = count;
	const bool good = s && v;
	free(s);
	return good;
}

void verdict_loop(struct verdict *v, const struct judge *j, const struct result *r, double best,
	bool confirmed)
{
	const struct row *rows = r->rows;
	char rate[AMOUNT_ROOM];

	if (!r->count)
		return;
	const struct row *last = &rows[r->count - 1];
	const struct sample s = judge_sample(j, last, 1);

	v->buffer_bytes = last->buffer_bytes;
	v->frame_bytes = last->frame_bytes;
	v->workers = last->workers;
	copy_sample(v, &s);
	amount_rate(rate, sizeof rate, best > 0 ? best : s.offered);
	if (!(best > 0)) {
		set_outcome(v, s.lost ? "always_lost" : "not_confirmed");
		v->loss_from = s.lost ? s.offered : NAN;
		snprintf(v->clause, sizeof v->clause,
			s.lost ? "packets were lost at the lowest rate already, %s"
			       : "no rate was tried to its end (%s)",
			rate);
	} else if (!confirmed) {
		set_outcome(v, "not_confirmed");
		snprintf(v->clause, sizeof v->clause,
			"%s went through without loss once, but not in a second try", rate);
	} else if (s.lack) {
		refuse_verdict(v, j, &s);
	} else {
		set_outcome(v, "none_lost");
		v->no_loss_up_to = best;
		snprintf(v->clause, sizeof v->clause,
			"nothing was lost up to %s, and in a second try at that rate", rate);
	}
}

bool verdict_has_rounds(struct verdict *v, uint64_t rounds)
{
	char count[AMOUNT_ROOM];

	v->rounds = rounds;
	if (rounds >= judge_rounds())
		return true;
	set_outcome(v, "not_judged");
	snprintf(v->clause, sizeof v->clause, "nothing can be said about the time");
	snprintf(v->reason, sizeof v->reason,
		"%s cannot hold the median with 95 %% confidence; --rounds %zu would do",
		amount_of(count, sizeof count, rounds, "round"), judge_rounds());
	return false;
}

void verdict_time(struct verdict *v, const char *unit, const struct spread *ours)
{
	v->ns = ours->median;
	v->ns_low = ours->low;
	v->ns_high = ours->high;
	if (!verdict_has_rounds(v, ours->count))
		return;
	set_outcome(v, "measured");
	snprintf(v->clause, sizeof v->clause, "%.2f %s a packet (half of the rounds: %.2f to %.2f)",
		ours->median, unit, ours->low, ours->high);
}

void verdict_times(struct verdict *v, const char *unit, const struct spread *ours,
	const char *other_name, const struct spread *other)
{
	v->ns = ours->median;
	v->ns_low = ours->low;
	v->ns_high = ours->high;
	v->speed = other->median / ours->median;
	if (!verdict_has_rounds(v, ours->count < other->count ? ours->count : other->count))
		return;
	const bool apart = ours->high < other->low || ours->low > other->high;

	if (!apart)
		set_outcome(v, "no_difference");
	else
		set_outcome(v, v->speed > 1 ? "faster" : "slower");
	snprintf(v->clause, sizeof v->clause,
		apart ? "%.2f %s a packet (half of the rounds: %.2f to %.2f), %.2f times the speed of %s"
		      : "%.2f %s a packet (half of the rounds: %.2f to %.2f), %.2f times the speed of %s: within the noise, so that neither is known to be faster",
		ours->median, unit, ours->low, ours->high, v->speed, other_name);
}

bool verdicts_judged(const struct result *r)
{
	for (size_t i = 0; i < r->verdict_count; i++)
		if (!strcmp(r->verdicts[i].outcome, "not_judged"))
			return false;
	return true;
}

/* Returns true if the reason stands behind the clause of verdict k: the next clause has another
 * reason. */
static bool gives_reason(const struct result *r, size_t k)
{
	const struct verdict *v = &r->verdicts[k];

	if (!*v->reason)
		return false;
	return k + 1 == r->verdict_count || strcmp(v->context, v[1].context) != 0 ||
	       strcmp(v->reason, v[1].reason) != 0;
}

size_t verdict_sentence(const struct result *r, size_t first, char *to, size_t room)
{
	const struct verdict *all = r->verdicts;
	const char *context = all[first].context;
	size_t at = (size_t)snprintf(to, room, "%s%s", context, *context ? ": " : "");
	size_t next = first;

	for (; next < r->verdict_count && !strcmp(all[next].context, context); next++) {
		const struct verdict *v = &all[next];
		const char *joint = next > first ? "; " : "";
		const char *gap = *v->subject ? " " : "";
		const char *reason = gives_reason(r, next) ? v->reason : "";
		const char *colon = *reason ? ": " : "";

		if (next > first && !*v->subject)
			break; /* clauses without a subject are sentences of their own */
		const int n = snprintf(to + at, room - at, "%s%s%s%s%s%s", joint, v->subject, gap,
			v->clause, colon, reason);

		if (n < 0 || (size_t)n >= room - at - 2)
			break;
		at += (size_t)n;
	}
	snprintf(to + at, room - at, ".");
	*to = (char)toupper((unsigned char)*to);
	return next > first ? next : first + 1;
}
