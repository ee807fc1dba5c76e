/* SPDX-License-Identifier: MIT */
/* No library for cryptography: QUIC's flows have a version, but no names. */
#include "tools/crypto/crypto.h"

#include <stddef.h>

const char *crypto_library_name(void)
{
	return "none";
}

const struct bpe_crypto *crypto_load(void)
{
	return NULL;
}
