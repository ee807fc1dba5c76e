/* SPDX-License-Identifier: MIT */
/* Names of UTF-8 as IDNA writes them (RFC 3492, RFC 5890).  Stateless. */
#ifndef BPEI_PUNYCODE_H
#define BPEI_PUNYCODE_H

#include <stddef.h>

/* Writes a name of n bytes in UTF-8 with its labels as "xn--...", and a 0.  The name is not mapped:
 * the caller has it in lower case and normal form.  Returns the length; 0: the name is ASCII, is no
 * UTF-8, or does not fit. */
size_t bpei_punycode_name(char *to, size_t room, const char *name, size_t n);

#endif
