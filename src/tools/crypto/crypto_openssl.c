/* SPDX-License-Identifier: MIT */
/* OpenSSL from 1.1.1 on, and LibreSSL (libcrypto).
 *
 * OpenSSL 3 looks an algorithm up at each use, unless the program keeps the result of a fetch:
 * crypto_load fetches once.  An algorithm is read by all threads and never freed.  Contexts are
 * made for each call: a worker's thread has no end at which to free them.  HMAC (RFC 2104) is made
 * of two digests, since libcrypto's own costs several lookups a call. */
#include "tools/crypto/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/opensslv.h>

#include <stdlib.h>
#include <string.h>

#define BLOCK 64 /* of SHA-256 */
#define TAG 16

static const EVP_MD *sha256;
static const EVP_CIPHER *ecb, *gcm;

/* Digests the padded key and a text. */
static bool digest_padded(
	EVP_MD_CTX *context, const uint8_t pad[BLOCK], const uint8_t *text, size_t n, uint8_t *to)
{
	return EVP_DigestInit_ex(context, sha256, NULL) == 1 &&
	       EVP_DigestUpdate(context, pad, BLOCK) == 1 &&
	       EVP_DigestUpdate(context, text, n) == 1 &&
	       EVP_DigestFinal_ex(context, to, NULL) == 1;
}

static bool make_openssl_hmac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	uint8_t inner[BLOCK] = { 0 };
	uint8_t outer[BLOCK];
	uint8_t digest[32];

	if (key_bytes > BLOCK)
		return false;
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	if (!context)
		return false;
	if (key_bytes)
		memcpy(inner, key, key_bytes);
	for (int k = 0; k < BLOCK; k++) {
		outer[k] = inner[k] ^ 0x5c;
		inner[k] ^= 0x36;
	}
	bool good = digest_padded(context, inner, text, text_bytes, digest) &&
		    digest_padded(context, outer, digest, sizeof digest, mac);
	EVP_MD_CTX_free(context);
	return good;
}

static bool encrypt_openssl_blocks(
	const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
	int n = 0;

	if (blocks > 1024)
		return false;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (!context)
		return false;
	bool good = EVP_EncryptInit_ex(context, ecb, NULL, key, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
		    EVP_EncryptUpdate(context, out, &n, in, (int)(blocks * 16)) == 1 &&
		    n == (int)(blocks * 16);
	EVP_CIPHER_CTX_free(context);
	return good;
}

static bool open_openssl_gcm(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *aad,
	size_t aad_bytes, const uint8_t *in, size_t in_bytes, uint8_t *out)
{
	uint8_t tag[TAG];
	uint8_t rest[TAG];
	int n = 0;

	if (in_bytes < TAG || in_bytes > 1u << 20 || aad_bytes > 1u << 20)
		return false;
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
	if (!context)
		return false;
	size_t text_bytes = in_bytes - TAG;
	memcpy(tag, in + text_bytes, TAG);
	bool good = EVP_DecryptInit_ex(context, gcm, NULL, key, nonce) == 1;
	if (aad_bytes)
		good = good && EVP_DecryptUpdate(context, NULL, &n, aad, (int)aad_bytes) == 1;
	if (text_bytes)
		good = good && EVP_DecryptUpdate(context, out, &n, in, (int)text_bytes) == 1;
	good = good && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 &&
	       EVP_DecryptFinal_ex(context, rest, &n) == 1;
	EVP_CIPHER_CTX_free(context);
	return good;
}

static struct bpe_crypto openssl = {
	.struct_size = sizeof openssl,
	.hmac_sha256 = make_openssl_hmac,
	.aes128_ecb = encrypt_openssl_blocks,
	.aes128_gcm_open = open_openssl_gcm,
};

/* Looks the algorithms up. */
static void fetch_algorithms(void)
{
#if defined(OPENSSL_VERSION_MAJOR) && OPENSSL_VERSION_MAJOR >= 3
	sha256 = EVP_MD_fetch(NULL, "SHA2-256", NULL);
	ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
#else
	sha256 = EVP_sha256();
	ecb = EVP_aes_128_ecb();
	gcm = EVP_aes_128_gcm();
#endif
}

const char *crypto_library_name(void)
{
	static char name[48];

	/* "OpenSSL 3.0.15 3 Sep 2024", "LibreSSL 4.0.0": the date is left out. */
	if (!name[0]) {
		const char *version = OpenSSL_version(OPENSSL_VERSION);
		const char *end = strchr(version, ' ');
		size_t n = end ? (size_t)(end - version) + 1 : 0;
		n += strcspn(version + n, " ");
		if (n >= sizeof name)
			n = sizeof name - 1;
		memcpy(name, version, n);
		name[n] = 0;
	}
	return name;
}

const struct bpe_crypto *crypto_load(void)
{
	if (!sha256)
		fetch_algorithms();
	openssl.name = crypto_library_name();
	if (!sha256 || !ecb || !gcm || !crypto_is_right(&openssl))
		return NULL;
	return &openssl;
}
