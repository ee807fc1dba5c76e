/* SPDX-License-Identifier: MIT */
/* The list of own addresses (locals.h). */
#include "owners/locals.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define REREAD_NS INT64_C(1000000000)

bool bpei_locals_add(struct bpei_locals *l, const uint8_t *addr, uint8_t ip_version)
{
	if (l->count == l->room) {
		const size_t room = l->room ? 2 * l->room : 16;
		struct bpei_local *more = realloc(l->of, room * sizeof *more);

		if (!more)
			return false;
		l->of = more;
		l->room = room;
	}
	struct bpei_local *to = &l->of[l->count++];

	memset(to, 0, sizeof *to);
	to->ip_version = ip_version;
	memcpy(to->addr, addr, ip_version == 6 ? 16 : 4);
	return true;
}

/* Adds an address as the system has it.  BSDs write the interface into link-local addresses. */
static void add_socket_address(struct bpei_locals *l, const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, a, sizeof in);
		bpei_locals_add(l, (const uint8_t *)&in.sin_addr, 4);
	} else if (a->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		uint8_t *addr = (uint8_t *)&in6.sin6_addr;

		memcpy(&in6, a, sizeof in6);
		if (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80) {
			addr[2] = 0;
			addr[3] = 0;
		}
		bpei_locals_add(l, addr, 6);
	}
}

void bpei_locals_read(struct bpei_locals *l, int64_t now_ns)
{
	struct ifaddrs *all;

	if (l->read_ns && now_ns - l->read_ns < REREAD_NS)
		return;
	l->read_ns = now_ns;
	if (getifaddrs(&all))
		return;
	l->count = 0;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr)
			add_socket_address(l, i->ifa_addr);
	freeifaddrs(all);
}

bool bpei_locals_have(const struct bpei_locals *l, const uint8_t *addr, uint8_t ip_version)
{
	const size_t bytes = ip_version == 6 ? 16 : 4;

	if (ip_version == 4 && addr[0] == 127)
		return true;
	for (size_t k = 0; k < l->count; k++)
		if (l->of[k].ip_version == ip_version && !memcmp(l->of[k].addr, addr, bytes))
			return true;
	return false;
}

bool bpei_is_address_of_many(const uint8_t *addr, uint8_t ip_version)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	if (ip_version == 6)
		return addr[0] == 0xff;
	return addr[0] >> 4 == 14 || !memcmp(addr, all, sizeof all);
}

void bpei_locals_free(struct bpei_locals *l)
{
	free(l->of);
	*l = (struct bpei_locals){ .count = 0 };
}
