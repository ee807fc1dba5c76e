/* SPDX-License-Identifier: MIT */
/* One measurement with traffic of our own: a run on the pair's receiving end while the sender
 * sends. */
#ifndef BENCH_OFFER_H
#define BENCH_OFFER_H

#include "pair.h"
#include "run.h"

/* Fills *row: 0; or an exit code after the message was printed.  late: the sender did not keep its
 * rate. */
int offer(struct run *run, const struct pair *pair, const struct bpe_options *options, bool latency,
	const struct sender_order *order, struct row *row, bool *late);

#endif
