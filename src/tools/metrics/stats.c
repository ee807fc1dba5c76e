/* SPDX-License-Identifier: MIT */
/* The statistics of the run as families (state.h), by the library's list; stateless.
 *
 * A statistic is a family, "bpfengine_MEMBER_UNIT", but for the exceptions in the table below.  So
 * a new statistic of the library is on the page without a line here.  Statistics of a shared family
 * have a label.  The list is short enough to look for the others of a family each time. */
#include "state.h"

#include <stdio.h>
#include <string.h>

/* A statistic with another name than the rule gives. */
struct stat_words {
	const char *member;
	const char *family;       /* behind "bpfengine_" */
	const char *label;        /* NULL: none */
	const char *value;        /* NULL: the element has a name */
	const char *(*name)(int); /* of an element of an array */
	const char *help;         /* of a shared family; NULL: the statistic's own */
};

#define STAGES "Packets by the stage of their way that they have reached."
#define CAUSES                                                                                     \
	"Packets lost or left out, by the cause; kernel and interface if the source counts them."
#define DAMAGE "Packets delivered with damage, by its kind."

static const struct stat_words exceptions[] = {
	{ "read_packets", "packets", "stage", "read", NULL, STAGES },
	{ "delivered_packets", "packets", "stage", "delivered", NULL, STAGES },
	{ "kernel_received", "packets", "stage", "kernel", NULL, STAGES },
	{ "kernel_accepted", "packets", "stage", "kernel_accepted", NULL, STAGES },
	{ "dropped", "dropped_packets", "cause", NULL, bpe_drop_name, CAUSES },
	{ "kernel_dropped", "dropped_packets", "cause", "kernel", NULL, CAUSES },
	{ "interface_dropped", "dropped_packets", "cause", "interface", NULL, CAUSES },
	{ "sizes", "packets_by_size", "bytes", NULL, bpe_size_class_name, NULL },
	{ "truncated", "malformed_packets", "kind", "truncated", NULL, DAMAGE },
	{ "bad_version", "malformed_packets", "kind", "bad_version", NULL, DAMAGE },
	{ "bad_header", "malformed_packets", "kind", "bad_header", NULL, DAMAGE },
	{ "bad_length", "malformed_packets", "kind", "bad_length", NULL, DAMAGE },
	{ "bad_checksum", "malformed_packets", "kind", "bad_checksum", NULL, DAMAGE },
	{ "evicted", "flows_evicted_by_state", "state", NULL, bpe_evicted_name, NULL },
	{ "first_packet_ns", "first_packet_timestamp_seconds", NULL, NULL, NULL, NULL },
	{ "last_packet_ns", "last_packet_timestamp_seconds", NULL, NULL, NULL, NULL },
	{ "bits_per_second", "bytes_per_second", NULL, NULL, NULL,
		"bytes on the wire in the last whole second" },
	{ "flow_bytes", "flow_table_bytes", NULL, NULL, NULL, NULL },
	{ "fragments", "fragments", NULL, NULL, NULL, NULL },
	{ "fragments_followed", "fragments_followed", NULL, NULL, NULL, NULL },
	{ "fragments_lost", "fragments_lost", NULL, NULL, NULL, NULL },
	{ "fragments_evicted", "fragments_evicted", NULL, NULL, NULL, NULL },
	{ "icmp_errors", "icmp_errors", NULL, NULL, NULL, NULL },
	{ "duplicates", "duplicate_packets", NULL, NULL, NULL, NULL },
	{ "checksums_verified", "checksums_verified", NULL, NULL, NULL, NULL },
	{ "checksums_cut", "checksums_cut", NULL, NULL, NULL, NULL },
};

static const struct stat_words *find_exception(const struct bpe_stat *stat)
{
	for (size_t k = 0; k < sizeof exceptions / sizeof *exceptions; k++)
		if (!strcmp(exceptions[k].member, stat->name))
			return &exceptions[k];
	return NULL;
}

/* ---- Names and kinds ---- */

/* Returns the unit that the name lacks, or "". */
static const char *missing_unit(const struct bpe_stat *stat)
{
	static const char *const units[] = { "packets", "bytes", "flows" };

	for (size_t k = 0; k < sizeof units / sizeof *units; k++)
		if (!strcmp(stat->unit, units[k]) && !strstr(stat->name, units[k]))
			return units[k];
	return "";
}

