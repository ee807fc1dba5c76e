/* SPDX-License-Identifier: MIT */
/* Proves filters with the compiler, and writes filters for sh (answers.h); stateless. */
#include "answers.h"

#include <ctype.h>
#include <string.h>

bool cli_is_filter(const char *expression)
{
	struct bpe_filter_options how;
	struct bpe_error error;
	struct bpe_insn *program;
	uint32_t n;

	bpe_filter_options_init(&how);
	how.no_names = true;
	if (bpe_filter_compile_with(expression, &how, &program, &n, &error) < 0)
		return false;
	bpe_filter_free(program);
	return true;
}

const char *cli_quote_filter(char *to, size_t room, const char *filter)
{
	bool is_plain = true;

	for (const char *s = filter; *s; s++)
		is_plain &= isalnum((unsigned char)*s) || strchr(" .:/-_", *s) != NULL;
	if (!is_plain)
		return option_quote(to, room, filter);
	snprintf(to, room, "%s", filter);
	return to;
}
