/* SPDX-License-Identifier: MIT */
/* flow_model [operations] [seed]: random packets into a flow table beside a plain map.  Packets,
 * bytes and times of each key must be the map's.  Further runs have a table too small, where the
 * sums of all records of a key must be the map's; keys that collide; and VLAN tags in one direction
 * alone. */
#include "arch/arch.h"
#include "flow_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 40000u
#define RESPONDER_PORT 9

enum { TAGGED_VLAN = 77 };

/* A run: options of the table, and how hashes and VLAN tags are made. */
struct model_run {
	const char *name;
	uint64_t operations, max_flows;
	int64_t idle_ns, active_ns;
	uint32_t hashes; /* so many hashes; 0: the product's hash of the key */
	bool has_tags;   /* packets of end 0 have a VLAN tag, packets of end 1 have none */
};

struct key_sums {
	uint64_t packets[2], wire[2], captured[2];
	int64_t last_ns;
};

/* The packets of a batch. */
static struct bpe_layers layers[BPE_BATCH];
static struct bpe_key keys[BPE_BATCH];
static uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], hash[BPE_BATCH], ids[BPE_BATCH];
static int64_t time_ns[BPE_BATCH];

static struct bpei_timeline timeline;
static struct bpei_seed key_seed;
static struct key_sums model[KEYS];
static const struct model_run *current_run;
static uint64_t records, failures, random_state;
static bool is_exact; /* each key has a single record, with all counts */

/* Returns a random number below n. */
static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 32) * n >> 32);
}

/* Returns the key of a number, as packets of an end have the key. */
static struct bpe_key key_of_id(uint32_t id, uint32_t end)
{
	struct bpe_key k = { .port = { (uint16_t)(10 + id % 7), RESPONDER_PORT },
		.ip_proto = 17,
		.ip_version = id & 1 ? 6 : 4,
		.vlan = { (uint16_t)(id % 5), (uint16_t)(id % 3) } };

	memcpy(k.addr[0], &id, sizeof id);
	if (id & 1)
		memcpy(k.addr[1] + 12, &id, sizeof id);
	if (current_run->has_tags) {
		k.vlan[0] = end ? 0 : TAGGED_VLAN;
		k.vlan[1] = 0;
	}
	return k;
}

/* Counts a failure, and prints the first ones. */
static void report_failure(const char *what, uint32_t id)
{
	if (failures++ < 10)
		printf("key %u: %s\n", id, what);
}

/* Returns true if the record has the VLAN ids of the key, or of the plain key with tags. */
static bool has_right_vlan(const struct bpe_flow *f, const struct bpe_key *k)
{
	const bool is_plain = current_run->has_tags && !f->vlan[0] && !f->vlan[1];

	return is_plain || (f->vlan[0] == k->vlan[0] && f->vlan[1] == k->vlan[1]);
}

/* Takes the counts of a record off the model. */
static void subtract_model_record(void *user, const struct bpe_flow *f)
{
	/* Endpoint 0 of the record sent first; port 9 is at end 1 of the key. */
	const bool is_turned = f->port[1] != RESPONDER_PORT;
	const bool is_final = is_exact && f->end != BPE_END_ACTIVE;
	uint32_t id;

	(void)user;
	records++;
	memcpy(&id, f->addr[is_turned], sizeof id);
	if (id >= KEYS) {
		report_failure("no such key", id);
		return;
	}
	const struct bpe_key k = key_of_id(id, 0);
	struct key_sums *const m = &model[id];
	if (f->ip_version != k.ip_version || !has_right_vlan(f, &k) ||
		memcmp(f->addr[!is_turned], k.addr[1], 16))
		report_failure("the record of another key", id);
	for (uint32_t end = 0; end < 2; end++) {
		const uint32_t r = end ^ is_turned;

		if (is_final &&
			(f->packets[r] != m->packets[end] || f->wire_bytes[r] != m->wire[end] ||
				f->captured_bytes[r] != m->captured[end]))
			report_failure("counts", id);
		m->packets[end] -= f->packets[r];
		m->wire[end] -= f->wire_bytes[r];
		m->captured[end] -= f->captured_bytes[r];
	}
	if (is_final && f->last_ns != m->last_ns)
		report_failure("time", id);
}

