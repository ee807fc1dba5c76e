/* SPDX-License-Identifier: MIT */
/* A writer's options, checked. */
#ifndef BPEI_WRITER_OPTIONS_H
#define BPEI_WRITER_OPTIONS_H

#include "bpfengine.h"
#include "writer/files.h"

/* Copies the caller's options, with defaults for the members that the caller lacks.  Returns
 * BPE_OK, or a failure with *error filled and *copy unset.  Strings are still the caller's. */
int bpei_writer_options_check(struct bpe_writer_options *copy,
	const struct bpe_writer_options *given, struct bpe_error *error);
/* Returns the format, by the name's end for BPE_WRITE_AUTO. */
uint32_t bpei_writer_format(const struct bpe_writer_options *options);
/* Returns true if several files may be written. */
bool bpei_writer_rotates(const struct bpe_writer_options *options);
/* Returns whether there is a flight recorder. */
bool bpei_writer_records(const struct bpe_writer_options *options);
/* Fills in the options of the files.  Texts are borrowed. */
void bpei_writer_files_options(
	struct bpei_files_options *files, const struct bpe_writer_options *options);

#endif
