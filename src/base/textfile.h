/* SPDX-License-Identifier: MIT */
/* A whole text file at once.  Stateless. */
#ifndef BPEI_TEXTFILE_H
#define BPEI_TEXTFILE_H

#include <stddef.h>

/* Returns the file's bytes with a 0 behind, for free().  Returns NULL and errno if the file cannot
 * be read, is longer than `most` (EFBIG), or contains a 0 (EILSEQ). */
char *bpei_textfile_read(const char *path, size_t most);

#endif
