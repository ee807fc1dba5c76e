/* SPDX-License-Identifier: MIT */
/* Names of addresses: once each, in blocks that fit. */
#include "writer/known_names.h"

#include "base/bytes.h"
#include "bpfengine.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(known_names, each_name_once)
{
	static struct bpei_known_names names;
	char one[] = "one.example";
	char two[] = "two.example";
	struct bpei_known_name a = { .addr = { 10, 0, 0, 1 }, .ip_version = 4 };

	a.name = one;
	cr_assert(bpei_known_names_add(&names, &a) == 1);
	cr_assert(bpei_known_names_add(&names, &a) == 0);
	a.name = two;
	cr_assert(bpei_known_names_add(&names, &a) == 1);
	a.ip_version = 6;
	cr_assert(bpei_known_names_add(&names, &a) == 1);
	cr_assert(bpei_known_names_add(&names, &a) == 0);
	cr_assert(names.count == 3);
	bpei_known_names_free(&names);
}

Test(known_names, all_names_in_blocks_that_fit)
{
	enum { NAMES = 5000, ROOM = 65536 };
	static struct bpei_known_names names;
	static uint8_t bytes[ROOM];
	char text[256];
	size_t next = 0;
	size_t blocks = 0;
	size_t found = 0;

	memset(text, 'x', sizeof text);
	for (uint32_t k = 0; k < NAMES; k++) {
		struct bpei_known_name name = { .ip_version = k % 2 ? 4 : 6, .name = text };

		bpei_store32(name.addr, k);
		snprintf(text + 20 + k % 200, 16, "%u", k);
		cr_assert(bpei_known_names_add(&names, &name) == 1);
		memset(text, 'x', sizeof text);
	}
	while (next < names.count) {
		const size_t used = bpei_known_names_put(&names, &next, bytes, ROOM);

		cr_assert(used && used <= ROOM);
		for (size_t at = 0; at < used; blocks++) {
			const size_t length = bpei_load32(bytes + at + 4);

			cr_assert(bpei_load32(bytes + at) == 4 && length % 4 == 0);
			cr_assert(at + length <= used && length >= 16);
			cr_assert(bpei_load32(bytes + at + length - 4) == length);
			for (size_t r = at + 8; bpei_load16(bytes + r); found++)
				r += 4 + ((bpei_load16(bytes + r + 2) + 3u) & ~3u);
			at += length;
		}
	}
	cr_assert(found == NAMES && blocks > 10);
	bpei_known_names_free(&names);
}
