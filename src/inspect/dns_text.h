/* SPDX-License-Identifier: MIT */
/* Text of names and records, cut off between characters where room is short. */
#ifndef BPEI_DNS_TEXT_H
#define BPEI_DNS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpei_dns_text {
	char *to;
	size_t room, n; /* n < room, and to[n] is 0 */
	bool cut;       /* something did not fit; nothing is added any more */
};

/* Begins an empty text; room is at least 1. */
struct bpei_dns_text bpei_dns_text_init(char *to, size_t room);
/* Adds bytes: all of them, or none. */
void bpei_dns_text_put(struct bpei_dns_text *text, const char *bytes, size_t n);
/* Adds a text with a final 0: all of it, or nothing. */
void bpei_dns_text_word(struct bpei_dns_text *text, const char *word);
/* Adds a decimal number. */
void bpei_dns_text_number(struct bpei_dns_text *text, uint64_t number);
/* Adds bytes from the wire as RFC 1035, 5.1 writes them: a backslash before each byte of `special`,
 * \DDD for control bytes and for bytes that are no UTF-8. */
void bpei_dns_text_escaped(
	struct bpei_dns_text *text, const uint8_t *bytes, size_t n, const char *special);
/* Adds an address of 4 or 16 bytes. */
void bpei_dns_text_address(struct bpei_dns_text *text, const uint8_t *address, size_t n);
/* Adds a name in wire form. */
void bpei_dns_text_name(struct bpei_dns_text *text, const uint8_t *wire);

#endif
