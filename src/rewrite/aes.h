/* SPDX-License-Identifier: MIT */
/* AES with keys of 128 bits (FIPS 197), encryption of single blocks.  The time of an encryption
 * depends on key and block: for files, and not for a peer who can measure.  Pure. */
#ifndef BPEI_AES_H
#define BPEI_AES_H

#include <stdint.h>

struct bpei_aes {
	uint32_t round_key[44];
	uint32_t table[256]; /* the S-box's byte times 2, 1, 1, 3 in GF(2^8), highest byte first */
	uint8_t box[256];    /* the S-box */
};

/* Sets the key. */
void bpei_aes_init(struct bpei_aes *aes, const uint8_t key[16]);
/* Encrypts a block; in and out may be the same. */
void bpei_aes_encrypt(const struct bpei_aes *aes, const uint8_t in[16], uint8_t out[16]);

#endif
