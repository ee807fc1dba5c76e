/* SPDX-License-Identifier: MIT */
/* Dealing packets to workers by each property; records do not depend on the property. */
#include "packet/spread.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 4
#define MOST_HOSTS 4096u

/* ---- Options ---- */

static int init_spread(struct bpei_spread *s, uint32_t by, const char *networks)
{
	struct bpe_options o;
	struct bpe_error error = { 0 };

	bpe_options_init(&o);
	o.flows = false;
	o.spread = by;
	o.spread_networks = networks;
	const int status = bpei_spread_init(s, &o, &error);

	cr_expect(status == BPE_OK || (error.status == status && strstr(error.text, "spread")));
	return status;
}

Test(spread, reads_networks)
{
	static const char *const wrong[] = { "", ",", "10.0.0.0/8,", "10.0.0.0/33", "::/129",
		"10.0.0/8", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.0/-1", "10.0.0.0/ 8", "host",
		" 10.0.0.0/8", "fe80::1%lo0/64",
		"0000:0000:0000:0000:0000:0000:255.255.255.255/00000000000000000000000000128" };
	struct bpei_spread s;
	char many[70 * 12] = "";

	cr_expect_eq(init_spread(&s, BPE_SPREAD_HOST, NULL), BPE_OK);
	cr_expect_eq(s.count, 6);
	cr_expect_eq(init_spread(&s, BPE_SPREAD_HOST, "10.1.2.3/8,::1,0.0.0.0/0,::/0"), BPE_OK);
	cr_expect_eq(s.count, 4);
	for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
		cr_expect_eq(
			init_spread(&s, BPE_SPREAD_HOST, wrong[k]), BPE_E_ARGUMENT, "%s", wrong[k]);
	for (int k = 0; k < BPEI_SPREAD_NETWORKS; k++)
		strcat(many, k ? ",10.0.0.0/8" : "10.0.0.0/8");
	cr_expect_eq(init_spread(&s, BPE_SPREAD_HOST, many), BPE_OK);
	strcat(many, ",::1");
	cr_expect_eq(init_spread(&s, BPE_SPREAD_HOST, many), BPE_E_ARGUMENT);
	cr_expect_eq(init_spread(&s, BPE_SPREAD_TUNNEL + 1, NULL), BPE_E_ARGUMENT);
}

/* Refuses at both levels options that contradict the spread. */
Test(spread, refuses_what_contradicts)
{
	struct bpe_engine *e = NULL;
	struct bpe_capture *c = NULL;
	struct bpe_options o;
	struct bpe_error error;

	for (uint32_t by = BPE_SPREAD_SOURCE; by <= BPE_SPREAD_TUNNEL; by++) {
		bpe_options_init(&o);
		o.interface_name = "synth:count=1";
		o.spread = by;
		o.ignore_vlan = by == BPE_SPREAD_VLAN;
		o.ignore_tunnel = by == BPE_SPREAD_TUNNEL;
		cr_expect_eq(bpe_engine_open(&o, &e, &error), BPE_E_ARGUMENT);
		cr_expect(strstr(error.text, "spread by"), "%s", error.text);
		cr_expect_eq(bpe_capture_open(&o, &c, &error), BPE_E_ARGUMENT);
		o.flows = o.ignore_vlan = o.ignore_tunnel = false;
		cr_assert_eq(bpe_engine_open(&o, &e, &error), BPE_OK, "%s", error.text);
		bpe_engine_close(e);
	}
}

Test(spread, by_tunnel_wants_an_open_tunnel)
{
	const uint64_t all = BPE_TUNNEL_BIT(BPE_TUNNEL_COUNT) - BPE_TUNNEL_BIT(1);
	struct bpe_error error = { 0 };
	struct bpei_spread s;
	struct bpe_options o;

	bpe_options_init(&o);
	o.spread = BPE_SPREAD_TUNNEL;
	o.closed_tunnels = all;
	cr_expect_eq(bpei_spread_init(&s, &o, &error), BPE_E_ARGUMENT);
	cr_expect(strstr(error.text, "finds no tunnel"), "%s", error.text);
	o.closed_tunnels = all - BPE_TUNNEL_BIT(BPE_TUNNEL_VXLAN);
	cr_expect_eq(bpei_spread_init(&s, &o, &error), BPE_OK);
}

/* ---- Single packets ---- */

