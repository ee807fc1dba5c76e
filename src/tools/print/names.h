/* SPDX-License-Identifier: MIT */
/* Names of interfaces by interface_id of batches. */
#ifndef PRINT_NAMES_H
#define PRINT_NAMES_H

#include "print.h"

#define NAME_BYTES 64 /* with the final 0 */
#define NAMED_INTERFACES 64u

struct print_names {
	bool is_fixed; /* a single interface, or no known interface */
	bool is_any;
	bool is_raw; /* names are kept as they are, not fit for a terminal */
	uint32_t count;
	uint32_t last; /* place of the last name asked for */
	struct {
		uint32_t id;
		uint32_t tries; /* how many more flows are asked */
		char text[NAME_BYTES];
	} known[NAMED_INTERFACES];
	char fixed[NAME_BYTES];
};

/* Prepares the names in *names, where is_raw and is_any are set and all else is 0.  name: of the
 * only interface; NULL: packets say.  is_any: ids are the system's indexes, and the names of these
 * are read now. */
void names_begin(struct print_names *names, const char *name);
/* Returns the name of the interface of packet i, fit for a terminal unless is_raw. */
const char *names_of_packet(struct print_names *names, const struct bpe_batch *batch, uint32_t i);

#endif
