/* SPDX-License-Identifier: MIT */
/* Any bytes as messages of DNS, mDNS, LLMNR and DHCP.  Readers say nothing where they say NOT;
 * texts end, and have no control bytes; each message becomes an event; memory stays within bounds.
 *
 * The input is a row of messages: a byte of choices, the length in two bytes, the bytes. */
#include "fuzz.h"
#include "inspect/dhcp.h"
#include "inspect/dns.h"
#include "naming/dns_pairs.h"

#include <string.h>

#define HOSTS_BYTES 20000u
#define SECOND 1000000000ll

/* Messages and events of an input. */
struct dns_counts {
	uint64_t queries, answers, asked, answered;
};

/* Checks a text: the end is within the room, and no byte is for a terminal. */
static void check_dns_text(const char *text, size_t room)
{
	const char *end = memchr(text, 0, room);

	FUZZ_CHECK(end);
	for (; text < end; text++)
		FUZZ_CHECK((uint8_t)*text >= ' ' && *text != 0x7f);
}

static void check_dns_event(void *user, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns)
{
	struct dns_counts *counts = user;

	FUZZ_CHECK(entry < 4 && time_ns >= 0 && dns->rtt_ns >= -1);
	FUZZ_CHECK(dns->answer_count <= BPE_DNS_ANSWERS && dns->answer_count <= dns->answer_total);
	FUZZ_CHECK(dns->seen && dns->seen <= (BPE_DNS_QUERY | BPE_DNS_ANSWER));
	check_dns_text(dns->query, sizeof dns->query);
	for (uint32_t i = 0; i < dns->answer_count; i++)
		check_dns_text(dns->answers[i].text, sizeof dns->answers[i].text);
	counts->asked += dns->seen == BPE_DNS_QUERY;
	counts->answered += (dns->seen & BPE_DNS_ANSWER) != 0;
}

/* Gives a payload to all readers, over UDP and over TCP. */
static void ask_dns_readers(const uint8_t *bytes, uint32_t n, uint32_t choice)
{
	static const uint16_t ports[] = { 53, 5353, 5355, 547, 67, 137, 9999, 0 };
	enum bpei_verdict (*const readers[])(struct bpei_inspector *, struct bpei_stream *,
		struct bpe_flow_names *) = { bpei_read_dns, bpei_read_mdns, bpei_read_llmnr,
		bpei_read_dhcp, bpei_read_dhcp6 };
	const struct bpe_flow_names none = { .app = 0 };
	struct bpei_inspector in = { .names = BPE_NAMES_ALL };

	for (uint32_t i = 0; i < 10; i++) {
		const uint16_t ends[1] = { (uint16_t)n };
		struct bpe_flow_names said = none;
		struct bpei_stream stream = { .bytes = bytes,
			.n = n,
			.port = { ports[choice % 8], 40000 },
			.last = choice >> 7 };
		enum bpei_verdict verdict = BPEI_NOT;

		if (i < 5) {
			stream.ends = ends;
			stream.datagrams = 1;
		}
		verdict = readers[i % 5](&in, &stream, &said);
		FUZZ_CHECK(verdict == BPEI_NOT || verdict == BPEI_MORE || verdict == BPEI_EACH);
		FUZZ_CHECK(verdict == BPEI_EACH || !memcmp(&said, &none, sizeof said));
		FUZZ_CHECK(verdict != BPEI_MORE ||
			   (stream.want > n && stream.want <= BPEI_STREAM_MOST));
	}
}

/* Reads a payload as DHCP. */
static void read_fuzzed_dhcp(const uint8_t *bytes, uint32_t n)
{
	struct bpei_dhcp_said said;

	for (uint32_t version = 4; version <= 6; version += 2) {
		bool good = false;

		if (version == 4)
			good = bpei_dhcp_read(&said, bytes, n);
		else
			good = bpei_dhcp6_read(&said, bytes, n);
		FUZZ_CHECK(said.count <= BPEI_DHCP_ADDRESSES && said.version == version);
		check_dns_text(said.name, sizeof said.name);
		if (good && said.client_bytes)
			FUZZ_CHECK(said.client >= bytes &&
				   said.client + said.client_bytes <= bytes + n);
	}
}

/* Reads a message; returns the bytes of the input. */
static uint32_t read_fuzzed_message(struct bpei_dns_pairs *pairs, struct dns_counts *counts,
	struct fuzz_input *in, int64_t now_ns)
{
	static const uint8_t ends[2][16] = { { 10, 0, 0, 1 }, { 10, 0, 0, 53 } };
	const uint32_t choice = fuzz_u8(in);
	uint32_t n = fuzz_u16(in);
	uint8_t *exact = NULL;
	struct bpei_dns_message dns;
	struct bpei_message message = { .version = 4, .time_ns = now_ns, .entry = choice >> 4 & 3 };

	if (n > fuzz_left(in))
		n = (uint32_t)fuzz_left(in);
	exact = malloc(n + !n);
	if (!exact)
		abort();
	memcpy(exact, in->next, n);
	in->next += n;
	ask_dns_readers(exact, n, choice);
	read_fuzzed_dhcp(exact, n);
	message.bytes = exact;
	message.n = n;
	message.app = (uint8_t)(BPE_APP_DNS + choice % 5);
	message.cut = choice >> 7;
	message.from = ends[choice >> 6 & 1];
	message.to = ends[!(choice >> 6 & 1)];
	bpei_dns_pairs_message(pairs, &message);
	if (choice % 5 < 3 && bpei_dns_open(&dns, exact, n)) {
		counts->queries += !(dns.flags & BPEI_DNS_RESPONSE);
		counts->answers += (dns.flags & BPEI_DNS_RESPONSE) != 0;
	}
	free(exact);
	return n;
}

void fuzz_dns(const uint8_t *bytes, size_t n)
{
	static const uint8_t client[16] = { 10, 0, 0, 1 };
	struct fuzz_input in = { bytes, bytes + n };
	struct dns_counts counts = { 0 };
	struct bpei_hosts *hosts = bpei_hosts_new(1, HOSTS_BYTES);
	struct bpei_dns_pairs *pairs =
		bpei_dns_pairs_new(hosts, 0, BPE_NAMES_ALL, check_dns_event, &counts);
	int64_t now_ns = 0;

	if (!hosts || !pairs)
		abort();
	while (fuzz_left(&in)) {
		const uint8_t *address = in.next;
		const uint32_t length = read_fuzzed_message(pairs, &counts, &in, now_ns);
		struct bpe_flow_names said = { .app = 0 };
		uint8_t to[16] = { 0 };
		const struct bpei_hosts_ask ask = { client, to, 4, now_ns };

		if (length >= 4)
			memcpy(to, address + length - 1, 4);
		bpei_hosts_find(hosts, &ask, &said);
		check_dns_text(said.server, sizeof said.server);
		check_dns_text(said.others, sizeof said.others);
		check_dns_text(said.client, sizeof said.client);
		now_ns += SECOND;
		bpei_dns_pairs_expire(pairs, now_ns);
		if (length % 8 == 7)
			bpei_dns_pairs_end(pairs, length >> 3 & 3);
	}
	bpei_dns_pairs_expire(pairs, now_ns + 100 * SECOND);
	/* A query which is sent again is no second event, nor is a query with an answer. */
	FUZZ_CHECK(counts.answered == counts.answers && counts.asked <= counts.queries);
	FUZZ_CHECK(bpei_hosts_bytes(hosts, 0) <= HOSTS_BYTES);
	bpei_dns_pairs_free(pairs);
	bpei_hosts_free(hosts);
}
