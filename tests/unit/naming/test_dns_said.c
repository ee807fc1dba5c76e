/* SPDX-License-Identifier: MIT */
/* From answers to names of flows: chains of aliases, hints, names of mDNS. */
#include "naming/dns_said.h"

#include "dns_build.h"

#include <criterion/criterion.h>

#include <stdio.h>

#define SECOND 1000000000ll

static struct bpei_hosts *hosts;
static struct dns_build built;
static struct bpe_flow_names said;
static const uint8_t client[16] = { 10, 0, 0, 1 };
static const uint8_t server[16] = { 10, 0, 0, 53 };

static void set_up_said(void)
{
	hosts = bpei_hosts_new(1, 1 << 20);
	cr_assert_not_null(hosts);
}

static void tear_down_said(void)
{
	bpei_hosts_free(hosts);
}

TestSuite(dns_said, .init = set_up_said, .fini = tear_down_said);

static void put_built(bool mdns)
{
	const struct bpei_message message = { .bytes = built.bytes,
		.n = built.n,
		.version = 4,
		.from = server,
		.to = client,
		.time_ns = SECOND };
	struct bpei_dns_message dns;

	cr_assert(bpei_dns_open(&dns, built.bytes, built.n));
	if (mdns)
		bpei_mdns_said_put(hosts, 0, &dns, &message);
	else
		bpei_dns_said_put(hosts, 0, &dns, &message);
}

/* Returns the name of a flow from the client. */
static const char *name_of(const void *address, uint32_t bytes)
{
	uint8_t to[16] = { 0 };
	const struct bpei_hosts_ask ask = { client, to, bytes == 4 ? 4 : 6, SECOND };

	memcpy(to, address, bytes);
	memset(&said, 0, sizeof said);
	bpei_hosts_find(hosts, &ask, &said);
	return said.server;
}

static void begin_answer(const char *name, uint32_t type, uint32_t answers, uint32_t others)
{
	build_header(&built, 1, 0x8180, 1, answers, others);
	build_question(&built, name, type, 1);
}

Test(dns_said, the_name_asked_for_not_the_last_alias)
{
	begin_answer("www.shop.example", 1, 5, 0);
	build_cname(&built, "www.shop.example", 3000, "shop.cdn.example");
	build_cname(&built, "SHOP.cdn.example", 20, "edge7.cdn.example");
	build_a(&built, "edge7.cdn.example", 100, 0xc0000201);
	build_a(&built, "edge7.cdn.example", 100, 0xc0000202);
	build_a(&built, "unasked.example", 100, 0xc0000203);
	put_built(false);
	cr_assert_str_eq(name_of("\xc0\0\2\1", 4), "www.shop.example");
	cr_assert_eq(said.ttl_ns, 20 * SECOND, "the least TTL of the chain");
	cr_assert_str_eq(name_of("\xc0\0\2\2", 4), "www.shop.example");
	cr_assert_str_eq(name_of("\xc0\0\2\3", 4), "", "outside the chain");
}

Test(dns_said, aliases_may_come_in_any_order_and_in_circles)
{
	begin_answer("a.example", 1, 4, 0);
	build_a(&built, "d.example", 100, 0xc0000201);
	build_cname(&built, "c.example", 100, "d.example");
	build_cname(&built, "b.example", 100, "c.example");
	build_cname(&built, "a.example", 100, "b.example");
	put_built(false);
	cr_assert_str_eq(name_of("\xc0\0\2\1", 4), "a.example");
	begin_answer("x.example", 1, 2, 0);
	build_cname(&built, "x.example", 100, "y.example");
	build_cname(&built, "y.example", 100, "x.example");
	put_built(false);
}

Test(dns_said, addresses_of_both_versions)
{
	static const uint8_t six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };

	begin_answer("six.example", 28, 1, 0);
	build_data(&built, "six.example", 28, 60, six, 16);
	put_built(false);
	cr_assert_str_eq(name_of(six, 16), "six.example");
	begin_answer("short.example", 1, 1, 0);
	build_data(&built, "short.example", 1, 60, six, 3);
	put_built(false);
	cr_assert_str_eq(name_of(six, 4), "");
}

