/* SPDX-License-Identifier: MIT */
/* Tables and slower parts of digits.h; constant. */
#include "digits.h"

#define PAIR_ROW(t) t, '0', t, '1', t, '2', t, '3', t, '4', t, '5', t, '6', t, '7', t, '8', t, '9'

const char digit_pairs[200] = { PAIR_ROW('0'), PAIR_ROW('1'), PAIR_ROW('2'), PAIR_ROW('3'),
	PAIR_ROW('4'), PAIR_ROW('5'), PAIR_ROW('6'), PAIR_ROW('7'), PAIR_ROW('8'), PAIR_ROW('9') };

/* Ten texts of three digits with the first two shared, of two digits, and of a digit. */
#define THREE(h, t, o) { h, t, o, 3 }
#define THREE_ROW(h, t)                                                                            \
	THREE(h, t, '0'), THREE(h, t, '1'), THREE(h, t, '2'), THREE(h, t, '3'), THREE(h, t, '4'),  \
		THREE(h, t, '5'), THREE(h, t, '6'), THREE(h, t, '7'), THREE(h, t, '8'),            \
		THREE(h, t, '9')
#define THREE_ROWS(h)                                                                              \
	THREE_ROW(h, '0'), THREE_ROW(h, '1'), THREE_ROW(h, '2'), THREE_ROW(h, '3'),                \
		THREE_ROW(h, '4')
#define TWO(t, o) { t, o, 0, 2 }
#define TWO_ROW(t)                                                                                 \
	TWO(t, '0'), TWO(t, '1'), TWO(t, '2'), TWO(t, '3'), TWO(t, '4'), TWO(t, '5'), TWO(t, '6'), \
		TWO(t, '7'), TWO(t, '8'), TWO(t, '9')
#define ONE(o) { o, 0, 0, 1 }

const char byte_texts[256][4] = { ONE('0'), ONE('1'), ONE('2'), ONE('3'), ONE('4'), ONE('5'),
	ONE('6'), ONE('7'), ONE('8'), ONE('9'), TWO_ROW('1'), TWO_ROW('2'), TWO_ROW('3'),
	TWO_ROW('4'), TWO_ROW('5'), TWO_ROW('6'), TWO_ROW('7'), TWO_ROW('8'), TWO_ROW('9'),
	THREE_ROWS('1'), THREE_ROW('1', '5'), THREE_ROW('1', '6'), THREE_ROW('1', '7'),
	THREE_ROW('1', '8'), THREE_ROW('1', '9'), THREE_ROWS('2'), THREE('2', '5', '0'),
	THREE('2', '5', '1'), THREE('2', '5', '2'), THREE('2', '5', '3'), THREE('2', '5', '4'),
	THREE('2', '5', '5') };

char *digits_put_padded(char *at, uint64_t value, uint32_t digits)
{
	char text[24];
	char *const end = text + sizeof text;
	char *from = end;
	uint32_t put;

	while (value >= 100) {
		from = memcpy(from - 2, digit_pairs + 2 * (value % 100), 2);
		value /= 100;
	}
	if (value >= 10)
		from = memcpy(from - 2, digit_pairs + 2 * value, 2);
	else
		*--from = (char)('0' + value);
	for (put = (uint32_t)(end - from); put < digits; put++)
		*--from = '0';
	memcpy(at, from, put);
	return at + put;
}

/* Writes a group of 16 bits in hexadecimal without zeros in front. */
static char *put_group(char *at, uint32_t group)
{
	static const char hex[] = "0123456789abcdef";

	if (group > 0xfff)
		*at++ = hex[group >> 12];
	if (group > 0xff)
		*at++ = hex[group >> 8 & 15];
	if (group > 0xf)
		*at++ = hex[group >> 4 & 15];
	*at++ = hex[group & 15];
	return at;
}

/* Finds the longest run of zero groups, the first of several.  Returns the length. */
static uint32_t find_zero_groups(const uint8_t *address, uint32_t *from)
{
	uint32_t longest = 0;
	uint32_t run = 0;

	for (uint32_t i = 0; i < 8; i++) {
		run = address[2 * i] | address[2 * i + 1] ? 0 : run + 1;
		if (run > longest) {
			longest = run;
			*from = i + 1 - run;
		}
	}
	return longest;
}

char *digits_put_ip6(char *at, const uint8_t *address)
{
	uint32_t from = 8;
	const uint32_t zeros = find_zero_groups(address, &from);
	const uint32_t behind = zeros > 1 ? from + zeros : 9;
	const uint32_t groups =
		zeros > 1 && !from &&
				(zeros == 6 ||
					(zeros == 5 && address[10] == 255 && address[11] == 255))
			? 6
			: 8; /* the last two of an embedded IPv4 address are dotted */

	for (uint32_t i = 0; i < groups; i++) {
		if (zeros > 1 && i >= from && i < behind) {
			if (i == from)
				*at++ = ':';
			continue;
		}
		if (i)
			*at++ = ':';
		at = put_group(at, (uint32_t)(address[2 * i] << 8 | address[2 * i + 1]));
	}
	if (groups == 6) {
		*at++ = ':';
		return digits_put_ip4(at, address + 12);
	}
	if (behind == 8)
		*at++ = ':';
	return at;
}
