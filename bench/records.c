/* SPDX-License-Identifier: MIT */
/* bench/records: measures the cost of a flow record on the way out.  Records are packed into a
 * worker's ring and taken out again, on a single thread and between two threads.  Records are also
 * written as a line of each format; printf with the head of a native line is the baseline. */
#include "bench.h"
#include "bpfengine.h"
#include "ring/bytering.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#define RECORDS 4096u
#define RING (4u << 20)

static struct bpe_flow flows[2][RECORDS]; /* UDP; TCP */
static struct bpei_bytering ring;
static _Alignas(8) uint8_t bytes[RING];
static char text[BPE_FORMAT_BYTES];

static uint64_t next_record_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

static void make_bench_records(void)
{
	uint64_t seed = 88172645463325252u;
	for (uint32_t k = 0; k < 2 * RECORDS; k++) {
		struct bpe_flow *f = &flows[k / RECORDS][k % RECORDS];
		const uint64_t a = next_record_random(&seed);
		const uint64_t b = next_record_random(&seed);
		*f = (struct bpe_flow){ .version = BPE_FLOW_VERSION,
			.size = sizeof *f,
			.ip_proto = 17,
			.ip_version = 4,
			.port = { (uint16_t)(a >> 48 | 1024), 443 },
			.packets = { a % 50 + 1, b % 40 },
			.first_ns = 1700000000000000000 + (int64_t)(a % 1000000000000),
			.hash = (uint32_t)b,
			.end = BPE_END_IDLE,
			.pid = -1,
			.effective_pid = -1,
			.handshake_ns = { -1, -1 },
			.rtt_ns = { -1, -1 },
			.window_scale = { -1, -1 } };
		memcpy(f->addr[0], &a, 4);
		memcpy(f->addr[1], &b, 4);
		f->last_ns = f->first_ns + (int64_t)(b % 30000000000);
		for (int e = 0; e < 2; e++)
			f->wire_bytes[e] = f->captured_bytes[e] = f->packets[e] * 400;
		if (k < RECORDS)
			continue;
		f->ip_proto = 6;
		f->tcp_state = BPE_TCP_CLOSED;
		f->flags = BPE_FLOW_HEALTH;
		f->end = BPE_END_CLOSED;
		f->handshake_ns[0] = 1200000;
		f->handshake_ns[1] = 23000000;
		for (int e = 0; e < 2; e++) {
			f->tcp_flags[e] = 0x1b;
			f->mss[e] = 1460;
			f->window_scale[e] = 7;
		}
		f->retransmissions[0] = b >> 60 == 1;
		strcpy(f->history, "ShADadFf");
	}
}

static double time_format(uint32_t format, int tcp)
{
	int64_t t = bpei_clock_mono_ns();
	for (uint32_t k = 0; k < RECORDS; k++)
		bench_keep((uint64_t)bpe_flow_format(&flows[tcp][k], format, text, sizeof text));
	return (double)(bpei_clock_mono_ns() - t) / RECORDS;
}

/* Measures rows of columns, from adding to release.  Records come from the cache, as after an
 * unpacker. */
static double time_columns(struct bpe_columns *columns, int tcp)
{
	struct ArrowArray array;
	int64_t t = bpei_clock_mono_ns();

	for (uint32_t k = 0; k < RECORDS; k++)
		bench_keep((uint64_t)bpe_columns_add(columns, &flows[tcp][k % 64]));
	if (bpe_columns_take(columns, NULL, &array))
		abort();
	bench_keep((uint64_t)array.length);
	array.release(&array);
	return (double)(bpei_clock_mono_ns() - t) / RECORDS;
}

