/* SPDX-License-Identifier: MIT */
/* Any bytes as traffic through a flow table.  Counts stay balanced.  The records of each key add
 * up, end by end, to the packets sent with the key, however flows are split, evicted and aged.
 *
 * Input: a byte each for max_flows, idle and closed time-out and the kind of run (KIND_), then
 * operations of two bytes.  The first byte is a packet's key (bits 0-4), direction (5) and protocol
 * (6: not TCP), or with bit 7 a control: time forward or back, age, end of batch. */
#include "arch/arch.h"
#include "base/roles.h"
#include "flow_clock.h"
#include "fuzz.h"

#include <string.h>

#define KEYS 64u /* 32, as TCP and as UDP */

enum {
	KIND_HASH = 3,     /* kind of hashes without KIND_TAGS */
	KIND_TAGS = 4,     /* some packets have a VLAN tag; hashes are the product's */
	KIND_JUMPS = 8,    /* time steps of seconds, beyond a step of the clock */
	KIND_EARLY = 16,   /* time begins near the lowest time */
	KIND_LATE = 32,    /* time begins near the highest time */
	KIND_LENGTHS = 64, /* count lengths, keep interfaces */
	KIND_BY_PORT = 128
};

struct table_model {
	uint64_t packets[KEYS][2], wire[KEYS][2]; /* sent, less the counts of records */
	uint64_t captured[KEYS];
	uint64_t ended, evicted, stopped;
	uint64_t sent;
	bool is_over;
};

struct pending_batch {
	uint32_t n;
	const uint8_t *data[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], interface_id[BPE_BATCH], hash[BPE_BATCH];
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
};

static struct bpei_timeline timeline;
static struct bpei_seed key_seed;
static struct table_model model;
static struct pending_batch pending;

/* Returns the key of a number; TCP below 32. */
static struct bpe_key key_of_number(uint32_t number)
{
	struct bpe_key k = { .port = { 80, (uint16_t)(1000 + number % 32) },
		.ip_proto = number < 32 ? 6 : 17,
		.ip_version = 4 };

	k.addr[0][0] = 10;
	k.addr[1][0] = 10;
	k.addr[1][3] = 1;
	return k;
}

/* Takes a record's counts off the model. */
static void subtract_fuzzed_record(void *user, const struct bpe_flow *f)
{
	struct table_model *const m = user;
	const bool is_turned = f->port[0] != 80;
	const uint32_t proto_offset = f->ip_proto == 6 ? 0 : 32;
	const uint32_t number = (uint32_t)f->port[!is_turned] - 1000 + proto_offset;

	FUZZ_CHECK(number < KEYS && f->port[is_turned] == 80);
	FUZZ_CHECK(f->packets[0] + f->packets[1] > 0 && f->first_ns <= f->last_ns);
	FUZZ_CHECK((f->tcp_state == BPE_TCP_NONE) == (f->ip_proto != 6));
	for (uint32_t end = 0; end < 2; end++) {
		FUZZ_CHECK(f->packets[end ^ is_turned] <= m->packets[number][end]);
		m->packets[number][end] -= f->packets[end ^ is_turned];
		m->wire[number][end] -= f->wire_bytes[end ^ is_turned];
		m->captured[number] -= f->captured_bytes[end];
	}
	FUZZ_CHECK(f->end > BPE_END_NONE && f->end <= BPE_END_STOP &&
		   (f->end != BPE_END_STOP || m->is_over));
	if (f->end == BPE_END_EVICTED)
		m->evicted++;
	else if (f->end == BPE_END_STOP)
		m->stopped++;
	else
		m->ended++;
}

/* Checks the table's counters against the model. */
static void check_table_counts(const struct bpei_table *t, uint64_t max_flows)
{
	const struct bpei_table_counts *const c = bpei_table_counts(t);
	const uint64_t opened = bpei_counter_get(&c->opened);
	const uint64_t active = bpei_counter_get(&c->active);
	const uint64_t ended = bpei_counter_get(&c->ended);
	const uint64_t evicted = bpei_counter_get(&c->evicted);
	const uint64_t peak = bpei_counter_get(&c->peak);
	const uint64_t counted = bpei_counter_get(&c->packets) + bpei_counter_get(&c->refused);

	FUZZ_CHECK(opened == active + ended + evicted);
	FUZZ_CHECK(ended == model.ended && evicted == model.evicted);
	FUZZ_CHECK(active <= max_flows && peak <= max_flows && active <= peak);
	FUZZ_CHECK(counted == model.sent);
	FUZZ_CHECK(max_flows ? !bpei_counter_get(&c->refused) : !opened);
}

