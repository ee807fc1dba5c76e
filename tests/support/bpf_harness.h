/* SPDX-License-Identifier: MIT */
/* A reader on the scripted double, which checks every packet against the sent packet.  For plain
 * programs. */
#ifndef BPF_HARNESS_H
#define BPF_HARNESS_H

#include "records/batch.h"
#include "bpf_double.h"
#include "device/bpf.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS 1000000ll
#define SECOND 1000000000ll

static unsigned passed, failed;
static const char *system_name, *what;
#define EXPECT(condition)                                                                          \
	((condition) ? (void)passed++                                                              \
		     : (void)(failed++, printf("FAILED %s, %s: %s (line %d)\n", system_name, what, \
						#condition, __LINE__)))

static char notices[4096];
static inline void record_notice(void *user, const char *text)
{
	(void)user;
	size_t n = strlen(notices);
	snprintf(notices + n, sizeof notices - n, "%s\n", text);
}

static inline struct bpe_options harness_options(void)
{
	struct bpe_options o;
	bpe_options_init(&o);
	o.interface_name = "bpf:en0";
	o.on_notice = record_notice;
	o.buffer_bytes = 65536;
	return o;
}

struct reader {
	struct bpf_double d;
	struct bpei_device *device;
	struct bpei_columns columns;
	struct bpei_block block;
	uint32_t seen, expected; /* packets; number of the next packet */
	uint64_t wrong;          /* packets with other bytes, lengths, times or order than sent */
	int64_t worst_ns;        /* longest time from packet to fill */
	uint32_t fills, outgoing, with_process;
	int end;
	struct bpe_error error;
	bool gaps; /* packets may be missing */
};

static inline struct reader *start_reader(const struct bpei_bpf_abi *abi)
{
	struct reader *r = calloc(1, sizeof *r);
	if (!r || bpei_columns_new(&r->columns, BPE_BATCH) < 0)
		exit(2);
	double_init(&r->d, abi);
	notices[0] = 0;
	return r;
}

static inline int open_it(struct reader *r, struct bpe_options o)
{
	if (o.bpf_abi == NULL)
		o.bpf_abi = r->d.model.abi->name;
	int status = bpei_bpf_open_with(&r->d.sys, &o, &r->device, &r->error);
	if (status < 0)
		return status;
	r->block.memory_bytes = r->device->block_bytes;
	r->block.memory = malloc(r->block.memory_bytes);
	return status;
}

/* Compares the n packets of the columns with the sent packets. */
static inline void check_packets(struct reader *r, uint32_t n)
{
	static uint8_t bytes[DOUBLE_MOST];
	for (uint32_t i = 0; i < n; i++) {
		const uint8_t *p = r->columns.data[i];
		uint32_t size = r->columns.wirelen[i];
		if (r->columns.caplen[i] < 46 || size > DOUBLE_MOST) {
			r->wrong++;
			continue;
		}
		uint32_t number = bpei_be32(p + 42);
		if (r->gaps ? number < r->expected : number != r->expected)
			r->wrong++;
		r->expected = number + 1;
		double_bytes(bytes, number, size);
		if (memcmp(p, bytes, r->columns.caplen[i]))
			r->wrong++;
		const struct double_event *e = NULL;
		for (uint32_t k = 0; k < r->d.next && !e; k++)
			if (r->d.event[(k + number) % r->d.next].kind == DOUBLE_PACKET &&
				r->d.event[(k + number) % r->d.next].number == number)
				e = &r->d.event[(k + number) % r->d.next];
		if (!e || e->size != size ||
			r->columns.time_ns[i] / 1000 != (r->d.wall_ns + e->at_ns) / 1000)
			r->wrong++;
		else if (r->d.now_ns - e->at_ns > r->worst_ns)
			r->worst_ns = r->d.now_ns - e->at_ns;
		if (r->columns.outgoing[i] & BPE_PKT_OUTGOING)
			r->outgoing++;
		r->seen++;
	}
}

static inline void take_block(struct reader *r) BPEI_READER
{
	uint32_t n;
	r->fills++;
	while ((n = bpei_device_walk(r->device, &r->block, &r->columns, BPE_BATCH)))
		check_packets(r, n);
	bpei_device_done(r->device, &r->block);
}

/* Reads until the double's clock reaches `until`, or the end. */
static inline void read_until(struct reader *r, int64_t until) BPEI_READER
{
	while (!r->end && r->d.now_ns < until) {
		int f = bpei_device_fill(r->device, &r->block,
			until - r->d.now_ns < 100 * MS ? until - r->d.now_ns : 100 * MS, &r->error);
		if (f < 0)
			r->end = f;
		if (f > 0)
			take_block(r);
		if (!f)
			r->d.now_ns++; /* keeps the loop going without events */
	}
}

/* Closes the device and checks that nothing is left open. */
static inline void finish_reader(struct reader *r)
{
	bpei_device_close(r->device);
	EXPECT(r->d.open_descriptors == 0);
	EXPECT(!r->d.broke_rule);
	EXPECT(!r->d.made);
	EXPECT(!r->d.queues);
	EXPECT(!r->d.model.headers_switched_late);
	double_free(&r->d);
	bpei_columns_free(&r->columns, BPE_BATCH);
	free(r->block.memory);
	free(r);
}

static inline uint64_t kernel_received(struct reader *r)
{
	return bpei_counter_get(&r->device->kernel_received);
}
static inline uint64_t kernel_dropped(struct reader *r)
{
	return bpei_counter_get(&r->device->kernel_dropped);
}
static inline void ask_stats(struct reader *r) BPEI_READER
{
	bpei_device_stats(r->device);
}

/* Schedules n packets of at least `size` bytes.  Returns n. */
static inline uint32_t send_traffic(
	struct reader *r, int64_t from, int64_t gap, uint32_t n, uint32_t size)
{
	uint32_t first = 0;
	for (uint32_t i = 0; i < r->d.events; i++)
		if (r->d.event[i].kind == DOUBLE_PACKET)
			first = r->d.event[i].number + 1;
	for (uint32_t i = 0; i < n; i++)
		double_packet(&r->d, from + i * gap, first + i, size + (i * 37) % 200);
	return n;
}

#endif
