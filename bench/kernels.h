/* SPDX-License-Identifier: MIT */
/* Shared by the parts of bench/kernels: random packets of a mix. */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include "arch/arch_list.h"
#include "bench.h"
#include "records/batch.h"

#define KERNELS_BYTES 96u

/* Percentages of IPv6, TCP, tagged packets, ICMP echoes, and packets of no common shape
 * (fragments). */
struct kernels_mix {
	const char *name;
	uint32_t six, tcp, tagged, icmp, odd;
};

uint32_t kernels_chance(uint32_t below);
uint32_t kernels_packet(uint8_t p[KERNELS_BYTES],
	const struct kernels_mix *mix); /* returns the length; p must be zero */
void kernels_walk(void);
void kernels_road(const struct kernels_mix *mix, const struct bpei_seed *seed);

/* Other libraries on the same packets.  add gives a packet, round processes all packets and returns
 * their number, end forgets the packets.  See bench/kernels_peers.c and bench/kernels_tins.cc; a
 * library that is not installed is left out. */
#define KERNELS_MOST_PEERS 2
struct kernels_peer {
	const char *name;
	void (*add)(const uint8_t *packet, uint32_t caplen);
	uint64_t (*round)(void);
	void (*end)(void);
};
extern const struct kernels_peer kernels_peers[];
extern const uint32_t kernels_peer_count;

#endif
