/* SPDX-License-Identifier: MIT */
/* Waiting for another thread: spin, then sleep.  Stateless. */
#include "base/pause.h"

#include "base/clock.h"

#define SPINS 200u
#define SHORT_SLEEPS 20u
#define MIDDLE_SLEEPS 100u

/* Tells the core about the spinning. */
static inline void relax_core(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	/* isb lasts as long as x86's pause; yield does nothing on most cores. */
	__asm__ volatile("isb");
#endif
}

void bpei_pause(uint32_t tries)
{
	if (tries < SPINS) {
		relax_core();
		return;
	}
	const uint32_t sleeps = tries - SPINS;

	if (sleeps < SHORT_SLEEPS)
		bpei_clock_sleep_ns(20000);
	else if (sleeps < MIDDLE_SLEEPS)
		bpei_clock_sleep_ns(100000);
	else
		bpei_clock_sleep_ns(500000);
}
