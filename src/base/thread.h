/* SPDX-License-Identifier: MIT */
/* Where a thread runs and how urgently: the part of threads that systems do differently. */
#ifndef BPEI_THREAD_H
#define BPEI_THREAD_H

#include <stdint.h>

uint32_t bpei_thread_cores(void); /* cores online, at least 1 */

/* For the calling thread.  0, or the errno of the refusal; ENOTSUP where the system has no such
 * thing. */
int bpei_thread_pin(uint32_t core);   /* Linux: that core; macOS: an affinity tag (a hint); FreeBSD,
					 NetBSD: that core */
int bpei_thread_urgent(int realtime); /* Linux: nice -10, or SCHED_FIFO; macOS: QoS
					 user-interactive; else: SCHED_FIFO or ENOTSUP */
void bpei_thread_name(const char *name); /* at most 15 characters; for debuggers and top */

#endif
