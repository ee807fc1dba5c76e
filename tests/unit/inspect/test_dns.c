/* SPDX-License-Identifier: MIT */
/* Messages: header, questions, records, the event of a message. */
#include "inspect/dns.h"

#include "dns_build.h"

#include <criterion/criterion.h>

static struct dns_build built;
static struct bpei_dns_message message;
static struct bpe_dns event;

/* Opens the first n bytes, out of a copy that ends there; the copy is freed by the next call. */
static bool open_built(uint32_t n)
{
	static uint8_t *exact;

	free(exact);
	exact = malloc(n + !n);
	cr_assert_not_null(exact);
	memcpy(exact, built.bytes, n);
	return bpei_dns_open(&message, exact, n);
}

/* Counts the records that a walk finds. */
static uint32_t count_walked(bool *bad)
{
	struct bpei_dns_record record;
	struct bpei_dns_walk walk;
	uint32_t n = 0;

	bpei_dns_walk_init(&walk, &message);
	while (bpei_dns_walk_next(&walk, &record)) {
		cr_assert_leq(record.data + record.data_bytes, message.n);
		n++;
	}
	*bad = walk.bad;
	return n;
}

/* Builds a question, an alias, two addresses, EDNS. */
static void build_answer(void)
{
	build_header(&built, 0x1234, 0x8180, 1, 3, 1);
	build_question(&built, "www.example.com", 1, 1);
	build_cname(&built, "www.example.com", 300, "web.example.net");
	build_a(&built, "web.example.net", 60, 0xc0000201);
	build_a(&built, "web.example.net", 0x80000000u, 0xc0000202);
	build_name(&built, "");
	build_record(&built, 41, 1232, 0x01008000);
	build_record_end(&built);
}

Test(dns, an_answer_becomes_an_event)
{
	bool bad = true;

	build_answer();
	cr_assert(open_built(built.n));
	cr_assert_eq(count_walked(&bad), 4);
	cr_assert(!bad);
	bpei_dns_fill(&event, &message);
	cr_assert_eq(event.id, 0x1234);
	cr_assert_eq(event.flags, 0x8180);
	cr_assert_eq(event.seen, BPE_DNS_ANSWER);
	cr_assert_eq(event.type, 1);
	cr_assert_eq(event.class_, 1);
	cr_assert_eq(event.rcode, 16, "EDNS has the upper bits of the code: %u", event.rcode);
	cr_assert_eq(event.rtt_ns, -1);
	cr_assert_eq(event.answer_count, 3);
	cr_assert_eq(event.answer_total, 3);
	cr_assert_str_eq(event.query, "www.example.com");
	cr_assert_eq(event.answers[0].type, 5);
	cr_assert_eq(event.answers[0].ttl, 300);
	cr_assert_str_eq(event.answers[0].text, "web.example.net");
	cr_assert_str_eq(event.answers[1].text, "192.0.2.1");
	cr_assert_eq(event.answers[2].ttl, 0, "a TTL with the highest bit is 0");
}

Test(dns, each_truncation_is_bounded)
{
	uint32_t most = 0;

	build_answer();
	for (uint32_t n = 0; n < built.n; n++) {
		bool bad = false;

		if (!open_built(n)) {
			cr_assert_lt(n, 33, "the question is whole at 33 bytes");
			continue;
		}
		cr_assert_geq(n, 33);
		cr_assert_geq(count_walked(&bad), most);
		most = count_walked(&bad);
		cr_assert(bad);
		bpei_dns_fill(&event, &message);
		cr_assert_str_eq(event.query, "www.example.com");
		cr_assert_leq(event.answer_count, most);
	}
	cr_assert_eq(most, 3);
}

Test(dns, more_answers_than_room_are_counted)
{
	build_header(&built, 1, 0x8180, 1, 40, 0);
	build_question(&built, "many.example", 1, 1);
	for (uint32_t i = 0; i < 40; i++)
		build_a(&built, "many.example", 60, 0xc0000200 + i);
	cr_assert(open_built(built.n));
	bpei_dns_fill(&event, &message);
	cr_assert_eq(event.answer_count, BPE_DNS_ANSWERS);
	cr_assert_eq(event.answer_total, 40);
	cr_assert_str_eq(event.answers[BPE_DNS_ANSWERS - 1].text, "192.0.2.23");
}

Test(dns, a_query_has_no_answers)
{
	build_header(&built, 7, 0x0100, 1, 0, 0);
	build_question(&built, "Example.COM", 28, 0x8001);
	cr_assert(open_built(built.n));
	bpei_dns_fill(&event, &message);
	cr_assert_eq(event.seen, BPE_DNS_QUERY);
	cr_assert_eq(event.type, 28);
	cr_assert_eq(event.class_, 1, "the bit that asks for unicast is not the class");
	cr_assert_str_eq(event.query, "Example.COM", "as it was sent");
	cr_assert_eq(event.answer_count, 0);
}

Test(dns, an_announcement_is_named_by_its_first_record)
{
	build_header(&built, 0, 0x8400, 0, 1, 0);
	build_a(&built, "printer.local", 120, 0x0a000007);
	cr_assert(open_built(built.n));
	bpei_dns_fill(&event, &message);
	cr_assert_str_eq(event.query, "printer.local");
	cr_assert_eq(event.type, 1);
	cr_assert_eq(event.answer_count, 1);
}

Test(dns, counts_beyond_the_message_end_the_walk)
{
	bool bad = false;

	build_header(&built, 1, 0x8180, 1, 0xffff, 0xffff);
	build_question(&built, "a.example", 1, 1);
	build_a(&built, "a.example", 60, 1);
	cr_assert(open_built(built.n));
	cr_assert_eq(count_walked(&bad), 1);
	cr_assert(bad);
	build_header(&built, 1, 0x0100, 0xffff, 0, 0);
	build_question(&built, "a.example", 1, 1);
	cr_assert(!open_built(built.n), "questions are cut off");
}
