/* SPDX-License-Identifier: MIT */
/* Answers to words which getopt refused, or would take wrongly (answers.h).  State: getopt's. */
#include "answers.h"
#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

enum { MOST_READ = 400 }; /* room for a description of letters */

static const char *const duration_letter = "t";

/* ---- Unknown options ---- */

/* Returns advice about a long name of another program, or NULL. */
static const char *find_long_advice(const char *name)
{
	static const struct {
		const char *name, *advice;
	} known[] = {
		{ "snaplen", "the snapshot length is --snapshot-length" },
		{ "timeout", "did you mean --duration?" },
		{ "read-file", "tshark's --read-file is --read here" },
		{ "output", "flows are written with --flows FILE" },
		{ "interval", "did you mean --stats-interval?" },
		{ "skip", "packets are not skipped here" },
		{ "list", "interfaces are listed with --list-interfaces" },
		{ "live", "interfaces are named with --interface" },
		{ "file", "savefiles are named with --read" },
		{ "statistics", "statistics are in the report, in --flows and in --top" },
	};

	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		if (!strcmp(known[k].name, name))
			return known[k].advice;
	return NULL;
}

static int refuse_unknown_option(const char *word)
{
	char name[64];
	const struct option_program *program = option_current();

	if (strncmp(word, "--", 2))
		return option_refuse("unknown option %s", word);
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	const char *advice = find_long_advice(name);
	const char *nearest = option_nearest(program, name);

	if (advice)
		return option_refuse("unknown option --%s; %s", name, advice);
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

/* Returns the letters among which getopt has found an unknown letter. */
static const char *find_cluster(const char *given)
{
	const size_t n = strlen(given);
	const char *next = option_line_word(option_line_index(given) + 1);

	if (n > 1 && given[0] == '-' && given[1] != '-' && given[n - 1] == optopt)
		return given;
	return next && next[0] == '-' && strchr(next, optopt) ? next : given;
}

/* Answers an unknown letter in a cluster.  Returns EXIT_USAGE. */
static int refuse_letter(const char *cluster)
{
	const char *at = strchr(cluster, optopt);
	const char letter[3] = { '-', (char)optopt, 0 };
	const char before = (char)(at && at > cluster ? at[-1] : 0);
	const char *previous = option_line_word(option_line_index(cluster) - 1);
	struct option_edit edit = { option_line_index(cluster), 1, NULL };
	char line[OPTION_LINE];
	char text[128];

	if (optopt == '=' && before && before != '-')
		return option_refuse("-%c takes no value", before);
	if (isdigit(optopt) && before == *duration_letter) {
		snprintf(text, sizeof text, "--duration %.40s", at);
		edit.text = text;
		return option_answer(option_line_write(line, &edit, 1),
			"The duration behind -t wants a blank, or: --duration %.40s", at);
	}
	if (isdigit(optopt) && before == '-' && previous && !strcmp(previous, "-t"))
		return option_refuse("A duration is more than 0 seconds, not \"%s\"", cluster);
	return refuse_unknown_option(letter);
}

/* Answers an option without the value.  Returns EXIT_USAGE. */
static int refuse_missing_value(const char *given)
{
	const struct option_program *program = option_current();
	const struct option_spec *spec = option_of_getopt(program, optopt);
	char names[256];
	char shown[64];

	if (!spec)
		return option_refuse("%s wants a value", given);
	option_shown(shown, sizeof shown, spec);
	if (spec->letters && *spec->letters == 'i')
		return option_refuse(
			"-i wants an interface: %s", cli_interface_names(names, sizeof names));
	if (spec->wants)
		return option_refuse("%s %s", shown, spec->wants);
	if (spec->kind == OPTION_SECONDS)
		return option_refuse("%s wants seconds above 0", shown);
	return option_refuse("%s wants %s", shown, spec->argument ? spec->argument : "a value");
}

int cli_misused(int problem, const char *given)
{
	const struct option_program *program = option_current();
	const bool has_letter = optopt && optopt < 256;

	if (problem == ':')
		return refuse_missing_value(given);
	if (optopt == '?' || !strcmp(given, "--usage") || !strcmp(given, "--h") ||
		!strcmp(given, "--he")) {
		option_print_help(stdout, program);
		return OPTION_STOP;
	}
	if (has_letter)
		return refuse_letter(find_cluster(given));
	if (is_top_option(option_of_getopt(program, optopt)))
		return refuse_top_number(strchr(given, '=') + 1);
	if (optopt)
		return option_refuse("%s takes no value", given);
	return refuse_unknown_option(given);
}

/* ---- Words which getopt would take for letters ---- */

/* Returns whether the word, which stands behind a dash, is a word of filters. */
static bool is_filter_word(const char *word)
{
	static const char *const words[] = { "port", "host", "tcp", "udp", "icmp", "net", "src",
		"dst", "arp", "portrange", "vlan", "ip6" };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (!strcmp(words[k], word))
			return true;
	return false;
}

/* Writes how getopt would read the letters: `the letters -p -o`, or `-f "ilter"`. */
static void describe_letters(char *to, size_t room, const char *letters)
{
	const struct option_program *program = option_current();
	const struct option_spec *spec = option_of_getopt(program, *letters);
	size_t used;

	if (spec && option_takes_value(spec) && letters[1]) {
		snprintf(to, room, "-%c \"%s\"", *letters, letters + 1);
		return;
	}
	used = (size_t)snprintf(to, room, "the letters");
	for (; *letters && used + 8 < room; letters++)
		used += (size_t)snprintf(to + used, room - used, " -%c", *letters);
}

/* Returns whether -i or -r was typed. */
static bool has_source_option(void)
{
	const char *word;

	for (int k = 1; (word = option_line_word(k)); k++)
		if (!strncmp(word, "-i", 2) || !strncmp(word, "-r", 2) ||
			!strncmp(word, "--interface", 11) || !strcmp(word, "--read"))
			return true;
	return false;
}

/* Answers a word with a dash which is the name of a long option or a word of filters.  Returns 0
 * for another word, OPTION_STOP, or EXIT_USAGE. */
static int check_dash(int index, const char *word)
{
	const struct option_program *program = option_current();
	char read[MOST_READ];
	char name[64];
	char line[OPTION_LINE];
	char text[160];
	struct option_edit edit = { index, 1, text };
	const bool has_source = has_source_option();

	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 1, "="), word + 1);
	if (!strcmp(name, "help") || !strcmp(name, "usage")) {
		option_print_help(stdout, program);
		return OPTION_STOP;
	}
	describe_letters(read, sizeof read, name);
	if (is_filter_word(word + 1)) {
		snprintf(text, sizeof text, "%s", word + 1);
		if (!has_source)
			snprintf(text, sizeof text, "-i %s %s", cli_first_interface(), word + 1);
		return option_answer(option_line_write(line, &edit, 1),
			"\"%s\" is read as %s. A filter has no dash:", word, read);
	}
	if (!option_find(program, name))
		return 0;
	snprintf(text, sizeof text, "-%.70s", word);
	return option_answer(option_line_write(line, &edit, 1), "\"%s\" is read as %s: write --%s",
		word, read, name);
}

