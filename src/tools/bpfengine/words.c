/* SPDX-License-Identifier: MIT */
/* Answers to words behind the options that are no filter, and to filters without a source
 * (answers.h); stateless. */
#include "answers.h"
#include "options.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_EDITS = 100 };

const char *cli_line_with_filter(const struct cli *c, char *to, const char *filter)
{
	char quoted[OPTION_LINE];
	char value[OPTION_LINE];
	struct option_edit edits[MOST_EDITS];
	const char *word;
	size_t count = 0;

	*to = 0;
	cli_quote_filter(quoted, sizeof quoted, filter);
	for (char **w = c->words; w && *w && count < MOST_EDITS; w++)
		edits[count++] = (struct option_edit){ option_line_index(*w), 1, NULL };
	if (count) {
		edits[0].text = quoted;
		return option_line_write(to, edits, count);
	}
	option_quote(quoted, sizeof quoted, filter);
	for (int k = 1; c->filter && (word = option_line_word(k)); k++)
		if (!strcmp(word, c->filter)) {
			edits[0] = option_line_value(word, quoted, value, sizeof value);
			return option_line_write(to, edits, 1);
		}
	return to;
}

/* ---- Kinds of words ---- */

size_t cli_long_dash(const char *word)
{
	static const char *const dashes[] = { "\xe2\x80\x90", "\xe2\x80\x91", "\xe2\x80\x92",
		"\xe2\x80\x93", "\xe2\x80\x94", "\xe2\x80\x95", "\xe2\x88\x92" };

	for (size_t k = 0; k < sizeof dashes / sizeof *dashes; k++)
		if (!strncmp(word, dashes[k], 3))
			return 3;
	return 0;
}

static bool is_existing_file(const char *word)
{
	struct stat st;

	return !stat(word, &st) && S_ISREG(st.st_mode);
}

static bool is_program_name(const char *word)
{
	return !strcmp(word, "tcpdump") || !strcmp(word, "tshark") || !strcmp(word, "dumpcap") ||
	       !strcmp(word, "bpfengine");
}

/* Joins words with blanks.  Returns to. */
static const char *join_shown(char *to, size_t room, char **words)
{
	size_t used = 0;

	*to = 0;
	for (char **word = words; *word && used < room; word++)
		used += (size_t)snprintf(
			to + used, room - used, "%s%s", word == words ? "" : " ", *word);
	return to;
}

/* ---- Words that are no filter, with or without a source ---- */

/* Answers a word with a long dash, as text programs make of "-" and "--".  Returns EXIT_USAGE. */
static int answer_long_dash(const char *word)
{
	const struct option_program *program = option_current();
	const char *rest = word + cli_long_dash(word);
	const bool is_long = option_find(program, rest) != NULL;
	char text[200];
	char line[OPTION_LINE];
	const struct option_edit edit = { option_line_index(word), 1, text };

	snprintf(text, sizeof text, "%s%.190s", is_long ? "--" : "-", rest);
	return option_answer(option_line_write(line, &edit, 1),
		"\"%s\" begins with a long dash, not with \"%s\" (copied text?).", word,
		is_long ? "--" : "-");
}

/* Answers options behind "--", which ends the options.  Returns EXIT_USAGE. */
static int answer_double_dash(char **words)
{
	char shown[200];
	char line[OPTION_LINE];
	const struct option_edit edit = { option_line_index(words[0]) - 1, 1, NULL };

	return option_answer(option_line_write(line, &edit, 1),
		"\"--\" ends the options: \"%s\" is taken for the filter.",
		join_shown(shown, sizeof shown, words));
}

/* Answers a lone "-".  Returns EXIT_USAGE. */
static int answer_lone_dash(const struct cli *c, const char *word)
{
	const bool has_source = c->engine.interface_name || c->engine.file;
	char line[OPTION_LINE];
	const struct option_edit edit = { option_line_index(word), 1, has_source ? NULL : "-r -" };

	return option_answer(option_line_write(line, &edit, 1),
		"\"-\" is no filter. The standard input is read with -r -.");
}

