/* SPDX-License-Identifier: MIT */
/* Declarations that only the files of this folder share. */
#ifndef PROGRAM_NAMES_H
#define PROGRAM_NAMES_H

extern const char *program_name; /* as given to program_begin */

#endif
