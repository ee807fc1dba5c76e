/* SPDX-License-Identifier: MIT */
/* The namer: payload in any order, bounds and their counters, and balanced books. */
#include "namer_harness.h"

#define GET "GET / HTTP/1.1\r\nHost: www.example.com\r\n\r\n"
#define OK "HTTP/1.1 204 No Content\r\n\r\n"
#define NAME "www.example.com"
#define CLIENT 5000u
#define SERVER 90000u
#define MIB (1u << 20)

static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 },
	{ 2, 0, 1 }, { 2, 1, 0 } };

/* Sends bytes [from, to) of a text as a segment of the originator, whose text begins at seq. */
static void send_part(uint32_t entry, uint32_t seq, const char *text, uint32_t from, uint32_t to)
{
	send_named((struct packet){ .entry = entry,
		.seq = seq + from,
		.ack = SERVER,
		.flags = 0x18,
		.payload = text + from,
		.n = to - from });
}

static void send_answer(uint32_t entry)
{
	send_named((struct packet){ .entry = entry,
		.end = 1,
		.seq = SERVER,
		.ack = CLIENT + 1,
		.flags = 0x18,
		.payload = OK,
		.n = sizeof OK - 1 });
}

/* Sends a text cut twice, in an order, after a handshake. */
static void send_three(uint32_t entry, uint32_t seq, const uint32_t cuts[4], const uint8_t order[3])
{
	send_named_handshake(entry, seq, SERVER);
	for (int k = 0; k < 3; k++) {
		const uint32_t part = order[k];

		if (cuts[part] < cuts[part + 1])
			send_part(entry, seq, GET, cuts[part], cuts[part + 1]);
	}
}

Test(namer, each_cut_in_each_order_gives_the_name)
{
	const uint32_t n = sizeof GET - 1;
	uint32_t entry = 0;
	uint32_t flows = 0;

	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t a = 0; a < n; a++)
		for (uint32_t b = a; b < n; b++)
			for (int o = 0; o < 6; o++) {
				const uint32_t cuts[4] = { 0, a, b, n };

				end_flow(entry);
				/* Half of the numbers wrap within the text. */
				send_three(entry, b % 2 ? 0u - a : CLIENT, cuts, orders[o]);
				const struct bpe_flow_names *const names = names_of(entry);

				cr_assert_str_eq(names->server, NAME, "%u %u %d", a, b, o);
				cr_assert_eq(names->app, BPE_APP_HTTP);
				cr_assert_eq(names->source, BPE_NAME_HTTP);
				cr_assert_eq(names->flags & BPE_NAMED_CUT, 0);
				entry = (entry + 1) % 50;
				flows++;
			}
	cr_assert_eq(bpei_counter_get(&namer->counts.flows), flows);
	cr_assert_eq(bpei_counter_get(&namer->counts.evicted), 0);
	free_namer();
}

Test(namer, a_segment_sent_again_changes_nothing)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_named_handshake(1, CLIENT, SERVER);
	send_part(1, CLIENT, GET, 0, 20);
	send_part(1, CLIENT, "XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX", 0, 20);
	send_part(1, CLIENT, GET, 10, 20);
	send_part(1, CLIENT, GET, 30, sizeof GET - 1);
	send_part(1, CLIENT, "YYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYY", 31, 40);
	send_part(1, CLIENT, GET, 5, sizeof GET - 1);
	cr_assert_str_eq(names_of(1)->server, NAME);
	send_answer(1);
	cr_assert_eq(names_of(1)->http_status, 204);
	cr_assert_eq(told, 1u << BPE_EVENT_HTTP);
	free_namer();
}

Test(namer, a_whole_request_needs_no_bytes)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_named_handshake(1, CLIENT, SERVER);
	cr_assert_eq(namer->watches.used, 0, "a handshake keeps nothing");
	send_part(1, CLIENT, GET, 0, sizeof GET - 1);
	cr_assert_eq(namer->chunks.touched, 0);
	cr_assert_eq(namer->watches.used, 1, "the answer is to come");
	send_answer(1);
	cr_assert_eq(namer->watches.used, 0);
	cr_assert(!bpei_id_is_open(ids[1]));
	free_namer();
}

