/* SPDX-License-Identifier: MIT */
/* The report for people; stateless. */
#include "cli.h"
#include "exports.h"
#include "table.h"

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

static const struct counted_phrase names_phrases[] = { COUNTED(names_flows, "flows recognised"),
	COUNTED(names_pending, "incomplete"), COUNTED(names_expired, "given up for their age"),
	COUNTED(names_evicted, "given up for want of memory"),
	COUNTED(names_lost, "names without room") };
static const struct counted_phrase quic_phrases[] = { COUNTED(quic_opened, "Initials opened"),
	COUNTED(quic_failed, "not opened"), COUNTED(quic_skipped, "over the budget") };
static const struct counted_phrase dns_phrases[] = { COUNTED(dns_messages, "messages"),
	COUNTED(dns_evicted, "answers forgotten for want of room") };
static const struct counted_phrase event_phrases[] = { COUNTED(events, "given"),
	COUNTED(events_dropped, "dropped for want of time to write them") };
static const struct counted_phrase owner_phrases[] = { COUNTED(owners_asked, "flows asked for"),
	COUNTED(owners_known, "with a process"), COUNTED(owners_none, "without a process here"),
	COUNTED(owners_unknown, "not known"), COUNTED(owners_skipped, "not asked for") };

/* Prints a line as in "Damaged: 1 truncated, 0 bad version". */
static void print_phrases(FILE *to, const struct bpe_stats *s, const char *title,
	const struct counted_phrase *list, size_t n)
{
	char number[CLI_NUMBER];

	fprintf(to, "%s", title);
	for (size_t i = 0; i < n; i++)
		fprintf(to, "%s%s %s", i ? ", " : "",
			cli_number(number, sizeof number, cli_stat_value(s, list[i].offset)),
			list[i].words);
	fputc('\n', to);
}

/* ---- Source, packets, drops ---- */

/* Prints the source, and the counts of packets and bytes. */
static void print_source(FILE *to, struct bpe_engine *engine, const struct bpe_stats *s)
{
	char source[600], packets[CLI_TIME], wire[CLI_TIME], captured[CLI_NUMBER];

	fprintf(to, "%s, link type %s\n",
		program_visible(source, sizeof source, bpe_engine_source(engine)),
		bpe_engine_link_type(engine));
	fprintf(to, "%s read, %s on the wire, %s captured\n",
		cli_counted(packets, sizeof packets, s->read_packets, "packet"),
		cli_counted(wire, sizeof wire, s->wire_bytes, "byte"),
		cli_number(captured, sizeof captured, s->captured_bytes));
}

/* Prints the dates of the first and the last packet, and the time between them. */
static void print_packet_times(FILE *to, const struct bpe_stats *s)
{
	enum { MICROSECONDS = 6 };
	char first[CLI_TIME], last[CLI_TIME], span[CLI_TIME];

	if (!s->first_packet_ns && !s->last_packet_ns)
		return;
	fprintf(to, "First packet at %s, last at %s: %s\n",
		cli_date(first, sizeof first, s->first_packet_ns, MICROSECONDS),
		cli_date(last, sizeof last, s->last_packet_ns, MICROSECONDS),
		cli_duration(span, sizeof span, cli_packet_span_ns(s)));
}

/* Prints rates.  Those of a savefile are by the packets' time, and the speed of the reading stands
 * apart. */
static void print_rates(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	const double seconds = (double)s->elapsed_ns * 1e-9;
	const double span = (double)cli_packet_span_ns(s) * 1e-9;
	double speed = 0;
	char elapsed[CLI_TIME], rates[2 * CLI_RATE], pps[CLI_RATE];

	cli_duration(elapsed, sizeof elapsed, s->elapsed_ns);
	if (!cli->engine.file) {
		fprintf(to, "%s %s: %s\n",
			cli_is_generated(&cli->engine) ? "Generated for" : "Captured for", elapsed,
			cli_rates_text(
				rates, sizeof rates, s->read_packets, s->wire_bytes, seconds));
		return;
	}
	if (span > 0)
		fprintf(to, "By the packets' time: %s%s\n",
			cli_rates_text(rates, sizeof rates, s->read_packets, s->wire_bytes, span),
			s->time_steps ? " (their clock jumped)" : "");
	if (seconds > 0)
		speed = (double)s->read_packets / seconds;
	fprintf(to, "Read in %s: %s\n", elapsed, cli_packet_rate(pps, sizeof pps, speed));
}

