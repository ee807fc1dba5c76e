/* SPDX-License-Identifier: MIT */
/* Any bytes as traffic through a flow table: counts stay balanced, and the records of each key add
 * up, end by end, to what was sent with it, however flows are split, evicted and aged.
 *
 * Input: a byte each for max_flows, idle and closed time-out and the kind of hash, then operations:
 * a byte that is a packet's key (bits 0-4), direction (5), protocol (6: not TCP), or with bit 7 a
 * control: time forward or back, age, end of batch. */
#include "base/roles.h"
#include "flow_clock.h"
#include "fuzz.h"

#include <string.h>

#define KEYS 64u /* 32, as TCP and as UDP */

struct model {
	uint64_t packets[KEYS][2], wire[KEYS][2]; /* sent, less what records have told */
	uint64_t captured[KEYS];
	uint64_t ended, evicted, stopped;
	bool over;
};

struct pending {
	uint32_t n;
	const uint8_t *data[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], interface_id[BPE_BATCH], hash[BPE_BATCH];
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
	uint8_t number[BPE_BATCH];
};

static struct bpei_timeline timeline;

static struct bpe_key key_of(uint32_t number)
{
	struct bpe_key k = { .port = { 80, (uint16_t)(1000 + number % 32) },
		.ip_proto = number < 32 ? 6 : 17,
		.ip_version = 4 };
	k.addr[0][0] = 10, k.addr[1][0] = 10, k.addr[1][3] = 1;
	return k;
}

static void on_end(void *user, const struct bpe_flow *f)
{
	struct model *m = user;
	bool turned = f->port[0] != 80;
	uint32_t number = (uint32_t)f->port[!turned] - 1000 + (f->ip_proto == 6 ? 0 : 32);
	FUZZ_CHECK(number < KEYS && f->port[turned] == 80);
	FUZZ_CHECK(f->packets[0] + f->packets[1] > 0 && f->first_ns <= f->last_ns);
	FUZZ_CHECK((f->tcp_state == BPE_TCP_NONE) == (f->ip_proto != 6));
	for (uint32_t end = 0; end < 2; end++) {
		FUZZ_CHECK(f->packets[end ^ turned] <= m->packets[number][end]);
		m->packets[number][end] -= f->packets[end ^ turned];
		m->wire[number][end] -= f->wire_bytes[end ^ turned];
		m->captured[number] -= f->captured_bytes[end];
	}
	FUZZ_CHECK(f->end > BPE_END_NONE && f->end <= BPE_END_STOP &&
		   (f->end != BPE_END_STOP || m->over));
	if (f->end == BPE_END_EVICTED)
		m->evicted++;
	else if (f->end == BPE_END_STOP)
		m->stopped++;
	else
		m->ended++;
}

static void check_counts(
	const struct bpei_table *t, const struct model *m, uint64_t max_flows, uint64_t sent)
{
	const struct bpei_table_counts *c = bpei_table_counts(t);
	uint64_t opened = bpei_counter_get(&c->opened), active = bpei_counter_get(&c->active),
		 ended = bpei_counter_get(&c->ended), evicted = bpei_counter_get(&c->evicted),
		 peak = bpei_counter_get(&c->peak);
	FUZZ_CHECK(opened == active + ended + evicted);
	FUZZ_CHECK(ended == m->ended && evicted == m->evicted);
	FUZZ_CHECK(active <= max_flows && peak <= max_flows && active <= peak);
	FUZZ_CHECK(bpei_counter_get(&c->packets) + bpei_counter_get(&c->refused) == sent);
	FUZZ_CHECK(max_flows ? !bpei_counter_get(&c->refused) : !opened);
}

static void on_shown(void *user, const struct bpe_flow *f, uint32_t worker)
{
	FUZZ_CHECK(f->end == BPE_END_DUMPED && f->version == BPE_FLOW_VERSION && worker == 0);
	for (int k = 0; k < 2; k++)
		FUZZ_CHECK(f->payload_bytes[k] <= f->ip_bytes[k] &&
			   f->ip_bytes[k] <= f->wire_bytes[k]);
	++*(uint64_t *)user;
}

/* In steps of seven entries: each flow that is alive once. */
static void check_shown(const struct bpei_table *t) BPEI_WORKER
{
	uint64_t shown = 0;
	uint32_t from = 0;
	while (!bpei_table_dump(t, &from, 7, on_shown, &shown))
		continue;
	FUZZ_CHECK(shown == bpei_counter_get(&bpei_table_counts(t)->active));
}

static void flush(struct bpei_table *t, struct pending *p, uint64_t max_flows) BPEI_WORKER
{
	uint32_t flow[BPE_BATCH];
	struct bpe_flow record;
	struct bpe_batch batch = { .count = p->n,
		.data = p->data,
		.time_ns = p->time_ns,
		.caplen = p->caplen,
		.wirelen = p->wirelen,
		.interface_id = p->interface_id,
		.layers = p->layers,
		.key = p->key,
		.hash = p->hash };
	memset(flow, 0x5a, sizeof flow);
	flow_clock_update(&timeline, t, &batch, flow);
	for (uint32_t i = 0; i < p->n; i++) {
		if (!p->hash[i] || !max_flows) {
			FUZZ_CHECK(flow[i] == BPEI_NO_FLOW);
			continue;
		}
		/* An entry may have been ended by a later packet of the batch, or by the sweep
		 * behind it. */
		if (!bpei_table_get(t, flow[i], &p->key[i], &record))
			continue;
		FUZZ_CHECK(record.end == BPE_END_NONE && record.hash == p->hash[i] &&
			   record.ip_proto == p->key[i].ip_proto);
	}
	p->n = 0;
}

