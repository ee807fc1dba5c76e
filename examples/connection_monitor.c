/* SPDX-License-Identifier: MIT */
/* connection_monitor SOURCE [SECONDS]: prints each TCP connection at the end of the connection,
 * with endpoints, outcome, packets, bytes and duration.  Every second the three largest open
 * connections are printed; a summary comes last.  SOURCE is an interface, a savefile, or synth. */
#include <bpfengine.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct totals {
	uint64_t connections, complete, refused_or_reset;
};

static void print_connection(const char *before, const struct bpe_flow *f)
{
	char a[BPE_ENDPOINT_TEXT_BYTES] = "?", b[BPE_ENDPOINT_TEXT_BYTES] = "?";
	bpe_endpoint_text(f->addr[0], f->ip_version, f->port[0], a, sizeof a);
	bpe_endpoint_text(f->addr[1], f->ip_version, f->port[1], b, sizeof b);
	printf("%s%-12s %s > %s  %" PRIu64 "+%" PRIu64 " packets  %" PRIu64 "+%" PRIu64
	       " bytes  %.3f s%s\n",
		before, bpe_tcp_state_name(f->tcp_state), a, b, f->packets[0], f->packets[1],
		f->wire_bytes[0], f->wire_bytes[1], (double)(f->last_ns - f->first_ns) * 1e-9,
		f->flags & BPE_FLOW_MIDSTREAM ? "  (start not seen)" : "");
}

/* Counts a TCP connection at the end of its flow.  With workers = 0 a single thread runs the
 * engine, so the totals need no lock. */
static void count_connection(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct totals *t = user;
	(void)worker;
	if (f->ip_proto != 6)
		return;
	t->connections++;
	t->complete += f->tcp_state == BPE_TCP_CLOSED && !(f->flags & BPE_FLOW_MIDSTREAM);
	t->refused_or_reset += f->tcp_state == BPE_TCP_RESET;
	print_connection("", f);
}

/* Prints the three largest open TCP connections.  A snapshot is available at any time, also while
 * the engine runs. */
static void print_busiest_connections(struct bpe_engine *engine)
{
	struct bpe_flow flows[32];
	struct bpe_flow_totals about;
	int shown = 0;
	int n = bpe_engine_largest_flows(
		engine, BPE_ORDER_BYTES, INT64_MIN, flows, 32, &about, NULL);
	if (n < 0)
		return;
	printf("%" PRIu64 " flows alive\n", about.alive);
	for (int i = 0; i < n && shown < 3; i++)
		if (flows[i].ip_proto == 6)
			print_connection("  ", &flows[i]), shown++;
}

int main(int argc, char **argv)
{
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_error error;
	struct totals totals = { 0 };
	if (argc < 2) {
		fprintf(stderr, "usage: connection_monitor INTERFACE|FILE|synth [SECONDS]\n");
		return 2;
	}
	bpe_options_init(&options);
	options.workers = 0;
	options.on_flow = count_connection;
	options.user = &totals;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_engine_open(&options, &engine, &error) < 0) {
		fprintf(stderr, "connection_monitor: %s\n", error.text);
		return 1;
	}
	int64_t second = 1000000000;
	int64_t left = argc > 2 ? (int64_t)(strtod(argv[2], NULL) * 1e9) : 0;
	if (left <= 0)
		left = INT64_MAX;
	int result = bpe_engine_start(engine, &error);
	for (; result >= 0 && !bpe_engine_wait(engine, left < second ? left : second);
		left -= second) {
		if (left <= second)
			bpe_engine_stop(engine);
		else
			print_busiest_connections(engine);
	}
	if (result >= 0)
		result = bpe_engine_result(engine, &error);
	if (result < 0)
		fprintf(stderr, "connection_monitor: %s\n", error.text);
	printf("%" PRIu64 " connections: %" PRIu64 " seen whole, %" PRIu64 " refused or reset\n",
		totals.connections, totals.complete, totals.refused_or_reset);
	bpe_engine_close(engine);
	return result < 0;
}
