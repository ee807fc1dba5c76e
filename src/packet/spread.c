/* SPDX-License-Identifier: MIT */
/* Dealing packets to workers by flow, by a host, by VLAN id or by tunnel.
 *
 * A packet is dealt by the seeded hash of a key with nothing but the chosen property.  Packets of
 * the same property reach the same worker, and nobody can aim packets at a worker.  A packet
 * without the property is dealt by the flow.  Stateless. */
#include "packet/spread.h"

#include "base/cacheline.h"
#include "base/error.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <stdio.h>
#include <stdlib.h>

/* RFC 1918, RFC 3927; RFC 4193, RFC 4291. */
static const char private_networks[] =
	"10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,169.254.0.0/16,fc00::/7,fe80::/10";

/* ---- Networks ---- */

/* Reads "ADDRESS" or "ADDRESS/BITS".  Bits of the address behind the prefix are dropped.  Returns
 * false for any other word. */
static bool read_network(const char *word, struct bpei_network *network)
{
	uint8_t addr[16] = { 0 };
	uint8_t mask[16] = { 0 };
	char text[INET6_ADDRSTRLEN];
	const size_t length = strcspn(word, "/");
	const bool is_six = strchr(word, ':') != NULL;
	unsigned long bits = is_six ? 128 : 32;
	char *end;

	if (length >= sizeof text)
		return false;
	memcpy(text, word, length);
	text[length] = 0;
	if (inet_pton(is_six ? AF_INET6 : AF_INET, text, addr) != 1)
		return false;
	if (word[length]) {
		const char *digits = word + length + 1;
		const size_t most = bits;

		bits = strtoul(digits, &end, 10);
		if (!strspn(digits, "0123456789") || *end || bits > most)
			return false;
	}
	for (size_t k = 0; k < bits; k++)
		mask[k / 8] |= (uint8_t)(0x80u >> k % 8);
	for (size_t k = 0; k < sizeof addr; k++)
		addr[k] &= mask[k];
	memcpy(network->addr, addr, sizeof addr);
	memcpy(network->mask, mask, sizeof mask);
	network->ip_version = is_six ? 6 : 4;
	return true;
}

/* Reads networks with commas between them. */
static int read_networks(struct bpei_spread *s, const char *text, struct bpe_error *error)
{
	char word[64];

	for (const char *at = text;; at++) {
		const size_t length = strcspn(at, ",");

		if (s->count == BPEI_SPREAD_NETWORKS)
			return bpei_fail(error, BPE_E_ARGUMENT, "spread_networks", 0,
				"spread_networks has more than %d networks", BPEI_SPREAD_NETWORKS);
		snprintf(word, sizeof word, "%.*s", (int)(length < 64 ? length : 63), at);
		if (length >= sizeof word || !read_network(word, &s->networks[s->count]))
			return bpei_fail(error, BPE_E_ARGUMENT, "spread_networks", 0,
				"\"%s\" is no network: spread_networks wants ADDRESS/BITS with commas between, such as 10.0.0.0/8,fd00::/8",
				word);
		s->count++;
		at += length;
		if (!*at)
			return BPE_OK;
	}
}

/* Refuses choices that part flows or have no property to deal by. */
static int check_spread(const struct bpe_options *o, struct bpe_error *error)
{
	const bool by_packet =
		o->spread == BPE_SPREAD_SOURCE || o->spread == BPE_SPREAD_DESTINATION;
	const uint64_t tunnels = BPE_TUNNEL_BIT(BPE_TUNNEL_COUNT) - BPE_TUNNEL_BIT(1);

	if (o->spread > BPE_SPREAD_TUNNEL)
		return bpei_fail(error, BPE_E_ARGUMENT, "spread", 0,
			"spread is flow, host, source, destination, vlan or tunnel, not %u",
			o->spread);
	if (by_packet && o->flows)
		return bpei_fail(error, BPE_E_ARGUMENT, "spread", 0,
			"spread by source or destination parts the directions of a flow: set flows to false (--no-flows), or spread by host");
	if (o->spread == BPE_SPREAD_VLAN && o->ignore_vlan)
		return bpei_fail(error, BPE_E_ARGUMENT, "spread", 0,
			"spread by vlan and ignore_vlan contradict each other: leave one of them out");
	if (o->spread == BPE_SPREAD_TUNNEL && o->ignore_tunnel)
		return bpei_fail(error, BPE_E_ARGUMENT, "spread", 0,
			"spread by tunnel and ignore_tunnel contradict each other: leave one of them out");
	if (o->spread == BPE_SPREAD_TUNNEL && (o->closed_tunnels & tunnels) == tunnels)
		return bpei_fail(error, BPE_E_ARGUMENT, "spread", 0,
			"spread by tunnel finds no tunnel: closed_tunnels (--tunnels) has all kinds");
	return BPE_OK;
}

