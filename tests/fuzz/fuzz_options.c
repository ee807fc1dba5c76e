/* SPDX-License-Identifier: MIT */
/* Gives any bytes as bpfengine's command line, a word for each line.  The line is accepted, or
 * refused with exit code 2 and a message; accepted values lie within the documented limits.
 *
 * Nothing is opened but a filter's file (-F), and nothing runs. */
#include "fuzz.h"

#include "tools/bpfengine/cli.h"

#include <getopt.h>
#include <string.h>

#define MOST_WORDS 40

/* Splits the text at the line ends.  Changes the text. */
static int split_lines(char *text, char **argv)
{
	static char name[] = "bpfengine";
	int argc = 1;
	argv[0] = name;
	for (char *line = strtok(text, "\n"); line && argc < MOST_WORDS; line = strtok(NULL, "\n"))
		argv[argc++] = line;
	argv[argc] = NULL;
	return argc;
}

static void check_taken(const struct cli *c)
{
	const struct bpe_options *o = &c->engine;
	FUZZ_CHECK(c->duration_ns >= 0);
	FUZZ_CHECK(c->stats_interval_ns >= 0);
	FUZZ_CHECK(c->flows_format < BPE_FORMAT_COUNT);
	FUZZ_CHECK(!c->filter || strlen(c->filter) <= 1u << 20);
	FUZZ_CHECK(c->dump >= 0 && c->verbose >= 0);
	for (int k = 0; k < BPE_TIMEOUT_COUNT; k++)
		FUZZ_CHECK(o->flow_timeout_ns[k] >= 0);
	FUZZ_CHECK(o->flow_active_ns >= 0);
	if (c->done || c->list || c->dump || c->explain)
		return;
	FUZZ_CHECK(!o->interface_name != !o->file);
	FUZZ_CHECK(!c->top || (o->flows && !c->json));
}

void fuzz_options(const uint8_t *bytes, size_t n)
{
	char *argv[MOST_WORDS + 1], *text = malloc(n + 1);
	struct cli cli;
	FUZZ_CHECK(text != NULL);
	memcpy(text, bytes, n);
	text[n] = 0;
	int argc = split_lines(text, argv);
	optind = 0; /* getopt begins anew */
#ifdef __GLIBC__    /* elsewhere the messages are shown */
	char said[4096] = "";
	FILE *before[2] = { stdout, stderr };
	FILE *nowhere = fopen("/dev/null", "w");
	FILE *to = fmemopen(said, sizeof said - 1, "w");
	FUZZ_CHECK(nowhere && to);
	stdout = nowhere;
	stderr = to;
#endif
	int r = cli_options(&cli, argc, argv);
#ifdef __GLIBC__
	stdout = before[0];
	stderr = before[1];
	fclose(nowhere);
	fclose(to);
	FUZZ_CHECK((r != 0) == (said[0] != 0));
#endif
	FUZZ_CHECK(r == 0 || r == EXIT_USAGE);
	if (!r)
		check_taken(&cli);
	cli_free(&cli);
	free(text);
}
