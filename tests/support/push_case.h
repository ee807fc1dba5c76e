/* SPDX-License-Identifier: MIT */
/* Packets to push, and engines that take packets, for the unit tests of both sides. */
#ifndef PUSH_CASE_H
#define PUSH_CASE_H

#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MANY 200000u
#define START_NS INT64_C(1700000000000000000)

/* Ethernet, IPv4, UDP from 10.0.0.1 port 1234 to 10.0.0.3 port 53. */
static const uint8_t udp[43] =
	"\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x1d\0\3\0\0\x40\x11\0\0\x0a\0"
	"\0\1\x0a\0\0\3\x04\xd2\0\x35\0\x09\0\0x";

static inline struct bpe_packet make_udp(uint32_t number)
{
	struct bpe_packet p;

	bpe_packet_init(&p);
	p.data = udp;
	p.caplen = sizeof udp;
	p.wirelen = sizeof udp;
	p.time_ns = START_NS + number;
	return p;
}

static inline struct bpe_packet *make_many_udp(uint32_t n)
{
	struct bpe_packet *p = malloc(n * sizeof *p);

	cr_assert(p != NULL);
	for (uint32_t i = 0; i < n; i++)
		p[i] = make_udp(i);
	return p;
}

static inline void init_push(struct bpe_options *o)
{
	bpe_options_init(o);
	o->push = true;
	o->workers = 0;
}

static inline struct bpe_engine *open_push(const struct bpe_options *o)
{
	struct bpe_engine *e = NULL;
	struct bpe_error error = { 0 };

	cr_assert_eq(bpe_engine_open(o, &e, &error), BPE_OK, "%s", error.text);
	return e;
}

/* Runs an engine to its end.  Returns the statistics; the books are balanced. */
static inline struct bpe_stats finish_push(struct bpe_engine *e)
{
	struct bpe_stats s;
	struct bpe_error error = { 0 };
	uint64_t dropped = 0;

	while (!bpe_engine_wait(e, -1))
		continue;
	cr_assert_eq(bpe_engine_result(e, &error), BPE_OK, "%s", error.text);
	bpe_engine_stats(e, &s);
	for (int k = 0; k < BPE_DROP_COUNT; k++)
		dropped += s.dropped[k];
	cr_assert_eq(s.read_packets, s.delivered_packets + dropped);
	cr_assert_eq(s.in_flight, 0);
	cr_assert_eq(s.kernel_received, s.read_packets + s.filtered + s.kernel_dropped);
	return s;
}

/* Pushes n packets before the start, and runs the engine. */
static inline struct bpe_stats run_packets(
	const struct bpe_options *o, const struct bpe_packet *packets, size_t n)
{
	struct bpe_engine *e = open_push(o);
	struct bpe_error error = { 0 };

	cr_assert_eq(bpe_engine_push(e, packets, n, 0, &error), (int)n, "%s", error.text);
	cr_assert_eq(bpe_engine_push_end(e, &error), BPE_OK, "%s", error.text);
	cr_assert_eq(bpe_engine_start(e, &error), BPE_OK, "%s", error.text);
	const struct bpe_stats s = finish_push(e);
	bpe_engine_close(e);
	return s;
}

#endif
