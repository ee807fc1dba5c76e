/* SPDX-License-Identifier: MIT */
/* The tree of histories: few are the orders in which things happen, so flows share them.  It grows
 * as they are met and forgets none; an attacker who makes ever new ones fills it, after which flows
 * with a new one are marked as cut.  Node 0 is the root: nothing happened. */
#include "flow/history.h"

#include "base/mem.h"

#include "bpfengine.h"

#define LEAST 1024u
#define FLOWS_FOR_ONE 128u

static uint32_t size_of(uint64_t max_flows)
{
	uint64_t n = max_flows / FLOWS_FOR_ONE;
	return n < LEAST ? LEAST : n < 65536 ? (uint32_t)n : 65536;
}

uint64_t bpei_history_most_bytes(uint64_t max_flows)
{
	return size_of(max_flows) * BPEI_HISTORY_BYTES;
}

int bpei_history_init(struct bpei_history *h, uint64_t max_flows)
{
	h->size = size_of(max_flows);
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

static uint16_t follow(struct bpei_history *h, uint16_t at, uint32_t end, uint32_t event, bool *cut)
{
	struct bpei_history_node *n = &h->node[at];
	if (n->child[end][event])
		return n->child[end][event];
	if (h->used == h->size) {
		*cut = true;
		return at;
	}
	uint16_t made = (uint16_t)h->used++;
	struct bpei_seen *m = &h->seen[made];
	*m = h->seen[at];
	m->known[0] = (m->known[0] & ((1u << SEEN_EVENT) - 1)) | event << SEEN_EVENT;
	m->known[1] = (m->known[1] & ((1u << SEEN_EVENT) - 1)) | end << SEEN_EVENT;
	h->node[made].parent = at;
	m->known[end] |=
		1u << (event < HISTORY_LETTERS ? event : event - HISTORY_LETTERS + SEEN_FLAGS);
	return n->child[end][event] = made;
}

uint16_t bpei_history_add(struct bpei_history *h, uint16_t at, uint32_t end, uint8_t flags,
	uint16_t letters, bool *cut)
{
	for (uint32_t m = flags & ~bpei_seen_flags(&h->seen[at], end); m; m &= m - 1)
		at = follow(h, at, end, HISTORY_LETTERS + (uint32_t)__builtin_ctz(m), cut);
	for (uint32_t m = letters & ~bpei_seen_letters(&h->seen[at], end); m; m &= m - 1)
		at = follow(h, at, end, (uint32_t)__builtin_ctz(m), cut);
	return at;
}

void bpei_history_text(const struct bpei_history *h, uint16_t at, uint32_t originator, bool flipped,
	char text[BPEI_HISTORY_TEXT])
{
	static const char names[2][HISTORY_LETTERS + 1] = { "SHADFRTWGQIC", "shadfrtwgqic" };
	char back[2 * HISTORY_LETTERS];
	uint32_t n = 0, to = 0;
	for (; at; at = h->node[at].parent)
		if (h->seen[at].known[0] >> SEEN_EVENT < HISTORY_LETTERS)
			back[n++] = names[h->seen[at].known[1] >> SEEN_EVENT != originator]
					 [h->seen[at].known[0] >> SEEN_EVENT];
	if (flipped)
		text[to++] = '^';
	while (n)
		text[to++] = back[--n];
	text[to] = 0;
}
