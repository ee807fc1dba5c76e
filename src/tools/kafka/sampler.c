/* SPDX-License-Identifier: MIT */
/* The sensor's address (sampler.h), as getifaddrs(3) lists the addresses. */
#include "sampler.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* Copies an address that other hosts may know.  Returns its bytes, or 0. */
static uint8_t take_known_address(const struct ifaddrs *entry, uint8_t address[16])
{
	const struct sockaddr *sa = entry->ifa_addr;

	if (!sa || !(entry->ifa_flags & IFF_UP) || entry->ifa_flags & IFF_LOOPBACK)
		return 0;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof in);
		memcpy(address, &in.sin_addr, 4);
		return 4;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof in6);
		if (IN6_IS_ADDR_LINKLOCAL(&in6.sin6_addr))
			return 0;
		memcpy(address, &in6.sin6_addr, 16);
		return 16;
	}
	return 0;
}

uint8_t kafka_sampler_find(uint8_t address[16])
{
	struct ifaddrs *list;
	uint8_t bytes = 0;

	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *entry = list; entry && bytes != 4; entry = entry->ifa_next) {
		uint8_t found[16];
		const uint8_t n = take_known_address(entry, found);

		if (n == 4 || (n && !bytes)) {
			memcpy(address, found, n);
			bytes = n;
		}
	}
	freeifaddrs(list);
	return bytes;
}
