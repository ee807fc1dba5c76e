/* SPDX-License-Identifier: MIT */
/* A packet as a flat JSON object (--print=json). */
#ifndef PRINT_JSON_H
#define PRINT_JSON_H

#include "facts.h"
#include "output.h"

/* Puts the object of packet i, without a new line: at most PRINT_PIECE bytes.  number: of the
 * packet, from 1. */
void json_put_packet(struct print_line *line, uint64_t number, const struct bpe_batch *batch,
	uint32_t i, const struct print_facts *facts);

#endif
