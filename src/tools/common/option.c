/* SPDX-License-Identifier: MIT */
/* A table of options at work: getopt, values, messages, --help (option.h).  State: getopt's, and
 * the program. */
#include "option.h"

#include "names.h"
#include "option_line.h"
#include "program.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { FIRST_LONG = 256 }; /* getopt's value for an option without a letter: this + its index */
enum { HELP_COLUMN = 27 }; /* where the texts of --help begin */

int option_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "%s: ", program_name);
	program_print(stderr, false, format, args);
	fprintf(stderr, "\nTry %s --help.\n", program_name);
	va_end(args);
	return OPTION_USAGE;
}

bool option_takes_value(const struct option_spec *spec)
{
	return spec->kind >= OPTION_TEXT;
}

const char *option_choices(const struct option_spec *spec)
{
	return spec->choices ? spec->choices : spec->argument;
}

/* Writes "is a, b or c" for the choices "a|b|c". */
static void describe_choices(char *to, size_t room, const char *choices)
{
	size_t used = (size_t)snprintf(to, room, "is ");

	for (const char *choice = choices; *choice && used < room;) {
		const int n = (int)strcspn(choice, "|");
		const char *next = choice + n;
		const char *separator = "";

		if (*next)
			separator = strchr(++next, '|') ? ", " : " or ";
		used += (size_t)snprintf(to + used, room - used, "%.*s%s", n, choice, separator);
		choice = next;
	}
}

const char *option_shown(char *to, size_t room, const struct option_spec *spec)
{
	if (spec->letters)
		snprintf(to, room, "-%c", *spec->letters);
	else
		snprintf(to, room, "--%s", spec->name);
	return to;
}

/* Guesses the number behind a word like 1,000, 10k or 1e3.  Returns whether the number
 * is right for the option. */
static bool guess_digits(const struct option_spec *spec, const char *word, uint64_t *number)
{
	char digits[32];
	size_t n = 0;
	uint64_t factor = 1;
	const uint64_t kilo = spec->unit ? spec->unit : 1000;
	char *end;

	for (; *word && n < sizeof digits - 1; word++)
		if (*word != ',')
			digits[n++] = *word;
	digits[n] = 0;
	const double value = strtod(digits, &end);

	if (!strcasecmp(end, "k"))
		factor = kilo;
	else if (!strcasecmp(end, "m"))
		factor = kilo * kilo;
	else if (*end)
		return false;
	if (*word || end == digits || !(value >= 1 && value < 1e15) ||
		strspn(digits, "0123456789.e") != (size_t)(end - digits))
		return false;
	*number = (uint64_t)value * factor;
	return *number >= spec->least && *number <= spec->most;
}

int option_refuse_value(const struct option_spec *spec, const char *word)
{
	const char *wants = spec->wants ? spec->wants : "wants seconds above 0";
	const char *hint = spec->hint ? spec->hint : "";
	char choices[128];
	char shown[64];
	char digits[32];
	char changed[OPTION_LINE];
	char line[OPTION_LINE];
	uint64_t number;

	if (!spec->wants && spec->kind == OPTION_CHOICE) {
		describe_choices(choices, sizeof choices, option_choices(spec));
		wants = choices;
	}
	if (spec->kind == OPTION_WHOLE && guess_digits(spec, word, &number)) {
		snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
		const struct option_edit edit =
			option_line_value(word, digits, changed, sizeof changed);

		return option_answer(option_line_write(line, &edit, 1), "%s wants digits%s: %s",
			option_shown(shown, sizeof shown, spec),
			strchr(word, ',') ? " without commas" : "", digits);
	}
	return option_refuse(
		"%s %s, not \"%s\"%s", option_shown(shown, sizeof shown, spec), wants, word, hint);
}

/* ---- Applying an option ---- */

/* Stores the value in an unsigned member of 1 (bool), 4 or 8 bytes. */
static void store_unsigned(void *member, size_t bytes, uint64_t value)
{
	const uint32_t narrow = (uint32_t)value;
	const bool truth = value;

	if (bytes == sizeof value)
		memcpy(member, &value, sizeof value);
	else if (bytes == sizeof narrow)
		memcpy(member, &narrow, sizeof narrow);
	else
		memcpy(member, &truth, sizeof truth);
}

static void store_text(void *member, const char *word)
{
	memcpy(member, &word, sizeof word);
}

/* Stores seconds as nanoseconds, at least 1. */
static void store_nanoseconds(void *member, double seconds)
{
	int64_t ns = (int64_t)(seconds * 1e9);

	if (!ns)
		ns = 1;
	memcpy(member, &ns, sizeof ns);
}

