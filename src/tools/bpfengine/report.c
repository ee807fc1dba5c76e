/* SPDX-License-Identifier: MIT */
/* The report for people; stateless. */
#include "cli.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- Statistics by lists ---- */

/* A statistic, and the words after the number in a line of the report. */
struct counted_phrase {
	size_t offset; /* in struct bpe_stats */
	const char *words;
};
#define COUNTED(member, words) { offsetof(struct bpe_stats, member), words }
#define PHRASES(list) list, sizeof list / sizeof *list

static const struct counted_phrase direction_phrases[] = { COUNTED(inbound_packets, "inbound"),
	COUNTED(outbound_packets, "outbound") };
static const struct counted_phrase damage_phrases[] = { COUNTED(truncated, "truncated"),
	COUNTED(bad_version, "bad version"), COUNTED(bad_header, "bad header length"),
	COUNTED(bad_length, "bad length") };
static const struct counted_phrase checksum_phrases[] = { COUNTED(
	bad_checksum, "packets with a wrong one") };
static const struct counted_phrase fragment_phrases[] = { COUNTED(fragments_followed,
								  "later ones on their flow"),
	COUNTED(fragments_lost, "without their first one"),
	COUNTED(fragments_evicted, "forgotten for want of room") };
static const struct counted_phrase flow_phrases[] = { COUNTED(flows_opened, "opened"),
	COUNTED(flows_active, "active"), COUNTED(flows_peak, "at most"),
	COUNTED(flows_ended, "ended"), COUNTED(flows_evicted, "evicted") };
static const struct counted_phrase evicted_phrases[] = { COUNTED(evicted[BPE_EVICTED_SINGLE],
								 "of one packet"),
	COUNTED(evicted[BPE_EVICTED_HALF_OPEN], "half-open"),
	COUNTED(evicted[BPE_EVICTED_CLOSED], "closed"),
	COUNTED(evicted[BPE_EVICTED_ALIVE], "alive"),
	COUNTED(evicted[BPE_EVICTED_COLLISION], "for colliding keys") };
static const struct counted_phrase network_phrases[] = { COUNTED(ip4_packets, "IPv4"),
	COUNTED(ip6_packets, "IPv6"), COUNTED(fragments, "fragments"),
	COUNTED(vlan_packets, "with VLAN tags"), COUNTED(tunnel_packets, "in tunnels"),
	COUNTED(icmp_errors, "ICMP errors of a flow") };

/* Prints a line as in "Damaged: 1 truncated, 0 bad version". */
static void print_phrases(FILE *to, const struct bpe_stats *s, const char *title,
	const struct counted_phrase *list, size_t n)
{
	fprintf(to, "%s", title);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s%" PRIu64 " %s", i ? ", " : "", cli_stat_value(s, list[i].offset),
			list[i].words);
	fputc('\n', to);
}

static const char *write_count(char *to, size_t room, uint64_t n)
{
	return cli_count(to, room, (double)n);
}

double cli_packet_seconds(const struct bpe_stats *s)
{
	return (double)((uint64_t)s->last_packet_ns - (uint64_t)s->first_packet_ns) * 1e-9;
}

/* ---- Source, packets, drops ---- */

/* Prints the source, the time, and the counts and rates of packets and bytes. */
static void print_source(FILE *to, struct bpe_engine *engine, const struct bpe_stats *s)
{
	char source[600], pps[32], bps[32];
	const double seconds = (double)s->elapsed_ns * 1e-9;
	const double rate = seconds > 0 ? 1 / seconds : 0;

	fprintf(to, "%s, link type %s\n",
		program_visible(source, sizeof source, bpe_engine_source(engine)),
		bpe_engine_link_type(engine));
	fprintf(to, "%.3f s", seconds);
	if (s->last_packet_ns > s->first_packet_ns)
		fprintf(to, "; packets span %.6f s", cli_packet_seconds(s));
	fprintf(to,
		"\n%" PRIu64 " packets read (%s/s), %" PRIu64 " bytes captured, %" PRIu64
		" on the wire (%sbit/s)\n",
		s->read_packets, cli_count(pps, sizeof pps, (double)s->read_packets * rate),
		s->captured_bytes, s->wire_bytes,
		cli_count(bps, sizeof bps, (double)s->wire_bytes * 8 * rate));
}

