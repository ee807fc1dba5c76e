/* SPDX-License-Identifier: MIT */
/* The bytes of a packet behind its line: -x, -X and -A, as tcpdump prints them. */
#ifndef PRINT_HEX_H
#define PRINT_HEX_H

#include "output.h"

/* Puts the bytes in hexadecimal (-x), or with the text beside (-X).  Begins with a new line. */
void hex_put(struct print_output *out, const uint8_t *bytes, size_t n, bool has_text);
/* Puts the bytes as hexadecimal digits in a row. */
void hex_put_digits(struct print_output *out, const uint8_t *bytes, size_t n);
/* Puts the bytes as text (-A). */
void hex_put_text(struct print_output *out, const uint8_t *bytes, size_t n);

#endif