/* Reads a number, a size or a choice.  Returns whether the word is right. */
static bool parse_unsigned(const struct option_spec *spec, const char *word, uint64_t *value)
{
	uint32_t index;

	switch (spec->kind) {
	case OPTION_SIZE:
		return parse_size(word, spec->unit, value) && *value >= spec->least &&
		       *value <= spec->most;
	case OPTION_CHOICE:
		if (!parse_choice(option_choices(spec), word, &index))
			return false;
		*value = index;
		return true;
	case OPTION_POWER:
		return parse_whole(word, spec->least, spec->most, value) &&
		       !(*value & (*value - 1));
	default:
		return parse_whole(word, spec->least, spec->most, value);
	}
}

static int apply_seconds(void *member, const struct option_spec *spec, const char *word)
{
	double seconds;

	if (!parse_seconds(word, spec->least, spec->most, &seconds))
		return option_refuse_value(spec, word);
	store_nanoseconds(member, seconds);
	return 0;
}

static int apply_unsigned(void *member, const struct option_spec *spec, const char *word)
{
	uint64_t value;

	if (!parse_unsigned(spec, word, &value))
		return option_refuse_value(spec, word);
	store_unsigned(member, spec->bytes, value);
	return 0;
}

static void count_use(void *member)
{
	int uses;

	memcpy(&uses, member, sizeof uses);
	uses++;
	memcpy(member, &uses, sizeof uses);
}

static int apply_value(void *target, const struct option_spec *spec, const char *word)
{
	void *member = (char *)target + spec->offset;

	switch (spec->kind) {
	case OPTION_NOTHING:
		return 0;
	case OPTION_SET:
	case OPTION_CLEAR:
		store_unsigned(member, sizeof(bool), spec->kind == OPTION_SET);
		return 0;
	case OPTION_HELP:
		store_unsigned(member, sizeof(bool), true);
		return OPTION_STOP;
	case OPTION_COUNT:
		count_use(member);
		return 0;
	case OPTION_ACT:
		return spec->act(target);
	case OPTION_TEXT:
		store_text(member, word);
		return 0;
	case OPTION_SECONDS:
		return apply_seconds(member, spec, word);
	case OPTION_READ:
	case OPTION_READ_OR_NONE:
		return spec->read(target, spec, word);
	default:
		return apply_unsigned(member, spec, word);
	}
}

int option_apply(void *target, const struct option_spec *spec, const char *word)
{
	const int code = apply_value(target, spec, word);

	if (!code && spec->given)
		store_unsigned((char *)target + spec->given, sizeof(bool), true);
	return code;
}

/* ---- Finding an option ---- */

/* Returns the option with the long name, or NULL. */
const struct option_spec *option_find(const struct option_program *program, const char *name)
{
	for (size_t k = 0; k < program->count; k++)
		if (program->specs[k].name && !strcmp(program->specs[k].name, name))
			return &program->specs[k];
	return NULL;
}

/* Returns the option with the letter in a table, or NULL. */
static const struct option_spec *find_letter(
	const struct option_spec *specs, size_t count, int letter)
{
	for (size_t k = 0; k < count && letter > 0 && letter < FIRST_LONG; k++)
		if (specs[k].letters && strchr(specs[k].letters, letter))
			return &specs[k];
	return NULL;
}

const struct option_spec *option_of_getopt(const struct option_program *program, int value)
{
	const size_t index = value < FIRST_LONG ? 0 : (size_t)value - FIRST_LONG;
	const struct option_spec *found;

	if (value >= FIRST_LONG && index < program->count)
		return &program->specs[index];
	if (value >= FIRST_LONG && index - program->count < program->foreign_count)
		return &program->foreign[index - program->count];
	found = find_letter(program->specs, program->count, value);
	return found ? found : find_letter(program->foreign, program->foreign_count, value);
}

/* Returns whether the word is the last of the parts between dashes of a name. */
static bool is_last_part(const char *name, const char *word)
{
	const char *dash = strrchr(name, '-');

	return dash && strlen(word) > 3 && !strcmp(dash + 1, word);
}

const char *option_nearest(const struct option_program *program, const char *word)
{
	const char *nearest = NULL;
	size_t least = strlen(word) / 3 + 1; /* letters which may differ, and 1 */

	for (size_t k = 0; k < program->count; k++) {
		const char *name = program->specs[k].name;
		const size_t distance = name ? edit_distance(word, name) : least;

		if (distance >= least)
			continue;
		least = distance;
		nearest = name;
	}
	for (size_t k = 0; k < program->count && !nearest; k++)
		if (program->specs[k].name && is_last_part(program->specs[k].name, word))
			nearest = program->specs[k].name;
	return nearest;
}