static void print_drops(FILE *to, const struct bpe_stats *s)
{
	uint64_t dropped = 0;

	for (int i = 0; i < BPE_DROP_COUNT; i++)
		dropped += s->dropped[i];
	fprintf(to, "%" PRIu64 " delivered, %" PRIu64 " dropped by us", s->delivered_packets,
		dropped);
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		if (s->dropped[i])
			fprintf(to, " (%s %" PRIu64 ")", bpe_drop_name(i), s->dropped[i]);
	if (s->in_flight)
		fprintf(to, ", %" PRIu64 " on their way", s->in_flight);
}

static void print_kernel_counts(FILE *to, const struct bpe_stats *s)
{
	char received[24], dropped[24], interface[24];

	if (!s->kernel_known) /* savefiles and synth have no kernel */
		return;
	cli_kernel_count(
		received, sizeof received, s, BPE_KNOWN_RECEIVED, s->kernel_received, "unknown");
	cli_kernel_count(
		dropped, sizeof dropped, s, BPE_KNOWN_DROPPED, s->kernel_dropped, "unknown");
	cli_kernel_count(interface, sizeof interface, s, BPE_KNOWN_INTERFACE_DROPPED,
		s->interface_dropped, "unknown");
	fprintf(to, "\n%s received by the kernel, %s dropped by the kernel, %s by the interface",
		received, dropped, interface);
}

/* Prints the lines of conditions that are not usual. */
static void print_peculiarities(FILE *to, const struct bpe_stats *s)
{
	if (s->interface_down)
		fprintf(to, "The interface is down: nothing arrives until it is up\n");
	if (s->inbound_packets | s->outbound_packets)
		print_phrases(to, s, "Directions told: ", PHRASES(direction_phrases));
	if (s->truncated | s->bad_version | s->bad_header | s->bad_length)
		print_phrases(to, s, "Damaged: ", PHRASES(damage_phrases));
	if (s->bad_checksum)
		print_phrases(to, s, "Checksums: ", PHRASES(checksum_phrases));
	if (s->fragments_followed | s->fragments_lost)
		print_phrases(to, s, "Fragments: ", PHRASES(fragment_phrases));
}

/* ---- Protocols, sizes ---- */

static void print_protocols(FILE *to, struct bpe_engine *engine, uint64_t packets)
{
	enum { MOST = 64 };
	struct bpe_protocol p[MOST];
	const size_t n = bpe_engine_protocols(engine, p, MOST);

	if (n)
		fprintf(to, "\nProtocols                     packets           bytes   share\n");
	for (size_t i = 0; i < n && i < MOST; i++)
		fprintf(to, "  %-20s %14" PRIu64 " %15" PRIu64 "  %5.1f%%\n", p[i].name,
			p[i].packets, p[i].bytes,
			packets ? 100 * (double)p[i].packets / (double)packets : 0);
	if (n > MOST)
		fprintf(to, "  and %zu more\n", n - MOST);
}

static void print_sizes(FILE *to, const struct bpe_stats *s)
{
	if (!s->delivered_packets)
		return;
	fprintf(to, "\nSizes\n");
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		if (s->sizes[k])
			fprintf(to, "  %-20s %14" PRIu64 "                  %5.1f%%\n",
				bpe_size_class_name(k), s->sizes[k],
				100 * (double)s->sizes[k] / (double)s->delivered_packets);
}

/* ---- Flows ---- */

static void write_endpoint(char *to, size_t room, const struct bpe_flow *f, int side)
{
	char address[48];

	cli_address(address, sizeof address, f->addr[side], f->ip_version);
	if (f->port[side])
		snprintf(
			to, room, f->ip_version == 6 ? "[%s]:%u" : "%s:%u", address, f->port[side]);
	else
		snprintf(to, room, "%s", address);
}

static void print_flow(FILE *to, const struct bpe_flow *f)
{
	char originator[64], responder[64], protocol[16], process[160];

	write_endpoint(originator, sizeof originator, f, 0);
	write_endpoint(responder, sizeof responder, f, 1);
	fprintf(to, "  %-22s -> %-22s  %-5s %10" PRIu64 " %12" PRIu64 "  %s", originator, responder,
		cli_protocol(protocol, sizeof protocol, f->ip_proto, f->ip_version),
		f->packets[0] + f->packets[1], f->wire_bytes[0] + f->wire_bytes[1],
		cli_tcp_state(f->tcp_state));
	if (f->pid > 0)
		fprintf(to, "  %s (%d)", program_visible(process, sizeof process, f->comm), f->pid);
	fputc('\n', to);
}

