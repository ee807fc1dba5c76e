/* SPDX-License-Identifier: MIT */
/* Which worker gets a packet (options.spread): the hash by which packets are dealt. */
#ifndef BPEI_SPREAD_H
#define BPEI_SPREAD_H

#include "packet/packet.h"

#define BPEI_SPREAD_NETWORKS 64 /* most networks in options.spread_networks */

/* Addresses of a version that are equal under the mask.  Bytes as in struct bpe_key. */
struct bpei_network {
	uint64_t addr[2], mask[2];
	uint32_t ip_version;
};

/* Constant once filled. */
struct bpei_spread {
	enum bpe_spread by;
	uint32_t count;
	struct bpei_network networks[BPEI_SPREAD_NETWORKS];
};

/* Fills *spread by the options.  Returns BPE_OK, or BPE_E_ARGUMENT with *error filled. */
int bpei_spread_init(
	struct bpei_spread *spread, const struct bpe_options *options, struct bpe_error *error);

/* Returns the hashes by which the n packets of a dissected batch are dealt.  room: for the hashes,
 * if they are not the columns' own. */
const uint32_t *bpei_spread_hashes(const struct bpei_spread *spread,
	const struct bpei_dissector *dissector, const struct bpei_columns *columns, uint32_t n,
	uint32_t room[BPE_BATCH]);

#endif
