/* SPDX-License-Identifier: MIT */
/* Tests of packets written with all options: made files of either byte order are walked, written,
 * walked again and compared; written twice, the bytes are the same. */
#include "write/batch_out.h"

#include "ngwalk.h"
#include "records/pcapng_options.h"

#include <stdio.h>

/* Writes the head of a file, and the batch's packets from a file with a single interface. */
static void write_batch(struct image *to, const struct bpe_batch *batch)
{
	struct bpei_process_table processes = { .count = 0 };
	const struct bpei_section_out section = { .application = "test" };
	const struct bpei_interface_out interface = { .link_type = 1, .digits = 6 };

	to->big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;
	to->length = bpei_section_put(to->bytes, sizeof to->bytes, &section);
	to->length += bpei_interface_put(
		to->bytes + to->length, sizeof to->bytes - to->length, &interface);
	for (uint32_t i = 0; i < batch->count; i++) {
		const struct bpei_batch_packet p = { .batch = batch,
			.i = i,
			.out = { .data = batch->data[i],
				.stamp = bpei_stamp(batch->time_ns[i], 6),
				.caplen = batch->caplen[i],
				.wirelen = batch->wirelen[i] } };
		uint8_t *at = to->bytes + to->length;
		const size_t room = sizeof to->bytes - to->length;
		size_t n;

		if (bpei_batch_packet_has_more(batch, i)) {
			n = bpei_batch_packet_put(&processes, at, room, &p);
			cr_assert(n <= bpei_batch_packet_room(&p));
		} else {
			n = bpei_packet_put_plain(at, &p.out, 0);
		}
		cr_assert_neq(n, 0);
		to->length += n;
		packet_done(to);
	}
	bpei_process_table_free(&processes);
}

/* Compares the facts of two batches' packets. */
static void expect_same_meta(const struct bpe_batch *a, const struct bpe_batch *b)
{
	for (uint32_t i = 0; i < a->count; i++) {
		struct bpe_meta of_a, of_b;
		const char *text_a = NULL, *text_b = NULL;
		size_t n_a = 0, n_b = 0;

		memset(&of_a, 0, sizeof of_a);
		memset(&of_b, 0, sizeof of_b);
		cr_assert_eq(bpe_batch_meta(a, i, &of_a), bpe_batch_meta(b, i, &of_b));
		cr_assert_arr_eq(&of_a, &of_b, sizeof of_a, "packet %u", i);
		cr_assert_eq(a->time_ns[i], b->time_ns[i]);
		cr_assert_eq(a->wirelen[i], b->wirelen[i]);
		cr_assert_eq(a->caplen[i], b->caplen[i]);
		cr_assert_arr_eq(a->data[i], b->data[i], a->caplen[i]);
		for (uint32_t k = 0; k < 3; k++) {
			cr_assert_eq(bpe_batch_comment(a, i, k, &text_a, &n_a),
				bpe_batch_comment(b, i, k, &text_b, &n_b));
			cr_assert_eq(n_a, n_b);
			if (n_a)
				cr_assert_arr_eq(text_a, text_b, n_a);
		}
	}
}

/* Returns the codes of a packet's options as text. */
static const char *option_codes(const struct bpe_batch *b, uint32_t i)
{
	static char text[400];
	struct bpei_options_in options = bpei_packet_options_begin(b->data[i], b->meta[i]);
	struct bpei_option_in o;
	size_t n = 0;

	text[0] = 0;
	while (bpei_options_next(&options, &o))
		n += (size_t)snprintf(
			text + n, sizeof text - n, "%x:%zu ", o.code, bpei_cursor_left(&o.value));
	return text;
}

