/* SPDX-License-Identifier: MIT */
/* Names of collectors to addresses, on a thread: a resolver may block for many seconds. */
#ifndef IPFIX_RESOLVER_H
#define IPFIX_RESOLVER_H

#include <stdint.h>
#include <sys/socket.h>

#define RESOLVER_ADDRESSES_MOST 8

struct resolver;

struct resolver_addresses {
	uint32_t count;
	socklen_t lengths[RESOLVER_ADDRESSES_MOST];
	struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MOST];
	char why[128]; /* count 0: the reason */
};

/* Begins to look up a host.  is_stream: TCP, else UDP.  Returns NULL if there is no memory. */
struct resolver *resolver_start(const char *host, uint16_t port, int is_stream);
/* Takes the answer, and frees the resolver.  Returns 0 while there is no answer, else 1. */
int resolver_take(struct resolver **resolver, struct resolver_addresses *addresses);
/* Forgets a question; the thread ends alone.  NULL is allowed. */
void resolver_drop(struct resolver **resolver);

#endif
