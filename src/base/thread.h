/* SPDX-License-Identifier: MIT */
/* The core, the urgency and the name of a thread, which each system sets in another way. */
#ifndef BPEI_THREAD_H
#define BPEI_THREAD_H

#include <stdint.h>

/* Returns the number of cores online, at least 1. */
uint32_t bpei_thread_cores(void);
/* Returns the number of cores on which the calling thread may run, where the system says so; else
 * the cores online. */
uint32_t bpei_thread_own_cores(void);

/* The following functions act on the calling thread.  They return 0, or the errno of the refusal;
 * ENOTSUP where the system lacks the function. */

/* Pins the thread.  Linux, FreeBSD, NetBSD: to the core; macOS: an affinity tag (a hint). */
int bpei_thread_pin(uint32_t core);
/* Raises the priority.  Linux: nice -10, or SCHED_FIFO if realtime; macOS: QoS user-interactive;
 * elsewhere SCHED_FIFO if realtime, or ENOTSUP. */
int bpei_thread_urgent(int realtime);
/* Names the thread for debuggers and top; at most 15 characters. */
void bpei_thread_name(const char *name);

#endif
