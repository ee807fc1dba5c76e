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
	{ #member, key, unit, help, offsetof(struct bpe_stats, member),                            \
		sizeof(((struct bpe_stats *)0)->member), 1, FLAGS_##flags, 0 },
#define MANY(member, count, key, unit, flags, owner, source, help)                                 \
	{ #member, key, unit, help, offsetof(struct bpe_stats, member),                            \
		sizeof(((struct bpe_stats *)0)->member[0]), count, FLAGS_##flags, 0 },

_Static_assert(BPE_DROP_COUNT <= BPE_DROP_ROOM && BPE_SIZE_CLASSES <= BPE_SIZE_ROOM &&
		       BPE_EVICTED_COUNT <= BPE_EVICTED_ROOM,
	"the arrays have room for all numbers");

static const struct bpe_stat all_stats[] = { BPEI_STATS(ONE, MANY) };

const struct bpe_stat *bpe_stat_list_sized(size_t stats_bytes, size_t *count)
{
	size_t n = 0;

	while (n < sizeof all_stats / sizeof *all_stats &&
		all_stats[n].offset + all_stats[n].bytes * all_stats[n].count <= stats_bytes)
		n++;
	*count = n;
	return all_stats;
}
