/* SPDX-License-Identifier: MIT */
/* The synth device: generated traffic behind the device contract, for demonstrations, benches and
 * tests.
 *
 * fill writes records straight into the block: a header of 16 bytes (time, captured length, wire
 * length), the frame, padding to 8.  Without rate= blocks are filled as fast as they are asked for,
 * and time stamps are virtual: from a fixed moment on, ten microseconds a packet, the same in every
 * run.  With rate= packets fall due by the clock and carry its time; if the reader is more than a
 * second behind, what is older is not generated but counted as dropped by the "kernel", as a real
 * one would. */
#include "device/synth.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK_BYTES 262144u
#define RECORD_HEADER 16u
#define EPOCH_NS 1700000000000000000 /* 2023-11-14 22:13:20 UTC */
#define STEP_NS 10000                /* of virtual time between packets */
#define LEAST_WAIT_NS 1000000

struct synth {
	struct bpei_device device;
	struct bpei_synth_options options;
	struct bpei_synth_gen *gen;
	uint64_t next; /* number of the next packet, skipped ones included */
	uint64_t made;
	int64_t start_mono_ns, start_wall_ns; /* with rate: when packet 0 was due */
	int wake_pipe[2];
};

static struct synth *of(struct bpei_device *d)
{
	return (struct synth *)(void *)d;
}

static int64_t due_after_ns(const struct synth *s, uint64_t packet)
{
	return (int64_t)(packet / s->options.rate * 1000000000 +
			 packet % s->options.rate * 1000000000 / s->options.rate);
}

/* Waits for the pipe or the time: true if woken. */
static bool rest(struct synth *s, int64_t ns)
{
	struct pollfd p = { .fd = s->wake_pipe[0], .events = POLLIN };
	char drain[64];
	int r = poll(&p, 1, ns < 0 ? -1 : (int)((ns + 999999) / 1000000));
	if (r <= 0)
		return false;
	while (read(s->wake_pipe[0], drain, sizeof drain) > 0)
		continue;
	return true;
}

/* How many packets are due by now; waits for some at most timeout_ns. */
static uint64_t due(struct synth *s, int64_t timeout_ns)
{
	int64_t deadline = timeout_ns < 0 ? INT64_MAX : bpei_clock_mono_ns() + timeout_ns;
	if (!s->start_mono_ns) {
		s->start_mono_ns = bpei_clock_mono_ns();
		s->start_wall_ns = bpei_clock_wall_ns();
	}
	for (;;) {
		int64_t now = bpei_clock_mono_ns(),
			at = s->start_mono_ns + due_after_ns(s, s->next);
		if (now >= at) {
			uint64_t elapsed = (uint64_t)(now - s->start_mono_ns);
			uint64_t all = elapsed / 1000000000 * s->options.rate +
				       elapsed % 1000000000 * s->options.rate / 1000000000 + 1;
			return all > s->next ? all - s->next : 1;
		}
		if (now >= deadline)
			return 0;
		int64_t wait = at - now < LEAST_WAIT_NS ? LEAST_WAIT_NS : at - now;
		if (wait > deadline - now)
			wait = deadline - now;
		if (rest(s, wait < 1000000000 ? wait : 1000000000))
			return 0;
	}
}

static int fill(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct synth *s = of(d);
	uint64_t want = UINT64_MAX;
	(void)error;
	if (s->options.count && s->made >= s->options.count)
		return BPE_E_END;
	if (s->options.rate) {
		want = due(s, timeout_ns);
		if (!want)
			return 0;
		if (want > s->options.rate + BPE_BATCH) { /* more than a second behind */
			uint64_t skipped = want - s->options.rate;
			s->next += skipped;
			bpei_counter_add(&d->kernel_received, skipped);
			bpei_counter_add(&d->kernel_dropped, skipped);
			want -= skipped;
		}
	}
	if (s->options.count && want > s->options.count - s->made)
		want = s->options.count - s->made;

	size_t at = 0, room = b->memory_bytes;
	uint64_t made = 0;
	for (; made < want && room - at >= RECORD_HEADER + BPEI_SYNTH_FRAME; made++) {
		uint8_t *p = b->memory + at;
		uint32_t length = bpei_synth_gen_next(s->gen, p + RECORD_HEADER);
		int64_t time = s->options.rate ? s->start_wall_ns + due_after_ns(s, s->next)
					       : EPOCH_NS + (int64_t)s->next * STEP_NS;
		bpei_store64(p, (uint64_t)time);
		bpei_store32(p + 8, length);
		bpei_store32(p + 12, length);
		s->next++;
		at += (RECORD_HEADER + length + 7) & ~7u;
	}
	s->made += made;
	if (s->options.rate)
		bpei_counter_add(&d->kernel_received, made);
	bpei_device_filled(d, at, b->memory_bytes);
	b->bytes = b->memory;
	b->length = b->stop_offset = at;
	b->position = 0;
	return 1;
}

