/* SPDX-License-Identifier: MIT */
/* The report for people, the live line and the interval lines; stateless but for the live line's
 * width on the terminal. */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool live_shown;

static const char *count(char *to, size_t room, uint64_t n)
{
	return cli_count(to, room, (double)n);
}

static void endpoint(char *to, size_t room, const struct bpe_flow *f, int side)
{
	char a[48];
	cli_address(a, sizeof a, f->addr[side], f->ip_version);
	if (f->port[side])
		snprintf(to, room, f->ip_version == 6 ? "[%s]:%u" : "%s:%u", a, f->port[side]);
	else
		snprintf(to, room, "%s", a);
}

double cli_packet_seconds(const struct bpe_stats *s)
{
	return (double)((uint64_t)s->last_packet_ns - (uint64_t)s->first_packet_ns) * 1e-9;
}

static void top_flows(FILE *to, struct bpe_engine *engine, uint32_t n)
{
	struct bpe_flow *f = n ? calloc(n, sizeof *f) : NULL;
	int found = f ? bpe_engine_top_flows(engine, f, n) : 0;
	if (found > 0)
		fprintf(to,
			"\nLargest flows alive at the end\n  %-22s    %-22s  %-5s %10s %12s  state\n",
			"originator", "responder", "proto", "packets", "bytes");
	for (int i = 0; i < found; i++) {
		char a[64], b[64], p[16], name[160];
		endpoint(a, sizeof a, &f[i], 0);
		endpoint(b, sizeof b, &f[i], 1);
		fprintf(to, "  %-22s -> %-22s  %-5s %10" PRIu64 " %12" PRIu64 "  %s", a, b,
			cli_protocol(p, sizeof p, f[i].ip_proto, f[i].ip_version),
			f[i].packets[0] + f[i].packets[1], f[i].wire_bytes[0] + f[i].wire_bytes[1],
			cli_tcp_state(f[i].tcp_state));
		if (f[i].pid > 0)
			fprintf(to, "  %s (%d)", program_visible(name, sizeof name, f[i].comm),
				f[i].pid);
		fputc('\n', to);
	}
	free(f);
}

static void protocols(FILE *to, struct bpe_engine *engine, uint64_t packets)
{
	struct bpe_protocol p[64];
	size_t n = bpe_engine_protocols(engine, p, 64);
	if (n)
		fprintf(to, "\nProtocols                     packets           bytes   share\n");
	for (size_t i = 0; i < n && i < 64; i++)
		fprintf(to, "  %-20s %14" PRIu64 " %15" PRIu64 "  %5.1f%%\n", p[i].name,
			p[i].packets, p[i].bytes,
			packets ? 100 * (double)p[i].packets / (double)packets : 0);
	if (n > 64)
		fprintf(to, "  and %zu more\n", n - 64);
}

static void sizes(FILE *to, const struct bpe_stats *s)
{
	fprintf(to, "\nSizes\n");
	for (int k = 0; k < BPE_SIZE_CLASSES; k++)
		if (s->sizes[k])
			fprintf(to, "  %-20s %14" PRIu64 "                  %5.1f%%\n",
				bpe_size_class_name(k), s->sizes[k],
				100 * (double)s->sizes[k] / (double)s->delivered_packets);
}

static void records(FILE *to, const struct bpe_stats *s, const struct cli *cli)
{
	uint64_t written, lost;
	cli_flows_counts(cli->flows, &written, &lost);
	fprintf(to, "Records: %" PRIu64 " written to %s as %s", written, cli->flows_shown,
		bpe_format_name((int)cli->flows_format));
	if (s->flows_shown)
		fprintf(to, ", %" PRIu64 " of them of flows asked for", s->flows_shown);
	if (s->records_dropped)
		fprintf(to, ", %" PRIu64 " dropped for want of time to write them",
			s->records_dropped);
	if (lost)
		fprintf(to, ", %" PRIu64 " could not be written", lost);
	fputc('\n', to);
}

static void rights(FILE *to, const struct cli_rights *r)
{
	fprintf(to, "After opening: user %s%s%s, %s%s%s\n", r->user, r->capabilities[0] ? ", " : "",
		r->capabilities, r->confined[0] ? r->confined : "not confined",
		r->missing[0] ? ", " : "", r->missing);
	if (r->kept[0])
		fprintf(to, "  %s\n", r->kept);
}

