/* SPDX-License-Identifier: MIT */
/* A queue of threads in order of arrival, as numbered tickets at a counter.
 *
 * The state belongs to the caller's mutex: every function is called with the mutex held.  A thread
 * takes a ticket, is served once all earlier tickets have been passed on, and passes the turn on.
 * Hazard: a thread with a ticket must pass the turn on, or all later threads wait for ever. */
#ifndef BPEI_TICKETS_H
#define BPEI_TICKETS_H

#include "base/roles.h"

#include <pthread.h>
#include <stdint.h>

struct bpei_tickets {
	uint64_t next;   /* number of the next ticket */
	uint64_t served; /* number of the ticket now being served */
};

/* Takes a ticket and waits until the ticket is served.  Releases the mutex while waiting.
 * Unchecked: FreeBSD's headers demand the mutex by name, which the caller holds. */
static inline void bpei_tickets_take(
	struct bpei_tickets *t, pthread_mutex_t *mutex, pthread_cond_t *cond) BPEI_UNCHECKED
{
	const uint64_t mine = t->next++;

	while (t->served != mine)
		pthread_cond_wait(cond, mutex);
}

/* Serves the next ticket.  Wakes every thread waiting on `cond`. */
static inline void bpei_tickets_pass(struct bpei_tickets *t, pthread_cond_t *cond)
{
	t->served++;
	pthread_cond_broadcast(cond);
}

#endif
