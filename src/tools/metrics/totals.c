/* SPDX-License-Identifier: MIT */
/* Sums and histograms of flow records (totals.h); the caller owns the state. */
#include "totals.h"

#include "tools/common/program.h"

#include <string.h>

/* ---- Opens and closes ---- */

bool metrics_totals_open(struct metrics_totals *t, uint32_t places, uint32_t servers)
{
	memset(t, 0, sizeof *t);
	if (metrics_top_open(&t->processes, places) && metrics_top_open(&t->interfaces, places) &&
		metrics_top_open(&t->servers, servers))
		return true;
	metrics_totals_close(t);
	return false;
}

void metrics_totals_close(struct metrics_totals *t)
{
	metrics_top_close(&t->processes);
	metrics_top_close(&t->interfaces);
	metrics_top_close(&t->servers);
}

/* ---- Records ---- */

/* Copies whole characters of a name.  Bytes that are no UTF-8 become U+FFFD, as on the page: so two
 * names never look alike there. */
static const char *clean_name(char to[METRICS_NAME_BYTES], const char *name)
{
	static const char stand_in[] = "\xef\xbf\xbd";
	size_t used = 0;

	while (*name) {
		const size_t n = program_utf8(name);
		const char *const from = n ? name : stand_in;
		const size_t length = n ? n : sizeof stand_in - 1;

		if (used + length >= METRICS_NAME_BYTES)
			break;
		memcpy(to + used, from, length);
		used += length;
		name += n ? n : 1;
	}
	to[used] = 0;
	return to;
}

static void add_health(struct metrics_totals *t, const struct bpe_flow *f)
{
	if (!(f->flags & BPE_FLOW_HEALTH))
		return;
	for (int k = 0; k < 2; k++) {
		t->health[METRICS_RETRANSMISSION][k] += f->retransmissions[k];
		t->health[METRICS_SPURIOUS][k] += f->spurious_retransmissions[k];
		t->health[METRICS_OUT_OF_ORDER][k] += f->out_of_order[k];
		t->health[METRICS_LOST_SEGMENT][k] += f->lost_segments[k];
		t->health[METRICS_ZERO_WINDOW][k] += f->zero_windows[k];
	}
}

static void add_flow_times(struct metrics_totals *t, const struct bpe_flow *f)
{
	const bool is_first = !(f->flags & BPE_FLOW_CONTINUED);
	const bool is_whole = is_first && f->end != BPE_END_ACTIVE;
	const uint64_t span_ns = (uint64_t)f->last_ns - (uint64_t)f->first_ns;

	if (is_whole)
		metrics_histogram_add(&t->durations, &metrics_durations,
			span_ns > INT64_MAX ? INT64_MAX : (int64_t)span_ns);
	for (int k = 0; k < 2; k++) {
		if (is_first && f->handshake_ns[k] >= 0)
			metrics_histogram_add(
				&t->handshakes[k], &metrics_round_trips, f->handshake_ns[k]);
		if (f->rtt_ns[k] >= 0)
			metrics_histogram_add(
				&t->round_trips[k], &metrics_round_trips, f->rtt_ns[k]);
	}
}

/* Adds to the sums of the protocol of the payload. */
static void add_app(struct metrics_totals *t, uint32_t app, const struct metrics_share *share)
{
	struct metrics_share *const a = &t->apps[app < BPE_APP_COUNT ? app : BPE_APP_NONE];

	for (int k = 0; k < 2; k++) {
		a->bytes[k] += share->bytes[k];
		a->packets[k] += share->packets[k];
	}
	a->flows += share->flows;
}

void metrics_totals_add(struct metrics_totals *t, const struct bpe_flow *f)
{
	const struct metrics_share share = { .bytes = { f->wire_bytes[0], f->wire_bytes[1] },
		.packets = { f->packets[0], f->packets[1] },
		.flows = !(f->flags & BPE_FLOW_CONTINUED) };
	char name[METRICS_NAME_BYTES];

	t->records[f->end % METRICS_ENDS]++;
	add_flow_times(t, f);
	add_health(t, f);
	add_app(t, f->names.app, &share);
	metrics_top_add(&t->processes, clean_name(name, f->comm), &share);
	metrics_top_add(&t->interfaces, clean_name(name, f->interface_name), &share);
	if (t->servers.places)
		metrics_top_add(&t->servers, clean_name(name, f->names.server), &share);
}

/* ---- The page ---- */

static const char *const ends[2] = { "originator", "responder" };

/* How a list of sums by name stands on the page. */
struct list_words {
	const char *label;
	const char *family[3]; /* bytes, packets, flows */
	const char *help[3];
};

/* Writes the samples of a share for a family: 0: bytes, 1: packets, 2: flows. */
static void put_share(struct metrics_page *page, int family, const char *label, const char *name,
	const struct metrics_share *share)
{
	struct metrics_labels labels = { { label, NULL }, { name, NULL } };

	if (family == 2) {
		metrics_count(page, &labels, share->flows);
		return;
	}
	for (int k = 0; k < 2; k++) {
		labels.name[1] = "sent_by";
		labels.value[1] = ends[k];
		metrics_count(page, &labels, family ? share->packets[k] : share->bytes[k]);
	}
}

