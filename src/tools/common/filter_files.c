/* SPDX-License-Identifier: MIT */
/* The files that a filter's lists are in (program.h); pure. */
#include "program.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

size_t program_filter_files(const char *s, char **paths, size_t max)
{
	size_t found = 0;
	/* As parse_list.c of the filter's compiler has it. */
	for (const char *p = s; (p = strstr(p, "in")); p += 2) {
		if (p > s && !is_blank(p[-1]) && p[-1] != '(')
			continue;
		const char *path = p + 2 + strspn(p + 2, " \t\r\n");
		size_t n = strcspn(path, " \t\r\n()");
		if (path[0] != '/' && strncmp(path, "./", 2) != 0 && strncmp(path, "../", 3) != 0)
			continue;
		if (found < max)
			paths[found] = strndup(path, n);
		found++;
		p = path + n - 2;
	}
	return found;
}
