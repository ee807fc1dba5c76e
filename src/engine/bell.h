/* SPDX-License-Identifier: MIT */
/* A bell: a pipe by which any thread tells a waiting thread that there is something to look at.
 *
 * The pipe holds a byte, except after the waiting thread has called bpei_bell_quiet: then the next
 * ring writes the byte.  So a ring costs a system call only when somebody may wait.  The mutex
 * guards `quiet` and the byte together.
 * Use: quiet, then look, and if there is something, ring.  What came before the look is found, and
 * what comes later rings. */
#ifndef BPEI_BELL_H
#define BPEI_BELL_H

#include <pthread.h>
#include <stdbool.h>

struct bpei_bell {
	pthread_mutex_t mutex;
	int pipe[2]; /* [0] is readable after a ring; -1: not open */
	bool quiet;  /* under the mutex: the pipe is empty */
};

void bpei_bell_init(struct bpei_bell *bell);
/* Makes the pipe.  Returns 0, or -1 and errno. */
int bpei_bell_open(struct bpei_bell *bell);
void bpei_bell_free(struct bpei_bell *bell);
/* Makes the pipe readable.  Any thread. */
void bpei_bell_ring(struct bpei_bell *bell);
/* Empties the pipe.  The waiting thread, which looks afterwards. */
void bpei_bell_quiet(struct bpei_bell *bell);

#endif
