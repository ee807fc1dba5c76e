/* SPDX-License-Identifier: MIT */
/* Systems without a way to make a pair. */
#include "pair.h"

#include <errno.h>

const char pair_kind[] = "";
const char *const pair_filter = NULL;

int pair_make(struct pair *p)
{
	*p = (struct pair){ .made = false };
	program_tell(
		"there is no pair of interfaces on this system; it works on Linux (veth), macOS (feth) and FreeBSD (epair)");
	return EXIT_SOURCE;
}

void pair_remove(struct pair *p)
{
	p->made = false;
}

uint64_t pair_arrived(const struct pair *p)
{
	(void)p;
	return ABSENT;
}

int wire_open(const struct pair *p, const char **step)
{
	(void)p;
	*step = "interface";
	return -ENODEV;
}

int wire_send(int fd, uint8_t *const *frames, uint32_t n, uint32_t bytes)
{
	(void)fd;
	(void)frames;
	(void)n;
	(void)bytes;
	return -ENODEV;
}
