/* SPDX-License-Identifier: MIT */
/* Numbers and addresses as text.  The caller has checked the room.  Each function writes at `at`,
 * possibly a few bytes more than the text, and returns the end of the text. */
#ifndef PRINT_DIGITS_H
#define PRINT_DIGITS_H

#include <stdint.h>
#include <string.h>

/* Bytes that a function may write behind the text. */
#define DIGITS_SLACK 8

/* "00", "01", ... "99" */
extern const char digit_pairs[200];
/* The decimal text of each byte, and its length in the last place. */
extern const char byte_texts[256][4];

static inline char *digits_put_pair(char *at, uint32_t value)
{
	memcpy(at, digit_pairs + 2 * value, 2);
	return at + 2;
}

/* Writes a number below a million with six digits. */
static inline char *digits_put_six(char *at, uint32_t value)
{
	at = digits_put_pair(at, value / 10000);
	at = digits_put_pair(at, value / 100 % 100);
	return digits_put_pair(at, value % 100);
}

/* Writes a number of at least `digits` digits, with zeros in front; at most 20 digits. */
char *digits_put_padded(char *at, uint64_t value, uint32_t digits);

/* Writes a number below 10^5, the commonest: ports, lengths, windows. */
static inline char *digits_put_short(char *at, uint32_t value)
{
	if (value >= 10000) {
		*at++ = (char)('0' + value / 10000);
		at = digits_put_pair(at, value / 100 % 100);
		return digits_put_pair(at, value % 100);
	}
	if (value >= 1000) {
		at = digits_put_pair(at, value / 100);
		return digits_put_pair(at, value % 100);
	}
	if (value >= 100) {
		*at++ = (char)('0' + value / 100);
		return digits_put_pair(at, value % 100);
	}
	if (value >= 10)
		return digits_put_pair(at, value);
	*at++ = (char)('0' + value);
	return at;
}

/* Writes a number. */
static inline char *digits_put(char *at, uint64_t value)
{
	return value < 100000 ? digits_put_short(at, (uint32_t)value)
			      : digits_put_padded(at, value, 1);
}

/* Writes the decimal text of a byte. */
static inline char *digits_put_byte(char *at, uint8_t value)
{
	memcpy(at, byte_texts[value], 4);
	return at + byte_texts[value][3];
}

/* Writes 4 bytes as 192.0.2.1. */
static inline char *digits_put_ip4(char *at, const uint8_t *address)
{
	at = digits_put_byte(at, address[0]);
	*at++ = '.';
	at = digits_put_byte(at, address[1]);
	*at++ = '.';
	at = digits_put_byte(at, address[2]);
	*at++ = '.';
	return digits_put_byte(at, address[3]);
}

/* Writes 16 bytes as inet_ntop(3) does, at most 45 bytes. */
char *digits_put_ip6(char *at, const uint8_t *address);

/* Writes a text of constant length. */
#define DIGITS_PUT_TEXT(at, text) (memcpy(at, text, sizeof(text) - 1), (at) + sizeof(text) - 1)

/* Writes blanks up to a place; none if the text is there already. */
static inline char *digits_pad(char *at, char *place)
{
	if (at >= place)
		return at;
	memset(at, ' ', (size_t)(place - at));
	return place;
}

#endif
