/* SPDX-License-Identifier: MIT */
/* Vectors: FIPS 180-2 appendix B, NIST's SHAVS; the others by Python's hashlib. */
#include "base/sha256.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_hash(const void *bytes, size_t n, const char *expected)
{
	struct bpei_sha256 hash;
	char text[BPEI_SHA256_TEXT];

	bpei_sha256_init(&hash);
	bpei_sha256_add(&hash, bytes, n);
	bpei_sha256_text(&hash, text);
	cr_expect_str_eq(text, expected);
	bpei_sha256_text(&hash, text);
	cr_expect_str_eq(text, expected, "the hash stays");
}

Test(sha256, published_vectors)
{
	static char million[1000000];

	expect_hash("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	expect_hash("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	expect_hash("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
		"248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', sizeof million);
	expect_hash(million, sizeof million,
		"cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Hashes the hashes of 0 to 200 bytes, each given in two parts at each place. */
Test(sha256, every_length_and_every_part)
{
	uint8_t bytes[200];
	struct bpei_sha256 all;
	char text[BPEI_SHA256_TEXT];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	bpei_sha256_init(&all);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		struct bpei_sha256 whole;
		char whole_text[BPEI_SHA256_TEXT];
		bpei_sha256_init(&whole);
		bpei_sha256_add(&whole, bytes, n);
		bpei_sha256_text(&whole, whole_text);
		bpei_sha256_add(&all, whole_text, 64);
		for (size_t cut = 0; cut <= n; cut++) {
			struct bpei_sha256 parts;
			bpei_sha256_init(&parts);
			bpei_sha256_add(&parts, bytes, cut);
			bpei_sha256_add(&parts, bytes + cut, n - cut);
			bpei_sha256_text(&parts, text);
			cr_assert_str_eq(text, whole_text, "%zu of %zu", cut, n);
		}
	}
	bpei_sha256_text(&all, text);
	cr_expect_str_eq(text, "b367ea311264aae50e6260b96a10761169ce3eec5d5f8f2258351f82c7252776");
}
