/* SPDX-License-Identifier: MIT */
/* Where tables are made: a folder, which is opened with the program's first rights, and files
 * with the name NAME.part until the end.
 *
 * After root has given up rights, the other user may often make no file in the folder.  Then a
 * single file, without rotation, is made with the first rights, under the last name. */
#ifndef TABLES_PLACE_H
#define TABLES_PLACE_H

#include "tools/common/program.h"
#include "tools/tables/naming.h"

struct table_place {
	struct outfile folder;
	struct outfile direct;  /* the single file, made with the first rights */
	bool is_direct;         /* the single file is written */
	char path[1024];        /* as the user named it */
	bool rotates;           /* each file gets another name */
	int fd;                 /* of the file at hand; -1: none */
	char name[NAMING_ROOM]; /* of the file, once complete */
	char part[NAMING_ROOM + 16];
	struct tm when;  /* of the file's begin */
	uint64_t number; /* of the file */
};

/* Opens the folder, with the program's first rights.  has_single: a single file is of use.
 * Returns 0, or -1 and why. */
int table_place_find(
	struct table_place *place, const char *path, bool has_single, char *why, size_t room);
/* Chooses between folder and single file, once rights are given up.  Returns 0, or -1 and why. */
int table_place_choose(struct table_place *place, char *why, size_t room);
/* Makes the next file under a temporary name.  begun_ns: for the name, since 1970.  replaces: the
 * name may be a file's.  Returns 0, or an errno and why. */
int table_place_begin(struct table_place *place, uint64_t number, int64_t begun_ns, bool replaces,
	char *why, size_t room);
/* Writes n bytes.  Returns 0 or an errno. */
int table_place_write(struct table_place *place, const void *bytes, size_t n);
/* Cuts the file to a length.  Returns 0 or an errno. */
int table_place_cut(struct table_place *place, uint64_t bytes);
/* Brings the file to the disk, and gives the file the last name.  Returns 0, or an errno: the file
 * is still there under its temporary name. */
int table_place_complete(struct table_place *place, bool replaces);
/* Removes the incomplete file. */
void table_place_drop(struct table_place *place);
void table_place_close(struct table_place *place);

#endif
