/* SPDX-License-Identifier: MIT */
/* Chunks: the bound of the memory, warm chunks first, a queue in order. */
#include "writer/chunks.h"

#include <criterion/criterion.h>

Test(chunks, memory_is_bounded)
{
	static const struct {
		uint64_t bytes;
		uint32_t most;
	} cases[] = { { 0, 4 }, { BPEI_CHUNK_BYTES, 4 }, { 9 * BPEI_CHUNK_BYTES + 1, 9 } };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct bpei_chunks chunks;
		uint32_t n = 0;

		bpei_chunks_init(&chunks, cases[k].bytes);
		for (struct bpei_chunk_node *node; (node = bpei_chunks_take(&chunks)); n++) {
			cr_assert(node->chunk.bytes && !node->chunk.used && !node->next);
			bpei_chunks_push(&chunks, node);
		}
		cr_assert(n == cases[k].most && chunks.queued == n);
		bpei_chunks_free(&chunks);
	}
}

Test(chunks, queue_in_order_and_warm_ones_first)
{
	struct bpei_chunks chunks;
	struct bpei_chunk_node *node[3];

	bpei_chunks_init(&chunks, 0);
	for (int k = 0; k < 3; k++)
		node[k] = bpei_chunks_take(&chunks);
	for (int k = 0; k < 3; k++)
		bpei_chunks_push(&chunks, node[k]);
	for (int k = 0; k < 3; k++)
		cr_assert(bpei_chunks_pop(&chunks) == node[k]);
	cr_assert(!bpei_chunks_pop(&chunks) && !chunks.queued);
	node[1]->chunk.used = 5;
	node[1]->chunk.ends_file = true;
	bpei_chunks_give(&chunks, node[0]);
	bpei_chunks_give(&chunks, node[1]);
	cr_assert(bpei_chunks_take(&chunks) == node[1]);
	cr_assert(!node[1]->chunk.used && !node[1]->chunk.ends_file);
	bpei_chunks_give(&chunks, node[1]);
	bpei_chunks_give(&chunks, node[2]);
	bpei_chunks_free(&chunks);
}
