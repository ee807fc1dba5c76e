/* SPDX-License-Identifier: MIT */
/* The report as a JSON document, schema bpfengine.report/1; stateless.  Keys are stable: later
 * versions only add keys.  Names and order of the statistics come from the library's list
 * (bpe_stat_list): there the key "packets.read" stands for "read" in the object "packets". */
#include "cli.h"
#include "exports.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- Statistics by their list ---- */

/* Prints the members of an object, without braces: all statistics with a key of `group`, a dot and
 * a last word.  A count unknown to the source is null, not 0. */
static void print_stat_group(FILE *to, const struct bpe_stats *s, const char *group)
{
	const size_t length = strlen(group);
	const char *comma = "";
	size_t count;
	const struct bpe_stat *stats = bpe_stat_list(&count);

	for (size_t i = 0; i < count; i++) {
		const char *key = stats[i].key;
		const bool is_below = key && !strncmp(key, group, length) && key[length] == '.';

		if (!is_below || strchr(key + length + 1, '.') || stats[i].count > 1)
			continue;
		fprintf(to, "%s\"%s\":", comma, key + length + 1);
		if (stats[i].known && !(s->kernel_known & stats[i].known))
			fprintf(to, "null");
		else
			fprintf(to, "%" PRIu64, cli_stat_value(s, stats[i].offset));
		comma = ",";
	}
}

/* Prints an object of one group: the key, braces and the members. */
static void print_stat_object(FILE *to, const struct bpe_stats *s, const char *group)
{
	fprintf(to, "\"%s\":{", group);
	print_stat_group(to, s, group);
	fprintf(to, "},");
}

