/* SPDX-License-Identifier: MIT */
/* Tests of blocks that pass from a file into others: names and secrets of either byte order, again
 * in each section, damage, and rooms that are too small. */
#include "write/passing.h"

#include "ngwalk.h"
#include "write/pcapng_out.h"

/* Makes a file with names, secrets and a packet. */
static void make_names_file(struct image *f, bool big)
{
	ng_section(f, big);
	ng_interface(f, 1, 0, -1, 0);
	size_t at = ng_begin(f, 4);
	put_number(f, 1, 2);
	put_number(f, 6, 2);
	put_bytes(f, 4, 10);
	put_bytes(f, 1, 'a');
	put_bytes(f, 1, 0);
	pad_block(f);
	put_number(f, 0, 4);
	ng_text_option(f, 2, "dns.example", 11);
	put_number(f, 0, 4);
	ng_end(f, at);
	at = ng_begin(f, 10);
	put_number(f, 0x544c534b, 4);
	put_number(f, 5, 4);
	put_bytes(f, 5, 's');
	pad_block(f);
	ng_end(f, at);
	ng_packet(f, 6, 0, 5, 9, 9);
}

/* Passes all blocks.  Returns the bytes. */
static size_t pass_all(struct bpei_passing *p, const struct bpei_packet_source *source, uint8_t *to)
{
	size_t used = 0;
	size_t n;
	bool is_full;

	while ((n = bpei_passing_put(p, source, to + used, 1000 - used, 1000, &is_full)))
		used += n;
	cr_assert_not(is_full);
	cr_assert_not(bpei_passing_waits(p, source));
	return used;
}

Test(passing, names_and_secrets_pass_in_this_byte_order)
{
	const bool own_order = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	struct image own = { .length = 0 };
	size_t begin, end;

	make_names_file(&own, own_order);
	begin = 28 + 24; /* the section's header, and the interface */
	end = own.length - (32 + 12);
	for (int big = 0; big < 2; big++) {
		struct image f = { .length = 0 };
		struct bpei_passing p = { .count = 0 };
		uint8_t to[1000];
		struct walked w;

		make_names_file(&f, big);
		walk_image(&w, &f);
		cr_assert(bpei_passing_waits(&p, &w.source));
		size_t n = pass_all(&p, &w.source, to);
		cr_assert_eq(n, end - begin);
		cr_assert_arr_eq(to, own.bytes + begin, n);
		cr_assert_eq(pass_all(&p, &w.source, to), 0);
		bpei_passing_begin(&p);
		cr_assert_eq(pass_all(&p, &w.source, to), n, "each section has the blocks");
		cr_assert_eq(p.left_out, 0);
		bpei_passing_free(&p);
		free_walked(&w);
	}
}

Test(passing, a_small_room_waits_and_a_long_block_is_left_out)
{
	struct image f = { .length = 0 };
	struct bpei_passing p = { .count = 0 };
	uint8_t to[1000];
	struct walked w;
	bool is_full;

	make_names_file(&f, false);
	walk_image(&w, &f);
	cr_assert_eq(bpei_passing_put(&p, &w.source, to, 20, 1000, &is_full), 0);
	cr_assert(is_full);
	cr_assert(bpei_passing_waits(&p, &w.source));
	cr_assert_eq(bpei_passing_put(&p, &w.source, to, 20, 20, &is_full), 0);
	cr_assert_not(is_full);
	cr_assert_eq(p.left_out, 2);
	cr_assert_not(bpei_passing_waits(&p, &w.source));
	bpei_passing_free(&p);
	free_walked(&w);
}

static void expect_damage_left_out(bool big)
{
	struct image f = { .length = 0 };
	struct bpei_passing p = { .count = 0 };
	uint8_t to[1000];
	struct walked w;

	ng_section(&f, big);
	ng_interface(&f, 1, 0, -1, 0);
	size_t at = ng_begin(&f, 4);
	put_number(&f, 1, 2);
	put_number(&f, 600, 2);
	ng_end(&f, at);
	at = ng_begin(&f, 10);
	put_number(&f, 1, 4);
	put_number(&f, UINT32_MAX, 4);
	ng_end(&f, at);
	ng_packet(&f, 6, 0, 5, 9, 9);
	walk_image(&w, &f);
	cr_assert_eq(pass_all(&p, &w.source, to), 0);
	cr_assert_eq(p.left_out, 2);
	bpei_passing_free(&p);
	free_walked(&w);
}

Test(passing, damage_in_either_byte_order_is_left_out)
{
	expect_damage_left_out(false);
	expect_damage_left_out(true);
}