/* Makes a file with a packet that has each option, and others. */
static void make_full_file(struct image *f, bool big)
{
	ng_section(f, big);
	ng_interface(f, 1, 0, -1, 0);
	ng_process(f, 1, "unused");
	ng_process(f, 1500, "network_test");
	size_t at = ng_begin_packet(f, 0, 13);
	ng_option(f, 0x8001, 1, 4);
	ng_option(f, 2, 0x0f01, 4);
	ng_option(f, 3, 0x05, 1);
	ng_option(f, 4, 17, 8);
	ng_option(f, 5, 18, 8);
	ng_option(f, 6, 19, 4);
	ng_option(f, 7, 0x00, 1);
	ng_option(f, 8, (uint64_t)5 << 32 | 6, 8);
	ng_option(f, 0x8002, 900, 4);
	ng_option(f, 0x8005, 0x12345678, 4);
	ng_option(f, 0x8006, 0x4321, 2);
	ng_option(f, 0x8007, 0x01020003, 4);
	ng_option(f, 0x8008, 77, 2);
	ng_text_option(f, 0x8009, "tcp_input", 9);
	ng_text_option(f, 1, "a comment", 9);
	ng_text_option(f, 1, "another", 7);
	ng_option(f, 0x8004, 0x25, 4);
	ng_option(f, 0x800a, 3, 4);
	ng_end_packet(f, at);
	ng_process(f, 77, "helper");
	at = ng_begin_packet(f, 0, 8);
	ng_option(f, 0x8001, 2, 4);
	ng_option(f, 0x8003, 1, 4);
	ng_end_packet(f, at);
	ng_packet(f, 6, 0, 5, 9, 9);
}

Test(batch_out, all_options_of_either_byte_order_come_through)
{
	for (int big = 0; big < 2; big++) {
		struct image f = { .length = 0 }, once = { .length = 0 }, twice = { .length = 0 };
		struct walked w, again;

		make_full_file(&f, big);
		walk_image(&w, &f);
		write_batch(&once, &w.batch);
		walk_image(&again, &once);
		expect_same_meta(&w.batch, &again.batch);
		cr_assert_str_eq(option_codes(&again.batch, 0),
			"8001:4 2:4 3:1 4:8 5:8 6:4 7:1 8:8 8002:4 8005:4 8006:2 8007:4 8008:2 "
			"8009:9 1:9 1:7 8004:4 800a:4 ");
		cr_assert_eq(bpei_list_count(&again.kept.processes), 2, "the unused one is gone");
		cr_assert_eq(again.ng.stats.dropped, 17);
		write_batch(&twice, &again.batch);
		cr_assert_eq(once.length, twice.length);
		cr_assert_arr_eq(once.bytes, twice.bytes, once.length);
		free_walked(&w);
		free_walked(&again);
	}
}

Test(batch_out, options_that_cannot_pass_are_left_out)
{
	for (int big = 0; big < 2; big++) {
		const bool swapped = big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
		struct image f = { .length = 0 }, once = { .length = 0 };
		struct walked w, again;

		ng_section(&f, big);
		ng_interface(&f, 1, 0, -1, 0);
		const size_t at = ng_begin_packet(&f, 0, 4);
		ng_option(&f, 0x8001, 0, 4);        /* no such process */
		ng_option(&f, 0x8002, 900, 8);      /* of a wrong length */
		ng_option(&f, 0x7abc, 1, 4);        /* unknown */
		ng_option(&f, 2988, 0x12345678, 4); /* an enterprise's text, empty */
		ng_option(&f, 2989, 0x12345678, 4);
		ng_option(&f, 19372, 0x12345678, 4); /* not to be copied */
		ng_option(&f, 19373, 0x12345678, 4);
		ng_text_option(&f, 3, "", 0);       /* a hash without algorithm */
		ng_text_option(&f, 7, "", 0);       /* a verdict without kind */
		ng_text_option(&f, 7, "\2\1\1", 3); /* of XDP, too short */
		ng_text_option(&f, 1, "kept", 4);
		ng_end_packet(&f, at);
		walk_image(&w, &f);
		write_batch(&once, &w.batch);
		walk_image(&again, &once);
		cr_assert_str_eq(option_codes(&again.batch, 0),
			swapped ? "bac:4 1:4 " : "7abc:4 bac:4 bad:4 1:4 ");
		free_walked(&w);
		free_walked(&again);
	}
}

Test(batch_out, an_old_packet_blocks_drops_become_an_option)
{
	struct image f = { .length = 0 }, once = { .length = 0 };
	struct walked w, again;

	ng_section(&f, true);
	ng_interface(&f, 1, 0, -1, 0);
	ng_packet(&f, 2, 0, 5, 9, 9);
	walk_image(&w, &f);
	write_batch(&once, &w.batch);
	walk_image(&again, &once);
	cr_assert_str_eq(option_codes(&again.batch, 0), "4:8 ");
	cr_assert_eq(again.ng.stats.dropped, 7);
	free_walked(&w);
	free_walked(&again);
}

