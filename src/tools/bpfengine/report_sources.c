/* SPDX-License-Identifier: MIT */
/* The part of the report about each source: several interfaces, or merged savefiles; stateless. */
#include "cli.h"
#include "table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { MORE = 16 }; /* sources that come between two calls */

/* Returns the sources' numbers, to be freed, and how many there are; NULL without memory. */
static struct bpe_interface_stats *list_sources(struct bpe_engine *engine, size_t *count)
{
	const size_t room = bpe_engine_interfaces(engine, NULL, 0) + MORE;
	struct bpe_interface_stats *list = calloc(room, sizeof *list);

	*count = list ? bpe_engine_interfaces(engine, list, room) : 0;
	if (*count > room)
		*count = room;
	return list;
}

/* ---- Text ---- */

/* Fills the next cell with a number of the kernel. */
static void add_kernel_number(
	struct cli_table *t, const struct bpe_interface_stats *s, uint64_t which, uint64_t n)
{
	if (s->kernel_known & which)
		cli_number(cli_table_next(t), CLI_CELL, n);
	else
		cli_table_add(t, "-");
}

/* Returns the words about a source's end; "" for a usual end. */
static const char *describe_end(const struct bpe_interface_stats *s)
{
	switch (s->status) {
	case BPE_OK:
		return s->interface_down ? "down" : "";
	case BPE_E_END:
		return "";
	case BPE_E_GONE:
		return "went away";
	case BPE_E_TORN:
		return "torn";
	case BPE_E_FORMAT:
		return "damaged";
	default:
		return "failed";
	}
}

static void add_source_row(struct cli_table *t, const struct bpe_interface_stats *s)
{
	char name[sizeof s->name + 1];

	snprintf(cli_table_next(t), CLI_CELL, "%.*s", (int)CLI_CELL - 1,
		program_visible(name, sizeof name, s->name));
	cli_number(cli_table_next(t), CLI_CELL, s->read_packets);
	cli_number(cli_table_next(t), CLI_CELL, s->wire_bytes);
	add_kernel_number(t, s, BPE_KNOWN_RECEIVED, s->kernel_received);
	add_kernel_number(t, s, BPE_KNOWN_DROPPED, s->kernel_dropped);
	add_kernel_number(t, s, BPE_KNOWN_INTERFACE_DROPPED, s->interface_dropped);
	cli_table_add(t, describe_end(s));
}

void cli_report_sources_text(FILE *to, struct bpe_engine *engine, bool are_files)
{
	static const char *const heads[] = { "", "packets", "bytes", "received", "dropped",
		"by interface", "" };
	struct cli_table t;
	size_t count;
	struct bpe_interface_stats *list = list_sources(engine, &count);

	if (count > 1 && cli_table_begin(&t, "lrrrrrl", count + 1)) {
		fprintf(to, "\n%s\n", are_files ? "Savefiles" : "Interfaces");
		for (size_t k = 0; k < sizeof heads / sizeof *heads; k++)
			cli_table_add(&t, heads[k]);
		for (size_t k = 0; k < count; k++)
			add_source_row(&t, &list[k]);
		cli_table_print(to, &t, 0);
		cli_table_end(&t);
	}
	free(list);
}

/* ---- JSON ---- */

/* Prints a number of the kernel; null where the source does not count. */
static void print_kernel_number(
	FILE *to, const char *key, const struct bpe_interface_stats *s, uint64_t which, uint64_t n)
{
	if (s->kernel_known & which)
		fprintf(to, ",\"%s\":%" PRIu64, key, n);
	else
		fprintf(to, ",\"%s\":null", key);
}

static void print_one_source(FILE *to, const struct bpe_interface_stats *s)
{
	const char *link_type = bpe_link_type_name(s->link_type);
	const char *end = describe_end(s);

	fprintf(to, "{\"name\":");
	program_print_json(to, s->name);
	fprintf(to, ",\"interface_id\":%" PRIu32 ",\"linktype\":\"%s\"", s->interface_id,
		link_type ? link_type : "unknown");
	fprintf(to,
		",\"packets\":%" PRIu64 ",\"captured_bytes\":%" PRIu64 ",\"wire_bytes\":%" PRIu64
		",\"filtered\":%" PRIu64 ",\"duplicates\":%" PRIu64,
		s->read_packets, s->captured_bytes, s->wire_bytes, s->filtered, s->duplicates);
	print_kernel_number(to, "received", s, BPE_KNOWN_RECEIVED, s->kernel_received);
	print_kernel_number(to, "accepted", s, BPE_KNOWN_ACCEPTED, s->kernel_accepted);
	print_kernel_number(to, "dropped", s, BPE_KNOWN_DROPPED, s->kernel_dropped);
	print_kernel_number(
		to, "interface_dropped", s, BPE_KNOWN_INTERFACE_DROPPED, s->interface_dropped);
	if (*end)
		fprintf(to, ",\"state\":\"%s\"}", end);
	else
		fprintf(to, ",\"state\":null}");
}

void cli_report_sources_json(FILE *to, struct bpe_engine *engine)
{
	size_t count;
	struct bpe_interface_stats *list = list_sources(engine, &count);

	fprintf(to, "\"sources\":[");
	for (size_t k = 0; k < count; k++) {
		fputs(k ? "," : "", to);
		print_one_source(to, &list[k]);
	}
	fprintf(to, "],");
	free(list);
}
