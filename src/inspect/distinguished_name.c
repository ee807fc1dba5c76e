/* SPDX-License-Identifier: MIT */
/* Distinguished names as text (der.h); stateless. */
#include "base/bytes.h"
#include "base/utf8.h"
#include "inspect/der.h"

enum { MOST_ELEMENTS = 32, MOST_ARC_BYTES = 5 };

static const char dn_digits[] = "0123456789ABCDEF";

/* Text under way; is_over: there was no room for all. */
struct dn_text {
	char *to;
	size_t used, room;
	bool is_over;
};

/* Short names of attributes: RFC 4519, and OpenSSL's where LDAP has none. */
static const struct {
	const char *name;
	uint8_t n;
	uint8_t oid[11];
} attributes[] = {
	{ "CN", 3, { 0x55, 4, 3 } },
	{ "SN", 3, { 0x55, 4, 4 } },
	{ "serialNumber", 3, { 0x55, 4, 5 } },
	{ "C", 3, { 0x55, 4, 6 } },
	{ "L", 3, { 0x55, 4, 7 } },
	{ "ST", 3, { 0x55, 4, 8 } },
	{ "STREET", 3, { 0x55, 4, 9 } },
	{ "O", 3, { 0x55, 4, 10 } },
	{ "OU", 3, { 0x55, 4, 11 } },
	{ "title", 3, { 0x55, 4, 12 } },
	{ "description", 3, { 0x55, 4, 13 } },
	{ "businessCategory", 3, { 0x55, 4, 15 } },
	{ "postalCode", 3, { 0x55, 4, 17 } },
	{ "name", 3, { 0x55, 4, 41 } },
	{ "GN", 3, { 0x55, 4, 42 } },
	{ "organizationIdentifier", 3, { 0x55, 4, 97 } },
	{ "UID", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 1 } },
	{ "DC", 10, { 0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 1, 25 } },
	{ "emailAddress", 9, { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 1 } },
	{ "jurisdictionL", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 1 } },
	{ "jurisdictionST", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 2 } },
	{ "jurisdictionC", 11, { 0x2b, 6, 1, 4, 1, 0x82, 0x37, 60, 2, 1, 3 } },
};

static void put_letter(struct dn_text *text, char letter)
{
	if (text->used + 1 >= text->room)
		text->is_over = true;
	else
		text->to[text->used++] = letter;
}

static void put_name_text(struct dn_text *text, const char *word)
{
	while (*word)
		put_letter(text, *word++);
}

static void put_pair(struct dn_text *text, uint8_t byte)
{
	put_letter(text, dn_digits[byte >> 4]);
	put_letter(text, dn_digits[byte & 15]);
}

