/* SPDX-License-Identifier: MIT */
/* Queries and answers: pairs, times, room; host names of DHCP. */
#include "naming/dns_pairs.h"

#include "dns_build.h"

#include <criterion/criterion.h>

#define MILLISECOND 1000000ll
#define SECOND 1000000000ll

/* An emitted event. */
struct emitted {
	uint32_t entry, seen;
	uint16_t id, type;
	uint8_t rcode;
	int64_t time_ns, rtt_ns;
	char query[256];
};

static struct emitted events[64];
static uint32_t emitted;
static struct bpei_hosts *hosts;
static struct bpei_dns_pairs *pairs;
static struct dns_build built;
static const uint8_t client[16] = { 10, 0, 0, 1 };
static const uint8_t server[16] = { 10, 0, 0, 53 };

static void note_event(void *user, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns)
{
	struct emitted *event = events + emitted++ % 64;

	cr_assert_eq(user, &events);
	*event = (struct emitted){ .entry = entry, .seen = dns->seen, .id = dns->id };
	event->type = dns->type;
	event->rcode = dns->rcode;
	event->time_ns = time_ns;
	event->rtt_ns = dns->rtt_ns;
	strcpy(event->query, dns->query);
}

static void set_up_pairs(void)
{
	hosts = bpei_hosts_new(1, 1 << 20);
	pairs = bpei_dns_pairs_new(hosts, 0, BPE_NAMES_ALL, note_event, events);
	cr_assert_not_null(pairs);
	emitted = 0;
}

static void tear_down_pairs(void)
{
	bpei_dns_pairs_free(pairs);
	bpei_hosts_free(hosts);
}

TestSuite(dns_pairs, .init = set_up_pairs, .fini = tear_down_pairs);

/* Gives the built message to the pairs. */
static bool give_built(uint8_t app, uint32_t entry, bool answer, int64_t time_ns)
{
	const uint8_t *const ends[] = { client, server };
	const struct bpei_message message = { .bytes = built.bytes,
		.n = built.n,
		.app = app,
		.version = 4,
		.from = ends[answer],
		.to = ends[!answer],
		.entry = entry,
		.time_ns = time_ns };

	return bpei_dns_pairs_message(pairs, &message);
}

static void give_query(uint32_t entry, uint16_t id, const char *name, int64_t time_ns)
{
	build_header(&built, id, 0x0100, 1, 0, 0);
	build_question(&built, name, 1, 1);
	cr_assert(give_built(BPE_APP_DNS, entry, false, time_ns));
}

static void give_answer(uint32_t entry, uint16_t id, const char *name, int64_t time_ns)
{
	build_header(&built, id, 0x8180, 1, 1, 0);
	build_question(&built, name, 1, 1);
	build_a(&built, name, 60, 0xc0000201);
	cr_assert(give_built(BPE_APP_DNS, entry, true, time_ns));
}

Test(dns_pairs, an_answer_finds_its_query)
{
	give_query(3, 7, "www.example.com", SECOND);
	cr_assert_eq(emitted, 0);
	give_answer(3, 7, "WWW.example.com", SECOND + 12 * MILLISECOND);
	cr_assert_eq(emitted, 1);
	cr_assert_eq(events[0].entry, 3);
	cr_assert_eq(events[0].seen, BPE_DNS_QUERY | BPE_DNS_ANSWER);
	cr_assert_eq(events[0].rtt_ns, 12 * MILLISECOND);
	cr_assert_eq(events[0].time_ns, SECOND + 12 * MILLISECOND);
	give_answer(3, 7, "www.example.com", SECOND + 13 * MILLISECOND);
	cr_assert_eq(events[1].seen, BPE_DNS_ANSWER, "a second answer has no query left");
	cr_assert_eq(events[1].rtt_ns, -1);
	cr_assert_eq(bpei_dns_pairs_messages(pairs), 3);
}

