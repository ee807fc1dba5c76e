/* SPDX-License-Identifier: MIT */
/* established [FLOWS ...]: the cost of a packet beside so many established TCP connections: by
 * default 100,000, a million and 8 million.
 *
 * Each row has a capture, and this program pushes the packets.  The handshakes of all connections
 * come first and are not measured.  Rounds follow: segments in order, from either end, of
 * connections drawn uniformly at random.  The time in bpe_capture_next is measured: reading, walk,
 * parse, flow table, statistics.  The push, a copy, is left out.  All rows run in turn, so noise
 * falls on all alike.  Before each round a row runs a round without measuring, so the lines
 * of the table return to the cache.  A row without flows shows the cost without the table. */
#include "bench.h"
#include "bpfengine.h"
#include "traffic.h"

#include <stdlib.h>
#include <string.h>

enum {
	PUSHED = 2048,    /* packets of a push, few enough for the cache */
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

static uint64_t randomness;
static struct row rows[ROWS];
static struct bench_row results[ROWS];
static char names[ROWS][48];
static uint8_t frames[PUSHED][FRAME];
static struct bpe_packet packets[PUSHED];

/* Makes packet i: the next segment of a connection's end. */
static void make_segment(struct row *row, uint32_t i, uint32_t flow, int end, enum flag flags)
{
	uint8_t *p = frames[i];
	const uint32_t payload = flags == PUSH_ACK ? 6 : 0;
	const uint32_t scattered = flow * 2654435761u; /* an odd factor: all addresses differ */

	p[14 + 3] = (uint8_t)(40 + payload);
	store_long(p + 14 + (end ? 16 : 12), 0x0b000000 + (scattered >> 8));
	store_long(p + 14 + (end ? 12 : 16), 0xc0a80001 + (flow & 255));
	memcpy(p + 34 + (end ? 2 : 0),
		(uint8_t[]){ (uint8_t)(128 | flow % 101), (uint8_t)scattered }, 2);
	memcpy(p + 34 + (end ? 0 : 2), (uint8_t[]){ 443 >> 8, 443 & 255 }, 2);
	store_long(p + 38, row->next[flow][end]);
	store_long(p + 42, flags == SYN ? 0 : row->next[flow][!end]);
	p[47] = (uint8_t)flags;
	row->next[flow][end] += payload + (flags & SYN ? 1 : 0);
	packets[i].time_ns = row->time_ns += 100;
}

/* Pushes n packets and reads them.  Returns the nanoseconds of the reading. */
static int64_t time_reads(struct row *row, uint32_t n)
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

/* Makes connections, three segments each. */
static void shake_hands(struct row *row)
{
	uint32_t i = 0;

	for (uint32_t flow = 0; flow < row->flows; flow++) {
		row->next[flow][0] = (uint32_t)draw_bits(&randomness);
		row->next[flow][1] = (uint32_t)draw_bits(&randomness);
		make_segment(row, i++, flow, 0, SYN);
		make_segment(row, i++, flow, 1, SYN_ACK);
		make_segment(row, i++, flow, 0, ACK);
		if (i + 3 > PUSHED || flow + 1 == row->flows) {
			time_reads(row, i);
			i = 0;
		}
	}
}

/* Opens a row's capture and its connections.  kind: 0 all, 1 without health, 2 without flows. */
static void start_row(struct row *row, uint32_t flows, int kind)
{
	struct bpe_options o;
	struct bpe_error error;

	bpe_options_init(&o);
	o.push = true;
	o.buffer_bytes = 1 << 20;
	o.flow_table = kind < 2;
	o.no_tcp_health = kind == 1;
	if (kind < 2) {
		o.max_flows = flows + flows / 8;
		o.flow_idle_ns = 3600000000000;
	}
	row->flows = flows;
	row->time_ns = 1700000000000000000;
	row->next = calloc(flows, sizeof *row->next);
	if (!row->next || bpe_capture_open(&o, &row->capture, &error) < 0) {
		fprintf(stderr, "%s\n", row->next ? error.text : "no memory");
		exit(1);
	}
	shake_hands(row);
}

/* Returns the nanoseconds a packet of a round. */
static double time_round(struct row *row)
{
	int64_t took = 0;

	for (uint32_t done = 0; done < PACKETS; done += PUSHED) {
		for (uint32_t i = 0; i < PUSHED; i++) {
			const uint64_t r = draw_bits(&randomness);

			make_segment(
				row, i, (uint32_t)((r >> 32) * row->flows >> 32), r & 1, PUSH_ACK);
		}
		took += time_reads(row, PUSHED);
	}
	return (double)took / PACKETS;
}

/* Ends the program if a row has lost flows.  A loss in 100,000 is right: a table evicts a flow
 * where too many hashes fall together. */
static void count_losses(const struct row *row)
{
	struct bpe_stats stats;

	bpe_capture_stats(row->capture, &stats);
	if (stats.flows_opened - stats.flows_active > row->flows / 100000 ||
		stats.flows_active > row->flows) {
		fprintf(stderr, "%llu of %u flows are alive, %llu were opened, %llu evicted\n",
			(unsigned long long)stats.flows_active, row->flows,
			(unsigned long long)stats.flows_opened,
			(unsigned long long)stats.flows_evicted);
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
	int sizes = argc > 1 ? argc - 1 : 3;

	if (sizes > SIZES)
		sizes = SIZES;
	make_frames();
	for (int k = 0; k < 3 * sizes; k++) {
		const uint32_t flows =
			argc > 1 ? (uint32_t)strtoul(argv[k / 3 + 1], NULL, 10) : usual[k / 3];

		if (!flows)
			return fprintf(stderr, "usage: established [FLOWS ...]\n"), 2;
		snprintf(names[k], sizeof names[k], "%u connections, %s", flows, kinds[k % 3]);
		results[k].name = names[k];
		start_row(&rows[k], flows, k % 3);
	}
	for (int r = 0; r < BENCH_ROUNDS; r++)
		for (int k = 0; k < 3 * sizes; k++) {
			time_round(&rows[k]);
			results[k].ns[r] = time_round(&rows[k]);
		}
	for (int k = 0; k < 3 * sizes; k++)
		count_losses(&rows[k]);
	bench_print(results, 3 * sizes, "packet of an established connection");
	for (int k = 0; k < 3 * sizes; k++) {
		bpe_capture_close(rows[k].capture);
		free(rows[k].next);
	}
	return 0;
}
