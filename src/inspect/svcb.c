/* SPDX-License-Identifier: MIT */
/* Parameters of SVCB and HTTPS records.  Stateless. */
#include "inspect/svcb.h"

#include "base/bytes.h"

static const char *const parameter_names[] = { "mandatory", "alpn", "no-default-alpn", "port",
	"ipv4hint", "ech", "ipv6hint", "dohpath" };
#define PARAMETERS (sizeof parameter_names / sizeof *parameter_names)

struct bpei_svcb_walk bpei_svcb_init(const uint8_t *parameters, uint32_t n)
{
	return (struct bpei_svcb_walk){ .next = parameters, .end = parameters + n };
}

bool bpei_svcb_next(struct bpei_svcb_walk *walk)
{
	const size_t left = (size_t)(walk->end - walk->next);
	const bool first = !walk->value;
	const uint32_t before = walk->key;

	if (walk->bad || !left)
		return false;
	walk->bad = true;
	if (left < 4)
		return false;
	walk->key = bpei_be16(walk->next);
	walk->bytes = bpei_be16(walk->next + 2);
	if (walk->bytes > left - 4 || (!first && walk->key <= before))
		return false;
	walk->value = walk->next + 4;
	walk->next = walk->value + walk->bytes;
	walk->bad = false;
	return true;
}

uint32_t bpei_svcb_find(
	const struct bpei_dns_message *message, const struct bpei_dns_record *record)
{
	const uint32_t end = record->data + record->data_bytes;
	uint8_t wire[BPEI_DNS_WIRE];
	uint32_t behind = 0;

	if (record->data_bytes < 3 || !bpei_be16(message->bytes + record->data))
		return 0;
	if (!bpei_dns_name(message, record->data + 2, wire, &behind) || behind > end)
		return 0;
	return behind;
}

/* Adds the name of a key. */
static void put_svcb_key(struct bpei_dns_text *text, uint32_t key)
{
	if (key < PARAMETERS) {
		bpei_dns_text_word(text, parameter_names[key]);
		return;
	}
	bpei_dns_text_word(text, "key");
	bpei_dns_text_number(text, key);
}

/* Adds keys by commas. */
static bool put_svcb_keys(struct bpei_dns_text *text, const struct bpei_svcb_walk *walk)
{
	for (uint32_t i = 0; i + 1 < walk->bytes; i += 2) {
		if (i)
			bpei_dns_text_word(text, ",");
		put_svcb_key(text, bpei_be16(walk->value + i));
	}
	return walk->bytes && walk->bytes % 2 == 0;
}

/* Adds the protocols of ALPN by commas, within quotes. */
static bool put_svcb_alpn(struct bpei_dns_text *text, const struct bpei_svcb_walk *walk)
{
	bpei_dns_text_word(text, "\"");
	for (uint32_t i = 0; i < walk->bytes; i += 1u + walk->value[i]) {
		if (!walk->value[i] || walk->value[i] >= walk->bytes - i)
			return false;
		if (i)
			bpei_dns_text_word(text, ",");
		bpei_dns_text_escaped(text, walk->value + i + 1, walk->value[i], "\\\",");
	}
	bpei_dns_text_word(text, "\"");
	return walk->bytes != 0;
}

/* Adds addresses by commas. */
static bool put_svcb_addresses(
	struct bpei_dns_text *text, const struct bpei_svcb_walk *walk, uint32_t size)
{
	for (uint32_t i = 0; i + size <= walk->bytes; i += size) {
		if (i)
			bpei_dns_text_word(text, ",");
		bpei_dns_text_address(text, walk->value + i, size);
	}
	return walk->bytes && walk->bytes % size == 0;
}

/* Adds bytes in base 64 (RFC 4648). */
static bool put_svcb_base64(struct bpei_dns_text *text, const struct bpei_svcb_walk *walk)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (uint32_t i = 0; i < walk->bytes && !text->cut; i += 3) {
		const uint32_t n = walk->bytes - i < 3 ? walk->bytes - i : 3;
		uint32_t bits = 0;
		char out[4];

		for (uint32_t k = 0; k < n; k++)
			bits |= (uint32_t)walk->value[i + k] << (16 - 8 * k);
		for (uint32_t k = 0; k < 4; k++)
			out[k] = k <= n ? digits[bits >> (18 - 6 * k) & 63] : '=';
		bpei_dns_text_put(text, out, 4);
	}
	return walk->bytes != 0;
}

/* Adds the value of a parameter; returns whether the value has its key's form. */
static bool put_svcb_value(struct bpei_dns_text *text, const struct bpei_svcb_walk *walk)
{
	switch (walk->key) {
	case 0:
		return put_svcb_keys(text, walk);
	case 1:
		return put_svcb_alpn(text, walk);
	case 3:
		if (walk->bytes != 2)
			return false;
		bpei_dns_text_number(text, bpei_be16(walk->value));
		return true;
	case BPEI_SVCB_IPV4HINT:
		return put_svcb_addresses(text, walk, 4);
	case 5:
		return put_svcb_base64(text, walk);
	case BPEI_SVCB_IPV6HINT:
		return put_svcb_addresses(text, walk, 16);
	default:
		bpei_dns_text_word(text, "\"");
		bpei_dns_text_escaped(text, walk->value, walk->bytes, "\\\"");
		bpei_dns_text_word(text, "\"");
		return true;
	}
}

bool bpei_svcb_text(struct bpei_dns_text *text, const uint8_t *parameters, uint32_t n)
{
	struct bpei_svcb_walk walk = bpei_svcb_init(parameters, n);

	while (bpei_svcb_next(&walk)) {
		bpei_dns_text_word(text, " ");
		put_svcb_key(text, walk.key);
		if (walk.key == 2 && walk.bytes)
			return false;
		if (walk.key == 2 || (walk.key >= PARAMETERS && !walk.bytes))
			continue;
		bpei_dns_text_word(text, "=");
		if (!put_svcb_value(text, &walk))
			return false;
	}
	return !walk.bad;
}
