/* SPDX-License-Identifier: MIT */
/* A packet as a flat JSON object (--print=json). */
#ifndef PRINT_JSON_H
#define PRINT_JSON_H

#include "facts.h"
#include "output.h"
#include "stamp.h"

struct json_form {
	struct print_stamp stamp;
	bool has_community_id; /* a hash a packet, which takes its time */
};

/* Puts the object of packet i without the closing brace: at most PRINT_PIECE bytes.  The number of
 * the packet, from 1, is in the facts. */
void json_put_packet(struct print_line *line, struct json_form *form, const struct bpe_batch *batch,
	uint32_t i, const struct print_facts *facts);

#endif
