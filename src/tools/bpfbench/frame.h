/* SPDX-License-Identifier: MIT */
/* Frame number n of a stream, at least 60 bytes: Ethernet, IPv4 (198.18.0.0/15, for benchmarks: RFC
 * 2544), UDP to port 9, without a checksum; the source port is 1024 + n, so that n below 1000 is
 * 1000 flows. */
#ifndef BENCH_FRAME_H
#define BENCH_FRAME_H

#include <stdint.h>

void sender_frame(uint8_t *frame, uint32_t bytes, uint32_t n);

#endif
