/* SPDX-License-Identifier: MIT */
/* Names of ethers(5), which each system declares in another header; stateless. */
#include "base/ethers.h"

#include <string.h>
#include <sys/types.h>
#if defined(__linux__)
#include <netinet/ether.h>
#elif defined(__APPLE__) || defined(__FreeBSD__)
#include <net/ethernet.h>
#elif defined(__NetBSD__)
#include <sys/socket.h>
#include <net/if.h>
#include <net/if_ether.h>
#else
#include <sys/socket.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/if_ether.h>
#endif

bool bpei_ether_name(const char *name, uint8_t mac[6])
{
	struct ether_addr a;
	char copy[256]; /* some systems declare the parameter without const */

	if (strlen(name) >= sizeof copy)
		return false;
	strcpy(copy, name);
	if (ether_hostton(copy, &a))
		return false;
	memcpy(mac, &a, 6);
	return true;
}
