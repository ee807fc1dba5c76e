/* SPDX-License-Identifier: MIT */
/* JA3 of TLS clients (hello.h); stateless.  The rules are Salesforce's (BSD-3-Clause,
 * github.com/salesforce/ja3): version, ciphers, extensions, groups and point formats as decimal
 * numbers, without GREASE. */
#include "base/md5.h"
#include "inspect/hello.h"

/* Hashes a number, with a mark before it. */
static void hash_decimal(struct bpei_md5 *hash, char mark, unsigned number)
{
	char text[8];
	size_t at = sizeof text;

	do {
		text[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	if (mark)
		text[--at] = mark;
	bpei_md5_add(hash, text + at, sizeof text - at);
}

static void hash_list(struct bpei_md5 *hash, struct bpei_hello_span list, size_t width)
{
	char mark = 0;

	bpei_md5_add(hash, ",", 1);
	for (size_t i = 0; i + width <= list.n; i += width) {
		const uint16_t value = width == 1 ? list.at[i] : bpei_be16(list.at + i);
		if (bpei_hello_grease(value))
			continue;
		hash_decimal(hash, mark, value);
		mark = '-';
	}
}

static void hash_extensions(struct bpei_md5 *hash, struct bpei_hello_span extensions)
{
	struct bpei_cursor c = bpei_hello_open(extensions);
	struct bpei_hello_span data;
	uint16_t type;
	char mark = 0;

	bpei_md5_add(hash, ",", 1);
	while (bpei_hello_extension(&c, &type, &data)) {
		if (bpei_hello_grease(type))
			continue;
		hash_decimal(hash, mark, type);
		mark = '-';
	}
}

void bpei_ja3_text(const struct bpei_hello *hello, char ja3[33])
{
	struct bpei_md5 hash;

	bpei_md5_init(&hash);
	hash_decimal(&hash, 0, hello->version);
	hash_list(&hash, hello->ciphers, 2);
	hash_extensions(&hash, hello->extensions);
	hash_list(&hash, hello->groups, 2);
	hash_list(&hash, hello->formats, 1);
	bpei_md5_text(&hash, ja3);
}