int bpei_spread_init(struct bpei_spread *s, const struct bpe_options *o, struct bpe_error *error)
{
	const int status = check_spread(o, error);

	if (status < 0)
		return status;
	*s = (struct bpei_spread){ .by = (enum bpe_spread)o->spread };
	return read_networks(s, o->spread_networks ? o->spread_networks : private_networks, error);
}

static bool networks_have(const struct bpei_spread *s, const struct bpe_key *key, uint32_t end)
{
	uint64_t addr[2];

	memcpy(addr, key->addr[end], sizeof addr);
	for (uint32_t k = 0; k < s->count; k++) {
		const struct bpei_network *net = &s->networks[k];
		const uint64_t differ = ((addr[0] ^ net->addr[0]) & net->mask[0]) |
					((addr[1] ^ net->addr[1]) & net->mask[1]);

		if (!differ && net->ip_version == key->ip_version)
			return true;
	}
	return false;
}

/* ---- Hashes ---- */

/* Returns the end of the key by which a packet is dealt.  End 0 has the lower address. */
static uint32_t choose_end(const struct bpei_spread *s, const struct bpe_key *key, uint16_t flags)
{
	const uint32_t sender = flags & BPE_PKT_REVERSED ? 1 : 0;

	if (s->by == BPE_SPREAD_SOURCE)
		return sender;
	if (s->by == BPE_SPREAD_DESTINATION)
		return !sender;
	return networks_have(s, key, 1) && !networks_have(s, key, 0);
}

/* Makes a key of the property alone.  Returns false for a packet without the property. */
static bool make_spread_key(const struct bpei_spread *s, const struct bpe_key *key, uint16_t flags,
	struct bpe_key *alone)
{
	*alone = (struct bpe_key){ .ip_version = 0 };
	if (s->by == BPE_SPREAD_VLAN) {
		alone->vlan[0] = key->vlan[0];
		return key->vlan[0] != 0;
	}
	if (s->by == BPE_SPREAD_TUNNEL) {
		alone->tunnel = key->tunnel;
		return key->tunnel != 0;
	}
	memcpy(alone->addr[0], key->addr[choose_end(s, key, flags)], sizeof alone->addr[0]);
	alone->ip_version = key->ip_version;
	return true;
}

const uint32_t *bpei_spread_hashes(const struct bpei_spread *s, const struct bpei_dissector *d,
	const struct bpei_columns *c, uint32_t n, uint32_t room[BPE_BATCH])
{
	const bool has_tags = d->any & BPE_PKT_VLAN;

	if (BPEI_LIKELY(s->by == BPE_SPREAD_FLOW && !has_tags))
		return c->hash;
	/* A flow may have packets with VLAN tags and without (flow/sibling.c), so tags are left
	 * out. */
	bpei_hash_untagged(d, c, n, room);
	for (uint32_t i = 0; s->by != BPE_SPREAD_FLOW && i < n; i++) {
		const uint16_t flags = c->layers[i].flags;
		struct bpe_key alone;
		const struct bpei_columns one = {
			.layers = c->layers + i, .key = &alone, .hash = room + i
		};

		if (flags & BPE_PKT_KEY && make_spread_key(s, &c->key[i], flags, &alone))
			bpei_hash(&one, 1, &d->seed);
	}
	return room;
}
