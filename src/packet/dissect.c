/* SPDX-License-Identifier: MIT */
/* The way of a batch through the kernels, the reader's; and the parser for one packet of it, any thread's. */
#include "packet/packet.h"

#include "base/cacheline.h"
#include "base/random.h"

const char bpei_weak_seed_text[] = "the system has no random numbers yet: the seed of the flows' hash "
	"comes from clocks and addresses, which is easier to guess (--seed sets one)";

int bpei_dissector_new(struct bpei_dissector *d, const struct bpe_options *options)
{
	uint64_t seed = options->hash_seed;
	d->weak_seed = false;
	if (!options->fixed_seed) seed = bpei_random_seed(&bpei_random_sys_real, &d->weak_seed);
	bpei_seed_init(&d->seed, seed);
	d->checksums = options->checksums;
	d->outermost = options->outermost;
	d->fragments = bpei_fragments_new(seed);
	return d->fragments ? BPE_OK : BPE_E_MEMORY;
}

void bpei_dissector_free(struct bpei_dissector *d)
{
	bpei_fragments_free(d->fragments);
	d->fragments = NULL;
}

static uint16_t all_flags(const struct bpe_layers *l, uint32_t n)
{
	uint16_t any = 0;
	size_t i = 0;
	for (; i + 4 <= n; i += 4) any |= l[i].flags | l[i + 1].flags | l[i + 2].flags | l[i + 3].flags;
	for (; i < n; i++) any |= l[i].flags;
	return any;
}

void bpei_dissect(struct bpei_dissector *d, struct bpei_columns *c, uint32_t n, uint32_t link_type)
{
	c->outermost = d->outermost;
	bpei_parse(c, n, link_type, &d->seed);
	const uint16_t any = all_flags(c->layers, n);
	if (BPEI_UNLIKELY(any & (BPE_PKT_FRAGMENT | BPE_PKT_FIRST_FRAGMENT))) {
		bpei_fragments_follow(d->fragments, c, n, link_type);
		for (uint32_t i = 0; any & BPE_PKT_FRAGMENT && i < n; i++) {	/* the keys that it changed */
			if (BPEI_LIKELY(!(c->layers[i].flags & BPE_PKT_FRAGMENT))) continue;
			const struct bpei_columns one = { .layers = c->layers + i, .key = c->key + i, .hash = c->hash + i };
			bpei_hash(&one, 1, &d->seed);
		}
	}
	if (d->checksums) bpei_checksums(c, n);
}

int bpe_batch_layers(const struct bpe_batch *b, uint32_t i, uint32_t which, struct bpe_layers *layers, struct bpe_key *key)
{
	struct bpe_layers l;
	struct bpe_key k;
	if (i >= b->count || which > BPE_LAYERS_OUTERMOST) return BPE_E_ARGUMENT;
	const uint8_t *data = b->data[i];
	uint32_t caplen = b->caplen[i], wirelen = b->wirelen[i];
	uint8_t outgoing = b->layers[i].flags & BPE_PKT_OUTGOING;
	const struct bpei_columns c = { .data = &data, .caplen = &caplen, .wirelen = &wirelen, .layers = &l, .key = &k, .outgoing = &outgoing, .outermost = which == BPE_LAYERS_OUTERMOST };
	bpei_parse_scalar(&c, 1, b->layers[i].link_type, NULL);
	*layers = l;
	if (l.flags & BPE_PKT_KEY && key) *key = k;
	return l.flags & BPE_PKT_KEY ? 1 : 0;
}
