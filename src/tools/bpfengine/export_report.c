/* SPDX-License-Identifier: MIT */
/* The books of targets, in the two forms of the report (exports.h); stateless. */
#include "exports.h"

#include "cli.h"

#include <inttypes.h>

/* A number of the books with both names.  The text leaves out a 0 of an optional number. */
struct export_number {
	const char *key, *words;
	uint64_t value;
	bool is_optional;
};

enum { NUMBERS = 9 };

/* Reads the books.  The counters go on meanwhile. */
static void read_books(struct export_number numbers[NUMBERS], const struct export_books *b)
{
	const struct {
		const char *key, *words;
		const _Atomic uint64_t *counter;
		bool is_optional;
	} list[] = {
		{ "offered", "records", &b->offered, false },
		{ "ring_dropped", "dropped for want of room", &b->ring_dropped, true },
		{ "sent", "sent", &b->sent, false },
		{ "failed", "failed", &b->failed, true },
		{ "unfit", "unfit for the format", &b->unfit, true },
		{ "lost", "lost with a sender", &b->lost, true },
		{ "messages", "messages", &b->messages, true },
		{ "bytes", "bytes", &b->bytes, true },
	};

	for (size_t k = 0; k < sizeof list / sizeof *list; k++)
		numbers[k] = (struct export_number){ list[k].key, list[k].words,
			atomic_load_explicit(list[k].counter, memory_order_relaxed),
			list[k].is_optional };
	numbers[NUMBERS - 1] = (struct export_number){ "starts", "starts",
		atomic_load_explicit(&b->starts, memory_order_relaxed), true };
}

/* Prints the books of a target as a line. */
static void report_target(FILE *to, const struct export_target *target)
{
	struct export_number numbers[NUMBERS];
	char number[CLI_NUMBER];
	const char *before = "";

	read_books(numbers, target->books);
	fprintf(to, "Export to %s: ", target->address.shown);
	for (size_t k = 0; k < NUMBERS; k++) {
		const struct export_number *n = &numbers[k];
		/* one start is as it should be */
		const bool is_start = k == NUMBERS - 1;

		if (n->is_optional && n->value <= is_start)
			continue;
		fprintf(to, "%s%s %s", before, cli_number(number, sizeof number, n->value),
			n->words);
		before = ", ";
	}
	fputc('\n', to);
}

void cli_report_exports(FILE *to, const struct cli *cli)
{
	const uint32_t count = cli_exports_count(cli->exports);

	if (count)
		fputc('\n', to);
	for (uint32_t k = 0; k < count; k++)
		report_target(to, cli_exports_target(cli->exports, k));
}

void cli_report_exports_json(FILE *to, const struct cli *cli)
{
	const uint32_t count = cli_exports_count(cli->exports);
	struct export_number numbers[NUMBERS];

	if (!count)
		return;
	fprintf(to, "\"exports\":[");
	for (uint32_t k = 0; k < count; k++) {
		const struct export_target *target = cli_exports_target(cli->exports, k);
		const uint32_t is_connected =
			atomic_load_explicit(&target->books->is_connected, memory_order_relaxed);

		read_books(numbers, target->books);
		fprintf(to, "%s{\"target\":", k ? "," : "");
		program_print_json(to, target->address.shown);
		for (size_t n = 0; n < NUMBERS; n++)
			fprintf(to, ",\"%s\":%" PRIu64, numbers[n].key, numbers[n].value);
		fprintf(to, ",\"connected\":%s}", is_connected ? "true" : "false");
	}
	fprintf(to, "],");
}
