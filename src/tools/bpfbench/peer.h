/* SPDX-License-Identifier: MIT */
/* The orders and reports that pass through pipes between `bpfbench compare` and its contenders.
 * Each contender is a process, so that CPU time and memory can be told apart. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include "result.h"

#define PEER_MAGIC 0x42504542u

struct peer_order {
	uint32_t magic, bytes;         /* size of this structure: both sides were built together */
	char file[512], interface[64]; /* either is set */
	char filter[1024];
	uint32_t snaplen, next; /* next: pcap_next_ex instead of pcap_dispatch */
	uint64_t buffer_bytes;
	uint32_t promiscuous, latency;
};

/* A contender reports twice: when the source is open, and at the end. */
struct peer_report {
	uint32_t magic, bytes;
	char about[200];  /* version of libpcap */
	char failed[300]; /* the reason of a failure, or "" */
	uint32_t rights;  /* 1 if rights were missing */
	struct row row;
};

#define PEER_TIMEOUT_MS 10 /* of libpcap; our AF_PACKET blocks have the same */

/* The protocol of a contender: an order comes, a report goes, a byte says begin.  Live, another
 * byte or the end of the pipe says end. */

/* Reads exactly so many bytes.  Returns false at the end of the pipe or on an error. */
bool peer_take(int fd, void *to, size_t bytes);
/* Writes exactly so many bytes.  Returns false on an error. */
bool peer_give(int fd, const void *from, size_t bytes);
/* Returns true if a byte or the end of the pipe waits; does not block. */
bool peer_over(int fd);

#endif
