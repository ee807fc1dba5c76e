/* SPDX-License-Identifier: MIT */
/* Any payload in any order through a namer with little memory.  The memory stays within the bound,
 * texts end within their arrays, and nothing is left at the end.
 *
 * Input: a byte for options.names, a byte for the memory, then packets.  A packet is a head of 6
 * bytes and payload.  Head: flow (bits 0-2), end (3), UDP (4), cut (5), SYN (6), FIN (7).  The
 * second byte has steps of time, the end of a batch and the end of the flow.  16 bits each follow
 * for the place in the stream, and for the length of the payload. */
#include "fuzz.h"
#include "naming/watch.h"

#include <string.h>

#define FLOWS 8u
#define FIRST_SEQ 0xfffffe00u /* so that numbers wrap */
#define MOST_PAYLOAD 2000u

enum {
	STEP_SECONDS = 31, /* of the second byte */
	STEP_BATCH = 32,
	STEP_END = 64,
	STEP_AGE = 128
};

struct naming_run {
	struct bpei_namer *namer;
	uint32_t ids[FLOWS + 1];
	int64_t now_ns;
	uint32_t n;
	uint64_t packets, events;
	uint8_t bytes[BPE_BATCH][128 + MOST_PAYLOAD];
	const uint8_t *data[BPE_BATCH];
	int64_t time_ns[BPE_BATCH];
	uint32_t caplen[BPE_BATCH], wirelen[BPE_BATCH], flow[BPE_BATCH], hash[BPE_BATCH];
	struct bpe_layers layers[BPE_BATCH];
	struct bpe_key key[BPE_BATCH];
};

static struct naming_run run;

/* Returns the end of the key as the flow's. */
static int find_fuzzed_end(
	const struct bpei_table *table, uint32_t entry, const struct bpe_key *key, uint32_t end)
{
	(void)table;
	FUZZ_CHECK(entry < FLOWS && key->port[0] == 1);
	return (int)end;
}

/* Counts an event, and reads the names of the flow. */
static void count_fuzzed_event(
	void *user, uint32_t kind, uint32_t entry, int64_t time_ns, const struct bpe_dns *dns)
{
	struct bpe_flow record = { .ip_version = 4 };

	(void)user;
	(void)time_ns;
	FUZZ_CHECK(kind > 0 && kind < BPE_EVENT_COUNT && entry < FLOWS);
	FUZZ_CHECK((dns != NULL) == (kind == BPE_EVENT_DNS));
	bpei_namer_fill(run.namer, entry, &record);
	run.events++;
}

/* Checks that a text ends within its array. */
#define CHECK_TEXT(text) FUZZ_CHECK(memchr(text, 0, sizeof text) != NULL)

/* Checks the names of a flow, and the bounds. */
static void check_fuzzed_names(uint32_t entry)
{
	struct bpe_flow record = { .ip_version = 4 };
	const struct bpe_flow_names *const n = &record.names;
	const struct bpei_namer *const namer = run.namer;

	bpei_namer_fill(run.namer, entry, &record);
	FUZZ_CHECK(n->app < BPE_APP_COUNT && n->source < BPE_NAME_COUNT);
	FUZZ_CHECK(!n->source == !n->server[0]);
	CHECK_TEXT(n->server);
	CHECK_TEXT(n->others);
	CHECK_TEXT(n->client);
	CHECK_TEXT(n->alpn);
	CHECK_TEXT(n->ja4);
	CHECK_TEXT(n->ja3);
	CHECK_TEXT(n->method);
	CHECK_TEXT(n->subject);
	CHECK_TEXT(n->issuer);
	for (int k = 0; k < 2; k++) {
		CHECK_TEXT(n->hassh[k]);
		CHECK_TEXT(n->banner[k]);
	}
	FUZZ_CHECK(bpei_counter_get(&namer->account.used) <= namer->account.most);
	FUZZ_CHECK(namer->watches.used <= FLOWS);
	FUZZ_CHECK(namer->chunks.used <= 2 * FLOWS * BPEI_SIDE_CHUNKS);
}

/* Gives the packets at hand to the namer. */
static void pass_fuzzed_batch(void) BPEI_UNCHECKED
{
	const struct bpe_batch batch = { .size = sizeof batch,
		.count = run.n,
		.data = run.data,
		.time_ns = run.time_ns,
		.caplen = run.caplen,
		.wirelen = run.wirelen,
		.layers = run.layers,
		.key = run.key,
		.hash = run.hash,
		.flow = run.flow };

	if (!run.n)
		return;
	bpei_namer_batch(run.namer, &batch, run.now_ns);
	run.packets += run.n;
	run.n = 0;
	for (uint32_t k = 0; k < FLOWS; k++)
		check_fuzzed_names(k);
}

/* Ends a flow, as the table does. */
static void end_fuzzed_flow(uint32_t entry)
{
	if (run.ids[entry])
		bpei_namer_close(run.namer, entry);
	if (run.ids[entry])
		bpei_namer_drop(run.namer, entry);
	FUZZ_CHECK(run.ids[entry] == BPEI_ID_NEW);
}

