/* SPDX-License-Identifier: MIT */
/* The trigger of the flight recorder (--trigger).
 *
 * Words of the option; ",after=SECONDS" may stand behind.
 *   retransmissions>N   a flow's retransmissions pass N.
 *   drops               the kernel, the interface or the engine lost packets.
 *   list:FILE           a packet from or to an address or network of the file.
 *   an expression       a packet accepted by the filter.
 *
 * Life: open (may read files and ask for names, so before rights are given up), then looks at
 * batches and counters, then close. */
#ifndef CLI_TRIGGER_H
#define CLI_TRIGGER_H

#include "bpfengine.h"

#define TRIGGER_AFTER_NS INT64_C(5000000000) /* without ",after=" */

enum trigger_kind {
	TRIGGER_FILTER,
	TRIGGER_RETRANSMISSIONS, /* needs flows, marks and TCP health */
	TRIGGER_DROPS
};

struct trigger;

/* Reads the words of the option.  Returns NULL after a message on stderr. */
struct trigger *trigger_open(const char *words);
/* Frees the trigger, or NULL. */
void trigger_close(struct trigger *trigger);
enum trigger_kind trigger_kind_of(const struct trigger *trigger);
/* Returns for how long packets are written after the trigger. */
int64_t trigger_after_ns(const struct trigger *trigger);

/* Returns true if a packet of the batch pulls the trigger.  TRIGGER_FILTER: on the reading thread.
 * TRIGGER_RETRANSMISSIONS: on any worker's thread, with flows and marks. */
bool trigger_takes_batch(struct trigger *trigger, const struct bpe_batch *batch);
/* Returns true if packets were lost since the call before.  TRIGGER_DROPS: on one thread. */
bool trigger_takes_counts(struct trigger *trigger, const struct bpe_stats *stats);

#endif
