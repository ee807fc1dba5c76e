/* SPDX-License-Identifier: MIT */
/* MD5 (RFC 1321), for fingerprints that are defined by it (JA3, HASSH); no protection.  Pure. */
#ifndef BPEI_MD5_H
#define BPEI_MD5_H

#include <stddef.h>
#include <stdint.h>

#define BPEI_MD5_TEXT 33 /* 32 hexadecimal digits and a 0 */

/* A hash under way.  A copy of the structure goes on by itself. */
struct bpei_md5 {
	uint32_t state[4];
	uint64_t bytes; /* so far */
	uint8_t block[64];
};

void bpei_md5_init(struct bpei_md5 *hash);
void bpei_md5_add(struct bpei_md5 *hash, const void *bytes, size_t n);
/* Writes the hash of all bytes added; *hash stays as before. */
void bpei_md5_text(const struct bpei_md5 *hash, char text[BPEI_MD5_TEXT]);

#endif
