/* SPDX-License-Identifier: MIT */
/* The compressed form of a writer's files, by its options.  Pure but for the packer's memory. */
#include "writer/packing.h"

#include "base/error.h"

enum bpei_packing bpei_writer_packing(const struct bpe_writer_options *o)
{
	enum bpei_packing by_name = BPEI_PACKING_NONE;

	switch (o->compression) {
	case BPE_COMPRESSION_NONE:
		return BPEI_PACKING_NONE;
	case BPE_COMPRESSION_ZSTD:
		return BPEI_PACKING_ZSTD;
	case BPE_COMPRESSION_LZ4:
		return BPEI_PACKING_LZ4;
	case BPE_COMPRESSION_GZIP:
		return BPEI_PACKING_GZIP;
	default:
		if (o->path)
			by_name = bpei_packing_of_name(o->path);
		return by_name;
	}
}

int bpei_writer_packer_open(
	const struct bpe_writer_options *o, struct bpei_packer **packer, struct bpe_error *error)
{
	const enum bpei_packing packing = bpei_writer_packing(o);

	*packer = NULL;
	if (packing == BPEI_PACKING_NONE && o->compression_level)
		return bpei_fail(error, BPE_E_ARGUMENT, "compression_level", 0,
			"compression_level is %d, and the file is not compressed",
			o->compression_level);
	if (packing == BPEI_PACKING_NONE)
		return BPE_OK;
	if (packing == BPEI_PACKING_XZ || packing == BPEI_PACKING_BZIP2)
		return bpei_fail(error, BPE_E_UNSUPPORTED, "compression", 0,
			"%s: %s files are not written: name it .zst, .lz4 or .gz, or set "
			"compression to none",
			o->path, bpei_packing_name(packing));
	return bpei_packer_open(packing, o->compression_level, packer, error);
}
