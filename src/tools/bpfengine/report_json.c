/* SPDX-License-Identifier: MIT */
/* The report as one JSON document, schema bpfengine.report/1: keys are stable, later versions only
 * add. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>

static void protocols(FILE *to, struct bpe_engine *engine)
{
	size_t n = bpe_engine_protocols(engine, NULL, 0), got;
	struct bpe_protocol *p = calloc(n + 64, sizeof *p); /* more may appear meanwhile */
	got = p ? bpe_engine_protocols(engine, p, n + 64) : 0;
	fprintf(to, "\"protocols\":{");
	for (size_t i = 0; i < got && i < n + 64; i++)
		fprintf(to, "%s\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}",
			i ? "," : "", p[i].name, p[i].packets, p[i].bytes);
	fprintf(to, "},");
	free(p);
}

static void top_flows(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_flow *f = n ? calloc(n, sizeof *f) : NULL;
	int found = f ? bpe_engine_top_flows(engine, f, n) : 0;
	fprintf(to, "\"top_flows\":[");
	for (int i = 0; i < found; i++) {
		char a[48], b[48], p[16];
		fprintf(to,
			"%s{\"src\":\"%s\",\"sport\":%u,\"dst\":\"%s\",\"dport\":%u,\"proto\":\"%s\",\"packets\":[%" PRIu64
			",%" PRIu64 "],\"wire_bytes\":[%" PRIu64 ",%" PRIu64 "]",
			i ? "," : "", cli_address(a, sizeof a, f[i].addr[0], f[i].ip_version),
			f[i].port[0], cli_address(b, sizeof b, f[i].addr[1], f[i].ip_version),
			f[i].port[1], cli_protocol(p, sizeof p, f[i].ip_proto, f[i].ip_version),
			f[i].packets[0], f[i].packets[1], f[i].wire_bytes[0], f[i].wire_bytes[1]);
		if (f[i].pid > 0) {
			fprintf(to, ",\"pid\":%d,\"process\":", f[i].pid);
			program_print_json(to, f[i].comm);
		}
		fputc('}', to);
	}
	fprintf(to, "],");
	free(f);
}

/* given = written + lost; opened + periods + snapshots = given + dropped, at the end */
static void records(FILE *to, const struct bpe_stats *s, const struct cli *cli)
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

static void workers(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_worker_stats w;
	fprintf(to, "\"workers\":[");
	for (uint32_t k = 0; k < n && bpe_engine_worker_stats(engine, k, &w) == BPE_OK; k++)
		fprintf(to,
			"%s{\"worker\":%u,\"packets\":%" PRIu64 ",\"captured_bytes\":%" PRIu64
			",\"wire_bytes\":%" PRIu64 ",\"batches\":%" PRIu64 ",\"dropped\":%" PRIu64
			",\"flows\":{\"active\":%" PRIu64 ",\"peak\":%" PRIu64
			"},\"ring\":{\"slots\":%u,\"depth\":%u,\"peak\":%u},\"records\":{\"given\":%" PRIu64
			",\"dropped\":%" PRIu64 ",\"ring_bytes\":%u,\"ring_peak\":%u}}",
			k ? "," : "", k, w.packets, w.captured_bytes, w.wire_bytes, w.batches,
			w.dropped, w.flows_active, w.flows_peak, w.ring_slots, w.ring_depth,
			w.ring_peak, w.records, w.records_dropped, w.record_ring_bytes,
			w.record_ring_peak);
	fprintf(to, "],");
}

/* A count that the source does not tell is null, not 0. */
static void kernel(FILE *to, const struct bpe_stats *s)
{
	const struct {
		const char *key;
		uint64_t count, known;
	} counts[] = { { "received", s->kernel_received, BPE_KNOWN_RECEIVED },
		{ "accepted", s->kernel_accepted, BPE_KNOWN_ACCEPTED },
		{ "dropped", s->kernel_dropped, BPE_KNOWN_DROPPED },
		{ "interface_dropped", s->interface_dropped, BPE_KNOWN_INTERFACE_DROPPED } };
	fprintf(to, "\"kernel\":{");
	for (int i = 0; i < 4; i++) {
		fprintf(to, "%s\"%s\":", i ? "," : "", counts[i].key);
		if (s->kernel_known & counts[i].known)
			fprintf(to, "%" PRIu64, counts[i].count);
		else
			fprintf(to, "null");
	}
	fprintf(to, "},");
}

static void rights(FILE *to, const struct cli_rights *r)
{
	const struct {
		const char *key, *text;
	} texts[] = { { "capabilities", r->capabilities }, { "confined", r->confined },
		{ "missing", r->missing }, { "kept", r->kept } };
	fprintf(to, "\"rights\":{\"user\":");
	program_print_json(to, r->user);
	fprintf(to, ",\"dropped\":%s", r->dropped ? "true" : "false");
	for (int i = 0; i < 4; i++) {
		fprintf(to, ",\"%s\":", texts[i].key);
		if (texts[i].text[0])
			program_print_json(to, texts[i].text);
		else
			fprintf(to, "null");
	}
	fprintf(to, "},");
}

