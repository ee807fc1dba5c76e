/* SPDX-License-Identifier: MIT */
/* What the parts of bench/kernels share: packets by chance, of a mix. */
#ifndef BENCH_KERNELS_H
#define BENCH_KERNELS_H

#include "arch/arch_list.h"
#include "bench.h"
#include "block/batch.h"

#define KERNELS_BYTES 96u

/* Percent that are IPv6, TCP, tagged, ICMP echoes, and of no common shape (fragments). */
struct kernels_mix {
	const char *name;
	uint32_t six, tcp, tagged, icmp, odd;
};

uint32_t kernels_chance(uint32_t below);
uint32_t kernels_packet(uint8_t p[KERNELS_BYTES], const struct kernels_mix *mix);	/* its length; p is zero before */
void kernels_road(const struct kernels_mix *mix, const struct bpei_seed *seed);

#endif
