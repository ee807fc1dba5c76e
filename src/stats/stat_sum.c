/* SPDX-License-Identifier: MIT */
/* Adding counters to struct bpe_stats, as stat_list.h says.  Stateless. */
#include "stats/stat_list.h"
#include "stats/stats.h"

#define AT_NONE(source) 0
#define AT_INPUT(source) 0
#define AT_DEVICE(source) 0
#define AT_FRAGMENTS(source) 0
#define AT_ENGINE(source) 0
#define AT_TIMELINE(source) 0
#define AT_TABLE(source) 0
#define AT_WORKER(source) 0
#define AT_NAMER(source) 0
#define AT_COUNTS(source) offsetof(struct bpei_counts, source)
#define ONE(member, key, unit, flags, owner, source, help)                                         \
	MANY(member, 1, key, unit, flags, owner, source, help)
#define MANY(member, count, key, unit, flags, owner, source, help)                                 \
	{ BPEI_OWNER_##owner, count, offsetof(struct bpe_stats, member), AT_##owner(source) },

/* Only the entries of COUNTS have their offset here. */
static const struct bpei_stat_source count_sources[] = { BPEI_STATS(ONE, MANY) };

void bpei_stats_add(struct bpe_stats *stats, const struct bpei_stat_source *sources, size_t n,
	uint32_t owner, const void *counters)
{
	for (size_t i = 0; i < n; i++) {
		const struct bpei_stat_source *s = &sources[i];
		const bpei_counter *from = (const bpei_counter *)((const char *)counters + s->from);
		uint64_t *to = (uint64_t *)((char *)stats + s->to);

		for (uint32_t k = 0; k < s->count && s->owner == owner; k++)
			to[k] += bpei_counter_get(&from[k]);
	}
}

void bpei_counts_read(const struct bpei_counts *counts, struct bpe_stats *stats)
{
	bpei_stats_add(stats, count_sources, sizeof count_sources / sizeof *count_sources,
		BPEI_OWNER_COUNTS, counts);
}
