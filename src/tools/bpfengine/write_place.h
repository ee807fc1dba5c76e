/* SPDX-License-Identifier: MIT */
/* Where -w writes: a directory, in which the writer makes its files, or a descriptor that is open.
 *
 * The place is found before the source is opened and before rights are given up, so a bad place
 * costs no capture.  Files in the directory are made later, by the user that remains.  A descriptor
 * serves where that user can make none, and for pipes and devices. */
#ifndef CLI_WRITE_PLACE_H
#define CLI_WRITE_PLACE_H

#include "tools/common/program.h"

#include <stdbool.h>

struct cli;

struct write_place {
	struct outfile file;
	bool used;            /* -w was given */
	bool on_stdout;       /* packets go to the standard output */
	int directory;        /* of the files; -1: fd serves */
	int fd;               /* to write to; -1: directory serves */
	const char *name;     /* of the file or the template, in directory */
	char *folder;         /* path of the directory, from the root; NULL: fd serves */
	struct outfile names; /* -b printname: */
	char shown[200];      /* the value of -w, fit for a terminal */
};

/* Finds the place of -w, and refuses files that the program reads or writes already.  Runs after
 * cli_rights_prepare and before the source is opened.  Returns 0, or the exit code after the
 * message. */
int cli_write_find(struct cli *cli);
/* Makes the file if a descriptor serves and the file is missing.  Runs once the source is open and
 * before rights are given up.  Returns 0, or the exit code after the message. */
int cli_write_make(struct cli *cli);
/* Empties the file if a descriptor serves.  Runs just before the writer is opened.  Returns 0, or
 * the exit code after the message. */
int cli_write_begin(struct cli *cli);
/* Writes the name of a complete file to the list of -b printname:, if there is such a list.  The
 * writer's thread. */
void cli_write_name(const struct cli *cli, const char *name);
/* Closes what the calls above opened, once the writer is closed. */
void cli_write_forget(struct cli *cli);
#endif