/* Checks a record of a dump, and counts the records. */
static void check_dumped_record(void *user, const struct bpe_flow *f, uint32_t worker)
{
	uint64_t *const dumped = user;

	FUZZ_CHECK(f->end == BPE_END_DUMPED && f->version == BPE_FLOW_VERSION && worker == 0);
	for (int k = 0; k < 2; k++)
		FUZZ_CHECK(f->payload_bytes[k] <= f->ip_bytes[k] &&
			   f->ip_bytes[k] <= f->wire_bytes[k]);
	++*dumped;
}

/* Dumps the table in steps of seven entries, and checks for each alive flow once. */
static void check_dump(const struct bpei_table *t) BPEI_WORKER
{
	uint64_t dumped = 0;
	uint32_t from = 0;

	while (!bpei_table_dump(t, &from, 7, check_dumped_record, &dumped))
		continue;
	FUZZ_CHECK(dumped == bpei_counter_get(&bpei_table_counts(t)->active));
}

/* Updates the table with the pending packets, and checks where the packets were counted. */
static void flush_pending(struct bpei_table *t, uint64_t max_flows) BPEI_WORKER
{
	struct pending_batch *const p = &pending;
	uint32_t flow[BPE_BATCH];
	struct bpe_flow record;
	const struct bpe_batch batch = { .count = p->n,
		.data = p->data,
		.time_ns = p->time_ns,
		.caplen = p->caplen,
		.wirelen = p->wirelen,
		.interface_id = p->interface_id,
		.layers = p->layers,
		.key = p->key,
		.hash = p->hash };

	if (!p->n)
		return;
	memset(flow, 0x5a, sizeof flow);
	flow_clock_update(&timeline, t, &batch, flow);
	const struct bpe_batch *const joined = bpei_table_joined(t);
	const struct bpe_key *const key = joined ? joined->key : p->key;
	const uint32_t *const hash = joined ? joined->hash : p->hash;
	for (uint32_t i = 0; i < p->n; i++) {
		if (!hash[i] || !max_flows) {
			FUZZ_CHECK(flow[i] == BPEI_NO_FLOW);
			continue;
		}
		/* A later packet of the batch, or the wheel, may have ended the entry. */
		if (!bpei_table_get(t, flow[i], &key[i], &record))
			continue;
		FUZZ_CHECK(record.end == BPE_END_NONE && record.hash == hash[i] &&
			   record.ip_proto == key[i].ip_proto);
	}
	p->n = 0;
}

/* Returns a hash for packet i: all keys apart, all in few buckets, or all alike. */
static uint32_t hash_of_number(uint8_t kind, uint32_t i, uint32_t number)
{
	const struct bpei_columns columns = {
		.layers = &pending.layers[i], .key = &pending.key[i], .hash = &pending.hash[i]
	};

	if (kind & KIND_TAGS) {
		bpei_hash(&columns, 1, &key_seed);
		return pending.hash[i];
	}
	switch (kind & KIND_HASH) {
	case 0:
		return (number + 1) * 2654435761u;
	case 1:
		return (number % 4 + 1) << 16;
	case 2:
		return 1;
	default:
		return number % 8 * 64 + (number << 20 | 1);
	}
}

/* Adds a packet by an operation.  more: second byte.  Without a key if more is 0x77. */
static void add_packet_of_operation(const struct fuzz_input *in, uint8_t kind, uint8_t op,
	uint8_t more, int64_t now_ns, uint64_t max_flows)
{
	static const uint8_t tcp_flags[16] = { 2, 18, 16, 24, 17, 4, 20, 1, 0, 3, 25, 16, 16, 17, 2,
		255 };
	static const uint8_t zeros[256];
	struct pending_batch *const p = &pending;
	const uint32_t i = p->n++;
	const uint32_t number = (op & 31) + (op >> 6 & 1) * 32;
	const bool is_tcp = number < 32;
	const uint32_t end = op >> 5 & 1;
	const bool is_tagged = kind & KIND_TAGS && more & 2;
	uint32_t flags = BPE_PKT_IP4;

	p->key[i] = key_of_number(number);
	if (is_tagged)
		p->key[i].vlan[0] = 5;
	/* The bytes that follow are a packet's bytes, too, with TCP's header where the layers
	 * have the header. */
	p->data[i] = kind & KIND_TAGS ? zeros : NULL;
	if (fuzz_left(in) >= 255)
		p->data[i] = in->next;
	p->time_ns[i] = now_ns;
	p->caplen[i] = more;
	p->wirelen[i] = more + 60u;
	if (is_tagged)
		flags |= BPE_PKT_VLAN;
	if (end)
		flags |= BPE_PKT_REVERSED;
	if (more != 0x77)
		flags |= BPE_PKT_KEY;
	p->layers[i] = (struct bpe_layers){ .network = 14,
		.transport = 34,
		.payload = 54,
		.end = more,
		.ip_proto = p->key[i].ip_proto,
		.link_type = 1,
		.proto = is_tcp ? BPE_PROTO_TCP : BPE_PROTO_UDP,
		.flags = (uint16_t)flags };
	if (is_tcp)
		p->layers[i].tcp_flags = tcp_flags[more & 15];
	p->hash[i] = 0;
	if (!(flags & BPE_PKT_KEY))
		return;
	p->hash[i] = hash_of_number(kind, i, number);
	model.sent++;
	if (!max_flows)
		return;
	model.packets[number][end]++;
	model.wire[number][end] += p->wirelen[i];
	model.captured[number] += p->caplen[i];
}

