/* SPDX-License-Identifier: MIT */
/* Compares numbers and addresses of digits.h with those of the C library. */
#include "tools/print/digits.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

static char text[128];

/* Ends the text and returns it. */
static const char *end_text(char *end)
{
	*end = 0;
	return text;
}

Test(digits, bytes_pairs_and_short_numbers)
{
	char wanted[32];

	for (unsigned value = 0; value < 100000; value++) {
		snprintf(wanted, sizeof wanted, "%u", value);
		cr_assert_str_eq(end_text(digits_put_short(text, value)), wanted);
		if (value < 256)
			cr_assert_str_eq(end_text(digits_put_byte(text, (uint8_t)value)), wanted);
		snprintf(wanted, sizeof wanted, "%02u", value);
		if (value < 100)
			cr_assert_str_eq(end_text(digits_put_pair(text, value)), wanted);
		snprintf(wanted, sizeof wanted, "%06u", value * 9);
		cr_assert_str_eq(end_text(digits_put_six(text, value * 9)), wanted);
	}
}

Test(digits, long_numbers)
{
	cr_assert_str_eq(end_text(digits_put(text, UINT64_MAX)), "18446744073709551615");
	cr_assert_str_eq(end_text(digits_put(text, 100000)), "100000");
	cr_assert_str_eq(end_text(digits_put_padded(text, 42, 9)), "000000042");
	cr_assert_str_eq(end_text(digits_put_padded(text, 1234, 2)), "1234");
}

/* Compares an address with inet_ntop(3). */
static void expect_same_address(const uint8_t *address)
{
	char wanted[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, address, wanted, sizeof wanted);
	cr_assert_str_eq(end_text(digits_put_ip6(text, address)), wanted);
}

Test(digits, ip6_as_the_system_writes)
{
	uint8_t address[16];

	srand(23);
	for (int round = 0; round < 200000; round++) {
		const int zeros = rand();

		for (int k = 0; k < 16; k++)
			address[k] = (uint8_t)(rand() & rand() & rand());
		for (int group = 0; group < 8; group++)
			if (zeros >> group & 1)
				address[2 * group] = address[2 * group + 1] = 0;
		if (round % 7 == 0) { /* IPv4-mapped */
			memset(address, 0, 10);
			address[10] = address[11] = 255;
		}
		if (round % 11 == 0)
			memset(address, 0, 12);
		expect_same_address(address);
	}
	memset(address, 0, sizeof address);
	expect_same_address(address);
	address[15] = 1;
	expect_same_address(address);
}

Test(digits, ip4_and_padding)
{
	static const uint8_t address[4] = { 192, 0, 2, 255 };
	char *const end = digits_put_ip4(text, address);

	cr_assert_str_eq(end_text(end), "192.0.2.255");
	cr_assert_str_eq(end_text(digits_pad(end, text + 14)), "192.0.2.255   ");
	cr_assert_str_eq(end_text(digits_pad(end, text + 3)), "192.0.2.255");
}
