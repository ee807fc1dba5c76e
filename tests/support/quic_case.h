/* SPDX-License-Identifier: MIT */
/* QUIC's Initials for tests: a library for cryptography of the engine's own AES and SHA-256, and
 * the sealing of packets by it (RFC 9001, 5; NIST SP 800-38D). */
#ifndef QUIC_CASE_H
#define QUIC_CASE_H

#include "base/sha256.h"
#include "inspect/quic.h"
#include "rewrite/aes.h"

#include <string.h>

static inline void quic_sha256(
	const uint8_t *a, size_t a_bytes, const uint8_t *b, size_t b_bytes, uint8_t digest[32])
{
	static const char digits[] = "0123456789abcdef";
	struct bpei_sha256 hash;
	char text[BPEI_SHA256_TEXT];

	bpei_sha256_init(&hash);
	bpei_sha256_add(&hash, a, a_bytes);
	bpei_sha256_add(&hash, b, b_bytes);
	bpei_sha256_text(&hash, text);
	for (int k = 0; k < 32; k++) {
		size_t high = (size_t)(strchr(digits, text[2 * k]) - digits);
		size_t low = (size_t)(strchr(digits, text[2 * k + 1]) - digits);
		digest[k] = (uint8_t)(high << 4 | low);
	}
}

static inline bool quic_hmac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	uint8_t inner[64] = { 0 };
	uint8_t outer[64];
	uint8_t digest[32];

	if (key_bytes > sizeof inner)
		return false;
	memcpy(inner, key, key_bytes);
	for (int k = 0; k < 64; k++) {
		outer[k] = inner[k] ^ 0x5c;
		inner[k] ^= 0x36;
	}
	quic_sha256(inner, sizeof inner, text, text_bytes, digest);
	quic_sha256(outer, sizeof outer, digest, sizeof digest, mac);
	return true;
}

static inline bool quic_ecb(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
	struct bpei_aes aes;

	bpei_aes_init(&aes, key);
	for (size_t k = 0; k < blocks; k++)
		bpei_aes_encrypt(&aes, in + 16 * k, out + 16 * k);
	return true;
}

/* Multiplies in GF(2^128) by the hash key. */
static inline void quic_multiply(uint8_t x[16], const uint8_t h[16])
{
	uint8_t product[16] = { 0 };
	uint8_t v[16];

	memcpy(v, h, 16);
	for (int bit = 0; bit < 128; bit++) {
		int carry = v[15] & 1;
		for (int k = 0; k < 16 && x[bit / 8] >> (7 - bit % 8) & 1; k++)
			product[k] ^= v[k];
		for (int k = 15; k > 0; k--)
			v[k] = (uint8_t)(v[k] >> 1 | v[k - 1] << 7);
		v[0] = (uint8_t)(v[0] >> 1);
		if (carry)
			v[0] ^= 0xe1;
	}
	memcpy(x, product, 16);
}

static inline void quic_ghash(uint8_t x[16], const uint8_t h[16], const uint8_t *bytes, size_t n)
{
	for (size_t at = 0; at < n; at += 16) {
		for (size_t k = 0; k < 16 && at + k < n; k++)
			x[k] ^= bytes[at + k];
		quic_multiply(x, h);
	}
}

/* Makes the tag of a sealed text. */
static inline void quic_tag(const struct bpei_quic_keys *keys, const uint8_t nonce[12],
	const uint8_t *aad, size_t aad_bytes, const uint8_t *sealed, size_t n, uint8_t tag[16])
{
	uint8_t h[16] = { 0 };
	uint8_t first[16] = { 0 };
	uint8_t lengths[16] = { 0 };

	quic_ecb(keys->key, h, h, 1);
	memset(tag, 0, 16);
	quic_ghash(tag, h, aad, aad_bytes);
	quic_ghash(tag, h, sealed, n);
	for (int k = 0; k < 4; k++) {
		lengths[7 - k] = (uint8_t)(aad_bytes * 8 >> (8 * k));
		lengths[15 - k] = (uint8_t)(n * 8 >> (8 * k));
	}
	quic_ghash(tag, h, lengths, 16);
	memcpy(first, nonce, 12);
	first[15] = 1;
	quic_ecb(keys->key, first, first, 1);
	for (int k = 0; k < 16; k++)
		tag[k] ^= first[k];
}

/* Encrypts or decrypts by the counter mode of GCM. */
static inline void quic_counter(
	const uint8_t key[16], const uint8_t nonce[12], const uint8_t *in, size_t n, uint8_t *out)
{
	struct bpei_aes aes;

	bpei_aes_init(&aes, key);
	for (size_t at = 0; at < n; at += 16) {
		uint32_t counter = (uint32_t)(at / 16) + 2;
		uint8_t block[16];
		memcpy(block, nonce, 12);
		for (int k = 0; k < 4; k++)
			block[15 - k] = (uint8_t)(counter >> (8 * k));
		bpei_aes_encrypt(&aes, block, block);
		for (size_t k = 0; k < 16 && at + k < n; k++)
			out[at + k] = in[at + k] ^ block[k];
	}
}

static inline bool quic_gcm_open(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *aad,
	size_t aad_bytes, const uint8_t *in, size_t in_bytes, uint8_t *out)
{
	struct bpei_quic_keys keys;
	uint8_t tag[16];

	memcpy(keys.key, key, 16);
	quic_tag(&keys, nonce, aad, aad_bytes, in, in_bytes - 16, tag);
	if (memcmp(tag, in + in_bytes - 16, 16))
		return false;
	quic_counter(key, nonce, in, in_bytes - 16, out);
	return true;
}

