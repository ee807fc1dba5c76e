/* SPDX-License-Identifier: MIT */
/* What counts of packets prove about loss (judge.h).  Pure. */
#include "judge.h"

#include "spread.h"

#include <math.h>
#include <stdlib.h>

uint64_t judge_packets(double part)
{
	return (uint64_t)ceil(log(1 - JUDGE_CONFIDENCE) / log1p(-part));
}

size_t judge_rounds(void)
{
	size_t n = 1;

	while (1 - 2 * pow(0.5, (double)n) < JUDGE_CONFIDENCE)
		n++;
	return n;
}

/* Returns the logarithm of the binomial probability of k of n at the probability p. */
static double log_binomial(double k, double n, double p)
{
	return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p);
}

/* Returns the probability of at most k of n.  Terms are added from k downwards, as far as they
 * count. */
static double sum_binomial(double k, double n, double p)
{
	double term = exp(log_binomial(k, n, p));
	double sum = term;

	for (double i = k; i > 0 && term > sum * 1e-12; i--) {
		term *= i / (n - i + 1) * (1 - p) / p;
		sum += term;
	}
	return sum;
}

double judge_bound(uint64_t lost, uint64_t n)
{
	double low = (double)lost / (double)n;
	double high = 1;

	if (lost >= n)
		return 1;
	if (!lost)
		return -expm1(log(1 - JUDGE_CONFIDENCE) / (double)n);
	for (int k = 0; k < 60; k++) { /* bisection: the sum falls as the probability rises */
		const double p = (low + high) / 2;

		if (sum_binomial((double)lost, (double)n, p) > 1 - JUDGE_CONFIDENCE)
			low = p;
		else
			high = p;
	}
	return high;
}

/* Returns how often the traffic of a row filled what hides a slow reader; NAN: not known. */
static double count_fills(const struct judge *j, const struct row *r)
{
	if (j->hidden_s > 0)
		return r->seconds / j->hidden_s;
	if (r->buffer_bytes == ABSENT || !r->buffer_bytes || r->block_bytes == ABSENT)
		return NAN;
	return (double)r->block_bytes / (j->buffers * (double)r->buffer_bytes);
}

/* Adds the counts of the rounds. */
static void add_rounds(const struct judge *j, const struct row *rows, struct sample *s)
{
	s->known = true;
	s->fills = NAN;
	for (size_t i = 0; i < s->rounds; i++) {
		const struct row *r = &rows[i];

		s->packets += r->delivered + r->lost;
		s->lost += r->lost;
		s->lossy += r->lost > 0;
		s->known &= r->kernel_dropped != ABSENT || r->sent != ABSENT;
		s->fills = fmax(s->fills, count_fills(j, r));
	}
	s->waits = j->hidden_s > 0 && !s->known && !s->lost;
}

/* Decides why "nothing was lost" cannot be claimed, if so. */
static void find_lack(const struct judge *j, struct sample *s)
{
	const uint64_t wanted = judge_packets(j->loss_below);

	if (!s->packets) {
		s->lack = LACK_ANY_PACKET;
		return;
	}
	s->seconds_wanted = s->seconds;
	if (s->packets < wanted) {
		s->lack = LACK_PACKETS;
		s->seconds_wanted = s->seconds * (double)wanted / (double)s->packets;
	}
	if (s->fills < JUDGE_FILLS) { /* false for NAN */
		const bool hides = j->hidden_s > 0;
		const double longer = JUDGE_FILLS * (hides ? j->hidden_s : s->seconds / s->fills);

		s->lack = LACK_FILLS;
		if (longer > s->seconds_wanted)
			s->seconds_wanted = longer;
	}
}

struct sample judge_sample(const struct judge *j, const struct row *rows, size_t rounds)
{
	struct sample s = { .rounds = rounds, .loss = NAN, .bound = NAN, .seconds_wanted = NAN };
	double *values = malloc((rounds ? rounds : 1) * sizeof *values);

	add_rounds(j, rows, &s);
	for (size_t i = 0; i < rounds && values; i++)
		values[i] = row_offered(&rows[i]);
	s.offered = values ? spread_of(values, rounds).median : NAN;
	for (size_t i = 0; i < rounds && values; i++)
		values[i] = rows[i].seconds;
	s.seconds = values ? spread_of(values, rounds).median : NAN;
	free(values);
	if (s.packets) {
		s.loss = (double)s.lost / (double)s.packets;
		s.bound = judge_bound(s.lost, s.packets);
	}
	find_lack(j, &s);
	return s;
}