/* Moves the time by a control.  Returns the new time. */
static int64_t move_time(uint8_t kind, uint8_t op, uint8_t more, int64_t now_ns)
{
	const uint32_t coarse = kind & KIND_JUMPS ? 24 : 0;
	const uint32_t shift = (op & 8) + coarse;
	const int64_t step_ns = (int64_t)more << shift;

	if (op & 1)
		now_ns = now_ns > INT64_MAX - step_ns ? INT64_MAX : now_ns + step_ns;
	if (op & 2)
		now_ns = now_ns < INT64_MIN + step_ns ? INT64_MIN : now_ns - step_ns;
	return now_ns;
}

/* Returns the first time of a kind of run. */
static int64_t first_time_of(uint8_t kind)
{
	if (kind & KIND_EARLY)
		return INT64_MIN + 1000;
	return kind & KIND_LATE ? INT64_MAX - 100000 : 1000;
}

/* Performs all operations of the input. */
static void run_operations(
	struct bpei_table *t, struct fuzz_input *in, uint8_t kind, uint64_t max_flows) BPEI_WORKER
{
	int64_t now_ns = first_time_of(kind);

	while (fuzz_left(in)) {
		const uint8_t op = fuzz_u8(in);
		const uint8_t more = fuzz_u8(in);

		if (!(op & 128)) {
			add_packet_of_operation(in, kind, op, more, now_ns, max_flows);
			if (pending.n == BPE_BATCH)
				flush_pending(t, max_flows);
			continue;
		}
		now_ns = move_time(kind, op, more, now_ns);
		if (!(op & 4))
			continue;
		flush_pending(t, max_flows);
		if (op & 16)
			flow_clock_age(&timeline, t, now_ns);
		check_table_counts(t, max_flows);
		check_dump(t);
	}
	flush_pending(t, max_flows);
}

void fuzz_table(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	const uint8_t max_flows = fuzz_u8(&in);
	const uint8_t idle_ns = fuzz_u8(&in);
	const uint8_t closed_ns = fuzz_u8(&in);
	const uint8_t kind = fuzz_u8(&in);
	const struct bpei_table_options options = { .timeline = &timeline,
		.max_flows = max_flows % 40,
		.idle_ns = idle_ns,
		.closed_ns = closed_ns,
		.tcp_health = true,
		.report_duplicates = kind & KIND_TAGS,
		.key_seed = &key_seed,
		.on_end = subtract_fuzzed_record,
		.user = &model,
		.lengths = kind & KIND_LENGTHS,
		.interface_ids = kind & KIND_LENGTHS,
		.direction_by_port = kind & KIND_BY_PORT };
	struct bpei_table *t;
	uint64_t left = 0;

	bpei_role_enter(&bpei_worker_role);
	bpei_seed_init(&key_seed, 1);
	timeline = (struct bpei_timeline){ .has_time = false };
	model = (struct table_model){ .is_over = false };
	pending.n = 0;
	FUZZ_CHECK(bpei_table_new(&options, &t) == BPE_OK);
	run_operations(t, &in, kind, options.max_flows);
	check_table_counts(t, options.max_flows);
	model.is_over = true;
	bpei_table_end_all(t);
	check_table_counts(t, options.max_flows);
	FUZZ_CHECK(model.stopped == bpei_counter_get(&bpei_table_counts(t)->active));
	for (uint32_t k = 0; k < KEYS; k++)
		left |= model.packets[k][0] | model.packets[k][1] | model.wire[k][0] |
			model.wire[k][1] | model.captured[k];
	FUZZ_CHECK(!left);
	bpei_table_free(t);
	bpei_role_leave(&bpei_worker_role);
}
