/* SPDX-License-Identifier: MIT */
/* A whole text file at once.  Stateless. */
#ifndef BPEI_TEXTFILE_H
#define BPEI_TEXTFILE_H

#include <stddef.h>

/* The file's bytes with a 0 behind them, for free(); NULL and errno: it cannot be read, is longer
 * than `most` (EFBIG), or has a 0 in it (EILSEQ). */
char *bpei_textfile_read(const char *path, size_t most);

#endif