/* Returns the key of a packet between two addresses, and the packet's flags. */
static struct bpe_key make_key(const char *from, const char *to, uint16_t *flags)
{
	struct bpe_key key = { .port = { 1000, 2000 }, .ip_proto = 17 };
	uint8_t addr[2][16] = { { 0 }, { 0 } };
	const int family = strchr(from, ':') ? AF_INET6 : AF_INET;

	key.ip_version = family == AF_INET6 ? 6 : 4;
	cr_assert_eq(inet_pton(family, from, addr[0]), 1);
	cr_assert_eq(inet_pton(family, to, addr[1]), 1);
	const bool reversed = memcmp(addr[0], addr[1], 16) > 0;

	memcpy(key.addr[0], addr[reversed], 16);
	memcpy(key.addr[1], addr[!reversed], 16);
	*flags = (uint16_t)(BPE_PKT_KEY | (reversed ? BPE_PKT_REVERSED : 0));
	return key;
}

/* Returns the hash by which a packet with this key is dealt. */
static uint32_t deal_packet(uint32_t by, const char *networks, const char *from, const char *to,
	uint16_t vlan, uint32_t tunnel)
{
	struct bpei_dissector d = { .any = vlan ? BPE_PKT_VLAN : 0 };
	struct bpei_spread s;
	struct bpe_layers layers = { 0 };
	struct bpe_key key = make_key(from, to, &layers.flags);
	uint32_t hash;
	uint32_t room[BPE_BATCH];
	const struct bpei_columns c = { .layers = &layers, .key = &key, .hash = &hash };

	bpei_seed_init(&d.seed, 7);
	key.vlan[0] = vlan;
	key.tunnel = tunnel;
	bpei_hash(&c, 1, &d.seed);
	cr_assert_eq(init_spread(&s, by, networks), BPE_OK);
	return bpei_spread_hashes(&s, &d, &c, 1, room)[0];
}

#define HOST(from, to) deal_packet(BPE_SPREAD_HOST, NULL, from, to, 0, 0)

Test(spread, a_host_is_the_end_in_the_networks)
{
	const uint32_t ten = HOST("10.0.0.5", "8.8.8.8");
	const uint32_t six = HOST("fd00::5", "2001:db8::1");

	cr_expect_eq(HOST("8.8.8.8", "10.0.0.5"), ten);
	cr_expect_eq(HOST("10.0.0.5", "9.9.9.9"), ten);
	cr_expect_eq(HOST("1.1.1.1", "10.0.0.5"), ten); /* the higher address */
	cr_expect_neq(HOST("10.0.0.6", "8.8.8.8"), ten);
	cr_expect_eq(HOST("10.0.0.5", "192.168.1.1"), ten); /* both: the lower */
	cr_expect_eq(HOST("192.168.1.1", "10.0.0.5"), ten);
	cr_expect_eq(HOST("8.8.8.8", "9.9.9.9"), HOST("9.9.9.9", "8.8.8.8"));
	cr_expect_eq(HOST("8.8.8.8", "9.9.9.9"), HOST("8.8.8.8", "9.9.9.10")); /* none: the lower */
	cr_expect_eq(HOST("2001:db8::7", "fd00::5"), six);
	cr_expect_eq(HOST("fe80::1", "ff02::fb"), HOST("fe80::1", "ff02::1"));
	cr_expect_eq(HOST("8.8.8.8", "172.31.255.255"), HOST("9.9.9.9", "172.31.255.255"));
	cr_expect_eq(HOST("8.8.8.8", "172.32.0.0"), HOST("8.8.8.8", "172.32.0.1"));
}

Test(spread, a_host_may_be_in_other_networks)
{
	static const char networks[] = "203.0.113.128/25,2001:db8::/32";
	const uint32_t host =
		deal_packet(BPE_SPREAD_HOST, networks, "203.0.113.200", "10.0.0.1", 0, 0);

	cr_expect_eq(
		deal_packet(BPE_SPREAD_HOST, networks, "10.9.9.9", "203.0.113.200", 0, 0), host);
	cr_expect_neq(
		deal_packet(BPE_SPREAD_HOST, networks, "10.9.9.9", "203.0.113.100", 0, 0), host);
	cr_expect_eq(deal_packet(BPE_SPREAD_HOST, networks, "2001:db8::1", "2001:500::1", 0, 0),
		deal_packet(BPE_SPREAD_HOST, networks, "2001:500::2", "2001:db8::1", 0, 0));
	/* An IPv4 network holds no IPv6 address with the same first bytes. */
	cr_expect_eq(deal_packet(BPE_SPREAD_HOST, "32.0.0.0/3", "1::1", "2001:db8::1", 0, 0),
		deal_packet(BPE_SPREAD_HOST, "32.0.0.0/3", "1::1", "2001:db8::2", 0, 0));
}

