/* SPDX-License-Identifier: MIT */
/* Takes the protection off an Initial (RFC 9001, 5.3 and 5.4): the header's by AES-128, the
 * payload's by AES-128-GCM, or by its counter mode alone (NIST SP 800-38D, 6.5); stateless. */
#include "inspect/quic.h"

#include <string.h>

#define BLOCK 16u
#define BLOCKS 32u /* of the key stream at a time */

/* Decrypts n bytes by the counter mode of GCM: block 2 is the first of the text. */
static bool decrypt_counter(const struct bpe_crypto *crypto, const struct bpei_quic_keys *keys,
	const uint8_t nonce[12], const uint8_t *in, uint32_t n, uint8_t *out)
{
	uint8_t counters[BLOCKS * BLOCK];
	uint8_t stream[BLOCKS * BLOCK];
	uint32_t counter = 2;

	for (uint32_t at = 0; at < n; at += sizeof stream) {
		uint32_t part = n - at;
		if (part > sizeof stream)
			part = sizeof stream;
		uint32_t blocks = (part + BLOCK - 1) / BLOCK;
		for (uint32_t k = 0; k < blocks; k++) {
			memcpy(counters + k * BLOCK, nonce, 12);
			counters[k * BLOCK + 12] = (uint8_t)(counter >> 24);
			counters[k * BLOCK + 13] = (uint8_t)(counter >> 16);
			counters[k * BLOCK + 14] = (uint8_t)(counter >> 8);
			counters[k * BLOCK + 15] = (uint8_t)counter++;
		}
		if (!crypto->aes128_ecb(keys->key, counters, stream, blocks))
			return false;
		for (uint32_t k = 0; k < part; k++)
			out[at + k] = in[at + k] ^ stream[k];
	}
	return true;
}

/* Copies the header without protection, and tells the packet number. */
static bool unmask_header(struct bpei_quic_opened *o, const struct bpe_crypto *crypto,
	const struct bpei_quic_keys *keys, const struct bpei_quic_packet *p)
{
	uint8_t mask[BLOCK];

	if (!crypto->aes128_ecb(keys->hp, p->start + p->number_at + 4, mask, 1))
		return false;
	uint8_t first = p->start[0] ^ (mask[0] & 0x0f);
	uint32_t number_bytes = (first & 3u) + 1;
	memcpy(o->bytes, p->start, p->number_at);
	o->bytes[0] = first;
	o->number = 0;
	for (uint32_t k = 0; k < number_bytes; k++) {
		uint8_t byte = p->start[p->number_at + k] ^ mask[1 + k];
		o->bytes[p->number_at + k] = byte;
		o->number = o->number << 8 | byte;
	}
	o->frames_at = p->number_at + number_bytes;
	return true;
}

bool bpei_quic_open(struct bpei_quic_opened *o, const struct bpe_crypto *crypto,
	const struct bpei_quic_keys *keys, const struct bpei_quic_packet *p)
{
	uint8_t nonce[12];

	if (p->bytes > sizeof o->bytes || !unmask_header(o, crypto, keys, p))
		return false;
	/* A client's Initials are few: the number is whole in the bytes sent. */
	memcpy(nonce, keys->iv, sizeof nonce);
	for (uint32_t k = 0; k < 8; k++)
		nonce[4 + k] ^= (uint8_t)(o->number >> (56 - 8 * k));
	const uint8_t *in = p->start + o->frames_at;
	uint32_t in_bytes = p->bytes - o->frames_at;
	o->frames_bytes = in_bytes - BPEI_QUIC_TAG;
	if (crypto->aes128_gcm_open)
		return crypto->aes128_gcm_open(keys->key, nonce, o->bytes, o->frames_at, in,
			in_bytes, o->bytes + o->frames_at);
	return decrypt_counter(crypto, keys, nonce, in, o->frames_bytes, o->bytes + o->frames_at);
}
