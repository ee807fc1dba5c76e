/* SPDX-License-Identifier: MIT */
/* Names of DNS messages: without compression, as text, compared.  Stateless. */
#include "inspect/dns.h"

#include "inspect/dns_text.h"

#include "base/bytes.h"

#include <string.h>

/* Labels of a name without the root, and as many pointers: more cannot be of use. */
#define MOST_LABELS 127u
#define POINTER 0xc0u

/* A name on the way out of the message. */
struct name_walk {
	const struct bpei_dns_message *message;
	uint32_t at;     /* of the next length or pointer */
	uint32_t floor;  /* where the labels at hand began; a pointer goes before them */
	uint32_t behind; /* behind the name in the first place; 0: not yet known */
	uint32_t labels, pointers;
};

/* Follows the pointer at the walk's place; returns whether the target lies before. */
static bool follow_pointer(struct name_walk *walk)
{
	const uint8_t *bytes = walk->message->bytes;
	uint32_t target = 0;

	if (walk->at + 2 > walk->message->n || ++walk->pointers > MOST_LABELS)
		return false;
	target = bpei_be16(bytes + walk->at) & 0x3fffu;
	if (target < BPEI_DNS_HEADER || target >= walk->floor)
		return false;
	if (!walk->behind)
		walk->behind = walk->at + 2;
	walk->at = target;
	walk->floor = target;
	return true;
}

uint32_t bpei_dns_name(const struct bpei_dns_message *message, uint32_t at,
	uint8_t wire[BPEI_DNS_WIRE], uint32_t *behind)
{
	struct name_walk walk = { .message = message, .at = at, .floor = at };
	uint32_t n = 0;

	while (walk.at < message->n) {
		const uint32_t length = message->bytes[walk.at];

		if (length >= POINTER) {
			if (!follow_pointer(&walk))
				return 0;
			continue;
		}
		if (length > 63 || n + 1 + length > BPEI_DNS_WIRE)
			return 0;
		if (length >= message->n - walk.at)
			return 0;
		memcpy(wire + n, message->bytes + walk.at, 1 + length);
		n += 1 + length;
		walk.at += 1 + length;
		if (!length) {
			if (behind)
				*behind = walk.behind ? walk.behind : walk.at;
			return n;
		}
		if (++walk.labels > MOST_LABELS)
			return 0;
	}
	return 0;
}

bool bpei_dns_name_text(char *to, size_t room, const uint8_t *wire)
{
	struct bpei_dns_text text = bpei_dns_text_init(to, room);

	bpei_dns_text_name(&text, wire);
	return !text.cut;
}

/* Returns an ASCII letter in lower case, other bytes as they are. */
static uint8_t lower_letter(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

bool bpei_dns_name_equal(const uint8_t *a, const uint8_t *b)
{
	uint32_t at = 0;

	/* Lengths are below 64 and so not letters: the names are compared byte by byte. */
	for (;;) {
		const uint32_t length = a[at];

		if (b[at] != length)
			return false;
		if (!length)
			return true;
		for (uint32_t i = 1; i <= length; i++)
			if (lower_letter(a[at + i]) != lower_letter(b[at + i]))
				return false;
		at += 1 + length;
	}
}
