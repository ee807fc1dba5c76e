/* SPDX-License-Identifier: MIT */
/* established [FLOWS ...]: what a packet costs beside so many established TCP connections: by
 * default 100,000, a million and 8 million.
 *
 * A capture per row gets packets that this program pushes.  First come the handshakes of all
 * connections, which are not measured.  Then come rounds: segments of connections drawn uniformly
 * at random, in order, from either end.  Measured is the time in bpe_capture_next: reading, walk,
 * parse, flow table, statistics.  The push, a copy, is left out.  All rows run in turn, so noise
 * falls on all alike.  A row without flows tells what is not the flow table's. */
#include "bench.h"
#include "bpfengine.h"

#include <stdlib.h>
#include <string.h>

enum {
	PUSHED = 8192,    /* packets of a push: they fit the buffer */
	PACKETS = 524288, /* of a round */
	FRAME = 60,
	SIZES = 8,
	ROWS = 3 * SIZES
};
enum flag { SYN = 2, PUSH_ACK = 24, SYN_ACK = 18, ACK = 16 };

struct row {
	struct bpe_capture *capture;
	uint32_t flows;
	uint32_t (*next)[2]; /* the next sequence number of each connection's two ends */
	int64_t time_ns;
};

static struct row rows[ROWS];
static struct bench_row results[ROWS];
static char names[ROWS][48];
static uint8_t frames[PUSHED][FRAME];
static struct bpe_packet packets[PUSHED];

/* Returns 64 random bits. */
static uint64_t random_bits(void)
{
	static uint64_t s = 88172645463325252u;

	s ^= s << 13;
	s ^= s >> 7;
	s ^= s << 17;
	return s;
}

static void put_word(uint8_t *p, uint32_t v)
{
	for (int k = 0; k < 4; k++)
		p[k] = (uint8_t)(v >> (24 - 8 * k));
}

/* Makes packet i: the next segment that an end of a connection sends. */
static void make_segment(struct row *row, uint32_t i, uint32_t flow, int end, enum flag flags)
{
	uint8_t *p = frames[i];
	const uint32_t payload = flags == PUSH_ACK ? 6 : 0;
	const uint32_t scattered = flow * 2654435761u; /* an odd factor: all addresses differ */

	p[14 + 3] = (uint8_t)(40 + payload);
	put_word(p + 14 + (end ? 16 : 12), 0x0b000000 + (scattered >> 8));
	put_word(p + 14 + (end ? 12 : 16), 0xc0a80001 + (flow & 255));
	memcpy(p + 34 + (end ? 2 : 0),
		(uint8_t[]){ (uint8_t)(128 | flow % 101), (uint8_t)scattered }, 2);
	memcpy(p + 34 + (end ? 0 : 2), (uint8_t[]){ 443 >> 8, 443 & 255 }, 2);
	put_word(p + 38, row->next[flow][end]);
	put_word(p + 42, flags == SYN ? 0 : row->next[flow][!end]);
	p[47] = (uint8_t)flags;
	row->next[flow][end] += payload + (flags & SYN ? 1 : 0);
	packets[i].time_ns = row->time_ns += 100;
}

/* Pushes n packets and reads them.  Returns the nanoseconds that the reading took. */
static int64_t read_packets(struct row *row, uint32_t n)
{
	struct bpe_error error = { .text = "not all were taken" };
	struct bpe_batch batch;
	uint32_t got = 0;
	int taken = 0;

	if (bpe_capture_push(row->capture, packets, n, &error) != (int)n) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	const int64_t start = bpei_clock_mono_ns();

	while (got < n && (taken = bpe_capture_next(row->capture, &batch, 0, &error)) > 0)
		got += (uint32_t)taken;
	if (got != n) {
		fprintf(stderr, "read %u of %u packets\n", got, n);
		exit(1);
	}
	return bpei_clock_mono_ns() - start;
}