bool option_is_word(const struct option_program *program, const char *word)
{
	char name[64];

	if (word[0] != '-' || !word[1])
		return false;
	if (word[1] != '-')
		return find_letter(program->specs, program->count, word[1]) != NULL;
	snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
	return option_find(program, name) != NULL;
}

/* ---- getopt ---- */

struct getopt_tables {
	char letters[2 + 4 * OPTION_MOST];
	struct option longs[OPTION_MOST + 1];
	size_t rows;         /* options so far */
	char *letter;        /* the end of letters so far */
	struct option *next; /* the end of longs so far */
};

/* Returns getopt's word for whether the option takes a value. */
static int getopt_argument(const struct option_spec *spec)
{
	if (spec->kind == OPTION_READ_OR_NONE)
		return optional_argument;
	return option_takes_value(spec) ? required_argument : no_argument;
}

/* Adds the options of a table to getopt's two tables.  The value of an option is the first letter,
 * or the index. */
static void add_getopt_rows(
	struct getopt_tables *tables, const struct option_spec *specs, size_t count)
{
	for (size_t k = 0; k < count && tables->rows < OPTION_MOST; k++, tables->rows++) {
		const struct option_spec *spec = &specs[k];
		const char *letters = spec->letters ? spec->letters : "";
		const int argument = getopt_argument(spec);
		const int value = *letters ? *letters : FIRST_LONG + (int)tables->rows;

		for (; *letters; letters++) {
			*tables->letter++ = *letters;
			for (int colons = 0; colons < argument; colons++)
				*tables->letter++ = ':';
		}
		if (spec->name)
			*tables->next++ = (struct option){ spec->name, argument, NULL, value };
	}
}

/* Builds getopt's two tables. */
static void build_getopt_tables(const struct option_program *program, struct getopt_tables *tables)
{
	tables->rows = 0;
	tables->letter = tables->letters;
	tables->next = tables->longs;
	*tables->letter++ = ':'; /* a missing value is told apart from an unknown option */
	add_getopt_rows(tables, program->specs, program->count);
	add_getopt_rows(tables, program->foreign, program->foreign_count);
	*tables->letter = 0;
	*tables->next = (struct option){ NULL, 0, NULL, 0 };
}

/* Counts the use of an option.  Refuses the second use of an option which names a source or an
 * output; of others the last use counts (option_tell_repeated). */
static int count_option(const struct option_program *program, const struct option_spec *spec)
{
	const size_t index = (size_t)(spec - program->specs);

	if (!program->uses || spec < program->specs || index >= program->count)
		return 0;
	if (program->uses[index] && spec->once)
		return option_refuse("%s", spec->once);
	if (program->uses[index] < UINT8_MAX)
		program->uses[index]++;
	return 0;
}

bool option_tell_repeated(const struct option_program *program, char *to, size_t room)
{
	char shown[64];
	size_t used = 0;
	int options = 0;

	for (size_t k = 0; k < program->count && used < room; k++) {
		const struct option_spec *spec = &program->specs[k];

		if (program->uses[k] < 2 || !option_takes_value(spec) || spec->adds)
			continue;
		used += (size_t)snprintf(to + used, room - used, "%s%s", options++ ? ", " : "",
			option_shown(shown, sizeof shown, spec));
	}
	if (used < room)
		snprintf(to + used, room - used, "%s given more than once: the last value counts",
			options == 1 ? " is" : " are");
	return options > 0;
}

bool option_is_given(const struct option_program *program, const char *name)
{
	const struct option_spec *spec = option_find(program, name);

	return spec && program->uses[spec - program->specs];
}

/* Returns whether a value is an option of the table.  If values of the option in front may begin
 * with "-", only a whole option counts: -v, but not -vxlan. */
static bool is_option_value(
	const struct option_program *program, const struct option_spec *spec, const char *word)
{
	const bool is_text = spec->kind == OPTION_TEXT || spec->kind == OPTION_READ;

	if (!is_text || !option_is_word(program, word))
		return false;
	return !spec->minus || word[1] == '-' || !word[2];
}

/* Refuses a value by mistake: an option of the table ("-i -c"), or a value behind a letter
 * and "=" ("-i=eth0").  word: the value; typed: the last word which getopt took. */
