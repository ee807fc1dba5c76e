/* SPDX-License-Identifier: MIT */
/* Single packets of the program's own, parsed as a batch of one.  Pure. */
#include "bpfengine.h"

#define HIGHEST_LINK_TYPE 65535

/* A packet, and the columns that a batch of one points to. */
struct single {
	const uint8_t *bytes;
	uint32_t caplen, wirelen;
	struct bpe_layers layers;
};

/* Makes a batch of the packet.  Returns false if an argument is wrong. */
static bool make_single_batch(struct single *s, int link_type, struct bpe_batch *batch)
{
	static const uint8_t none = 0;

	if ((!s->bytes && s->caplen) || link_type < 0 || link_type > HIGHEST_LINK_TYPE)
		return false;
	if (!s->bytes)
		s->bytes = &none;
	if (s->caplen > BPE_MAX_SNAPLEN)
		s->caplen = BPE_MAX_SNAPLEN;
	s->layers.link_type = (uint16_t)link_type;
	*batch = (struct bpe_batch){ .size = sizeof *batch,
		.count = 1,
		.data = &s->bytes,
		.caplen = &s->caplen,
		.wirelen = &s->wirelen,
		.layers = &s->layers };
	return true;
}

int bpe_parse(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, int link_type,
	struct bpe_layers *layers, struct bpe_key *key)
{
	struct single s = { bytes, caplen, wirelen, { 0 } };
	struct bpe_batch batch;

	if (!make_single_batch(&s, link_type, &batch))
		return BPE_E_ARGUMENT;
	return bpe_batch_layers(&batch, 0, BPE_LAYERS_INNERMOST, layers, key);
}

int bpe_parse_outermost(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, int link_type,
	struct bpe_layers *layers, struct bpe_key *key)
{
	struct single s = { bytes, caplen, wirelen, { 0 } };
	struct bpe_batch batch;

	if (!make_single_batch(&s, link_type, &batch))
		return BPE_E_ARGUMENT;
	return bpe_batch_layers(&batch, 0, BPE_LAYERS_OUTERMOST, layers, key);
}

int bpe_parse_tunnel(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, int link_type,
	struct bpe_tunnel *tunnel)
{
	/* The flag says that a tunnel may be there. */
	struct single s = { bytes, caplen, wirelen, { .flags = BPE_PKT_TUNNEL } };
	struct bpe_batch batch;

	if (!make_single_batch(&s, link_type, &batch))
		return BPE_E_ARGUMENT;
	return bpe_batch_tunnel(&batch, 0, tunnel);
}

int bpe_parse_tcp_options(const uint8_t *bytes, uint32_t caplen, const struct bpe_layers *layers,
	struct bpe_tcp_options *options)
{
	const struct bpe_batch batch = {
		.size = sizeof batch, .count = 1, .data = &bytes, .layers = layers
	};

	if (layers->end > caplen || (!bytes && caplen))
		return BPE_E_ARGUMENT;
	return bpe_batch_tcp_options(&batch, 0, options);
}
