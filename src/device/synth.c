/* SPDX-License-Identifier: MIT */
/* The synth device: generated traffic behind the device contract, for demonstrations, benches and
 * tests.
 *
 * fill writes records straight into the block: a header of 16 bytes (time, captured length, wire
 * length), the frame, padding to 8.  Without rate= blocks are filled at reading speed, and time
 * stamps are virtual: ten microseconds a packet from a fixed moment on, the same in every run. With
 * rate= packets fall due by the clock and carry the clock's time.  If the reader is more than a
 * second behind, older packets are not generated but counted as dropped by the "kernel". */
#include "device/synth.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "base/descriptor.h"
#include "base/error.h"
#include "names/numbers.h"

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
#define SECOND_NS 1000000000
#define BLOCKS_IN_FLIGHT 4096u

struct synth {
	struct bpei_device device;
	struct bpei_synth_options options;
	struct bpei_synth_gen *gen;
	uint64_t next; /* number of the next packet, skipped packets included */
	uint64_t made;
	int64_t start_mono_ns, start_wall_ns; /* with rate: when packet 0 was due */
	int wake_pipe[2];
};

static struct synth *synth_of(struct bpei_device *d)
{
	return (struct synth *)(void *)d;
}

/* ---- The clock of rate= ---- */

/* Returns the time from packet 0 to `packet`. */
static int64_t due_after_ns(const struct synth *s, uint64_t packet)
{
	const uint64_t rate = s->options.rate;

	return (int64_t)(packet / rate * SECOND_NS + packet % rate * SECOND_NS / rate);
}

/* Returns how many packets were due in `elapsed` nanoseconds. */
static uint64_t packets_due(const struct synth *s, uint64_t elapsed)
{
	const uint64_t rate = s->options.rate;

	return elapsed / SECOND_NS * rate + elapsed % SECOND_NS * rate / SECOND_NS + 1;
}

/* Waits for the pipe or the time.  Returns true if the reader was woken. */
static bool wait_wake_pipe(struct synth *s, int64_t ns)
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

/* Returns how many packets are due; waits for the first at most timeout_ns (< 0: without limit). */
static uint64_t wait_due(struct synth *s, int64_t timeout_ns)
{
	int64_t deadline = timeout_ns < 0 ? INT64_MAX : bpei_clock_mono_ns() + timeout_ns;

	if (!s->start_mono_ns) {
		s->start_mono_ns = bpei_clock_mono_ns();
		s->start_wall_ns = bpei_clock_wall_ns();
	}
	for (;;) {
		const int64_t now = bpei_clock_mono_ns();
		const int64_t at = s->start_mono_ns + due_after_ns(s, s->next);

		if (now >= at) {
			uint64_t all = packets_due(s, (uint64_t)(now - s->start_mono_ns));

			return all > s->next ? all - s->next : 1;
		}
		if (now >= deadline)
			return 0;
		int64_t wait = at - now < LEAST_WAIT_NS ? LEAST_WAIT_NS : at - now;
		if (wait > deadline - now)
			wait = deadline - now;
		if (wait_wake_pipe(s, wait < SECOND_NS ? wait : SECOND_NS))
			return 0;
	}
}

/* Skips packets which are more than a second late.  Returns how many of `due` are left. */
static uint64_t skip_late_packets(struct synth *s, uint64_t due)
{
	if (due <= s->options.rate + BPE_BATCH)
		return due;
	const uint64_t skipped = due - s->options.rate;
	s->next += skipped;
	bpei_counter_add(&s->device.kernel_received, skipped);
	bpei_counter_add(&s->device.kernel_dropped, skipped);
	return due - skipped;
}

/* ---- Blocks ---- */

/* Writes the next record to p.  Returns the record's length with padding. */
static size_t write_record(struct synth *s, uint8_t *p)
{
	const uint32_t length = bpei_synth_gen_next(s->gen, p + RECORD_HEADER);
	int64_t time = EPOCH_NS + (int64_t)s->next * STEP_NS;

	if (s->options.rate)
		time = s->start_wall_ns + due_after_ns(s, s->next);
	bpei_store64(p, (uint64_t)time);
	bpei_store32(p + 8, length);
	bpei_store32(p + 12, length);
	s->next++;
	return (RECORD_HEADER + length + 7) & ~7u;
}

