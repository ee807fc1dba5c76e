/* SPDX-License-Identifier: MIT */
/* The frames that bpfbench sends.
 *
 * Frame number n of a stream has at least 60 bytes: Ethernet, IPv4 with the addresses for
 * benchmarks (198.18.0.0/15, RFC 2544), UDP to port 9 without a checksum.  The source port is 1024
 * + n, so that the first 1000 frames belong to 1000 flows. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdint.h>

/* Writes frame number n into frame[0 .. bytes). */
void sender_frame(uint8_t *frame, uint32_t bytes, uint32_t n);

#endif
