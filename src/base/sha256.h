/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4), for the ledger of written files and for fingerprints.  Pure. */
#ifndef BPEI_SHA256_H
#define BPEI_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define BPEI_SHA256_TEXT 65 /* 64 hexadecimal digits and a 0 */

/* A hash under way.  A copy of the structure goes on by itself. */
struct bpei_sha256 {
	uint32_t state[8];
	uint64_t bytes; /* so far */
	uint8_t block[64];
};

void bpei_sha256_init(struct bpei_sha256 *hash);
void bpei_sha256_add(struct bpei_sha256 *hash, const void *bytes, size_t n);
/* Writes the hash of all bytes added; *hash stays as before. */
void bpei_sha256_text(const struct bpei_sha256 *hash, char text[BPEI_SHA256_TEXT]);

#endif
