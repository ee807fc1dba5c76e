/* SPDX-License-Identifier: MIT */
/* Encodes a pcap savefile into memory, in this machine's byte order.  Pure.  Source:
 * pcap-savefile(5), draft-ietf-opsawg-pcap. */
#ifndef BPEI_PCAP_OUT_H
#define BPEI_PCAP_OUT_H

#include "base/bytes.h"
#include "base/cacheline.h"
#include "write/pcapng_out.h"

#include <stdbool.h>
#include <stddef.h>

#define BPEI_PCAP_OUT_HEADER 24u
#define BPEI_PCAP_OUT_RECORD 16u
#define BPEI_PCAP_OUT_SECONDS_MOST INT64_C(4294967295) /* 2106-02-07 06:28:15 */

/* Writes the head of a file: BPEI_PCAP_OUT_HEADER bytes.  is_nanosecond: records have nanoseconds,
 * not microseconds.  link_type: at most 65,535. */
void bpei_pcap_put_header(uint8_t *to, bool is_nanosecond, uint32_t link_type, uint32_t snaplen);

/* Writes a record's header.  A time before 1970 or after 2106 is held at the first or last time
 * that the format has. */
void bpei_pcap_put_far_time(uint8_t *to, bool is_nanosecond, int64_t time_ns);

/* Writes a packet.  The caller has proved room for BPEI_PCAP_OUT_RECORD + caplen.  Returns the
 * record's bytes. */
static inline size_t bpei_pcap_put_packet(uint8_t *to, bool is_nanosecond, int64_t time_ns,
	const uint8_t *data, uint32_t caplen, uint32_t wirelen)
{
	const uint64_t seconds = (uint64_t)time_ns / 1000000000;
	const uint32_t part = (uint32_t)((uint64_t)time_ns % 1000000000);

	bpei_store32(to, (uint32_t)seconds);
	bpei_store32(to + 4, is_nanosecond ? part : part / 1000);
	if (BPEI_UNLIKELY(seconds > (uint64_t)BPEI_PCAP_OUT_SECONDS_MOST))
		bpei_pcap_put_far_time(to, is_nanosecond, time_ns);
	bpei_store32(to + 8, caplen);
	bpei_store32(to + 12, wirelen);
	bpei_packet_copy(to + BPEI_PCAP_OUT_RECORD, data, caplen);
	return BPEI_PCAP_OUT_RECORD + (size_t)caplen;
}

#endif
