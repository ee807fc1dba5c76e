/* SPDX-License-Identifier: MIT */
/* Tests of a packet's options, found behind the packet: walked from made files of either byte order
 * into a batch, then read as metadata and comments. */
#include "records/pcapng_options.h"

#include "ngwalk.h"

Test(pcapng_options, a_macs_packet_tells_its_process)
{
	for (int big = 0; big < 2; big++) {
		struct image f = { .length = 0 };
		struct walked w;
		struct bpe_meta m;

		ng_section(&f, big);
		ng_interface(&f, 1, 0, -1, 0);
		ng_process(&f, 1500, "network_test");
		ng_process(&f, 77, "helper");
		const size_t at = ng_begin_packet(&f, 0, 13);
		ng_option(&f, 0x8001, 1, 4);
		ng_option(&f, 0x8003, 0, 4);
		ng_option(&f, 2, 2, 4);
		ng_option(&f, 0x8002, 900, 4);
		ng_option(&f, 0x8005, 0x12345678, 4);
		ng_option(&f, 0x8006, 0x4321, 2);
		ng_option(&f, 0x8007, 0x01020003, 4);
		ng_option(&f, 0x8004, 0x27, 4);
		ng_option(&f, 8, (uint64_t)5 << 32 | 6, 8);
		ng_end_packet(&f, at);
		walk_image(&w, &f);
		cr_assert_eq(bpe_batch_meta(&w.batch, 0, &m), 1);
		cr_assert_eq(m.pid, 77);
		cr_assert_str_eq(m.comm, "helper");
		cr_assert_eq(m.effective_pid, 1500);
		cr_assert_str_eq(m.effective_comm, "network_test");
		cr_assert_eq(m.flags, BPE_META_DIRECTION | BPE_META_OUT | BPE_META_PROCESS |
					      BPE_META_NEW_FLOW | BPE_META_KEEP_ALIVE |
					      BPE_META_RETRANSMIT | BPE_META_WAKE);
		cr_assert_eq(m.service_class, 900);
		cr_assert_eq(m.flow_id, 0x12345678);
		cr_assert_eq(m.trace_tag, 0x4321);
		cr_assert_eq(m.drop_reason, 0x01020003);
		free_walked(&w);
	}
}

Test(pcapng_options, option_8_tells_process_and_thread)
{
	struct image f = { .length = 0 };
	struct walked w;
	struct bpe_meta m;

	ng_section(&f, false);
	ng_interface(&f, 1, 0, -1, 0);
	size_t at = ng_begin_packet(&f, 0, 4);
	ng_option(&f, 8, 42, 4); /* of a wrong length */
	ng_end_packet(&f, at);
	at = ng_begin_packet(&f, 0, 4);
	ng_option(&f, 8, (uint64_t)7 << 32 | 42, 8);
	ng_end_packet(&f, at);
	walk_image(&w, &f);
	cr_assert_eq(bpe_batch_meta(&w.batch, 0, &m), 1);
	cr_assert_eq(m.pid, -1);
	cr_assert_eq(m.flags, 0);
	cr_assert_eq(bpe_batch_meta(&w.batch, 1, &m), 1);
	cr_assert_eq(m.pid, 42);
	cr_assert_eq(m.thread_id, 7);
	cr_assert_eq(m.flags, BPE_META_PROCESS);
	cr_assert_str_eq(m.comm, "");
	free_walked(&w);
}

Test(pcapng_options, places_count_from_each_sections_beginning)
{
	struct image f = { .length = 0 };
	struct walked w;
	struct bpe_meta m;

	for (uint32_t k = 0; k < 3; k++) {
		ng_section(&f, k == 1);
		ng_interface(&f, 1, 0, -1, 0);
		if (k != 1)
			ng_process(&f, 100 + k, "p");
		const size_t at = ng_begin_packet(&f, 0, 4);
		ng_option(&f, 0x8001, 0, 4);
		ng_end_packet(&f, at);
	}
	walk_image(&w, &f);
	for (uint32_t k = 0; k < 3; k++) {
		cr_assert_eq(bpe_batch_meta(&w.batch, k, &m), 1);
		cr_assert_eq(m.pid, k == 1 ? -1 : (int32_t)(100 + k), "section %u", k);
	}
	w.batch.source = NULL; /* a batch that was copied: no process, no crash */
	cr_assert_eq(bpe_batch_meta(&w.batch, 0, &m), 1);
	cr_assert_eq(m.pid, -1);
	free_walked(&w);
}

Test(pcapng_options, a_packet_without_options_has_no_metadata)
{
	struct image f = { .length = 0 };
	struct walked w;
	struct bpe_meta m;
	const char *comment;
	size_t bytes;

	ng_section(&f, false);
	ng_interface(&f, 1, 0, -1, 0);
	ng_packet(&f, 6, 0, 5, 9, 9);
	ng_packet(&f, 3, 0, 5, 9, 9);
	walk_image(&w, &f);
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(bpe_batch_meta(&w.batch, i, &m), 0);
		cr_assert_eq(bpe_batch_comment(&w.batch, i, 0, &comment, &bytes), 0);
	}
	free_walked(&w);
}

Test(pcapng_options, comments_are_found_in_order)
{
	struct image f = { .length = 0 };
	struct walked w;
	const char *comment;
	size_t bytes;

	ng_section(&f, true);
	ng_interface(&f, 1, 0, -1, 0);
	const size_t at = ng_begin_packet(&f, 0, 5);
	ng_text_option(&f, 1, "first", 5);
	ng_option(&f, 2, 1, 4);
	ng_text_option(&f, 1, "second", 7); /* with a 0 */
	ng_text_option(&f, 1, "", 0);
	ng_end_packet(&f, at);
	walk_image(&w, &f);
	cr_assert_eq(bpe_batch_comment(&w.batch, 0, 0, &comment, &bytes), 1);
	cr_assert_eq(bytes, 5);
	cr_assert_arr_eq(comment, "first", 5);
	cr_assert_eq(bpe_batch_comment(&w.batch, 0, 1, &comment, &bytes), 1);
	cr_assert_eq(bytes, 6);
	cr_assert_arr_eq(comment, "second", 6);
	cr_assert_eq(bpe_batch_comment(&w.batch, 0, 2, &comment, &bytes), 1);
	cr_assert_eq(bytes, 0);
	cr_assert_eq(bpe_batch_comment(&w.batch, 0, 3, &comment, &bytes), 0);
	cr_assert_eq(bpe_batch_comment(&w.batch, 1, 0, &comment, &bytes), 0);
	free_walked(&w);
}

Test(pcapng_options, an_old_packet_block_tells_drops)
{
	for (int big = 0; big < 2; big++) {
		struct image f = { .length = 0 };
		struct walked w;

		ng_section(&f, big);
		ng_interface(&f, 1, 0, -1, 0);
		ng_packet(&f, 2, 0, 5, 9, 9); /* 7 drops */
		ng_packet(&f, 6, 0, 5, 9, 9);
		walk_image(&w, &f);
		cr_assert_eq(bpei_packet_old_drops(w.batch.data[0], w.batch.meta[0]), 7);
		cr_assert_eq(bpei_packet_old_drops(w.batch.data[1], w.batch.meta[1]), 0);
		free_walked(&w);
	}
}