/* Writes the name of a drop in words: "ring full". */
static const char *write_drop_name(char *to, size_t room, int drop)
{
	snprintf(to, room, "%s", bpe_drop_name(drop));
	for (char *c = to; *c; c++)
		if (*c == '_')
			*c = ' ';
	return to;
}

static void print_drops(FILE *to, const struct bpe_stats *s)
{
	char number[CLI_NUMBER], name[CLI_NUMBER];

	fprintf(to, "%s delivered, ", cli_number(number, sizeof number, s->delivered_packets));
	fprintf(to, "%s dropped by bpfengine", cli_number(number, sizeof number, cli_own_drops(s)));
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		if (s->dropped[i])
			fprintf(to, " (%s: %s)", write_drop_name(name, sizeof name, i),
				cli_number(number, sizeof number, s->dropped[i]));
	if (s->in_flight)
		fprintf(to, ", %s on their way", cli_number(number, sizeof number, s->in_flight));
}

static void print_kernel_counts(FILE *to, const struct bpe_stats *s)
{
	char received[CLI_NUMBER], dropped[CLI_NUMBER], interface[CLI_NUMBER];

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

/* Prints how many packets the capture cut: they are not damaged. */
static void print_cut_packets(FILE *to, const struct bpe_stats *s)
{
	char packets[CLI_TIME], headers[CLI_NUMBER];

	if (!s->cut_packets)
		return;
	fprintf(to, "Cut short by the capture: %s",
		cli_counted(packets, sizeof packets, s->cut_packets, "packet"));
	if (s->cut_headers)
		fprintf(to, ", %s within a header (a larger -s shows protocol and ports)",
			cli_number(headers, sizeof headers, s->cut_headers));
	fputc('\n', to);
}

static void print_checksums(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	char verified[CLI_TIME], cut[CLI_NUMBER], wrong[CLI_NUMBER];

	if (!cli->engine.checksums)
		return;
	fprintf(to,
		"Checksums: %s verified, %s not verified as the capture cut the packet, %s wrong\n",
		cli_counted(verified, sizeof verified, s->checksums_verified, "packet"),
		cli_number(cut, sizeof cut, s->checksums_cut),
		cli_number(wrong, sizeof wrong, s->bad_checksum));
}

/* Prints the lines of conditions that are not usual. */
static void print_peculiarities(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	if (s->interface_down)
		fprintf(to, "The interface is down: nothing arrives until it is up\n");
	if (s->inbound_packets | s->outbound_packets)
		print_phrases(to, s, "Directions told: ", PHRASES(direction_phrases));
	if (s->truncated | s->bad_version | s->bad_header | s->bad_length)
		print_phrases(to, s, "Damaged: ", PHRASES(damage_phrases));
	print_cut_packets(to, s);
	print_checksums(to, s, cli);
	if (s->fragments_followed | s->fragments_lost)
		print_phrases(to, s, "Fragments: ", PHRASES(fragment_phrases));
}

/* ---- Protocols, sizes ---- */

/* Fills the next cell with a number. */
static void add_number(struct cli_table *t, uint64_t n)
{
	cli_number(cli_table_next(t), CLI_CELL, n);
}

/* Fills the next cell with the share that n has in all. */
static void add_share(struct cli_table *t, uint64_t n, uint64_t all)
{
	const double share = all ? (double)n / (double)all : 0;

	snprintf(cli_table_next(t), CLI_CELL, "%.1f%%", 100 * share);
}

static void print_protocols(FILE *to, struct bpe_engine *engine, uint64_t packets)
{
	enum { MOST = 64 };
	struct bpe_protocol p[MOST];
	struct cli_table t;
	const size_t n = bpe_engine_protocols(engine, p, MOST);

	if (!n || !cli_table_begin(&t, "lrrr", MOST + 1))
		return;
	fprintf(to, "\nProtocols\n");
	cli_table_add(&t, "");
	cli_table_add(&t, "packets");
	cli_table_add(&t, "bytes");
	cli_table_add(&t, "share");
	for (size_t i = 0; i < n && i < MOST; i++) {
		cli_table_add(&t, p[i].name);
		add_number(&t, p[i].packets);
		add_number(&t, p[i].bytes);
		add_share(&t, p[i].packets, packets);
	}
	cli_table_print(to, &t, 0);
	cli_table_end(&t);
	if (n > MOST)
		fprintf(to, "  and %zu more\n", n - MOST);
}

static void print_sizes(FILE *to, const struct bpe_stats *s)
{
	struct cli_table t;

	if (!s->delivered_packets || !cli_table_begin(&t, "lrr", BPE_SIZE_CLASSES + 1))
		return;
	fprintf(to, "\nSizes\n");
	cli_table_add(&t, "bytes");
	cli_table_add(&t, "packets");
	cli_table_add(&t, "share");
	for (int k = 0; k < BPE_SIZE_CLASSES; k++) {
		if (!s->sizes[k])
			continue;
		cli_table_add(&t, bpe_size_class_name(k));
		add_number(&t, s->sizes[k]);
		add_share(&t, s->sizes[k], s->delivered_packets);
	}
	cli_table_print(to, &t, 0);
	cli_table_end(&t);
}

/* ---- Flows ---- */

/* Writes what is known of the flow's state: of TCP the state, of an ICMP echo the identifier. */
static void write_flow_state(char *to, size_t room, const struct bpe_flow *f)
{
	if (cli_is_icmp(f) && f->port[0])
		snprintf(to, room, "echo, id %u", f->port[0]);
	else
		snprintf(to, room, "%s", cli_tcp_state(f->tcp_state));
}

static void add_flow(struct cli_table *t, const struct bpe_flow *f)
{
	char process[160], visible[160];

	cli_endpoint(cli_table_next(t), CLI_CELL, f, 0);
	cli_table_add(t, "->");
	cli_endpoint(cli_table_next(t), CLI_CELL, f, 1);
	cli_protocol(cli_table_next(t), CLI_CELL, f->ip_proto, f->ip_version);
	add_number(t, f->packets[0] + f->packets[1]);
	add_number(t, f->wire_bytes[0] + f->wire_bytes[1]);
	write_flow_state(cli_table_next(t), CLI_CELL, f);
	process[0] = 0;
	if (f->pid > 0)
		snprintf(process, sizeof process, "%.120s (%d)",
			program_visible(visible, sizeof visible, f->comm), f->pid);
	cli_table_add(t, process);
}

static void print_flow_table(FILE *to, const struct bpe_flow *flows, size_t n)
{
	static const char *const heading[] = { "originator", "", "responder", "proto", "packets",
		"bytes", "state", "" };
	struct cli_table t;

	if (!cli_table_begin(&t, "llllrrll", n + 1))
		return;
	t.split = 3; /* both ends, and the arrow */
	for (size_t k = 0; k < sizeof heading / sizeof *heading; k++)
		cli_table_add(&t, heading[k]);
	for (size_t i = 0; i < n; i++)
		add_flow(&t, &flows[i]);
	cli_table_print(to, &t, cli_terminal_width(to));
	cli_table_end(&t);
}

static void print_largest_flows(FILE *to, struct bpe_engine *engine, const struct cli *cli)
{
	const uint32_t n = cli->largest;
	struct bpe_flow *flows = n ? calloc(n, sizeof *flows) : NULL;
	const int found = flows ? bpe_engine_top_flows(engine, flows, n) : 0;

	if (found > 0) {
		fprintf(to, "\nLargest flows alive at the end%s\n",
			cli->engine.flow_active_ns > 0 ? ", by their last period (--flow-active)"
						       : "");
		print_flow_table(to, flows, (size_t)found);
	}
	free(flows);
}

/* Prints ", NUMBER WORDS" if the number is not 0. */
static void print_if_any(FILE *to, uint64_t n, const char *words)
{
	char number[CLI_NUMBER];

	if (n)
		fprintf(to, ", %s %s", cli_number(number, sizeof number, n), words);
}

static void print_records(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	char number[CLI_NUMBER];
	uint64_t written, lost;

	cli_flows_counts(cli->flows, &written, &lost);
	fprintf(to, "Records: %s written to %s as %s", cli_number(number, sizeof number, written),
		cli->flows_shown, bpe_format_name((int)cli->flows_format));
	print_if_any(to, s->flows_begun, "of them of flows that began");
	print_if_any(to, s->flows_dumped, "of them of flows asked for");
	print_if_any(to, s->records_filtered, "left out by --where");
	print_if_any(to, s->records_dropped, "dropped for want of time to write them");
	print_if_any(to, lost, "could not be written");
	fputc('\n', to);
}

static void print_event_file(FILE *to, const struct cli *cli)
{
	char number[CLI_NUMBER];
	uint64_t written, lost;

	cli_flows_counts(cli->events, &written, &lost);
	fprintf(to, "Event lines: %s written to %s as %s",
		cli_number(number, sizeof number, written), cli->events_shown,
		bpe_format_name((int)cli->events_format));
	print_if_any(to, lost, "could not be written");
	fputc('\n', to);
}

/* Prints the phrases if a number of them is not 0. */
static void print_phrases_if_any(FILE *to, const struct bpe_stats *s, const char *title,
	const struct counted_phrase *list, size_t n)
{
	bool has_any = false;

	for (size_t i = 0; i < n; i++)
		has_any |= cli_stat_value(s, list[i].offset) != 0;
	if (has_any)
		print_phrases(to, s, title, list, n);
}

/* Prints the books of names, events and owners, as far as there are numbers. */
static void print_name_counts(FILE *to, const struct bpe_stats *s)
{
	print_phrases_if_any(to, s, "Names: ", PHRASES(names_phrases));
	print_phrases_if_any(to, s, "QUIC: ", PHRASES(quic_phrases));
	print_phrases_if_any(to, s, "DNS: ", PHRASES(dns_phrases));
	print_phrases_if_any(to, s, "Events: ", PHRASES(event_phrases));
	print_phrases_if_any(to, s, "Owners: ", PHRASES(owner_phrases));
}

static void print_flows(
	FILE *to, struct bpe_engine *engine, const struct bpe_stats *s, const struct cli *cli)
{
	char refused[CLI_TIME];

	if (!cli->engine.flows)
		return;
	print_phrases(to, s, "\nFlows: ", PHRASES(flow_phrases));
	if (s->flows_refused)
		fprintf(to, "Refused: %s without room for a flow\n",
			cli_counted(refused, sizeof refused, s->flows_refused, "packet"));
	if (s->flows_evicted)
		print_phrases(to, s, "Evicted: ", PHRASES(evicted_phrases));
	print_name_counts(to, s);
	if (cli->flows)
		print_records(to, s, cli);
	if (cli->events)
		print_event_file(to, cli);
	print_largest_flows(to, engine, cli);
}

/* ---- Workers, details of -v ---- */

static void print_workers(FILE *to, struct bpe_engine *engine, uint32_t workers)
{
	struct bpe_worker_stats w;
	char packets[CLI_TIME], batches[CLI_TIME], flows[CLI_TIME];

	for (uint32_t k = 0; k < workers && bpe_engine_worker_stats(engine, k, &w) == BPE_OK; k++)
		fprintf(to, "%sWorker %u: %s in %s, ring at most %u of %u, %s\n", k ? "" : "\n", k,
			cli_counted(packets, sizeof packets, w.packets, "packet"),
			cli_counted_as(batches, sizeof batches, w.batches, "batch", "batches"),
			w.ring_peak, w.ring_slots,
			cli_counted(flows, sizeof flows, w.flows_active, "flow"));
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
	char blocks[CLI_TIME], batches[CLI_TIME], waits[CLI_TIME], torn[CLI_NUMBER];

	if (!cli->verbose)
		return;
	fprintf(to, "\n%s (%s torn), %s (%.1f packets each), %s\n",
		cli_counted(blocks, sizeof blocks, s->blocks, "block"),
		cli_number(torn, sizeof torn, s->torn_blocks),
		cli_counted_as(batches, sizeof batches, s->batches, "batch", "batches"), batch,
		cli_counted(waits, sizeof waits, s->waits, "wait"));
	print_phrases(to, s, "", PHRASES(network_phrases));
	fprintf(to, "Build: %s\n", bpe_build_info());
	cli_huge_pages_report(to);
	print_rights(to, &cli->rights);
}

void cli_report_text(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;

	bpe_engine_stats(engine, &s);
	print_source(to, engine, &s);
	print_packet_times(to, &s);
	print_rates(to, &s, cli);
	print_drops(to, &s);
	print_kernel_counts(to, &s);
	fprintf(to, "\n");
	cli_report_written(to, cli);
	print_peculiarities(to, &s, cli);
	cli_report_sources_text(to, engine, cli->engine.file);
	print_protocols(to, engine, s.delivered_packets);
	print_sizes(to, &s);
	print_flows(to, engine, &s, cli);
	cli_report_exports(to, cli);
	print_workers(to, engine, s.workers);
	print_details(to, &s, cli);
	if (cli->quiet || cli_live_was_shown())
		cli_notices_text(to); /* else they stand above, on stderr */
	if (error)
		fprintf(to, "\nError: %s\n", error);
}
