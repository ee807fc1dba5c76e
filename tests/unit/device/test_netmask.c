/* SPDX-License-Identifier: MIT */
/* The BSDs' trimmed netmasks, and the public call beside the list of interfaces. */
#include "device/interfaces.h"

#include <criterion/criterion.h>

Test(netmask, counts_only_the_bytes_that_are_there)
{
	/* What getifaddrs gives of trimmed masks on macOS: behind them stands the next sockaddr. */
	static const uint8_t behind[16] = { 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255 };
	uint8_t mask[16];
	for (unsigned prefix = 0; prefix <= 128; prefix++) {
		const size_t given = (prefix + 7) / 8;
		memcpy(mask, behind, sizeof mask);
		if (prefix % 8)
			mask[prefix / 8] = (uint8_t)(0xff00 >> prefix % 8);
		cr_assert_eq(bpei_netmask_bits(mask, given, 16), prefix, "/%u of IPv6", prefix);
		if (prefix <= 32)
			cr_assert_eq(
				bpei_netmask_bits(mask, given, 4), prefix, "/%u of IPv4", prefix);
	}
}

Test(netmask, counts_no_byte_behind_the_address)
{
	static const uint8_t all[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };
	cr_assert_eq(bpei_netmask_bits(all, 12, 4), 32);
	cr_assert_eq(bpei_netmask_bits(all, 0, 4), 0);
}

Test(netmask, is_that_of_the_first_address_in_the_list)
{
	struct bpe_interface *all;
	int n = bpe_interfaces_list(&all, NULL);
	cr_assert_gt(n, 0);
	for (int i = 0; i < n; i++) {
		const struct bpe_address *first = NULL;
		for (unsigned k = 0; !first && k < all[i].address_count; k++)
			if (all[i].addresses[k].family == 4)
				first = &all[i].addresses[k];
		uint32_t netmask = 7;
		cr_assert_eq(bpe_interface_netmask(all[i].name, &netmask), first != NULL, "%s",
			all[i].name);
		uint32_t wanted = 7;
		if (first)
			wanted = first->prefix ? UINT32_MAX << (32 - first->prefix) : 0;
		cr_assert_eq(netmask, wanted, "%s: %08x", all[i].name, netmask);
	}
	bpe_interfaces_free(all);
}

Test(netmask, is_refused_where_there_is_none)
{
	uint32_t netmask;
	cr_assert_not(bpe_interface_netmask("no such interface", &netmask));
	cr_assert_not(bpe_interface_netmask(NULL, &netmask));
	cr_assert_not(bpe_interface_netmask("lo", NULL));
}