Test(dns_pairs, answers_in_another_order_and_ids_used_again)
{
	give_query(1, 5, "a.example", 0);
	give_query(1, 5, "b.example", MILLISECOND);
	give_query(1, 6, "a.example", 2 * MILLISECOND);
	give_query(2, 5, "a.example", 3 * MILLISECOND);
	give_answer(2, 5, "a.example", 10 * MILLISECOND);
	give_answer(1, 6, "a.example", 10 * MILLISECOND);
	give_answer(1, 5, "b.example", 10 * MILLISECOND);
	give_answer(1, 5, "a.example", 10 * MILLISECOND);
	for (uint32_t i = 0; i < 4; i++)
		cr_assert_eq(events[i].rtt_ns, (7 + i) * MILLISECOND, "%u", i);
	give_answer(1, 9, "a.example", 11 * MILLISECOND);
	cr_assert_eq(events[4].seen, BPE_DNS_ANSWER, "another id");
	give_query(1, 5, "a.example", 20 * MILLISECOND);
	give_answer(1, 5, "a.example", 25 * MILLISECOND);
	cr_assert_eq(events[5].rtt_ns, 5 * MILLISECOND, "the id is used again");
}

Test(dns_pairs, a_query_sent_again_waits_since_the_first)
{
	give_query(1, 5, "a.example", 0);
	give_query(1, 5, "a.example", 2 * SECOND);
	give_answer(1, 5, "a.example", 3 * SECOND);
	cr_assert_eq(emitted, 1);
	cr_assert_eq(events[0].rtt_ns, 3 * SECOND);
	bpei_dns_pairs_expire(pairs, 100 * SECOND);
	cr_assert_eq(emitted, 1);
}

Test(dns_pairs, queries_without_an_answer_are_told)
{
	give_query(1, 5, "a.example", 0);
	give_query(2, 6, "b.example", 4 * SECOND);
	give_query(1, 7, "c.example", 5 * SECOND);
	bpei_dns_pairs_expire(pairs, BPEI_DNS_WAIT_NS - 1);
	cr_assert_eq(emitted, 0);
	bpei_dns_pairs_expire(pairs, BPEI_DNS_WAIT_NS);
	cr_assert_eq(emitted, 1);
	cr_assert_str_eq(events[0].query, "a.example");
	cr_assert_eq(events[0].seen, BPE_DNS_QUERY);
	cr_assert_eq(events[0].rtt_ns, -1);
	cr_assert_eq(events[0].time_ns, 0);
	cr_assert_eq(events[0].type, 1);
	bpei_dns_pairs_end(pairs, 1);
	cr_assert_eq(emitted, 2);
	cr_assert_str_eq(events[1].query, "c.example", "its flow ended");
	bpei_dns_pairs_expire(pairs, 100 * SECOND);
	cr_assert_eq(emitted, 3);
	bpei_dns_pairs_end(pairs, 2);
	cr_assert_eq(emitted, 3);
}

Test(dns_pairs, an_error_without_a_question_takes_the_flows_query)
{
	give_query(1, 5, "a.example", 0);
	build_header(&built, 5, 0x8181, 0, 0, 0);
	cr_assert(give_built(BPE_APP_DNS, 2, true, MILLISECOND));
	cr_assert_eq(events[0].seen, BPE_DNS_ANSWER, "another flow");
	cr_assert(give_built(BPE_APP_DNS, 1, true, MILLISECOND));
	cr_assert_eq(events[1].seen, BPE_DNS_QUERY | BPE_DNS_ANSWER);
	cr_assert_eq(events[1].rcode, 1);
	cr_assert_str_eq(events[1].query, "a.example");
}

/* Floods the pairs: room is for BPEI_DNS_WAITING queries; each query becomes an event. */
Test(dns_pairs, a_flood_of_queries_is_bounded_and_counted)
{
	const uint32_t flood = 20000;

	for (uint32_t i = 0; i < flood; i++)
		give_query(i % 3, (uint16_t)i, "flood.example", i);
	cr_assert_eq(emitted, flood - BPEI_DNS_WAITING);
	cr_assert_eq(events[(emitted - 1) % 64].time_ns, flood - BPEI_DNS_WAITING - 1,
		"the oldest first");
	give_answer((flood - 1) % 3, (uint16_t)(flood - 1), "flood.example", flood);
	cr_assert_eq(events[(emitted - 1) % 64].rtt_ns, 1);
	bpei_dns_pairs_end(pairs, 0);
	bpei_dns_pairs_end(pairs, 1);
	bpei_dns_pairs_end(pairs, 2);
	cr_assert_eq(emitted, flood);
	bpei_dns_pairs_expire(pairs, 1000 * SECOND);
	cr_assert_eq(emitted, flood);
	/* The room is free again. */
	for (uint32_t i = 0; i < BPEI_DNS_WAITING; i++)
		give_query(i, 1, "again.example", 1000 * SECOND);
	cr_assert_eq(emitted, flood);
}

