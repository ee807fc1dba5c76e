/* SPDX-License-Identifier: MIT */
#include "base/ethers.h"

#include <criterion/criterion.h>
#include <string.h>

Test(ethers, an_unknown_name_has_no_address)
{
	uint8_t mac[6] = { 1, 2, 3, 4, 5, 6 };
	char name[400];

	cr_expect_not(bpei_ether_name("no-such-host.invalid", mac));
	memset(name, 'a', sizeof name);
	name[sizeof name - 1] = 0;
	cr_expect_not(bpei_ether_name(name, mac)); /* longer than any name */
	cr_expect_eq(mac[5], 6);
}