/* Prints an object of n numbers, named by name(0) to name(n - 1). */
static void print_named_numbers(
	FILE *to, const char *key, const uint64_t *numbers, int n, const char *(*name)(int number))
{
	fprintf(to, "\"%s\":{", key);
	for (int k = 0; k < n; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", name(k), numbers[k]);
	fputc('}', to);
}

/* ---- Source, packets, flows ---- */

/* Returns the word of JSON for the value. */
static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void print_source_json(FILE *to, struct bpe_engine *engine, const struct bpe_stats *s)
{
	fprintf(to,
		"{\"schema\":\"bpfengine.report/1\",\"version\":\"%s\",\"build\":", bpe_version());
	program_print_json(to, bpe_build_info());
	fprintf(to, ",\"source\":");
	program_print_json(to, bpe_engine_source(engine));
	fprintf(to, ",\"linktype\":\"%s\",\"seconds\":%.6f,\"packet_seconds\":%.9f,",
		bpe_engine_link_type(engine), (double)s->elapsed_ns * 1e-9,
		(double)cli_packet_span_ns(s) * 1e-9);
}

/* Prints the dates of the first and the last packet in UTC; null without a packet. */
static void print_packet_dates_json(FILE *to, const struct bpe_stats *s)
{
	enum { NANOSECONDS = 9 };
	char first[CLI_TIME], last[CLI_TIME];

	if (!s->first_packet_ns && !s->last_packet_ns) {
		fprintf(to, "\"first_packet\":null,\"last_packet\":null,");
		return;
	}
	fprintf(to, "\"first_packet\":\"%s\",\"last_packet\":\"%s\",",
		cli_date(first, sizeof first, s->first_packet_ns, NANOSECONDS),
		cli_date(last, sizeof last, s->last_packet_ns, NANOSECONDS));
}

/* Prints the rates by the packets' own time; null if all packets have the same time. */
static void print_packet_rates_json(FILE *to, const struct bpe_stats *s)
{
	const double span = (double)cli_packet_span_ns(s) * 1e-9;

	if (span > 0)
		fprintf(to,
			"\"by_packet_time\":{\"packets_per_second\":%.3f,\"bits_per_second\":%.3f}",
			(double)s->read_packets / span, (double)s->wire_bytes * 8 / span);
	else
		fprintf(to, "\"by_packet_time\":null");
}

static void print_packets_json(FILE *to, const struct bpe_stats *s)
{
	const double seconds = (double)s->elapsed_ns * 1e-9;
	const double rate = seconds > 0 ? 1 / seconds : 0;

	fprintf(to, "\"packets\":{");
	print_stat_group(to, s, "packets");
	fputc(',', to);
	print_named_numbers(to, "dropped", s->dropped, BPE_DROP_COUNT, bpe_drop_name);
	fprintf(to, "},");
	print_stat_object(to, s, "bytes");
	fprintf(to,
		"\"rates\":{\"packets_per_second\":%.1f,\"bits_per_second\":%.1f,\"last_second\":{",
		(double)s->read_packets * rate, (double)s->wire_bytes * 8 * rate);
	print_stat_group(to, s, "rates.last_second");
	fprintf(to, "},");
	print_packet_rates_json(to, s);
	fprintf(to, "},");
}

static void print_interface_state_json(
	FILE *to, const struct bpe_stats *s, const struct bpe_options *o)
{
	const char *down = o->interface_name ? json_bool(s->interface_down) : "null";

	fprintf(to, "\"interface_down\":%s,\"filtered\":%" PRIu64 ",", down, s->filtered);
	print_stat_object(to, s, "directions");
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
	print_stat_object(to, s, "network");
	print_stat_object(to, s, "malformed");
	print_stat_object(to, s, "cut");
	print_stat_object(to, s, "checksums");
	print_named_numbers(to, "sizes", s->sizes, BPE_SIZE_CLASSES, bpe_size_class_name);
	fputc(',', to);
}

/* Prints the records of --flows.  given = written + lost; at the end of the run, opened + periods +
 * snapshots + begun = given + dropped. */
static void print_records_json(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	uint64_t written, lost;

	if (!cli->flows) {
		fprintf(to, "\"records\":null");
		return;
	}
	cli_flows_counts(cli->flows, &written, &lost);
	fprintf(to, "\"records\":{\"format\":\"%s\",", bpe_format_name((int)cli->flows_format));
	print_stat_group(to, s, "flows.records");
	fprintf(to, ",\"written\":%" PRIu64 ",\"lost\":%" PRIu64 "}", written, lost);
}

static void print_flows_json(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	fprintf(to, "\"flows\":{");
	print_stat_group(to, s, "flows");
	fputc(',', to);
	print_named_numbers(to, "evicted_by", s->evicted, BPE_EVICTED_COUNT, bpe_evicted_name);
	fputc(',', to);
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
	if (cli_is_icmp(f) && f->port[0])
		fprintf(to, ",\"icmp_id\":%u", f->port[0]);
	if (f->pid > 0) {
		fprintf(to, ",\"pid\":%d,\"process\":", f->pid);
		program_print_json(to, f->comm);
	}
	fputc('}', to);
}

/* Prints the largest flows.  With --flow-active their numbers are of their last period. */
static void print_largest_flows_json(FILE *to, struct bpe_engine *engine, const struct cli *cli)
{
	const uint32_t n = cli->largest;
	struct bpe_flow *flows = n ? calloc(n, sizeof *flows) : NULL;
	const int found = flows ? bpe_engine_top_flows(engine, flows, n) : 0;

	fprintf(to, "\"top_flows\":[");
	for (int i = 0; i < found; i++) {
		fputs(i ? "," : "", to);
		print_flow_json(to, &flows[i]);
	}
	fprintf(to, "],\"top_flows_of\":\"%s\",",
		cli->engine.flow_active_ns > 0 ? "last_period" : "whole_flow");
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

	print_stat_object(to, s, "blocks");
	fprintf(to, "\"batches\":{");
	print_stat_group(to, s, "batches");
	fprintf(to, ",\"mean_packets\":%.2f},\"waits\":%" PRIu64, batch, s->waits);
}

void cli_report_json(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	print_source_json(to, engine, &s);
	print_packet_dates_json(to, &s);
	print_packets_json(to, &s);
	print_stat_object(to, &s, "kernel");
	print_interface_state_json(to, &s, &cli->engine);
	cli_report_written_json(to, cli);
	cli_report_sources_json(to, engine);
	print_protocols_json(to, engine);
	print_network_json(to, &s);
	print_flows_json(to, &s, cli);
	print_stat_object(to, &s, "names");
	print_stat_object(to, &s, "quic");
	print_stat_object(to, &s, "dns");
	print_stat_object(to, &s, "events");
	print_stat_object(to, &s, "owners");
	print_largest_flows_json(to, engine, cli);
	print_workers_json(to, engine, s.workers);
	cli_report_exports_json(to, cli);
	print_rights_json(to, &cli->rights);
	print_batches_json(to, &s);
	fputc(',', to);
	cli_notices_json(to);
	fprintf(to, ",\"error\":");
	if (error)
		program_print_json(to, error);
	else
		fprintf(to, "null");
	fprintf(to, "}\n");
}
