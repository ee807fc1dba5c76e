/* SPDX-License-Identifier: MIT */
/* The programs' library for cryptography (-Dcrypto), for opening QUIC's Initials.  A build has a
 * single source of crypto_*.c. */
#ifndef CRYPTO_H
#define CRYPTO_H

#include "bpfengine.h"

/* Loads the library, and tries each function once: the library reads and maps all files
 * before the program's rights go.  Returns NULL without a library, or if the library fails.  The
 * result stays for the whole run.  Called by a single thread. */
const struct bpe_crypto *crypto_load(void);
/* Returns the library's name and version, "OpenSSL 3.0.15"; "none". */
const char *crypto_library_name(void);

/* Returns whether the functions make AES-128 and HMAC-SHA-256 of published examples. */
bool crypto_is_right(const struct bpe_crypto *crypto);

#endif
