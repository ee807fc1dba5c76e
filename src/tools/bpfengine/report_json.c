/* SPDX-License-Identifier: MIT */
/* The report as one JSON document, schema bpfengine.report/1; stateless.  Keys are stable: later
 * versions only add keys. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void print_source_json(FILE *to, struct bpe_engine *engine, const struct bpe_stats *s)
{
	fprintf(to,
		"{\"schema\":\"bpfengine.report/1\",\"version\":\"%s\",\"source\":", bpe_version());
	program_print_json(to, bpe_engine_source(engine));
	fprintf(to, ",\"linktype\":\"%s\",\"seconds\":%.6f,\"packet_seconds\":%.9f,",
		bpe_engine_link_type(engine), (double)s->elapsed_ns * 1e-9, cli_packet_seconds(s));
}

static void print_packets_json(FILE *to, const struct bpe_stats *s)
{
	const double seconds = (double)s->elapsed_ns * 1e-9;
	const double rate = seconds > 0 ? 1 / seconds : 0;

	fprintf(to,
		"\"packets\":{\"read\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"in_flight\":%" PRIu64
		",\"dropped\":{",
		s->read_packets, s->delivered_packets, s->in_flight);
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		fprintf(to, "%s\"%s\":%" PRIu64, i ? "," : "", bpe_drop_name(i), s->dropped[i]);
	fprintf(to, "}},\"bytes\":{\"captured\":%" PRIu64 ",\"wire\":%" PRIu64 "},",
		s->captured_bytes, s->wire_bytes);
	fprintf(to,
		"\"rates\":{\"packets_per_second\":%.1f,\"bits_per_second\":%.1f,\"last_second\":{\"packets_per_second\":%" PRIu64
		",\"bits_per_second\":%" PRIu64 "}},",
		(double)s->read_packets * rate, (double)s->wire_bytes * 8 * rate,
		s->packets_per_second, s->bits_per_second);
}

/* Prints the kernel's counters; a counter that the source does not report is null, not 0. */
static void print_kernel_json(FILE *to, const struct bpe_stats *s)
{
	const struct {
		const char *key;
		uint64_t count, known;
	} counts[] = { { "received", s->kernel_received, BPE_KNOWN_RECEIVED },
		{ "accepted", s->kernel_accepted, BPE_KNOWN_ACCEPTED },
		{ "dropped", s->kernel_dropped, BPE_KNOWN_DROPPED },
		{ "interface_dropped", s->interface_dropped, BPE_KNOWN_INTERFACE_DROPPED } };
	char count[24];

	fprintf(to, "\"kernel\":{");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		fprintf(to, "%s\"%s\":%s", i ? "," : "", counts[i].key,
			cli_kernel_count(
				count, sizeof count, s, counts[i].known, counts[i].count, "null"));
	fprintf(to, "},");
}

static void print_interface_state_json(
	FILE *to, const struct bpe_stats *s, const struct bpe_options *o)
{
	const char *down = o->interface_name ? json_bool(s->interface_down) : "null";

	fprintf(to, "\"interface_down\":%s,\"filtered\":%" PRIu64 ",", down, s->filtered);
	fprintf(to, "\"directions\":{\"inbound\":%" PRIu64 ",\"outbound\":%" PRIu64 "},",
		s->inbound_packets, s->outbound_packets);
}

