/* SPDX-License-Identifier: MIT */
/* CommonCrypto by OpenSSL's library, if that is installed, and a system whose processes cannot be
 * asked (libproc).  Without OpenSSL both functions of CommonCrypto fail, and the program's own
 * check of the library finds that. */
#include "macho.h"

#include <dlfcn.h>
#include <string.h>

enum { HMAC_SHA256 = 2, BLOCK = 16, CRYPTO_FAILED = -4300 };

/* Returns a function of libcrypto, or NULL. */
static void *find_crypto(const char *name)
{
	static void *library;

	if (!library)
		library = dlopen("libcrypto.so.3", RTLD_NOW);
	return library ? dlsym(library, name) : NULL;
}

static void s_hmac(uint32_t algorithm, const void *key, size_t key_bytes, const void *text,
	size_t text_bytes, void *mac)
{
	unsigned char *(*hmac)(const void *, const void *, int, const unsigned char *, size_t,
		unsigned char *, unsigned *) = find_crypto("HMAC");
	const void *(*sha256)(void) = find_crypto("EVP_sha256");
	unsigned bytes;

	memset(mac, 0, 32);
	if (hmac && sha256 && algorithm == HMAC_SHA256)
		hmac(sha256(), key, (int)key_bytes, text, text_bytes, mac, &bytes);
}

static int s_crypt(uint32_t operation, uint32_t algorithm, uint32_t options, const void *key,
	size_t key_bytes, const void *iv, const void *in, size_t in_bytes, void *out, size_t room,
	size_t *moved)
{
	int (*set_key)(const unsigned char *, int, void *) = find_crypto("AES_set_encrypt_key");
	void (*encrypt)(const unsigned char *, unsigned char *, const void *) =
		find_crypto("AES_encrypt");
	uint64_t schedule[64];
	const int is_ecb = !operation && !algorithm && options == 2 && !iv && key_bytes == BLOCK;

	if (!set_key || !encrypt || !is_ecb || in_bytes % BLOCK || room < in_bytes)
		return CRYPTO_FAILED;
	set_key(key, 128, schedule);
	for (size_t at = 0; at < in_bytes; at += BLOCK)
		encrypt((const unsigned char *)in + at, (unsigned char *)out + at, schedule);
	*moved = in_bytes;
	return 0;
}

static int s_proc_listpids(uint32_t type, uint32_t info, void *buffer, int bytes)
{
	(void)type, (void)info, (void)buffer, (void)bytes;
	return 0;
}

static int s_proc_pidinfo(int pid, int flavor, uint64_t argument, void *buffer, int bytes)
{
	(void)pid, (void)flavor, (void)argument, (void)buffer, (void)bytes;
	return 0;
}

static int s_proc_pidfdinfo(int pid, int fd, int flavor, void *buffer, int bytes)
{
	(void)pid, (void)fd, (void)flavor, (void)buffer, (void)bytes;
	return 0;
}

const struct shim shims_crypto[] = {
	{ "_CCCrypt", s_crypt },
	{ "_CCHmac", s_hmac },
	{ "_proc_listpids", s_proc_listpids },
	{ "_proc_pidfdinfo", s_proc_pidfdinfo },
	{ "_proc_pidinfo", s_proc_pidinfo },
	{ NULL, NULL },
};
