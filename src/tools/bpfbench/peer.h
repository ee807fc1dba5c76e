/* SPDX-License-Identifier: MIT */
/* What a contender of `bpfbench compare` is asked for and says, through pipes: it is a process of
 * its own, so that its CPU and memory are its own. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "result.h"

#define PEER_MAGIC 0x42504542u

struct peer_order {
	uint32_t magic, bytes;         /* of this structure: both sides were built together */
	char file[512], interface[64]; /* one of them */
	char filter[1024];
	uint32_t snaplen, next; /* next: pcap_next_ex instead of pcap_dispatch */
	uint64_t buffer_bytes;
	uint32_t promiscuous, latency;
};

/* Comes twice: when the source is open, and at the end. */
struct peer_report {
	uint32_t magic, bytes;
	char about[200];  /* version */
	char failed[300]; /* "" if nothing did */
	uint32_t rights;  /* it failed for want of them */
	struct row row;
};

#define PEER_TIMEOUT_MS 10 /* libpcap's; AF_PACKET blocks of ours are handed over after as long */

/* An order comes, a report goes, a byte says begin, and, live, another one (or the pipe's end) says
 * end. */
bool peer_take(int fd, void *to, size_t bytes);
bool peer_give(int fd, const void *from, size_t bytes);
bool peer_over(int fd); /* without waiting */

#endif
