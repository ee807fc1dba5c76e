/* SPDX-License-Identifier: MIT */
/* Netmasks of interfaces, from getifaddrs(3) alone: no framework is loaded for them. */
#include "device/interfaces.h"

#include <ifaddrs.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

uint8_t bpei_netmask_bits(const uint8_t *bytes, size_t given, size_t whole)
{
	uint8_t bits = 0;
	for (size_t k = 0; k < given && k < whole; k++)
		bits = (uint8_t)(bits + __builtin_popcount(bytes[k]));
	return bits;
}

/* Returns how many of the mask's bytes from `offset` on are there. */
static size_t count_mask_bytes(const struct sockaddr *mask, size_t offset)
{
#if defined(__linux__)
	(void)mask;
	(void)offset;
	return 16;
#else
	return mask->sa_len > offset ? mask->sa_len - offset : 0;
#endif
}

uint8_t bpei_netmask_prefix(const struct sockaddr *mask, int family)
{
	const bool v4 = family == AF_INET;
	const size_t offset = v4 ? offsetof(struct sockaddr_in, sin_addr)
				 : offsetof(struct sockaddr_in6, sin6_addr);
	return bpei_netmask_bits(
		(const uint8_t *)mask + offset, count_mask_bytes(mask, offset), v4 ? 4 : 16);
}

bool bpe_interface_netmask(const char *name, uint32_t *netmask)
{
	struct ifaddrs *list;
	bool found = false;
	if (!name || !netmask || getifaddrs(&list))
		return false;
	for (const struct ifaddrs *a = list; a && !found; a = a->ifa_next) {
		if (strcmp(a->ifa_name, name) || !a->ifa_addr || !a->ifa_netmask)
			continue;
		if (a->ifa_addr->sa_family != AF_INET)
			continue;
		const unsigned bits = bpei_netmask_prefix(a->ifa_netmask, AF_INET);
		*netmask = bits ? UINT32_MAX << (32 - bits) : 0;
		found = true;
	}
	freeifaddrs(list);
	return found;
}
