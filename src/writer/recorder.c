/* SPDX-License-Identifier: MIT */
/* The flight recorder's ring of chunks (recorder.h). */
#include "writer/recorder.h"

#include "base/error.h"

#include <stdlib.h>

int bpei_recorder_init(
	struct bpei_recorder *r, uint64_t most_bytes, int64_t most_ns, size_t chunk_bytes)
{
	const uint64_t bytes = most_bytes ? most_bytes : BPEI_RECORDER_BYTES;
	const uint64_t chunks = bytes / chunk_bytes;
	/* one chunk is being filled */
	const uint64_t room = chunks > 2 ? chunks - 1 : 2;

	*r = (struct bpei_recorder){ .most_ns = most_ns };
	if (room > UINT32_MAX / 2)
		return BPE_E_MEMORY;
	r->kept = calloc((size_t)room, sizeof(struct bpei_chunk *));
	r->room = (uint32_t)room;
	return r->kept ? BPE_OK : BPE_E_MEMORY;
}

void bpei_recorder_free(struct bpei_recorder *r)
{
	free(r->kept);
	*r = (struct bpei_recorder){ .kept = NULL };
}

/* Returns true if `later` is more than `span` after `earlier`. */
static bool is_later_by(int64_t earlier, int64_t later, int64_t span)
{
	return later > earlier && (uint64_t)later - (uint64_t)earlier > (uint64_t)span;
}

bool bpei_recorder_ends_slice(
	const struct bpei_recorder *r, const struct bpei_chunk *chunk, int64_t time_ns)
{
	if (!r->most_ns || !chunk->packets)
		return false;
	return is_later_by(chunk->first_ns, time_ns, r->most_ns / BPEI_RECORDER_SLICES);
}

struct bpei_chunk *bpei_recorder_take(struct bpei_recorder *r)
{
	if (!r->count)
		return NULL;
	struct bpei_chunk *const oldest = r->kept[r->head];

	r->head = r->head + 1 < r->room ? r->head + 1 : 0;
	r->count--;
	return oldest;
}

struct bpei_chunk *bpei_recorder_keep(struct bpei_recorder *r, struct bpei_chunk *chunk)
{
	struct bpei_chunk *const oldest = r->count == r->room ? bpei_recorder_take(r) : NULL;
	const uint64_t at = (uint64_t)r->head + r->count;

	r->kept[at % r->room] = chunk;
	r->count++;
	return oldest;
}

struct bpei_chunk *bpei_recorder_forget(struct bpei_recorder *r, int64_t now_ns)
{
	if (!r->most_ns || !r->count)
		return NULL;
	const struct bpei_chunk *const oldest = r->kept[r->head];
	const bool is_old = !oldest->packets || is_later_by(oldest->last_ns, now_ns, r->most_ns);

	return is_old ? bpei_recorder_take(r) : NULL;
}
