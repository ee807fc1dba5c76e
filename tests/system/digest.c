/* SPDX-License-Identifier: MIT */
/* digest [options]: reads a source to the end through the public capture level.
 *
 * Prints the number of packets and a hash of all packets in order.  The hash covers each packet's
 * time stamp (microseconds), lengths and bytes.  Serves to compare sources. */
#include "bpfengine.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix_bytes(uint64_t h, const void *p, size_t n) /* FNV-1a */
{
	const uint8_t *b = p;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 1099511628211u;
	return h;
}

int main(int argc, char **argv)
{
	struct bpe_options o;
	struct bpe_capture *c;
	struct bpe_batch b;
	struct bpe_error e = { 0 };
	uint64_t packets = 0;
	uint64_t h = 14695981039346656037u;
	int letter, n;
	bpe_options_init(&o);
	while ((letter = getopt(argc, argv, "r:i:a:d:m:c:s:")) != -1) {
		switch (letter) {
		case 'r':
			o.file = optarg;
			break;
		case 'i':
			o.interface_name = optarg;
			break;
		case 'a':
			o.bpf_abi = optarg;
			break;
		case 'd':
			o.bpf_device = optarg;
			break;
		case 'm':
			o.read_mode = (uint32_t)atoi(optarg);
			break;
		case 'c':
			o.max_packets = strtoull(optarg, NULL, 10);
			break;
		case 's':
			o.snaplen = (uint32_t)atoi(optarg);
			break;
		default:
			return 2;
		}
	}
	if (bpe_capture_open(&o, &c, &e) < 0) {
		fprintf(stderr, "%s: %s\n", e.step, e.text);
		return 1;
	}
	while ((n = bpe_capture_next(c, &b, -1, &e)) >= 0)
		for (int i = 0; i < n; i++) {
			int64_t us = b.time_ns[i] / 1000;
			packets++;
			h = mix_bytes(h, &us, sizeof us);
			h = mix_bytes(h, &b.caplen[i], 4);
			h = mix_bytes(h, &b.wirelen[i], 4);
			h = mix_bytes(h, b.data[i], b.caplen[i]);
		}
	struct bpe_stats s;
	bpe_capture_stats(c, &s);
	printf("%" PRIu64 " %016" PRIx64 " %s dropped %" PRIu64 " torn %" PRIu64 "\n", packets, h,
		bpe_capture_link_type(c), s.kernel_dropped, s.torn_blocks);
	bpe_capture_close(c);
	return n == BPE_E_END || n == BPE_E_GONE || n == BPE_E_TORN ? 0 : 1;
}
