/* SPDX-License-Identifier: MIT */
/* protocol_analyzer SOURCE [SECONDS]: prints the services with the most traffic.  A batch handler
 * counts on two workers without a lock: each worker has separate counters, added up after the run.
 * SOURCE is an interface, a savefile, or synth. */
#include <bpfengine.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WORKERS 2

struct service {
	uint64_t packets, payload_bytes;
};
struct share {
	struct service tcp[65536], udp[65536];
}; /* by the lower port, most likely the service's */
static struct share shares[WORKERS];

static void count_shares(void *user, const struct bpe_batch *b)
{
	struct share *mine = &((struct share *)user)[b->worker];
	for (uint32_t i = 0; i < b->count; i++) {
		const struct bpe_layers *l = &b->layers[i];
		if (l->proto != BPE_PROTO_TCP && l->proto != BPE_PROTO_UDP)
			continue;
		const uint16_t *port = b->key[i].port;
		struct service *services = l->proto == BPE_PROTO_TCP ? mine->tcp : mine->udp;
		struct service *s = &services[port[0] < port[1] ? port[0] : port[1]];
		s->packets++;
		if (l->payload != BPE_NO_OFFSET && l->end > l->payload)
			s->payload_bytes += l->end - l->payload;
	}
}

static void print_largest_services(const char *name, size_t offset)
{
	printf("%s service      packets  payload bytes\n", name);
	for (int rank = 0; rank < 5; rank++) {
		struct service best = { 0 };
		uint32_t port = 0;
		for (uint32_t p = 0; p < 65536; p++) {
			struct service *s =
				(struct service *)(void *)((char *)&shares[0] + offset) + p;
			if (s->packets > best.packets) {
				best = *s;
				port = p;
			}
		}
		if (!best.packets)
			break;
		printf("  %5u      %12" PRIu64 " %14" PRIu64 "\n", port, best.packets,
			best.payload_bytes);
		((struct service *)(void *)((char *)&shares[0] + offset))[port].packets = 0;
	}
}

int main(int argc, char **argv)
{
	struct bpe_options options;
	struct bpe_engine *engine;
	struct bpe_error error;
	if (argc < 2) {
		fprintf(stderr, "usage: protocol_analyzer INTERFACE|FILE|synth [SECONDS]\n");
		return 2;
	}
	bpe_options_init(&options);
	options.workers = WORKERS;
	options.flows = false;
	options.on_batch = count_shares;
	options.user = shares;
	if (bpe_options_set_source(&options, argv[1], &error) < 0 ||
		bpe_engine_open(&options, &engine, &error) < 0) {
		fprintf(stderr, "protocol_analyzer: %s\n", error.text);
		return 1;
	}
	int result = bpe_engine_run(
		engine, argc > 2 ? (int64_t)(strtod(argv[2], NULL) * 1e9) : 0, &error);
	if (result < 0)
		fprintf(stderr, "protocol_analyzer: %s\n", error.text);
	struct bpe_protocol protocols[16];
	size_t n = bpe_engine_protocols(engine, protocols, 16);
	for (size_t i = 0; i < n && i < 16; i++)
		printf("%-20s %12" PRIu64 " packets %14" PRIu64 " bytes\n", protocols[i].name,
			protocols[i].packets, protocols[i].bytes);
	for (uint32_t p = 0; p < 65536; p++)
		for (int w = 1; w < WORKERS; w++) {
			shares[0].tcp[p].packets += shares[w].tcp[p].packets;
			shares[0].tcp[p].payload_bytes += shares[w].tcp[p].payload_bytes;
			shares[0].udp[p].packets += shares[w].udp[p].packets;
			shares[0].udp[p].payload_bytes += shares[w].udp[p].payload_bytes;
		}
	print_largest_services("TCP", offsetof(struct share, tcp));
	print_largest_services("UDP", offsetof(struct share, udp));
	bpe_engine_close(engine);
	return result < 0;
}
