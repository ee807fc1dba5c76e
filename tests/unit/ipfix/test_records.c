/* SPDX-License-Identifier: MIT */
/* Records of random flows in all forms: a walk by the templates alone finds every record whole, no
 * message is longer than its room, and every text is UTF-8.  Texts, names and times by hand. */
#include "ipfix_case.h"
#include "tools/ipfix/writing.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ROUNDS 300
#define FLOWS_A_ROUND 40

static uint64_t state = 88172645463325252u;

static uint32_t roll_word(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 20);
}

/* Templates as a collector learns them. */
static struct {
	uint32_t count;
	uint16_t ids[IPFIX_FIELDS_MOST], lengths[IPFIX_FIELDS_MOST];
} learnt[IPFIX_TEMPLATES];

static uint32_t read_short(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

/* Returns whether bytes are UTF-8, by the table of RFC 3629, section 4. */
static bool is_utf8(const uint8_t *s, size_t n)
{
	static const uint8_t rows[][5] = { { 0xc2, 0xdf, 0x80, 0xbf, 1 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 2 }, { 0xe1, 0xec, 0x80, 0xbf, 2 },
		{ 0xed, 0xed, 0x80, 0x9f, 2 }, { 0xee, 0xef, 0x80, 0xbf, 2 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 3 }, { 0xf1, 0xf3, 0x80, 0xbf, 3 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 3 } };
	size_t i = 0;

	while (i < n) {
		size_t r = 0;

		if (s[i] < 0x80) {
			i++;
			continue;
		}
		while (r < 8 && (s[i] < rows[r][0] || s[i] > rows[r][1]))
			r++;
		if (r == 8 || i + rows[r][4] >= n || s[i + 1] < rows[r][2] || s[i + 1] > rows[r][3])
			return false;
		for (size_t k = 2; k <= rows[r][4]; k++)
			if (s[i + k] < 0x80 || s[i + k] > 0xbf)
				return false;
		i += rows[r][4] + 1u;
	}
	return true;
}

/* Learns the templates of a set. */
static void learn_templates(const uint8_t *at, const uint8_t *end, bool is_option)
{
	while (end - at >= 8) {
		const uint32_t t = read_short(at) - 256;
		const uint32_t count = read_short(at + 2);

		at += is_option ? 6 : 4;
		cr_assert_lt(t, IPFIX_TEMPLATES);
		cr_assert_leq(count, IPFIX_FIELDS_MOST);
		learnt[t].count = count;
		for (uint32_t k = 0; k < count; k++) {
			cr_assert_leq(at + 4, end);
			learnt[t].ids[k] = (uint16_t)read_short(at);
			learnt[t].lengths[k] = (uint16_t)read_short(at + 2);
			at += at[0] & 0x80 ? 8 : 4;
		}
	}
	cr_assert_leq(end - at, 3);
}

/* Returns the end of a record. */
static const uint8_t *walk_record(const uint8_t *at, const uint8_t *end, uint32_t t)
{
	for (uint32_t k = 0; k < learnt[t].count; k++) {
		uint32_t length = learnt[t].lengths[k];
		const bool is_text = length == 65535 && learnt[t].ids[k] != (830 | 0x8000);

		if (length == 65535) {
			cr_assert_lt(at, end);
			length = *at++;
			if (length == 255) {
				length = read_short(at);
				at += 2;
			}
		}
		cr_assert_leq((long)length, end - at);
		cr_assert(!is_text || is_utf8(at, length));
		at += length;
	}
	return at;
}

/* Walks a message of IPFIX.  Returns the data records. */
static uint32_t walk_message(const uint8_t *bytes, size_t n)
{
	const uint8_t *at = bytes + 16;
	uint32_t records = 0;

	cr_assert_eq(read_short(bytes), 10);
	cr_assert_eq(read_short(bytes + 2), n);
	while (at < bytes + n) {
		const uint32_t id = read_short(at);
		const uint8_t *const end = at + read_short(at + 2);

		cr_assert_gt(end, at + 4);
		cr_assert_leq(end, bytes + n);
		at += 4;
		if (id < 4) {
			learn_templates(at, end, id == 3);
			at = end;
			continue;
		}
		cr_assert_lt(id - 256, IPFIX_TEMPLATES);
		cr_assert_gt(learnt[id - 256].count, 0);
		while (end - at > 3) {
			at = walk_record(at, end, id - 256);
			records++;
		}
		at = end;
	}
	return records;
}

/* Fills a flow with random bytes; texts need not end. */
static void roll_flow(struct bpe_flow *flow)
{
	static const uint8_t ends[] = { BPE_END_IDLE, BPE_END_CLOSED, BPE_END_EVICTED, BPE_END_STOP,
		BPE_END_ACTIVE };
	const bool is_short = roll_word() % 2;

	for (size_t i = 0; i < sizeof *flow; i++)
		((uint8_t *)flow)[i] = (uint8_t)(roll_word() % (is_short ? 8 : 256));
	flow->size = sizeof *flow;
	flow->ip_version = roll_word() % 2 ? 4 : 6;
	flow->end = ends[roll_word() % 5];
	flow->names.source = (uint8_t)(roll_word() % BPE_NAME_COUNT);
	flow->names.app = (uint8_t)(roll_word() % 4);
	if (roll_word() % 2)
		flow->vlan[0] = 0;
	if (roll_word() % 4 == 0)
		flow->packets[roll_word() % 2] = 0;
}

static struct ipfix_encoder encoder;
static struct bpe_flow flow;
static struct ipfix_message message;

/* Finishes the message and checks all of it. */
static void check_message(const uint8_t *buffer, size_t room, uint32_t *flows)
{
	const size_t n = ipfix_finish(&encoder, CASE_NOW_NS, &message);

	cr_assert_leq(n, room);
	*flows += message.flows;
	if (n > 0)
		cr_assert_eq(walk_message(buffer, n), message.records);
}

Test(ipfix_records, random_flows_in_all_forms)
{
	static const uint32_t rooms[] = { IPFIX_ROOM_LEAST, 1201, 1203, IPFIX_ROOM_PATH, 9000,
		IPFIX_ROOM_MOST };

	for (uint32_t round = 0; round < ROUNDS; round++) {
		const struct ipfix_config config = { .version = IPFIX_IPFIX,
			.profile = round % 4,
			.pen = round % 4 == IPFIX_OWN ? 32473 : 0,
			.is_biflow = round / 4 % 2,
			.is_ns = round / 8 % 2 };
		const size_t room = rooms[roll_word() % 6];
		uint8_t *buffer = malloc(room);
		const struct ipfix_books books = { .messages = 1 };
		uint32_t flows = 0;
		char why[128];

		memset(learnt, 0, sizeof learnt);
		cr_assert_eq(ipfix_open(&encoder, &config, why, sizeof why), 0);
		ipfix_begin(&encoder, buffer, room);
		for (uint32_t i = 0; i < FLOWS_A_ROUND; i++) {
			roll_flow(&flow);
			if (i % 16 == 7)
				ipfix_options_due(&encoder, &books);
			while (ipfix_add(&encoder, &flow) == IPFIX_FULL) {
				check_message(buffer, room, &flows);
				ipfix_begin(&encoder, buffer, room);
			}
		}
		do {
			check_message(buffer, room, &flows);
			ipfix_begin(&encoder, buffer, room);
		} while (ipfix_is_due(&encoder));
		check_message(buffer, room, &flows);
		cr_assert_eq(flows, FLOWS_A_ROUND);
		free(buffer);
	}
}

Test(ipfix_records, longest_record_fits_the_least_room)
{
	for (uint32_t profile = 0; profile <= IPFIX_OWN; profile++) {
		const struct ipfix_config config = { .version = IPFIX_IPFIX,
			.profile = profile,
			.pen = profile == IPFIX_OWN ? 32473 : 0,
			.is_biflow = true };
		const uint32_t most = ipfix_record_most(&config);
		uint8_t bytes[IPFIX_RECORD_MOST];
		char why[128];
		long n;

		cr_assert_leq(most, IPFIX_RECORD_MOST);
		cr_assert_leq(most + 16 + 4 + 3, IPFIX_ROOM_LEAST);
		cr_assert_eq(ipfix_open(&encoder, &config, why, sizeof why), 0);
		memset(&flow, 'x', sizeof flow);
		flow.names.app = 1;
		for (uint8_t source = 0; source < BPE_NAME_COUNT; source++) {
			flow.names.source = source;
			memset(flow.names.ja3, 'a', sizeof flow.names.ja3);
			n = ipfix_record_write(bytes, &encoder, &flow,
				    SHAPE_IP6 | SHAPE_ICMP | SHAPE_VLAN | SHAPE_BIFLOW, 0) -
			    bytes;
			cr_assert_leq(n, (long)most);
		}
	}
}

Test(ipfix_records, texts_carry_their_length)
{
	uint8_t bytes[300];
	char text[256];

	cr_assert_eq(ipfix_text_put(bytes, "", 16), bytes + 1);
	cr_assert_eq(bytes[0], 0);
	cr_assert_eq(ipfix_text_put(bytes, "h2", 16), bytes + 3);
	cr_assert_eq(bytes[0], 2);
	memset(text, 'n', sizeof text);
	/* 254 bytes have a length of a byte, 255 bytes have three (RFC 7011, 7). */
	cr_assert_eq(ipfix_text_put(bytes, text, 254), bytes + 255);
	cr_assert_eq(bytes[0], 254);
	cr_assert_eq(ipfix_text_put(bytes, text, 256), bytes + 258);
	cr_assert_eq(bytes[0], 255);
	cr_assert_eq(bytes[1], 0);
	cr_assert_eq(bytes[2], 255);
	cr_assert_eq(bytes[257], 'n');
}

Test(ipfix_records, texts_are_utf8)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = { { "caf\xc3\xa9", "caf\xc3\xa9" }, { "caf\xc3", "caf?" }, { "\xff\xfe", "??" },
		{ "\xc0\xaf", "??" }, { "\xed\xa0\x80", "???" },
		{ "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80" }, { "\xf4\x90\x80\x80", "????" },
		{ "\xe2\x82x", "??x" } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t bytes[16] = { 0 };

		cr_assert_eq(ipfix_text_copy(bytes, cases[i].text, 15), strlen(cases[i].wanted));
		cr_assert_str_eq((const char *)bytes, cases[i].wanted, "case %zu", i);
	}
}