/* With the tag checked, and without. */
static const struct bpe_crypto quic_crypto = { sizeof quic_crypto, 0, "test", quic_hmac, quic_ecb,
	quic_gcm_open };
static const struct bpe_crypto quic_crypto_tagless = { sizeof quic_crypto_tagless, 0, "test",
	quic_hmac, quic_ecb, NULL };

/* An Initial to be sealed. */
struct quic_initial {
	uint32_t version;
	const char *dcid; /* 8 bytes, of the header */
	const char *keys; /* 8 bytes, of the keys; NULL: dcid */
	uint32_t number, number_bytes;
	uint8_t flip; /* bits to change in the first byte before protection */
	uint32_t token_bytes;
};

/* Seals frames to a packet.  Returns the bytes of the packet. */
static inline uint32_t quic_seal(
	uint8_t *to, const struct quic_initial *how, const uint8_t *frames, uint32_t n)
{
	const struct bpei_quic_version *version = bpei_quic_version_find(how->version);
	const char *source = how->keys ? how->keys : how->dcid;
	struct bpei_quic_keys keys;
	uint8_t nonce[12];
	uint8_t mask[16];
	uint32_t at = 0;

	bpei_quic_keys_make(&keys, &quic_crypto, version, (const uint8_t *)source, 8);
	to[at++] =
		(uint8_t)((0xc0u | (uint32_t)(version->shift & 3) << 4 | (how->number_bytes - 1)) ^
			  how->flip);
	for (int k = 24; k >= 0; k -= 8)
		to[at++] = (uint8_t)(how->version >> k);
	to[at++] = 8;
	memcpy(to + at, how->dcid, 8);
	at += 8;
	to[at++] = 0;
	to[at++] = (uint8_t)(0x40 | how->token_bytes >> 8);
	to[at++] = (uint8_t)how->token_bytes;
	memset(to + at, 't', how->token_bytes);
	at += how->token_bytes;
	uint32_t length = how->number_bytes + n + 16;
	to[at++] = (uint8_t)(0x40 | length >> 8);
	to[at++] = (uint8_t)length;
	uint32_t number_at = at;
	for (uint32_t k = how->number_bytes; k--;)
		to[at++] = (uint8_t)(how->number >> (8 * k));
	memcpy(nonce, keys.iv, 12);
	for (int k = 0; k < 4; k++)
		nonce[11 - k] ^= (uint8_t)(how->number >> (8 * k));
	quic_counter(keys.key, nonce, frames, n, to + at);
	quic_tag(&keys, nonce, to, at, to + at, n, to + at + n);
	quic_ecb(keys.hp, to + number_at + 4, mask, 1);
	to[0] ^= mask[0] & 0x0f;
	for (uint32_t k = 0; k < how->number_bytes; k++)
		to[number_at + k] ^= mask[1 + k];
	return at + n + 16;
}

/* Puts a CRYPTO frame.  Returns the bytes. */
static inline uint32_t quic_crypto_frame(
	uint8_t *to, uint32_t offset, const uint8_t *bytes, uint32_t n)
{
	to[0] = 6;
	to[1] = (uint8_t)(0x40 | offset >> 8);
	to[2] = (uint8_t)offset;
	to[3] = (uint8_t)(0x40 | n >> 8);
	to[4] = (uint8_t)n;
	memcpy(to + 5, bytes, n);
	return 5 + n;
}

/* Turns hexadecimal digits to bytes.  Returns the bytes. */
static inline uint32_t quic_from_hex(uint8_t *to, const char *hex)
{
	uint32_t n = 0;

	for (; hex[0] && hex[1]; hex += 2) {
		uint32_t value = 0;
		for (int k = 0; k < 2; k++) {
			uint32_t digit = (uint32_t)(hex[k] - '0');
			if (hex[k] >= 'a')
				digit = (uint32_t)(hex[k] - 'a' + 10);
			value = value << 4 | digit;
		}
		to[n++] = (uint8_t)value;
	}
	return n;
}

/* Opens a standard's example, and gives its frames.  Returns their bytes; 0: not opened. */
static inline uint32_t quic_vector_frames(uint8_t *frames, const char *vector)
{
	static struct bpei_quic_opened opened;
	static uint8_t bytes[1200];
	struct bpei_quic_packet packet;
	struct bpei_quic_keys keys;

	quic_from_hex(bytes, vector);
	if (!bpei_quic_packet_read(&packet, bytes, sizeof bytes) || !packet.known ||
		!bpei_quic_keys_make(
			&keys, &quic_crypto, packet.known, packet.dcid, packet.dcid_bytes) ||
		!bpei_quic_open(&opened, &quic_crypto, &keys, &packet))
		return 0;
	memcpy(frames, opened.bytes + opened.frames_at, opened.frames_bytes);
	return opened.frames_bytes;
}

/* A direction as the namer gives it. */
struct quic_direction {
	uint8_t bytes[BPEI_STREAM_MOST];
	uint16_t ends[BPEI_DATAGRAMS_MOST];
	struct bpei_stream stream;
};
static inline void quic_open_way(struct quic_direction *d)
{
	memset(&d->stream, 0, sizeof d->stream);
	d->stream.bytes = d->bytes;
	d->stream.ends = d->ends;
	d->stream.port[0] = 50000;
	d->stream.port[1] = 443;
}
static inline void quic_put_datagram(struct quic_direction *d, const uint8_t *bytes, uint32_t n)
{
	memcpy(d->bytes + d->stream.n, bytes, n);
	d->stream.n += n;
	d->ends[d->stream.datagrams++] = (uint16_t)d->stream.n;
}

#endif
