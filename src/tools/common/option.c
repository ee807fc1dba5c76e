/* SPDX-License-Identifier: MIT */
/* A table of options at work: getopt, values, messages, --help (option.h).  State: getopt's. */
#include "option.h"

#include "names.h"
#include "program.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>

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

int option_refuse_value(const struct option_spec *spec, const char *word)
{
	const char *wants = spec->wants ? spec->wants : "wants seconds above 0";
	const char *hint = spec->hint ? spec->hint : "";
	char choices[128];

	if (!spec->wants && spec->kind == OPTION_CHOICE) {
		describe_choices(choices, sizeof choices, option_choices(spec));
		wants = choices;
	}
	if (spec->letters)
		return option_refuse("-%c %s, not \"%s\"%s", *spec->letters, wants, word, hint);
	return option_refuse("--%s %s, not \"%s\"%s", spec->name, wants, word, hint);
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

static bool is_text_given(const void *member)
{
	const char *text;

	memcpy(&text, member, sizeof text);
	return text != NULL;
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

static int apply_text(void *member, const struct option_spec *spec, const char *word)
{
	if (spec->once && is_text_given(member))
		return option_refuse("%s", spec->once);
	store_text(member, word);
	return 0;
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
		return apply_text(member, spec, word);
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

const struct option_spec *option_of_getopt(const struct option_program *program, int value)
{
	if (value >= FIRST_LONG && (size_t)value - FIRST_LONG < program->count)
		return &program->specs[value - FIRST_LONG];
	for (size_t k = 0; k < program->count && value > 0 && value < FIRST_LONG; k++)
		if (program->specs[k].letters && strchr(program->specs[k].letters, value))
			return &program->specs[k];
	return NULL;
}

const char *option_nearest(const struct option_program *program, const char *word)
{
	const char *nearest = NULL;
	size_t least = 4; /* letters which may differ, and 1 */

	for (size_t k = 0; k < program->count; k++) {
		const char *name = program->specs[k].name;
		const size_t distance = name ? edit_distance(word, name) : least;

		if (distance >= least)
			continue;
		least = distance;
		nearest = name;
	}
	return nearest;
}

/* ---- getopt ---- */

struct getopt_tables {
	char letters[2 + 4 * OPTION_MOST];
	struct option longs[OPTION_MOST + 1];
};

/* Returns getopt's word for whether the option takes a value. */
static int getopt_argument(const struct option_spec *spec)
{
	if (spec->kind == OPTION_READ_OR_NONE)
		return optional_argument;
	return option_takes_value(spec) ? required_argument : no_argument;
}

/* Builds getopt's two tables.  An option with letters has its first letter as value. */
static void build_getopt_tables(const struct option_program *program, struct getopt_tables *tables)
{
	char *letter = tables->letters;
	struct option *next = tables->longs;

	*letter++ = ':'; /* a missing value is told apart from an unknown option */
	for (size_t k = 0; k < program->count && k < OPTION_MOST; k++) {
		const struct option_spec *spec = &program->specs[k];
		const char *letters = spec->letters ? spec->letters : "";
		const int argument = getopt_argument(spec);
		const int value = *letters ? *letters : FIRST_LONG + (int)k;

		for (; *letters; letters++) {
			*letter++ = *letters;
			for (int colons = 0; colons < argument; colons++)
				*letter++ = ':';
		}
		if (spec->name)
			*next++ = (struct option){ spec->name, argument, NULL, value };
	}
	*letter = 0;
	*next = (struct option){ NULL, 0, NULL, 0 };
}

int option_read(const struct option_program *program, void *target, int argc, char **argv)
{
	struct getopt_tables tables;

	build_getopt_tables(program, &tables);
	opterr = 0;
	for (;;) {
		const int value = getopt_long(argc, argv, tables.letters, tables.longs, NULL);
		int code = 0;

		if (value == -1)
			return 0;
		if (value == ':' || value == '?')
			return program->misused(value, argv[optind - 1]);
		const struct option_spec *spec = option_of_getopt(program, value);
		if (!spec)
			return OPTION_USAGE;
		if (program->before)
			code = program->before(target, spec, argv + optind);
		if (code == OPTION_SKIP)
			continue;
		if (!code)
			code = option_apply(target, spec, optarg);
		if (code == OPTION_STOP && spec->kind == OPTION_HELP)
			option_print_help(stdout, program);
		if (code)
			return code;
	}
}

/* ---- --help ---- */

/* Writes "  -i, --interface NAME".  Returns its length. */
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
