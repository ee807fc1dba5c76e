/* SPDX-License-Identifier: MIT */
/* The fuzz targets: each takes any bytes and aborts if a promise is broken.  driver.c makes a
 * program for libFuzzer from a target; replay.c runs all targets over the corpus, with any
 * compiler. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_apps(const uint8_t *bytes, size_t n);
void fuzz_bpf(const uint8_t *bytes, size_t n);
void fuzz_compile(const uint8_t *bytes, size_t n);
void fuzz_copy(const uint8_t *bytes, size_t n);
void fuzz_dns(const uint8_t *bytes, size_t n);
void fuzz_engine(const uint8_t *bytes, size_t n);
void fuzz_export(const uint8_t *bytes, size_t n);
void fuzz_lex(const uint8_t *bytes, size_t n);
void fuzz_filter(const uint8_t *bytes, size_t n);
void fuzz_naming(const uint8_t *bytes, size_t n);
void fuzz_options(const uint8_t *bytes, size_t n);
void fuzz_packed(const uint8_t *bytes, size_t n);
void fuzz_parse(const uint8_t *bytes, size_t n);
void fuzz_print(const uint8_t *bytes, size_t n);
void fuzz_push(const uint8_t *bytes, size_t n);
void fuzz_quic(const uint8_t *bytes, size_t n);
void fuzz_rewrite(const uint8_t *bytes, size_t n);
void fuzz_savefile(const uint8_t *bytes, size_t n);
void fuzz_sinks(const uint8_t *bytes, size_t n);
void fuzz_synth_options(const uint8_t *bytes, size_t n);
void fuzz_table(const uint8_t *bytes, size_t n);
void fuzz_tls(const uint8_t *bytes, size_t n);
void fuzz_top(const uint8_t *bytes, size_t n);
void fuzz_tpacket(const uint8_t *bytes, size_t n);
void fuzz_where(const uint8_t *bytes, size_t n);

#define FUZZ_CHECK(holds) ((holds) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #holds))
static inline void fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* A reader of the input; reads 0 past the end. */
struct fuzz_input {
	const uint8_t *next, *end;
};
static inline size_t fuzz_left(const struct fuzz_input *in)
{
	return (size_t)(in->end - in->next);
}
static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	return in->next < in->end ? *in->next++ : 0;
}
static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	uint16_t high = fuzz_u8(in);
	return (uint16_t)(high << 8 | fuzz_u8(in));
}
static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
	uint32_t high = fuzz_u16(in);
	return high << 16 | fuzz_u16(in);
}

#endif
