/* SPDX-License-Identifier: MIT */
/* A seed that nobody outside can guess, without waiting for long. */
#ifndef BPEI_RANDOM_H
#define BPEI_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_RANDOM_WAIT_NS INT64_C(1000000000) /* for a machine that has just booted */

/* The calls that the seed comes from, so that a test can take their place. */
struct bpei_random_sys {
	int (*draw)(void *to, size_t bytes); /* 0; EAGAIN: not ready yet; another errno */
	int64_t (*now_ns)(void);
	void (*sleep_ns)(int64_t ns);
};
extern const struct bpei_random_sys bpei_random_sys_real;

/* Returns a seed.  *weak: the system's source was not ready within BPEI_RANDOM_WAIT_NS, or there is
 * none, and the seed comes from clocks, addresses and the process's number. */
uint64_t bpei_random_seed(const struct bpei_random_sys *sys, bool *weak);

#endif