static int fill_synth(
	struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns, struct bpe_error *error)
{
	struct synth *s = synth_of(d);
	const uint64_t count = s->options.count;
	uint64_t want = UINT64_MAX;
	uint64_t made = 0;
	size_t at = 0;
	(void)error;

	if (count && s->made >= count)
		return BPE_E_END;
	if (s->options.rate) {
		want = skip_late_packets(s, wait_due(s, timeout_ns));
		if (!want)
			return 0;
	}
	if (count && want > count - s->made)
		want = count - s->made;
	while (made < want && b->memory_bytes - at >= RECORD_HEADER + BPEI_SYNTH_FRAME) {
		at += write_record(s, b->memory + at);
		made++;
	}
	s->made += made;
	if (s->options.rate)
		bpei_counter_add(&d->kernel_received, made);
	bpei_device_filled(d, at, b->memory_bytes);
	b->bytes = b->memory;
	b->length = at;
	b->stop_offset = at;
	b->position = 0;
	return 1;
}

static uint32_t walk_synth(
	struct bpei_device *d, struct bpei_block *b, const struct bpei_columns *c, uint32_t max)
{
	uint32_t n = 0;
	size_t at = b->position;
	(void)d;

	for (; n < max && b->length - at >= RECORD_HEADER; n++) {
		const uint8_t *p = b->bytes + at;
		const uint32_t wirelen = bpei_load32(p + 12);

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
	b->link_type = LINK_ETHERNET;
	return n;
}

static void release_synth(struct bpei_device *d, struct bpei_block *b)
{
	(void)d;
	(void)b;
}

static void update_synth_stats(struct bpei_device *d)
{
	(void)d;
}

static void wake_synth(struct bpei_device *d)
{
	ssize_t n = write(synth_of(d)->wake_pipe[1], "", 1);

	(void)n; /* a full pipe has woken the reader already */
}

static void close_synth(struct bpei_device *d)
{
	struct synth *s = synth_of(d);

	for (int i = 0; i < 2; i++)
		if (s->wake_pipe[i] >= 0)
			close(s->wake_pipe[i]);
	bpei_synth_gen_free(s->gen);
	free(s);
}

static const struct bpei_device_ops synth_ops = {
	.name = "synth",
	.fill = fill_synth,
	.walk = walk_synth,
	.done = release_synth,
	.stats = update_synth_stats,
	.wake = wake_synth,
	.close = close_synth,
};

const struct bpei_synth_truth *bpei_synth_truth(const struct bpei_device *d)
{
	return bpei_synth_gen_truth(((const struct synth *)(const void *)d)->gen);
}

/* ---- Open ---- */

/* Writes the description for people. */
static void describe_synth(struct synth *s)
{
	const struct bpei_synth_options *o = &s->options;
	char *to = s->device.source;
	const size_t room = sizeof s->device.source;
	const unsigned long long seed = o->seed;

	if (o->size)
		snprintf(to, room, "synth (%u flows, full frames of %u bytes, seed %llu)", o->flows,
			o->size, seed);
	else
		snprintf(to, room, "synth (%u flows, imix, seed %llu)", o->flows, seed);
}

static int open_synth(struct synth *s, struct bpe_error *error)
{
	s->gen = bpei_synth_gen_new(&s->options);
	if (!s->gen)
		return bpei_fail(
			error, BPE_E_MEMORY, "open", 0, "no memory for %u flows", s->options.flows);
	if (bpei_fd_pipe(s->wake_pipe, true))
		return bpei_fail(error, BPE_E_IO, "pipe", errno, "no pipe");
	return BPE_OK;
}

int bpei_synth_open(
	const struct bpe_options *o, struct bpei_device **device, struct bpe_error *error)
{
	char text[200];
	struct bpei_synth_options options;
	const char *wrong = bpei_synth_parse(o->interface_name, &options, text, sizeof text);
	const bool fits = o->block_bytes > RECORD_HEADER + BPEI_SYNTH_FRAME;

	if (wrong)
		return bpei_fail(error, BPE_E_ARGUMENT, "open", 0, "%s", wrong);
	struct synth *s = calloc(1, sizeof *s);
	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "open", 0, "no memory");
	*s = (struct synth){ .device = { .ops = &synth_ops,
				     .fd = -1,
				     .live = options.rate != 0,
				     .max_blocks_in_flight = BLOCKS_IN_FLIGHT,
				     .block_bytes = fits ? o->block_bytes : BLOCK_BYTES,
				     .link_type = LINK_ETHERNET,
				     .snaplen = o->snaplen },
		.options = options,
		.wake_pipe = { -1, -1 } };
	int r = open_synth(s, error);
	if (r < 0) {
		bpei_device_close(&s->device);
		return r;
	}
	describe_synth(s);
	if (options.rate)
		bpei_counter_set(&s->device.kernel_known, BPE_KNOWN_RECEIVED | BPE_KNOWN_DROPPED);
	*device = &s->device;
	return BPE_OK;
}