Test(batch_out, every_room_too_small_changes_nothing)
{
	struct image f = { .length = 0 };
	struct bpei_process_table processes = { .count = 0 };
	uint8_t block[700];
	struct walked w;

	make_full_file(&f, false);
	walk_image(&w, &f);
	const struct bpei_batch_packet p = { .batch = &w.batch,
		.i = 1,
		.out = { .data = w.batch.data[1], .caplen = 8, .wirelen = 8 } };
	size_t room = 0;
	size_t n;
	while (!(n = bpei_batch_packet_put(&processes, block, room, &p))) {
		cr_assert_eq(processes.count, 0);
		cr_assert(++room <= sizeof block);
	}
	cr_assert(n <= room);
	cr_assert_eq(processes.count, 2);
	bpei_process_table_free(&processes);
	free_walked(&w);
}

Test(batch_out, changed_bytes_lose_hash_verdict_and_texts)
{
	struct image f = { .length = 0 };
	struct bpei_process_table processes = { .count = 0 };
	uint8_t block[700];
	struct walked w;

	make_full_file(&f, false);
	walk_image(&w, &f);
	struct bpei_batch_packet p = { .batch = &w.batch,
		.out = { .data = w.batch.data[0], .caplen = 13, .wirelen = 13 } };
	const size_t whole = bpei_batch_packet_put(&processes, block, sizeof block, &p);
	bpei_process_table_clear(&processes);
	p.is_changed = true;
	cr_assert_eq(bpei_batch_packet_put(&processes, block, sizeof block, &p),
		whole - 8 - 8 - 16 - 16 - 12);
	bpei_process_table_free(&processes);
	free_walked(&w);
}

Test(batch_out, metadata_of_no_file_become_apples_options)
{
	const struct bpe_meta meta = { .flags = BPE_META_PROCESS | BPE_META_DIRECTION |
						BPE_META_OUT | BPE_META_NEW_FLOW | BPE_META_WAKE,
		.pid = 42,
		.effective_pid = 43,
		.comm = "curl",
		.effective_comm = "nsurlsessiond",
		.service_class = 900,
		.trace_tag = 5,
		.flow_id = 6,
		.thread_id = 8,
		.drop_reason = 9 };
	const struct bpei_packet_extra extra = { .comment = "hello" };
	const struct bpei_packet_out out = {
		.data = (const uint8_t *)"1234", .caplen = 4, .wirelen = 4
	};
	const struct bpei_section_out section = { .comment = NULL };
	const struct bpei_interface_out interface = { .link_type = 1, .digits = 9 };
	struct bpei_process_table processes = { .count = 0 };
	struct image f = { .length = 0 };
	struct bpe_meta got;
	struct walked w;

	f.length = bpei_section_put(f.bytes, sizeof f.bytes, &section);
	f.length += bpei_interface_put(f.bytes + f.length, 200, &interface);
	for (int k = 0; k < 2; k++) {
		f.length += bpei_meta_packet_put(
			&processes, f.bytes + f.length, 500, &out, &extra, &meta);
		packet_done(&f);
	}
	walk_image(&w, &f);
	cr_assert_eq(bpei_list_count(&w.kept.processes), 2);
	cr_assert_str_eq(option_codes(&w.batch, 1),
		"8001:4 8003:4 2:4 8:8 8002:4 8005:4 8006:2 8007:4 1:5 8004:4 ");
	cr_assert_eq(bpe_batch_meta(&w.batch, 1, &got), 1);
	cr_assert_eq(got.flags, meta.flags);
	cr_assert_eq(got.pid, 42);
	cr_assert_str_eq(got.comm, "curl");
	cr_assert_eq(got.effective_pid, 43);
	cr_assert_str_eq(got.effective_comm, "nsurlsessiond");
	cr_assert_eq(got.service_class, 900);
	cr_assert_eq(got.trace_tag, 5);
	cr_assert_eq(got.flow_id, 6);
	cr_assert_eq(got.thread_id, 8);
	cr_assert_eq(got.drop_reason, 9);
	bpei_process_table_free(&processes);
	free_walked(&w);
}