/* Answers a second savefile, as a shell makes of "*.pcap".  Returns EXIT_USAGE. */
static int answer_second_file(const struct cli *c, char **words, const char *file)
{
	char line[OPTION_LINE];
	char quoted[OPTION_LINE];
	size_t used;

	if (!c->engine.file)
		return option_refuse(
			"%s is a file, and the source is the interface %s: leave one of them out",
			file, c->engine.interface_name);
	used = (size_t)snprintf(line, sizeof line, "bpfengine -r %s",
		option_quote(quoted, sizeof quoted, c->engine.file));
	for (char **word = words; *word && used < sizeof line; word++)
		if (is_existing_file(*word))
			used += (size_t)snprintf(line + used, sizeof line - used, " -r %s",
				option_quote(quoted, sizeof quoted, *word));
	if (used >= sizeof line)
		*line = 0;
	return option_answer(line, "%s is a file, and each file has an -r:", file);
}

/* Answers words that belong to letters of tshark and nfdump.  Returns 0 or EXIT_USAGE. */
static int check_foreign_value(const struct cli *c, const char *word)
{
	const struct option_edit without = { option_line_index(word), 1, NULL };
	const int at = without.at - 1;
	char line[OPTION_LINE];
	struct option_edit edits[2] = { { at, 2, "--top" }, { 0, 0, NULL } };
	const char *letter = option_line_word(at);

	if (!letter)
		return 0;
	if (!strcmp(letter, "-A") && strchr(word, ','))
		return option_answer(option_line_write(line, edits, 1),
			"\"%s\" is no filter. nfdump's -A groups flows: --top does.", word);
	if (!strcmp(letter, "-X") && strchr(word, ':'))
		return option_answer(NULL,
			"-X prints hex here; \"%s\" is no filter. tshark's scripts are not done.",
			word);
	if (!strcmp(letter, "-d") && strstr(word, "==") && strchr(word, ','))
		return option_answer(NULL,
			"-d prints the filter's program here. tshark's \"decode as\" is not done.");
	if (strcmp(letter, "-O") || !c->engine.file)
		return 0;
	edits[0] = (struct option_edit){ at, 2, "--print -v" };
	return option_answer(option_line_write(line, edits, 1),
		"-O belongs to -d here. tshark's -O is not done:");
}

/* Checks words that do not compile for a file, an interface, and values of other programs' letters.
 * Returns 0 or EXIT_USAGE after the message. */
static int check_wrong_words(const struct cli *c, char **words)
{
	const bool has_source = c->engine.interface_name || c->engine.file;
	const char *source = c->engine.file ? c->engine.file : c->engine.interface_name;
	int code = 0;

	for (char **word = words; *word && !code; word++) {
		code = check_foreign_value(c, *word);
		if (code || !has_source)
			continue;
		if (word > words && !strcmp(word[-1], "in"))
			continue; /* a list of hosts */
		if (is_existing_file(*word))
			code = answer_second_file(c, words, *word);
		else if (cli_is_interface(*word))
			code = option_refuse(
				"%s is an interface, and the source is %s: leave one of them out",
				*word, source);
	}
	return code;
}

int cli_check_words(const struct cli *c, char **words)
{
	char shown[OPTION_LINE];
	char line[OPTION_LINE];
	const struct option_program *program = option_current();
	const struct option_edit without = { option_line_index(words[0]), 1, NULL };
	const char *before = option_line_word(without.at - 1);

	for (char **word = words; *word; word++) {
		const bool is_outside = word == words || !word[1]; /* of an expression */

		if (cli_long_dash(*word))
			return answer_long_dash(*word);
		if (is_outside && !strcmp(*word, "-"))
			return answer_lone_dash(c, *word);
	}
	if (is_program_name(words[0]))
		return option_answer(option_line_write(line, &without, 1),
			"\"%s\" is no filter: leave it out.", words[0]);
	if (before && !strcmp(before, "--") && option_is_word(program, words[0]))
		return answer_double_dash(words);
	if (c->list || c->numbered || c->list_clocks ||
		cli_is_filter(join_shown(shown, sizeof shown, words)))
		return 0;
	return check_wrong_words(c, words);
}

int cli_answer_second_filter(const struct cli *c, char **words)
{
	const char *file = c->filter_path;
	char shown[OPTION_LINE];
	char both[2 * OPTION_LINE];
	char line[OPTION_LINE] = "";
	struct option_edit edits[MOST_EDITS];
	size_t count = 0;
	const char *word;

	join_shown(shown, sizeof shown, words);
	if (file)
		return option_refuse(
			"the filter is given twice: by -F %s, and behind the options as \"%s\"",
			file, shown);
	for (int k = 1; (word = option_line_word(k)) && count < MOST_EDITS; k++)
		if (!strcmp(word, "-f") || !strcmp(word, "--filter"))
			edits[count++] = (struct option_edit){ k, 2, NULL };
	for (char **w = words; *w && count && count < MOST_EDITS; w++)
		edits[count++] = (struct option_edit){ option_line_index(*w), 1, NULL };
	if (count > 1) {
		snprintf(both, sizeof both, "%s %s", c->filter, shown);
		char quoted[2 * OPTION_LINE];

		edits[count++] = (struct option_edit){ 1000, 0, NULL };
		cli_quote_filter(quoted, sizeof quoted, both);
		edits[count - 1] = (struct option_edit){ option_line_index(words[0]), 1, quoted };
		option_line_write(line, edits, count);
	}
	return option_answer(line,
		"the filter is given twice: \"%s\" stands behind -f %s. Quote the whole filter, or leave -f out.",
		shown, c->filter);
}

