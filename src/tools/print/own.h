/* SPDX-License-Identifier: MIT */
/* Our own line of a packet: fixed columns, then words. */
#ifndef PRINT_OWN_H
#define PRINT_OWN_H

#include "facts.h"
#include "stamp.h"

/* Bytes of the longest line without the words of names; print_output_line gives more. */
#define OWN_BYTES 2048

struct own_sequences;

struct own_form {
	struct print_options options;
	bool has_color;
	struct own_sequences *sequences; /* with -v: first numbers of connections; NULL: not kept */
};

/* Makes the tables of the form.  Runs once, before the first line. */
void own_begin(void);
/* Puts the line of packet i of the batch behind the time stamp, without a new line.  The line has
 * room for OWN_BYTES. */
void own_put_packet(struct print_line *line, struct own_form *form, const struct bpe_batch *batch,
	uint32_t i, const struct print_facts *facts);

#endif
