/* SPDX-License-Identifier: MIT */
/* Packing of names.  Most texts of a flow are empty and take a byte. */
#include "engine/packed_names.h"

#include <string.h>

#define HEAD offsetof(struct bpe_flow_names, server)
#define TEXT(name)                                                                                 \
	{ offsetof(struct bpe_flow_names, name), sizeof(((struct bpe_flow_names *)0)->name) }
static const struct {
	uint16_t offset, bytes;
} texts[] = {
	TEXT(server),
	TEXT(others),
	TEXT(client),
	TEXT(alpn),
	TEXT(ja4),
	TEXT(ja3),
	TEXT(hassh[0]),
	TEXT(hassh[1]),
	TEXT(method),
	TEXT(banner[0]),
	TEXT(banner[1]),
	TEXT(subject),
	TEXT(issuer),
	TEXT(container),
};
#define TEXTS (sizeof texts / sizeof *texts)

/* Returns a text's bytes without the final 0. */
static size_t length_of_text(const struct bpe_flow_names *names, size_t k)
{
	return strnlen((const char *)names + texts[k].offset, texts[k].bytes - 1u);
}

/* Returns true if a number is there, or a text without numbers. */
static bool has_any_name(const struct bpe_flow_names *n)
{
	const uint32_t numbers = n->app | n->source | n->owner | n->others_count | n->flags;

	return numbers || n->client[0] || n->container[0];
}

uint32_t bpei_packed_names_bytes(const struct bpe_flow_names *names)
{
	size_t n = HEAD + TEXTS;

	if (!has_any_name(names))
		return 0;
	for (size_t k = 0; k < TEXTS; k++)
		n += length_of_text(names, k);
	return (uint32_t)n;
}

void bpei_packed_names_write(uint8_t *to, const struct bpe_flow_names *names)
{
	memcpy(to, names, HEAD);
	to += HEAD;
	for (size_t k = 0; k < TEXTS; k++) {
		const size_t n = length_of_text(names, k);

		memcpy(to, (const char *)names + texts[k].offset, n);
		to[n] = 0;
		to += n + 1;
	}
}

const uint8_t *bpei_packed_names_read(const uint8_t *from, struct bpe_flow_names *names)
{
	memcpy(names, from, HEAD);
	from += HEAD;
	for (size_t k = 0; k < TEXTS; k++) {
		const size_t n = strlen((const char *)from) + 1;

		memcpy((char *)names + texts[k].offset, from, n);
		from += n;
	}
	return from;
}
