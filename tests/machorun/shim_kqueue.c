/* SPDX-License-Identifier: MIT */
/* Shims of kqueue(2): EVFILT_READ on pipes and BPF nodes, with NOTE_LOWAT. */
#define _GNU_SOURCE
#include "macho.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

struct darwin_kevent {
	uint64_t ident;
	int16_t filter;
	uint16_t flags;
	uint32_t fflags;
	int64_t data;
	void *udata;
};
_Static_assert(sizeof(struct darwin_kevent) == 32, "struct kevent");
static struct queue {
	int fd, n;
	struct darwin_kevent on[8];
} queues[64];
static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
unsigned long kevents, kevents_low, kqueues;

static int s_kqueue(void)
{
	kqueues++;
	int fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		return fd;
	pthread_mutex_lock(&queue_lock);
	int i = 0;
	while (i < 64 && queues[i].fd && queues[i].fd != fd + 1)
		i++;
	if (i == 64)
		for (i = 0; i < 64 && fcntl(queues[i].fd - 1, F_GETFD) >= 0; i++)
			continue;
	queues[i % 64] = (struct queue){ .fd = fd + 1 };
	pthread_mutex_unlock(&queue_lock);
	return fd;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Returns whether a knote is ready.  A BPF node in immediate mode is ready with as many bytes as
 * the low water.  FIONREAD of the served node does not count the bytes of the hold buffer.
 * Therefore a smaller count than before, or 0 while poll reports the node ready, counts as ready.
 */
static int is_knote_ready(struct darwin_kevent *k, short revents, int *last, int64_t *data)
{
	int n = 0;
	*data = 0;
	if (!is_bpf_fd((int)k->ident)) {
		if (!(revents & (POLLIN | POLLHUP | POLLERR)))
			return 0;
		ioctl((int)k->ident, FIONREAD, &n);
		*data = n;
		return 1;
	}
	if (revents & (POLLERR | POLLHUP | POLLNVAL))
		return 1;
	if (!(k->fflags & 1))
		return revents & POLLIN;
	if (ioctl((int)k->ident, 0x4004667ful, &n) < 0)
		return 1;
	int fell = n < *last;
	*last = n;
	*data = n;
	return n >= k->data || (revents & POLLIN && (!n || fell));
}

static int has_knote(const struct queue *queue, const struct darwin_kevent *change)
{
	for (int i = 0; i < queue->n; i++)
		if (queue->on[i].ident == change->ident)
			return i + 1;
	return 0;
}

/* Adds a knote; EV_ADD of a registered descriptor changes the knote there. */
static void put_knote(struct queue *queue, const struct darwin_kevent *change)
{
	const int at = has_knote(queue, change);
	queue->on[at ? at - 1 : queue->n++] = *change;
}

/* Removes a registered knote (EV_DELETE). */
static void remove_knote(struct queue *queue, const struct darwin_kevent *change)
{
	const int at = has_knote(queue, change);
	queue->on[at - 1] = queue->on[--queue->n];
}

static struct queue *find_queue(int q)
{
	struct queue *queue = NULL;
	pthread_mutex_lock(&queue_lock);
	for (int i = 0; i < 64; i++)
		if (queues[i].fd == q + 1)
			queue = &queues[i];
	pthread_mutex_unlock(&queue_lock);
	return queue;
}

/* Returns Darwin's errno of a change, or 0. */
static int check_knote(const struct queue *queue, const struct darwin_kevent *change)
{
	if (change->filter != -1)
		return 45;
	if (change->flags & 2)
		return has_knote(queue, change) ? 0 : 2;
	if (!(change->flags & 1))
		return 2;
	if (fcntl((int)change->ident, F_GETFD) < 0)
		return 9;
	return queue->n == 8 && !has_knote(queue, change) ? 12 : 0;
}

/* Applies the changes, and reports errors as events.  Returns the number of events, or -1 (Darwin's
 * errno is set) if an error finds no room. */
static int apply_changes(struct queue *queue, const struct darwin_kevent *change, int changes,
	struct darwin_kevent *event, int events)
{
	int out = 0;
	for (int i = 0; i < changes; i++) {
		int wrong = check_knote(queue, &change[i]);
		if (change[i].fflags & ~1u || change[i].flags & ~3u)
			note("kevent flags 0x%x fflags 0x%x: not known here", change[i].flags,
				change[i].fflags);
		if (!wrong) {
			if (change[i].flags & 2)
				remove_knote(queue, &change[i]);
			else
				put_knote(queue, &change[i]);
			continue;
		}
		note("kevent: change %d is wrong: %d", i, wrong);
		if (out == events)
			return fail_as(wrong);
		event[out] = change[i];
		event[out].flags = 0x4000;
		event[out++].data = wrong;
	}
	return out;
}

/* Polls the queue's descriptors; a low water forbids to sleep in ppoll.  Returns the number of
 * events, or -1. */
static int poll_queue(struct queue *queue, int low, int64_t left, int *last,
	struct darwin_kevent *event, int events)
{
	struct pollfd p[8];
	int out = 0;
	for (int i = 0; i < queue->n; i++)
		p[i] = (struct pollfd){ .fd = (int)queue->on[i].ident, .events = POLLIN };
	struct timespec t = { .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
	struct timespec zero = { 0, 0 };
	if (ppoll(p, (nfds_t)queue->n, low ? &zero : &t, NULL) < 0)
		return -1;
	for (int i = 0; i < queue->n && out < events; i++) {
		int64_t data;
		if (!is_knote_ready(&queue->on[i], p[i].revents, &last[i], &data))
			continue;
		event[out] = queue->on[i];
		event[out].flags = 1;
		event[out].fflags = 0;
		event[out++].data = data;
	}
	return out;
}

/* Sleeps for at most half a millisecond, or until a pipe is ready. */
static int sleep_tick(const struct queue *queue, int64_t left)
{
	struct timespec tick = { 0, left < 500000 ? left : 500000 };
	struct pollfd pipes[8];
	int n = 0;
	for (int i = 0; i < queue->n; i++)
		if (!is_bpf_fd((int)queue->on[i].ident))
			pipes[n++] =
				(struct pollfd){ .fd = (int)queue->on[i].ident, .events = POLLIN };
	return ppoll(pipes, (nfds_t)n, &tick, NULL);
}

static int wait_events(struct queue *queue, struct darwin_kevent *event, int events, int64_t end)
{
	int last[8] = { 0 };
	int low = 0;
	for (int i = 0; i < queue->n; i++)
		low |= is_bpf_fd((int)queue->on[i].ident) && queue->on[i].fflags & 1;
	kevents_low += (unsigned long)low;
	for (;;) {
		int64_t left = end == INT64_MAX ? 1000000000 : end - now_ns();
		if (left < 0)
			left = 0;
		/* With a low water a ready node would end each poll at once.  Therefore poll does
		 * not wait, and sleep_tick does. */
		int out = poll_queue(queue, low, left, last, event, events);
		if (out)
			return out;
		if (end != INT64_MAX && now_ns() >= end)
			return 0;
		if (low && sleep_tick(queue, left) < 0)
			return -1;
	}
}

static int s_kevent(int q, const struct darwin_kevent *change, int changes,
	struct darwin_kevent *event, int events, const struct timespec *wait)
{
	int64_t end =
		wait ? now_ns() + (int64_t)wait->tv_sec * 1000000000 + wait->tv_nsec : INT64_MAX;
	struct queue *queue = find_queue(q);
	if (!queue)
		return fail_as(9);
	if (wait && (wait->tv_sec < 0 || wait->tv_nsec < 0 || wait->tv_nsec > 999999999))
		return fail_as(22);
	int out = apply_changes(queue, change, changes, event, events);
	if (out || !events)
		return out;
	kevents++;
	return wait_events(queue, event, events, end);
}

const struct shim shims_kqueue[] = {
	{ "_kevent", s_kevent },
	{ "_kqueue", s_kqueue },
	{ NULL, NULL },
};
