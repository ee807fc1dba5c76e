/* SPDX-License-Identifier: MIT */
/* Chunks of memory between the encoder and the files: free chunks, and a queue of full chunks.  The
 * writer's lock is held in all calls. */
#ifndef BPEI_CHUNKS_H
#define BPEI_CHUNKS_H

#include "writer/files.h"

/* Bytes of a chunk.  A chunk is a single write, and a single frame of a compressed file. */
#define BPEI_CHUNK_BYTES (1u << 20)

struct bpei_chunk_node {
	struct bpei_chunk chunk;
	struct bpei_chunk_node *next;
};

struct bpei_chunks {
	struct bpei_chunk_node *free;         /* the latest given is taken first, while warm */
	struct bpei_chunk_node *first, *last; /* of the queue */
	uint32_t made, most;                  /* chunks in memory, and the bound */
	uint32_t queued;
};

void bpei_chunks_init(struct bpei_chunks *chunks, uint64_t memory_bytes);
/* Frees the chunks of both lists. */
void bpei_chunks_free(struct bpei_chunks *chunks);
/* Returns an empty chunk; NULL: all are in use, or memory is short. */
struct bpei_chunk_node *bpei_chunks_take(struct bpei_chunks *chunks);
/* Gives a chunk back. */
void bpei_chunks_give(struct bpei_chunks *chunks, struct bpei_chunk_node *node);
/* Appends a chunk to the queue. */
void bpei_chunks_push(struct bpei_chunks *chunks, struct bpei_chunk_node *node);
/* Returns the oldest chunk of the queue; NULL: the queue is empty. */
struct bpei_chunk_node *bpei_chunks_pop(struct bpei_chunks *chunks);

#endif
