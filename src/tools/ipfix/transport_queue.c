/* SPDX-License-Identifier: MIT */
/* Keeps the queue of messages, and the parts that are alike in all transports (transport.h). */
#include "transport_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAUSE_MOST_MS = 8000 };

/* ---- Messages ---- */

uint32_t transport_sequence(const struct transport *t)
{
	return t->sequence;
}

void transport_greeting_clear(struct transport *t)
{
	for (uint32_t k = 0; k < t->greeting_count; k++)
		free(t->greetings[k].bytes);
	t->greeting_count = 0;
}

int transport_greeting_add(
	struct transport *t, const uint8_t *message, uint32_t bytes, uint32_t records)
{
	struct transport_greeting *const g = &t->greetings[t->greeting_count];

	if (t->greeting_count == TRANSPORT_GREETINGS_MOST)
		return -1;
	g->bytes = malloc(bytes);
	if (!g->bytes)
		return -1;
	memcpy(g->bytes, message, bytes);
	g->count = bytes;
	g->records = records;
	t->greeting_count++;
	return 0;
}

uint32_t transport_limit(const struct transport *t)
{
	const uint32_t path = t->udp.path_limit;

	return path && path < t->settings.message_most ? path : t->settings.message_most;
}

bool transport_has_room(const struct transport *t, uint32_t messages)
{
	return t->tail - t->head + messages <= t->slot_count;
}

uint8_t *transport_room(struct transport *t)
{
	return transport_has_room(t, 1) ? transport_bytes(t, t->tail) : NULL;
}

void transport_put(struct transport *t, uint32_t bytes, uint32_t records, uint32_t flows)
{
	*transport_slot(t, t->tail) =
		(struct transport_slot){ .bytes = bytes, .records = records, .flows = flows };
	t->tail++;
}

static void store_u32(uint8_t *to, uint32_t value)
{
	for (int k = 0; k < 4; k++)
		to[k] = (uint8_t)(value >> (24 - 8 * k));
}

void transport_stamp(struct transport *t, uint8_t *message, uint32_t records)
{
	store_u32(message + t->settings.sequence_at, t->sequence);
	t->sequence += t->settings.counts_messages ? 1 : records;
}

int64_t transport_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 * NS_A_MS + now.tv_nsec;
}

/* ---- Sockets ---- */

void transport_set_up(struct transport *t)
{
	struct export_books *const books = t->sender->books;

	t->state = TRANSPORT_IS_UP;
	export_add(&books->connects, 1);
	atomic_store_explicit(&books->is_connected, 1, memory_order_relaxed);
	if (t->was_told)
		export_say(t->sender, "%s answers", t->settings.host);
	t->was_told = false;
}

void transport_set_down(struct transport *t, int64_t now_ns, const char *why)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	t->sender->polled_count = 0;
	atomic_store_explicit(&t->sender->books->is_connected, 0, memory_order_relaxed);
	t->address_at++; /* the next attempt goes to the next address */
	t->state = TRANSPORT_PAUSES;
	if (t->address_at < t->found.count) {
		t->until_ns = now_ns;
		return;
	}
	if (!t->was_told)
		export_say(t->sender, "%s port %u: %s; trying again", t->settings.host,
			t->settings.port, why);
	t->was_told = true;
	t->until_ns = now_ns + t->pause_ms * NS_A_MS;
	t->pause_ms = t->pause_ms * 2 < PAUSE_MOST_MS ? t->pause_ms * 2 : PAUSE_MOST_MS;
}

/* Begins to look up the host.  Returns 0. */
static int ask_resolver(struct transport *t, int64_t now_ns)
{
	t->found.count = t->address_at = 0;
	t->state = TRANSPORT_RESOLVES;
	t->resolver = resolver_start(
		t->settings.host, t->settings.port, t->settings.kind != TRANSPORT_UDP);
	if (!t->resolver)
		transport_set_down(t, now_ns, "no memory");
	return 0;
}

int transport_next_address(struct transport *t, int64_t now_ns, uint32_t *address)
{
	char why[200];

	if (t->state == TRANSPORT_PAUSES && now_ns < t->until_ns)
		return 0;
	if (t->state == TRANSPORT_PAUSES && t->address_at >= t->found.count)
		ask_resolver(t, now_ns);
	if (t->state == TRANSPORT_RESOLVES) {
		if (!resolver_take(&t->resolver, &t->found))
			return 0;
		if (!t->found.count) {
			snprintf(why, sizeof why, "the name does not resolve (%s)", t->found.why);
			transport_set_down(t, now_ns, why);
			return 0;
		}
	}
	*address = t->address_at;
	return 1;
}

int transport_socket(const struct transport *t, uint32_t address)
{
	const int kind = t->settings.kind == TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	const int fd = socket(t->found.addresses[address].ss_family, kind, 0);

	if (fd < 0)
		return -1;
	const int flags = fcntl(fd, F_GETFL);

	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK)) {
		const int failed = errno;

		close(fd);
		errno = failed;
		return -1;
	}
	return fd;
}

void transport_watch(struct transport *t, short events)
{
	t->sender->polled[0] = (struct pollfd){ .fd = t->fd, .events = events };
	t->sender->polled_count = 1;
}