int cli_check_dashes(void)
{
	const struct option_program *program = option_current();
	const char *word;
	int code = 0;

	for (int k = 1; !code && (word = option_line_word(k)); k++) {
		const char *previous = option_line_word(k - 1);
		const size_t n = strlen(previous);
		const struct option_spec *spec = NULL;

		if (!strcmp(word, "--"))
			return 0;
		if (n == 2 && previous[0] == '-')
			spec = option_of_getopt(program, previous[1]);
		if (spec && option_takes_value(spec))
			continue;
		if (word[0] == '-' && word[1] != '-' && strlen(word) > 3)
			code = check_dash(k, word);
	}
	return code;
}

/* ---- Words right behind an option without a value ---- */

/* Returns whether the word begins with a sign by which a filter compares numbers. */
static bool is_comparison(const char *word)
{
	return word && (*word == '=' || *word == '<' || *word == '>' || *word == '!');
}

/* Returns whether the word is letters of options with exactly one t at the end. */
static bool ends_in_one_t(const char *word)
{
	const size_t n = strlen(word);

	return n > 1 && word[0] == '-' && word[1] != '-' && word[n - 1] == 't' &&
	       word[n - 2] != 't';
}

/* Returns the change which puts --duration in place of -t and `count` words behind -t.  Other
 * letters of the same word stay. */
static struct option_edit replace_duration(
	char *to, size_t room, const char *number, int count, const char *duration)
{
	const int at = option_line_index(number) - 1;
	const char *cluster = option_line_word(at);
	const int letters = (int)strlen(cluster) - 1;

	if (letters > 1)
		snprintf(to, room, "%.*s --duration %s", letters, cluster, duration);
	else
		snprintf(to, room, "--duration %s", duration);
	return (struct option_edit){ at, count + 1, to };
}

