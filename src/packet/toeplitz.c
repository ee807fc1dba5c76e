/* SPDX-License-Identifier: MIT */
/* The hash of receive-side scaling (Microsoft, "RSS Hashing Functions"; Krawczyk, "LFSR-based
 * Hashing and Authentication", 1994), for those who need a network card's answer.  The flow table
 * does not use it: whoever knows its key can make flows meet, and under a key of period 16, which
 * makes both directions alike (Woo, Park: "Scalable TCP Session Monitoring with Symmetric
 * Receive-side Scaling", 2012), it has no more than 2^16 values.  Pure. */
#include "bpfengine.h"

#include "base/bytes.h"

/* Bits of the key at each bit of the input that is set. */
static uint32_t append_key_bytes(
	uint32_t hash, const uint8_t *input, uint32_t bytes, const uint8_t *key)
{
	for (uint32_t i = 0; i < bytes; i++) {
		uint64_t window = (uint64_t)bpei_be32(key + i) << 8 |
				  key[i + 4]; /* 40 bits: the 32 from each bit of this byte on */
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
	uint32_t from = reversed, bytes = k->ip_version == 6 ? 16 : 4, hash;
	const uint8_t ports[4] = { (uint8_t)(k->port[from] >> 8), (uint8_t)k->port[from],
		(uint8_t)(k->port[!from] >> 8), (uint8_t)k->port[!from] };
	hash = append_key_bytes(0, k->addr[from], bytes, key);
	hash = append_key_bytes(hash, k->addr[!from], bytes, key + bytes);
	return k->ip_proto == 6 || k->ip_proto == 17
		       ? append_key_bytes(hash, ports, 4, key + 2 * bytes)
		       : hash;
}
