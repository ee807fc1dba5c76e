/* SPDX-License-Identifier: MIT */
/* The options of a program's command line as one table.
 *
 * Each program has one array of struct option_spec.  The array serves getopt, the reading of the
 * values, the messages about wrong values and --help.  tests/packaging asks the array for the
 * options and compares the manual pages and the shell completions with the answer. */
#ifndef PROGRAM_OPTION_H
#define PROGRAM_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { OPTION_USAGE = 2 }; /* exit code of a program which was called wrongly */
enum { OPTION_SKIP = -2 }; /* result of `before`: the option is done already */
enum { OPTION_STOP = -1 }; /* result of an option after which nothing more is read (--help) */

/* How the value of an option is read, and the type of its member. */
enum option_kind {
	OPTION_NOTHING,     /* no value; accepted without effect */
	OPTION_SET,         /* no value; bool which becomes true */
	OPTION_CLEAR,       /* no value; bool which becomes false */
	OPTION_COUNT,       /* no value; int which counts the uses */
	OPTION_ACT,         /* no value; calls act */
	OPTION_HELP,        /* no value; bool that becomes true; prints --help, and stops */
	OPTION_TEXT,        /* const char * */
	OPTION_WHOLE,       /* uint32_t or uint64_t, from least to most */
	OPTION_POWER,       /* the same; a power of two */
	OPTION_SIZE,        /* uint32_t or uint64_t in bytes, from least to most; K, M, G allowed */
	OPTION_SECONDS,     /* int64_t in nanoseconds, from least to most; least 0: more than 0 s */
	OPTION_CHOICE,      /* uint32_t or bool: index of the word in choices */
	OPTION_READ,        /* calls read */
	OPTION_READ_OR_NONE /* calls read; the value may be missing, and is then NULL (--name=VALUE)
			     */
};

struct option_spec {
	const char *name;    /* long name without dashes; NULL: none */
	const char *letters; /* short names; NULL: none */
	enum option_kind kind;
	size_t offset, bytes; /* of the member in the target structure */
	size_t given;         /* offset of a bool which becomes true, too; 0: none */
	uint64_t unit;        /* OPTION_SIZE: bytes in 1 of a number without suffix */
	uint64_t least, most; /* limits of the value */
	const char *choices;  /* "wait|drop", in the order of the enum; NULL: argument serves */
	const char *wants;    /* says in the message for a wrong value which values are right */
	const char *hint;     /* follows the message; NULL: nothing */
	const char *once; /* message for a second use; NULL: the last use counts, which is told */
	bool adds;        /* may be given several times, and each use counts */
	bool minus;       /* a value may begin with "-" (--tunnels -vxlan) */
	unsigned modes;   /* modes of the program which take the option; 0: the usual mode */
	int (*act)(void *target);
	/* Returns 0, or an exit code after the message was printed. */
	int (*read)(void *target, const struct option_spec *spec, const char *word);

	/* --help.  The line is printed in the order of the table. */
	const char *heading;  /* text above the line, without its last new line; NULL: none */
	const char *argument; /* name of the value; NULL: none */
	const char *help;     /* text of the line; new lines continue in the same column */
	bool beside;          /* no line: the help of an option before names this option, too */
	void (*print_more)(FILE *to); /* prints lines behind the option's own; NULL: none */
};

struct option_program {
	const struct option_spec *specs;
	size_t count; /* at most OPTION_MOST */
	/* options of other programs: getopt knows the options, and --help does not */
	const struct option_spec *foreign;
	size_t foreign_count;
	/* uses of each option of specs, OPTION_MOST; NULL: not counted, and once is not minded */
	uint8_t *uses;
	const char *head, *tail; /* of --help */
	/* Prints the message about a word which getopt refused and returns the exit code.
	 * problem: ':' (the value is missing) or '?'; given: the word; optopt is getopt's. */
	int (*misused)(int problem, const char *given);
	/* Runs before an option is applied; returns 0, OPTION_SKIP, or an exit code after the
	 * message.  rest: the words which follow; rest[-1] is the option's.  The function may take
	 * words by optind.  NULL: nothing to check. */
	int (*before)(void *target, const struct option_spec *spec, char **rest);
};

#define OPTION_MOST 200 /* options in a table, and options of other programs */

/* Keeps the words of the command line (option_line.h), and the program, which must outlive the
 * reading of the options. */
void option_begin(const struct option_program *program, int argc, char **argv);
/* Returns the program of option_begin. */
const struct option_program *option_current(void);
/* Reads the options of argv into the target; calls option_begin.  optind is then the index of the
 * first word which is no option.  Returns 0, OPTION_STOP, or an exit code after the message was
 * printed. */
int option_read(const struct option_program *program, void *target, int argc, char **argv);
/* Applies one option; word: its value or NULL.  Returns as option_read. */
int option_apply(void *target, const struct option_spec *spec, const char *word);
/* Returns the option with the name, or NULL. */
const struct option_spec *option_find(const struct option_program *program, const char *name);
/* Returns the option with a value of getopt (letter, or 256 + index), or NULL. */
const struct option_spec *option_of_getopt(const struct option_program *program, int value);
/* Applies an option of the table by its name, as if the option was typed.  Returns as option_read.
 */
int option_use(
	const struct option_program *program, void *target, const char *name, const char *word);
/* Writes which options were given more than once, for a notice.  Returns false if there are none.
 * The program has uses. */
bool option_tell_repeated(const struct option_program *program, char *to, size_t room);
/* Returns whether an option of the table was given.  The program has uses. */
bool option_is_given(const struct option_program *program, const char *name);
/* Writes "-c", or "--count" for an option without letters.  Returns to. */
const char *option_shown(char *to, size_t room, const struct option_spec *spec);
/* Returns whether the word is an option of the table, such as "-c", "-nv" or "--count=3". */
bool option_is_word(const struct option_program *program, const char *word);
/* Returns whether the option takes a value, or may take one. */
bool option_takes_value(const struct option_spec *spec);
/* Returns the words of an OPTION_CHOICE, separated by '|'. */
const char *option_choices(const struct option_spec *spec);
/* Returns the name of the option which is nearest to the word, or has the word as last part
 * (format: flows-format); NULL if none is near: at most a third of the letters may differ. */
const char *option_nearest(const struct option_program *program, const char *word);
void option_print_help(FILE *to, const struct option_program *program);

/* Prints "PROGRAM: text" and the hint at --help on stderr.  Returns OPTION_USAGE. */
int option_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Prints the message about a word which is no value of the option.  Returns OPTION_USAGE. */
int option_refuse_value(const struct option_spec *spec, const char *word);

/* ---- Values (option_values.c).  Each returns false and leaves the value if the word is wrong. */

bool parse_whole(const char *word, uint64_t least, uint64_t most, uint64_t *value);
/* Bytes: a number, and K, M or G (binary) or B.  A number without suffix counts units. */
bool parse_size(const char *word, uint64_t unit, uint64_t *bytes);
/* Seconds, also with a fraction, or with a unit: ms, s, m or min, h, d.  The limits are in
 * nanoseconds; least 0: more than 0 s. */
bool parse_seconds(const char *word, uint64_t least_ns, uint64_t most_ns, double *seconds);
/* choices: "wait|drop"; *index: which of the word. */
bool parse_choice(const char *choices, const char *word, uint32_t *index);
/* Returns the number of letters to insert, delete or change which makes a into b (Levenshtein), or
 * 99 if b is too long. */
size_t edit_distance(const char *a, const char *b);

#endif
