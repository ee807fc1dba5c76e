/* SPDX-License-Identifier: MIT */
/* Vectors: RFC 1321 appendix A.5; the others by Python's hashlib. */
#include "base/md5.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_md5(const char *text, const char *expected)
{
	struct bpei_md5 hash;
	char found[BPEI_MD5_TEXT];

	bpei_md5_init(&hash);
	bpei_md5_add(&hash, text, strlen(text));
	bpei_md5_text(&hash, found);
	cr_expect_str_eq(found, expected);
	bpei_md5_text(&hash, found);
	cr_expect_str_eq(found, expected, "the hash stays");
}

Test(md5, published_vectors)
{
	expect_md5("", "d41d8cd98f00b204e9800998ecf8427e");
	expect_md5("a", "0cc175b9c0f1b6a831c399e269772661");
	expect_md5("abc", "900150983cd24fb0d6963f7d28e17f72");
	expect_md5("message digest", "f96b697d7cb7938d525a2f31aaf161d0");
	expect_md5("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b");
	expect_md5("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
		"d174ab98d277d9f5a5611c2c9f419d9f");
	expect_md5("1234567890123456789012345678901234567890"
		   "1234567890123456789012345678901234567890",
		"57edf4a22be3c955ac49da2e2107b67a");
}

/* Hashes the hashes of 0 to 200 bytes, each given in two parts at each place. */
Test(md5, every_length_and_every_part)
{
	uint8_t bytes[200];
	struct bpei_md5 all;
	char text[BPEI_MD5_TEXT];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	bpei_md5_init(&all);
	for (size_t n = 0; n <= sizeof bytes; n++) {
		struct bpei_md5 whole;
		char whole_text[BPEI_MD5_TEXT];
		bpei_md5_init(&whole);
		bpei_md5_add(&whole, bytes, n);
		bpei_md5_text(&whole, whole_text);
		bpei_md5_add(&all, whole_text, 32);
		for (size_t cut = 0; cut <= n; cut++) {
			struct bpei_md5 parts;
			bpei_md5_init(&parts);
			bpei_md5_add(&parts, bytes, cut);
			bpei_md5_add(&parts, bytes + cut, n - cut);
			bpei_md5_text(&parts, text);
			cr_assert_str_eq(text, whole_text, "%zu of %zu", cut, n);
		}
	}
	bpei_md5_text(&all, text);
	cr_expect_str_eq(text, "55d70de3db1c95a325748a7ef6941bb8");
}