Test(dns_pairs, mdns_and_malformed_messages)
{
	build_header(&built, 0, 0, 1, 0, 0);
	build_question(&built, "printer.local", 1, 1);
	cr_assert(give_built(BPE_APP_MDNS, 4, false, SECOND));
	cr_assert_eq(emitted, 1, "nobody need answer");
	cr_assert_eq(events[0].seen, BPE_DNS_QUERY);
	built.n -= 2;
	cr_assert(!give_built(BPE_APP_MDNS, 4, false, SECOND));
	cr_assert(!give_built(BPE_APP_DNS, 4, false, SECOND));
	cr_assert_eq(emitted, 1);
	cr_assert_eq(bpei_dns_pairs_messages(pairs), 3);
}

/* Returns the name of a flow from the client to an address. */
static const char *named_as(uint32_t address, const char *what)
{
	static struct bpe_flow_names said;
	uint8_t to[16] = { 0 };
	const struct bpei_hosts_ask ask = { client, to, 4, 2 * SECOND };

	bpei_put_be32(to, address);
	memset(&said, 0, sizeof said);
	bpei_hosts_find(hosts, &ask, &said);
	return strcmp(what, "client") ? said.server : said.client;
}

Test(dns_pairs, bits_of_names_choose)
{
	bpei_dns_pairs_free(pairs);
	pairs = bpei_dns_pairs_new(hosts, 0, BPE_NAMES_HOSTS, note_event, events);
	give_query(1, 5, "a.example", SECOND);
	give_answer(1, 5, "a.example", SECOND);
	bpei_dns_pairs_expire(pairs, 100 * SECOND);
	cr_assert_eq(emitted, 0);
	cr_assert_str_eq(named_as(0xc0000201, "server"), "");
	bpei_dns_pairs_free(pairs);
	pairs = bpei_dns_pairs_new(hosts, 0, BPE_NAMES_DNS, NULL, NULL);
	give_query(1, 5, "a.example", SECOND);
	give_answer(1, 5, "a.example", SECOND);
	bpei_dns_pairs_end(pairs, 1);
	cr_assert_eq(emitted, 0);
	cr_assert_str_eq(named_as(0xc0000201, "server"), "a.example");
	bpei_dns_pairs_free(pairs);
	pairs = bpei_dns_pairs_new(NULL, 0, BPE_NAMES_ALL, note_event, events);
	give_answer(1, 5, "a.example", SECOND);
	cr_assert_eq(emitted, 1, "events need no table of hosts");
}

/* Builds a message of DHCP of a client; name: "": none. */
static void build_dhcp(uint8_t operation, uint8_t type, uint8_t last, const char *name)
{
	const uint8_t head[] = { 12, (uint8_t)strlen(name) };

	memset(built.bytes, 0, 240);
	built.n = 240;
	memcpy(built.bytes, "\1\1\6", 3);
	built.bytes[0] = operation;
	memcpy(built.bytes + 28, "\2\0\0\0\0\7", 6);
	memcpy(built.bytes + 236, "\x63\x82\x53\x63", 4);
	if (operation == 2)
		memcpy(built.bytes + 16, client, 4);
	built.bytes[19] = operation == 2 ? last : 0;
	build_bytes(&built, "\x35\1", 2);
	build_bytes(&built, &type, 1);
	if (!*name)
		return;
	build_bytes(&built, head, 2);
	build_bytes(&built, name, head[1]);
}

Test(dns_pairs, the_servers_answer_gets_the_name_that_the_client_said)
{
	build_dhcp(1, 1, 0, "laptop");
	cr_assert(give_built(BPE_APP_DHCP, 1, false, SECOND));
	cr_assert_str_eq(named_as(9, "client"), "");
	build_dhcp(2, 5, 1, "");
	cr_assert(give_built(BPE_APP_DHCP, 2, true, SECOND));
	cr_assert_str_eq(named_as(9, "client"), "laptop");
	build_dhcp(2, 5, 1, "renamed");
	cr_assert(give_built(BPE_APP_DHCP, 2, true, SECOND + 1));
	cr_assert_str_eq(named_as(9, "client"), "renamed", "the server knows better");
	built.n = 200;
	cr_assert(!give_built(BPE_APP_DHCP, 2, true, SECOND));
	cr_assert_eq(emitted, 0);
	cr_assert_eq(bpei_dns_pairs_messages(pairs), 0);
}
