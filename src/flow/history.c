/* SPDX-License-Identifier: MIT */
/* The tree of histories.  Most connections go through few sequences of events, so flows share the
 * nodes of a tree.  The tree grows as sequences are met, and forgets none.  An attacker with ever
 * new sequences fills the tree; after that, flows with a new sequence are marked as cut. Node 0 is
 * the root: no event. */
#include "flow/history.h"

#include "base/mem.h"

#include "bpfengine.h"

#define MIN_NODES 1024u
#define MAX_NODES 65536u
#define FLOWS_FOR_NODE 128u

/* Returns the number of nodes for so many flows. */
static uint32_t nodes_for_flows(uint64_t max_flows)
{
	const uint64_t n = max_flows / FLOWS_FOR_NODE;

	if (n < MIN_NODES)
		return MIN_NODES;
	return n < MAX_NODES ? (uint32_t)n : MAX_NODES;
}

uint64_t bpei_history_max_bytes(uint64_t max_flows)
{
	return nodes_for_flows(max_flows) * BPEI_HISTORY_BYTES;
}

int bpei_history_init(struct bpei_history *h, uint64_t max_flows)
{
	h->size = nodes_for_flows(max_flows);
	h->used = 1;
	h->seen = bpei_mem_map(h->size * sizeof *h->seen, 0);
	h->node = bpei_mem_map(h->size * sizeof *h->node, 0);
	return h->seen && h->node ? BPE_OK : BPE_E_MEMORY;
}

void bpei_history_free(struct bpei_history *h)
{
	bpei_mem_unmap(h->seen, h->size * sizeof *h->seen);
	bpei_mem_unmap(h->node, h->size * sizeof *h->node);
}

/* Returns the child of a node by an event of an end, made if need be.  Without room, sets *is_cut
 * and returns the node. */
static uint16_t descend_by_event(
	struct bpei_history *h, uint16_t at, uint32_t end, uint32_t event, bool *is_cut)
{
	const uint32_t event_mask = (1u << SEEN_EVENT) - 1;
	uint32_t bit = event;

	if (h->node[at].child[end][event])
		return h->node[at].child[end][event];
	if (h->used == h->size) {
		*is_cut = true;
		return at;
	}
	const uint16_t made = (uint16_t)h->used++;
	struct bpei_seen *const seen = &h->seen[made];
	if (event >= HISTORY_LETTERS)
		bit = event - HISTORY_LETTERS + SEEN_FLAGS;
	*seen = h->seen[at];
	seen->known[0] = (seen->known[0] & event_mask) | event << SEEN_EVENT;
	seen->known[1] = (seen->known[1] & event_mask) | end << SEEN_EVENT;
	seen->known[end] |= 1u << bit;
	h->node[made].parent = at;
	h->node[at].child[end][event] = made;
	return made;
}

uint16_t bpei_history_add(struct bpei_history *h, uint16_t at, uint32_t end, uint8_t flags,
	uint16_t letters, bool *is_cut)
{
	for (uint32_t m = flags & ~bpei_seen_flags(&h->seen[at], end); m; m &= m - 1) {
		const uint32_t event = HISTORY_LETTERS + (uint32_t)__builtin_ctz(m);

		at = descend_by_event(h, at, end, event, is_cut);
	}
	for (uint32_t m = letters & ~bpei_seen_letters(&h->seen[at], end); m; m &= m - 1)
		at = descend_by_event(h, at, end, (uint32_t)__builtin_ctz(m), is_cut);
	return at;
}

void bpei_history_text(const struct bpei_history *h, uint16_t at, uint32_t originator, bool turned,
	char text[BPEI_HISTORY_TEXT])
{
	static const char names[2][HISTORY_LETTERS + 1] = { "SHADFRTWGQIC", "shadfrtwgqic" };
	char backwards[2 * HISTORY_LETTERS];
	uint32_t n = 0;
	uint32_t length = 0;

	for (; at; at = h->node[at].parent) {
		const uint32_t event = h->seen[at].known[0] >> SEEN_EVENT;
		const uint32_t end = h->seen[at].known[1] >> SEEN_EVENT;

		if (event < HISTORY_LETTERS)
			backwards[n++] = names[end != originator][event];
	}
	if (turned)
		text[length++] = '^';
	while (n)
		text[length++] = backwards[--n];
	text[length] = 0;
}
