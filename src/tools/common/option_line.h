/* SPDX-License-Identifier: MIT */
/* The command line as it was typed, and the line to type instead.
 *
 * getopt changes the order of argv.  So the words are kept before getopt runs, and an answer to a
 * wrong line repeats the words with the change.  All calls are for the main thread. */
#ifndef PROGRAM_OPTION_LINE_H
#define PROGRAM_OPTION_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum { OPTION_LINE = 2000 }; /* room for a line to type, with its end */

/* A change: words are left out, and a text is put there.  The text is quoted for sh already. */
struct option_edit {
	int at;           /* index of the word; 0 is the program */
	int removed;      /* number of the words that are left out */
	const char *text; /* before the word; NULL or "": nothing */
};

/* Keeps the words, which must outlive the calls below. */
void option_line_keep(int argc, char **argv);
/* Returns a word as typed, or NULL behind the last. */
const char *option_line_word(int index);
/* Returns the index of the word that holds the byte, or -1. */
int option_line_index(const char *byte);
/* Writes a word for sh, with quotes where sh needs them.  Returns to; "" if there is no room. */
const char *option_quote(char *to, size_t room, const char *word);
/* Writes the line with the changes, which are in the order of their words.  Returns to; "" if the
 * line is longer than OPTION_LINE, or a word has control characters. */
const char *option_line_write(char *to, const struct option_edit *edits, size_t count);
/* Returns the change that gives an option another value; the value points into a kept word.  text:
 * is quoted already, and must outlive the change. */
struct option_edit option_line_value(const char *value, const char *text, char *room, size_t bytes);
/* Prints "PROGRAM: text", and the line; "": the hint at --help; NULL: nothing more.  Returns
 * OPTION_USAGE. */
int option_answer(const char *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
