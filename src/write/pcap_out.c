/* SPDX-License-Identifier: MIT */
/* Encodes the head of a pcap savefile, and the times that a record cannot hold (pcap_out.h).
 * Pure. */
#include "write/pcap_out.h"

void bpei_pcap_put_header(uint8_t *to, bool is_nanosecond, uint32_t link_type, uint32_t snaplen)
{
	bpei_store32(to, is_nanosecond ? 0xa1b23c4d : 0xa1b2c3d4);
	bpei_store16(to + 4, 2);
	bpei_store16(to + 6, 4);
	memset(to + 8, 0, 8); /* time zone and accuracy: always 0 */
	bpei_store32(to + 16, snaplen);
	bpei_store32(to + 20, link_type & 0xffff);
}

void bpei_pcap_put_far_time(uint8_t *to, bool is_nanosecond, int64_t time_ns)
{
	const uint32_t last = is_nanosecond ? 999999999 : 999999;

	bpei_store32(to, time_ns < 0 ? 0 : UINT32_MAX);
	bpei_store32(to + 4, time_ns < 0 ? 0 : last);
}
