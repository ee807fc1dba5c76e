/* SPDX-License-Identifier: MIT */
/* The closed loop: finds the highest rate without loss.
 *
 * Ramp: the rate doubles until packets are lost, or until the sender cannot go faster.  Search: the
 * interval between the last good rate and the first bad rate is halved.  Confirm: the rate is tried
 * again; after a loss a tenth less is tried, three times at most.  A rate is good if every sent
 * packet was delivered.  If the sender limits the rate, the result says so: the receiver's limit is
 * higher. */
#include "amounts.h"
#include "offer.h"
#include "verdict.h"

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

/* What a trial of a rate showed. */
enum { GOOD, BAD, LATE, FAILED };

/* Offers a rate.  LATE: no loss, but the sender did not keep the rate.  FAILED: *code is set, or
 * the search has to end. */
static int try_rate(struct search *s, const char *what, uint64_t rate, int *code)
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
	if (!o->quiet) {
		char asked[AMOUNT_ROOM], sent[AMOUNT_ROOM], lost[AMOUNT_ROOM];

		program_tell("%s asked, %s sent, %s lost",
			amount_rate(asked, sizeof asked, (double)rate),
			amount_rate(sent, sizeof sent, row_offered(r)),
			amount_of(lost, sizeof lost, r->sent - r->delivered, "packet"));
	}
	if (r->delivered != r->sent)
		return BAD;
	return s->late ? LATE : GOOD;
}

/* Returns the rate that the sender reached in the last trial. */
static uint64_t find_reached_rate(const struct search *s)
{
	const struct row *last = &s->rows[s->count - 1];

	return (uint64_t)((double)last->sent / last->seconds);
}

/* The rates that a search has found so far. */
struct bounds {
	uint64_t good, bad; /* 0: none */
	bool limited;       /* the sender cannot go faster */
};

/* Returns the next rate of the ramp. */
static uint64_t next_ramp_rate(const struct options *o, uint64_t rate)
{
	return rate > o->rate_to / 2 && rate < o->rate_to ? o->rate_to : rate * 2;
}

/* Doubles the rate until a loss, the sender's limit, or the highest rate.  Returns false on FAILED.
 */
static bool climb_rates(struct search *s, struct bounds *b, int *code)
{
	const struct options *o = s->options;
	uint64_t rate = o->rate_from;

	for (; !b->bad && !b->limited && rate <= o->rate_to; rate = next_ramp_rate(o, rate)) {
		int r = try_rate(s, "ramp", rate, code);

		if (r == LATE)
			r = try_rate(s, "ramp", rate, code); /* a single time may be chance */
		switch (r) {
		case FAILED:
			return false;
		case BAD:
			b->bad = rate;
			break;
		case LATE:
			b->limited = true;
			b->good = find_reached_rate(s);
			break;
		default:
			b->good = rate;
		}
	}
	return true;
}

/* Halves the interval between good and bad.  Returns false on FAILED. */
static bool narrow_rates(struct search *s, struct bounds *b, int *code)
{
	const struct options *o = s->options;

	for (uint64_t k = 0; b->bad && k < o->steps && b->bad - b->good > b->bad / 50; k++) {
		const uint64_t rate = b->good + (b->bad - b->good) / 2;

		switch (try_rate(s, "search", rate, code)) {
		case FAILED:
			return false;
		case BAD:
			b->bad = rate;
			break;
		case LATE:
			/* the sender hardly reaches this rate, so the search goes on below */
			b->limited = true;
			b->bad = rate;
			break;
		default:
			b->good = rate;
		}
	}
	if (b->bad)
		b->limited = false;
	return true;
}

/* Tries the good rate again; after a loss a tenth less.  Sets *confirmed if a trial was good. */
static void confirm_rate(struct search *s, struct bounds *b, bool *confirmed, int *code)
{
	for (int k = 0; b->good && k < 4 && !*confirmed; k++) {
		if (k)
			b->good -= b->good / 10;
		const int r = try_rate(s, "confirm", b->good, code);

		if (r == FAILED)
			return;
		*confirmed = r != BAD;
		if (r == LATE) { /* claims no more than the sender sent */
			b->limited = true;
			b->good = find_reached_rate(s);
		}
	}
}

/* Returns the highest good rate, or 0.  *limited: the sender cannot go faster. */
static uint64_t find_highest_rate(struct search *s, bool *limited, bool *confirmed, int *code)
{
	struct bounds b = { 0, 0, false };

	if (climb_rates(s, &b, code) && narrow_rates(s, &b, code))
		confirm_rate(s, &b, confirmed, code);
	*limited = b.limited;
	return b.good;
}

/* Adds the facts and notes about the highest rate, behind its verdict. */
static void describe_loop(struct result *r, uint64_t best, bool limited, bool confirmed)
{
	const bool judged = verdicts_judged(r);
	const char *why = asked_to_stop()
				  ? ": stopped by a signal"
				  : ": this machine loses now and then at any rate that was tried";

	fact_number(&r->findings, "highest_rate_without_loss",
		best && confirmed && judged ? (double)best : NAN);
	fact_add(&r->findings, "confirmed", "%s", confirmed ? "yes" : "no");
	fact_add(&r->findings, "limited_by_sender", "%s", limited ? "yes" : "no");
	if (limited)
		note_add(r,
			"nothing was lost at all that the sender can send: the receiver's limit lies higher");
	if (!confirmed && best)
		note_add(r, "no rate was confirmed by a second try%s", why);
	if (!best)
		note_add(r,
			"packets were lost at the lowest rate already: try --rate-from lower, or a larger -B");
	note_add(r,
		"sender and receiver share this machine: the sender is a process of its own, its CPU is not in the figures");
	note_add(r,
		"lost: what was sent and not delivered; arrived: counted by the receiving interface, so that sent - arrived was lost before any capture");
}

int loop_main(const struct options *o)
{
	static struct search s;
	static struct result result;
	static struct verdict verdict;
	bool limited = false, confirmed = false;
	s.options = o;
	result_init(&result, KIND_LOOP);
	host_facts(&result.host);
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
	uint64_t best = find_highest_rate(&s, &limited, &confirmed, &code);
	pair_remove(&s.pair);
	if (code && !s.count)
		return code;
	result.rows = s.rows;
	result.count = s.count;
	const struct judge judge = options_judge(o);
	verdict_init(&verdict);
	verdict_loop(&verdict, &judge, &result, (double)best, confirmed);
	result.verdicts = &verdict;
	result.verdict_count = s.count > 0;
	describe_loop(&result, best, limited, confirmed);
	int wrote = outputs_write(o, &result);
	return code ? code : wrote;
}
