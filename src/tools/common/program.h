/* SPDX-License-Identifier: MIT */
/* Parts which every program of the project needs beside the library: safe standard descriptors,
 * text that no terminal obeys, and output files which harm no other file. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- The start and the end (start.c) ---- */

/* Prepares the process; the first call of main.  Fills the closed descriptors of 0 to 2 with a file
 * which cannot be read or written.  Unblocks signals, and turns a file which has grown too large
 * (SIGXFSZ) into an error. */
void program_begin(const char *name);
/* Writes out stdout.  Returns false after a message if the text could not be written; `what` is the
 * text's name ("the report").  A reader which is gone causes no message. */
bool program_end_output(const char *what);

/* ---- Text (text.c) ---- */

/* Returns the bytes of the UTF-8 sequence at s, or 0 if there is none (RFC 3629). */
size_t program_utf8(const char *s);
/* Returns the code point of the n bytes at s, which program_utf8 accepted. */
uint32_t program_utf8_code(const char *s, size_t n);
/* Writes s; characters which a terminal would obey become \x1b, \n, \u0085 and so on.  Returns to.
 */
const char *program_visible(char *to, size_t room, const char *s);
/* Prints a message, "NAME: text", on stderr.  Control characters are escaped, new lines are not. */
void program_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints a text without the name on any stream.  Control characters are escaped; new lines become
 * \n unless `lines`. */
void program_print(FILE *to, bool lines, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
/* Prints a JSON string: bytes which are not UTF-8 become U+FFFD, control characters \u00xx. */
void program_print_json(FILE *to, const char *s);
/* Prints a field of comma-separated values (RFC 4180): control characters as \u00xx, and an
 * apostrophe before a text which a spreadsheet would take for a formula. */
void program_print_csv(FILE *to, const char *s);

/* ---- Files which are in use (files.c) ---- */

#define PROGRAM_FILES 1152 /* sources, tables of names and outputs */

struct program_files { /* compared by device and number, whatever their names */
	size_t count;
	struct {
		dev_t device;
		ino_t number;
		bool output;
		char what[48];
	} file[PROGRAM_FILES];
};

/* Add a file, unless the file is a terminal, a device or missing; path "-" is stdin. */
void program_files_add(struct program_files *files, const char *path, const char *what);
void program_files_add_fd(struct program_files *files, int fd, const char *what);
void program_files_add_output(struct program_files *files, int fd, const char *what);
/* Adds the files behind "in" in an expression. */
void program_files_add_filter(struct program_files *files, const char *expression);
/* Returns what the file is used for, or NULL.  outputs: files which are written to count, too. */
const char *program_files_find(
	const struct program_files *files, const struct stat *st, bool outputs);
/* Finds the paths behind "in" in an expression (host in ./FILE), at most max; the caller frees
 * each. Returns the number of paths, which may be more than max. */
size_t program_filter_files(const char *expression, char **paths, size_t max);

/* ---- An output file (outfile.c) ---- */

struct outfile {
	const struct program_files *others; /* the output may be none of these */
	const char *path, *name;            /* name: in directory */
	int fd;                             /* -1: the file is not there yet */
	int directory;      /* -1: a descriptor which was open at the start, as /dev/stdout */
	int standard;       /* number of that descriptor; -1: none */
	bool root;          /* started as root: more is refused (outfile.c) */
	bool regular, made; /* made: by this program */
	bool again;         /* opened anew, when rights are given up */
	bool replaced;      /* the owner writes the file, not root */
	bool torn;          /* the existing file ends within a line */
	uid_t owner;        /* another owner which causes no notice */
	char why[256];      /* the last failure */
	char notice[160];   /* "": nothing to report */
};

/* Opens an existing file without changing the file, or finds the directory for a new one.  Runs
 * before the source is opened, since the path may name a descriptor's number.  Returns 0, or -1 and
 * why. */
int outfile_find(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner);
/* Finds a file as outfile_find does.  The owner, not root, will replace an existing file of the
 * owner.  Therefore the file may lie in a directory that everybody may write in. */
int outfile_find_replaced(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner);
/* Opens the directory of files that are made later; name is the last part of the path.  Returns 0,
 * or -1 and why. */
int outfile_find_directory(struct outfile *o, const char *path);
/* Makes the file if it is missing.  Returns 0, or -1 and why. */
int outfile_make(struct outfile *o);
/* Cuts a regular file to no length.  Returns 0, or -1 and why. */
int outfile_empty(struct outfile *o);
/* Opens the file which has the path by now, or makes one; the old file stays open on failure.
 * Returns 0, or -1 and why. */
int outfile_again(struct outfile *o);
/* Returns 0, or the errno of a failed write. */
int outfile_close(struct outfile *o);
/* Returns how many of n bytes to write to a pipe at once: whole lines if they fit.  poll(2)
 * promises a pipe room for PIPE_BUF bytes. */
size_t outfile_pipe_length(const char *bytes, size_t n);

#endif
