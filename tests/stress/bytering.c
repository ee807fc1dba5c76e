/* SPDX-License-Identifier: MIT */
/* bytering [millions]: two threads, records of every length, stalls on either side, a producer that
 * drops what does not fit; each record that was taken comes once, in order and whole, and those
 * taken and refused are all.  Meant for ThreadSanitizer; a plain program. */
#include "base/clock.h"
#include "ring/bytering.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define SIZE 4096u

static struct bpei_bytering ring;
static _Alignas(8) uint8_t bytes[SIZE];
static uint64_t total, taken, refused;
static _Atomic int over;

static uint64_t next_random(uint64_t *s)
{
	*s ^= *s << 13, *s ^= *s >> 7, *s ^= *s << 17;
	return *s;
}

/* What record `number` holds beside its number. */
static uint32_t length_of(uint64_t number)
{
	return 8 + (uint32_t)(number * 2654435761u % 300);
}
static uint8_t byte_of(uint64_t number, uint32_t i)
{
	return (uint8_t)(number * 31 + i);
}

static void *consume(void *wrong)
{
	uint64_t seed = 88172645463325252u, *bad = wrong, last = 0, got = 0;
	bpei_role_enter(&bpei_output_role);
	for (;;) {
		int ended = atomic_load_explicit(&over, memory_order_acquire); /* pairs: main */
		uint32_t n;
		const uint8_t *p = bpei_bytering_peek(&ring, &n);
		if (!p && ended)
			break;
		if (!p)
			continue;
		uint64_t number;
		memcpy(&number, p, sizeof number);
		if (n != length_of(number) || number <= last)
			++*bad;
		for (uint32_t i = 8; i < n; i++)
			*bad += p[i] != byte_of(number, i);
		memset((void *)(uintptr_t)p, 0xdd, n); /* poison: a record read twice is seen */
		last = number, got++;
		bpei_bytering_drop(&ring);
		if (next_random(&seed) % 20000 == 0)
			bpei_clock_sleep_ns(200000);
	}
	bpei_role_leave(&bpei_output_role);
	if (got != taken)
		++*bad; /* taken was written before over */
	return NULL;
}

static void produce(void)
{
	uint64_t seed = 362436069u;
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t number = 1; number <= total; number++) {
		uint32_t n = length_of(number), tries = (uint32_t)(next_random(&seed) % 3);
		uint8_t *to;
		while (!(to = bpei_bytering_begin(&ring, n)) && tries)
			tries--;
		if (!to) {
			refused++;
			continue;
		}
		memcpy(to, &number, sizeof number);
		for (uint32_t i = 8; i < n; i++)
			to[i] = byte_of(number, i);
		if (next_random(&seed) % 64 == 0) { /* given up, and begun anew */
			memset(to, 0x77, n);
			to = bpei_bytering_begin(&ring, n);
			if (!to)
				abort();
			memcpy(to, &number, sizeof number);
			for (uint32_t i = 8; i < n; i++)
				to[i] = byte_of(number, i);
		}
		bpei_bytering_commit(&ring);
		taken++;
		if (next_random(&seed) % 20000 == 0)
			bpei_clock_sleep_ns(200000);
	}
	bpei_role_leave(&bpei_worker_role);
}

int main(int argc, char **argv)
{
	uint64_t wrong = 0;
	pthread_t thread;
	total = (argc > 1 ? strtoull(argv[1], NULL, 10) : 2) * 1000000;
	bpei_bytering_init(&ring, bytes, SIZE);
	if (pthread_create(&thread, NULL, consume, &wrong))
		return 1;
	produce();
	atomic_store_explicit(&over, 1, memory_order_release); /* pairs: consume */
	pthread_join(thread, NULL);
	if (taken + refused != total || !taken || !refused)
		wrong++;
	printf("%llu records taken, %llu refused, %llu wrong\n%d passed, %d failed\n",
		(unsigned long long)taken, (unsigned long long)refused, (unsigned long long)wrong,
		!wrong, !!wrong);
	return wrong != 0;
}
