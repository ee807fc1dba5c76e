/* SPDX-License-Identifier: MIT */
/* Writes whole pages: each statistic of the library, interfaces, workers, savefiles, targets, and
 * totals of records.  Counts unknown to the source are left out. */
#include "tools/metrics/state.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

static struct export_counts counts;
static struct export_books books[2];
static struct export_target targets[2];
static struct export_sender sender;
static struct metrics_state state;
static struct metrics_page page;

/* Opens a state of a live run with two targets. */
static void open_state(void)
{
	char why[64];

	memset(&counts, 0, sizeof counts);
	memset(books, 0, sizeof books);
	cr_assert_eq(export_address_read(&targets[0].address,
			     "metrics://127.0.0.1:9477?top=4&servers=2", why, sizeof why),
		0);
	targets[1].address = targets[0].address;
	for (int k = 0; k < 2; k++)
		targets[k].books = &books[k];
	sender = (struct export_sender){ .address = &targets[0].address,
		.books = &books[0],
		.targets = targets,
		.target_count = 2,
		.is_live = true,
		.started_ns = 1700000000 * (1000 * MS),
		.source = "en0" };
	cr_assert(metrics_state_open(&state, &sender));
}

static void close_state(void)
{
	metrics_state_close(&state);
	metrics_page_free(&page);
}

/* Writes the page, and looks for samples that are there twice. */
static void put_page(enum metrics_form form)
{
	cr_assert(metrics_state_put(&page, &state, form, 5000 * MS));
	for (const char *line = page.bytes; *line; line = strchr(line, '\n') + 1) {
		char key[512];
		const char *const end = strchr(line, '\n');
		const char *blank = end;

		while (blank > line && *blank != ' ')
			blank--;
		snprintf(key, sizeof key, "\n%.*s ", (int)(blank - line), line);
		cr_assert(*line == '#' || !strstr(end, key), "twice:%s", key);
	}
}

/* Looks for a line on the page. */
static void expect_line(const char *line)
{
	char text[512];

	snprintf(text, sizeof text, "\n%s\n", line);
	cr_assert_not_null(strstr(page.bytes, text), "no %s in\n%s", line, page.bytes);
}

static void expect_none(const char *words)
{
	cr_assert_null(strstr(page.bytes, words), "%s in\n%s", words, page.bytes);
}

/* Gives each number of the statistics another value.  Returns the value of the next. */
static uint64_t fill_stats(struct bpe_stats *s)
{
	size_t n;
	const struct bpe_stat *const list = bpe_stat_list(&n);
	uint64_t value = 900001;

	for (size_t k = 0; k < n; k++)
		for (uint32_t j = 0; j < list[k].count; j++, value++)
			memcpy((char *)s + list[k].offset + j * list[k].bytes, &value,
				list[k].bytes);
	return value;
}

Test(state, each_statistic_is_there)
{
	size_t n;
	const struct bpe_stat *const list = bpe_stat_list(&n);
	uint64_t value = 900001;

	open_state();
	fill_stats(&counts.stats);
	counts.stats.kernel_known = UINT64_MAX;
	metrics_state_counts(&state, &counts, 4000 * MS);
	for (int form = 0; form < METRICS_FORMS; form++, value = 900001) {
		put_page((enum metrics_form)form);
		for (size_t k = 0; k < n; k++)
			for (uint32_t j = 0; j < list[k].count; j++, value++) {
				char family[METRICS_FAMILY_BYTES], end[64];
				const bool is_bits = !strcmp(list[k].unit, "bits/s");
				uint64_t shown = is_bits ? value / 8 : value;

				if (!strcmp(list[k].name, "kernel_known"))
					shown = UINT64_MAX;
				metrics_stat_family(family, &list[k]);
				cr_assert_not_null(strstr(page.bytes, family), "%s", list[k].name);
				snprintf(end, sizeof end, " %" PRIu64 "\n", shown);
				if (!strcmp(list[k].unit, "ns"))
					snprintf(end, sizeof end, " 0.000%" PRIu64 "\n", shown);
				cr_assert_not_null(strstr(page.bytes, end), "%s %u: no%s",
					list[k].name, j, end);
			}
	}
	expect_line("bpfengine_snapshot_age_seconds 1.0");
	expect_line("bpfengine_start_time_seconds 1700000000.0");
	expect_line("bpfengine_source_info{source=\"en0\",kind=\"live\"} 1");
	close_state();
}

Test(state, unknown_counts_are_left_out)
{
	open_state();
	put_page(METRICS_TEXT);
	expect_none("bpfengine_packets_total");
	expect_none("bpfengine_snapshot_age_seconds");
	counts.stats.kernel_known = BPE_KNOWN_DROPPED;
	counts.stats.kernel_dropped = 12;
	counts.interface_count = 3;
	counts.worker_count = 2;
	for (int k = 0; k < 3; k++)
		snprintf(
			counts.interfaces[k].name, sizeof counts.interfaces[k].name, "en%d", k / 2);
	counts.interfaces[1].kernel_known = BPE_KNOWN_RECEIVED;
	counts.interfaces[1].kernel_received = 77;
	counts.workers[1].ring_depth = 5;
	metrics_state_counts(&state, &counts, 4000 * MS);
	put_page(METRICS_TEXT);
	expect_line("bpfengine_dropped_packets_total{cause=\"kernel\"} 12");
	expect_line("bpfengine_dropped_packets_total{cause=\"ring_full\"} 0");
	expect_none("cause=\"interface\"");
	expect_none("stage=\"kernel\"");
	expect_none("bpfengine_first_packet_timestamp_seconds");
	expect_line("bpfengine_interface_packets_total{interface=\"en0 (2)\"} 0");
	expect_line("bpfengine_interface_kernel_packets_total{interface=\"en0 (2)\"} 77");
	expect_none("bpfengine_interface_kernel_packets_total{interface=\"en0\"}");
	expect_none("bpfengine_interface_kernel_dropped_packets_total");
	expect_line("bpfengine_worker_ring_packets{worker=\"1\"} 5");
	expect_none("bpfengine_write_");
	counts.has_written = 1;
	counts.is_final = 1;
	counts.written.unwritten[BPE_UNWRITTEN_CUTOFF] = 4;
	counts.written.memory_peak = 99;
	metrics_state_counts(&state, &counts, 4000 * MS);
	put_page(METRICS_TEXT);
	expect_line("bpfengine_write_unwritten_packets_total{cause=\"cutoff\"} 4");
	expect_line("bpfengine_write_memory_peak_bytes 99");
	expect_line("bpfengine_ended 1");
	close_state();
}

