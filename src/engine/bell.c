/* SPDX-License-Identifier: MIT */
/* A pipe that wakes a program (bell.h). */
#include "engine/bell.h"

#include "base/descriptor.h"

#include <errno.h>
#include <unistd.h>

void bpei_bell_init(struct bpei_bell *b)
{
	pthread_mutex_init(&b->mutex, NULL);
	b->pipe[0] = -1;
	b->pipe[1] = -1;
	b->quiet = true;
}

int bpei_bell_open(struct bpei_bell *b)
{
	return bpei_fd_pipe(b->pipe, true);
}

void bpei_bell_free(struct bpei_bell *b)
{
	for (int i = 0; i < 2; i++)
		if (b->pipe[i] >= 0)
			close(b->pipe[i]);
	pthread_mutex_destroy(&b->mutex);
}

void bpei_bell_ring(struct bpei_bell *b)
{
	pthread_mutex_lock(&b->mutex);
	if (b->quiet) {
		/* The pipe is empty, so there is room. */
		while (write(b->pipe[1], "", 1) < 0 && errno == EINTR)
			continue;
		b->quiet = false;
	}
	pthread_mutex_unlock(&b->mutex);
}

void bpei_bell_quiet(struct bpei_bell *b)
{
	char byte;

	pthread_mutex_lock(&b->mutex);
	if (!b->quiet) {
		while (read(b->pipe[0], &byte, 1) < 0 && errno == EINTR)
			continue;
		b->quiet = true;
	}
	pthread_mutex_unlock(&b->mutex);
}