static void put_decimal(struct dn_text *text, uint64_t number)
{
	char word[24];
	size_t at = sizeof word - 1;

	word[at] = 0;
	do {
		word[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put_name_text(text, word + at);
}

/* Writes an object identifier with dots; false: malformed, or an arc of more than 35 bits. */
static bool put_oid(struct dn_text *text, const uint8_t *oid, size_t n)
{
	uint64_t arc = 0;
	size_t bytes = 0;
	bool is_first = true;

	for (size_t i = 0; i < n; i++) {
		arc = arc << 7 | (oid[i] & 0x7f);
		if (++bytes > MOST_ARC_BYTES)
			return false;
		if (oid[i] & 0x80)
			continue;
		if (is_first) {
			const uint64_t root = arc < 80 ? arc / 40 : 2;
			put_decimal(text, root);
			arc -= 40 * root;
		}
		put_letter(text, '.');
		put_decimal(text, arc);
		is_first = false;
		arc = 0;
		bytes = 0;
	}
	return n && !bytes;
}

/* Writes a code point as UTF-8.  Returns its bytes. */
static size_t encode_utf8(uint32_t code, char to[4])
{
	if (code < 0x80) {
		to[0] = (char)code;
		return 1;
	}
	const size_t n = 2 + (size_t)(code >= 0x800) + (size_t)(code >= 0x10000);

	for (size_t i = n; i-- > 1; code >>= 6)
		to[i] = (char)(0x80 | (code & 0x3f));
	to[0] = (char)((0xf00 >> n & 0xff) | code);
	return n;
}

/* Returns the bytes of a unit of a string type; 0: the type is no string. */
static size_t measure_unit(uint8_t tag)
{
	switch (tag) {
	case BPEI_DER_UTF8:
	case BPEI_DER_NUMERIC:
	case BPEI_DER_PRINTABLE:
	case BPEI_DER_T61:
	case BPEI_DER_IA5:
	case BPEI_DER_VISIBLE:
		return 1;
	case BPEI_DER_BMP:
		return 2;
	case BPEI_DER_UNIVERSAL:
		return 4;
	default:
		return 0;
	}
}

/* Takes the next character of a string as UTF-8.  Returns the bytes taken; *n is 0 for a byte
 * outside UTF-8. */
static size_t decode_string_part(
	const uint8_t *bytes, size_t left, uint8_t tag, char character[4], size_t *n)
{
	const size_t unit = measure_unit(tag);
	uint32_t code = bytes[0];
	size_t taken = unit;

	if (unit == 1 && tag != BPEI_DER_T61) {
		*n = bpei_utf8_bytes((const char *)bytes, left);
		memcpy(character, bytes, *n);
		return *n + !*n;
	}
	if (unit == 2)
		code = bpei_be16(bytes);
	if (unit == 4)
		code = bpei_be32(bytes);
	if (unit == 2 && code >> 10 == 0x36 && left >= 4 && bpei_be16(bytes + 2) >> 10 == 0x37) {
		code = 0x10000 + ((code & 0x3ff) << 10 | (bpei_be16(bytes + 2) & 0x3ff));
		taken = 4;
	}
	if (code > 0x10ffff || code >> 11 == 0x1b)
		code = 0xfffd; /* no character */
	*n = encode_utf8(code, character);
	return taken;
}

/* Writes a character of a value with the escapes of RFC 4514. */
static void put_dn_character(
	struct dn_text *text, const char *character, size_t n, bool is_first, bool is_last)
{
	const char c = character[0];

	if (bpei_utf8_is_control(bpei_utf8_code(character, n))) {
		for (size_t i = 0; i < n; i++) {
			put_letter(text, '\\');
			put_pair(text, (uint8_t)character[i]);
		}
		return;
	}
	if (n == 1 && (memchr("\"+,;<>\\", c, 7) || (c == ' ' && (is_first || is_last)) ||
			      (c == '#' && is_first)))
		put_letter(text, '\\');
	for (size_t i = 0; i < n; i++)
		put_letter(text, character[i]);
}

static void put_value(struct dn_text *text, const uint8_t *bytes, size_t n, uint8_t tag)
{
	for (size_t at = 0; at < n && !text->is_over;) {
		char character[4];
		size_t length;
		const size_t taken =
			decode_string_part(bytes + at, n - at, tag, character, &length);

		if (length) {
			put_dn_character(text, character, length, at == 0, at + taken >= n);
		} else {
			put_letter(text, '\\');
			put_pair(text, bytes[at]);
		}
		at += taken;
	}
}

/* Writes a type and its value. */
static bool put_attribute(struct dn_text *text, struct bpei_der *pair)
{
	struct bpei_der oid;
	struct bpei_der value;
	uint8_t tag;
	const char *name = NULL;

	if (bpei_der_take(pair, &oid, &tag) || tag != BPEI_DER_OID)
		return false;
	const size_t start = pair->at;
	if (bpei_der_take(pair, &value, &tag) || pair->at != pair->end)
		return false;
	const size_t oid_bytes = oid.end - oid.at;
	const size_t bytes = value.end - value.at;
	const size_t unit = measure_unit(tag);

	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
		if (attributes[i].n == oid_bytes &&
			!memcmp(attributes[i].oid, oid.bytes + oid.at, oid_bytes))
			name = attributes[i].name;
	}
	if (name)
		put_name_text(text, name);
	else if (!put_oid(text, oid.bytes + oid.at, oid_bytes))
		return false;
	put_letter(text, '=');
	if (name && unit && bytes % unit == 0) {
		put_value(text, value.bytes + value.at, bytes, tag);
		return true;
	}
	put_letter(text, '#');
	for (size_t at = start; at < value.end && !text->is_over; at++)
		put_pair(text, value.bytes[at]);
	return true;
}

/* Writes an element of a name: an attribute, or several with + between. */
static bool put_element(struct dn_text *text, struct bpei_der set)
{
	bool is_first = true;

	while (set.at < set.end) {
		struct bpei_der pair;
		uint8_t tag;
		if (bpei_der_take(&set, &pair, &tag) || tag != BPEI_DER_SEQUENCE)
			return false;
		if (!is_first)
			put_letter(text, '+');
		if (!put_attribute(text, &pair))
			return false;
		is_first = false;
	}
	return !is_first;
}

bool bpei_dn_text(const struct bpei_der *name, char *to, size_t room, bool *is_cut)
{
	struct bpei_der elements[MOST_ELEMENTS];
	struct bpei_der in = *name;
	struct dn_text text = { to, 0, room, false };
	size_t n = 0;

	while (in.at < in.end) {
		uint8_t tag;
		if (n == MOST_ELEMENTS || bpei_der_take(&in, &elements[n], &tag) ||
			tag != BPEI_DER_SET)
			return false;
		n++;
	}
	memset(to, 0, room);
	for (size_t i = n; i-- > 0;) {
		const size_t before = text.used;
		if (i + 1 < n)
			put_letter(&text, ',');
		if (!put_element(&text, elements[i]))
			return false;
		if (text.is_over) {
			memset(to + before, 0, room - before);
			*is_cut = true;
			return true;
		}
	}
	return true;
}
