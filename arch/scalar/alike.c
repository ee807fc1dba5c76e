/* SPDX-License-Identifier: MIT */
/* Records of one length, one after another: { seconds, fraction, captured, on the wire }, 32 bits
 * each, as in BPF buffers of macOS and in pcap savefiles. Pure. */
#include "arch/arch.h"
#include "base/bytes.h"

uint32_t bpei_alike_scalar(const struct bpei_columns *c, uint32_t n, const struct bpei_records *how)
{
	uint32_t i = 0;
	for (; i < n; i++) {
		const uint8_t *r = how->record + i * how->stride;
		uint32_t seconds = bpei_load32(r);
		if (bpei_load32(r + 8) != how->caplen ||
			(how->hdrlen_told && bpei_load16(r + 16) != how->hdrlen))
			break;
		c->data[i] = r + how->hdrlen;
		c->time_ns[i] = (how->stamp_signed ? (int64_t)(int32_t)seconds : (int64_t)seconds) *
					1000000000 +
				(int64_t)bpei_load32(r + 4) * how->fraction_ns;
		c->caplen[i] = how->caplen < how->snaplen ? how->caplen : how->snaplen;
		c->wirelen[i] = bpei_load32(r + 12);
	}
	return i;
}
