/* SPDX-License-Identifier: MIT */
/* Packets seen twice, as a mirror port of both directions, or a capture on several interfaces, shows
 * them: the same bytes of the IP header, from its version to its checksum or hop limit, and of the
 * TCP header, whose checksum stands for the payload, within a millisecond.  What lies before the IP
 * header, a VLAN tag say, may differ.  A copy that a router forwarded has another TTL: it is
 * another packet.
 *
 * Only a segment that brings nothing new is looked for, among the last 16 packets of its batch before
 * it, and, where it has not so many, the last segments of the batches before: so an undisturbed connection pays for keeping those alone.
 * A true retransmission has another identification, but IPv6 has none, and some send the same one
 * with every packet: what may well be sent twice within a millisecond is left to health.c. */
#include "flow/follow.h"

#define TWICE_NS 1000000u

/* Both headers of a TCP packet; false if they were not captured. */
static bool find_heads(const struct bpe_batch *b, uint32_t p, const uint8_t **ip, const uint8_t **tcp)
{
	const struct bpe_layers *l = &b->layers[p];
	if (l->network == BPE_NO_OFFSET || l->network + BPEI_SIGHT_IP > b->caplen[p]) return false;
	if (l->transport == BPE_NO_OFFSET || l->transport + BPEI_SIGHT_TCP > b->caplen[p]) return false;
	*ip = b->data[p] + l->network;
	*tcp = b->data[p] + l->transport;
	return true;
}

static bool is_near(int64_t a, int64_t b) { return (uint64_t)a - (uint64_t)b + TWICE_NS <= 2 * (uint64_t)TWICE_NS; }

static bool is_same(const uint8_t *ip, const uint8_t *tcp, const uint8_t *other_ip, const uint8_t *other_tcp)
{
	return !memcmp(ip, other_ip, BPEI_SIGHT_IP) && !memcmp(tcp, other_tcp, BPEI_SIGHT_TCP);
}

bool bpei_seen_twice(const struct bpei_passage *g, uint32_t p, uint32_t i)
{
	const struct bpei_table *const t = g->t;
	const struct bpe_batch *const b = g->b;
	const uint32_t end = b->layers[p].flags / BPE_PKT_REVERSED & 1, who = 2 * i + end + 1;
	const struct bpe_layers *of = &b->layers[p];
	const uint32_t length = of->end - of->network;
	const uint8_t *ip, *tcp, *other_ip, *other_tcp;
	if (!t->options.tell_duplicates || !b->data || !find_heads(b, p, &ip, &tcp)) return false;
	for (uint32_t q = p, last = p > BPEI_LOOKS ? p - BPEI_LOOKS : 0; q-- > last;) {
		const struct bpe_layers *l = &b->layers[q];
		if (g->flow[q] != i || l->tcp_flags != of->tcp_flags || (l->flags ^ of->flags) & BPE_PKT_REVERSED || l->end - l->network != length) continue;
		if (!(g->tcp >> q & 1)) continue;
		if (!is_near(b->time_ns[q], b->time_ns[p]) || !find_heads(b, q, &other_ip, &other_tcp)) continue;
		if (is_same(ip, tcp, other_ip, other_tcp)) return true;
	}
	for (uint32_t k = p >= BPEI_LOOKS ? BPEI_SIGHTS : 0; k < BPEI_SIGHTS; k++) {
		const struct bpei_sight *s = &t->sights[k];
		if (s->who == who && is_near(s->ns, b->time_ns[p]) && is_same(ip, tcp, s->ip, s->tcp)) return true;
	}
	return false;
}

/* Keeps the batch's last segments, as far as the next batch may have their copies. */
void bpei_sights_keep(const struct bpei_passage *g)
{
	struct bpei_table *const t = g->t;
	const struct bpe_batch *const b = g->b;
	const int64_t last_ns = b->time_ns[b->count - 1];
	uint64_t which = g->tcp;
	const uint8_t *ip, *tcp;
	for (uint32_t n = 0; which && n < BPEI_SIGHTS; n++) {
		const uint32_t p = 63 - (uint32_t)__builtin_clzll(which);
		which ^= (uint64_t)1 << p;
		if (!is_near(b->time_ns[p], last_ns)) return;
		if (g->flow[p] == BPEI_NO_FLOW || !find_heads(b, p, &ip, &tcp)) continue;
		struct bpei_sight *s = &t->sights[t->sights_put++ % BPEI_SIGHTS];
		s->ns = b->time_ns[p];
		s->who = 2 * g->flow[p] + (b->layers[p].flags / BPE_PKT_REVERSED & 1) + 1;
		memcpy(s->ip, ip, BPEI_SIGHT_IP);
		memcpy(s->tcp, tcp, BPEI_SIGHT_TCP);
	}
}
