/* SPDX-License-Identifier: MIT */
/* Tests of the pcap encoder: the head, records byte by byte, times outside the format. */
#include "write/pcap_out.h"

#include "records/walk_pcap.h"

#include <criterion/criterion.h>

Test(pcap_out, a_head_is_what_the_reader_expects)
{
	for (int nano = 0; nano < 2; nano++) {
		uint8_t head[BPEI_PCAP_OUT_HEADER];
		struct bpei_pcap pcap;

		bpei_pcap_put_header(head, nano, 228, 262144);
		cr_assert(bpei_pcap_init(&pcap, head));
		cr_assert_eq(pcap.link_type, 228);
		cr_assert_eq(bpei_load32(head), nano ? 0xa1b23c4d : 0xa1b2c3d4);
		cr_assert_eq(bpei_load16(head + 4), 2);
		cr_assert_eq(bpei_load16(head + 6), 4);
		cr_assert_eq(bpei_load32(head + 8), 0);
		cr_assert_eq(bpei_load32(head + 12), 0);
		cr_assert_eq(bpei_load32(head + 16), 262144);
	}
}

Test(pcap_out, a_record_has_time_lengths_and_data)
{
	for (uint32_t n = 0; n < 300; n++) {
		uint8_t data[300], record[BPEI_PCAP_OUT_RECORD + 301];

		for (uint32_t i = 0; i < n; i++)
			data[i] = (uint8_t)(i * 7 + n);
		memset(record, 0xee, sizeof record);
		cr_assert_eq(bpei_pcap_put_packet(
				     record, true, INT64_C(1700000000987654321), data, n, 1500 + n),
			16 + n);
		cr_assert_eq(bpei_load32(record), 1700000000);
		cr_assert_eq(bpei_load32(record + 4), 987654321);
		cr_assert_eq(bpei_load32(record + 8), n);
		cr_assert_eq(bpei_load32(record + 12), 1500 + n);
		cr_assert_arr_eq(record + 16, data, n);
		cr_assert_eq(record[16 + n], 0xee);
		bpei_pcap_put_packet(record, false, INT64_C(1700000000987654321), data, n, n);
		cr_assert_eq(bpei_load32(record + 4), 987654);
	}
}

Test(pcap_out, times_outside_the_format_are_held_at_its_ends)
{
	static const struct {
		int64_t ns;
		uint32_t seconds, part;
	} cases[] = { { -1, 0, 0 }, { INT64_MIN, 0, 0 }, { 0, 0, 0 }, { 999999999, 0, 999999999 },
		{ INT64_C(4294967295999999999), 4294967295u, 999999999 },
		{ INT64_C(4294967296000000000), 4294967295u, 999999999 },
		{ INT64_MAX, 4294967295u, 999999999 } };

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint8_t record[BPEI_PCAP_OUT_RECORD];

		bpei_pcap_put_packet(record, true, cases[i].ns, record, 0, 0);
		cr_assert_eq(bpei_load32(record), cases[i].seconds, "case %zu", i);
		cr_assert_eq(bpei_load32(record + 4), cases[i].part, "case %zu", i);
		bpei_pcap_put_packet(record, false, cases[i].ns, record, 0, 0);
		cr_assert_eq(bpei_load32(record), cases[i].seconds, "case %zu", i);
		cr_assert_eq(bpei_load32(record + 4), cases[i].part / 1000, "case %zu", i);
	}
}
