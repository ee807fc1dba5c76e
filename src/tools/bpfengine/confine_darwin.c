/* SPDX-License-Identifier: MIT */
/* macOS: Seatbelt, by sandbox_init(3).  Stateless.  Not run on a Mac yet.
 *
 * The call is deprecated since 10.8 and still confines the system's own daemons.  The prototype is
 * that of <sandbox.h>, written out so the compiler does not warn of the deprecation.  Flags 0: the
 * first argument is the text of a profile. */
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

/* Returns the directory of a path with its links resolved, to be freed, or NULL. */
static char *resolve_directory_of(const char *file)
{
	char *copy = strdup(file);
	char *slash = copy ? strrchr(copy, '/') : NULL;
	const char *directory = ".";
	char *resolved = NULL;

	if (slash) {
		*slash = 0;
		directory = slash == copy ? "/" : copy;
	}
	if (copy)
		resolved = realpath(directory, NULL);
	free(copy);
	return resolved;
}

/* Returns the path as the kernel compares paths, to be freed, or NULL.  The links in the directory
 * are resolved.  The last name is not, since another file may have the name later. */
static char *kernel_path(const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	char *directory = resolve_directory_of(file);
	char *path = NULL;

	if (directory)
		path = malloc(strlen(directory) + strlen(name) + 2);
	if (path)
		sprintf(path, "%s/%s", strcmp(directory, "/") ? directory : "", name);
	free(directory);
	return path;
}

/* Collects the files that may be read, at most 2 * CLI_FILES_MOST + 4.  Returns their number. */
static size_t collect_readable_files(const struct cli_confinement *how, char **files)
{
	size_t n = 0;

	for (size_t i = 0; i < how->file_count && i < CLI_FILES_MOST; i++) {
		files[n] = kernel_path(how->files[i]);
		n += files[n] != NULL;
		files[n] = realpath(how->files[i], NULL);
		n += files[n] != NULL;
	}
	for (size_t i = 0; how->filter && cli_name_files[i]; i++) {
		files[n] = strdup(cli_name_files[i]);
		n += files[n] != NULL;
	}
	return n;
}

static const char *describe_readable_files(const struct cli_confinement *how)
{
	if (how->file_count)
		return "to read: the filter's files";
	return how->filter ? "to read: tables of names in /etc" : "no files to read";
}

void cli_confine(const struct cli_confinement *how, struct cli_confined *done)
{
	char *files[2 * CLI_FILES_MOST + 4];
	size_t n = collect_readable_files(how, files);
	char *outputs[2] = { NULL, NULL };

	if (how->output)
		outputs[0] = kernel_path(how->output);
	if (how->second)
		outputs[1] = kernel_path(how->second);
	char *profile = cli_seatbelt_profile(
		(const char *const *)files, n, (const char *const *)outputs, how->write_folder);
	char *error = NULL;

	const char *flows = how->output ? "; to write: the flows'" : "";
	const char *packets = how->write_folder ? "; to write: the packets' directory" : "";

	*done = (struct cli_confined){ .filter_fixed = false };
	if (profile && !sandbox_init(profile, 0, &error))
		snprintf(done->holds, sizeof done->holds, "Seatbelt (%s%s%s)",
			describe_readable_files(how), flows, packets);
	else
		snprintf(done->failed, sizeof done->failed, "no Seatbelt (%s)",
			error ? error : strerror(errno));
	if (error)
		sandbox_free_error(error);
	free(profile);
	free(outputs[0]);
	free(outputs[1]);
	while (n)
		free(files[--n]);
}

int cli_confine_owners(void)
{
	return ENOTSUP;
}
