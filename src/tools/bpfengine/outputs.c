/* SPDX-License-Identifier: MIT */
/* Outputs: the width of a terminal, and the files which the program reads, none of which an output
 * may be; stateless. */
#include "cli.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Files in which the C library looks up names, confined or not.  A missing file is no input. */
static const char *const name_tables[] = { "/etc/services", "/etc/protocols", "/etc/networks",
	"/etc/hosts", "/etc/ethers", "/etc/nsswitch.conf", "/etc/host.conf", "/etc/resolv.conf",
	"/etc/passwd", "/etc/group", NULL };

static void note_input_files(struct cli *c)
{
	for (uint32_t k = 0; k < c->source_count; k++)
		if (c->sources[k].file)
			program_files_add(
				&c->used, c->sources[k].file, "the savefile that is read");
	if (c->filter_path)
		program_files_add(&c->used, c->filter_path, "the filter's file");
	program_files_add_filter(&c->used, c->filter);
	for (size_t i = 0; name_tables[i]; i++)
		program_files_add(&c->used, name_tables[i], "a table of names");
}

/* Refuses a standard descriptor which is an input file, since the report would be written into the
 * file.  Returns 0, or the exit code after the message. */
static int check_standard_output(const struct cli *c, int fd, const char *name)
{
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	const char *what = program_files_find(&c->used, &st, false);
	if (!what)
		return 0;
	program_tell("%s is %s: name another file", name, what);
	return EXIT_ERROR;
}

int cli_outputs_check(struct cli *c)
{
	int code;

	note_input_files(c);
	code = check_standard_output(c, STDOUT_FILENO, "the standard output");
	if (!code)
		code = check_standard_output(c, STDERR_FILENO, "the standard error output");
	program_files_add_output(&c->used, STDOUT_FILENO, "the standard output, too");
	program_files_add_output(&c->used, STDERR_FILENO, "where messages go");
	return code;
}

size_t cli_terminal_width(FILE *stream)
{
	enum { USUAL = 80 };
	const int fd = fileno(stream);
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int told = 0;

	if (!isatty(fd))
		return 0;
	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	if (columns)
		told = atoi(columns);
	return told > 0 ? (size_t)told : USUAL;
}