/* Makes connections, with their three segments one after the other. */
static void open_connections(struct row *row)
{
	uint32_t i = 0;

	for (uint32_t flow = 0; flow < row->flows; flow++) {
		row->next[flow][0] = (uint32_t)random_bits();
		row->next[flow][1] = (uint32_t)random_bits();
		make_segment(row, i++, flow, 0, SYN);
		make_segment(row, i++, flow, 1, SYN_ACK);
		make_segment(row, i++, flow, 0, ACK);
		if (i + 3 > PUSHED || flow + 1 == row->flows) {
			read_packets(row, i);
			i = 0;
		}
	}
}

/* Opens a row's capture and its connections.  kind: 0 all, 1 without health, 2 without flows. */
static void open_row(struct row *row, uint32_t flows, int kind)
{
	struct bpe_options o;
	struct bpe_error error;

	bpe_options_init(&o);
	o.push = true;
	o.flow_table = kind < 2;
	o.no_tcp_health = kind == 1;
	if (kind < 2) {
		o.max_flows = flows;
		o.flow_idle_ns = 3600000000000;
	}
	row->flows = flows;
	row->time_ns = 1700000000000000000;
	row->next = calloc(flows, sizeof *row->next);
	if (!row->next || bpe_capture_open(&o, &row->capture, &error) < 0) {
		fprintf(stderr, "%s\n", row->next ? error.text : "no memory");
		exit(1);
	}
	open_connections(row);
}

/* Returns the nanoseconds a packet of a round. */
static double time_round(struct row *row)
{
	int64_t took = 0;

	for (uint32_t done = 0; done < PACKETS; done += PUSHED) {
		for (uint32_t i = 0; i < PUSHED; i++) {
			const uint64_t r = random_bits();

			make_segment(
				row, i, (uint32_t)((r >> 32) * row->flows >> 32), r & 1, PUSH_ACK);
		}
		took += read_packets(row, PUSHED);
	}
	return (double)took / PACKETS;
}

/* Ends the program if a row has flows in another number than it should. */
static void check_flows(const struct row *row, bool flows)
{
	struct bpe_stats stats;

	bpe_capture_stats(row->capture, &stats);
	if (flows && (stats.flows_active != row->flows || stats.flows_opened != row->flows)) {
		fprintf(stderr, "%llu of %u flows are alive\n",
			(unsigned long long)stats.flows_active, row->flows);
		exit(1);
	}
}

static void make_frames(void)
{
	for (uint32_t i = 0; i < PUSHED; i++) {
		memset(frames[i], 0, FRAME);
		memcpy(frames[i], "\2\0\0\0\0\1\2\0\0\0\0\2\10\0\105", 15);
		frames[i][14 + 6] = 0x40;
		frames[i][14 + 8] = 64;
		frames[i][14 + 9] = 6;
		frames[i][46] = 0x50;
		frames[i][48] = 0xfd;
		bpe_packet_init(&packets[i]);
		packets[i].data = frames[i];
		packets[i].caplen = packets[i].wirelen = FRAME;
	}
}

int main(int argc, char **argv)
{
	static const uint32_t usual[] = { 100000, 1000000, 8000000 };
	static const char *const kinds[] = { "everything on", "no TCP health", "no flows" };
	const int sizes = argc > 1 ? (argc - 1 < SIZES ? argc - 1 : SIZES) : 3;

	make_frames();
	for (int k = 0; k < 3 * sizes; k++) {
		const uint32_t flows =
			argc > 1 ? (uint32_t)strtoul(argv[k / 3 + 1], NULL, 10) : usual[k / 3];

		if (!flows)
			return fprintf(stderr, "usage: established [FLOWS ...]\n"), 2;
		snprintf(names[k], sizeof names[k], "%u connections, %s", flows, kinds[k % 3]);
		results[k].name = names[k];
		open_row(&rows[k], flows, k % 3);
	}
	for (int r = -1; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < 3 * sizes; k++) {
			const double ns = time_round(&rows[k]);

			if (r >= 0)
				results[k].ns[r] = ns;
		}
	for (int k = 0; k < 3 * sizes; k++)
		check_flows(&rows[k], k % 3 < 2);
	bench_print(results, 3 * sizes, "packet of an established connection");
	for (int k = 0; k < 3 * sizes; k++) {
		bpe_capture_close(rows[k].capture);
		free(rows[k].next);
	}
	return 0;
}
