/* SPDX-License-Identifier: MIT */
/* The closed loop: rates doubled until packets are lost or the sender cannot go faster, then the
 * space between the last good rate and the first bad one is halved, then what was found is tried
 * once more; where that loses, a tenth less, three times at most. Good is: all that was sent was
 * delivered.  Where the rate is what the sender can do, that is said: the limit lies higher. */
#include "offer.h"

#include <math.h>
#include <string.h>

#define STEPS_MOST 80u

struct search {
	const struct options *options;
	struct pair pair;
	struct run run;
	struct row rows[STEPS_MOST];
	size_t count;
	bool late;
};

enum { GOOD, BAD, FAILED };

static int try(struct search *s, const char *what, uint64_t rate, int *code)
{
	const struct options *o = s->options;
	const struct sender_order order = { rate, o->sizes.count ? (uint32_t)o->sizes.value[0] : 64,
		o->seconds };
	if (s->count == STEPS_MOST || asked_to_stop())
		return FAILED;
	struct row *r = &s->rows[s->count];
	*code = offer(&s->run, &s->pair, &o->engine, o->latency, &order, r, &s->late);
	if (*code)
		return FAILED;
	snprintf(r->what, sizeof r->what, "%s", what);
	s->count++;
	if (!o->quiet)
		program_tell("%9llu packets/s asked, %9.0f sent, %llu lost",
			(unsigned long long)rate, (double)r->sent / r->seconds,
			(unsigned long long)(r->sent - r->delivered));
	return r->delivered == r->sent ? GOOD : BAD;
}

static uint64_t reached(const struct search *s)
{
	return (uint64_t)((double)s->rows[s->count - 1].sent / s->rows[s->count - 1].seconds);
}

/* The highest good rate; 0: none.  *limited: it is all that the sender can do. */
static uint64_t find(struct search *s, bool *limited, bool *confirmed, int *code)
{
	const struct options *o = s->options;
	uint64_t good = 0, bad = 0, rate = o->rate_from;
	for (; !bad && !*limited;
		rate = rate > o->rate_to / 2 && rate < o->rate_to ? o->rate_to : rate * 2) {
		if (rate > o->rate_to)
			break;
		int r = try(s, "ramp", rate, code);
		if (r == GOOD && s->late)
			r = try(s, "ramp", rate, code); /* once may be chance */
		if (r == FAILED)
			return good;
		if (r == BAD)
			bad = rate;
		else if (!s->late)
			good = rate;
		else
			*limited = true, good = reached(s);
	}
	for (uint64_t k = 0; bad && k < o->steps && bad - good > bad / 50; k++) {
		int r = try(s, "search", rate = good + (bad - good) / 2, code);
		if (r == FAILED)
			return good;
		if (r == BAD)
			bad = rate;
		else if (!s->late)
			good = rate;
		else
			*limited = true,
			bad = rate; /* it loses at what the sender can hardly do: search below */
	}
	if (bad)
		*limited = false;
	for (int k = 0; good && k < 4 && !*confirmed; k++) {
		if (k)
			good -= good / 10;
		int r = try(s, "confirm", good, code);
		if (r == FAILED)
			return good;
		*confirmed = r == GOOD;
		if (r == GOOD && s->late)
			*limited = true, good = reached(s); /* no more is claimed than was sent */
	}
	return good;
}

int loop_main(const struct options *o)
{
	static struct search s;
	static struct result result;
	bool limited = false, confirmed = false;
	s.options = o;
	result_init(&result, KIND_LOOP);
	int code = pair_make(&s.pair);
	if (code)
		return code;
	options_facts(o, &result.options);
	fact_number(
		&result.options, "frame_bytes", o->sizes.count ? (double)o->sizes.value[0] : 64);
	fact_number(&result.options, "rate_from", (double)o->rate_from);
	fact_number(&result.options, "rate_to", (double)o->rate_to);
	fact_number(&result.options, "steps", (double)o->steps);
	fact_add(&result.findings, "pair", "%s: %s to %s", pair_kind, s.pair.send, s.pair.receive);
	uint64_t best = find(&s, &limited, &confirmed, &code);
	pair_remove(&s.pair);
	if (code && !s.count)
		return code;
	fact_number(&result.findings, "highest_rate_without_loss",
		best && confirmed ? (double)best : NAN);
	fact_add(&result.findings, "confirmed", "%s", confirmed ? "yes" : "no");
	fact_add(&result.findings, "limited_by_sender", "%s", limited ? "yes" : "no");
	if (limited)
		note_add(&result,
			"nothing was lost at all that the sender can send: the receiver's limit lies higher");
	if (!confirmed && best)
		note_add(&result, "no rate was confirmed by a second try%s",
			asked_to_stop()
				? ": stopped by a signal"
				: ": this machine loses now and then at any rate that was tried");
	if (!best)
		note_add(&result,
			"packets were lost at the lowest rate already: try --rate-from lower, or a larger -B");
	note_add(&result,
		"sender and receiver share this machine: the sender is a process of its own, its CPU is not in the figures");
	note_add(&result,
		"lost: what was sent and not delivered; arrived: counted by the receiving interface, so that sent - arrived was lost before any capture");
	result.rows = s.rows;
	result.count = s.count;
	int wrote = outputs_write(o, &result);
	return code ? code : wrote;
}