/* ---- No source ---- */

/* Answers a command line without words and without a source.  Returns EXIT_USAGE. */
static int answer_nothing(void)
{
	char text[80];
	char line[OPTION_LINE];
	char shown[OPTION_LINE + 80];
	const struct option_edit edit = { 1, 0, text };
	const char *first = option_line_word(1);
	const bool is_verbose = first && !strcmp(first, "-v") && !option_line_word(2);

	snprintf(text, sizeof text, "-i %s", cli_first_interface());
	option_line_write(line, &edit, 1);
	snprintf(shown, sizeof shown, "%s\n  bpfengine --help prints the options", line);
	return option_answer(shown,
		"no source: give -i INTERFACE (bpfengine -L lists them), -r FILE, or -i synth%s",
		is_verbose ? ". -v says more; the version is --version" : "");
}

/* Answers a filter without a source.  Returns EXIT_USAGE. */
static int answer_filter_alone(char **words)
{
	char shown[OPTION_LINE];
	char text[80];
	char live[OPTION_LINE];
	char file[OPTION_LINE];
	char both[2 * OPTION_LINE + 8];
	struct option_edit edit = { 1, 0, text };

	snprintf(text, sizeof text, "-i %s", cli_first_interface());
	option_line_write(live, &edit, 1);
	edit.text = "-r FILE";
	option_line_write(file, &edit, 1);
	snprintf(both, sizeof both, "%s\n  %s", live, file);
	return option_answer(*live ? both : "",
		"The filter \"%s\" has no source. Give an interface or a file:",
		join_shown(shown, sizeof shown, words));
}

/* Answers a display filter without a source.  Returns EXIT_USAGE. */
static int answer_display_alone(
	const struct cli *c, const char *shown, const char *filter, const char *advice)
{
	char line[OPTION_LINE];
	char with_source[OPTION_LINE + 100] = "";

	cli_line_with_filter(c, line, filter);
	if (!strncmp(line, "bpfengine ", 10))
		snprintf(with_source, sizeof with_source, "bpfengine -i %s %s",
			cli_first_interface(), line + 10);
	if (!*filter)
		return option_answer(
			"", "\"%s\" is a display filter of Wireshark. %s", shown, advice);
	return option_answer(with_source,
		"\"%s\" is a display filter of Wireshark. Here it is \"%s\":", shown, filter);
}

int cli_answer_no_source(const struct cli *c, char **words)
{
	char shown[OPTION_LINE];
	char filter[OPTION_LINE] = "";
	char line[OPTION_LINE];
	const char *advice = "";
	struct cli with_words = *c;
	struct option_edit edit = { words ? option_line_index(words[0]) : 0, 0, "-i" };

	if (!words || !*words)
		return answer_nothing();
	with_words.words = words;
	join_shown(shown, sizeof shown, words);
	if (!strcmp(shown, "help") || !strcmp(shown, "version"))
		return option_answer(NULL, "bpfengine --%s prints the %s", shown,
			*shown == 'h' ? "options" : "version");
	if (!strcmp(shown, "list"))
		return option_answer(NULL, "bpfengine -L lists the interfaces");
	if (!strcmp(words[0], "any"))
		return option_answer(option_line_write(line, &edit, 1),
			"\"any\" stands for all interfaces: name it with -i.");
	if (cli_is_interface(words[0]))
		return option_answer(option_line_write(line, &edit, 1),
			"%s is an interface: name it with -i.", words[0]);
	edit.text = "-r";
	if (is_existing_file(words[0]))
		return option_answer(option_line_write(line, &edit, 1),
			"%s is a file: read it with -r.", words[0]);
	if (!cli_is_filter(shown) && cli_translate_display(shown, filter, sizeof filter, &advice))
		return answer_display_alone(&with_words, shown, filter, advice);
	return answer_filter_alone(words);
}
