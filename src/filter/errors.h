/* SPDX-License-Identifier: MIT */
/* Errors of the filter compiler.  Only the first error of a compilation is kept. */
#ifndef BPEI_FILTER_ERRORS_H
#define BPEI_FILTER_ERRORS_H

#include "filter/compile.h"

/* Each function records an error and returns -1.  The functions differ in the part of the
 * expression that the error points at: the current token, the token before, or the term up to the
 * current token. */
int32_t bpei_compile_fail(struct bpei_compile *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int32_t bpei_compile_fail_previous(struct bpei_compile *c, const char *why);
int32_t bpei_compile_fail_term(struct bpei_compile *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Fails at the current token and sets c->final: no other shape of the packet can succeed. */
int32_t bpei_compile_fail_final(struct bpei_compile *c, const char *why);
int32_t bpei_compile_no_memory(struct bpei_compile *c);

/* An expression that is read for several shapes of the packet is wrong only if wrong in all of
 * them.  So the first complaint is kept aside, and compiling goes on, unless the error is final.
 * If every shape fails, the complaint becomes the error. */
struct complaint {
	char why[sizeof((struct bpei_compile *)0)->why];
	size_t at, length;
};
/* Clears a non-final error; copies the error to *first unless *first holds a complaint already. */
void bpei_complaint_keep(struct bpei_compile *c, struct complaint *first);
/* Makes *first the error, unless a final error stands.  Returns -1. */
int32_t bpei_complaint_raise(struct bpei_compile *c, const struct complaint *first);

#endif
