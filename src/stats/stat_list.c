/* SPDX-License-Identifier: MIT */
/* The public list of statistics, made from stat_list.h.  Constant. */
#include "stats/stat_list.h"

#include "bpfengine.h"

#include <stddef.h>

/* The flags of an entry: flags, known. */
#define FLAGS_COUNTER 0, 0
#define FLAGS_GAUGE BPE_STAT_GAUGE, 0
#define FLAGS_KNOWN_RECEIVED 0, BPE_KNOWN_RECEIVED
#define FLAGS_KNOWN_ACCEPTED 0, BPE_KNOWN_ACCEPTED
#define FLAGS_KNOWN_DROPPED 0, BPE_KNOWN_DROPPED
#define FLAGS_KNOWN_INTERFACE_DROPPED 0, BPE_KNOWN_INTERFACE_DROPPED

#define ONE(member, key, unit, flags, owner, source, help)                                         \
	MANY(member, 1, key, unit, flags, owner, source, help)
#define MANY(member, count, key, unit, flags, owner, source, help)                                 \
	{ #member, key, unit, help, offsetof(struct bpe_stats, member),                            \
		sizeof(((struct bpe_stats *)0)->member) / (count), count, FLAGS_##flags },

static const struct bpe_stat all_stats[] = { BPEI_STATS(ONE, MANY) };

const struct bpe_stat *bpe_stat_list(size_t *count)
{
	*count = sizeof all_stats / sizeof *all_stats;
	return all_stats;
}
