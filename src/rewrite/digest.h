/* SPDX-License-Identifier: MIT */
/* A keyed hash of 128 bits of a packet's bytes, fast for long packets.  Each 1,024 bytes go through
 * the universal hash NH with words of 64 bits (Black, Halevi, Krawczyk, Krovetz, Rogaway: "UMAC:
 * Fast and Secure Message Authentication", 1999).  SipHash-1-3 with 128 bits hashes the results. NH
 * gives two different strings of a length the same result with a chance of at most 2^-64, for a key
 * that is secret.  Pure. */
#ifndef BPEI_DIGEST_H
#define BPEI_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define BPEI_DIGEST_WORDS 128u /* of a block */

struct bpei_digest_key {
	uint64_t sip[2];
	uint64_t word[BPEI_DIGEST_WORDS];
};

/* Fills the key from a secret. */
void bpei_digest_key(struct bpei_digest_key *key, const uint64_t secret[2]);

/* Computes the hash of n bytes, less than 4 GiB, and of 3 words; words[1] is less than 2^32. */
void bpei_digest(const struct bpei_digest_key *key, const uint8_t *bytes, size_t n,
	const uint64_t words[3], uint64_t digest[2]);

#endif
