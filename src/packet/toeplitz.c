/* SPDX-License-Identifier: MIT */
/* The hash of receive-side scaling (Microsoft, "RSS Hashing Functions"; Krawczyk, "LFSR-based
 * Hashing and Authentication", 1994), for programs that need a network card's result.  Pure.
 *
 * The flow table does not use this hash.  Anybody with the key can make flows collide.  Under a key
 * of period 16, which makes both directions equal (Woo, Park: "Scalable TCP Session Monitoring with
 * Symmetric Receive-side Scaling", 2012), there are only 2^16 values. */
#include "bpfengine.h"

#include "base/bytes.h"

/* Returns hash, xored with 32 bits of the key from each set bit of the input on. */
static uint32_t hash_input_bytes(
	uint32_t hash, const uint8_t *input, uint32_t bytes, const uint8_t *key)
{
	for (uint32_t i = 0; i < bytes; i++) {
		/* 40 bits, which hold 32 from each bit of this byte on */
		const uint64_t window = (uint64_t)bpei_be32(key + i) << 8 | key[i + 4];

		for (uint32_t bit = 0; bit < 8; bit++)
			if (input[i] & 0x80 >> bit)
				hash ^= (uint32_t)(window >> (8 - bit));
	}
	return hash;
}

uint32_t bpe_toeplitz(
	const struct bpe_key *k, bool reversed, const uint8_t rss_key[BPE_RSS_KEY_BYTES])
{
	static const uint8_t symmetric[BPE_RSS_KEY_BYTES] = { 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
		0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
		0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a,
		0x6d, 0x5a, 0x6d, 0x5a, 0x6d, 0x5a };
	const uint8_t *key = rss_key ? rss_key : symmetric;
	uint32_t from = reversed;
	uint32_t bytes = k->ip_version == 6 ? 16 : 4;
	uint32_t hash;
	const uint8_t ports[4] = { (uint8_t)(k->port[from] >> 8), (uint8_t)k->port[from],
		(uint8_t)(k->port[!from] >> 8), (uint8_t)k->port[!from] };
	hash = hash_input_bytes(0, k->addr[from], bytes, key);
	hash = hash_input_bytes(hash, k->addr[!from], bytes, key + bytes);
	return k->ip_proto == 6 || k->ip_proto == 17
		       ? hash_input_bytes(hash, ports, 4, key + 2 * bytes)
		       : hash;
}
