/* SPDX-License-Identifier: MIT */
/* JA4 of TLS clients (hello.h); stateless.  The rules are FoxIO's text "JA4: TLS Client
 * Fingerprinting" (BSD-3-Clause, github.com/FoxIO-LLC/ja4, technical_details/JA4.md). */
#include "base/sha256.h"
#include "inspect/hello.h"

#include <string.h>

enum { MOST_VALUES = 1024, HASH_DIGITS = 12 };

static const char ja4_digits[] = "0123456789abcdef";

/* Numbers of two bytes, in the order of the hello or sorted. */
struct values {
	uint16_t of[MOST_VALUES];
	size_t n;
	bool is_over; /* there were more */
};

static void add_value(struct values *values, uint16_t value)
{
	if (bpei_hello_grease(value))
		return;
	if (values->n == MOST_VALUES) {
		values->is_over = true;
		return;
	}
	values->of[values->n++] = value;
}

static void add_list(struct values *values, struct bpei_hello_span list)
{
	values->n = 0;
	values->is_over = false;
	for (size_t i = 0; i + 2 <= list.n; i += 2)
		add_value(values, bpei_be16(list.at + i));
}

static void add_extensions(struct values *values, struct bpei_hello_span extensions)
{
	struct bpei_cursor c = bpei_hello_open(extensions);
	struct bpei_hello_span data;
	uint16_t type;

	values->n = 0;
	values->is_over = false;
	while (bpei_hello_extension(&c, &type, &data))
		add_value(values, type);
}

/* Lets the value at `at` sink to its place in a heap of n values. */
static void sink_value(uint16_t *of, size_t at, size_t n)
{
	for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
		const uint16_t value = of[at];
		if (child + 1 < n && of[child + 1] > of[child])
			child++;
		if (of[child] <= value)
			return;
		of[at] = of[child];
		of[child] = value;
		at = child;
	}
}

/* Sorts by a heap: hostile lists cost no more than others. */
static void sort_values(struct values *values)
{
	for (size_t i = values->n / 2; i-- > 0;)
		sink_value(values->of, i, values->n);
	for (size_t n = values->n; n-- > 1;) {
		const uint16_t value = values->of[0];
		values->of[0] = values->of[n];
		values->of[n] = value;
		sink_value(values->of, 0, n);
	}
}

/* Hashes values as hexadecimal texts with commas between. */
static void hash_values(struct bpei_sha256 *hash, const struct values *values)
{
	for (size_t i = 0; i < values->n; i++) {
		const uint16_t value = values->of[i];
		const char text[5] = { ',', ja4_digits[value >> 12], ja4_digits[value >> 8 & 15],
			ja4_digits[value >> 4 & 15], ja4_digits[value & 15] };
		bpei_sha256_add(hash, text + !i, sizeof text - !i);
	}
}

static void put_hash(const struct bpei_sha256 *hash, char *to)
{
	char text[BPEI_SHA256_TEXT];

	bpei_sha256_text(hash, text);
	memcpy(to, text, HASH_DIGITS);
}

static void put_ja4_count(size_t n, char *to)
{
	const size_t shown = n < 99 ? n : 99;

	to[0] = (char)('0' + shown / 10);
	to[1] = (char)('0' + shown % 10);
}

static const char *name_version(const struct bpei_hello *hello)
{
	static const struct {
		uint16_t version;
		char text[3];
	} rows[] = { { 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" }, { 0x0301, "10" },
		{ 0x0300, "s3" }, { 0x0002, "s2" }, { 0xfeff, "d1" }, { 0xfefd, "d2" },
		{ 0xfefc, "d3" } };
	uint16_t highest = 0;

	if (!hello->versions.at)
		highest = hello->version;
	for (size_t i = 0; i + 2 <= hello->versions.n; i += 2) {
		const uint16_t version = bpei_be16(hello->versions.at + i);
		if (!bpei_hello_grease(version) && version > highest)
			highest = version;
	}
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].version == highest)
			return rows[i].text;
	}
	return "00";
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Writes the first and the last letter of the first protocol; of its hexadecimal text if either
 * byte is no letter and no digit. */
static void put_protocol(const struct bpei_hello *hello, char *to)
{
	const struct bpei_hello_span first = bpei_hello_protocol(hello);

	to[0] = '0';
	to[1] = '0';
	if (!first.n)
		return;
	const uint8_t head = first.at[0];
	const uint8_t tail = first.at[first.n - 1];
	if (is_alphanumeric(head) && is_alphanumeric(tail)) {
		to[0] = (char)head;
		to[1] = (char)tail;
		return;
	}
	to[0] = ja4_digits[head >> 4];
	to[1] = ja4_digits[tail & 15];
}

/* Drops server_name and ALPN, of which the first part tells. */
static void drop_told(struct values *values)
{
	size_t kept = 0;

	for (size_t i = 0; i < values->n; i++) {
		const uint16_t value = values->of[i];
		if (value != BPEI_EXTENSION_SNI && value != BPEI_EXTENSION_ALPN)
			values->of[kept++] = value;
	}
	values->n = kept;
}

/* Writes the hash of sorted extensions, and of the signature algorithms in their order. */
static void put_extensions(struct values *values, const struct bpei_hello *hello, char *to)
{
	struct bpei_sha256 hash;

	drop_told(values);
	if (!values->n)
		return;
	bpei_sha256_init(&hash);
	sort_values(values);
	hash_values(&hash, values);
	add_list(values, hello->signatures);
	if (values->n) {
		bpei_sha256_add(&hash, "_", 1);
		hash_values(&hash, values);
	}
	put_hash(&hash, to);
}

void bpei_ja4_text(const struct bpei_hello *hello, char transport, char ja4[40])
{
	static const char empty[] = "t00i000000_000000000000_000000000000";
	char text[sizeof empty];
	struct values values;
	struct bpei_sha256 hash;

	memcpy(text, empty, sizeof empty);
	text[0] = transport;
	memcpy(text + 1, name_version(hello), 2);
	if (hello->sni.at)
		text[3] = 'd';
	add_list(&values, hello->ciphers);
	if (values.is_over)
		return;
	put_ja4_count(values.n, text + 4);
	if (values.n) {
		sort_values(&values);
		bpei_sha256_init(&hash);
		hash_values(&hash, &values);
		put_hash(&hash, text + 11);
	}
	add_extensions(&values, hello->extensions);
	if (values.is_over)
		return;
	put_ja4_count(values.n, text + 6);
	put_protocol(hello, text + 8);
	put_extensions(&values, hello, text + 24);
	if (!values.is_over)
		memcpy(ja4, text, sizeof text);
}