/* Answers a number behind -t which is no duration.  Returns EXIT_USAGE. */
static int refuse_duration(const char *word)
{
	char text[160];
	char line[OPTION_LINE];
	const char *comma = strchr(word, ',');
	unsigned minutes;
	unsigned seconds;
	char duration[32];

	if (comma)
		return option_refuse(
			"A duration has a point: %.*s.%s", (int)(comma - word), word, comma + 1);
	if (sscanf(word, "%5u:%2u", &minutes, &seconds) == 2) {
		snprintf(duration, sizeof duration, "%u", 60 * minutes + seconds);
		const struct option_edit edit =
			replace_duration(text, sizeof text, word, 1, duration);

		return option_answer(option_line_write(line, &edit, 1),
			"A duration is 60, 60s or 1m, not \"%s\".", word);
	}
	if (word[strspn(word, "0.")] == 0)
		return option_refuse(
			"A duration is more than 0 seconds (without --duration there is no limit)");
	return option_refuse("A duration is 60, 60s or 1m, not \"%s\"", word);
}

/* Answers tshark's -t.  Returns 0 for another word, else EXIT_USAGE. */
static int check_tshark_time(const char *word)
{
	static const struct {
		const char *word, *letter, *meaning;
	} forms[] = {
		{ "ad", "-tttt", "prints the date and the time" },
		{ "a", "--print", "prints the time of day" },
		{ "d", "-ttt", "prints the time since the packet before" },
		{ "dd", "-ttt", "prints the time since the packet before" },
		{ "r", "-ttttt", "prints the time since the first packet" },
		{ "e", "-tt", "prints seconds since 1970" },
		{ "u", "--print", "prints UTC with TZ=UTC before the line" },
		{ "ud", "-tttt", "prints UTC with TZ=UTC before the line" },
		{ "adoy", "-tttt", "prints the date and the time" },
		{ "udoy", "-tttt", "prints UTC with TZ=UTC before the line" },
	};
	char line[OPTION_LINE];

	for (size_t k = 0; k < sizeof forms / sizeof *forms; k++) {
		const struct option_edit edit = { option_line_index(word) - 1, 2, forms[k].letter };

		if (!strcmp(forms[k].word, word))
			return option_answer(option_line_write(line, &edit, 1),
				"\"-t %s\" is tshark's: %s %s.", word, forms[k].letter,
				forms[k].meaning);
	}
	return 0;
}

/* Answers iftop's -t -s SECONDS.  Returns 0 for other words, else EXIT_USAGE. */
static int check_iftop_time(const struct cli *c, char **rest)
{
	enum { HEADERS = 54 }; /* a snapshot length below is no wish to see packets */
	uint64_t seconds;
	char text[64];
	char line[OPTION_LINE];
	const struct option_edit edit = { option_line_index(rest[-1]), 3, text };

	if (!c->engine.interface_name || strcmp(rest[-1], "-t") || strcmp(rest[0], "-s") ||
		!rest[1])
		return 0;
	if (!parse_whole(rest[1], 1, HEADERS - 1, &seconds))
		return 0;
	snprintf(text, sizeof text, "--duration %u", (unsigned)seconds);
	return option_answer(
		option_line_write(line, &edit, 1), "iftop's -t -s %u is here:", (unsigned)seconds);
}

/* Answers a unit behind a duration: "5 m".  Returns 0 or EXIT_USAGE. */
static int check_lone_unit(const char *number, const char *unit)
{
	static const char *const units[] = { "ms", "s", "sec", "m", "min", "h", "d" };
	char text[128];
	char line[OPTION_LINE];
	char duration[64];

	for (size_t k = 0; unit && k < sizeof units / sizeof *units; k++) {
		if (strcmp(units[k], unit))
			continue;
		snprintf(duration, sizeof duration, "%.40s%s", number, unit);
		const struct option_edit edit =
			replace_duration(text, sizeof text, number, 2, duration);

		return option_answer(option_line_write(line, &edit, 1),
			"\"%s\" stands alone: write %s%s.", unit, number, unit);
	}
	return 0;
}

/* Reads the word behind -t as --duration if the word is a whole duration.  Before tcpdump's -t was
 * taken, -t SECONDS was the duration.  A filter begins with a number only if a comparison follows.
 * Returns OPTION_SKIP if the word was taken, 0 if -t is tcpdump's, or EXIT_USAGE. */
