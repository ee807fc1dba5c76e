/* SPDX-License-Identifier: MIT */
/* Prints the options of a program out of the table, a line for each option.  The fields are
 * separated by tabs: long name, letters, whether the option takes a value (value, optional), and
 * the accepted words. An empty field is "-".
 *
 * OPTION_SPECS and OPTION_ROWS are the names of the table.  The scripts of tests/packaging and
 * tests/system compare the manual pages, the completions and --help with these lines (options.py).
 */
#include "tools/common/option.h"

extern const struct option_spec OPTION_SPECS[];
extern const size_t OPTION_ROWS;

static const char *field_or_dash(const char *text)
{
	return text ? text : "-";
}

static const char *value_word(const struct option_spec *spec)
{
	if (spec->kind == OPTION_READ_OR_NONE)
		return "optional";
	return option_takes_value(spec) ? "value" : "-";
}

int main(void)
{
	for (size_t k = 0; k < OPTION_ROWS; k++) {
		const struct option_spec *spec = &OPTION_SPECS[k];
		const char *words = spec->choices;

		if (spec->kind == OPTION_CHOICE)
			words = option_choices(spec);
		printf("%s\t%s\t%s\t%s\n", field_or_dash(spec->name), field_or_dash(spec->letters),
			value_word(spec), field_or_dash(words));
	}
	return 0;
}
