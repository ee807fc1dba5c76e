/* SPDX-License-Identifier: MIT */
/* Files which a program uses already (program.h).  The caller owns the state. */
#include "program.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILTER_FILES 16

/* Adds a regular file or a pipe.  A device cannot be overwritten; a pipe which is both read and
 * written would never end. */
static void add_used_file(
	struct program_files *files, const struct stat *st, const char *what, bool output)
{
	if (!S_ISREG(st->st_mode) && !S_ISFIFO(st->st_mode))
		return;
	if (files->count == PROGRAM_FILES)
		return;
	files->file[files->count].device = st->st_dev;
	files->file[files->count].number = st->st_ino;
	files->file[files->count].output = output;
	snprintf(files->file[files->count].what, sizeof files->file->what, "%s", what);
	files->count++;
}

void program_files_add_fd(struct program_files *files, int fd, const char *what)
{
	struct stat st;

	if (!fstat(fd, &st))
		add_used_file(files, &st, what, false);
}

void program_files_add_output(struct program_files *files, int fd, const char *what)
{
	struct stat st;

	if (!fstat(fd, &st))
		add_used_file(files, &st, what, true);
}

void program_files_add(struct program_files *files, const char *path, const char *what)
{
	struct stat st;

	if (!strcmp(path, "-"))
		program_files_add_fd(files, STDIN_FILENO, what);
	else if (!stat(path, &st))
		add_used_file(files, &st, what, false);
}

void program_files_add_filter(struct program_files *files, const char *expression)
{
	char *paths[FILTER_FILES];
	size_t found = 0;

	if (expression)
		found = program_filter_files(expression, paths, FILTER_FILES);
	for (size_t i = 0; i < found && i < FILTER_FILES; i++) {
		if (!paths[i])
			continue;
		program_files_add(files, paths[i], "a list of the filter's");
		free(paths[i]);
	}
}

const char *program_files_find(
	const struct program_files *files, const struct stat *st, bool outputs)
{
	for (size_t i = 0; files && i < files->count; i++) {
		if (files->file[i].device != st->st_dev || files->file[i].number != st->st_ino)
			continue;
		if (outputs || !files->file[i].output)
			return files->file[i].what;
	}
	return NULL;
}
