/* SPDX-License-Identifier: MIT */
/* The tunnels by which flows came.
 *
 * A flow in a tunnel keeps the digest in the key, and the tunnel of the first packet.  Many flows
 * share a tunnel, so the tunnel is kept once, with a count of flows.  Without room for another
 * tunnel, flows are told apart by the digest all the same, but their records do not name the
 * tunnel.
 *
 * Invariant: an entry has STATE_TUNNEL exactly if the element in flow_tunnels is in use.  Memory is
 * taken only as tunnels are met. */
#include "flow/tunnels.h"

#include "base/mem.h"

#define MIN_TUNNELS 1024u
#define FLOWS_FOR_TUNNEL 8u
/* Elements of a chain that are compared.  With long chains an attacker gains copies of a tunnel,
 * and no time. */
#define MAX_COMPARES 8u

/* Returns the number of tunnels for so many flows. */
static uint32_t tunnels_for_flows(uint64_t max_flows)
{
	const uint64_t n = max_flows / FLOWS_FOR_TUNNEL;

	return n > MIN_TUNNELS ? (uint32_t)n : MIN_TUNNELS;
}

uint64_t bpei_tunnels_bytes(uint64_t max_flows)
{
	const uint64_t elements = tunnels_for_flows(max_flows) + 1ull;

	return elements * (sizeof(struct bpei_tunnel_slot) + sizeof(uint32_t));
}

int bpei_tunnels_init(struct bpei_table *t)
{
	t->tunnels_size = tunnels_for_flows(t->options.max_flows);
	const uint64_t elements = t->tunnels_size + 1ull;
	t->tunnels = bpei_mem_map(elements * sizeof *t->tunnels, 0);
	t->tunnel_chains = bpei_mem_map(elements * sizeof *t->tunnel_chains, 0);
	return t->tunnels && t->tunnel_chains ? BPE_OK : BPE_E_MEMORY;
}

void bpei_tunnels_free(struct bpei_table *t)
{
	const uint64_t elements = t->tunnels_size + 1ull;

	bpei_mem_unmap(t->tunnels, elements * sizeof *t->tunnels);
	bpei_mem_unmap(t->tunnel_chains, elements * sizeof *t->tunnel_chains);
}

/* Returns where the hash chain of a tunnel begins. */
static uint32_t *chain_of_tunnel(const struct bpei_table *t, const struct bpe_tunnel *tunnel)
{
	uint64_t hash = 0;
	uint64_t word;

	for (size_t at = 0; at < sizeof *tunnel; at += 8) {
		memcpy(&word, (const char *)tunnel + at, 8);
		hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return &t->tunnel_chains[(hash >> 32) * t->tunnels_size >> 32];
}
_Static_assert(sizeof(struct bpe_tunnel) % 8 == 0, "chain_of_tunnel");

/* Returns a free element, or 0 if there is none. */
static uint32_t take_free_tunnel(struct bpei_table *t)
{
	const uint32_t number = t->tunnels_free;

	if (number) {
		t->tunnels_free = t->tunnels[number].next;
		return number;
	}
	return t->tunnels_touched < t->tunnels_size ? ++t->tunnels_touched : 0;
}

/* Returns the number of a tunnel, made if need be; 0: no room. */
static uint32_t intern_tunnel(struct bpei_table *t, const struct bpe_tunnel *tunnel)
{
	uint32_t *const first = chain_of_tunnel(t, tunnel);
	uint32_t number = *first;

	for (uint32_t n = 0; number && n < MAX_COMPARES; n++, number = t->tunnels[number].next)
		if (!memcmp(&t->tunnels[number].tunnel, tunnel, sizeof *tunnel))
			return number;
	number = take_free_tunnel(t);
	if (!number)
		return 0;
	t->tunnels[number] = (struct bpei_tunnel_slot){ .tunnel = *tunnel, .next = *first };
	if (*first)
		t->tunnels[*first].prev = number;
	*first = number;
	return number;
}

void bpei_flow_tunnel_open(
	struct bpei_table *t, uint32_t entry, const struct bpe_batch *b, uint32_t p)
{
	struct bpe_tunnel tunnel;
	const bool is_known = b->data && bpe_batch_tunnel(b, p, &tunnel) == 1;
	const uint32_t number = is_known ? intern_tunnel(t, &tunnel) : 0;

	if (number)
		t->tunnels[number].flows++;
	t->flow_tunnels[entry] =
		(struct bpei_flow_tunnel){ .digest = b->key[p].tunnel, .number = number };
	t->any_tunnel = true;
}

void bpei_flow_tunnel_drop(struct bpei_table *t, uint32_t entry)
{
	const uint32_t number = t->flow_tunnels[entry].number;
	struct bpei_tunnel_slot *const slot = &t->tunnels[number];

	if (!number || --slot->flows)
		return;
	if (slot->prev)
		t->tunnels[slot->prev].next = slot->next;
	else
		*chain_of_tunnel(t, &slot->tunnel) = slot->next;
	if (slot->next)
		t->tunnels[slot->next].prev = slot->prev;
	slot->next = t->tunnels_free;
	t->tunnels_free = number;
}

const struct bpe_tunnel *bpei_flow_tunnel_find(const struct bpei_table *t, uint32_t entry)
{
	const uint32_t number = t->flow_tunnels[entry].number;

	return number ? &t->tunnels[number].tunnel : NULL;
}

bool bpei_entry_matches_extension(
	const struct bpei_table *t, uint32_t i, const struct bpe_key *key, uint64_t difference)
{
	if (difference != bpei_key_extension(key))
		return false;
	if (key->vlan[1] && (t->cold[i].inner_vlan & COLD_VLAN) != key->vlan[1])
		return false;
	return !key->tunnel || t->flow_tunnels[i].digest == key->tunnel;
}
