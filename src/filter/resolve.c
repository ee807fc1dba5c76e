/* SPDX-License-Identifier: MIT */
/* Resolves names by the system's resolver and tables.  A host is resolved once in a compilation: an
 * expression may be parsed for hundreds of shapes of the packet, a resolver may take seconds, and
 * the next answer may differ.  The answers are freed with the compilation. */
#include "filter/resolve.h"

#include <sys/types.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* The system's functions return static memory. */
static pthread_mutex_t tables = PTHREAD_MUTEX_INITIALIZER;

bool bpei_resolve_service(
	const struct bpei_compile *c, const char *name, const char *protocol, uint32_t *port)
{
	if (c->no_names)
		return false;
	pthread_mutex_lock(&tables);
	const struct servent *s = getservbyname(name, protocol);
	if (s)
		*port = ntohs((uint16_t)s->s_port);
	pthread_mutex_unlock(&tables);
	return s;
}

bool bpei_resolve_protocol(const struct bpei_compile *c, const char *name, uint32_t *number)
{
	if (c->no_names)
		return false;
	pthread_mutex_lock(&tables);
	const struct protoent *p = getprotobyname(name);
	if (p)
		*number = (uint32_t)p->p_proto;
	pthread_mutex_unlock(&tables);
	return p;
}

bool bpei_resolve_network(const struct bpei_compile *c, const char *name, uint32_t *net)
{
	if (c->no_names)
		return false;
	pthread_mutex_lock(&tables);
	const struct netent *n = getnetbyname(name);
	bool known = n && n->n_addrtype == AF_INET;
	if (known)
		*net = n->n_net;
	pthread_mutex_unlock(&tables);
	return known;
}

/* Adds an address of IPv4 or IPv6 to the host; others are left out. */
static void add_host_address(struct bpei_host *h, const struct addrinfo *a)
{
	const bool six = a->ai_family == AF_INET6;

	if (!six && a->ai_family != AF_INET)
		return;
	h->address[h->count].is_six = six;
	if (six)
		memcpy(h->address[h->count].six,
			&((struct sockaddr_in6 *)(void *)a->ai_addr)->sin6_addr, 16);
	else
		h->address[h->count].four =
			ntohl(((struct sockaddr_in *)(void *)a->ai_addr)->sin_addr.s_addr);
	h->count++;
}

static void resolve_host(struct bpei_host *h)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	if (getaddrinfo(h->name, NULL, &hints, &list))
		return;
	h->known = true;
	for (struct addrinfo *a = list; a && h->count < BPEI_HOST_ADDRESSES; a = a->ai_next)
		add_host_address(h, a);
	freeaddrinfo(list);
}

const struct bpei_host *bpei_resolve(struct bpei_compile *c, const char *name)
{
	struct bpei_host *h;

	for (h = c->hosts; h; h = h->next)
		if (!strcmp(h->name, name))
			return h;
	h = calloc(1, sizeof *h);
	if (!h)
		return NULL;
	strncpy(h->name, name, sizeof h->name - 1);
	if (!c->no_names)
		resolve_host(h);
	h->next = c->hosts;
	c->hosts = h;
	return h;
}

void bpei_resolve_free(struct bpei_compile *c)
{
	while (c->hosts) {
		struct bpei_host *next = c->hosts->next;

		free(c->hosts);
		c->hosts = next;
	}
}