/* A count as decimal digits, or what stands for one that the source does not tell. */
static const char *known(char *to, size_t room, const struct bpe_stats *s, uint64_t which,
	uint64_t n, const char *unknown)
{
	if (s->kernel_known & which)
		snprintf(to, room, "%" PRIu64, n);
	else
		snprintf(to, room, "%s", unknown);
	return to;
}

static void kernel(FILE *to, const struct bpe_stats *s)
{
	char received[24], dropped[24], interface[24];
	if (!s->kernel_known)
		return; /* a savefile, synth */
	fprintf(to, "\n%s received by the kernel, %s dropped by the kernel, %s by the interface",
		known(received, sizeof received, s, BPE_KNOWN_RECEIVED, s->kernel_received,
			"unknown"),
		known(dropped, sizeof dropped, s, BPE_KNOWN_DROPPED, s->kernel_dropped, "unknown"),
		known(interface, sizeof interface, s, BPE_KNOWN_INTERFACE_DROPPED,
			s->interface_dropped, "unknown"));
}

void cli_report_text(FILE *to, struct bpe_engine *engine, const struct cli *cli, const char *error)
{
	struct bpe_stats s;
	struct bpe_worker_stats w;
	char a[32], b[32], c[32], source[600];
	uint64_t dropped = 0;
	bpe_engine_stats(engine, &s);
	double seconds = (double)s.elapsed_ns * 1e-9, rate = seconds > 0 ? 1 / seconds : 0;
	fprintf(to, "%s, link type %s\n",
		program_visible(source, sizeof source, bpe_engine_source(engine)),
		bpe_engine_link_type(engine));
	fprintf(to, "%.3f s", seconds);
	if (s.last_packet_ns > s.first_packet_ns)
		fprintf(to, "; packets span %.6f s", cli_packet_seconds(&s));
	fprintf(to,
		"\n%" PRIu64 " packets read (%s/s), %" PRIu64 " bytes captured, %" PRIu64
		" on the wire (%sbit/s)\n",
		s.read_packets, cli_count(a, sizeof a, (double)s.read_packets * rate),
		s.captured_bytes, s.wire_bytes,
		cli_count(b, sizeof b, (double)s.wire_bytes * 8 * rate));
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		dropped += s.dropped[i];
	fprintf(to, "%" PRIu64 " delivered, %" PRIu64 " dropped by us", s.delivered_packets,
		dropped);
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		if (s.dropped[i])
			fprintf(to, " (%s %" PRIu64 ")", bpe_drop_name(i), s.dropped[i]);
	if (s.in_flight)
		fprintf(to, ", %" PRIu64 " on their way", s.in_flight);
	kernel(to, &s);
	fprintf(to, "\n");
	if (s.interface_down)
		fprintf(to, "The interface is down: nothing arrives until it is up\n");
	if (s.inbound_packets | s.outbound_packets)
		fprintf(to, "Directions told: %" PRIu64 " inbound, %" PRIu64 " outbound\n",
			s.inbound_packets, s.outbound_packets);
	if (s.truncated | s.bad_version | s.bad_header | s.bad_length)
		fprintf(to,
			"Damaged: %" PRIu64 " truncated, %" PRIu64 " bad version, %" PRIu64
			" bad header length, %" PRIu64 " bad length\n",
			s.truncated, s.bad_version, s.bad_header, s.bad_length);
	if (s.bad_checksum)
		fprintf(to, "Checksums: %" PRIu64 " packets with a wrong one\n", s.bad_checksum);
	if (s.fragments_followed | s.fragments_lost)
		fprintf(to,
			"Fragments: %" PRIu64 " later ones on their flow, %" PRIu64
			" without their first one, %" PRIu64 " forgotten for want of room\n",
			s.fragments_followed, s.fragments_lost, s.fragments_evicted);
	protocols(to, engine, s.delivered_packets);
	if (s.delivered_packets)
		sizes(to, &s);
	if (cli->engine.flows) {
		fprintf(to,
			"\nFlows: %" PRIu64 " opened, %" PRIu64 " active, %" PRIu64
			" at most, %" PRIu64 " ended, %" PRIu64 " evicted\n",
			s.flows_opened, s.flows_active, s.flows_peak, s.flows_ended,
			s.flows_evicted);
		if (s.flows_evicted)
			fprintf(to,
				"Evicted: %" PRIu64 " of one packet, %" PRIu64
				" half-open, %" PRIu64 " closed, %" PRIu64 " alive, %" PRIu64
				" for colliding keys\n",
				s.evicted[BPE_EVICTED_SINGLE], s.evicted[BPE_EVICTED_HALF_OPEN],
				s.evicted[BPE_EVICTED_CLOSED], s.evicted[BPE_EVICTED_ALIVE],
				s.evicted[BPE_EVICTED_COLLISION]);
		if (cli->flows)
			records(to, &s, cli);
		top_flows(to, engine, cli->largest);
	}
	for (uint32_t k = 0; k < s.workers && bpe_engine_worker_stats(engine, k, &w) == BPE_OK; k++)
		fprintf(to,
			"%sWorker %u: %s packets in %s batches, ring at most %u of %u, %s flows\n",
			k ? "" : "\n", k, count(a, sizeof a, w.packets),
			count(b, sizeof b, w.batches), w.ring_peak, w.ring_slots,
			count(c, sizeof c, w.flows_active));
	if (cli->verbose) {
		fprintf(to,
			"\n%" PRIu64 " blocks, %" PRIu64 " batches (%.1f packets each), %" PRIu64
			" waits, %" PRIu64 " torn blocks\n",
			s.blocks, s.batches,
			s.batches ? (double)s.delivered_packets / (double)s.batches : 0, s.waits,
			s.torn_blocks);
		fprintf(to,
			"%" PRIu64 " IPv4, %" PRIu64 " IPv6, %" PRIu64 " fragments, %" PRIu64
			" with VLAN tags, %" PRIu64 " in tunnels, %" PRIu64
			" ICMP errors of a flow\n",
			s.ip4_packets, s.ip6_packets, s.fragments, s.vlan_packets, s.tunnel_packets,
			s.icmp_errors);
		rights(to, &cli->rights);
	}
	if (error)
		fprintf(to, "\nError: %s\n", error);
}

