/* SPDX-License-Identifier: MIT */
/* The compressed forms of savefiles: names, first bytes, levels, and whether this build can read
 * and write a form.  Each form has a library of its own, which a build may lack. */
#ifndef BPEI_PACKING_H
#define BPEI_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum bpei_packing {
	BPEI_PACKING_NONE = 0, /* bytes as they are */
	BPEI_PACKING_GZIP,
	BPEI_PACKING_ZSTD,
	BPEI_PACKING_LZ4,
	BPEI_PACKING_XZ,         /* read only */
	BPEI_PACKING_BZIP2,      /* recognised only */
	BPEI_PACKING_LZ4_LEGACY, /* recognised only: lz4 before version 1.4, and "lz4 -l" */
	BPEI_PACKING_SKIPPABLE,  /* a frame without data, before frames of zstd or lz4 */
	BPEI_PACKING_COUNT
};

/* Each form is recognised by so many bytes. */
#define BPEI_PACKING_HEAD 8u
/* The form's usual level. */
#define BPEI_PACKING_LEVEL_USUAL 0

/* Returns the form which begins with these bytes; NONE for other bytes, and for too few bytes. */
enum bpei_packing bpei_packing_of(const uint8_t *bytes, size_t n);
/* Returns true if the n bytes are the beginning of a form's first bytes. */
bool bpei_packing_may_begin(const uint8_t *bytes, size_t n);
/* Returns the form for the end of a file's name: .gz, .zst, .lz4, .xz; NONE for other ends. */
enum bpei_packing bpei_packing_of_name(const char *name);

/* Returns the name of the form, "zstd". */
const char *bpei_packing_name(enum bpei_packing packing);
/* Returns the command which unpacks a file to standard output, "zstd -dc". */
const char *bpei_packing_command(enum bpei_packing packing);
/* Returns the name of the form's library, "libzstd"; "" if no library is ever used. */
const char *bpei_packing_library(enum bpei_packing packing);
/* Returns true if this build reads the form, or writes it. */
bool bpei_packing_can_read(enum bpei_packing packing);
bool bpei_packing_can_write(enum bpei_packing packing);

/* The levels of a form for writing: least, most, and the usual level. */
struct bpei_packing_levels {
	int least, most, usual;
};
struct bpei_packing_levels bpei_packing_levels(enum bpei_packing packing);

#endif
