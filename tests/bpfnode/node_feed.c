/* SPDX-License-Identifier: MIT */
/* The two threads beside libfuse's: the feeder, which puts packets on the model's interface, and
 * the timers of polls. */
#include "bpfnode.h"

#include "base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ROOM_WAIT_NS 50000

void *node_run_timers(void *unused)
{
	for (;;) {
		bpei_clock_sleep_ns(TICK_NS);
		pthread_mutex_lock(&node.lock);
		bool ending = node.ending;
		node_use_sharer();
		node_notify_polls(bpei_clock_mono_ns());
		pthread_mutex_unlock(&node.lock);
		if (ending)
			return unused;
	}
}

/* Waits until a reader has attached and reads. */
static void wait_for_reader(void)
{
	pthread_mutex_lock(&node.lock);
	while (node.attached < 2 && !node.ending)
		pthread_cond_wait(&node.changed, &node.lock);
	pthread_mutex_unlock(&node.lock);
}

/* Returns how many of the batch's packets are due by the rate; `first`: packets fed before. */
static uint32_t count_due(const struct bpe_batch *b, int64_t start, uint64_t first, int64_t now)
{
	if (node.rate <= 0)
		return b->count;
	double due = (double)(now - start) * 1e-9 * node.rate - (double)first;
	if (due <= 0)
		return 0;
	return due < b->count ? (uint32_t)due : b->count;
}

/* Puts a packet on the interface.  Called with the lock held. */
static void feed_packet(const struct bpe_batch *b, uint32_t i, int64_t now)
{
	const int64_t time = node.original_times ? b->time_ns[i] : bpei_clock_wall_ns();
	struct model_packet p = { .data = b->data[i],
		.caplen = b->caplen[i],
		.wirelen = b->wirelen[i],
		.time_ns = time,
		.outgoing = b->layers[i].flags & BPE_PKT_OUTGOING };

	model_tap(&node.model, node.interface, &p, now);
	node.fed++;
	node.fed_bytes += p.wirelen;
}

/* Feeds packets from *i to upto, or until a patient node has no room.  Returns true if all were
 * fed. */
static bool feed_due(const struct bpe_batch *b, uint32_t *i, uint32_t upto, int64_t now)
{
	pthread_mutex_lock(&node.lock);
	node_use_sharer();
	while (*i < upto) {
		if (node.patient && !model_room(&node.model, node.interface, b->caplen[*i]))
			break;
		feed_packet(b, *i, now);
		++*i;
	}
	node_notify_polls(now);
	pthread_cond_broadcast(&node.changed);
	pthread_mutex_unlock(&node.lock);
	return *i == upto;
}

static void feed_batch(const struct bpe_batch *b, int64_t start, uint64_t first)
{
	uint32_t i = 0;

	while (i < b->count && !node.ending) {
		int64_t now = bpei_clock_mono_ns();
		uint32_t upto = count_due(b, start, first, now);

		if (upto <= i || !feed_due(b, &i, upto, now))
			bpei_clock_sleep_ns(ROOM_WAIT_NS);
	}
}

static void wait_until_drained(void)
{
	for (bool drained = false; !drained;) {
		pthread_mutex_lock(&node.lock);
		node_use_sharer();
		drained = node.ending || model_drained(&node.model, node.interface);
		pthread_mutex_unlock(&node.lock);
		if (!drained)
			bpei_clock_sleep_ns(TICK_NS);
	}
}

/* Feeds the capture to the end.  Returns the last status. */
static int feed_capture(struct bpe_capture *c)
{
	struct bpe_batch b;
	struct bpe_error e;
	int64_t start = bpei_clock_mono_ns();
	uint64_t fed = 0;
	int n = 0;
	while (!node.ending && (n = bpe_capture_next(c, &b, 100000000, &e)) >= 0) {
		if (!n)
			continue;
		feed_batch(&b, start, fed);
		fed += (uint64_t)n;
	}
	if (n < 0 && n != BPE_E_END)
		fprintf(stderr, "bpfnode: %s\n", e.text);
	return n;
}

void *node_feed_packets(void *capture)
{
	struct bpe_capture *c = capture;
	struct bpe_error e;
	wait_for_reader();
	for (uint64_t k = 0; k < node.loops && !node.ending; k++) {
		if (k && bpe_capture_open(&node.source, &c, &e) < 0)
			break;
		feed_capture(c);
		bpe_capture_close(c);
	}
	if (node.patient || node.at_end == AT_END_REMOVE)
		wait_until_drained();
	if (node.end_wait_ns)
		bpei_clock_sleep_ns(node.end_wait_ns);
	if (node.at_end == AT_END_REMOVE) {
		pthread_mutex_lock(&node.lock);
		model_remove(&node.model, node.interface);
		pthread_cond_broadcast(&node.changed);
		pthread_mutex_unlock(&node.lock);
	}
	if (node.at_end == AT_END_EXIT)
		kill(getpid(), SIGTERM);
	return NULL;
}
