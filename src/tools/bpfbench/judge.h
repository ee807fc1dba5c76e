/* SPDX-License-Identifier: MIT */
/* The proofs about loss in counts of packets.
 *
 * A sample is all rounds of a case.  Seen loss is a fact.  "Nothing was lost" is a claim,
 * and a sample can be too small for the claim in two ways.  Too few packets: with n packets and
 * none lost, a loss of 1 - 0.05^(1/n) would still go unseen once in 20 times (the exact binomial
 * bound; about 3/n).  Too short: a buffer hides a reader that is too slow until the buffer is full.
 * Traffic that fills the buffer f times hides a reader that is slower by the part 1/f.  A sweep
 * doubles the rate from case to case, so f must be at least 2. */
#ifndef BENCH_JUDGE_H
#define BENCH_JUDGE_H

#include "result.h"

#define JUDGE_FILLS 2.0       /* a reader of half the needed speed must be seen */
#define JUDGE_CONFIDENCE 0.95 /* of the bounds of loss and of medians */

/* Facts about the source of a sample. */
struct judge {
	double loss_below; /* the claim: less than this part is lost */
	double buffers;    /* buffers that hide a slow reader: BPF devices have two */
	double hidden_s;   /* > 0: generated traffic, which hides a reader for so many seconds */
};

enum lack { LACK_NOTHING, LACK_PACKETS, LACK_FILLS, LACK_ANY_PACKET };

struct sample {
	size_t rounds, lossy; /* lossy: rounds with loss */
	double offered;       /* packets a second, median of the rounds */
	double seconds;       /* of a round, median */
	uint64_t packets;     /* delivered and lost, in all rounds */
	uint64_t lost;
	bool known;            /* the source tells what is lost */
	bool waits;            /* the source waits for the reader: nothing can be lost */
	double loss;           /* part of packets; NAN: no packets */
	double bound;          /* loss is below this with JUDGE_CONFIDENCE; NAN: no packets */
	double fills;          /* how often the fullest round filled the buffer; NAN: not known */
	enum lack lack;        /* why "nothing was lost" cannot be claimed */
	double seconds_wanted; /* of a round, for a sample that is large enough; NAN: not known */
};

/* Judges the rounds of a case. */
struct sample judge_sample(const struct judge *judge, const struct row *rows, size_t rounds);
/* Returns the loss below which the true loss is, with JUDGE_CONFIDENCE, when `lost` of n packets
 * were lost: the upper end of the one-sided interval of Clopper and Pearson.  n is above 0. */
double judge_bound(uint64_t lost, uint64_t n);
/* Returns the packets after which "none lost" means less loss than `part`. */
uint64_t judge_packets(double part);
/* Returns the rounds after which the least and the most hold the median with JUDGE_CONFIDENCE:
 * the smallest n with 1 - 2 * 0.5^n above the confidence. */
size_t judge_rounds(void);

#endif
