/* SPDX-License-Identifier: MIT */
/* What the files of this folder share and nobody else needs. */
#ifndef PROGRAM_NAMES_H
#define PROGRAM_NAMES_H

extern const char *program_name; /* as program_begin had it */

#endif
