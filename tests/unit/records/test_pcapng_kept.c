/* SPDX-License-Identifier: MIT */
/* Tests of what is kept of a pcapng file: processes by section, names with a final 0, damage, and
 * copies of blocks. */
#include "records/pcapng_kept.h"

#include "filebuild.h"

#include <criterion/criterion.h>

/* Adds a process block's body of this byte order. */
static void add_kept_process(struct bpei_pcapng_kept *kept, uint32_t first_interface, bool big,
	uint32_t pid, const char *name, size_t name_bytes)
{
	struct image f = { .big = big };

	put_number(&f, pid, 4);
	put_number(&f, 2, 2);
	put_number(&f, name_bytes, 2);
	memcpy(f.bytes + f.length, name, name_bytes);
	f.length += name_bytes;
	pad_block(&f);
	put_number(&f, 4, 2);
	put_number(&f, 16, 2);
	put_bytes(&f, 16, (uint8_t)pid);
	put_number(&f, 0, 4);
	bpei_pcapng_kept_process(kept, first_interface, f.bytes, f.length, big);
}

static void expect_process(const struct bpei_pcapng_kept *kept, uint32_t interface_id,
	uint32_t place, uint32_t pid, const char *name)
{
	const struct bpei_process_info *p = bpei_pcapng_kept_find(kept, interface_id, place);

	cr_assert_not_null(p, "interface %u, process %u", interface_id, place);
	cr_assert_eq(p->pid, pid);
	cr_assert_str_eq(p->name, name);
}

Test(pcapng_kept, processes_belong_to_their_section)
{
	struct bpei_pcapng_kept kept;

	bpei_pcapng_kept_init(&kept);
	cr_assert_null(bpei_pcapng_kept_find(&kept, 0, 0));
	bpei_pcapng_kept_section(&kept, 0);
	bpei_pcapng_kept_section(&kept, 2); /* interfaces 0 and 1: no process */
	add_kept_process(&kept, 2, false, 10, "ten", 3);
	add_kept_process(&kept, 2, true, 11, "eleven", 6);
	bpei_pcapng_kept_section(&kept, 3);
	bpei_pcapng_kept_section(&kept, 5);
	add_kept_process(&kept, 5, true, 12, "twelve\0", 7);
	cr_assert_null(bpei_pcapng_kept_find(&kept, 0, 0));
	cr_assert_null(bpei_pcapng_kept_find(&kept, 1, 0));
	expect_process(&kept, 2, 0, 10, "ten");
	expect_process(&kept, 2, 1, 11, "eleven");
	cr_assert_null(bpei_pcapng_kept_find(&kept, 2, 2));
	cr_assert_null(bpei_pcapng_kept_find(&kept, 3, 0));
	cr_assert_null(bpei_pcapng_kept_find(&kept, 4, 0));
	expect_process(&kept, 5, 0, 12, "twelve");
	expect_process(&kept, 70, 0, 12, "twelve");
	cr_assert_null(bpei_pcapng_kept_find(&kept, 5, UINT32_MAX));
	bpei_pcapng_kept_free(&kept);
}

Test(pcapng_kept, many_processes_keep_their_places)
{
	struct bpei_pcapng_kept kept;

	bpei_pcapng_kept_init(&kept);
	for (uint32_t i = 0; i < 5000; i++) {
		add_kept_process(&kept, 0, i & 1, i + 1, "p", 1);
		expect_process(&kept, 0, i / 2, i / 2 + 1, "p");
	}
	for (uint32_t i = 0; i < 5000; i++)
		expect_process(&kept, 0, i, i + 1, "p");
	bpei_pcapng_kept_free(&kept);
}

Test(pcapng_kept, a_damaged_block_has_its_place)
{
	static const uint8_t long_name[8] = { 9, 0, 0, 0, 2, 0, 200, 0 };
	struct bpei_pcapng_kept kept;
	const struct bpei_process_info *p;

	bpei_pcapng_kept_init(&kept);
	bpei_pcapng_kept_process(&kept, 0, long_name, 2, false);
	bpei_pcapng_kept_process(&kept, 0, long_name, sizeof long_name, false);
	add_kept_process(&kept, 0, false, 3, "three", 5);
	p = bpei_pcapng_kept_find(&kept, 0, 0);
	cr_assert_eq(p->pid, 0);
	expect_process(&kept, 0, 1, 9, "");
	expect_process(&kept, 0, 2, 3, "three");
	p = bpei_pcapng_kept_find(&kept, 0, 2);
	cr_assert_eq(p->has_uuid, 1);
	cr_assert_eq(p->uuid[15], 3);
	bpei_pcapng_kept_free(&kept);
}

Test(pcapng_kept, a_long_name_is_cut)
{
	struct bpei_pcapng_kept kept;
	char name[200];

	memset(name, 'n', sizeof name);
	bpei_pcapng_kept_init(&kept);
	add_kept_process(&kept, 0, false, 3, name, sizeof name);
	const struct bpei_process_info *p = bpei_pcapng_kept_find(&kept, 0, 0);
	cr_assert_eq(strlen(p->name), sizeof p->name - 1);
	bpei_pcapng_kept_free(&kept);
}

Test(pcapng_kept, blocks_are_copied_and_counted)
{
	uint8_t body[] = "names";
	struct bpei_kept_block block = { .type = 4, .length = 5, .body = body };
	struct bpei_pcapng_kept kept;

	bpei_pcapng_kept_init(&kept);
	bpei_pcapng_kept_block(&kept, &block);
	block.length = 0;
	bpei_pcapng_kept_block(&kept, &block);
	block.length = UINT32_MAX; /* more than is kept: nothing is read */
	bpei_pcapng_kept_block(&kept, &block);
	memset(body, 0, sizeof body);
	cr_assert_eq(bpei_list_count(&kept.blocks), 2);
	const struct bpei_kept_block *b = bpei_list_at(&kept.blocks, 0, sizeof *b);
	cr_assert_eq(b->type, 4);
	cr_assert_eq(b->length, 5);
	cr_assert_arr_eq(b->body, "names", 5);
	cr_assert_eq(kept.left_out, 1);
	bpei_pcapng_kept_free(&kept);
}
