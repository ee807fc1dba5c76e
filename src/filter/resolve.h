/* SPDX-License-Identifier: MIT */
/* What the resolver said of a name. */
#ifndef BPEI_FILTER_RESOLVE_H
#define BPEI_FILTER_RESOLVE_H

#include "filter/tree.h"

#define BPEI_HOST_ADDRESSES 64 /* that a name may have */

struct bpei_host {
	struct bpei_host *next;
	char name[sizeof((struct bpei_compile *)0)->word];
	bool known;
	uint32_t count;
	struct {
		bool is_six;
		uint32_t four;
		uint8_t six[16];
	} address[BPEI_HOST_ADDRESSES]; /* four: a number */
};

/* The answer, the same each time; NULL: no memory. */
const struct bpei_host *bpei_resolve(struct bpei_compile *c, const char *name);
/* Services, protocols and networks by the system's tables: false if it knows none of that name. */
bool bpei_resolve_service(
	const struct bpei_compile *c, const char *name, const char *protocol, uint32_t *port);
bool bpei_resolve_protocol(const struct bpei_compile *c, const char *name, uint32_t *number);
bool bpei_resolve_network(const struct bpei_compile *c, const char *name,
	uint32_t *net); /* as getnetbyname: 10 is 10.0.0.0/8 */
void bpei_resolve_free(struct bpei_compile *c);

#endif