const char *metrics_stat_family(char to[METRICS_FAMILY_BYTES], const struct bpe_stat *stat)
{
	const struct stat_words *const words = find_exception(stat);
	const size_t length = strlen(stat->name);

	if (words) {
		snprintf(to, METRICS_FAMILY_BYTES, "bpfengine_%s", words->family);
	} else if (!strcmp(stat->unit, "ns") && length > 3) {
		snprintf(to, METRICS_FAMILY_BYTES, "bpfengine_%.*s_seconds", (int)length - 3,
			stat->name);
	} else {
		const char *const unit = missing_unit(stat);

		snprintf(to, METRICS_FAMILY_BYTES, "bpfengine_%s%s%s", stat->name, *unit ? "_" : "",
			unit);
	}
	return to;
}

/* Returns whether the number is no count of events.  The most of a run is a counter by the list,
 * which never falls, but has no rate. */
static bool is_gauge(const struct bpe_stat *stat)
{
	return stat->flags & BPE_STAT_GAUGE || strstr(stat->name, "_peak");
}

/* ---- Samples ---- */

static uint64_t read_stat(const struct bpe_stats *s, const struct bpe_stat *stat, uint32_t k)
{
	const char *const at = (const char *)s + stat->offset + k * stat->bytes;
	uint64_t number = 0;
	uint32_t half;

	if (stat->bytes == sizeof number) {
		memcpy(&number, at, sizeof number);
		return number;
	}
	memcpy(&half, at, sizeof half);
	return half;
}

/* Returns whether the source counts the statistic.  Without a packet there is no time. */
static bool is_counted(const struct bpe_stats *s, const struct bpe_stat *stat)
{
	const bool is_time = strstr(stat->name, "_packet_ns");

	if (is_time && !s->first_packet_ns && !s->last_packet_ns)
		return false;
	return !stat->known || s->kernel_known & stat->known;
}

static void put_elements(
	struct metrics_page *page, const struct bpe_stats *s, const struct bpe_stat *stat)
{
	const struct stat_words *const words = find_exception(stat);
	struct metrics_labels labels = { { NULL }, { NULL } };
	char number[16];

	for (uint32_t k = 0; k < stat->count; k++) {
		const uint64_t value = read_stat(s, stat, k);

		if (words && words->label) {
			labels.name[0] = words->label;
			labels.value[0] = words->value ? words->value : words->name((int)k);
		} else if (stat->count > 1) {
			snprintf(number, sizeof number, "%u", (unsigned)k);
			labels.name[0] = "index";
			labels.value[0] = number;
		}
		if (!strcmp(stat->unit, "ns"))
			metrics_seconds(page, &labels, (int64_t)value);
		else if (!strcmp(stat->unit, "bits/s"))
			metrics_count(page, &labels, value / 8); /* Prometheus counts bytes */
		else
			metrics_count(page, &labels, value);
	}
}

/* Returns whether two statistics have the same family. */
static bool is_family_shared(const struct bpe_stat *a, const struct bpe_stat *b)
{
	const struct stat_words *const first = find_exception(a);
	const struct stat_words *const second = find_exception(b);

	return first && second && !strcmp(first->family, second->family);
}

/* Writes the family of statistic k with the counted statistics of the same
 * family.  Writes nothing if
 * the family is on the page already. */
static void put_family(
	struct metrics_page *page, const struct bpe_stats *s, const struct bpe_stat *list, size_t k)
{
	const struct stat_words *const words = find_exception(&list[k]);
	const bool is_shared = words && words->help;
	const char *const help = is_shared ? words->help : list[k].help;
	const enum metrics_kind kind = is_gauge(&list[k]) ? METRICS_GAUGE : METRICS_COUNTER;
	char name[METRICS_FAMILY_BYTES];
	size_t count;

	bpe_stat_list(&count);
	for (size_t j = 0; is_shared && j < k; j++)
		if (is_counted(s, &list[j]) && is_family_shared(&list[j], &list[k]))
			return;
	metrics_family(page, kind, metrics_stat_family(name, &list[k]), help);
	put_elements(page, s, &list[k]);
	for (size_t j = k + 1; is_shared && j < count; j++)
		if (is_counted(s, &list[j]) && is_family_shared(&list[j], &list[k]))
			put_elements(page, s, &list[j]);
}

void metrics_stats_put(struct metrics_page *page, const struct bpe_stats *s)
{
	size_t count;
	const struct bpe_stat *const list = bpe_stat_list(&count);

	for (size_t k = 0; k < count; k++)
		if (is_counted(s, &list[k]))
			put_family(page, s, list, k);
}
