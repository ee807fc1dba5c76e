/* SPDX-License-Identifier: MIT */
/* macOS: Seatbelt, by sandbox_init(3): deprecated since 10.8, and still what the system's own
 * daemons are held by.  Not run on a Mac yet. The prototype is of <sandbox.h>, written out since
 * the call comes without a deprecation then; flags 0 takes a profile's text. */
#include "rights.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sandbox_init(const char *profile, uint64_t flags, char **error);
void sandbox_free_error(char *error);

const enum cli_system cli_system_here = CLI_MACOS;
const char *const cli_name_files[] = { "/private/etc/services", "/private/etc/protocols",
	"/private/etc/networks", "/private/etc/hosts", NULL };

/* As the kernel sees it: with the links in its directory resolved, but not itself, which may be
 * another file by then. */
static char *seen(const char *file)
{
	char *copy = strdup(file), *slash = copy ? strrchr(copy, '/') : NULL, *path = NULL;
	if (slash)
		*slash = 0;
	char *directory = copy ? realpath(!slash ? "." : slash == copy ? "/" : copy, NULL) : NULL;
	const char *name = slash ? slash + 1 : file;
	if (directory && (path = malloc(strlen(directory) + strlen(name) + 2)))
		sprintf(path, "%s/%s", strcmp(directory, "/") ? directory : "", name);
	free(directory), free(copy);
	return path;
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	char *files[2 * CLI_FILES_MOST + 4], *error = NULL;
	size_t n = 0;
	*done = (struct cli_confined){ .filter_fixed = false };
	for (size_t i = 0; i < how->file_count && i < CLI_FILES_MOST; i++) {
		if ((files[n] = seen(how->files[i])))
			n++;
		if ((files[n] = realpath(how->files[i], NULL)))
			n++;
	}
	for (size_t i = 0; how->filter && cli_name_files[i]; i++)
		if ((files[n] = strdup(cli_name_files[i])))
			n++;
	char *output = how->output ? seen(how->output) : NULL,
	     *profile = cli_seatbelt_profile((const char *const *)files, n, output);
	int r = profile ? sandbox_init(profile, 0, &error) : -1;
	if (!r)
		snprintf(done->holds, sizeof done->holds, "Seatbelt (%s%s)",
			how->file_count ? "to read: the filter's files"
			: how->filter   ? "to read: tables of names in /etc"
					: "no files to read",
			how->output ? "; to write: the flows'" : "");
	else
		snprintf(done->failed, sizeof done->failed, "no Seatbelt (%s)",
			error ? error : strerror(errno));
	if (error)
		sandbox_free_error(error);
	free(profile), free(output);
	while (n)
		free(files[--n]);
}