/* Stores a number of 16 bits in network byte order. */
static void store_fuzzed(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Writes a packet's IPv4 and transport header.  Returns their length. */
static uint32_t write_fuzzed_headers(uint8_t *ip, uint8_t head, uint32_t at, uint32_t length)
{
	const bool is_udp = head & 16;
	const uint32_t end = head >> 3 & 1;
	const uint32_t header = is_udp ? 28 : 40;
	const uint32_t seq = FIRST_SEQ + at - (head & 64 ? 1 : 0);

	memset(ip, 0, header);
	ip[0] = 0x45;
	store_fuzzed(ip + 2, header + length);
	ip[8] = 64;
	ip[9] = is_udp ? 17 : 6;
	ip[12] = 10;
	ip[16] = 10;
	ip[end ? 19 : 15] = 1; /* 10.0.0.1 and 10.0.0.2: port 1 is the lower address's */
	ip[end ? 15 : 19] = 2;
	store_fuzzed(ip + 20, 1 + end * ((head & 7u) + 1));
	store_fuzzed(ip + 22, 1 + !end * ((head & 7u) + 1));
	if (is_udp) {
		store_fuzzed(ip + 24, 8 + length);
		return header;
	}
	store_fuzzed(ip + 24, seq >> 16);
	store_fuzzed(ip + 26, seq & 0xffff);
	store_fuzzed(ip + 28, FIRST_SEQ >> 16);
	store_fuzzed(ip + 30, FIRST_SEQ & 0xffff);
	ip[32] = 0x50;
	ip[33] = (uint8_t)(16 | (head >> 6 & 1) << 1 | head >> 7); /* ACK, SYN, FIN */
	return header;
}

/* Reads a packet of the input, and puts the packet into the batch. */
static void put_fuzzed_packet(struct fuzz_input *in)
{
	const uint8_t head = fuzz_u8(in);
	const uint8_t step = fuzz_u8(in);
	const uint32_t at = fuzz_u16(in);
	uint32_t length = fuzz_u16(in) % MOST_PAYLOAD;
	const uint32_t k = run.n;

	if (length > fuzz_left(in))
		length = (uint32_t)fuzz_left(in);
	const uint32_t header = write_fuzzed_headers(run.bytes[k], head, at, length);

	if (length)
		memcpy(run.bytes[k] + header, in->next, length);
	in->next += length;
	run.now_ns += 1 + (step & STEP_SECONDS) * INT64_C(100000000);
	run.wirelen[k] = header + length;
	run.caplen[k] = run.wirelen[k] - (head & 32 ? length / 2 : 0);
	run.data[k] = run.bytes[k];
	run.time_ns[k] = run.now_ns;
	run.hash[k] = 1;
	run.flow[k] = head & 7;
	if (bpe_parse(run.data[k], run.caplen[k], run.wirelen[k], 101, &run.layers[k],
		    &run.key[k]) == 1)
		run.n++;
	if (run.n == BPE_BATCH || step & (STEP_BATCH | STEP_END | STEP_AGE))
		pass_fuzzed_batch();
	if (step & STEP_END)
		end_fuzzed_flow(head & 7);
}

/* Ends all flows.  Nothing is left, and each flow with unfinished payload was counted once. */
static void end_fuzzed_run(void) BPEI_UNCHECKED
{
	struct bpei_namer *const n = run.namer;

	pass_fuzzed_batch();
	bpei_namer_finish(n);
	FUZZ_CHECK(!n->watches.used && !n->oldest && !n->newest);
	for (uint32_t k = 0; k < FLOWS; k++) {
		check_fuzzed_names(k);
		end_fuzzed_flow(k);
	}
	FUZZ_CHECK(!n->chunks.used && !n->slabs.pool.used && !n->slabs.texts.used);
	FUZZ_CHECK(bpei_counter_get(&n->counts.flows) <= run.packets);
	FUZZ_CHECK(bpei_counter_get(&n->counts.evicted) <= run.packets * 2);
	bpei_namer_free(n);
}

void fuzz_naming(const uint8_t *bytes, size_t count)
{
	struct fuzz_input in = { bytes, bytes + count };
	struct bpei_namer_options options = { .quic_per_second = 3,
		.worker = 0,
		.seed = 5,
		.end_of = find_fuzzed_end,
		.emit = count_fuzzed_event };

	options.names = fuzz_u8(&in);
	options.bytes = 65536u << fuzz_u8(&in) % 5;
	options.hosts = options.names & 1 ? bpei_hosts_new(1, 65536) : NULL;
	memset(&run, 0, offsetof(struct naming_run, bytes));
	run.now_ns = INT64_C(1000000000000);
	run.namer = bpei_namer_new(&options);
	FUZZ_CHECK(run.namer != NULL);
	bpei_namer_ids(run.namer, NULL, run.ids, FLOWS + 1);
	while (fuzz_left(&in)) {
		put_fuzzed_packet(&in);
		if (bpei_counter_get(&run.namer->counts.flows) > 1000)
			break;
	}
	end_fuzzed_run();
	bpei_hosts_free(options.hosts);
}