Test(namer, a_flow_is_recognised_in_its_midst)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_part(1, CLIENT, "no protocol at all", 0, 18);
	send_part(1, CLIENT + 18, GET, 0, sizeof GET - 1);
	cr_assert_str_eq(names_of(1)->server, NAME);
	/* The answer comes first, and in two parts. */
	send_named((struct packet){ .entry = 2,
		.end = 1,
		.seq = SERVER,
		.ack = CLIENT,
		.flags = 0x10,
		.payload = OK,
		.n = 10 });
	send_part(2, CLIENT, GET, 0, sizeof GET - 1);
	cr_assert_str_eq(names_of(2)->server, NAME);
	free_namer();
}

Test(namer, the_answer_of_a_syn_tells_where_the_originator_begins)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_named((struct packet){
		.entry = 1, .end = 1, .seq = SERVER - 1, .ack = CLIENT, .flags = 0x12 });
	send_part(1, CLIENT, GET, 12, sizeof GET - 1);
	send_part(1, CLIENT, GET, 0, 12);
	cr_assert_str_eq(names_of(1)->server, NAME);
	free_namer();
}

Test(namer, tags_and_ip6_make_no_difference)
{
	struct packet p = { .seq = CLIENT, .flags = 0x18, .payload = GET, .n = sizeof GET - 1 };

	make_namer(BPE_NAMES_ALL, MIB);
	for (p.entry = 0; p.entry < 4; p.entry++) {
		p.vlan = p.entry & 1;
		p.ip6 = p.entry & 2;
		send_named(p);
		cr_assert_str_eq(names_of(p.entry)->server, NAME);
	}
	free_namer();
}

Test(namer, a_fin_ends_what_is_incomplete)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_named_handshake(1, CLIENT, SERVER);
	send_part(1, CLIENT, GET, 0, 30);
	cr_assert_eq(namer->chunks.used, 1);
	send_named((struct packet){ .entry = 1, .seq = CLIENT + 30, .ack = SERVER, .flags = 0x11 });
	cr_assert_eq(namer->chunks.used, 0);
	cr_assert_eq(namer->watches.used, 1, "the other direction is still open");
	free_namer();
}

Test(namer, what_the_capture_cuts_is_told)
{
	make_namer(BPE_NAMES_ALL, MIB);
	send_named_handshake(1, CLIENT, SERVER);
	send_named((struct packet){ .entry = 1,
		.seq = CLIENT,
		.ack = SERVER,
		.flags = 0x18,
		.payload = GET,
		.n = sizeof GET - 1,
		.is_cut = true,
		.captured = 25 });
	cr_assert_eq(namer->chunks.used, 0);
	cr_assert_str_eq(names_of(1)->server, "");
	cr_assert_neq(names_of(1)->flags & BPE_NAMED_CUT, 0);
	free_namer();
}

Test(namer, the_oldest_goes_for_want_of_room)
{
	const uint32_t flows = 200;

	make_namer(BPE_NAMES_ALL, 1); /* the least: 64 KiB */
	for (uint32_t k = 0; k < flows; k++) {
		send_named_handshake(k, CLIENT, SERVER);
		send_part(k, CLIENT, GET, 0, 30);
		cr_assert_leq(bpei_counter_get(&namer->account.used), namer->account.most);
	}
	const uint64_t evicted = bpei_counter_get(&namer->counts.evicted);

	cr_assert_eq(evicted + bpei_counter_get(&namer->counts.pending), flows);
	cr_assert_gt(namer->watches.used, 5);
	send_part(flows - 1, CLIENT, GET, 30, sizeof GET - 1);
	cr_assert_str_eq(names_of(flows - 1)->server, NAME, "the newest stays");
	send_part(0, CLIENT, GET, 30, sizeof GET - 1);
	cr_assert_str_eq(names_of(0)->server, "", "the oldest has gone");
	free_namer();
}

