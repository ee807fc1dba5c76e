/* SPDX-License-Identifier: MIT */
/* The only caller of the system's clocks and of its sleep. */
#ifndef BPEI_CLOCK_H
#define BPEI_CLOCK_H

#include <stdint.h>

/* Returns a time which never steps, for durations. */
int64_t bpei_clock_mono_ns(void);
/* Returns the time since 1970, as time stamps of packets. */
int64_t bpei_clock_wall_ns(void);
/* Sleeps at least ns, less if a signal comes. */
void bpei_clock_sleep_ns(int64_t ns);

#endif
