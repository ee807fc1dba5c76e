/* SPDX-License-Identifier: MIT */
/* Names of collectors to addresses (resolver.h).
 *
 * Numeric hosts need no thread.  Asker and thread share an allocation; the last of the two frees
 * the allocation. */
#include "resolver.h"

#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum resolver_state {
	RESOLVER_ASKED = 0,
	RESOLVER_ANSWERED, /* the asker frees */
	RESOLVER_FORGOTTEN /* the thread frees */
};

struct resolver {
	char host[256];
	char port[8];
	struct addrinfo hints;
	struct addrinfo *found;
	int failed; /* of getaddrinfo(3) */
	/* w: both; each exchanges the state once, and the second owns the memory */
	_Atomic int state;
};

static void free_resolver(struct resolver *r)
{
	if (r->found)
		freeaddrinfo(r->found);
	free(r);
}

static void *ask_system(void *argument)
{
	struct resolver *const r = argument;

	r->failed = getaddrinfo(r->host, r->port, &r->hints, &r->found);
	/* pairs: resolver_take and resolver_drop, which read the answer after the state */
	if (atomic_exchange_explicit(&r->state, RESOLVER_ANSWERED, memory_order_acq_rel) ==
		RESOLVER_FORGOTTEN)
		free_resolver(r);
	return NULL;
}

/* Starts the thread.  Returns whether it runs. */
static bool start_resolver_thread(struct resolver *r)
{
	pthread_attr_t attributes;
	pthread_t thread;

	if (pthread_attr_init(&attributes))
		return false;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	const bool is_running = !pthread_create(&thread, &attributes, ask_system, r);

	pthread_attr_destroy(&attributes);
	return is_running;
}

struct resolver *resolver_start(const char *host, uint16_t port, int is_stream)
{
	struct resolver *const r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	snprintf(r->host, sizeof r->host, "%s", host);
	snprintf(r->port, sizeof r->port, "%u", port);
	r->hints.ai_socktype = is_stream ? SOCK_STREAM : SOCK_DGRAM;
	r->hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
	r->failed = getaddrinfo(r->host, r->port, &r->hints, &r->found);
	if (!r->failed) {
		atomic_init(&r->state, RESOLVER_ANSWERED);
		return r;
	}
	r->found = NULL;
	r->hints.ai_flags = AI_NUMERICSERV;
	atomic_init(&r->state, RESOLVER_ASKED);
	if (start_resolver_thread(r))
		return r;
	r->failed = EAI_AGAIN;
	atomic_init(&r->state, RESOLVER_ANSWERED);
	return r;
}

int resolver_take(struct resolver **resolver, struct resolver_addresses *to)
{
	struct resolver *const r = *resolver;

	/* pairs: ask_system */
	if (atomic_load_explicit(&r->state, memory_order_acquire) != RESOLVER_ANSWERED)
		return 0;
	memset(to, 0, sizeof *to);
	for (const struct addrinfo *a = r->failed ? NULL : r->found; a; a = a->ai_next) {
		if (to->count == RESOLVER_ADDRESSES_MOST || a->ai_addrlen > sizeof *to->addresses)
			continue;
		memcpy(&to->addresses[to->count], a->ai_addr, a->ai_addrlen);
		to->lengths[to->count++] = a->ai_addrlen;
	}
	if (!to->count)
		snprintf(to->why, sizeof to->why, "%s",
			r->failed ? gai_strerror(r->failed) : "it has no address");
	free_resolver(r);
	*resolver = NULL;
	return 1;
}

void resolver_drop(struct resolver **resolver)
{
	struct resolver *const r = *resolver;

	*resolver = NULL;
	/* pairs: ask_system */
	if (r && atomic_exchange_explicit(&r->state, RESOLVER_FORGOTTEN, memory_order_acq_rel) ==
			 RESOLVER_ANSWERED)
		free_resolver(r);
}