Test(namer, unfinished_payload_expires)
{
	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t k = 0; k < 100; k++) {
		send_named_handshake(k, CLIENT, SERVER);
		send_part(k, CLIENT, GET, 0, 30);
	}
	now_ns += 9 * SECOND;
	bpei_namer_age(namer, now_ns);
	cr_assert_eq(bpei_counter_get(&namer->counts.pending), 100);
	now_ns += 2 * SECOND;
	bpei_namer_age(namer, now_ns);
	cr_assert_eq(bpei_counter_get(&namer->counts.pending), 0);
	cr_assert_eq(bpei_counter_get(&namer->counts.expired), 100);
	cr_assert_eq(namer->chunks.used, 0);
	free_namer();
}

Test(namer, one_byte_at_a_time_is_given_up)
{
	char long_line[4000] = "GET /";

	memset(long_line + 5, 'a', sizeof long_line - 5);
	make_namer(BPE_NAMES_ALL, MIB);
	send_named_handshake(1, CLIENT, SERVER);
	for (uint32_t k = 0; k < BPEI_NAMER_PACKETS; k++) {
		cr_assert(bpei_id_is_open(ids[1]));
		send_part(1, CLIENT, long_line, k, k + 1);
	}
	cr_assert(!bpei_id_is_open(ids[1]));
	cr_assert_eq(namer->watches.used, 0);
	free_namer();
}

Test(namer, unknown_payload_is_tried_a_few_times)
{
	struct packet p = { .entry = 1, .udp = true, .payload = "\1\2\3 nobody", .n = 10 };

	make_namer(BPE_NAMES_ALL, MIB);
	for (int k = 0; k < 8; k++) {
		cr_assert(bpei_id_is_open(ids[1]));
		send_named(p);
	}
	cr_assert_eq(ids[1], BPEI_ID_NOTHING);
	p.entry = 2;
	for (int k = 0; k < 6; k++) {
		cr_assert(bpei_id_is_open(ids[2]));
		p.end = k & 1;
		send_named(p);
	}
	cr_assert_eq(ids[2], BPEI_ID_NOTHING, "both directions were tried");
	cr_assert_eq(namer->watches.touched, 0);
	free_namer();
}

Test(namer, names_without_room_are_counted)
{
	char text[300];

	make_namer(BPE_NAMES_ALL, 1);
	for (uint32_t k = 0; k < 2000; k++) {
		const int n = snprintf(
			text, sizeof text, "GET / HTTP/1.1\r\nHost: %0100u.example.com\r\n\r\n", k);

		send_named((struct packet){ .entry = k,
			.seq = CLIENT,
			.flags = 0x18,
			.payload = text,
			.n = (uint32_t)n });
		cr_assert_leq(bpei_counter_get(&namer->account.used), namer->account.most);
	}
	cr_assert_gt(bpei_counter_get(&namer->counts.lost), 100);
	cr_assert_eq(names_of(1999)->app, BPE_APP_HTTP, "the protocol stays");
	free_namer();
}

Test(namer, flows_share_their_texts)
{
	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t k = 0; k < 1000; k++)
		send_part(k, CLIENT, GET, 0, sizeof GET - 1);
	cr_assert_leq(namer->slabs.texts.used, 2, "the name, and the method");
	cr_assert_eq(namer->slabs.pool.used, 1000);
	free_namer();
}

Test(namer, later_packets_of_a_batch_see_the_conclusion)
{
	struct packet batch[BPE_BATCH];

	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t k = 0; k < BPE_BATCH; k++) {
		struct packet *const p = &batch[k];

		*p = (struct packet){ .entry = k / 4, .end = k & 1, .flags = 0x18 };
		p->seq = p->end ? SERVER : CLIENT;
		p->ack = p->end ? CLIENT : SERVER;
		p->payload = p->end ? OK : GET;
		p->n = (uint32_t)strlen(p->payload);
	}
	send_named_batch(batch, BPE_BATCH);
	cr_assert_eq(bpei_counter_get(&namer->counts.flows), BPE_BATCH / 4);
	for (uint32_t k = 0; k < BPE_BATCH / 4; k++)
		cr_assert_eq(names_of(k)->http_status, 204);
	free_namer();
}

