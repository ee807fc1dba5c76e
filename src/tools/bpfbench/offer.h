/* SPDX-License-Identifier: MIT */
/* A measurement with our own traffic: a run on the receiving end of the pair while the sender
 * sends. */
#ifndef BENCH_OFFER_H
#define BENCH_OFFER_H

#include "pair.h"
#include "run.h"

/* Measures a run and fills *row.  *late is set if the sender did not keep the ordered rate. Returns
 * 0, or an exit code after the message. */
int offer(struct run *run, const struct pair *pair, const struct bpe_options *options, bool latency,
	const struct sender_order *order, struct row *row, bool *late);

#endif
