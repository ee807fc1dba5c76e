/* SPDX-License-Identifier: MIT */
/* Takes a batch through the kernels, in the reader's thread.  Parses single packets again, in any
 * thread. */
#include "packet/packet.h"

#include "base/cacheline.h"
#include "base/random.h"

const char bpei_weak_seed_text[] =
	"the system has no random numbers yet: the seed of the flows' hash "
	"comes from clocks and addresses, which is easier to guess (--seed sets one)";

int bpei_dissector_new(struct bpei_dissector *d, const struct bpe_options *options)
{
	uint64_t seed = options->hash_seed;
	d->weak_seed = false;
	if (!options->fixed_seed)
		seed = bpei_random_seed(&bpei_random_sys_real, &d->weak_seed);
	bpei_seed_init(&d->seed, seed);
	d->checksums = options->checksums;
	d->outermost = options->outermost;
	d->ignore_tunnel = options->ignore_tunnel;
	d->ignore_vlan = options->ignore_vlan;
	d->closed = options->closed_tunnels;
	d->fragments = bpei_fragments_new(seed);
	d->answers = bpei_answers_new();
	return d->fragments && d->answers ? BPE_OK : BPE_E_MEMORY;
}

void bpei_dissector_free(struct bpei_dissector *d)
{
	bpei_fragments_free(d->fragments);
	bpei_answers_free(d->answers);
	d->fragments = NULL;
	d->answers = NULL;
}

static uint16_t merge_batch_flags(const struct bpe_layers *l, uint32_t n)
{
	uint16_t any = 0;
	size_t i = 0;
	for (; i + 4 <= n; i += 4)
		any |= l[i].flags | l[i + 1].flags | l[i + 2].flags | l[i + 3].flags;
	for (; i < n; i++)
		any |= l[i].flags;
	return any;
}

/* Clears the VLAN ids of the keys; the layers keep them. */
static void drop_key_vlans(const struct bpei_columns *c, uint32_t n, const struct bpei_seed *seed)
{
	for (uint32_t i = 0; i < n; i++) {
		if (!(c->layers[i].flags & BPE_PKT_KEY) || !(c->key[i].vlan[0] | c->key[i].vlan[1]))
			continue;
		c->key[i].vlan[0] = c->key[i].vlan[1] = 0;
		const struct bpei_columns one = {
			.layers = c->layers + i, .key = c->key + i, .hash = c->hash + i
		};
		bpei_hash(&one, 1, seed);
	}
}

void bpei_hash_untagged(const struct bpei_dissector *d, const struct bpei_columns *c, uint32_t n,
	uint32_t hash[BPE_BATCH])
{
	memcpy(hash, c->hash, n * sizeof *hash);
	for (uint32_t i = 0; i < n; i++) {
		if (!hash[i] || !(c->key[i].vlan[0] | c->key[i].vlan[1]))
			continue;
		struct bpe_key key = c->key[i];
		key.vlan[0] = key.vlan[1] = 0;
		const struct bpei_columns one = {
			.layers = c->layers + i, .key = &key, .hash = hash + i
		};
		bpei_hash(&one, 1, &d->seed);
	}
}

/* Verifies and counts the batch's checksums. */
static void verify_checksums(struct bpei_dissector *d, const struct bpei_columns *c, uint32_t n)
{
	const struct bpei_checked checked = bpei_checksums(c, n);

	bpei_counter_add(&d->checksums_verified, checked.verified);
	bpei_counter_add(&d->checksums_cut, checked.cut);
}

void bpei_dissect(struct bpei_dissector *d, struct bpei_columns *c, uint32_t n, uint32_t link_type)
{
	c->outermost = d->outermost;
	c->no_identity = d->ignore_tunnel;
	c->closed = d->closed;
	c->way = d->way;
	bpei_parse(c, n, link_type, &d->seed);
	const uint16_t any = d->any = merge_batch_flags(c->layers, n);
	if (BPEI_UNLIKELY(d->ignore_vlan && any & BPE_PKT_VLAN))
		drop_key_vlans(c, n, &d->seed);
	if (BPEI_UNLIKELY(any & BPE_PKT_TUNNEL))
		bpei_answers_join(d->answers, c, n, &d->seed);
	if (BPEI_UNLIKELY(any & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT))) {
		bpei_fragments_follow(d->fragments, c, n, link_type);
		/* hashes of the keys that were changed */
		for (uint32_t i = 0; any & BPE_PKT_FRAGMENT && i < n; i++) {
			if (BPEI_LIKELY(!(c->layers[i].flags & BPE_PKT_FRAGMENT)))
				continue;
			const struct bpei_columns one = {
				.layers = c->layers + i, .key = c->key + i, .hash = c->hash + i
			};
			bpei_hash(&one, 1, &d->seed);
		}
	}
	if (d->checksums)
		verify_checksums(d, c, n);
}

/* Parses packet i of the batch again, with the options of the batch. */
static void reparse_packet(const struct bpe_batch *b, uint32_t i, bool outermost,
	struct bpe_layers *l, struct bpe_key *k, struct bpe_tunnel *tunnel)
{
	const uint8_t *data = b->data[i];
	uint32_t caplen = b->caplen[i];
	uint32_t wirelen = b->wirelen[i];
	uint8_t outgoing = b->layers[i].flags & BPE_PKT_OUTGOING;
	const struct bpei_columns c = { .data = &data,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = l,
		.key = k,
		.outgoing = &outgoing,
		.outermost = outermost,
		.closed = BPE_HAS(b, closed_tunnels) ? b->closed_tunnels : 0,
		.tunnel = tunnel };
	bpei_parse_scalar(&c, 1, b->layers[i].link_type, NULL);
}

/* Returns whether two keys differ at most in the tunnel.  The batch's key may be an answer's
 * (answers.c), or have no tunnel. */
static bool keys_match_without_tunnel(const struct bpe_key *a, const struct bpe_key *b)
{
	struct bpe_key other = *b;
	other.tunnel = a->tunnel;
	return !memcmp(a, &other, sizeof other);
}

int bpe_batch_layers(const struct bpe_batch *b, uint32_t i, uint32_t which,
	struct bpe_layers *layers, struct bpe_key *key)
{
	struct bpe_layers l;
	struct bpe_key k;
	if (i >= b->count || which > BPE_LAYERS_OUTERMOST)
		return BPE_E_ARGUMENT;
	reparse_packet(b, i, which == BPE_LAYERS_OUTERMOST, &l, &k, NULL);
	*layers = l;
	if (!(l.flags & BPE_PKT_KEY))
		return 0;
	if (l.flags & b->layers[i].flags & BPE_PKT_TUNNEL && b->key &&
		keys_match_without_tunnel(&k, &b->key[i]))
		k.tunnel = b->key[i].tunnel;
	if (key)
		*key = k;
	return 1;
}

int bpe_batch_tunnel(const struct bpe_batch *b, uint32_t i, struct bpe_tunnel *tunnel)
{
	struct bpe_layers l;
	struct bpe_key k;
	struct bpe_tunnel t = { .kind = BPE_TUNNEL_NONE };
	if (i >= b->count)
		return BPE_E_ARGUMENT;
	if (!(b->layers[i].flags & BPE_PKT_TUNNEL))
		return 0;
	reparse_packet(b, i, false, &l, &k, &t);
	if (!t.kind)
		return 0;
	*tunnel = t;
	return 1;
}