static int take_duration(struct cli *c, char **rest)
{
	const struct option_program *program = option_current();
	const struct option_spec *duration = option_find(program, "duration");
	double seconds;
	int code;

	if (!*rest || !ends_in_one_t(rest[-1]))
		return 0;
	code = check_tshark_time(*rest);
	if (!code)
		code = check_iftop_time(c, rest);
	if (code)
		return code;
	if ((!isdigit((unsigned char)**rest) && **rest != '.') || is_comparison(rest[1]))
		return 0;
	if (!parse_seconds(*rest, duration->least, duration->most, &seconds))
		return refuse_duration(*rest);
	code = check_lone_unit(*rest, rest[1]);
	if (code)
		return code;
	optind++;
	code = option_use(program, c, "duration", *rest);
	return code ? code : OPTION_SKIP;
}

/* Reads the number behind --count, or prints the count alone, as tcpdump does. */
static int take_count(struct cli *c, char **rest)
{
	const struct option_program *program = option_current();
	int code;

	if (optarg || !*rest || !isdigit((unsigned char)**rest) || is_comparison(rest[1]))
		return 0;
	optind++;
	code = option_use(program, c, "count", *rest);
	return code ? code : OPTION_SKIP;
}

/* Answers -f without a value, as tcpdump has the letter.  Returns 0 or EXIT_USAGE. */
static int check_filter_letter(char **rest)
{
	const struct option_program *program = option_current();
	char line[OPTION_LINE];
	char text[OPTION_LINE];
	const char *cluster;
	struct option_edit edit;

	if (!optarg || optarg != rest[-1] || !option_is_word(program, optarg))
		return 0;
	edit = (struct option_edit){ option_line_index(optarg) - 1, 1, NULL };
	cluster = option_line_word(edit.at);
	if (strlen(cluster) > 2) {
		snprintf(text, sizeof text, "%.*s", (int)strlen(cluster) - 1, cluster);
		edit.text = text;
	}
	return option_answer(option_line_write(line, &edit, 1),
		"-f wants a filter, and \"%s\" is an option. What tcpdump's -f asks for is always so: leave -f out.",
		optarg);
}

/* Reads dumpcap's -b, which takes a value; tcpdump's has none.  Returns OPTION_SKIP if the value
 * was taken, 0 if the letter is tcpdump's, or EXIT_USAGE. */
static int take_ring(struct cli *c, const char *next)
{
	int code;

	if (!next || !cli_is_ring_word(next))
		return 0;
	optind++;
	code = option_use(option_current(), c, "ring-buffer", next);
	return code ? code : OPTION_SKIP;
}

/* Answers tshark's -N, which takes a value.  Returns 0 or EXIT_USAGE. */
static int check_name_letter(const char *next)
{
	if (!next || !*next || next[strspn(next, "dgmnNstv")])
		return 0;
	return option_refuse(
		"tshark's -N is not done: addresses stay numbers (--top has n for services).");
}

/* Answers nfdump's -s, which names a statistic.  Returns 0 or EXIT_USAGE. */
static int check_statistic(void)
{
	char line[OPTION_LINE];
	char text[64] = "--largest 10";
	struct option_edit edits[2] = { { 0, 0, NULL }, { 0, 0, NULL } };
	size_t count = 1;
	uint64_t most;
	const char *word;

	if (!optarg || !strchr(optarg, '/'))
		return 0;
	for (int k = 1; (word = option_line_word(k)); k++) {
		const char *next = option_line_word(k + 1);

		if (strcmp(word, "-n") || !next || !parse_whole(next, 1, 10000, &most))
			continue;
		snprintf(text, sizeof text, "--largest %u", (unsigned)most);
		edits[1] = (struct option_edit){ k, 2, NULL };
		count = 2;
	}
	edits[0] = (struct option_edit){ option_line_index(optarg) - 1, 2, text };
	return option_answer(option_line_write(line, edits, count),
		"-s is the snapshot length here. nfdump's statistics are:");
}

int cli_before_option(void *target, const struct option_spec *spec, char **rest)
{
	struct cli *c = target;
	const char letter = (char)(spec->letters ? *spec->letters : 0);
	const bool is_count = spec->name && !strcmp(spec->name, "count");

	if (letter == *duration_letter)
		return take_duration(c, rest);
	if (is_count && !strncmp(rest[-1], "--", 2))
		return take_count(c, rest);
	if (letter == 'f')
		return check_filter_letter(rest);
	if (letter == 's')
		return check_statistic();
	if (letter == 'b')
		return take_ring(c, *rest);
	if (letter == 'N')
		return check_name_letter(*rest);
	if (!is_top_option(spec) || !*rest || !**rest)
		return 0;
	if ((*rest)[strspn(*rest, "0123456789")])
		return 0;
	return refuse_top_number(*rest);
}