/* ---- On the terminal ---- */

/* What both kinds of line tell of packets that this program dropped. */
static uint64_t dropped_here(const struct bpe_stats *s)
{
	uint64_t sum = 0;
	for (int i = 0; i < BPE_DROP_COUNT; i++)
		sum += s->dropped[i];
	return sum;
}

bool cli_live_line(const struct bpe_stats *s)
{
	char a[32], b[32], c[32], d[32], e[32], f[32];
	clearerr(stderr);
	fprintf(stderr, "\r\033[K");
	if (s->source_bytes) /* it may have grown since */
		fprintf(stderr, "%3.0f%%  ",
			s->source_position < s->source_bytes
				? 100 * (double)s->source_position / (double)s->source_bytes
				: 100.0);
	fprintf(stderr, "%s packets  %s/s  %sbit/s  dropped %s kernel %s us  %s flows",
		count(a, sizeof a, s->read_packets), count(b, sizeof b, s->packets_per_second),
		count(c, sizeof c, s->bits_per_second),
		s->kernel_known & BPE_KNOWN_DROPPED ? count(d, sizeof d, s->kernel_dropped) : "-",
		count(e, sizeof e, dropped_here(s)), count(f, sizeof f, s->flows_active));
	fflush(stderr);
	return live_shown = !ferror(stderr);
}

void cli_live_clear(void)
{
	if (live_shown)
		fprintf(stderr, "\r\033[K");
	live_shown = false;
}

void cli_interval_line(FILE *to, const struct bpe_stats *s)
{
	char lost[24];
	known(lost, sizeof lost, s, BPE_KNOWN_DROPPED, s->kernel_dropped, "-");
	fprintf(to,
		"%.1f s: %" PRIu64 " packets, %" PRIu64 " packets/s, %" PRIu64
		" bit/s, dropped %s kernel"
		" %" PRIu64 " us, %" PRIu64 " flows\n",
		(double)s->elapsed_ns * 1e-9, s->read_packets, s->packets_per_second,
		s->bits_per_second, lost, dropped_here(s), s->flows_active);
	fflush(to);
}
