/* SPDX-License-Identifier: MIT */
/* The public list of statistics, made from stat_list.h.  Constant. */
#include "stats/stat_list.h"

#include "bpfengine.h"

#include <stddef.h>

#define GAUGE BPE_STAT_GAUGE
#define KNOWN BPE_STAT_KNOWN
#define ENTRY(member, count, key, unit, flags, help)                                               \
	{ #member, key, unit, help, offsetof(struct bpe_stats, member),                            \
		sizeof(((struct bpe_stats *)0)->member) / (count), count, flags },
#define ONE(member, key, unit, flags, owner, source, help) ENTRY(member, 1, key, unit, flags, help)
#define MANY(member, count, key, unit, flags, owner, source, help)                                 \
	ENTRY(member, count, key, unit, flags, help)

static const struct bpe_stat all_stats[] = { BPEI_STATS(ONE, MANY) };

const struct bpe_stat *bpe_stat_list(size_t *count)
{
	*count = sizeof all_stats / sizeof *all_stats;
	return all_stats;
}
