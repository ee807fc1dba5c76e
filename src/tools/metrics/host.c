/* SPDX-License-Identifier: MIT */
/* Whether a request is for this host by the header Host (server.h); pure.
 *
 * The web page of a stranger can let a name of the stranger stand for 127.0.0.1 (DNS rebinding).
 * The reader's browser then fetches local pages for the stranger, and tells the name in Host. */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

bool metrics_host_is_here(const char *host)
{
	char name[64];
	unsigned char address[sizeof(struct in6_addr)];

	if (!host)
		return true; /* HTTP/1.0, which no browser speaks */
	const bool has_brackets = *host == '[';
	const char *const first = host + has_brackets;
	const size_t n = strcspn(first, has_brackets ? "]" : ":");

	if (n >= sizeof name)
		return false;
	memcpy(name, first, n);
	name[n] = 0;
	if (has_brackets)
		return inet_pton(AF_INET6, name, address) == 1;
	return !strcasecmp(name, "localhost") || inet_pton(AF_INET, name, address) == 1;
}
