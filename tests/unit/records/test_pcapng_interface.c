/* SPDX-License-Identifier: MIT */
/* Tests of interface blocks read for writers, of either byte order, whole and cut anywhere. */
#include "records/pcapng_interface.h"

#include "ngwalk.h"
#include "write/pcapng_out.h"

/* Makes an interface block's body with each option. */
static void make_interface_body(struct image *f, bool big)
{
	f->big = big;
	put_number(f, 147, 2);
	put_number(f, 0, 2);
	put_number(f, 96, 4);
	ng_text_option(f, 2, "en0", 4); /* with a 0 */
	ng_text_option(f, 3, "Wi-Fi", 5);
	ng_text_option(f, 6, "\2\4\6\10\12\14", 6);
	ng_option(f, 8, 1000000000, 8);
	ng_option(f, 9, 9, 1);
	ng_text_option(f, 11, "\0tcp", 4);
	put_number(f, 11, 2);
	put_number(f, 17, 2);
	put_number(f, 1, 1);
	for (uint32_t k = 0; k < 2; k++) {
		put_number(f, 0x28 + k, 2);
		put_number(f, 1, 1);
		put_number(f, 2, 1);
		put_number(f, 0x11223344, 4);
	}
	pad_block(f);
	ng_text_option(f, 12, "Darwin", 6);
	ng_text_option(f, 15, "card", 4);
	ng_text_option(f, 1, "note", 4);
	ng_option(f, 16, 5000, 8);
	ng_option(f, 0x8001, 7, 4);
	ng_option(f, 0x7abc, 7, 4);
	put_number(f, 0, 4);
}

Test(pcapng_interface, options_of_either_byte_order_are_read)
{
	for (int big = 0; big < 2; big++) {
		const bool swapped = big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
		struct image f = { .length = 0 };
		struct bpei_kept_interface i;

		make_interface_body(&f, big);
		cr_assert_eq(bpei_kept_interface_read(&i, f.bytes, f.length, swapped), 0);
		cr_assert_eq(i.link_type, 147);
		cr_assert_eq(i.snaplen, 96);
		cr_assert_str_eq(i.name, "en0");
		cr_assert_str_eq(i.description, "Wi-Fi");
		cr_assert_str_eq(i.filter_text, "tcp");
		cr_assert_str_eq(i.os, "Darwin");
		cr_assert_str_eq(i.hardware, "card");
		cr_assert_eq(i.speed, 1000000000);
		cr_assert(i.has_mac);
		cr_assert_eq(i.mac[5], 12);
		cr_assert_eq(i.digits, 9);
		cr_assert_eq(i.program_length, 2);
		cr_assert_eq(bpei_load16(i.program), 0x28);
		cr_assert_eq(i.program[2], 1);
		cr_assert_eq(bpei_load32(i.program + 12), 0x11223344);
		cr_assert_eq((uintptr_t)i.program % 8, 0);
		cr_assert_eq(i.rest_bytes, swapped ? 8 + 12 + 8 : 8 + 12 + 8 + 8);
		cr_assert_eq(bpei_load16(i.rest), 1);
		cr_assert_eq(bpei_load64(i.rest + 12), 5000);
		cr_assert_eq(bpei_load32(i.rest + 24), 7);
		free(i.memory);
	}
}

Test(pcapng_interface, a_cut_body_is_read_as_far_as_it_goes)
{
	struct image f = { .length = 0 };

	make_interface_body(&f, false);
	for (size_t n = 0; n <= f.length; n++) {
		struct bpei_kept_interface i;
		uint8_t *own = malloc(n ? n : 1);

		memcpy(own, f.bytes, n);
		cr_assert_eq(bpei_kept_interface_read(&i, own, n, false), 0);
		if (n >= 16)
			cr_assert_str_eq(i.name, "en0", "%zu bytes", n);
		free(own);
		free(i.memory);
	}
}

Test(pcapng_interface, digits_fit_or_are_nine)
{
	static const struct {
		int resolution;
		int64_t offset;
		uint8_t digits;
	} cases[] = { { -1, 0, 6 }, { 0, 0, 0 }, { 3, 0, 3 }, { 9, 0, 9 }, { 12, 0, 9 },
		{ 0x80 | 10, 0, 9 }, { 6, 3600, 9 } };

	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		struct image f = { .length = 0 };
		struct bpei_kept_interface i;

		ng_interface(&f, 1, 0, cases[k].resolution, cases[k].offset);
		cr_assert_eq(bpei_kept_interface_read(&i, f.bytes + 8, f.length - 12, false), 0);
		cr_assert_eq(i.digits, cases[k].digits, "case %zu: %u", k, i.digits);
		free(i.memory);
	}
}
