/* SPDX-License-Identifier: MIT */
/* use.c FILE: drives the engine as a program does, in the common part of C11 and C++17, and prints
 * counts.  The file is built against bpfengine_single.h, and with USE_LIBRARY against the library.
 * Both builds must print the same.  FILE is a savefile, written first if missing. */
#ifdef USE_LIBRARY
#include <bpfengine.h>
#else
#include "bpfengine_single.h"
#endif

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SYNTH "synth:count=20000,flows=500,size=imix,seed=7"

static int print_failure(const char *what, const struct bpe_error *error)
{
	fprintf(stderr, "%s: %s\n", what, error->text);
	return 1;
}

static void put_file_u16(FILE *f, uint16_t v)
{
	fwrite(&v, sizeof v, 1, f);
}
static void put_file_u32(FILE *f, uint32_t v)
{
	fwrite(&v, sizeof v, 1, f);
}

/* Writes synth's packets to a pcap file with nanoseconds.  Returns 0 or 1, an error. */
static int write_small_savefile(const char *path)
{
	struct bpe_options o;
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error;
	FILE *f = fopen(path, "wb");
	bpe_options_init(&o);
	o.interface_name = SYNTH;
	if (!f) {
		perror(path);
		return 1;
	}
	if (bpe_capture_open(&o, &capture, &error) < 0)
		return print_failure("synth", &error);
	put_file_u32(f, 0xa1b23c4d), put_file_u16(f, 2), put_file_u16(f, 4), put_file_u32(f, 0),
		put_file_u32(f, 0), put_file_u32(f, BPE_MAX_SNAPLEN), put_file_u32(f, 1);
	while (bpe_capture_next(capture, &batch, -1, &error) > 0)
		for (uint32_t i = 0; i < batch.count; i++) {
			put_file_u32(f, (uint32_t)(batch.time_ns[i] / 1000000000)),
				put_file_u32(f, (uint32_t)(batch.time_ns[i] % 1000000000)),
				put_file_u32(f, batch.caplen[i]), put_file_u32(f, batch.wirelen[i]);
			fwrite(batch.data[i], 1, batch.caplen[i], f);
		}
	bpe_capture_close(capture);
	return fclose(f) != 0;
}

static uint64_t mix_sum(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * 1099511628211u;
} /* as FNV-1a, by values: the same in each byte order */

static uint64_t mix_layers(uint64_t sum, const struct bpe_layers *l)
{
	const uint32_t values[] = { l->network, l->transport, l->payload, l->flags, l->end,
		l->ethertype, l->ip_proto, l->proto, l->link_type, l->tcp_flags, l->vlan_count,
		l->vlan[0], l->vlan[1] };
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		sum = mix_sum(sum, values[i]);
	return sum;
}

static uint64_t mix_key(uint64_t sum, const struct bpe_key *k)
{
	for (int end = 0; end < 2; end++) {
		for (int i = 0; i < 16; i++)
			sum = mix_sum(sum, k->addr[end][i]);
		sum = mix_sum(mix_sum(sum, k->port[end]), k->vlan[end]);
	}
	return mix_sum(mix_sum(sum, k->ip_proto), k->ip_version);
}

/* Prints a sum over all columns of all packets.  Returns 0 or 1, an error. */
static int sum_capture(const char *name, struct bpe_options *o)
{
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error;
	struct bpe_tcp_options tcp;
	uint64_t packets = 0;
	uint64_t bytes = 0;
	uint64_t sum = 14695981039346656037u;
	uint64_t options = 0;
	int n;
	if (bpe_capture_open(o, &capture, &error) < 0)
		return print_failure(name, &error);
	while ((n = bpe_capture_next(capture, &batch, -1, &error)) > 0)
		for (uint32_t i = 0; i < batch.count; i++) {
			packets++;
			bytes += batch.caplen[i];
			sum = mix_sum(mix_layers(sum, &batch.layers[i]), batch.hash[i]);
			if (batch.layers[i].flags & BPE_PKT_KEY)
				sum = mix_key(sum, &batch.key[i]);
			options += bpe_batch_tcp_options(&batch, i, &tcp) == 1;
		}
	if (n != BPE_E_END)
		return print_failure(name, &error);
	printf("%s: %" PRIu64 " packets, %" PRIu64 " bytes, columns %016" PRIx64 ", %" PRIu64
	       " with TCP\n",
		name, packets, bytes, sum, options);
	bpe_capture_close(capture);
	return 0;
}