static void print_protocols_json(FILE *to, struct bpe_engine *engine)
{
	enum { MORE = 64 }; /* protocols that may appear between the two calls */
	const size_t room = bpe_engine_protocols(engine, NULL, 0) + MORE;
	struct bpe_protocol *p = calloc(room, sizeof *p);
	const size_t found = p ? bpe_engine_protocols(engine, p, room) : 0;

	fprintf(to, "\"protocols\":{");
	for (size_t i = 0; i < found && i < room; i++)
		fprintf(to, "%s\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			i ? "," : "", p[i].name, p[i].packets, p[i].bytes);
	fprintf(to, "},");
	free(p);
}

static void print_network_json(FILE *to, const struct bpe_stats *s)
{
	fprintf(to,
		"\"network\":{\"ip\":%" PRIu64 ",\"ip6\":%" PRIu64 ",\"fragments\":%" PRIu64
		",\"vlan\":%" PRIu64 ",\"tunnels\":%" PRIu64 ",\"icmp_errors\":%" PRIu64 ",",
		s->ip4_packets, s->ip6_packets, s->fragments, s->vlan_packets, s->tunnel_packets,
		s->icmp_errors);
	fprintf(to,
		"\"fragments_followed\":%" PRIu64 ",\"fragments_lost\":%" PRIu64
		",\"fragments_evicted\":%" PRIu64 "},",
		s->fragments_followed, s->fragments_lost, s->fragments_evicted);
	fprintf(to,
		"\"malformed\":{\"truncated\":%" PRIu64 ",\"bad_version\":%" PRIu64
		",\"bad_header\":%" PRIu64 ",\"bad_length\":%" PRIu64 ",\"bad_checksum\":%" PRIu64
		"},",
		s->truncated, s->bad_version, s->bad_header, s->bad_length, s->bad_checksum);
	fprintf(to, "\"sizes\":{");
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", bpe_size_class_name(k), s->sizes[k]);
	fprintf(to, "},");
}

/* Prints the records of --flows.  given = written + lost; at the end of the run, opened + periods +
 * snapshots = given + dropped. */
static void print_records_json(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	uint64_t written, lost;

	if (!cli->flows) {
		fprintf(to, "\"records\":null");
		return;
	}
	cli_flows_counts(cli->flows, &written, &lost);
	fprintf(to,
		"\"records\":{\"format\":\"%s\",\"given\":%" PRIu64 ",\"dropped\":%" PRIu64
		",\"snapshots\":%" PRIu64 ",\"written\":%" PRIu64 ",\"lost\":%" PRIu64 "}",
		bpe_format_name((int)cli->flows_format), s->records, s->records_dropped,
		s->flows_shown, written, lost);
}

static void print_flows_json(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	fprintf(to,
		"\"flows\":{\"opened\":%" PRIu64 ",\"active\":%" PRIu64 ",\"peak\":%" PRIu64
		",\"ended\":%" PRIu64 ",\"evicted\":%" PRIu64 ",\"packets\":%" PRIu64
		",\"refused\":%" PRIu64 ",\"periods\":%" PRIu64 ",\"bytes\":%" PRIu64
		",\"time_steps\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"evicted_by\":{",
		s->flows_opened, s->flows_active, s->flows_peak, s->flows_ended, s->flows_evicted,
		s->flow_packets, s->flows_refused, s->flows_periods, s->flow_bytes, s->time_steps,
		s->duplicates);
	for (int k = 0; k < BPE_EVICTED_COUNT; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", bpe_evicted_name(k), s->evicted[k]);
	fprintf(to, "},");
	print_records_json(to, s, cli);
	fprintf(to, "},");
}

static void print_flow_json(FILE *to, const struct bpe_flow *f)
{
	char source[48], destination[48], protocol[16];

	fprintf(to, "{\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u,\"proto\":\"%s\"",
		cli_address(source, sizeof source, f->addr[0], f->ip_version), f->port[0],
		cli_address(destination, sizeof destination, f->addr[1], f->ip_version), f->port[1],
		cli_protocol(protocol, sizeof protocol, f->ip_proto, f->ip_version));
	fprintf(to,
		",\"packets\":[%" PRIu64 ",%" PRIu64 "],\"wire_bytes\":[%" PRIu64 ",%" PRIu64 "]",
		f->packets[0], f->packets[1], f->wire_bytes[0], f->wire_bytes[1]);
	if (f->pid > 0) {
		fprintf(to, ",\"pid\":%d,\"process\":", f->pid);
		program_print_json(to, f->comm);
	}
	fputc('}', to);
}

static void print_largest_flows_json(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_flow *flows = n ? calloc(n, sizeof *flows) : NULL;
	const int found = flows ? bpe_engine_top_flows(engine, flows, n) : 0;

	fprintf(to, "\"top_flows\":[");
	for (int i = 0; i < found; i++) {
		fputs(i ? "," : "", to);
		print_flow_json(to, &flows[i]);
	}
	fprintf(to, "],");
	free(flows);
}

static void print_workers_json(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_worker_stats w;

	fprintf(to, "\"workers\":[");
	for (uint32_t k = 0; k < n && bpe_engine_worker_stats(engine, k, &w) == BPE_OK; k++) {
		fprintf(to,
			"%s{\"worker\":%u,\"packets\":%" PRIu64 ",\"captured_bytes\":%" PRIu64
			",\"wire_bytes\":%" PRIu64 ",\"batches\":%" PRIu64 ",\"dropped\":%" PRIu64,
			k ? "," : "", k, w.packets, w.captured_bytes, w.wire_bytes, w.batches,
			w.dropped);
		fprintf(to,
			",\"flows\":{\"active\":%" PRIu64 ",\"peak\":%" PRIu64
			"},\"ring\":{\"slots\":%u,\"depth\":%u,\"peak\":%u}",
			w.flows_active, w.flows_peak, w.ring_slots, w.ring_depth, w.ring_peak);
		fprintf(to,
			",\"records\":{\"given\":%" PRIu64 ",\"dropped\":%" PRIu64
			",\"ring_bytes\":%u,\"ring_peak\":%u}}",
			w.records, w.records_dropped, w.record_ring_bytes, w.record_ring_peak);
	}
	fprintf(to, "],");
}

static void print_text_or_null(FILE *to, const char *text)
{
	if (text && *text)
		program_print_json(to, text);
	else
		fprintf(to, "null");
}

static void print_rights_json(FILE *to, const struct cli_rights *r)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "capabilities", r->capabilities }, { "confined", r->confined },
		{ "missing", r->missing }, { "kept", r->kept } };

	fprintf(to, "\"rights\":{\"user\":");
	program_print_json(to, r->user);
	fprintf(to, ",\"dropped\":%s", json_bool(r->dropped));
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		fprintf(to, ",\"%s\":", texts[i].key);
		print_text_or_null(to, texts[i].text);
	}
	fprintf(to, "},");
}

static void print_batches_json(FILE *to, const struct bpe_stats *s)
{
	const double batch = s->batches ? (double)s->delivered_packets / (double)s->batches : 0;

	fprintf(to,
		"\"blocks\":{\"read\":%" PRIu64 ",\"torn\":%" PRIu64
		"},\"batches\":{\"count\":%" PRIu64 ",\"mean_packets\":%.2f},\"waits\":%" PRIu64,
		s->blocks, s->torn_blocks, s->batches, batch, s->waits);
}

void cli_report_json(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	print_source_json(to, engine, &s);
	print_packets_json(to, &s);
	print_kernel_json(to, &s);
	print_interface_state_json(to, &s, &cli->engine);
	print_protocols_json(to, engine);
	print_network_json(to, &s);
	print_flows_json(to, &s, cli);
	print_largest_flows_json(to, engine, cli->largest);
	print_workers_json(to, engine, s.workers);
	print_rights_json(to, &cli->rights);
	print_batches_json(to, &s);
	fprintf(to, ",\"error\":");
	if (error)
		program_print_json(to, error);
	else
		fprintf(to, "null");
	fprintf(to, "}\n");
}