/* Gives the first records the names of a connection by TLS. */
static void name_bench_records(void)
{
	for (uint32_t k = 0; k < 64; k++) {
		struct bpe_flow_names *n = &flows[1][k].names;

		n->app = BPE_APP_TLS;
		n->source = BPE_NAME_TLS;
		n->tls_version = 0x0304;
		n->tls_cipher = 0x1301;
		n->flags = BPE_NAMED_SERVER;
		strcpy(n->server, "www.example.com");
		strcpy(n->alpn, "h2");
		strcpy(n->ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	}
}

/* Measures the head of a native line by printf, which is less than half of the line. */
static double time_printf(void)
{
	int64_t t = bpei_clock_mono_ns();
	for (uint32_t k = 0; k < RECORDS; k++) {
		const struct bpe_flow *f = &flows[0][k];
		bench_keep((uint64_t)snprintf(text, sizeof text,
			"{\"schema\":\"bpfengine.flow/1\",\"src\":\"%u.%u.%u.%u\",\"sport\":%u,\"dst\":\"%u.%u.%u.%u\",\"dport\":%u,\"proto\":\"%s\","
			"\"ip_proto\":%u,\"ip\":%u,\"first\":%" PRId64 ".%09" PRId64
			",\"duration\":%" PRId64 ".%09" PRId64 ",\"packets\":[%" PRIu64 ",%" PRIu64
			"],\"wire_bytes\":[%" PRIu64 ",%" PRIu64 "],\"captured_bytes\":[%" PRIu64
			",%" PRIu64 "]}\n",
			f->addr[0][0], f->addr[0][1], f->addr[0][2], f->addr[0][3], f->port[0],
			f->addr[1][0], f->addr[1][1], f->addr[1][2], f->addr[1][3], f->port[1],
			"udp", f->ip_proto, f->ip_version, f->first_ns / 1000000000,
			f->first_ns % 1000000000, (f->last_ns - f->first_ns) / 1000000000,
			(f->last_ns - f->first_ns) % 1000000000, f->packets[0], f->packets[1],
			f->wire_bytes[0], f->wire_bytes[1], f->captured_bytes[0],
			f->captured_bytes[1]));
	}
	return (double)(bpei_clock_mono_ns() - t) / RECORDS;
}

/* Measures records of n bytes through the ring, a few at a time, from the first-level cache. */
static double time_one_thread(uint32_t n)
{
	int64_t t = bpei_clock_mono_ns();
	bpei_role_enter(&bpei_worker_role);
	bpei_role_enter(&bpei_output_role);
	for (uint32_t k = 0; k < RECORDS; k += 16) {
		uint32_t got;
		for (uint32_t i = 0; i < 16; i++) {
			memcpy(bpei_bytering_begin(&ring, n), &flows[1][k + i], n);
			bpei_bytering_commit(&ring);
		}
		for (const void *p; (p = bpei_bytering_peek(&ring, &got));
			bpei_bytering_drop(&ring)) {
			memcpy(text, p, got);
			bench_keep((uint64_t)text[0]);
		}
	}
	bpei_role_leave(&bpei_output_role);
	bpei_role_leave(&bpei_worker_role);
	return (double)(bpei_clock_mono_ns() - t) / RECORDS;
}

#define PASSES 64u

static void *take_bench_records(void *length)
{
	uint32_t n;
	bpei_role_enter(&bpei_output_role);
	for (uint32_t k = 0; k < PASSES * RECORDS;) {
		const void *p = bpei_bytering_peek(&ring, &n);
		if (!p)
			continue;
		if (n != *(uint32_t *)length)
			abort();
		memcpy(text, p, n);
		bench_keep((uint64_t)text[n - 1]);
		bpei_bytering_drop(&ring);
		k++;
	}
	bpei_role_leave(&bpei_output_role);
	return NULL;
}

static double time_two_threads(uint32_t n)
{
	pthread_t thread;
	int64_t t = bpei_clock_mono_ns();
	if (pthread_create(&thread, NULL, take_bench_records, &n))
		abort();
	bpei_role_enter(&bpei_worker_role);
	for (uint32_t k = 0; k < PASSES * RECORDS;) {
		void *to = bpei_bytering_begin(&ring, n);
		if (!to)
			continue;
		memcpy(to, &flows[1][k % RECORDS], n);
		bpei_bytering_commit(&ring);
		k++;
	}
	bpei_role_leave(&bpei_worker_role);
	pthread_join(thread, NULL);
	return (double)(bpei_clock_mono_ns() - t) / (PASSES * RECORDS);
}

int main(void)
{
	static struct bench_row rows[] = { { .name = "memcpy of a record (448 bytes)" },
		{ .name = "ring, one thread, 176 bytes (UDP)" },
		{ .name = "ring, one thread, 320 bytes (TCP)" },
		{ .name = "ring, two threads, 176 bytes" },
		{ .name = "ring, two threads, 320 bytes" },
		{ .name = "printf: head of the native line" }, { .name = "json, UDP" },
		{ .name = "json, TCP" }, { .name = "zeek, UDP" }, { .name = "zeek, TCP" },
		{ .name = "eve, UDP" }, { .name = "eve, TCP" }, { .name = "csv, UDP" },
		{ .name = "csv, TCP" }, { .name = "ecs, UDP" }, { .name = "ecs, TCP" },
		{ .name = "columns, UDP" }, { .name = "columns, TCP" },
		{ .name = "columns, TLS with names" } };
	const uint32_t formats = 2 * BPE_FORMAT_COUNT;
	struct bpe_columns *columns;

	_Static_assert(sizeof rows / sizeof *rows == 9 + 2 * BPE_FORMAT_COUNT, "a row for each");
	make_bench_records();
	if (bpe_columns_open(&columns, NULL))
		abort();
	bpei_bytering_init(&ring, bytes, RING);
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		int64_t t = bpei_clock_mono_ns();
		for (uint32_t k = 0; k < RECORDS; k++) {
			memcpy(text, &flows[1][k], sizeof flows[1][k]);
			bench_keep((uint64_t)text[0]);
		}
		rows[0].ns[round] = (double)(bpei_clock_mono_ns() - t) / RECORDS;
		rows[1].ns[round] = time_one_thread(176);
		rows[2].ns[round] = time_one_thread(320);
		rows[3].ns[round] = time_two_threads(176);
		rows[4].ns[round] = time_two_threads(320);
		rows[5].ns[round] = time_printf();
		for (uint32_t f = 0; f < BPE_FORMAT_COUNT; f++)
			for (int tcp = 0; tcp < 2; tcp++)
				rows[6 + 2 * f + (uint32_t)tcp].ns[round] = time_format(f, tcp);
		for (uint32_t tcp = 0; tcp < 2; tcp++)
			rows[6 + formats + tcp].ns[round] = time_columns(columns, (int)tcp);
	}
	name_bench_records();
	for (int round = 0; round < BENCH_ROUNDS; round++)
		rows[8 + formats].ns[round] = time_columns(columns, 1);
	bpe_columns_close(columns);
	bench_print(rows, sizeof rows / sizeof *rows, "record");
	return 0;
}
