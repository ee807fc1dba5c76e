/* SPDX-License-Identifier: MIT */
/* The only caller of the system's clocks and of its sleep. */
#ifndef BPEI_CLOCK_H
#define BPEI_CLOCK_H

#include <stdint.h>

int64_t bpei_clock_mono_ns(void);     /* never steps; for durations */
int64_t bpei_clock_wall_ns(void);     /* since 1970, as packets' time stamps */
void bpei_clock_sleep_ns(int64_t ns); /* at least so long, less if a signal comes */

#endif
