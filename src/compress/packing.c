/* SPDX-License-Identifier: MIT */
/* The compressed forms by their first bytes, names and libraries. */
#include "compress/packing.h"

#include "compress/codec.h"

#include <string.h>

static const struct form {
	const char *name, *command, *library, *ending;
	const struct bpei_codec *codec;
	uint8_t magic[6];
	uint8_t magic_bytes;
} forms[BPEI_PACKING_COUNT] = {
	[BPEI_PACKING_NONE] = { "none", "cat", "", "", NULL, { 0 }, 0 },
	[BPEI_PACKING_GZIP] = { "gzip", "gzip -dc", "zlib", ".gz", &bpei_codec_zlib, { 0x1f, 0x8b },
		2 },
	[BPEI_PACKING_ZSTD] = { "zstd", "zstd -dc", "libzstd", ".zst", &bpei_codec_zstd,
		{ 0x28, 0xb5, 0x2f, 0xfd }, 4 },
	[BPEI_PACKING_LZ4] = { "lz4", "lz4 -dc", "liblz4", ".lz4", &bpei_codec_lz4,
		{ 0x04, 0x22, 0x4d, 0x18 }, 4 },
	[BPEI_PACKING_XZ] = { "xz", "xz -dc", "liblzma", ".xz", &bpei_codec_lzma,
		{ 0xfd, '7', 'z', 'X', 'Z', 0 }, 6 },
	[BPEI_PACKING_BZIP2] = { "bzip2", "bzip2 -dc", "", ".bz2", NULL, { 'B', 'Z', 'h' }, 3 },
	[BPEI_PACKING_LZ4_LEGACY] = { "lz4's old form", "lz4 -dc", "", "", NULL,
		{ 0x02, 0x21, 0x4c, 0x18 }, 4 },
	[BPEI_PACKING_SKIPPABLE] = { "skippable frame", "zstd -dc", "", "", NULL, { 0 }, 0 },
};

/* Returns true if the bytes are those of a skippable frame, as far as they go. */
static bool looks_skippable(const uint8_t *bytes, size_t n)
{
	static const uint8_t rest[3] = { 0x2a, 0x4d, 0x18 };
	const size_t others = n < 4 ? n - 1 : sizeof rest;

	return n && (bytes[0] & 0xf0) == 0x50 && !memcmp(bytes + 1, rest, others);
}

enum bpei_packing bpei_packing_of(const uint8_t *bytes, size_t n)
{
	for (int k = 1; k < BPEI_PACKING_COUNT; k++) {
		const struct form *f = &forms[k];

		if (f->magic_bytes && n >= f->magic_bytes &&
			!memcmp(bytes, f->magic, f->magic_bytes))
			return (enum bpei_packing)k;
	}
	return n >= 4 && looks_skippable(bytes, n) ? BPEI_PACKING_SKIPPABLE : BPEI_PACKING_NONE;
}

bool bpei_packing_may_begin(const uint8_t *bytes, size_t n)
{
	for (int k = 1; k < BPEI_PACKING_COUNT; k++)
		if (n < forms[k].magic_bytes && !memcmp(bytes, forms[k].magic, n))
			return true;
	return n < 4 && (!n || looks_skippable(bytes, n));
}

enum bpei_packing bpei_packing_of_name(const char *name)
{
	const size_t length = strlen(name);

	for (int k = 1; k < BPEI_PACKING_COUNT; k++) {
		const size_t ending = strlen(forms[k].ending);

		if (ending && length > ending && !strcmp(name + length - ending, forms[k].ending))
			return (enum bpei_packing)k;
	}
	return BPEI_PACKING_NONE;
}

const char *bpei_packing_name(enum bpei_packing packing)
{
	return forms[packing].name;
}

const char *bpei_packing_command(enum bpei_packing packing)
{
	return forms[packing].command;
}

const char *bpei_packing_library(enum bpei_packing packing)
{
	return forms[packing].library;
}

const struct bpei_codec *bpei_codec_of(enum bpei_packing packing)
{
	return forms[packing].codec;
}

bool bpei_packing_can_read(enum bpei_packing packing)
{
	return forms[packing].codec && forms[packing].codec->read;
}

bool bpei_packing_can_write(enum bpei_packing packing)
{
	return forms[packing].codec && forms[packing].codec->write;
}

struct bpei_packing_levels bpei_packing_levels(enum bpei_packing packing)
{
	const struct bpei_packing_levels none = { 0 };

	return bpei_packing_can_write(packing) ? forms[packing].codec->levels : none;
}
