/* SPDX-License-Identifier: MIT */
/* Finds the files with a filter's lists in an expression (program.h); pure. */
#include "program.h"

#include <string.h>

static const char filter_blanks[] = " \t\r\n";

static bool is_filter_blank(char c)
{
	return c && strchr(filter_blanks, c);
}

/* Returns whether a word is a path, as parse_list.c of the filter's compiler decides. */
static bool is_list_path(const char *word)
{
	return word[0] == '/' || !strncmp(word, "./", 2) || !strncmp(word, "../", 3);
}

size_t program_filter_files(const char *expression, char **paths, size_t max)
{
	size_t found = 0;

	for (const char *p = expression; (p = strstr(p, "in")); p += 2) {
		if (p > expression && !is_filter_blank(p[-1]) && p[-1] != '(')
			continue;
		const char *path = p + 2 + strspn(p + 2, filter_blanks);
		const size_t n = strcspn(path, " \t\r\n()");
		if (!is_list_path(path))
			continue;
		if (found < max)
			paths[found] = strndup(path, n);
		found++;
		p = path + n - 2;
	}
	return found;
}