Test(spread, source_and_destination_are_the_packets)
{
	const uint32_t to = deal_packet(BPE_SPREAD_DESTINATION, NULL, "10.0.0.1", "8.8.8.8", 0, 0);
	const uint32_t from = deal_packet(BPE_SPREAD_SOURCE, NULL, "10.0.0.1", "8.8.8.8", 0, 0);

	cr_expect_neq(to, from);
	cr_expect_eq(deal_packet(BPE_SPREAD_SOURCE, NULL, "10.0.0.1", "9.9.9.9", 0, 0), from);
	cr_expect_eq(deal_packet(BPE_SPREAD_SOURCE, NULL, "8.8.8.8", "10.0.0.1", 0, 0), to);
	cr_expect_eq(deal_packet(BPE_SPREAD_DESTINATION, NULL, "8.8.8.8", "10.0.0.1", 0, 0), from);
}

Test(spread, vlans_and_tunnels_else_the_flow)
{
	const uint32_t flow = deal_packet(BPE_SPREAD_FLOW, NULL, "10.0.0.1", "8.8.8.8", 0, 0);
	const uint32_t vlan = deal_packet(BPE_SPREAD_VLAN, NULL, "10.0.0.1", "8.8.8.8", 5, 0);
	const uint32_t tunnel = deal_packet(BPE_SPREAD_TUNNEL, NULL, "10.0.0.1", "8.8.8.8", 0, 77);

	cr_expect_eq(deal_packet(BPE_SPREAD_VLAN, NULL, "10.0.0.1", "8.8.8.8", 0, 0), flow);
	cr_expect_eq(deal_packet(BPE_SPREAD_TUNNEL, NULL, "10.0.0.1", "8.8.8.8", 0, 0), flow);
	cr_expect_eq(deal_packet(BPE_SPREAD_FLOW, NULL, "10.0.0.1", "8.8.8.8", 5, 0), flow);
	cr_expect_eq(deal_packet(BPE_SPREAD_VLAN, NULL, "fd00::1", "fd00::2", 5, 77), vlan);
	cr_expect_neq(deal_packet(BPE_SPREAD_VLAN, NULL, "10.0.0.1", "8.8.8.8", 6, 0), vlan);
	cr_expect_eq(deal_packet(BPE_SPREAD_TUNNEL, NULL, "fd00::1", "fd00::2", 5, 77), tunnel);
	cr_expect_neq(deal_packet(BPE_SPREAD_TUNNEL, NULL, "10.0.0.1", "8.8.8.8", 0, 78), tunnel);
}

/* ---- Whole runs ---- */

struct host {
	uint8_t addr[16];
	uint64_t packets;
};

/* A worker's own hosts: only the worker's thread writes. */
struct hosts {
	struct host slot[MOST_HOSTS];
	uint32_t count;
	uint64_t packets;
};

static struct hosts seen[WORKERS];

/* Returns the client of generated traffic: 10.0.0.0/8 or 2001:db8:c100::/40. */
static const uint8_t *client_of(const struct bpe_key *key)
{
	static const uint8_t six[5] = { 0x20, 0x01, 0x0d, 0xb8, 0xc1 };

	for (int end = 0; end < 2; end++) {
		if (key->ip_version == 4 && key->addr[end][0] == 10)
			return key->addr[end];
		if (key->ip_version == 6 && !memcmp(key->addr[end], six, sizeof six))
			return key->addr[end];
	}
	return NULL;
}

static void count_clients(void *user, const struct bpe_batch *b)
{
	struct hosts *own = &seen[b->worker];

	(void)user;
	own->packets += b->count;
	for (uint32_t i = 0; i < b->count; i++) {
		const uint8_t *client = NULL;
		uint32_t k = 0;

		if (b->layers[i].flags & BPE_PKT_KEY)
			client = client_of(&b->key[i]);
		if (!client)
			continue;
		while (k < own->count && memcmp(own->slot[k].addr, client, 16) != 0)
			k++;
		if (k == MOST_HOSTS)
			continue;
		if (k == own->count)
			memcpy(own->slot[own->count++].addr, client, 16);
		own->slot[k].packets++;
	}
}

