/* SPDX-License-Identifier: MIT */
/* Makes, runs and ends transports by their kind (transport.h). */
#include "transport_parts.h"

#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	DATAGRAM_SLOTS = 128,
	STREAM_SLOTS = 128,
	ABSENT_MOST_MS = 3000 /* at the end of the run, for a silent collector */
};

/* ---- Making and freeing ---- */

/* Makes a transport; see transport.h. */
struct transport *transport_make(
	const struct transport_settings *settings, struct export_sender *sender)
{
	struct transport *const t = calloc(1, sizeof *t);

	if (!t) {
		snprintf(sender->why, sizeof sender->why, "no memory");
		return NULL;
	}
	t->settings = *settings;
	t->sender = sender;
	t->fd = -1;
	t->pause_ms = TRANSPORT_PAUSE_LEAST_MS;
	t->slot_count = settings->kind == TRANSPORT_UDP ? DATAGRAM_SLOTS : STREAM_SLOTS;
	t->slots = calloc(t->slot_count, sizeof *t->slots);
	t->bytes = malloc((size_t)t->slot_count * settings->message_most);
	int failed = !t->slots || !t->bytes;

	if (failed)
		snprintf(sender->why, sizeof sender->why, "no memory");
	else if (settings->kind == TRANSPORT_FILE)
		failed = transport_file_make(t);
	else if (settings->kind == TRANSPORT_TLS)
		failed = transport_tls_make(t, sender->why, sizeof sender->why) < 0;
	if (!failed)
		return t;
	transport_close(t);
	return NULL;
}

int transport_open(struct transport *t, uint32_t sequence)
{
	t->sequence = sequence;
	return t->settings.kind == TRANSPORT_FILE ? transport_file_open(t) : 0;
}

void transport_close(struct transport *t)
{
	if (!t)
		return;
	if (t->settings.kind == TRANSPORT_FILE)
		outfile_close(&t->file.out);
	if (t->settings.kind == TRANSPORT_TLS)
		transport_tls_free(t);
	resolver_drop(&t->resolver);
	if (t->fd >= 0)
		close(t->fd);
	transport_greeting_clear(t);
	free(t->slots);
	free(t->bytes);
	free(t);
}

/* ---- Working ---- */

/* Works by the kind of the transport. */
int transport_work(struct transport *t, int64_t now_ns)
{
	if (t->settings.kind == TRANSPORT_FILE)
		return transport_file_work(t);
	if (t->settings.kind == TRANSPORT_UDP)
		return transport_udp_work(t, now_ns);
	return transport_stream_work(t, now_ns);
}

/* Returns whether all messages have left and are settled. */
static bool is_settled(struct transport *t, int64_t now_ns)
{
	if (t->head != t->tail)
		return false;
	return t->settings.kind != TRANSPORT_UDP || transport_udp_settle(t, now_ns);
}

/* Counts all records in the queue as failed. */
static void fail_rest(struct transport *t)
{
	for (; t->head != t->tail; t->head++)
		export_add(&t->sender->books->failed, transport_slot(t, t->head)->flows);
	t->next = t->tail;
}

void transport_finish(struct transport *t, int64_t until_ns)
{
	const int64_t absent_ns = transport_now() + ABSENT_MOST_MS * NS_A_MS;

	t->is_finishing = true;
	for (;;) {
		const int64_t now_ns = transport_now();
		int ms = transport_work(t, now_ns);

		if (is_settled(t, now_ns) || now_ns >= until_ns)
			break;
		if (t->settings.kind != TRANSPORT_FILE && t->state != TRANSPORT_IS_UP &&
			now_ns >= absent_ns)
			break;
		if (ms > 20 || ms < 0)
			ms = 20;
		const int ready = poll(t->sender->polled, t->sender->polled_count, ms);

		for (uint32_t k = 0; ready <= 0 && k < t->sender->polled_count; k++)
			t->sender->polled[k].revents = 0;
	}
	if (t->settings.kind == TRANSPORT_UDP)
		transport_udp_end(t);
	else if (t->settings.kind != TRANSPORT_FILE)
		transport_stream_end(t);
	fail_rest(t);
}
