/* SPDX-License-Identifier: MIT */
/* The command line of bpfengine: reads it by the table (option_table.c).  State: getopt's. */
#include "answers.h"
#include "options.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help_head[] =
	"bpfengine " BPE_VERSION ": captures packets, tracks flows, reports what it saw\n"
	"\n"
	"  bpfengine -i INTERFACE [options] [FILTER]       live (needs rights)\n"
	"  bpfengine -r FILE [options] [FILTER]            from a savefile; - is stdin\n"
	"  bpfengine -i synth[:KEY=VALUE,...] [options]    generated traffic\n"
	"\n";

static const char help_tail[] =
	"\n"
	"SIGINT and SIGTERM end the run and report; a second one leaves at once.\n"
	"SIGINFO (Ctrl-T) or SIGUSR1 prints the report so far on stderr.\n"
	"SIGUSR2 reads the filter's files again (-F, and host in FILE), writes what\n"
	"--recorder has, and with --flows writes the flows that are alive; SIGHUP opens\n"
	"that file anew, and with -w ends the file and begins the next.\n"
	"\n"
	"Exit codes: 0 good; 1 error while running, torn or damaged savefile, output\n"
	"not written; 2 wrong usage; 3 rights are missing; 4 the source cannot be opened.\n";

/* Returns the table with its texts and hooks. */
static struct option_program describe_program(struct cli *c)
{
	return (struct option_program){
		.specs = cli_option_specs,
		.count = cli_option_count,
		.foreign = cli_foreign_specs,
		.foreign_count = cli_foreign_count,
		.uses = c->uses,
		.head = help_head,
		.tail = help_tail,
		.misused = cli_misused,
		.before = cli_before_option,
	};
}

/* Joins the words behind the options with spaces to the filter, as tcpdump does.  Returns 0 or
 * EXIT_USAGE after the message. */
static int join_filter_words(struct cli *c, char **words)
{
	size_t bytes = 1;

	if (c->filter)
		return cli_answer_second_filter(c, words);
	for (char **word = words; *word; word++)
		bytes += strlen(*word) + 1;
	c->filter = calloc(bytes, 1);
	if (!c->filter)
		return option_refuse("no memory");
	for (char **word = words; *word; word++) {
		if (word != words)
			strcat(c->filter, " ");
		strcat(c->filter, *word);
	}
	return 0;
}

/* Returns the program's exit code after option_read has ended early. */
static int finish_early(struct cli *c, int code)
{
	if (code != OPTION_STOP)
		return code;
	c->done = true;
	return 0;
}

int cli_options(struct cli *c, int argc, char **argv)
{
	static struct option_program program;
	int code;

	*c = (struct cli){ .largest = 10 };
	bpe_options_init(&c->engine);
	program = describe_program(c);
	option_begin(&program, argc, argv);
	code = cli_check_dashes();
	if (!code)
		code = option_read(&program, c, argc, argv);
	if (code)
		return finish_early(c, code);
	if (!c->engine.snaplen)
		c->engine.snaplen = BPE_MAX_SNAPLEN;
	if (optind < argc) {
		code = cli_check_words(c, argv + optind);
		if (!code)
			code = join_filter_words(c, argv + optind);
	}
	if (code)
		return code;
	c->words = argv + optind;
	c->engine.filter_expression = c->filter;
	return cli_check_options(c);
}

void cli_free(struct cli *c)
{
	free(c->filter);
	c->filter = NULL;
	bpe_where_free(c->where);
	c->where = NULL;
	free(c->targets);
	c->targets = NULL;
	cli_sources_free(c);
}
