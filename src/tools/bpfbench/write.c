/* SPDX-License-Identifier: MIT */
/* Chooses the writer of a result by the extension of the path. */
#include "result.h"

#include "options.h"

#include <errno.h>
#include <string.h>

static const char *find_extension(const char *path)
{
	const char *dot = strrchr(path, '.');
	const char *slash = strrchr(path, '/');

	return dot && (!slash || dot > slash) ? dot + 1 : "";
}

bool result_path_fits(const char *path, enum kind kind)
{
	const char *e = find_extension(path);
	return !strcmp(e, "json") || !strcmp(e, "csv") || !strcmp(e, "txt") ||
	       (kind == KIND_SWEEP && !strcmp(e, "html"));
}

/* Writes the result in the format that the extension names.  Returns 0 or an errno. */
static int write_by_extension(FILE *to, const struct result *r, const char *extension)
{
	if (!strcmp(extension, "json"))
		return write_json(to, r);
	if (!strcmp(extension, "csv"))
		return write_csv(to, r);
	if (!strcmp(extension, "html"))
		return write_page(to, r);
	return write_text(to, r);
}

/* Opens, writes and closes the file.  Returns 0 or an errno. */
static int write_to_file(const struct result *r, struct outfile *o)
{
	FILE *to = fdopen(o->fd, "w");

	if (!to)
		return errno;
	o->fd = -1; /* fclose closes the descriptor */
	int failed = write_by_extension(to, r, find_extension(o->path));
	if (fflush(to) && !failed)
		failed = errno;
	if (fclose(to) && !failed)
		failed = errno;
	return failed;
}

int result_write(const struct result *r, struct outfile *o)
{
	char shown[200];
	int failed;

	if (!o) {
		write_text(stdout, r);
		return program_end_output("the result") ? EXIT_GOOD : EXIT_ERROR;
	}
	program_visible(shown, sizeof shown, o->path);
	if (outfile_make(o) || outfile_empty(o)) {
		program_tell("the result was not written to %s: %s", shown, o->why);
		return EXIT_ERROR;
	}
	failed = write_to_file(r, o);
	if (!failed)
		return EXIT_GOOD;
	program_tell("the result was not written to %s: %s", shown, strerror(failed));
	return EXIT_ERROR;
}
