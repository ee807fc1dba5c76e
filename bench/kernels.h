/* SPDX-License-Identifier: MIT */
/* What the parts of bench/kernels share: packets by chance, of a mix. */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include "arch/arch_list.h"
#include "bench.h"
#include "records/batch.h"

#define KERNELS_BYTES 96u

/* Percent that are IPv6, TCP, tagged, ICMP echoes, and of no common shape (fragments). */
struct kernels_mix {
	const char *name;
	uint32_t six, tcp, tagged, icmp, odd;
};

uint32_t kernels_chance(uint32_t below);
uint32_t kernels_packet(
	uint8_t p[KERNELS_BYTES], const struct kernels_mix *mix); /* its length; p is zero before */
void kernels_walk(void);
void kernels_road(const struct kernels_mix *mix, const struct bpei_seed *seed);

/* What others do with the same packets: given one by one with add, gone through by round, which
 * returns how many there were; end forgets them. bench/kernels_pcap.c, bench/kernels_tins.cc; none
 * where their libraries are not there. */
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
