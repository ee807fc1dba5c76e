/* SPDX-License-Identifier: MIT */
/* Errors of the filter compiler: the first error is kept, with the part of the expression at
 * fault.  Pure over struct bpei_compile. */
#include "filter/errors.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void record_error(
	struct bpei_compile *c, size_t at, size_t length, const char *format, va_list args)
{
	if (c->failed)
		return;
	vsnprintf(c->why, sizeof c->why, format, args);
	c->failed = true;
	c->why_at = at;
	c->why_length = length;
}

int32_t bpei_compile_fail(struct bpei_compile *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	record_error(c, c->token_at, c->token_length, format, args);
	va_end(args);
	return -1;
}

int32_t bpei_compile_fail_previous(struct bpei_compile *c, const char *why)
{
	bpei_compile_fail(c, "%s", why);
	c->why_at = c->previous_at;
	c->why_length = c->previous_length;
	return -1;
}

int32_t bpei_compile_fail_term(struct bpei_compile *c, const char *format, ...)
{
	const bool behind = c->token_at > c->term_at;
	size_t end = behind ? c->token_at : c->term_at + c->token_length;
	va_list args;

	while (end > c->term_at && strchr(" \t\r\n", c->text[end - 1]))
		end--;
	va_start(args, format);
	record_error(c, c->term_at, end - c->term_at, format, args);
	va_end(args);
	return -1;
}

int32_t bpei_compile_fail_final(struct bpei_compile *c, const char *why)
{
	c->final = true;
	return bpei_compile_fail(c, "%s", why);
}

int32_t bpei_compile_no_memory(struct bpei_compile *c)
{
	c->out_of_memory = true;
	return bpei_compile_fail_final(c, "no memory");
}

void bpei_complaint_keep(struct bpei_compile *c, struct complaint *first)
{
	if (c->failed && !first->why[0]) {
		first->at = c->why_at;
		first->length = c->why_length;
		memcpy(first->why, c->why, sizeof first->why);
	}
	c->failed = c->final;
}

int32_t bpei_complaint_raise(struct bpei_compile *c, const struct complaint *first)
{
	if (c->failed)
		return -1; /* by a final error */
	c->failed = true;
	c->why_at = first->at;
	c->why_length = first->length;
	memcpy(c->why, first->why, sizeof c->why);
	return -1;
}