void cli_report_json(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;
	bpe_engine_stats(engine, &s);
	double seconds = (double)s.elapsed_ns * 1e-9, rate = seconds > 0 ? 1 / seconds : 0;
	fprintf(to,
		"{\"schema\":\"bpfengine.report/1\",\"version\":\"%s\",\"source\":", bpe_version());
	program_print_json(to, bpe_engine_source(engine));
	fprintf(to, ",\"linktype\":\"%s\",\"seconds\":%.6f,\"packet_seconds\":%.9f,",
		bpe_engine_link_type(engine), seconds, cli_packet_seconds(&s));
	fprintf(to,
		"\"packets\":{\"read\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"in_flight\":%" PRIu64
		",\"dropped\":{",
		s.read_packets, s.delivered_packets, s.in_flight);
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		fprintf(to, "%s\"%s\":%" PRIu64, i ? "," : "", bpe_drop_name(i), s.dropped[i]);
	fprintf(to, "}},\"bytes\":{\"captured\":%" PRIu64 ",\"wire\":%" PRIu64 "},",
		s.captured_bytes, s.wire_bytes);
	fprintf(to,
		"\"rates\":{\"packets_per_second\":%.1f,\"bits_per_second\":%.1f,\"last_second\":{\"packets_per_second\":%" PRIu64
		",\"bits_per_second\":%" PRIu64 "}},",
		(double)s.read_packets * rate, (double)s.wire_bytes * 8 * rate,
		s.packets_per_second, s.bits_per_second);
	kernel(to, &s);
	fprintf(to, "\"interface_down\":%s,\"filtered\":%" PRIu64 ",",
		!cli->engine.interface_name ? "null"
		: s.interface_down          ? "true"
					    : "false",
		s.filtered);
	fprintf(to, "\"directions\":{\"inbound\":%" PRIu64 ",\"outbound\":%" PRIu64 "},",
		s.inbound_packets, s.outbound_packets);
	protocols(to, engine);
	fprintf(to,
		"\"network\":{\"ip\":%" PRIu64 ",\"ip6\":%" PRIu64 ",\"fragments\":%" PRIu64
		",\"vlan\":%" PRIu64 ",\"tunnels\":%" PRIu64 ",\"icmp_errors\":%" PRIu64 ",",
		s.ip4_packets, s.ip6_packets, s.fragments, s.vlan_packets, s.tunnel_packets,
		s.icmp_errors);
	fprintf(to,
		"\"fragments_followed\":%" PRIu64 ",\"fragments_lost\":%" PRIu64
		",\"fragments_evicted\":%" PRIu64 "},",
		s.fragments_followed, s.fragments_lost, s.fragments_evicted);
	fprintf(to,
		"\"malformed\":{\"truncated\":%" PRIu64 ",\"bad_version\":%" PRIu64
		",\"bad_header\":%" PRIu64 ",\"bad_length\":%" PRIu64 ",\"bad_checksum\":%" PRIu64
		"},",
		s.truncated, s.bad_version, s.bad_header, s.bad_length, s.bad_checksum);
	fprintf(to, "\"sizes\":{");
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", bpe_size_class_name(k), s.sizes[k]);
	fprintf(to,
		"},\"flows\":{\"opened\":%" PRIu64 ",\"active\":%" PRIu64 ",\"peak\":%" PRIu64
		",\"ended\":%" PRIu64 ",\"evicted\":%" PRIu64 ",\"packets\":%" PRIu64
		",\"refused\":%" PRIu64 ",\"periods\":%" PRIu64 ",\"bytes\":%" PRIu64
		",\"time_steps\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"evicted_by\":{",
		s.flows_opened, s.flows_active, s.flows_peak, s.flows_ended, s.flows_evicted,
		s.flow_packets, s.flows_refused, s.flows_periods, s.flow_bytes, s.time_steps,
		s.duplicates);
	for (int k = 0; k < BPE_EVICTED_COUNT; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", bpe_evicted_name(k), s.evicted[k]);
	fprintf(to, "},");
	records(to, &s, cli);
	fprintf(to, "},");
	top_flows(to, engine, cli->largest);
	workers(to, engine, s.workers);
	rights(to, &cli->rights);
	fprintf(to,
		"\"blocks\":{\"read\":%" PRIu64 ",\"torn\":%" PRIu64
		"},\"batches\":{\"count\":%" PRIu64 ",\"mean_packets\":%.2f},\"waits\":%" PRIu64
		",\"error\":",
		s.blocks, s.torn_blocks, s.batches,
		s.batches ? (double)s.delivered_packets / (double)s.batches : 0, s.waits);
	if (error)
		program_print_json(to, error);
	else
		fprintf(to, "null");
	fprintf(to, "}\n");
}
