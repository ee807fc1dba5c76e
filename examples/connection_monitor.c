/* SPDX-License-Identifier: MIT */
/* connection_monitor SOURCE [SECONDS]: each TCP connection as it ends: who, how, how much, how long; then a summary.
 * SOURCE is an interface, a savefile, or synth. */
#include "source.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

struct totals { uint64_t connections, complete, refused_or_reset; };

static const char *state_name(uint8_t state)
{
	static const char *const names[] = { "-", "no answer", "half open", "open", "closing", "closed", "reset" };
	return state < sizeof names / sizeof *names ? names[state] : "?";
}

/* With workers = 0 one thread runs it all, so the totals need no lock. */
static void on_flow(void *user, const struct bpe_flow *f, uint32_t worker)
{
	struct totals *t = user;
	char a[48] = "?", b[48] = "?";
	(void)worker;
	if (f->ip_proto != 6) return;
	t->connections++;
	t->complete += f->tcp_state == BPE_TCP_CLOSED && !(f->flags & BPE_FLOW_MIDSTREAM);
	t->refused_or_reset += f->tcp_state == BPE_TCP_RESET;
	inet_ntop(f->ip_version == 6 ? AF_INET6 : AF_INET, f->addr[0], a, sizeof a);
	inet_ntop(f->ip_version == 6 ? AF_INET6 : AF_INET, f->addr[1], b, sizeof b);
	printf("%-9s %s.%u > %s.%u  %" PRIu64 "+%" PRIu64 " packets  %" PRIu64 "+%" PRIu64 " bytes  %.3f s%s\n", state_name(f->tcp_state), a, f->port[0], b,
	       f->port[1], f->packets[0], f->packets[1], f->wire_bytes[0], f->wire_bytes[1], (double)(f->last_ns - f->first_ns) * 1e-9,
	       f->flags & BPE_FLOW_MIDSTREAM ? "  (start not seen)" : "");
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
	source_option(&options, argv[1]);
	options.workers = 0;
	options.on_flow = on_flow;
	options.user = &totals;
	if (bpe_engine_open(&options, &engine, &error) < 0) {
		fprintf(stderr, "connection_monitor: %s\n", error.text);
		return 1;
	}
	int result = bpe_engine_run(engine, argc > 2 ? (int64_t)(strtod(argv[2], NULL) * 1e9) : 0, &error);
	if (result < 0) fprintf(stderr, "connection_monitor: %s\n", error.text);
	printf("%" PRIu64 " connections: %" PRIu64 " seen whole, %" PRIu64 " refused or reset\n", totals.connections, totals.complete, totals.refused_or_reset);
	bpe_engine_close(engine);
	return result < 0;
}