static int compare_hosts(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* Runs generated traffic over the workers and returns the hosts of all, sorted by address. */
static struct hosts *run_clients(int workers)
{
	struct hosts *all = calloc(1, sizeof *all);
	struct bpe_options o;
	struct bpe_engine *e;

	memset(seen, 0, sizeof seen);
	bpe_options_init(&o);
	o.interface_name = "synth:flows=400,count=40000,seed=3";
	o.workers = workers;
	o.fixed_seed = true;
	o.spread = workers ? BPE_SPREAD_HOST : BPE_SPREAD_FLOW;
	o.spread_networks = workers ? "10.0.0.0/8,2001:db8:c100::/40" : NULL;
	o.on_batch = count_clients;
	cr_assert_eq(bpe_engine_open(&o, &e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
	bpe_engine_close(e);
	for (int w = 0; w < WORKERS; w++) {
		cr_assert_leq(all->count + seen[w].count, MOST_HOSTS);
		memcpy(&all->slot[all->count], seen[w].slot, seen[w].count * sizeof(struct host));
		all->count += seen[w].count;
		all->packets += seen[w].packets;
	}
	qsort(all->slot, all->count, sizeof *all->slot, compare_hosts);
	return all;
}

/* Counts of workers need no merging: a single worker counts all packets of a host. */
Test(spread, each_host_is_counted_on_one_worker, .timeout = 550)
{
	struct hosts *one = run_clients(0);
	struct hosts *four = run_clients(WORKERS);

	cr_expect_eq(one->packets, 40000);
	cr_expect_eq(four->packets, 40000);
	cr_expect_geq(one->count, 300);
	cr_assert_eq(four->count, one->count);
	cr_expect(!memcmp(four->slot, one->slot, one->count * sizeof *one->slot));
	/* 400 clients on 4 workers: half of a fair share is far from chance. */
	for (int w = 0; w < WORKERS; w++)
		cr_expect_geq(seen[w].packets, 5000);
	free(one);
	free(four);
}

#define MOST_RECORDS 20000
static pthread_mutex_t records_mutex = PTHREAD_MUTEX_INITIALIZER;
static char *records[2][MOST_RECORDS];
static size_t record_count[2];

static void keep_record(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	const int which = *(int *)user;
	struct bpe_flow copy = *flow;
	char line[BPE_FORMAT_BYTES];

	(void)worker;
	copy.worker = 0;
	if (bpe_flow_format(&copy, BPE_FORMAT_JSON, line, sizeof line) <= 0)
		return;
	pthread_mutex_lock(&records_mutex);
	if (record_count[which] < MOST_RECORDS)
		records[which][record_count[which]++] = strdup(line);
	pthread_mutex_unlock(&records_mutex);
}

static int compare_records(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void collect_records(int which, uint32_t by)
{
	struct bpe_options o;
	struct bpe_engine *e;

	for (size_t k = 0; k < record_count[which]; k++)
		free(records[which][k]);
	record_count[which] = 0;
	bpe_options_init(&o);
	o.interface_name = "synth:flows=200,count=30000,seed=9,vlan=30";
	o.workers = 3;
	o.fixed_seed = true;
	o.spread = by;
	o.on_flow = keep_record;
	o.user = &which;
	cr_assert_eq(bpe_engine_open(&o, &e, NULL), BPE_OK);
	cr_assert_eq(bpe_engine_run(e, 0, NULL), BPE_OK);
	bpe_engine_close(e);
	qsort(records[which], record_count[which], sizeof(char *), compare_records);
}

/* Hosts, VLAN ids and tunnels keep flows whole: the records equal a spread by flow's. */
Test(spread, records_do_not_depend_on_it, .timeout = 550)
{
	static const uint32_t whole[] = { BPE_SPREAD_HOST, BPE_SPREAD_VLAN, BPE_SPREAD_TUNNEL };

	collect_records(0, BPE_SPREAD_FLOW);
	cr_assert_gt(record_count[0], 1000);
	for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) {
		collect_records(1, whole[k]);
		cr_assert_eq(record_count[1], record_count[0], "spread %u", whole[k]);
		for (size_t i = 0; i < record_count[0]; i++)
			cr_assert_str_eq(records[1][i], records[0][i], "spread %u", whole[k]);
	}
}
