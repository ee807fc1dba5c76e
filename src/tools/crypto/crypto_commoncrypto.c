/* SPDX-License-Identifier: MIT */
/* CommonCrypto, which is part of macOS's system library (CCHmac(3cc), CCCryptor(3cc)).  Its GCM is
 * not public, so that the engine decrypts by AES-128 alone, and frames tell whether the key was
 * right. */
#include "tools/crypto/crypto.h"

#include <CommonCrypto/CommonCryptor.h>

/* As <CommonCrypto/CommonHMAC.h> declares; the headers of zig, which cross builds use, lack that
 * file. */
#define HMAC_SHA256 2u
void CCHmac(uint32_t algorithm, const void *key, size_t key_bytes, const void *text,
	size_t text_bytes, void *mac);

static bool make_apple_hmac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	CCHmac(HMAC_SHA256, key, key_bytes, text, text_bytes, mac);
	return true;
}

static bool encrypt_apple_blocks(
	const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
	size_t moved = 0;
	CCCryptorStatus status = CCCrypt(kCCEncrypt, kCCAlgorithmAES, kCCOptionECBMode, key, 16,
		NULL, in, blocks * 16, out, blocks * 16, &moved);
	return status == kCCSuccess && moved == blocks * 16;
}

static const struct bpe_crypto commoncrypto = {
	.struct_size = sizeof commoncrypto,
	.name = "CommonCrypto",
	.hmac_sha256 = make_apple_hmac,
	.aes128_ecb = encrypt_apple_blocks,
};

const char *crypto_library_name(void)
{
	return commoncrypto.name;
}

const struct bpe_crypto *crypto_load(void)
{
	return crypto_is_right(&commoncrypto) ? &commoncrypto : NULL;
}
