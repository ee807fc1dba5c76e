/* SPDX-License-Identifier: MIT */
/* Answers to wrong command lines, to words of other programs, and to bad sources and filters.  An
 * answer is a sentence, and often a line to type instead. */
#ifndef CLI_ANSWERS_H
#define CLI_ANSWERS_H

#include "cli.h"
#include "tools/common/option.h"
#include "tools/common/option_line.h"

/* ---- Options of other programs (foreign.c) ---- */

extern const struct option_spec cli_foreign_specs[];
extern const size_t cli_foreign_count;
/* Returns whether the word is a value of tshark's -z, such as io,stat,1. */
bool cli_is_statistic(const char *word);
/* Answers tshark's -z.  Returns EXIT_USAGE. */
int cli_answer_statistic(const char *word);

/* ---- Words which getopt refused, or took wrongly (misuse.c) ---- */

/* Prints the message about a word which getopt refused (struct option_program). */
int cli_misused(int problem, const char *given);
/* Looks for words like -port and -help, which getopt would take for letters.  Returns 0,
 * OPTION_STOP for -help, or EXIT_USAGE after the message. */
int cli_check_dashes(void);
/* Runs before an option is applied (struct option_program). */
int cli_before_option(void *cli, const struct option_spec *spec, char **rest);

/* ---- Words behind the options (words.c) ---- */

/* Answers a command line without a source.  words: behind the options.  Returns EXIT_USAGE.
 */
int cli_answer_no_source(const struct cli *cli, char **words);
/* Finds words behind the options which are no filter.  Returns 0 or EXIT_USAGE after the
 * message. */
int cli_check_words(const struct cli *cli, char **words);
/* Answers a filter behind the options where -f or -F gave a filter.  Returns EXIT_USAGE. */
int cli_answer_second_filter(const struct cli *cli, char **words);
/* Returns the length of the long dash (of copied text) at the start of the word, or 0. */
size_t cli_long_dash(const char *word);

/* ---- Bad sources and filters (source_words.c, filter_words.c) ---- */

/* Prints the message about a source which cannot be opened, or a wrong filter.  Returns the
 * exit code. */
int cli_explain_failure(const struct cli *cli, const struct bpe_error *error);
/* Prints a better message about a filter which does not compile, or returns false. */
bool cli_explain_filter(const struct cli *cli);
/* Returns whether the text is a filter of this program. */
bool cli_is_filter(const char *expression);
/* Writes our filter for a display filter of Wireshark.  Returns false if the text is no
 * display filter.  *advice: the next step where no filter means the same; to is "" then. */
bool cli_translate_display(const char *text, char *to, size_t room, const char **advice);
/* Writes a filter for sh: as words where sh takes the words as they stand, else with quotes.
 * Returns to. */
const char *cli_quote_filter(char *to, size_t room, const char *filter);
/* Writes a line to type with another filter in place of the words behind the options. */
const char *cli_line_with_filter(const struct cli *cli, char *to, const char *filter);

/* ---- The machine's interfaces (machine.c) ---- */

/* Returns whether an interface has the name, "any" and "synth" included. */
bool cli_is_interface(const char *name);
/* Returns the first interface which is up and no loopback, else any other; "eth0" if there is none.
 */
const char *cli_first_interface(void);
/* Writes the names of the interfaces, the best examples first: "eth0, lo, any".  Returns to. */
const char *cli_interface_names(char *to, size_t room);
/* Writes the name of the interface which is nearest to a wrong name.  Returns to; "" if none is. */
const char *cli_nearest_interface(char *to, size_t room, const char *name);
/* Writes the name of the interface with the address, or "".  Returns to. */
const char *cli_interface_of_address(char *to, size_t room, const char *address);
/* Writes the name behind a number of -D.  Returns the number of interfaces; to is "" if the number
 * is none of theirs. */
int cli_interface_number(char *to, size_t room, const char *number);

#endif
