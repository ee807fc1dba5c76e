/* SPDX-License-Identifier: MIT */
/* Checks of a packet with replaced addresses against the packet before. */
#ifndef ANONYMISE_CHECK_H
#define ANONYMISE_CHECK_H

#include "packet/packet.h"
#include "rewrite/anonymise.h"

#include <string.h>

/* A packet as parsed. */
struct parsed_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen;
	struct bpe_layers layers;
	struct bpe_key key;
};

static inline void parse_packet(struct parsed_packet *p, uint32_t link_type)
{
	const struct bpei_columns c = { .data = &p->data,
		.caplen = &p->caplen,
		.wirelen = &p->wirelen,
		.layers = &p->layers,
		.key = &p->key,
		.no_identity = true };

	memset(&p->key, 0, sizeof p->key);
	bpei_parse_scalar(&c, 1, link_type, NULL);
	bpei_checksums(&c, 1);
}

/* Replaces a key's addresses; the lower end comes first, by address and port. */
static inline void replace_key(struct bpei_prefix *prefix, struct bpe_key *k)
{
	const struct bpe_key old = *k;
	const uint32_t bytes = k->ip_version == 4 ? 4 : 16;

	for (int end = 0; end < 2; end++)
		if (bytes == 4)
			bpei_prefix_ip4(prefix, old.addr[end], k->addr[end]);
		else
			bpei_prefix_ip6(prefix, old.addr[end], k->addr[end]);
	if (memcmp(k->addr[0], k->addr[1], bytes) > 0) {
		const struct bpe_key turned = *k;

		memcpy(k->addr[0], turned.addr[1], 16);
		memcpy(k->addr[1], turned.addr[0], 16);
		k->port[0] = turned.port[1];
		k->port[1] = turned.port[0];
	}
}

/* Returns what is wrong with the packet `is`, which was `was`; NULL if nothing is.  Both are parsed
 * here. */
static inline const char *anonymised_wrong(struct bpei_prefix *prefix, struct parsed_packet *was,
	struct parsed_packet *is, uint32_t link_type)
{
	parse_packet(was, link_type);
	parse_packet(is, link_type);
	struct bpe_layers old = was->layers;
	struct bpe_layers new = is->layers;
	if ((old.flags ^ new.flags) & BPE_PKT_BAD_CHECKSUM)
		return old.flags & BPE_PKT_BAD_CHECKSUM ? "a wrong checksum became right"
							: "a right checksum became wrong";
	old.flags &= (uint16_t)~BPE_PKT_REVERSED;
	new.flags &= (uint16_t)~BPE_PKT_REVERSED;
	if (memcmp(&old, &new, sizeof old) != 0)
		return "other layers";
	if (!(old.flags & BPE_PKT_KEY))
		return NULL;
	struct bpe_key expected = was->key;
	replace_key(prefix, &expected);
	return memcmp(&expected, &is->key, sizeof expected) ? "another flow" : NULL;
}

#endif
