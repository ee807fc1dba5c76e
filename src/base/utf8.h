/* SPDX-License-Identifier: MIT */
/* Characters of text from outside.  Stateless. */
#ifndef BPEI_UTF8_H
#define BPEI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the length of the UTF-8 sequence at s, which has `left` bytes; 0: no valid sequence
 * (RFC 3629). */
size_t bpei_utf8_bytes(const char *s, size_t left);
/* Returns the code point of a sequence of n bytes, the length from bpei_utf8_bytes. */
uint32_t bpei_utf8_code(const char *s, size_t n);
/* Returns true for C0, DEL and C1, which a terminal obeys, and for the two separators at which
 * readers break lines. */
bool bpei_utf8_is_control(uint32_t code);
/* Replaces characters which a terminal would obey by \x1b, \n, \u0085; new lines stay if `lines`.
 * `room`: bytes of the text's memory; the end is cut off where room is short. */
void bpei_utf8_show(char *text, size_t room, bool lines);

#endif
