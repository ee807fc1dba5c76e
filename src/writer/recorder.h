/* SPDX-License-Identifier: MIT */
/* The flight recorder: the last chunks of packets stay in memory until a trigger.
 *
 * Life: init -> keep each full chunk, forget chunks too old -> at a trigger take, until nothing is
 * left -> free.  The recorder holds chunks; packets are never copied.  A chunk taken out is the
 * caller's.  Owner: the writer, under the lock. */
#ifndef BPEI_RECORDER_H
#define BPEI_RECORDER_H

#include "writer/files.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A chunk holds at most this part of the kept time. */
#define BPEI_RECORDER_SLICES 16
/* Memory of a recorder with a bound by time alone. */
#define BPEI_RECORDER_BYTES (UINT64_C(256) << 20)

struct bpei_recorder {
	struct bpei_chunk **kept; /* a ring; NULL: there is no recorder */
	uint32_t room, head, count;
	int64_t most_ns; /* packets older than this are forgotten; 0: no bound by time */
};

/* Makes room for chunks of chunk_bytes bytes, and at least for 2.  With the chunk at hand they have
 * at most most_bytes (0: BPEI_RECORDER_BYTES).  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_recorder_init(
	struct bpei_recorder *recorder, uint64_t most_bytes, int64_t most_ns, size_t chunk_bytes);
/* Frees the ring.  The caller has taken the chunks. */
void bpei_recorder_free(struct bpei_recorder *recorder);

/* Returns true if a chunk with room must be kept now, since the packet of time_ns comes a slice of
 * the kept time later. */
bool bpei_recorder_ends_slice(
	const struct bpei_recorder *recorder, const struct bpei_chunk *chunk, int64_t time_ns);
/* Keeps a chunk.  Returns the oldest chunk if the memory is full, else NULL. */
struct bpei_chunk *bpei_recorder_keep(struct bpei_recorder *recorder, struct bpei_chunk *chunk);
/* Returns the oldest chunk if all of its packets are too old at now_ns, else NULL. */
struct bpei_chunk *bpei_recorder_forget(struct bpei_recorder *recorder, int64_t now_ns);
/* Returns the oldest chunk; NULL: none is left. */
struct bpei_chunk *bpei_recorder_take(struct bpei_recorder *recorder);

#endif
