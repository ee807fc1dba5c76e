/* SPDX-License-Identifier: MIT */
/* Records as bytes (packed.h); pure.
 *
 * A packed record begins with a word that has a bit for each text with content.  Three runs of
 * numbers follow as they lie in the structure.  Each text is a byte with the length, and the bytes.
 */
#include "packed.h"

#include <string.h>

struct packed_text {
	uint16_t offset, size;
};

#define TEXT_AT(member) { offsetof(struct bpe_flow, member), sizeof((struct bpe_flow *)0)->member }
#define SIZE_OF(member) sizeof((struct bpe_flow *)0)->member

static const struct packed_text packed_texts[] = { TEXT_AT(interface_name), TEXT_AT(comm),
	TEXT_AT(effective_comm), TEXT_AT(history), TEXT_AT(names.server), TEXT_AT(names.others),
	TEXT_AT(names.client), TEXT_AT(names.alpn), TEXT_AT(names.ja4), TEXT_AT(names.ja3),
	TEXT_AT(names.hassh[0]), TEXT_AT(names.hassh[1]), TEXT_AT(names.method),
	TEXT_AT(names.banner[0]), TEXT_AT(names.banner[1]), TEXT_AT(names.subject),
	TEXT_AT(names.issuer), TEXT_AT(names.container) };

#define TEXTS (sizeof packed_texts / sizeof *packed_texts)
#define TEXT_BYTES                                                                                 \
	(SIZE_OF(interface_name) + SIZE_OF(comm) + SIZE_OF(effective_comm) + SIZE_OF(history) +    \
		SIZE_OF(names.server) + SIZE_OF(names.others) + SIZE_OF(names.client) +            \
		SIZE_OF(names.alpn) + SIZE_OF(names.ja4) + SIZE_OF(names.ja3) +                    \
		SIZE_OF(names.hassh) + SIZE_OF(names.method) + SIZE_OF(names.banner) +             \
		SIZE_OF(names.subject) + SIZE_OF(names.issuer) + SIZE_OF(names.container))

#define COPY_BYTES 16 /* beyond the end of a text, at most */

/* The runs of numbers. */
#define FIRST_BYTES offsetof(struct bpe_flow, interface_name)
#define SECOND_AT offsetof(struct bpe_flow, pid)
#define SECOND_BYTES (offsetof(struct bpe_flow, comm) - SECOND_AT)
#define THIRD_AT offsetof(struct bpe_flow, handshake_ns)
#define THIRD_BYTES (offsetof(struct bpe_flow, names.server) - THIRD_AT)
#define NUMBER_BYTES (FIRST_BYTES + SECOND_BYTES + THIRD_BYTES)
#define FIXED_BYTES (sizeof(uint32_t) + NUMBER_BYTES)

/* A member that comes to the structure has to come here, too. */
_Static_assert(sizeof(struct bpe_flow) - NUMBER_BYTES - TEXT_BYTES < 8,
	"each member is in a run, or among the texts");
_Static_assert(
	FIXED_BYTES + TEXT_BYTES + TEXTS + COPY_BYTES <= EXPORT_PACKED_MOST, "the longest record");
_Static_assert(TEXTS <= 32, "a bit for each text");

/* Appends a text that is not empty.  Copies by 16 bytes, as far as the structure goes. */
static uint8_t *pack_text(uint8_t *to, const struct bpe_flow *flow, size_t offset, size_t size)
{
	const char *text = (const char *)flow + offset;
	const size_t n = strnlen(text, size - 1);

	*to++ = (uint8_t)n;
	if (offset + size + COPY_BYTES > sizeof *flow) {
		memcpy(to, text, n);
		return to + n;
	}
	for (size_t k = 0; k < n; k += COPY_BYTES)
		memcpy(to + k, text + k, COPY_BYTES);
	return to + n;
}

/* Appends the texts.  Returns the place behind them, and their bits in *present. */
static uint8_t *pack_texts(uint8_t *to, const struct bpe_flow *flow, uint32_t *present)
{
	uint32_t bits = 0;

	for (size_t k = 0; k < TEXTS; k++)
		bits |= (uint32_t)(((const char *)flow)[packed_texts[k].offset] != 0) << k;
	*present = bits;
	for (size_t k = 0; bits; k++, bits >>= 1)
		if (bits & 1)
			to = pack_text(to, flow, packed_texts[k].offset, packed_texts[k].size);
	return to;
}

/* Packs a record of this program's size. */
static uint32_t pack_whole(uint8_t *to, const struct bpe_flow *flow)
{
	const uint8_t *from = (const uint8_t *)flow;
	uint8_t *at = to + sizeof(uint32_t);
	uint32_t present;

	memcpy(at, from, FIRST_BYTES);
	memcpy(at + FIRST_BYTES, from + SECOND_AT, SECOND_BYTES);
	memcpy(at + FIRST_BYTES + SECOND_BYTES, from + THIRD_AT, THIRD_BYTES);
	at = pack_texts(to + FIXED_BYTES, flow, &present);
	memcpy(to, &present, sizeof present);
	return (uint32_t)(at - to);
}

uint32_t export_pack(uint8_t to[EXPORT_PACKED_MOST], const struct bpe_flow *flow)
{
	struct bpe_flow copy;

	if (flow->size == sizeof *flow)
		return pack_whole(to, flow);
	memset(&copy, 0, sizeof copy);
	bpe_flow_copy(&copy, flow);
	return pack_whole(to, &copy);
}

bool export_unpack(struct bpe_flow *flow, const uint8_t *from, uint32_t n)
{
	uint8_t *to = (uint8_t *)flow;
	const uint8_t *at = from + FIXED_BYTES;
	size_t left;
	uint32_t present;

	if (n < FIXED_BYTES)
		return false;
	left = n - FIXED_BYTES;
	memcpy(&present, from, sizeof present);
	from += sizeof present;
	memcpy(to, from, FIRST_BYTES);
	memcpy(to + SECOND_AT, from + FIRST_BYTES, SECOND_BYTES);
	memcpy(to + THIRD_AT, from + FIRST_BYTES + SECOND_BYTES, THIRD_BYTES);
	for (size_t k = 0; k < TEXTS; k++) {
		char *text = (char *)to + packed_texts[k].offset;

		*text = 0;
		if (!(present >> k & 1))
			continue;
		const size_t length = left ? *at : 0;

		if (!left || length >= packed_texts[k].size || length + 1 > left)
			return false;
		memcpy(text, at + 1, length);
		text[length] = 0;
		at += 1 + length;
		left -= 1 + length;
	}
	return !left && !(present >> TEXTS);
}
