/* SPDX-License-Identifier: MIT */
/* flow_model [operations] [seed]: random packets into a flow table beside a plain map.  Packets,
 * bytes and times of each key must be the map's; then the same with a table too small, where the
 * sums of all records of a key must be; then with keys that collide. */
#include "flow_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 40000u

struct sums {
	uint64_t packets[2], wire[2], captured[2];
	int64_t last_ns;
	bool open;
};

static struct bpei_timeline timeline;
static struct sums model[KEYS];
static uint64_t records, failures, state;
static bool exact;

static uint32_t roll(uint32_t n)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return (uint32_t)((state >> 32) * n >> 32);
}

static struct bpe_key key_of(uint32_t id)
{
	struct bpe_key k = { .port = { (uint16_t)(id % 7), 9 },
		.ip_proto = 17,
		.ip_version = id & 1 ? 6 : 4,
		.vlan = { (uint16_t)(id % 5), (uint16_t)(id % 3) } };
	memcpy(k.addr[0], &id, sizeof id);
	if (id & 1)
		memcpy(k.addr[1] + 12, &id, sizeof id);
	return k;
}

static void fail(const char *what, uint32_t id)
{
	if (failures++ < 10)
		printf("key %u: %s\n", id, what);
}

static void on_end(void *user, const struct bpe_flow *f)
{
	uint32_t id;
	(void)user;
	records++;
	bool turned = f->port[1] != 9; /* ends by who began: the key's end 1 has port 9 */
	memcpy(&id, f->addr[turned], sizeof id);
	if (id >= KEYS) {
		fail("no such key", id);
		return;
	}
	struct bpe_key k = key_of(id);
	struct sums *m = &model[id];
	if (f->ip_version != k.ip_version || f->vlan[0] != k.vlan[0] || f->vlan[1] != k.vlan[1] ||
		memcmp(f->addr[!turned], k.addr[1], 16))
		fail("another key's", id);
	for (uint32_t end = 0; end < 2; end++) {
		uint32_t r = end ^ turned;
		if (exact && f->end != BPE_END_ACTIVE &&
			(f->packets[r] != m->packets[end] || f->wire_bytes[r] != m->wire[end] ||
				f->captured_bytes[r] != m->captured[end]))
			fail("counts", id);
		m->packets[end] -= f->packets[r];
		m->wire[end] -= f->wire_bytes[r];
		m->captured[end] -= f->captured_bytes[r];
	}
	if (exact && f->end != BPE_END_ACTIVE && f->last_ns != m->last_ns)
		fail("time", id);
}