/* Makes packet p of a key at now_ns, and adds the packet to the model. */
static void make_model_packet(uint32_t p, uint32_t id, int64_t now_ns)
{
	const uint32_t end = random_below(2);
	const uint32_t hashes = current_run->hashes;
	const struct bpei_columns columns = {
		.layers = &layers[p], .key = &keys[p], .hash = &hash[p]
	};
	struct key_sums *const m = &model[id];
	uint32_t flags = BPE_PKT_KEY;

	ids[p] = id;
	keys[p] = key_of_id(id, end);
	time_ns[p] = now_ns;
	caplen[p] = random_below(1500);
	wirelen[p] = caplen[p];
	if (!random_below(2000))
		wirelen[p] += 1000000000u; /* beyond 31 bits now and then */
	if (end)
		flags |= BPE_PKT_REVERSED;
	if (keys[p].vlan[0] | keys[p].vlan[1])
		flags |= BPE_PKT_VLAN;
	layers[p] = (struct bpe_layers){ .flags = (uint16_t)flags,
		.proto = BPE_PROTO_UDP,
		.ip_proto = 17,
		.transport = BPE_NO_OFFSET };
	if (hashes)
		hash[p] = 1 + id % hashes;
	else
		bpei_hash(&columns, 1, &key_seed);
	m->packets[end]++;
	m->wire[end] += wirelen[p];
	m->captured[end] += caplen[p];
	m->last_ns = now_ns;
}

/* Makes a batch of random keys below `range`.  Returns the number of packets. */
static uint32_t make_model_batch(uint32_t range, int64_t *now_ns)
{
	const uint32_t n = 1 + random_below(BPE_BATCH);

	for (uint32_t p = 0; p < n; p++) {
		const uint32_t id = random_below(range);

		*now_ns += random_below(1000000);
		if (!random_below(50000))
			*now_ns += INT64_C(20000000000); /* a quiet time */
		make_model_packet(p, id, *now_ns);
	}
	return n;
}

/* Checks a random packet of an exact run: the flow is at the reported entry, with the model's
 * counts. */
static void check_random_packet(const struct bpei_table *t, uint32_t n, const uint32_t *flow)
{
	const uint32_t p = random_below(n);
	const struct key_sums *const m = &model[ids[p]];
	struct bpe_flow f;

	if (bpei_table_get(t, flow[p], &keys[p], &f) != 1)
		report_failure("not found", ids[p]);
	else if (f.packets[0] + f.packets[1] != m->packets[0] + m->packets[1] ||
		 f.wire_bytes[0] + f.wire_bytes[1] != m->wire[0] + m->wire[1])
		report_failure("counts as they stand", ids[p]);
}

/* Checks the counters of the table. */
static void check_model_counts(const struct bpei_table *t)
{
	const struct bpei_table_counts *const c = bpei_table_counts(t);
	const uint64_t active = bpei_counter_get(&c->active);
	const uint64_t over = bpei_counter_get(&c->ended) + bpei_counter_get(&c->evicted);

	if (active > current_run->max_flows)
		report_failure("more than max_flows", 0);
	if (bpei_counter_get(&c->opened) != active + over)
		report_failure("opened is not active + ended + evicted", 0);
}

/* Checks that all packets are in records, and that evictions have reasons. */
static void check_model_end(const struct bpei_table *t)
{
	uint64_t evicted = 0;

	for (int k = 0; k < BPE_EVICTED_COUNT; k++)
		evicted += bpei_counter_get(&bpei_table_counts(t)->evicted_by[k]);
	if (evicted != bpei_counter_get(&bpei_table_counts(t)->evicted))
		report_failure("reasons of evictions", 0);
	for (uint32_t id = 0; id < KEYS; id++)
		if (model[id].packets[0] | model[id].packets[1] | model[id].wire[0] |
			model[id].wire[1] | model[id].captured[0] | model[id].captured[1])
			report_failure("sums", id);
}

