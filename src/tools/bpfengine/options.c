/* SPDX-License-Identifier: MIT */
/* The command line of bpfengine: reads it by the table (option_table.c).  State: getopt's. */
#include "cli.h"
#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <net/if.h>
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
	"SIGUSR2 reads the filter's files again (-F, and host in FILE), and with\n"
	"--flows writes the flows that are alive; SIGHUP opens that file anew.\n"
	"\n"
	"Exit codes: 0 good; 1 error while running, torn or damaged savefile, output\n"
	"not written; 2 wrong usage; 3 rights are missing; 4 the source cannot be opened.\n";

/* ---- Words which are no option ---- */

static int handle_misuse(int problem, const char *given);
static int check_before(void *target, const struct option_spec *spec, char **rest);

/* Returns the table with its texts and hooks. */
static struct option_program cli_option_program(void)
{
	return (struct option_program){
		.specs = cli_option_specs,
		.count = cli_option_count,
		.head = help_head,
		.tail = help_tail,
		.misused = handle_misuse,
		.before = check_before,
	};
}

static int refuse_unknown_option(const char *word)
{
	char name[64];
	const struct option_program program = cli_option_program();
	const char *nearest;

	if (strncmp(word, "--", 2))
		return option_refuse("unknown option %s", word);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	nearest = option_nearest(&program, name);
	if (nearest)
		return option_refuse("unknown option --%s; did you mean --%s?", name, nearest);
	return option_refuse("unknown option --%s", name);
}

static int refuse_top_number(const char *number)
{
	return option_refuse(
		"--top is the live view, and takes no number; for the largest flows in the report it is --largest %s",
		number);
}

static bool is_top_option(const struct option_spec *spec)
{
	return spec && spec->name && !strcmp(spec->name, "top");
}

/* Prints the message about a word which getopt refused (struct option_program). */
static int handle_misuse(int problem, const char *given)
{
	const struct option_program program = cli_option_program();
	const bool has_letter = optopt && optopt < 256;
	const char letter[3] = { '-', (char)optopt, 0 };

	if (problem == ':')
		return option_refuse("%s wants a value", has_letter ? letter : given);
	if (has_letter)
		return refuse_unknown_option(letter);
	if (is_top_option(option_of_getopt(&program, optopt)))
		return refuse_top_number(strchr(given, '=') + 1);
	if (optopt)
		return option_refuse("%s takes no value", given);
	return refuse_unknown_option(given);
}

/* ---- Words right behind an option without a value ---- */

/* Returns whether the word begins with a sign by which a filter compares numbers. */
static bool is_comparison(const char *word)
{
	return word && (*word == '=' || *word == '<' || *word == '>' || *word == '!');
}

/* Returns whether the word is letters of options that end in exactly one t. */
static bool ends_in_one_t(const char *word)
{
	const size_t n = strlen(word);

	return n > 1 && word[0] == '-' && word[1] != '-' && word[n - 1] == 't' &&
	       word[n - 2] != 't';
}

/* Reads the word behind -t as --duration if the word is a whole duration.  Before tcpdump's -t was
 * taken, -t SECONDS was the duration.  A filter begins with a number only if a comparison follows.
 * Returns whether the word was taken. */
static bool take_duration(struct cli *c, const struct option_spec *spec, char **rest)
{
	const struct option_program program = cli_option_program();
	const struct option_spec *duration = option_find(&program, "duration");
	double seconds;

	if (!spec->letters || *spec->letters != 't' || !*rest || !ends_in_one_t(rest[-1]))
		return false;
	if (!isdigit((unsigned char)**rest) && **rest != '.')
		return false;
	if (is_comparison(rest[1]) ||
		!parse_seconds(*rest, duration->least, duration->most, &seconds))
		return false;
	optind++;
	option_apply(c, duration, *rest);
	return true;
}

/* Refuses a number behind --top, which takes no value, and takes the duration behind -t. */
static int check_before(void *target, const struct option_spec *spec, char **rest)
{
	if (take_duration(target, spec, rest))
		return OPTION_SKIP;
	if (!is_top_option(spec) || !*rest || !**rest)
		return 0;
	if ((*rest)[strspn(*rest, "0123456789")])
		return 0;
	return refuse_top_number(*rest);
}

/* ---- The whole command line ---- */

/* Joins the words behind the options with spaces to the filter, as tcpdump does.  Returns 0 or
 * EXIT_USAGE after the message. */
static int join_filter_words(struct cli *c, char **words)
{
	size_t bytes = 1;

	if (c->filter)
		return option_refuse(
			"the filter is given twice: by -f or -F, and behind the options");
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

/* Takes "synth" as an interface if the system has an interface "synth".  Generated traffic is
 * "synth:" then. */
static void choose_synth(struct cli *c)
{
	if (!c->engine.interface_name || strcmp(c->engine.interface_name, "synth"))
		return;
	if (!if_nametoindex("synth"))
		return;
	c->engine.interface_name = "if:synth";
	cli_notice(c->quiet,
		"synth is an interface here, which is captured (generated traffic is -i synth:)");
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
	const struct option_program program = cli_option_program();
	int code;

	*c = (struct cli){ .largest = 10 };
	bpe_options_init(&c->engine);
	code = option_read(&program, c, argc, argv);
	if (code)
		return finish_early(c, code);
	if (!c->engine.snaplen)
		c->engine.snaplen = BPE_MAX_SNAPLEN;
	if (optind < argc && (code = join_filter_words(c, argv + optind)))
		return code;
	c->engine.filter_expression = c->filter;
	if (c->list)
		return 0;
	choose_synth(c);
	return cli_check_options(c);
}
