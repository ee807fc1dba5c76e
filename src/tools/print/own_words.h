/* SPDX-License-Identifier: MIT */
/* The words behind the columns of our own line. */
#ifndef PRINT_OWN_WORDS_H
#define PRINT_OWN_WORDS_H

#include "own.h"

#define OWN_ETHERNET 1 /* LINKTYPE_ETHERNET */

/* Puts the words of packet i, each behind a blank. */
void own_put_words(struct print_line *line, struct own_form *form, const struct bpe_batch *batch,
	uint32_t i, const struct print_facts *facts);
/* Puts the sequence that begins the color of a flow, or ends it.  Returns the end. */
char *own_begin_color(char *at, uint32_t hash);
char *own_end_color(char *at);

#endif
