/* SPDX-License-Identifier: MIT */
/* Prints the options of a program out of its table, one a line: long name, letters, whether the
 * option takes a value, and the words which it accepts, separated by tabs.  An empty field is "-".
 *
 * OPTION_PROGRAM is the table's name.  The scripts of tests/packaging and tests/system compare the
 * manual pages, the completions and --help with these lines (options.py). */
#include "tools/common/option.h"

#ifdef STAND_IN
/* The hooks of bpfbench's table, which is not linked whole. */
struct option_spec;
int bench_option_misused(int problem, const char *given);
int bench_option_before(void *target, const struct option_spec *spec, char **rest);

int bench_option_misused(int problem, const char *given)
{
	(void)problem;
	(void)given;
	return OPTION_USAGE;
}

int bench_option_before(void *target, const struct option_spec *spec, char **rest)
{
	(void)target;
	(void)spec;
	(void)rest;
	return 0;
}
#endif

extern const struct option_program OPTION_PROGRAM;

static const char *field_or_dash(const char *text)
{
	return text ? text : "-";
}

int main(void)
{
	for (size_t k = 0; k < OPTION_PROGRAM.count; k++) {
		const struct option_spec *spec = &OPTION_PROGRAM.specs[k];
		const char *words = spec->choices;

		if (spec->kind == OPTION_CHOICE)
			words = option_choices(spec);
		printf("%s\t%s\t%s\t%s\n", field_or_dash(spec->name), field_or_dash(spec->letters),
			option_takes_value(spec) ? "value" : "-", field_or_dash(words));
	}
	return 0;
}
