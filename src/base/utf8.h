/* SPDX-License-Identifier: MIT */
/* Characters of text that comes from outside.  Stateless. */
#ifndef BPEI_UTF8_H
#define BPEI_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Returns the bytes of the UTF-8 sequence at s, of `left` bytes that there are; 0: none (RFC 3629).
 */
size_t bpei_utf8_bytes(const char *s, size_t left);
/* Returns the code point of the n bytes that bpei_utf8_bytes found. */
uint32_t bpei_utf8_code(const char *s, size_t n);
/* C0, DEL and C1, which a terminal obeys, and the two separators at which readers break lines. */
bool bpei_utf8_is_control(uint32_t code);
/* Writes what a terminal would obey in the text, of room bytes, as \x1b, \n, \u0085; new lines stay
 * if `lines`.  What has no room any more is cut off. */
void bpei_utf8_show(char *text, size_t room, bool lines);

#endif
