/* SPDX-License-Identifier: MIT */
/* Encodings of Parquet's pages (parquet-format, Encodings.md): runs and packed bits, deltas. */
#ifndef TABLES_ENCODE_H
#define TABLES_ENCODE_H

#include "tools/tables/bytes.h"

/* Bytes that a reader of codes may look at behind the last code. */
#define ENCODE_GROUP 8u

/* Returns the bits that the number needs; 0 for 0. */
unsigned encode_width(uint64_t number);
/* Adds codes as runs and packed groups.  Each code is below 2^width; width: 1 to 32.  The array has
 * room for a multiple of ENCODE_GROUP codes: the codes behind the last are set to 0. */
void encode_hybrid(struct table_bytes *out, uint32_t *codes, size_t n, unsigned width);
/* Adds the first n bits of a bitmap, the lowest bit of a byte first, as codes of one bit. */
void encode_bits(struct table_bytes *out, const uint8_t *bits, size_t n);
/* Adds numbers as DELTA_BINARY_PACKED.  is_wide: of 64 bits; else of 32 bits, in the low half. */
void encode_delta(struct table_bytes *out, const uint64_t *numbers, size_t n, bool is_wide);

#endif
