/* SPDX-License-Identifier: MIT */
/* Which files of a ring are removed (keep.h); stateless. */
#include "write/keep.h"

#include <stdbool.h>

/* Returns how many bytes must become free on the file system. */
static uint64_t lacking_bytes(const struct bpei_keep *keep, const struct bpei_keep_now *now)
{
	uint64_t percent = keep->free_percent;

	if (percent > 100)
		percent = 100;
	const uint64_t wanted = now->disk_bytes / 100 * percent;
	return wanted > now->free_bytes ? wanted - now->free_bytes : 0;
}

size_t bpei_keep_excess(const struct bpei_keep *keep, const struct bpei_kept *files, size_t count,
	const struct bpei_keep_now *now)
{
	uint64_t lacking = lacking_bytes(keep, now);
	uint64_t total = now->open_bytes;
	size_t gone = 0;

	for (size_t i = 0; i < count; i++)
		total += files[i].bytes;
	for (; gone < count; gone++) {
		const struct bpei_kept *file = &files[gone];
		bool goes = lacking > 0;
		goes |= keep->files && count - gone + now->open_files > keep->files;
		goes |= keep->bytes && total > keep->bytes;
		goes |= keep->age_ns > 0 && now->now_ns > file->last_ns &&
			now->now_ns - file->last_ns > keep->age_ns;
		if (!goes)
			break;
		total -= file->bytes;
		lacking -= file->bytes < lacking ? file->bytes : lacking;
	}
	return gone;
}
