/* SPDX-License-Identifier: MIT */
/* The library that the programs were built with, on published examples, and on forged texts. */
#include "tools/crypto/crypto.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

static bool open_forged(const struct bpe_crypto *crypto)
{
	/* McGrew and Viega, "The Galois/Counter Mode of Operation", test case 4 (AES-128). */
	static const uint8_t key[16] = { 0xfe, 0xff, 0xe9, 0x92, 0x86, 0x65, 0x73, 0x1c, 0x6d, 0x6a,
		0x8f, 0x94, 0x67, 0x30, 0x83, 0x08 };
	static const uint8_t nonce[12] = { 0xca, 0xfe, 0xba, 0xbe, 0xfa, 0xce, 0xdb, 0xad, 0xde,
		0xca, 0xf8, 0x88 };
	static const uint8_t aad[20] = { 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
		0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2 };
	static const uint8_t plain[8] = { 0xd9, 0x31, 0x32, 0x25, 0xf8, 0x84, 0x06, 0xe5 };
	uint8_t sealed[76] = { 0x42, 0x83, 0x1e, 0xc2, 0x21, 0x77, 0x74, 0x24, 0x4b, 0x72, 0x21,
		0xb7, 0x84, 0xd0, 0xd4, 0x9c, 0xe3, 0xaa, 0x21, 0x2f, 0x2c, 0x02, 0xa4, 0xe0, 0x35,
		0xc1, 0x7e, 0x23, 0x29, 0xac, 0xa1, 0x2e, 0x21, 0xd5, 0x14, 0xb2, 0x54, 0x66, 0x93,
		0x1c, 0x7d, 0x8f, 0x6a, 0x5a, 0xac, 0x84, 0xaa, 0x05, 0x1b, 0xa3, 0x0b, 0x39, 0x6a,
		0x0a, 0xac, 0x97, 0x3d, 0x58, 0xe0, 0x91, 0x5b, 0xc9, 0x4f, 0xbc, 0x32, 0x21, 0xa5,
		0xdb, 0x94, 0xfa, 0xe9, 0x5a, 0xe7, 0x12, 0x1a, 0x47 };
	uint8_t out[76];

	if (!crypto->aes128_gcm_open)
		return true;
	if (!crypto->aes128_gcm_open(key, nonce, aad, sizeof aad, sealed, sizeof sealed, out) ||
		memcmp(out, plain, sizeof plain))
		return false;
	for (size_t k = 0; k < sizeof sealed; k++) {
		sealed[k] ^= 1;
		bool opened = crypto->aes128_gcm_open(
			key, nonce, aad, sizeof aad, sealed, sizeof sealed, out);
		sealed[k] ^= 1;
		if (opened)
			return false;
	}
	return !crypto->aes128_gcm_open(key, nonce, aad, 19, sealed, sizeof sealed, out) &&
	       !crypto->aes128_gcm_open(key, nonce, aad, sizeof aad, sealed, 15, out);
}

Test(crypto, the_library_makes_the_published_examples, .timeout = 550)
{
	const struct bpe_crypto *crypto = crypto_load();

	cr_assert_neq(crypto_library_name()[0], 0);
	cr_assert_eq(crypto == NULL, !strcmp(crypto_library_name(), "none"));
	if (!crypto)
		return;
	cr_assert_eq(crypto->struct_size, sizeof *crypto);
	cr_assert_str_eq(crypto->name, crypto_library_name());
	cr_assert(crypto_is_right(crypto));
	cr_assert(open_forged(crypto));
	cr_assert_eq(crypto_load(), crypto);
}

static void *run_examples(void *crypto)
{
	for (int k = 0; k < 200; k++)
		if (!crypto_is_right(crypto) || !open_forged(crypto))
			return crypto;
	return NULL;
}

Test(crypto, several_threads_may_use_the_library, .timeout = 550)
{
	const struct bpe_crypto *crypto = crypto_load();
	pthread_t threads[4];
	void *wrong = NULL;

	for (int k = 0; crypto && k < 4; k++)
		cr_assert_eq(
			pthread_create(&threads[k], NULL, run_examples, (void *)(uintptr_t)crypto),
			0);
	for (int k = 0; crypto && k < 4; k++) {
		cr_assert_eq(pthread_join(threads[k], &wrong), 0);
		cr_assert_null(wrong);
	}
}

static bool make_wrong_mac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	(void)key;
	(void)text;
	memset(mac, (int)(key_bytes + text_bytes), 32);
	return true;
}

Test(crypto, a_wrong_library_is_found_out, .timeout = 550)
{
	const struct bpe_crypto *crypto = crypto_load();
	struct bpe_crypto wrong = { .hmac_sha256 = make_wrong_mac };

	if (crypto)
		wrong = *crypto;
	wrong.hmac_sha256 = make_wrong_mac;
	cr_assert_not(crypto_is_right(&wrong));
}
