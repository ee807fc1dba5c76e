/* SPDX-License-Identifier: MIT */
/* Snapshots for the tests of the live view: flows are added one by one, then taken. */
#ifndef TOP_SHOTS_H
#define TOP_SHOTS_H

#include "tools/bpfengine/top_text.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#define SECOND INT64_C(1000000000)
#define T0 1700000000000000000

static struct top_model m;
static struct top_shot shot;

static inline void make_top_model(void)
{
	cr_assert(setlocale(LC_CTYPE, "C.UTF-8"));
	cr_assert(top_model_init(&m));
	shot = (struct top_shot){ .flows = calloc(TOP_FLOWS, sizeof *shot.flows) };
	cr_assert(shot.flows);
}

static inline void free_top_model(void)
{
	top_model_free(&m);
	free(shot.flows);
}

static inline struct bpe_flow make_top_flow(
	uint32_t id, uint64_t packets, uint64_t bytes, int64_t first)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.addr = { { 10, 0, (uint8_t)(id >> 8), (uint8_t)id }, { 192, 0, 2, 1 } },
		.port = { (uint16_t)(40000 + id), 443 },
		.ip_proto = 6,
		.ip_version = 4,
		.hash = id * 77,
		.tcp_state = BPE_TCP_ESTABLISHED,
		.packets = { packets / 2, packets - packets / 2 },
		.wire_bytes = { bytes / 4, bytes - bytes / 4 },
		.first_ns = first,
		.last_ns = first + SECOND,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.pid = -1 };
	return f;
}

static inline void add_top_flow(struct bpe_flow f)
{
	shot.flows[shot.count++] = f;
}

static inline void take_top_shot(double seconds, uint64_t alive, int64_t packet_ns)
{
	shot.stats.elapsed_ns = (uint64_t)(seconds * 1e9);
	shot.about =
		(struct bpe_flow_totals){ .packet_ns = packet_ns, .alive = alive, .recent = alive };
	top_model_take(&m, &shot);
	shot.count = 0;
}

static inline const struct top_row *find_top_row(uint32_t id)
{
	for (size_t i = 0; i < m.now.count; i++)
		if (m.rows[i].flow->hash == id * 77)
			return &m.rows[i];
	cr_assert_fail("flow %u is not there", id);
	return NULL;
}

/* Returns the bytes a second of a flow, both ways, over one of the averages. */
static inline double top_rate_of(uint32_t id, int window)
{
	const struct top_row *r = find_top_row(id);

	return r->rate[window][0] + r->rate[window][1];
}

#endif