/* Writes three families of a list, once a name was seen. */
static void put_top(
	struct metrics_page *page, const struct metrics_top *top, const struct list_words *words)
{
	if (!top->bytes && !top->shown_count)
		return;
	for (int family = 0; family < 3; family++) {
		metrics_family(page, METRICS_COUNTER, words->family[family], words->help[family]);
		for (uint32_t k = 0; k < top->shown_count; k++)
			put_share(page, family, words->label, top->shown[k].name,
				&top->shown[k].share);
		put_share(page, family, words->label, "other", &top->other);
		put_share(page, family, words->label, "unknown", &top->unknown);
	}
}

static void put_lists(struct metrics_page *page, const struct metrics_totals *t)
{
	static const struct list_words processes = { "process",
		{ "bpfengine_process_bytes", "bpfengine_process_packets",
			"bpfengine_process_flows" },
		{ "Bytes on the wire of flows by process, from records of flows at their end or the end of a period.",
			"Packets of flows by process, from records.",
			"Flows by process, counted with their first record." } };
	static const struct list_words interfaces = {
		"interface",
		{ "bpfengine_flow_interface_bytes", "bpfengine_flow_interface_packets",
			"bpfengine_flow_interface_flows" },
		{ "Bytes on the wire of flows by the interface of their first packet, from records.",
			"Packets of flows by the interface of their first packet, from records.",
			"Flows by the interface of their first packet, counted with their first record." }
	};
	static const struct list_words servers = { "server",
		{ "bpfengine_server_bytes", "bpfengine_server_packets", "bpfengine_server_flows" },
		{ "Bytes on the wire of flows by the name of the responder, from records.",
			"Packets of flows by the name of the responder, from records.",
			"Flows by the name of the responder, counted with their first record." } };

	put_top(page, &t->processes, &processes);
	put_top(page, &t->interfaces, &interfaces);
	put_top(page, &t->servers, &servers);
}

/* Writes sums by the protocol of the payload; a protocol without packets is left out. */
static void put_apps(struct metrics_page *page, const struct metrics_totals *t)
{
	static const char *const families[] = { "bpfengine_app_bytes", "bpfengine_app_packets",
		"bpfengine_app_flows" };
	static const char *const helps[] = {
		"Bytes on the wire of flows by the protocol of their payload, from records.",
		"Packets of flows by the protocol of their payload, from records.",
		"Flows by the protocol of their payload, counted with their first record."
	};

	for (int family = 0; family < 3; family++) {
		metrics_family(page, METRICS_COUNTER, families[family], helps[family]);
		for (int k = 0; k < BPE_APP_COUNT; k++) {
			const struct metrics_share *const a = &t->apps[k];
			const bool is_none = k == BPE_APP_NONE;

			if (a->packets[0] | a->packets[1] | a->flows || is_none)
				put_share(page, family, "app",
					is_none ? "unknown" : bpe_app_name(k), a);
		}
	}
}

static void put_record_ends(struct metrics_page *page, const struct metrics_totals *t)
{
	metrics_family(page, METRICS_COUNTER, "bpfengine_flow_records",
		"Flow records that this page has counted, by the reason of the record.");
	for (int end = BPE_END_IDLE; end < BPE_END_DUMPED; end++)
		metrics_count(page,
			&(struct metrics_labels){
				{ "end", NULL }, { bpe_flow_end_name(end), NULL } },
			t->records[end]);
}

static void put_health(struct metrics_page *page, const struct metrics_totals *t)
{
	static const char *const events[METRICS_HEALTH_COUNT] = { "retransmission",
		"spurious_retransmission", "out_of_order", "lost_segment", "zero_window" };

	metrics_family(page, METRICS_COUNTER, "bpfengine_tcp_events",
		"Events of TCP by the end that sent the segments, from records; spurious retransmissions are retransmissions, too.");
	for (int k = 0; k < METRICS_HEALTH_COUNT; k++)
		for (int end = 0; end < 2; end++)
			metrics_count(page,
				&(struct metrics_labels){ { "event", "sent_by", NULL },
					{ events[k], ends[end], NULL } },
				t->health[k][end]);
}

/* Writes a histogram for each end of flows. */
static void put_end_histograms(struct metrics_page *page, const char *name, const char *help,
	const struct metrics_histogram histograms[2])
{
	metrics_family(page, METRICS_HISTOGRAM, name, help);
	for (int k = 0; k < 2; k++)
		metrics_histogram_put(page,
			&(struct metrics_labels){ { "end", NULL }, { ends[k], NULL } },
			&histograms[k], &metrics_round_trips);
}

void metrics_totals_put(struct metrics_page *page, const struct metrics_totals *t)
{
	put_record_ends(page, t);
	metrics_family(page, METRICS_HISTOGRAM, "bpfengine_flow_duration_seconds",
		"Time from the first to the last packet of ended flows; flows with more than a record (--flow-active) are left out.");
	metrics_histogram_put(page, NULL, &t->durations, &metrics_durations);
	put_end_histograms(page, "bpfengine_tcp_handshake_seconds",
		"Round trip between the sensor and an end, by the handshake of TCP.",
		t->handshakes);
	put_end_histograms(page, "bpfengine_tcp_rtt_seconds",
		"Smoothed round trip between the sensor and an end, as at the end of each record.",
		t->round_trips);
	put_health(page, t);
	put_apps(page, t);
	put_lists(page, t);
}
