/* SPDX-License-Identifier: MIT */
/* Hosts by their names, asked of the system once a compilation: an expression may be read for hundreds of shapes of the packet, a
 * resolver may take seconds, and its next answer may be another.  The answers are the compilation's, freed with it. */
#include "filter/resolve.h"

#include <sys/types.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void ask(struct bpei_host *h)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
	if (getaddrinfo(h->name, NULL, &hints, &list)) return;
	h->known = true;
	for (struct addrinfo *a = list; a && h->count < BPEI_HOST_ADDRESSES; a = a->ai_next) {
		if (a->ai_family != AF_INET && a->ai_family != AF_INET6) continue;
		bool six = h->address[h->count].is_six = a->ai_family == AF_INET6;
		if (six) memcpy(h->address[h->count].six, &((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr, 16);
		else h->address[h->count].four = ntohl(((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr.s_addr);
		h->count++;
	}
	freeaddrinfo(list);
}

const struct bpei_host *bpei_resolve(struct bpei_compile *c, const char *name)
{
	struct bpei_host *h;
	for (h = c->hosts; h; h = h->next)
		if (!strcmp(h->name, name)) return h;
	h = calloc(1, sizeof *h);
	if (!h) return NULL;
	strncpy(h->name, name, sizeof h->name - 1);
	ask(h);
	h->next = c->hosts;
	return c->hosts = h;
}

void bpei_resolve_free(struct bpei_compile *c)
{
	while (c->hosts) {
		struct bpei_host *next = c->hosts->next;
		free(c->hosts);
		c->hosts = next;
	}
}
