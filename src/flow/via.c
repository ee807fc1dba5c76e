/* SPDX-License-Identifier: MIT */
/* What tunnels flows came by: of each flow in a tunnel the digest that its key has, and the tunnel
 * of its first packet.  Many flows share a tunnel, so it is kept once, with a count of its flows;
 * when there is no room for another, flows are told apart all the same, but their records do not
 * name the tunnel.
 * Invariant: an entry has STATE_TUNNEL exactly if it has a place here.  Memory is taken only as
 * tunnels are met. */
#include "flow/table.h"

#include "base/mem.h"

#define LEAST 1024u
#define FLOWS_FOR_ONE 8u
/* Places of a chain that are looked at: who makes chains long gains copies, and no time. */
#define LOOKS 8u

static uint32_t size_of(uint64_t max_flows)
{
	return max_flows / FLOWS_FOR_ONE > LEAST ? (uint32_t)(max_flows / FLOWS_FOR_ONE) : LEAST;
}

uint64_t bpei_knowns_bytes(uint64_t max_flows)
{
	return (size_of(max_flows) + 1ull) * (sizeof(struct bpei_known) + sizeof(uint32_t));
}

int bpei_knowns_init(struct bpei_table *t)
{
	t->knowns_size = size_of(t->options.max_flows);
	t->knowns = bpei_mem_map((t->knowns_size + 1ull) * sizeof *t->knowns, 0);
	t->known_first = bpei_mem_map((t->knowns_size + 1ull) * sizeof *t->known_first, 0);
	return t->knowns && t->known_first ? BPE_OK : BPE_E_MEMORY;
}

void bpei_knowns_free(struct bpei_table *t)
{
	bpei_mem_unmap(t->knowns, (t->knowns_size + 1ull) * sizeof *t->knowns);
	bpei_mem_unmap(t->known_first, (t->knowns_size + 1ull) * sizeof *t->known_first);
}

/* Where the chain of a tunnel begins. */
static uint32_t *chain_of(const struct bpei_table *t, const struct bpe_tunnel *tunnel)
{
	uint64_t h = 0, word;
	for (size_t i = 0; i < sizeof *tunnel; i += 8) {
		memcpy(&word, (const char *)tunnel + i, 8);
		h = (h ^ word) * 0x9e3779b97f4a7c15u;
		h ^= h >> 29;
	}
	return &t->known_first[(h >> 32) * t->knowns_size >> 32];
}
_Static_assert(sizeof(struct bpe_tunnel) % 8 == 0, "chain_of");

/* The number of a tunnel, made if need be; 0: no room. */
static uint32_t find_known(struct bpei_table *t, const struct bpe_tunnel *tunnel)
{
	uint32_t *first = chain_of(t, tunnel), i = *first;
	for (uint32_t looks = 0; i && looks < LOOKS; looks++, i = t->knowns[i].next)
		if (!memcmp(&t->knowns[i].tunnel, tunnel, sizeof *tunnel))
			return i;
	if (t->knowns_free)
		i = t->knowns_free, t->knowns_free = t->knowns[i].next;
	else if (t->knowns_touched < t->knowns_size)
		i = ++t->knowns_touched;
	else
		return 0;
	t->knowns[i] = (struct bpei_known){ .tunnel = *tunnel, .next = *first };
	if (*first)
		t->knowns[*first].prev = i;
	return *first = i;
}

void bpei_via_open(struct bpei_table *t, uint32_t entry, const struct bpe_batch *b, uint32_t p)
{
	struct bpe_tunnel tunnel;
	const bool told = b->data && bpe_batch_tunnel(b, p, &tunnel) == 1;
	const uint32_t known = told ? find_known(t, &tunnel) : 0;
	if (known)
		t->knowns[known].flows++;
	t->vias[entry] = (struct bpei_via){ .digest = b->key[p].tunnel, .known = known };
	t->any_via = true;
}

void bpei_via_drop(struct bpei_table *t, uint32_t entry)
{
	const uint32_t i = t->vias[entry].known;
	struct bpei_known *k = &t->knowns[i];
	if (!i || --k->flows)
		return;
	if (k->prev)
		t->knowns[k->prev].next = k->next;
	else
		*chain_of(t, &k->tunnel) = k->next;
	if (k->next)
		t->knowns[k->next].prev = k->prev;
	k->next = t->knowns_free;
	t->knowns_free = i;
}

const struct bpe_tunnel *bpei_via_tunnel(const struct bpei_table *t, uint32_t entry)
{
	return t->vias[entry].known ? &t->knowns[t->vias[entry].known].tunnel : NULL;
}

bool bpei_entry_is_beside(
	const struct bpei_table *t, uint32_t i, const struct bpe_key *key, uint64_t differs)
{
	if (differs != bpei_key_beside(key))
		return false;
	if (key->vlan[1] && (t->details[i].inner_vlan & 0xfff) != key->vlan[1])
		return false;
	return !key->tunnel || t->vias[i].digest == key->tunnel;
}
