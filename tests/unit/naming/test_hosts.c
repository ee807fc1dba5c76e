/* SPDX-License-Identifier: MIT */
/* Names of addresses: who asked, times, candidates, eviction. */
#include "naming/hosts_table.h"

#include "base/bytes.h"

#include <criterion/criterion.h>

#define SECOND 1000000000ll
#define START (1000 * SECOND)

static struct bpei_hosts *hosts;
static struct bpe_flow_names said;

static void set_up_hosts(void)
{
	hosts = bpei_hosts_new(2, 1 << 20);
	cr_assert_not_null(hosts);
}

static void tear_down_hosts(void)
{
	bpei_hosts_free(hosts);
}

TestSuite(hosts, .init = set_up_hosts, .fini = tear_down_hosts);

/* Writes an IPv4 address; two can be in use. */
static const uint8_t *write_v4(uint32_t number)
{
	static uint8_t bytes[4][16];
	static uint32_t turn;
	uint8_t *to = bytes[turn++ % 4];

	bpei_put_be32(to, number);
	return to;
}

static void put_asked(
	uint32_t worker, uint32_t asker, uint32_t address, const char *name, int64_t time_ns)
{
	const struct bpei_host_said host = { .asker = write_v4(asker),
		.address = write_v4(address),
		.asker_version = 4,
		.version = 4,
		.source = BPE_NAME_DNS,
		.ttl_s = 300,
		.time_ns = time_ns,
		.name = name };

	bpei_hosts_put(hosts, worker, &host);
}

static void put_own(
	uint8_t source, uint32_t address, const char *name, uint32_t ttl_s, int64_t time_ns)
{
	const struct bpei_host_said host = { .address = write_v4(address),
		.version = 4,
		.source = source,
		.ttl_s = ttl_s,
		.time_ns = time_ns,
		.name = name };

	bpei_hosts_put(hosts, 0, &host);
}

/* Returns the name of the responder. */
static const char *find_server(uint32_t originator, uint32_t responder, int64_t first_ns)
{
	const struct bpei_hosts_ask ask = { write_v4(originator), write_v4(responder), 4,
		first_ns };

	memset(&said, 0, sizeof said);
	bpei_hosts_find(hosts, &ask, &said);
	return said.server;
}

Test(hosts, a_flow_gets_the_name_that_its_client_asked_for)
{
	cr_assert_str_eq(find_server(1, 100, START), "", "nothing is known");
	put_asked(0, 1, 100, "Www.Example.COM", START);
	cr_assert_str_eq(find_server(1, 100, START + 5 * SECOND), "www.example.com");
	cr_assert_eq(said.source, BPE_NAME_DNS);
	cr_assert_eq(said.age_ns, 5 * SECOND);
	cr_assert_eq(said.ttl_ns, 300 * SECOND);
	cr_assert_eq(said.others_count, 0);
	cr_assert_str_eq(said.client, "");
	cr_assert_str_eq(find_server(1, 101, START), "");
}

Test(hosts, workers_read_each_others_tables)
{
	put_asked(1, 1, 100, "one.example", START);
	cr_assert_str_eq(find_server(1, 100, START), "one.example");
	put_asked(0, 1, 100, "two.example", START + SECOND);
	cr_assert_str_eq(find_server(1, 100, START + 2 * SECOND), "two.example", "the newest");
	cr_assert_str_eq(said.others, "one.example");
	cr_assert_eq(said.others_count, 1);
	put_asked(1, 1, 100, "two.example", START + 3 * SECOND);
	find_server(1, 100, START + 3 * SECOND);
	cr_assert_str_eq(said.others, "one.example", "a name is told once");
	cr_assert_eq(said.age_ns, 0);
}

Test(hosts, times_bound_the_use)
{
	put_asked(0, 1, 100, "a.example", START);
	cr_assert_str_eq(find_server(1, 100, START - SECOND), "a.example", "workers do not wait");
	cr_assert_eq(said.age_ns, 0);
	cr_assert_str_eq(find_server(1, 100, START - SECOND - 1), "");
	cr_assert_str_eq(find_server(1, 100, START + 300 * SECOND), "a.example");
	cr_assert_str_eq(find_server(1, 100, START + 300 * SECOND + 1), "");
	/* Asked again, the name is known since the first time. */
	put_asked(0, 1, 100, "a.example", START + 200 * SECOND);
	cr_assert_str_eq(find_server(1, 100, START + 10 * SECOND), "a.example");
	cr_assert_eq(said.age_ns, 10 * SECOND, "of the answer before the flow");
	cr_assert_str_eq(find_server(1, 100, START + 500 * SECOND), "a.example");
	put_asked(0, 1, 100, "a.example", START + 9000 * SECOND);
	cr_assert_str_eq(find_server(1, 100, START + 8000 * SECOND), "", "not in between");
}

