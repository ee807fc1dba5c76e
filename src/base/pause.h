/* SPDX-License-Identifier: MIT */
/* Waiting for another thread without a system object to wait on. */
#ifndef BPEI_PAUSE_H
#define BPEI_PAUSE_H

#include <stdint.h>

/* Waits a little between two looks at a shared word.  tries: number of looks in vain so far.  Spins
 * during the first looks, then sleeps from 20 us up to 500 us. */
void bpei_pause(uint32_t tries);

#endif