Test(state, books_of_targets)
{
	open_state();
	books[0].offered = 10;
	books[0].ring_dropped = 1;
	books[0].taken = 7;
	books[1].lost = 3;
	books[1].starts = 2;
	books[1].is_connected = 1;
	put_page(METRICS_TEXT);
#define FIRST "{target=\"metrics://127.0.0.1:9477?top=4&servers=2\",kind=\"metrics\"}"
#define SECOND "{target=\"metrics://127.0.0.1:9477?top=4&servers=2 (2)\",kind=\"metrics\"}"
	expect_line("bpfengine_export_offered_records_total" FIRST " 10");
	expect_line("bpfengine_export_ring_dropped_records_total" FIRST " 1");
	expect_line("bpfengine_export_waiting_records" FIRST " 2");
	expect_line("bpfengine_export_waiting_records" SECOND " 0");
	expect_line("bpfengine_export_lost_records_total" SECOND " 3");
	expect_line("bpfengine_export_starts_total" SECOND " 2");
	expect_line("bpfengine_export_connected" SECOND " 1");
	close_state();
}

/* Makes a record of a TCP flow. */
static struct bpe_flow make_tcp_record(const char *process, uint8_t end, uint32_t flags)
{
	struct bpe_flow f = { .version = BPE_FLOW_VERSION,
		.size = sizeof f,
		.end = end,
		.flags = flags | BPE_FLOW_HEALTH,
		.packets = { 3, 4 },
		.wire_bytes = { 300, 4000 },
		.first_ns = 1000 * MS,
		.last_ns = 3000 * MS,
		.handshake_ns = { MS, 20 * MS },
		.rtt_ns = { -1, 30 * MS },
		.retransmissions = { 2, 0 },
		.zero_windows = { 0, 1 },
		.names.app = BPE_APP_TLS };

	snprintf(f.comm, sizeof f.comm, "%s", process);
	snprintf(f.interface_name, sizeof f.interface_name, "en0");
	return f;
}

Test(state, records)
{
	struct bpe_flow f = make_tcp_record("curl", BPE_END_ACTIVE, 0);

	open_state();
	metrics_state_record(&state, &f);
	f = make_tcp_record("curl", BPE_END_CLOSED, BPE_FLOW_CONTINUED);
	metrics_state_record(&state, &f);
	f = make_tcp_record("s\xff", BPE_END_IDLE, 0);
	snprintf(f.names.server, sizeof f.names.server, "example.com");
	metrics_state_record(&state, &f);
	f = make_tcp_record("", BPE_END_IDLE, 0);
	f.names.app = 255;
	metrics_state_record(&state, &f);
	cr_assert_eq(books[0].sent, 4);
	put_page(METRICS_OPENMETRICS);
	expect_line("bpfengine_flow_records_total{end=\"idle\"} 2");
	expect_line("bpfengine_flow_records_total{end=\"active\"} 1");
	expect_none("end=\"begun\"");
	expect_line("bpfengine_process_bytes_total{process=\"curl\",sent_by=\"responder\"} 8000");
	expect_line("bpfengine_process_flows_total{process=\"curl\"} 1");
	expect_line("bpfengine_process_flows_total{process=\"s\xef\xbf\xbd\"} 1");
	expect_line(
		"bpfengine_process_packets_total{process=\"unknown\",sent_by=\"originator\"} 3");
	expect_line("bpfengine_flow_interface_flows_total{interface=\"en0\"} 3");
	expect_line("bpfengine_server_flows_total{server=\"example.com\"} 1");
	expect_line("bpfengine_app_flows_total{app=\"tls\"} 2");
	expect_line("bpfengine_app_flows_total{app=\"unknown\"} 1");
	expect_line(
		"bpfengine_tcp_events_total{event=\"retransmission\",sent_by=\"originator\"} 8");
	expect_line("bpfengine_flow_duration_seconds_count 2");
	expect_line("bpfengine_flow_duration_seconds_bucket{le=\"5.0\"} 2");
	expect_line("bpfengine_tcp_handshake_seconds_count{end=\"responder\"} 3");
	expect_line("bpfengine_tcp_rtt_seconds_count{end=\"originator\"} 0");
	expect_line("bpfengine_tcp_rtt_seconds_bucket{end=\"responder\",le=\"0.05\"} 4");
	close_state();
}

Test(state, parameters)
{
	struct export_address a;
	uint32_t places, servers;
	char why[200];

	cr_assert_eq(export_address_read(&a, "metrics-file:x", why, sizeof why), 0);
	cr_assert_eq(metrics_places_read(&a, &places, &servers, why, sizeof why), 0);
	cr_assert_eq(places, 20);
	cr_assert_eq(servers, 0);
	cr_assert_eq(export_address_read(&a, "metrics-file:x?top=201", why, sizeof why), 0);
	cr_assert_eq(metrics_places_read(&a, &places, &servers, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "200"));
}
