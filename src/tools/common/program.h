/* SPDX-License-Identifier: MIT */
/* What every program of the project needs beside the library: safe standard descriptors, text that
 * no terminal obeys, and output files that harm no other file. */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* ---- The start and the end (start.c) ---- */

/* The first call of main.  Gives 0 to 2 to something that cannot be read or written where the
 * program was started without them, lets signals through that were blocked, and turns a file that
 * has grown too large (SIGXFSZ) into an error. */
void program_begin(const char *name);
/* Writes out what was printed to stdout.  Returns false after a message if it could not be written;
 * `what` is the text's name ("the report").  A reader that has gone is no message. */
bool program_end_output(const char *what);

/* ---- Text (text.c) ---- */

/* Returns the bytes of the UTF-8 sequence at s, or 0 if there is none (RFC 3629). */
size_t program_utf8(const char *s);
/* Writes s with what a terminal would obey as \x1b, \n, \u0085 and so on.  Returns to. */
const char *program_visible(char *to, size_t room, const char *s);
/* Prints a message, "NAME: text", on stderr; control characters are shown, new lines are kept. */
void program_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same on any stream and without the name; new lines are shown as \n unless `lines`. */
void program_print(FILE *to, bool lines, const char *format, va_list args)
	__attribute__((format(printf, 3, 0)));
/* Prints a JSON string: bytes that are not UTF-8 become U+FFFD, control characters \u00xx. */
void program_print_json(FILE *to, const char *s);
/* Prints a field of comma-separated values (RFC 4180): control characters as \u00xx, and an
 * apostrophe before what a spreadsheet would take for a formula. */
void program_print_csv(FILE *to, const char *s);

/* ---- Files that are in use (files.c) ---- */

#define PROGRAM_FILES 64

struct program_files { /* compared by device and number, whatever their names */
	size_t count;
	struct {
		dev_t device;
		ino_t number;
		bool output;
		char what[48];
	} file[PROGRAM_FILES];
};

/* Add a file, unless it is a terminal, a device or not there; path "-" is stdin. */
void program_files_add(struct program_files *files, const char *path, const char *what);
void program_files_add_fd(struct program_files *files, int fd, const char *what);
void program_files_add_output(struct program_files *files, int fd, const char *what);
/* Adds the files behind "in" in an expression. */
void program_files_add_filter(struct program_files *files, const char *expression);
/* Returns what the file is used for, or NULL.  outputs: files that are written to count, too. */
const char *program_files_find(
	const struct program_files *files, const struct stat *st, bool outputs);
/* The paths behind "in" in an expression (host in ./FILE), at most max of them, each for free.
 * Returns how many there are. */
size_t program_filter_files(const char *expression, char **paths, size_t max);

/* ---- An output file (outfile.c) ---- */

struct outfile {
	const struct program_files *others; /* none of which it may be */
	const char *path, *name;            /* name: in directory */
	int fd;                             /* -1: it is not there yet */
	int directory;      /* -1: a descriptor that was open at the start, as /dev/stdout */
	int standard;       /* which one; -1: none */
	bool root;          /* started as root: more is refused (outfile.c) */
	bool regular, made; /* made: by this program */
	bool again;         /* opened anew, when rights are given up */
	bool torn;          /* what stood there has a last line that is not ended */
	uid_t owner;        /* another owner that is no news */
	char why[256];      /* the last failure */
	char notice[160];   /* "": nothing to be told */
};

/* Opens what stands at the path without changing it, or finds where it will be made.  0, or -1 and
 * why.  Before the source is opened: a descriptor's number may be named. */
int outfile_find(
	struct outfile *o, const char *path, const struct program_files *others, uid_t owner);
int outfile_make(struct outfile *o); /* makes it where it is not there; 0, or -1 and why */
int outfile_empty(
	struct outfile *o); /* cuts a regular file that was there to no length; the same */
/* Opens what stands at the path by now, or makes it; the old file stays open on failure. */
int outfile_again(struct outfile *o);
int outfile_close(struct outfile *o); /* 0, or the errno of what was not written */

#endif