Test(hosts, an_answer_behind_the_flow_is_the_last_choice)
{
	put_asked(0, 1, 100, "before.example", START);
	put_asked(1, 1, 100, "soon.example", START + SECOND);
	cr_assert_str_eq(find_server(1, 100, START + SECOND - 1), "before.example");
	cr_assert_str_eq(said.others, "soon.example");
	cr_assert_eq(said.age_ns, SECOND - 1);
	put_asked(0, 1, 100, "before.example", START + SECOND);
	cr_assert_str_eq(find_server(1, 100, START + SECOND - 1), "before.example");
	cr_assert_eq(said.age_ns, SECOND - 1, "asked again behind");
}

Test(hosts, ttl_has_floor_and_ceiling)
{
	static const uint32_t ttls[][2] = { { 0, 60 }, { 59, 60 }, { 61, 61 }, { 86400, 86400 },
		{ 0x7fffffff, 86400 } };

	for (uint32_t i = 0; i < 5; i++) {
		const struct bpei_host_said host = { .asker = write_v4(1),
			.address = write_v4(200 + i),
			.asker_version = 4,
			.version = 4,
			.source = BPE_NAME_DNS,
			.ttl_s = ttls[i][0],
			.time_ns = START,
			.name = "t.example" };

		bpei_hosts_put(hosts, 0, &host);
		cr_assert_str_eq(find_server(1, 200 + i, START + ttls[i][1] * SECOND), "t.example");
		cr_assert_eq(said.ttl_ns, ttls[i][0] * SECOND, "as answered");
		cr_assert_str_eq(find_server(1, 200 + i, START + ttls[i][1] * SECOND + 1), "");
	}
}

Test(hosts, what_others_asked_counts_if_there_is_one_name)
{
	put_asked(0, 1, 100, "shared.example", START);
	cr_assert_str_eq(find_server(2, 100, START), "shared.example");
	put_asked(1, 3, 100, "other.example", START + SECOND);
	cr_assert_str_eq(find_server(2, 100, START + SECOND), "", "two workers, two names");
	put_asked(0, 4, 100, "third.example", START + 2 * SECOND);
	cr_assert_str_eq(find_server(2, 100, START + 3 * SECOND), "");
	cr_assert_str_eq(find_server(1, 100, START + 3 * SECOND), "shared.example", "its own");
	put_asked(0, 1, 101, "x.example", START);
	put_asked(0, 2, 101, "y.example", START + SECOND);
	cr_assert_str_eq(find_server(3, 101, START + SECOND), "", "two names in a table");
	cr_assert_str_eq(find_server(3, 101, START + 301 * SECOND), "y.example",
		"the other name's time is over");
}

Test(hosts, candidates_are_four_and_the_newest_first)
{
	static const char *const names[] = { "a.example", "b.example", "c.example", "d.example",
		"e.example" };

	for (uint32_t i = 0; i < 5; i++)
		put_asked(0, 1, 100, names[i], START + i * SECOND);
	cr_assert_str_eq(find_server(1, 100, START + 9 * SECOND), "e.example");
	cr_assert_str_eq(said.others, "d.example,c.example,b.example");
	cr_assert_eq(said.others_count, 3);
	cr_assert_eq(bpei_hosts_evicted(hosts, 0), 1);
	put_asked(0, 1, 100, "c.example", START + 10 * SECOND);
	cr_assert_str_eq(find_server(1, 100, START + 10 * SECOND), "c.example");
	cr_assert_str_eq(said.others, "e.example,d.example,b.example");
}

Test(hosts, others_that_do_not_fit_are_counted)
{
	char name[256];

	for (uint32_t i = 0; i < 4; i++) {
		memset(name, 'a' + (int)i, 200);
		name[200] = 0;
		put_asked(0, 1, 100, name, START + i * SECOND);
	}
	find_server(1, 100, START + 9 * SECOND);
	cr_assert_eq(said.others_count, 3);
	cr_assert_eq(strlen(said.others), 200);
	cr_assert_eq(said.others[0], 'c');
	memset(name, 'z', 255);
	name[255] = 0;
	put_asked(0, 1, 102, name, START);
	cr_assert_str_eq(find_server(1, 102, START), name, "255 bytes");
}

