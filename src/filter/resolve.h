/* SPDX-License-Identifier: MIT */
/* Names of hosts, services, protocols and networks, resolved by the system. */
#ifndef BPEI_FILTER_RESOLVE_H
#define BPEI_FILTER_RESOLVE_H

#include "filter/compile.h"

#define BPEI_HOST_ADDRESSES 64 /* further addresses of a name are ignored */

struct bpei_host {
	struct bpei_host *next;
	char name[sizeof((struct bpei_compile *)0)->word];
	bool known;
	uint32_t count;
	struct {
		bool is_six;
		uint32_t four; /* a number in host order */
		uint8_t six[16];
	} address[BPEI_HOST_ADDRESSES];
};

/* Returns the resolver's answer, the same answer throughout a compilation; NULL: no memory. */
const struct bpei_host *bpei_resolve(struct bpei_compile *c, const char *name);
/* Each returns false if the system's tables do not have the name. */
bool bpei_resolve_service(
	const struct bpei_compile *c, const char *name, const char *protocol, uint32_t *port);
bool bpei_resolve_protocol(const struct bpei_compile *c, const char *name, uint32_t *number);
/* *net is as getnetbyname returns it: 10 is 10.0.0.0/8. */
bool bpei_resolve_network(const struct bpei_compile *c, const char *name, uint32_t *net);
void bpei_resolve_free(struct bpei_compile *c);

#endif