static void print_largest_flows(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_flow *flows = n ? calloc(n, sizeof *flows) : NULL;
	const int found = flows ? bpe_engine_top_flows(engine, flows, n) : 0;

	if (found > 0)
		fprintf(to,
			"\nLargest flows alive at the end\n  %-22s    %-22s  %-5s %10s %12s  state\n",
			"originator", "responder", "proto", "packets", "bytes");
	for (int i = 0; i < found; i++)
		print_flow(to, &flows[i]);
	free(flows);
}

static void print_records(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	uint64_t written, lost;

	cli_flows_counts(cli->flows, &written, &lost);
	fprintf(to, "Records: %" PRIu64 " written to %s as %s", written, cli->flows_shown,
		bpe_format_name((int)cli->flows_format));
	if (s->flows_begun)
		fprintf(to, ", %" PRIu64 " of them of flows that began", s->flows_begun);
	if (s->flows_dumped)
		fprintf(to, ", %" PRIu64 " of them of flows asked for", s->flows_dumped);
	if (s->records_dropped)
		fprintf(to, ", %" PRIu64 " dropped for want of time to write them",
			s->records_dropped);
	if (lost)
		fprintf(to, ", %" PRIu64 " could not be written", lost);
	fputc('\n', to);
}

static void print_flows(
	FILE *to, struct bpe_engine *engine, const struct bpe_stats *s, const struct cli *cli)
{
	if (!cli->engine.flows)
		return;
	print_phrases(to, s, "\nFlows: ", PHRASES(flow_phrases));
	if (s->flows_evicted)
		print_phrases(to, s, "Evicted: ", PHRASES(evicted_phrases));
	if (cli->flows)
		print_records(to, s, cli);
	print_largest_flows(to, engine, cli->largest);
}

/* ---- Workers, details of -v ---- */

static void print_workers(FILE *to, struct bpe_engine *engine, uint32_t workers)
{
	struct bpe_worker_stats w;
	char packets[32], batches[32], flows[32];

	for (uint32_t k = 0; k < workers && bpe_engine_worker_stats(engine, k, &w) == BPE_OK; k++)
		fprintf(to,
			"%sWorker %u: %s packets in %s batches, ring at most %u of %u, %s flows\n",
			k ? "" : "\n", k, write_count(packets, sizeof packets, w.packets),
			write_count(batches, sizeof batches, w.batches), w.ring_peak, w.ring_slots,
			write_count(flows, sizeof flows, w.flows_active));
}

static void print_rights(FILE *to, const struct cli_rights *r)
{
	fprintf(to, "After opening: user %s%s%s", r->user, r->capabilities[0] ? ", " : "",
		r->capabilities);
	fprintf(to, ", %s", r->confined[0] ? r->confined : "not confined");
	fprintf(to, "%s%s\n", r->missing[0] ? ", " : "", r->missing);
	if (r->kept[0])
		fprintf(to, "  %s\n", r->kept);
}

static void print_details(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	const double batch = s->batches ? (double)s->delivered_packets / (double)s->batches : 0;

	if (!cli->verbose)
		return;
	fprintf(to,
		"\n%" PRIu64 " blocks, %" PRIu64 " batches (%.1f packets each), %" PRIu64
		" waits, %" PRIu64 " torn blocks\n",
		s->blocks, s->batches, batch, s->waits, s->torn_blocks);
	print_phrases(to, s, "", PHRASES(network_phrases));
	print_rights(to, &cli->rights);
}

void cli_report_text(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	print_source(to, engine, &s);
	print_drops(to, &s);
	print_kernel_counts(to, &s);
	fprintf(to, "\n");
	print_peculiarities(to, &s);
	print_protocols(to, engine, s.delivered_packets);
	print_sizes(to, &s);
	print_flows(to, engine, &s, cli);
	print_workers(to, engine, s.workers);
	print_details(to, &s, cli);
	if (error)
		fprintf(to, "\nError: %s\n", error);
}