/* ---- TLS ---- */

#define KEY_SHARE 1216u /* X25519MLKEM768 */

/* Appends bytes to a hello.  Returns the new length. */
static uint32_t append_to_hello(uint8_t *hello, uint32_t at, const void *bytes, uint32_t n)
{
	memcpy(hello + at, bytes, n);
	return at + n;
}

/* Writes a ClientHello of TLS 1.3 in a record, with a key that takes a second segment.  Returns
 * the bytes. */
static uint32_t make_hello(uint8_t hello[2048])
{
	static const uint8_t fixed[] = { 0, 6, 0x13, 1, 0x13, 2, 0xc0, 0x2f, 1, 0 };
	static const uint8_t name[] = { 0, 0, 0, 20, 0, 18, 0, 0, 15, 'w', 'w', 'w', '.', 'e', 'x',
		'a', 'm', 'p', 'l', 'e', '.', 'c', 'o', 'm' };
	static const uint8_t groups[] = { 0, 10, 0, 6, 0, 4, 0x11, 0xec, 0, 29 };
	static const uint8_t algorithms[] = { 0, 13, 0, 6, 0, 4, 4, 3, 8, 4 };
	static const uint8_t alpn[] = { 0, 16, 0, 5, 0, 3, 2, 'h', '2' };
	static const uint8_t versions[] = { 0, 43, 0, 3, 2, 3, 4 };
	uint32_t at = 5 + 4 + 2 + 32;

	memset(hello, 0, 2048);
	hello[at] = 0;
	at = append_to_hello(hello, at + 1, fixed, sizeof fixed);
	const uint32_t extensions = at;

	at = append_to_hello(hello, at + 2, name, sizeof name);
	at = append_to_hello(hello, at, groups, sizeof groups);
	at = append_to_hello(hello, at, algorithms, sizeof algorithms);
	at = append_to_hello(hello, at, alpn, sizeof alpn);
	at = append_to_hello(hello, at, versions, sizeof versions);
	store_be16(hello + at, 51);
	store_be16(hello + at + 2, KEY_SHARE + 6);
	store_be16(hello + at + 4, KEY_SHARE + 4);
	store_be16(hello + at + 6, 0x11ec);
	store_be16(hello + at + 8, KEY_SHARE);
	at += 10 + KEY_SHARE;
	store_be16(hello + extensions, at - extensions - 2);
	store_be16(hello, 0x1603);
	store_be16(hello + 2, 0x0100 | (at - 5) >> 8);
	hello[2] = 1;
	store_be16(hello + 3, at - 5);
	store_be16(hello + 5, 0x0100);
	store_be16(hello + 7, at - 9);
	store_be16(hello + 9, 0x0303);
	return at;
}

/* Sends a part of a hello. */
static void send_part_of_hello(uint32_t entry, const uint8_t *hello, uint32_t from, uint32_t to)
{
	if (from < to)
		send_named((struct packet){ .entry = entry,
			.seq = CLIENT + from,
			.ack = SERVER,
			.flags = 0x18,
			.payload = hello + from,
			.n = to - from });
}

Test(namer, a_hello_cut_at_each_byte_in_each_order_of_three)
{
	uint8_t hello[2048];
	const uint32_t n = make_hello(hello);
	char ja4[40];

	make_namer(BPE_NAMES_ALL, MIB);
	send_part_of_hello(1, hello, 0, n);
	cr_assert_str_eq(names_of(1)->server, NAME);
	cr_assert_str_eq(names_of(1)->alpn, "h2");
	snprintf(ja4, sizeof ja4, "%s", names_of(1)->ja4);
	cr_assert_eq(strncmp(ja4, "t13d0306h2_", 11), 0, "%s", ja4);
	for (uint32_t cut = 1; cut < n; cut++)
		for (int o = 0; o < 6; o++) {
			/* The third part begins at another place for each cut. */
			const uint32_t last = cut + (n - cut) * (cut % 7) / 7;
			const uint32_t cuts[4] = { 0, cut, last, n };

			end_flow(2);
			send_named_handshake(2, CLIENT, SERVER);
			for (int k = 0; k < 3; k++)
				send_part_of_hello(
					2, hello, cuts[orders[o][k]], cuts[orders[o][k] + 1]);
			cr_assert_str_eq(names_of(2)->server, NAME, "%u %d", cut, o);
			cr_assert_str_eq(names_of(2)->ja4, ja4);
			cr_assert_eq(names_of(2)->flags & BPE_NAMED_CUT, 0);
		}
	free_namer();
}