Test(dns_said, hints_of_https_records)
{
	static const uint8_t six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 2 };

	begin_answer("_8443._https.svc.example", 65, 1, 1);
	build_name(&built, "_8443._https.svc.example");
	build_record(&built, 65, 1, 60);
	build_u16(&built, 1);
	build_name(&built, "pool.svc.example");
	build_bytes(&built, "\0\1\0\3\2h3\0\4\0\10\xc0\0\2\7\xc0\0\2\10\0\6\0\x10", 23);
	build_bytes(&built, six, 16);
	build_record_end(&built);
	build_a(&built, "pool.svc.example", 60, 0xc0000209);
	put_built(false);
	cr_assert_str_eq(name_of("\xc0\0\2\7", 4), "svc.example");
	cr_assert_str_eq(name_of("\xc0\0\2\10", 4), "svc.example");
	cr_assert_str_eq(name_of(six, 16), "svc.example");
	cr_assert_str_eq(name_of("\xc0\0\2\11", 4), "svc.example", "of the target, told as well");
}

Test(dns_said, errors_and_other_questions_name_nothing)
{
	static const uint32_t flags[] = { 0x8183, 0x8980 };

	for (uint32_t i = 0; i < 2; i++) {
		begin_answer("no.example", 1, 1, 0);
		build_a(&built, "no.example", 60, 0xc0000201);
		bpei_put_be16(built.bytes + 2, (uint16_t)flags[i]);
		put_built(false);
	}
	begin_answer("mx.example", 15, 1, 0);
	build_a(&built, "mx.example", 60, 0xc0000201);
	put_built(false);
	begin_answer("", 1, 1, 0);
	build_a(&built, "", 60, 0xc0000201);
	put_built(false);
	begin_answer("chaos.example", 1, 1, 0);
	build_name(&built, "chaos.example");
	build_record(&built, 1, 3, 60);
	build_bytes(&built, "\xc0\0\2\1", 4);
	build_record_end(&built);
	put_built(false);
	cr_assert_str_eq(name_of("\xc0\0\2\1", 4), "");
}

/* Ends long chains: the names within the bounds are kept. */
Test(dns_said, work_is_bounded)
{
	char from[32] = "n0.example";
	char to[32];

	begin_answer(from, 1, 41, 0);
	for (uint32_t i = 1; i <= 40; i++) {
		snprintf(to, sizeof to, "n%u.example", i);
		build_cname(&built, from, 60, to);
		strcpy(from, to);
	}
	build_a(&built, from, 60, 0xc0000201);
	put_built(false);
	cr_assert_str_eq(name_of("\xc0\0\2\1", 4), "", "a chain of more than 16 names");
}

Test(dns_said, mdns_names_are_the_addresses_own)
{
	build_header(&built, 0, 0x8400, 0, 2, 2);
	build_name(&built, "5.0.0.10.in-addr.arpa");
	build_record(&built, 12, 0x8001, 120);
	build_name(&built, "Bobs-Laptop.local");
	build_record_end(&built);
	build_name(
		&built, "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.IP6.arpa");
	build_record(&built, 12, 0x8001, 120);
	build_name(&built, "Six.local");
	build_record_end(&built);
	build_a(&built, "Printer.local", 120, 0x0a000006);
	build_name(&built, "300.0.0.10.in-addr.arpa");
	build_record(&built, 12, 1, 120);
	build_name(&built, "wrong.local");
	build_record_end(&built);
	put_built(true);
	cr_assert_str_eq(name_of("\x0a\0\0\5", 4), "Bobs-Laptop.local");
	cr_assert_eq(said.source, BPE_NAME_MDNS);
	cr_assert_str_eq(name_of("\x0a\0\0\6", 4), "Printer.local");
	cr_assert_str_eq(name_of("\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16), "Six.local");
	cr_assert_str_eq(name_of("\x0a\0\0\x2c", 4), "");
	build_header(&built, 0, 0, 1, 1, 0);
	build_question(&built, "q.local", 1, 1);
	build_a(&built, "q.local", 120, 0x0a000008);
	put_built(true);
	cr_assert_str_eq(name_of("\x0a\0\0\x08", 4), "", "what a query knows is no answer");
}
