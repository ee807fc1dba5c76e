/* SPDX-License-Identifier: MIT */
/* mbedTLS 2.28 and 3.x (libmbedcrypto).  Contexts are made for each call. */
#include "tools/crypto/crypto.h"

#include <mbedtls/aes.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/version.h>

#define TAG 16

static bool make_mbedtls_hmac(const uint8_t *key, size_t key_bytes, const uint8_t *text,
	size_t text_bytes, uint8_t mac[32])
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	return sha256 && !mbedtls_md_hmac(sha256, key, key_bytes, text, text_bytes, mac);
}

static bool encrypt_mbedtls_blocks(
	const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
	mbedtls_aes_context context;

	mbedtls_aes_init(&context);
	bool good = !mbedtls_aes_setkey_enc(&context, key, 128);
	for (size_t k = 0; good && k < blocks; k++)
		good = !mbedtls_aes_crypt_ecb(
			&context, MBEDTLS_AES_ENCRYPT, in + 16 * k, out + 16 * k);
	mbedtls_aes_free(&context);
	return good;
}

static bool open_mbedtls_gcm(const uint8_t key[16], const uint8_t nonce[12], const uint8_t *aad,
	size_t aad_bytes, const uint8_t *in, size_t in_bytes, uint8_t *out)
{
	mbedtls_gcm_context context;

	if (in_bytes < TAG)
		return false;
	size_t text_bytes = in_bytes - TAG;
	mbedtls_gcm_init(&context);
	bool good = !mbedtls_gcm_setkey(&context, MBEDTLS_CIPHER_ID_AES, key, 128) &&
		    !mbedtls_gcm_auth_decrypt(&context, text_bytes, nonce, 12, aad, aad_bytes,
			    in + text_bytes, TAG, in, out);
	mbedtls_gcm_free(&context);
	return good;
}

static struct bpe_crypto mbedtls = {
	.struct_size = sizeof mbedtls,
	.hmac_sha256 = make_mbedtls_hmac,
	.aes128_ecb = encrypt_mbedtls_blocks,
	.aes128_gcm_open = open_mbedtls_gcm,
};

const char *crypto_library_name(void)
{
	static char name[24]; /* the library writes at most 18 bytes: "mbed TLS 2.28.3" */

	mbedtls_version_get_string_full(name);
	return name;
}

const struct bpe_crypto *crypto_load(void)
{
	mbedtls.name = crypto_library_name();
	return crypto_is_right(&mbedtls) ? &mbedtls : NULL;
}
