/* SPDX-License-Identifier: MIT */
/* Conditions that are waited for with a limit, by a clock that never steps. */
#ifndef BPEI_COND_H
#define BPEI_COND_H

#include <pthread.h>
#include <stdint.h>

/* Sets up a condition for bpei_cond_wait_ns.  pthread_cond_destroy frees the condition. */
void bpei_cond_init(pthread_cond_t *cond);
/* Waits until the condition is signalled, or ns have passed.  The mutex is held.  May return
 * early. */
void bpei_cond_wait_ns(pthread_cond_t *cond, pthread_mutex_t *mutex, int64_t ns);

#endif
