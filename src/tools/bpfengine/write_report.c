/* SPDX-License-Identifier: MIT */
/* What was written, in the two forms of the report; stateless. */
#include "cli.h"

#include <inttypes.h>

/* Returns the packets that were not written. */
static uint64_t sum_unwritten(const struct bpe_written *s)
{
	uint64_t sum = 0;

	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		sum += s->unwritten[k];
	return sum;
}

/* Reports the commands of -z. */
static void report_commands(FILE *to, const struct cli *cli)
{
	struct cli_command_counts n;
	char good[CLI_NUMBER], failed[CLI_NUMBER], not_run[CLI_NUMBER], words[128];

	if (!cli->command)
		return;
	cli_command_count(cli->command, &n);
	fprintf(to, "Commands (-z %s): %s good, %s failed, %s not run\n",
		program_visible(words, sizeof words, cli->write.command),
		cli_number(good, sizeof good, n.good), cli_number(failed, sizeof failed, n.failed),
		cli_number(not_run, sizeof not_run, n.not_run));
}

/* Reports the commands of -z as a member. */
static void report_commands_json(FILE *to, const struct cli *cli)
{
	struct cli_command_counts n;

	if (!cli->command)
		return;
	cli_command_count(cli->command, &n);
	fprintf(to,
		",\"commands\":{\"good\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"not_run\":%" PRIu64
		"}",
		n.good, n.failed, n.not_run);
}

void cli_report_written(FILE *to, const struct cli *cli)
{
	struct bpe_written s;
	char packets[CLI_TIME], bytes[CLI_TIME], number[CLI_NUMBER], files[CLI_TIME];

	if (!cli->writer)
		return;
	bpe_writer_stats(cli->writer, &s);
	fprintf(to, "Written to %s: %s, %s", cli->place.shown,
		cli_counted(packets, sizeof packets, s.written, "packet"),
		cli_counted(bytes, sizeof bytes, s.file_bytes, "byte"));
	if (s.files != 1)
		fprintf(to, " in %s", cli_counted(files, sizeof files, s.files, "file"));
	if (s.files_removed)
		fprintf(to, " (%s removed)", cli_number(number, sizeof number, s.files_removed));
	if (s.waiting)
		fprintf(to, ", %s on their way", cli_number(number, sizeof number, s.waiting));
	if (sum_unwritten(&s))
		fprintf(to, "; not written: %s",
			cli_number(number, sizeof number, sum_unwritten(&s)));
	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		if (s.unwritten[k])
			fprintf(to, " (%s: %s)", bpe_unwritten_name(k),
				cli_number(number, sizeof number, s.unwritten[k]));
	fputc('\n', to);
	report_commands(to, cli);
	cli_report_rewriting(to, cli, &s);
}

void cli_report_written_json(FILE *to, const struct cli *cli)
{
	struct bpe_written s;

	if (!cli->writer) {
		fprintf(to, "\"written\":null,");
		return;
	}
	bpe_writer_stats(cli->writer, &s);
	fprintf(to, "\"written\":{\"path\":");
	program_print_json(to, cli->write.path);
	fprintf(to, ",\"offered\":%" PRIu64 ",\"packets\":%" PRIu64 ",\"unwritten\":{", s.offered,
		s.written);
	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		fprintf(to, "%s\"%s\":%" PRIu64, k ? "," : "", bpe_unwritten_name(k),
			s.unwritten[k]);
	fprintf(to, "},\"waiting\":%" PRIu64 ",\"captured_bytes\":%" PRIu64, s.waiting,
		s.captured_bytes);
	fprintf(to, ",\"file_bytes\":%" PRIu64 ",\"files\":%" PRIu64 ",\"files_removed\":%" PRIu64,
		s.file_bytes, s.files, s.files_removed);
	fprintf(to, ",\"waits\":%" PRIu64 ",\"errors\":%" PRIu64 ",\"memory_peak\":%" PRIu64,
		s.waits, s.errors, s.memory_peak);
	report_commands_json(to, cli);
	cli_report_rewriting_json(to, &s);
	fprintf(to, "},");
}
