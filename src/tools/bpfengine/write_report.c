/* SPDX-License-Identifier: MIT */
/* What was written, in the two forms of the report; stateless. */
#include "cli.h"

#include <inttypes.h>

/* Returns the packets that were not written. */
static uint64_t sum_unwritten(const struct bpe_writer_stats *s)
{
	uint64_t sum = 0;

	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		sum += s->unwritten[k];
	return sum;
}

void cli_report_written(FILE *to, const struct cli *cli)
{
	struct bpe_writer_stats s;
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
	cli_report_rewriting(to, cli, &s);
}

void cli_report_written_json(FILE *to, const struct cli *cli)
{
	struct bpe_writer_stats s;

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
	cli_report_rewriting_json(to, &s);
	fprintf(to, "},");
}
