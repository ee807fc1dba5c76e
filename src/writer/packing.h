/* SPDX-License-Identifier: MIT */
/* The compressed form of a writer's files. */
#ifndef BPEI_WRITER_PACKING_H
#define BPEI_WRITER_PACKING_H

#include "bpfengine.h"
#include "compress/compress.h"

/* Returns the form, by the name's end for BPE_COMPRESSION_AUTO. */
enum bpei_packing bpei_writer_packing(const struct bpe_writer_options *options);
/* Makes the packer of the options' form and level; *packer is NULL for plain files.  Each chunk
 * becomes a frame by bpei_packer_pack, as struct bpei_files_options wants it.  Fails as
 * bpei_packer_open.  The caller closes the packer. */
int bpei_writer_packer_open(const struct bpe_writer_options *options, struct bpei_packer **packer,
	struct bpe_error *error);

#endif
