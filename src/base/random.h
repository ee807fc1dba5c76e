/* SPDX-License-Identifier: MIT */
/* An unpredictable seed, without a long wait. */
#ifndef BPEI_RANDOM_H
#define BPEI_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_RANDOM_WAIT_NS INT64_C(1000000000) /* for a machine that has just booted */

/* The sources of the seed, which a test can replace. */
struct bpei_random_sys {
	int (*draw)(void *to, size_t bytes); /* 0; EAGAIN: not ready yet; another errno */
	int64_t (*now_ns)(void);
	void (*sleep_ns)(int64_t ns);
};
extern const struct bpei_random_sys bpei_random_sys_real;

/* Returns a seed.  *weak is set to true if the system's source was not ready within
 * BPEI_RANDOM_WAIT_NS, or there is none.  A weak seed comes from clocks, addresses and the
 * process's number. */
uint64_t bpei_random_seed(const struct bpei_random_sys *sys, bool *weak);

#endif