static int check_value_word(const struct option_program *program, const struct option_spec *spec,
	const char *word, const char *typed)
{
	char shown[64];
	char line[OPTION_LINE];
	char value[OPTION_LINE];

	if (!word)
		return 0;
	option_shown(shown, sizeof shown, spec);
	if (word == typed && is_option_value(program, spec, word))
		return option_refuse("%s %s, and \"%s\" is an option", shown,
			spec->wants ? spec->wants : "wants a value", word);
	if (*word != '=' || typed[0] != '-' || typed[1] == '-' || word == typed)
		return 0;
	option_quote(value, sizeof value, word + 1);
	struct option_edit edit = option_line_value(word, "", line, sizeof line);
	char changed[OPTION_LINE];
	char whole[2 * OPTION_LINE];

	snprintf(whole, sizeof whole, "%s %s", edit.text, value);
	edit.text = whole;
	return option_answer(option_line_write(changed, &edit, 1),
		"\"%s\": leave out the \"=\" behind %s.", word, shown);
}

/* Checks and applies an option which getopt has read. */
static int use_option(const struct option_program *program, void *target,
	const struct option_spec *spec, char **rest)
{
	int code = 0;

	if (program->before)
		code = program->before(target, spec, rest);
	if (code == OPTION_SKIP)
		return 0;
	if (!code)
		code = check_value_word(program, spec, optarg, rest[-1]);
	if (!code)
		code = count_option(program, spec);
	if (!code)
		code = option_apply(target, spec, optarg);
	if (code == OPTION_STOP && spec->kind == OPTION_HELP)
		option_print_help(stdout, program);
	return code;
}

int option_use(
	const struct option_program *program, void *target, const char *name, const char *word)
{
	const struct option_spec *spec = option_find(program, name);
	const int code = count_option(program, spec);

	return code ? code : option_apply(target, spec, word);
}

static const struct option_program *current;

void option_begin(const struct option_program *program, int argc, char **argv)
{
	current = program;
	option_line_keep(argc, argv);
}

const struct option_program *option_current(void)
{
	return current;
}

int option_read(const struct option_program *program, void *target, int argc, char **argv)
{
	struct getopt_tables tables;

	option_begin(program, argc, argv);
	build_getopt_tables(program, &tables);
	opterr = 0;
	for (;;) {
		const int value = getopt_long(argc, argv, tables.letters, tables.longs, NULL);

		if (value == -1)
			return 0;
		if (value == ':' || value == '?')
			return program->misused(value, argv[optind - 1]);
		const struct option_spec *spec = option_of_getopt(program, value);
		if (!spec)
			return OPTION_USAGE;
		const int code = use_option(program, target, spec, argv + optind);
		if (code)
			return code;
	}
}

/* ---- --help ---- */

/* Writes "  -i, --interface NAME".  Returns the length. */
static size_t write_usage(char *to, size_t room, const struct option_spec *spec)
{
	size_t used = (size_t)snprintf(to, room, spec->letters ? " " : "     ");

	for (const char *letter = spec->letters; letter && *letter; letter++)
		used += (size_t)snprintf(to + used, room - used, "%s -%c",
			letter == spec->letters ? "" : ",", *letter);
	if (spec->name)
		used += (size_t)snprintf(
			to + used, room - used, "%s --%s", spec->letters ? "," : "", spec->name);
	if (spec->argument && spec->kind == OPTION_READ_OR_NONE)
		used += (size_t)snprintf(to + used, room - used, "[=%s]", spec->argument);
	else if (spec->argument)
		used += (size_t)snprintf(to + used, room - used, " %s", spec->argument);
	return used;
}

static void print_help_line(FILE *to, const struct option_spec *spec)
{
	char usage[100];
	const size_t length = write_usage(usage, sizeof usage, spec);
	const char *help = spec->help ? spec->help : "";

	fputs(usage, to);
	if (*help && *help != '\n')
		fprintf(to, "%*s", length < HELP_COLUMN ? HELP_COLUMN - (int)length : 2, "");
	for (; *help; help++) {
		fputc(*help, to);
		if (*help == '\n')
			fprintf(to, "%*s", HELP_COLUMN, "");
	}
	fputc('\n', to);
}

void option_print_help(FILE *to, const struct option_program *program)
{
	fputs(program->head, to);
	for (size_t k = 0; k < program->count; k++) {
		const struct option_spec *spec = &program->specs[k];

		if (spec->heading)
			fprintf(to, "%s\n", spec->heading);
		if (!spec->beside)
			print_help_line(to, spec);
		if (spec->print_more)
			spec->print_more(to);
	}
	fputs(program->tail, to);
}
