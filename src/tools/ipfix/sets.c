/* SPDX-License-Identifier: MIT */
/* Sets of a message.  Records share a set until a record of another template comes.  A set is
 * padded to 4 bytes; the padding is shorter than any record. */
#include "writing.h"
#include "put.h"

#define SET_HEADER 4u
#define PADDING 3u

void ipfix_set_close(struct ipfix_encoder *e)
{
	struct ipfix_place *place = &e->place;

	if (!place->set_at)
		return;
	while (place->length % 4)
		e->buffer[place->length++] = 0;
	put_net16(e->buffer + place->set_at + 2, place->length - place->set_at);
	place->set_at = 0;
}

uint8_t *ipfix_set_reserve(struct ipfix_encoder *e, uint32_t set_id, uint32_t n)
{
	struct ipfix_place *place = &e->place;
	const bool is_open = place->set_at && place->set_id == set_id;
	uint32_t needed = n + PADDING;

	if (!is_open)
		needed += SET_HEADER + PADDING;
	if (e->room - place->length < needed)
		return NULL;
	if (!is_open) {
		ipfix_set_close(e);
		place->set_at = place->length;
		place->set_id = set_id;
		put_net16(e->buffer + place->length, set_id);
		place->length += SET_HEADER;
	}
	return e->buffer + place->length;
}

void ipfix_set_commit(struct ipfix_encoder *e, uint32_t n)
{
	e->place.length += n;
}