/* Performs a run.  Records made within an update may lack later packets of the batch; the packets
 * are in the model before the update, so the sums of all keys are 0 in the end. */
static void perform_run(const struct model_run *run) BPEI_WORKER
{
	const struct bpei_table_options options = { .timeline = &timeline,
		.max_flows = run->max_flows,
		.idle_ns = run->idle_ns,
		.active_ns = run->active_ns,
		.key_seed = &key_seed,
		.on_end = subtract_model_record };
	const struct bpe_batch view = { .time_ns = time_ns,
		.caplen = caplen,
		.wirelen = wirelen,
		.layers = layers,
		.key = keys,
		.hash = hash };
	const uint64_t before = failures;
	struct bpei_table *t;
	int64_t now_ns = 1000000000;
	uint64_t joined = 0;

	current_run = run;
	memset(model, 0, sizeof model);
	timeline = (struct bpei_timeline){ .has_time = false };
	is_exact = run->max_flows >= KEYS && !run->idle_ns && !run->active_ns && !run->hashes &&
		   !run->has_tags;
	records = 0;
	if (bpei_table_new(&options, &t) < 0)
		exit(1);
	for (uint64_t done = 0; done < run->operations;) {
		/* The range of keys grows all the time. */
		const uint64_t range = 1 + KEYS * (done + 1) / run->operations;
		uint32_t flow[BPE_BATCH];
		struct bpe_batch b = view;

		b.count = make_model_batch(range < KEYS ? (uint32_t)range : KEYS, &now_ns);
		flow_clock_update(&timeline, t, &b, flow);
		joined += bpei_table_joined(t) != NULL;
		if (is_exact)
			check_random_packet(t, b.count, flow);
		done += b.count;
		check_model_counts(t);
	}
	bpei_table_end_all(t);
	check_model_end(t);
	if (run->has_tags && !joined)
		report_failure("no packet joined a tagged flow", 0);
	printf("%-28s %llu packets, %llu records, %llu evicted, %s\n", run->name,
		(unsigned long long)run->operations, (unsigned long long)records,
		(unsigned long long)bpei_counter_get(&bpei_table_counts(t)->evicted),
		failures == before ? "good" : "WRONG");
	bpei_table_free(t);
}

int main(int argc, char **argv)
{
	const uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20240229;
	const int64_t idle_ns = INT64_C(5000000000);
	const struct model_run runs[] = {
		{ .name = "exact", .operations = n, .max_flows = KEYS },
		{ .name = "ages", .operations = n, .max_flows = KEYS, .idle_ns = idle_ns },
		{ .name = "periods",
			.operations = n,
			.max_flows = KEYS,
			.idle_ns = idle_ns,
			.active_ns = INT64_C(3000000000) },
		{ .name = "too small", .operations = n, .max_flows = KEYS / 7, .idle_ns = idle_ns },
		{ .name = "few hashes", .operations = n / 4, .max_flows = KEYS, .hashes = 3000 },
		{ .name = "hostile: one hash",
			.operations = n / 100,
			.max_flows = KEYS,
			.hashes = 1 },
		{ .name = "tags in one direction",
			.operations = n / 2,
			.max_flows = KEYS,
			.idle_ns = idle_ns,
			.has_tags = true },
	};
	const int count = sizeof runs / sizeof *runs;

	printf("seed %llu\n", (unsigned long long)seed);
	random_state = seed | 1;
	bpei_seed_init(&key_seed, seed);
	bpei_role_enter(&bpei_worker_role);
	for (int k = 0; k < count; k++)
		perform_run(&runs[k]);
	bpei_role_leave(&bpei_worker_role);
	const int failed = failures ? count : 0;
	printf("%d passed, %d failed\n", count - failed, failed);
	return failures != 0;
}