Test(ipfix_records, reasons_of_ends)
{
	static const uint8_t reasons[] = { 0, 1, 3, 5, 4, 2, 0, 0 };

	for (uint8_t end = 0; end < sizeof reasons; end++) {
		flow.end = end;
		cr_assert_eq(ipfix_end_reason(&flow), reasons[end], "%u", end);
	}
}

Test(ipfix_records, pair_of_records_longer_than_a_message)
{
	const struct ipfix_config config = {
		.version = IPFIX_IPFIX, .profile = IPFIX_OWN, .pen = 32473
	};
	uint8_t buffer[IPFIX_ROOM_LEAST];
	uint32_t records = 0;
	uint32_t flows = 0;
	char why[128];

	cr_assert_eq(ipfix_open(&encoder, &config, why, sizeof why), 0);
	fill_case_flow(&flow);
	memset(flow.names.server, 's', 255);
	memset(flow.names.container, 'c', 63);
	memset(flow.names.client, 'h', 63);
	memset(flow.names.alpn, 'a', 31);
	memset(flow.names.ja4, '4', 39);
	memset(flow.comm, 'p', 31);
	memset(flow.effective_comm, 'e', 31);
	ipfix_begin(&encoder, buffer, sizeof buffer);
	for (int i = 0; i < 5; i++)
		while (ipfix_add(&encoder, &flow) == IPFIX_FULL) {
			ipfix_finish(&encoder, CASE_NOW_NS, &message);
			records += message.records;
			flows += message.flows;
			ipfix_begin(&encoder, buffer, sizeof buffer);
		}
	ipfix_finish(&encoder, CASE_NOW_NS, &message);
	/* A record is the interface's name. */
	cr_assert_eq(records + message.records, 11);
	cr_assert_eq(flows + message.flows, 5);
}