Test(namer, a_hello_behind_connect_is_found)
{
	static const char connect[] = "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n";
	static const char agreed[] = "HTTP/1.1 200 OK\r\n\r\n";
	uint8_t hello[2048 + sizeof connect];
	const uint32_t before = sizeof connect - 1;

	memcpy(hello, connect, before);
	const uint32_t n = before + make_hello(hello + before);

	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t cut = before; cut < n; cut += 97) { /* in the same segment, too */
		end_flow(1);
		send_named_handshake(1, CLIENT, SERVER);
		send_part_of_hello(1, hello, 0, cut);
		send_named((struct packet){ .entry = 1,
			.end = 1,
			.seq = SERVER,
			.ack = CLIENT + before,
			.flags = 0x18,
			.payload = agreed,
			.n = sizeof agreed - 1 });
		send_part_of_hello(1, hello, cut, n);
		cr_assert_eq(names_of(1)->app, BPE_APP_TLS);
		cr_assert_neq(names_of(1)->flags & BPE_NAMED_INNER, 0);
		cr_assert_str_eq(names_of(1)->server, NAME);
		cr_assert_str_eq(names_of(1)->method, "CONNECT");
	}
	free_namer();
	cr_assert_eq(told, 1u << BPE_EVENT_HTTP | 1u << BPE_EVENT_TLS);
}

/* ---- Messages ---- */

Test(namer, each_message_over_tcp_is_read_wherever_segments_end)
{
	static const uint8_t query[] = { 0, 33, 0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'w',
		'w', 'w', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'c', 'o', 'm', 0, 0, 1, 0, 1 };
	uint8_t stream[8 * sizeof query];
	uint64_t messages = 0;

	for (uint32_t k = 0; k < 8; k++)
		memcpy(stream + k * sizeof query, query, sizeof query);
	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t step = 1; step < sizeof stream; step += 7) {
		end_flow(1);
		for (uint32_t at = 0; at < sizeof stream; at += step)
			send_named((struct packet){ .entry = 1,
				.port = 53,
				.seq = CLIENT + at,
				.ack = SERVER,
				.flags = 0x18,
				.payload = stream + at,
				.n = at + step < sizeof stream ? step : sizeof stream - at });
		messages += 8;
		cr_assert_eq(names_of(1)->app, BPE_APP_DNS, "%u", step);
		cr_assert_eq(bpei_counter_get(&namer->counts.dns_messages), messages, "%u", step);
	}
	free_namer();
}

/* ---- Floods ---- */

Test(namer, floods_take_bounded_room_and_readings)
{
	const uint32_t packets = 200000;
	uint8_t hello[2048];

	make_hello(hello);
	make_namer(BPE_NAMES_ALL, MIB);
	for (uint32_t k = 0; k < packets; k++) {
		const uint32_t entry = k % ENTRIES;

		if (k >= ENTRIES)
			end_flow(entry);                   /* as a full table does */
		send_part_of_hello(entry, hello, 0, 1000); /* never finished */
		cr_assert_leq(bpei_counter_get(&namer->account.used), namer->account.most);
		cr_assert_leq(namer->chunks.touched, MIB * 6 / 16 / BPEI_CHUNK);
	}
	const uint64_t evicted = bpei_counter_get(&namer->counts.evicted);
	const uint64_t pending = bpei_counter_get(&namer->counts.pending);

	cr_assert_gt(evicted, packets / 2);
	cr_assert_leq(evicted + pending, packets);
	free_namer();
}
