/* SPDX-License-Identifier: MIT */
/* Walks records of one length, as in BPF buffers of macOS and in pcap savefiles (struct
 * bpei_record_run).  Pure. */
#include "arch/arch.h"
#include "base/bytes.h"

uint32_t bpei_walk_uniform_scalar(
	const struct bpei_columns *c, uint32_t n, const struct bpei_record_run *run)
{
	const uint32_t shown = run->caplen < run->snaplen ? run->caplen : run->snaplen;
	uint32_t i = 0;

	for (; i < n; i++) {
		const uint8_t *r = run->record + i * run->stride;
		const uint32_t stamp = bpei_load32(r);
		const int64_t seconds =
			run->stamp_signed ? (int64_t)(int32_t)stamp : (int64_t)stamp;

		if (bpei_load32(r + 8) != run->caplen)
			break;
		if (run->checks_hdrlen && bpei_load16(r + 16) != run->hdrlen)
			break;
		c->data[i] = r + run->hdrlen;
		c->time_ns[i] =
			seconds * 1000000000 + (int64_t)bpei_load32(r + 4) * run->fraction_ns;
		c->caplen[i] = shown;
		c->wirelen[i] = bpei_load32(r + 12);
	}
	return i;
}