static uint32_t walk(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	uint32_t n = 0;
	size_t at = b->position;
	(void)d;
	for (; n < max && b->length - at >= RECORD_HEADER; n++) {
		const uint8_t *p = b->bytes + at;
		uint32_t wirelen = bpei_load32(p + 12);
		if (wirelen > b->length - at - RECORD_HEADER)
			break;
		c->time_ns[n] = (int64_t)bpei_load64(p);
		c->caplen[n] = bpei_load32(p + 8);
		c->wirelen[n] = wirelen;
		c->data[n] = p + RECORD_HEADER;
		c->interface_id[n] = 0;
		c->outgoing[n] = 0;
		at += (RECORD_HEADER + wirelen + 7) & ~7u;
	}
	b->position = at < b->length ? at : b->length;
	b->link_type = 1;
	return n;
}

static void done(struct bpei_device *d, struct bpei_block *b)
{
	(void)d, (void)b;
}
static void stats(struct bpei_device *d)
{
	(void)d;
}

static void wake(struct bpei_device *d)
{
	ssize_t n = write(of(d)->wake_pipe[1], "", 1); /* full: it is awake already */
	(void)n;
}

static void close_synth(struct bpei_device *d)
{
	struct synth *s = of(d);
	for (int i = 0; i < 2; i++)
		if (s->wake_pipe[i] >= 0)
			close(s->wake_pipe[i]);
	bpei_synth_gen_free(s->gen);
	free(s);
}

static const struct bpei_device_ops ops = { "synth", fill, walk, done, stats, wake, close_synth,
	NULL, NULL, NULL };

const struct bpei_synth_truth *bpei_synth_truth(const struct bpei_device *d)
{
	return bpei_synth_gen_truth(((const struct synth *)(const void *)d)->gen);
}

int bpei_synth_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	char text[200];
	struct bpei_synth_options options;
	const char *wrong = bpei_synth_parse(o->interface_name, &options, text, sizeof text);
	if (wrong)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "%s", wrong);
	struct synth *s = calloc(1, sizeof *s);
	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	*s = (struct synth){ .device = { .ops = &ops,
				     .fd = -1,
				     .live = options.rate != 0,
				     .max_blocks_in_flight = 4096,
				     .link_type = 1,
				     .snaplen = o->snaplen },
		.options = options,
		.wake_pipe = { -1, -1 } };
	s->device.block_bytes =
		o->block_bytes > RECORD_HEADER + BPEI_SYNTH_FRAME ? o->block_bytes : BLOCK_BYTES;
	s->gen = bpei_synth_gen_new(&options);
	if (!s->gen || bpei_fd_pipe(s->wake_pipe, true)) {
		int r = s->gen ? bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe")
			       : bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory for %u flows",
					 options.flows);
		close_synth(&s->device);
		return r;
	}
	if (options.size)
		snprintf(s->device.source, sizeof s->device.source,
			"synth (%u flows, %u-byte frames, seed %llu)", options.flows, options.size,
			(unsigned long long)options.seed);
	else
		snprintf(s->device.source, sizeof s->device.source,
			"synth (%u flows, imix, seed %llu)", options.flows,
			(unsigned long long)options.seed);
	if (options.rate)
		bpei_counter_set(&s->device.kernel_known, BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED);
	*device = &s->device;
	return BPE_OK;
}