static void sum_batch(void *user, const struct bpe_batch *batch)
{
	((uint64_t *)user)[batch->worker] += batch->count;
}
static void sum_flow(void *user, const struct bpe_flow *flow, uint32_t worker)
{
	((uint64_t *)user)[2 + worker] += flow->packets[0] + flow->packets[1];
}

static int run_engine_level(const char *name, struct bpe_options *o)
{
	struct bpe_engine *e;
	struct bpe_stats s;
	struct bpe_error error;
	struct bpe_protocol protocols[8];
	uint64_t seen[4] = { 0, 0, 0, 0 };
	o->workers = 2;
	o->on_batch = sum_batch;
	o->on_flow = sum_flow;
	o->user = seen;
	if (bpe_engine_open(o, &e, &error) < 0 || bpe_engine_run(e, 0, &error) < 0)
		return print_failure(name, &error);
	bpe_engine_stats(e, &s);
	size_t n = bpe_engine_protocols(e, protocols, 8);
	printf("%s: %" PRIu64 " read, %" PRIu64 " delivered, %" PRIu64 " flows, %" PRIu64
	       " of their packets, handlers %" PRIu64 " and %" PRIu64 "\n",
		name, s.read_packets, s.delivered_packets, s.flows_opened, s.flow_packets,
		seen[0] + seen[1], seen[2] + seen[3]);
	for (size_t i = 0; i < n && i < 8; i++)
		printf("  %s %" PRIu64 "\n", protocols[i].name, protocols[i].packets);
	bpe_engine_close(e);
	return 0;
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_error error;
	struct bpe_interface *interfaces;
	char *text;
	if (argc != 2)
		return 2;
	FILE *there = fopen(argv[1], "rb");
	if (there)
		fclose(there);
	else if (write_small_savefile(argv[1]))
		return 1;
	if (strcmp(bpe_version(), BPE_VERSION))
		return 1;
	for (int source = 0; source < 2; source++)
		for (int filtered = 0; filtered < 2; filtered++) {
			bpe_options_init(&o);
			if (source)
				o.file = argv[1];
			else
				o.interface_name = SYNTH;
			o.fixed_seed = true;
			o.hash_seed = 42;
			if (filtered)
				o.filter_expression =
					"tcp port 80 or udp and not net 10.0.0.0/9 or ip6[6] = 17";
			if (sum_capture(source ? "savefile" : "synth", &o))
				return 1;
			if (run_engine_level(source ? "savefile, engine" : "synth, engine", &o))
				return 1;
		}
	struct bpe_filter_options how;
	bpe_filter_options_init(&how);
	if (bpe_filter_explain("tcp port 80", &how, &text, &error) < 0)
		return print_failure("explain", &error);
	fputs(text, stdout);
	bpe_filter_text_free(text);
	if (bpe_filter_explain("tcp prt 80", &how, &text, &error) >= 0)
		return 1;
	printf("%s\n", error.text);
	int n = bpe_interfaces_list(&interfaces, &error);
	if (n < 1)
		return print_failure("interfaces", &error);
	printf("%s last\n", interfaces[n - 1].name);
	bpe_interfaces_free(interfaces);
	bpe_options_init(&o);
	o.file = "no such file";
	struct bpe_capture *none;
	printf("%d\n", bpe_capture_open(&o, &none, &error));
	printf("%s\n", error.text);
	fprintf(stderr, "%s\n", bpe_build_info());
	return 0;
}
