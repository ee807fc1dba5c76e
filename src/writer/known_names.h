/* SPDX-License-Identifier: MIT */
/* Names of addresses, each of which every later file has, too. */
#ifndef BPEI_KNOWN_NAMES_H
#define BPEI_KNOWN_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_KNOWN_NAMES_RECENT 8192u
#define BPEI_KNOWN_NAMES_MOST 65536u /* further names are in the present file alone */

struct bpei_known_name {
	uint8_t addr[16];
	uint32_t ip_version;
	char *name;
};

struct bpei_known_names {
	struct bpei_known_name *list;
	size_t count, room;
	/* By a hash of the address: the last name's place in the list, plus 1. */
	uint32_t recent[BPEI_KNOWN_NAMES_RECENT];
};

/* Notes a name.  Returns 1; 0 if the address is known to have the name; BPE_E_MEMORY.  Of many
 * names some may be noted twice. */
int bpei_known_names_add(struct bpei_known_names *names, const struct bpei_known_name *name);
void bpei_known_names_free(struct bpei_known_names *names);
/* Writes names from *next on into blocks, as many as have room, and moves *next.  Returns the
 * bytes. */
size_t bpei_known_names_put(
	const struct bpei_known_names *names, size_t *next, uint8_t *to, size_t room);

#endif
