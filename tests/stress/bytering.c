/* SPDX-License-Identifier: MIT */
/* bytering [millions]: two threads move records of every length, with stalls on either side.  The
 * producer drops a record when the ring is full.  Each record taken comes once, in order and whole;
 * records taken and refused add up to all.  Meant for ThreadSanitizer; a plain program. */
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

static uint64_t next_bytering_random(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* Returns the length of a record, by number. */
static uint32_t record_length(uint64_t number)
{
	return 8 + (uint32_t)(number * 2654435761u % 300);
}
/* Returns byte i of a record, by number. */
static uint8_t record_byte(uint64_t number, uint32_t i)
{
	return (uint8_t)(number * 31 + i);
}

static void *consume_records(void *wrong)
{
	uint64_t seed = 88172645463325252u;
	uint64_t *bad = wrong;
	uint64_t last = 0;
	uint64_t got = 0;

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
		if (n != record_length(number) || number <= last)
			++*bad;
		for (uint32_t i = 8; i < n; i++)
			*bad += p[i] != record_byte(number, i);
		memset((void *)(uintptr_t)p, 0xdd,
			n); /* poison, so that a second reading is seen */
		last = number;
		got++;
		bpei_bytering_drop(&ring);
		if (next_bytering_random(&seed) % 20000 == 0)
			bpei_clock_sleep_ns(200000);
	}
	bpei_role_leave(&bpei_output_role);
	if (got != taken)
		++*bad; /* taken was written before over */
	return NULL;
}

static void produce_records(void)
{
	uint64_t seed = 362436069u;
	bpei_role_enter(&bpei_worker_role);
	for (uint64_t number = 1; number <= total; number++) {
		const uint32_t n = record_length(number);
		uint32_t tries = (uint32_t)(next_bytering_random(&seed) % 3);
		uint8_t *to;
		while (!(to = bpei_bytering_begin(&ring, n)) && tries)
			tries--;
		if (!to) {
			refused++;
			continue;
		}
		memcpy(to, &number, sizeof number);
		for (uint32_t i = 8; i < n; i++)
			to[i] = record_byte(number, i);
		if (next_bytering_random(&seed) % 64 == 0) { /* given up, and begun anew */
			memset(to, 0x77, n);
			to = bpei_bytering_begin(&ring, n);
			if (!to)
				abort();
			memcpy(to, &number, sizeof number);
			for (uint32_t i = 8; i < n; i++)
				to[i] = record_byte(number, i);
		}
		bpei_bytering_commit(&ring);
		taken++;
		if (next_bytering_random(&seed) % 20000 == 0)
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
	if (pthread_create(&thread, NULL, consume_records, &wrong))
		return 1;
	produce_records();
	atomic_store_explicit(&over, 1, memory_order_release); /* pairs: consume */
	pthread_join(thread, NULL);
	if (taken + refused != total || !taken || !refused)
		wrong++;
	printf("%llu records taken, %llu refused, %llu wrong\n%d passed, %d failed\n",
		(unsigned long long)taken, (unsigned long long)refused, (unsigned long long)wrong,
		!wrong, !!wrong);
	return wrong != 0;
}
