/* SPDX-License-Identifier: MIT */
/* Chunks between the encoder and the files.  The memory grows with the need, up to the bound. */
#include "writer/chunks.h"

#include <stdlib.h>

#define CHUNKS_LEAST 4u

void bpei_chunks_init(struct bpei_chunks *chunks, uint64_t memory_bytes)
{
	const uint64_t most = memory_bytes / BPEI_CHUNK_BYTES;

	*chunks = (struct bpei_chunks){ .most = CHUNKS_LEAST };
	if (most > CHUNKS_LEAST)
		chunks->most = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
}

static void free_chunk_list(struct bpei_chunk_node *node)
{
	while (node) {
		struct bpei_chunk_node *next = node->next;

		free(node->chunk.bytes);
		free(node);
		node = next;
	}
}

void bpei_chunks_free(struct bpei_chunks *chunks)
{
	free_chunk_list(chunks->free);
	free_chunk_list(chunks->first);
	*chunks = (struct bpei_chunks){ 0 };
}

/* Returns a new chunk, or NULL. */
static struct bpei_chunk_node *make_chunk(struct bpei_chunks *chunks)
{
	struct bpei_chunk_node *node = calloc(1, sizeof *node);

	if (node)
		node->chunk.bytes = malloc(BPEI_CHUNK_BYTES);
	if (!node || !node->chunk.bytes) {
		free(node);
		return NULL;
	}
	chunks->made++;
	return node;
}

struct bpei_chunk_node *bpei_chunks_take(struct bpei_chunks *chunks)
{
	struct bpei_chunk_node *node = chunks->free;

	if (node)
		chunks->free = node->next;
	else if (chunks->made < chunks->most)
		node = make_chunk(chunks);
	if (node)
		*node = (struct bpei_chunk_node){ .chunk = { .bytes = node->chunk.bytes } };
	return node;
}

void bpei_chunks_give(struct bpei_chunks *chunks, struct bpei_chunk_node *node)
{
	node->next = chunks->free;
	chunks->free = node;
}

void bpei_chunks_push(struct bpei_chunks *chunks, struct bpei_chunk_node *node)
{
	node->next = NULL;
	if (chunks->last)
		chunks->last->next = node;
	else
		chunks->first = node;
	chunks->last = node;
	chunks->queued++;
}

struct bpei_chunk_node *bpei_chunks_pop(struct bpei_chunks *chunks)
{
	struct bpei_chunk_node *node = chunks->first;

	if (!node)
		return NULL;
	chunks->first = node->next;
	if (!chunks->first)
		chunks->last = NULL;
	chunks->queued--;
	node->next = NULL;
	return node;
}