Test(hosts, own_names_name_both_ends)
{
	put_own(BPE_NAME_DHCP, 7, "Laptop", 7200, START);
	find_server(7, 9, START);
	cr_assert_str_eq(said.client, "Laptop");
	cr_assert_str_eq(said.server, "");
	put_own(BPE_NAME_MDNS, 7, "Laptop.local", 120, START);
	find_server(7, 9, START + SECOND);
	cr_assert_str_eq(said.client, "Laptop.local", "mDNS before DHCP");
	find_server(9, 7, START + SECOND);
	cr_assert_str_eq(said.server, "Laptop.local");
	cr_assert_eq(said.source, BPE_NAME_MDNS);
	find_server(7, 9, START + 3601 * SECOND);
	cr_assert_str_eq(said.client, "Laptop", "an hour is the least");
	put_own(BPE_NAME_MDNS, 7, "Laptop.local", 0, START + 2 * SECOND);
	find_server(7, 9, START + 3 * SECOND);
	cr_assert_str_eq(said.client, "Laptop", "taken back");
	put_own(BPE_NAME_MDNS, 8, "never.local", 0, START);
	find_server(8, 9, START);
	cr_assert_str_eq(said.client, "");
}

Test(hosts, better_sources_stay)
{
	struct bpei_hosts_ask ask = { write_v4(1), write_v4(100), 4, START };

	put_asked(0, 1, 100, "dns.example", START);
	memset(&said, 0, sizeof said);
	strcpy(said.server, "sni.example");
	said.source = BPE_NAME_TLS;
	bpei_hosts_find(hosts, &ask, &said);
	cr_assert_str_eq(said.server, "sni.example");
	cr_assert_eq(said.source, BPE_NAME_TLS);
	strcpy(said.server, "mdns.local");
	said.source = BPE_NAME_MDNS;
	strcpy(said.client, "kept");
	bpei_hosts_find(hosts, &ask, &said);
	cr_assert_str_eq(said.server, "dns.example");
	cr_assert_str_eq(said.client, "kept");
}

Test(hosts, versions_are_kept_apart)
{
	static const uint8_t six[16] = { 0, 0, 0, 100 };
	const struct bpei_host_said host = { .asker = write_v4(1),
		.address = six,
		.asker_version = 4,
		.version = 6,
		.source = BPE_NAME_DNS,
		.ttl_s = 60,
		.time_ns = START,
		.name = "six.example" };
	const struct bpei_hosts_ask ask = { six, six, 6, START };

	bpei_hosts_put(hosts, 0, &host);
	cr_assert_str_eq(find_server(1, 100, START), "");
	memset(&said, 0, sizeof said);
	bpei_hosts_find(hosts, &ask, &said);
	cr_assert_str_eq(said.server, "six.example", "asked over IPv4, by the address alone");
}

Test(hosts, a_full_table_forgets_the_oldest_and_grows_no_more)
{
	const uint64_t most = 1 << 20;
	uint64_t found = 0;
	const uint32_t flood = 200000;

	for (uint32_t i = 0; i < flood; i++)
		put_asked(0, i, 0x0a000000 + i, "flood.example", START + i);
	cr_assert_leq(bpei_hosts_bytes(hosts, 0), most);
	cr_assert_gt(bpei_hosts_bytes(hosts, 0), most / 4);
	cr_assert_gt(bpei_hosts_evicted(hosts, 0), flood);
	cr_assert_eq(bpei_hosts_evicted(hosts, 1), 0);
	for (uint32_t i = 0; i < 100; i++)
		found +=
			*find_server(flood - 1 - i, 0x0a000000 + flood - 1 - i, START + flood) != 0;
	cr_assert_gt(found, 95, "the newest stay: %llu of 100", (unsigned long long)found);
	cr_assert_str_eq(find_server(0, 0x0a000000, START + flood), "", "the oldest went");
	/* Puts of names that nobody can use any more turn out nothing that counts. */
	found = bpei_hosts_evicted(hosts, 0);
	for (uint32_t i = 0; i < 50; i++)
		put_asked(0, i, i, "late.example", START + 100000 * SECOND);
	cr_assert_eq(bpei_hosts_evicted(hosts, 0), found);
}