void fuzz_table(const uint8_t *bytes, size_t n)
{
	static const uint8_t tcp_flags[16] = { 2, 18, 16, 24, 17, 4, 20, 1, 0, 3, 25, 16, 16, 17, 2,
		255 };
	struct fuzz_input in = { bytes, bytes + n };
	struct model m = { .over = false };
	static struct pending p;
	uint64_t sent = 0, left_packets = 0;
	uint8_t max_flows = fuzz_u8(&in), idle = fuzz_u8(&in), closed = fuzz_u8(&in),
		kind = fuzz_u8(&in);
	struct bpei_table_options options = { .timeline = &timeline,
		.max_flows = max_flows % 40,
		.idle_ns = idle,
		.closed_ns = closed,
		.tcp_health = true,
		.on_end = on_end,
		.user = &m,
		.lengths = kind & 64,
		.interface_ids = kind & 64,
		.direction_by_port = kind & 128 };
	struct bpei_table *t;
	int64_t now = kind & 16 ? INT64_MIN + 1000 : kind & 32 ? INT64_MAX - 100000 : 1000;

	bpei_role_enter(&bpei_worker_role);
	timeline = (struct bpei_timeline){ .has_time = false };
	FUZZ_CHECK(bpei_table_new(&options, &t) == BPE_OK);
	p.n = 0;
	while (fuzz_left(&in)) {
		uint8_t op = fuzz_u8(&in), more = fuzz_u8(&in);
		if (op & 128) {
			int64_t step = (int64_t)more << (op & 8 ? 8 : 0);
			if (op & 1)
				now = now > INT64_MAX - step ? INT64_MAX : now + step;
			if (op & 2)
				now = now < INT64_MIN + step ? INT64_MIN : now - step;
			if (op & 4) {
				flush(t, &p, options.max_flows);
				if (op & 16)
					flow_clock_age(&timeline, t, now);
				check_counts(t, &m, options.max_flows, sent);
				check_shown(t);
			}
			continue;
		}
		uint32_t i = p.n++, number = (op & 31) + (op & 64 ? 32 : 0), end = op >> 5 & 1;
		bool keyed = more != 0x77; /* a packet that belongs to no flow, now and then */
		p.key[i] = key_of(number);
		p.data[i] = fuzz_left(&in) >= 255
				    ? in.next
				    : NULL; /* what follows is a packet's bytes, too: TCP's header
					       is where it is said to be */
		p.time_ns[i] = now;
		p.caplen[i] = more;
		p.wirelen[i] = more + 60u;
		p.number[i] = (uint8_t)number;
		p.layers[i] = (struct bpe_layers){ .network = 14,
			.transport = 34,
			.payload = 54,
			.end = more,
			.ip_proto = p.key[i].ip_proto,
			.link_type = 1,
			.proto = number < 32 ? BPE_PROTO_TCP : BPE_PROTO_UDP,
			.tcp_flags = number < 32 ? tcp_flags[more & 15] : 0,
			.flags = (uint16_t)(BPE_PKT_IP4 | (keyed ? BPE_PKT_KEY : 0) |
					    (end ? BPE_PKT_REVERSED : 0)) };
		switch (kind & 3) { /* every key apart, all in few buckets, all alike */
		case 0:
			p.hash[i] = (number + 1) * 2654435761u;
			break;
		case 1:
			p.hash[i] = (number % 4 + 1) << 16;
			break;
		case 2:
			p.hash[i] = 1;
			break;
		default:
			p.hash[i] = number % 8 * 64 + (number << 20 | 1);
			break;
		}
		if (!keyed) {
			p.hash[i] = 0;
		} else {
			sent++;
			if (options.max_flows) {
				m.packets[number][end]++;
				m.wire[number][end] += p.wirelen[i];
				m.captured[number] += p.caplen[i];
			}
		}
		if (p.n == BPE_BATCH)
			flush(t, &p, options.max_flows);
	}
	flush(t, &p, options.max_flows);
	check_counts(t, &m, options.max_flows, sent);
	m.over = true;
	bpei_table_end_all(t);
	check_counts(t, &m, options.max_flows, sent);
	FUZZ_CHECK(m.stopped == bpei_counter_get(&bpei_table_counts(t)->active));
	for (uint32_t k = 0; k < KEYS; k++)
		left_packets |= m.packets[k][0] | m.packets[k][1] | m.wire[k][0] | m.wire[k][1] |
				m.captured[k];
	FUZZ_CHECK(!left_packets);
	bpei_table_free(t);
	bpei_role_leave(&bpei_worker_role);
}