static void run(const char *name, uint64_t operations, uint64_t max_flows, int64_t idle_ns,
	int64_t active_ns, uint32_t hashes) BPEI_WORKER
{
	static struct bpe_layers layers[BPE_BATCH];
	static struct bpe_key key[BPE_BATCH];
	static uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], hash[BPE_BATCH], flow[BPE_BATCH],
		ids[BPE_BATCH];
	static int64_t time[BPE_BATCH];
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = max_flows,
		.idle_ns = idle_ns,
		.active_ns = active_ns,
		.on_end = on_end };
	struct bpei_table *t;
	int64_t now = 1000000000;
	uint64_t before = failures;
	memset(model, 0, sizeof model);
	timeline = (struct bpei_timeline){ .has_time = false };
	exact = max_flows >= KEYS && !idle_ns && !active_ns && hashes == UINT32_MAX;
	records = 0;
	if (bpei_table_new(&o, &t) < 0)
		exit(1);
	for (uint64_t done = 0; done < operations;) {
		uint32_t n = 1 + roll(BPE_BATCH),
			 range = 1 + (uint32_t)((uint64_t)KEYS * (done + 1) /
						operations); /* grows all the time */
		if (range > KEYS)
			range = KEYS;
		for (uint32_t p = 0; p < n; p++) {
			uint32_t id = ids[p] = roll(range), end = roll(2);
			now += roll(1000000);
			if (!roll(50000))
				now += 20000000000; /* a quiet time */
			key[p] = key_of(id);
			time[p] = now;
			caplen[p] = roll(1500);
			wirelen[p] =
				caplen[p] +
				(roll(2000) ? 0 : 1000000000u); /* beyond 31 bits now and then */
			hash[p] = hashes == UINT32_MAX ? id * 2654435761u | 1 : 1 + id % hashes;
			layers[p] = (struct bpe_layers){
				.flags = (uint16_t)(BPE_PKT_KEY | (end ? BPE_PKT_REVERSED : 0)),
				.proto = BPE_PROTO_UDP,
				.ip_proto = 17,
				.transport = BPE_NO_OFFSET
			};
		}
		/* Records made within the call may lack later packets of the batch: they are taken
		 * off the sums all the same, which are 0 in the end. */
		for (uint32_t p = 0; p < n; p++) {
			struct sums *m = &model[ids[p]];
			uint32_t end = !!(layers[p].flags & BPE_PKT_REVERSED);
			m->packets[end]++, m->wire[end] += wirelen[p],
				m->captured[end] += caplen[p];
			m->last_ns = time[p];
		}
		struct bpe_batch b = { .count = n,
			.time_ns = time,
			.caplen = caplen,
			.wirelen = wirelen,
			.layers = layers,
			.key = key,
			.hash = hash };
		flow_clock_update(&timeline, t, &b, flow);
		if (exact) { /* every one is found where it is said to be, as the model has it */
			struct bpe_flow f;
			uint32_t p = roll(n);
			const struct sums *m = &model[ids[p]];
			if (bpei_table_get(t, flow[p], &key[p], &f) != 1)
				fail("not found", ids[p]);
			else if (f.packets[0] + f.packets[1] != m->packets[0] + m->packets[1] ||
				 f.wire_bytes[0] + f.wire_bytes[1] != m->wire[0] + m->wire[1])
				fail("counts as they stand", ids[p]);
		}
		done += n;
		const struct bpei_table_counts *c = bpei_table_counts(t);
		if (bpei_counter_get(&c->active) > max_flows)
			fail("more than there may be", 0);
		if (bpei_counter_get(&c->opened) != bpei_counter_get(&c->active) +
							    bpei_counter_get(&c->ended) +
							    bpei_counter_get(&c->evicted))
			fail("books", 0);
	}
	bpei_table_end_all(t);
	uint64_t evicted = 0;
	for (int k = 0; k < BPE_EVICTED_COUNT; k++)
		evicted += bpei_counter_get(&bpei_table_counts(t)->evicted_by[k]);
	if (evicted != bpei_counter_get(&bpei_table_counts(t)->evicted))
		fail("causes of evictions", 0);
	for (uint32_t id = 0; id < KEYS; id++)
		if (model[id].packets[0] | model[id].packets[1] | model[id].wire[0] |
			model[id].wire[1] | model[id].captured[0] | model[id].captured[1])
			fail("sums", id);
	printf("%-28s %llu packets, %llu records, %llu evicted, %s\n", name,
		(unsigned long long)operations, (unsigned long long)records,
		(unsigned long long)evicted, failures == before ? "good" : "WRONG");
	bpei_table_free(t);
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000,
		 seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 20240229;
	printf("seed %llu\n", (unsigned long long)seed);
	state = seed | 1;
	bpei_role_enter(&bpei_worker_role);
	run("exact", n, KEYS, 0, 0, UINT32_MAX);
	run("ages", n, KEYS, 5000000000, 0, UINT32_MAX);
	run("periods", n, KEYS, 5000000000, 3000000000, UINT32_MAX);
	run("too small", n, KEYS / 7, 5000000000, 0, UINT32_MAX);
	run("few hashes", n / 4, KEYS, 0, 0, 3000);
	run("hostile: one hash", n / 100, KEYS, 0, 0, 1);
	bpei_role_leave(&bpei_worker_role);
	printf("%d passed, %d failed\n", failures ? 0 : 6, failures ? 6 : 0);
	return failures != 0;
}
