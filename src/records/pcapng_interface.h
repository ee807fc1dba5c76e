/* SPDX-License-Identifier: MIT */
/* An interface of a pcapng file, as the block describes the interface: for writers. */
#ifndef BPEI_PCAPNG_INTERFACE_H
#define BPEI_PCAPNG_INTERFACE_H

#include "base/cursor.h"

#include <stdbool.h>
#include <stdint.h>

/* Strings are NULL if unknown.  All point into memory. */
struct bpei_kept_interface {
	uint32_t link_type, snaplen;
	const char *name, *description, *hardware, *os, *filter_text;
	const uint8_t *program; /* 8 bytes an instruction, of this machine's byte order */
	uint32_t program_length;
	uint64_t speed;
	uint8_t mac[6];
	bool has_mac;
	uint8_t digits; /* of a second, 0 to 9, in the file's times; 9 if no number of digits fits
			 */
	const uint8_t *rest; /* other options, encoded in this machine's byte order */
	uint32_t rest_bytes;
	void *memory;
};

/* Reads the body of an interface description block.  Returns 0; -1 without memory.  Free
 * interface->memory. */
int bpei_kept_interface_read(
	struct bpei_kept_interface *interface, const void *body, size_t length, bool swapped);

#endif
