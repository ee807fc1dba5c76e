/* SPDX-License-Identifier: MIT */
/* Names of rotated tables, by the rules of the names of savefiles
 * (docs/recording.md): conversions of strftime(3) with the local time, and %N with the number. */
#ifndef TABLES_NAMING_H
#define TABLES_NAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define NAMING_ROOM 224u /* of a name; a temporary name has some bytes more */

/* Writes the name of a file.  rotates: a template without conversions gets the number before the
 * end.  number: from 1.  attempt: 0, or higher if the name before was taken, which adds "-2".
 * Returns 0, or -1 if the name is too long, empty or has a slash. */
int naming_make(const char *template, bool rotates, const struct tm *when, uint64_t number,
	uint32_t attempt, char name[NAMING_ROOM]);
/* Returns the end of a file begun at now_ns: at the next multiple of every_ns since the local
 * midnight; of more than a day, after every_ns. */
int64_t naming_next(int64_t now_ns, int64_t every_ns);

#endif
