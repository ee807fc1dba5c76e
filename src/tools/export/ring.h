/* SPDX-License-Identifier: MIT */
/* The ring of a target: records of any length from the program to the sender process, in shared
 * memory.
 *
 * One producer (the program's output thread) and one consumer (the sender) use the ring.  A record
 * lies in a single piece: a word with the length, then the bytes, rounded up to 8.  Where a record
 * would run past the end of the array, a filler takes the rest.  head and tail each hold a place
 * and a number of records in a single word.  Therefore a reader sees both change at once, and the
 * books balance after the death of a sender at any moment.
 *
 * Trust: the sender talks to the network, and the program does not believe what the sender writes.
 * The producer writes at its own place alone, in own_tail, and takes a senseless head for a full
 * ring.  The consumer checks each length before it reads. */
#ifndef EXPORT_RING_H
#define EXPORT_RING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORT_RING_LINE 128 /* no two published words share a cache line of any machine */

/* Shared memory; all zero is an empty ring. */
struct export_ring {
	/* low half: place in units of 8 bytes; high half: records, both free running */
	_Alignas(EXPORT_RING_LINE) _Atomic uint64_t tail; /* w: program  r: sender, keeper */
	_Alignas(EXPORT_RING_LINE) _Atomic uint64_t head; /* w: sender  r: program, keeper */
};

/* An end of a ring, in the memory of the process that uses the end. */
struct export_ring_end {
	struct export_ring *ring;
	uint8_t *bytes;
	uint32_t units; /* of 8 bytes: a power of two */
	uint64_t own;   /* producer: tail; consumer: head */
	uint64_t seen;  /* the other word, as last read */
	uint64_t next;  /* consumer: head behind the record that was peeked at */
};

/* Makes an end.  bytes: room for size bytes, aligned to 8; size: a power of two from 64 to 2^30. */
void export_ring_attach(struct export_ring_end *end, struct export_ring *ring, uint8_t *bytes,
	uint32_t size, bool is_producer);
/* Appends a record.  Returns false if there is no room.  A record of more than a quarter of the
 * ring may never find room. */
bool export_ring_push(struct export_ring_end *end, const void *record, uint32_t n);
/* Returns whether at least a quarter of the ring is in use, as the producer last saw. */
bool export_ring_is_filling(const struct export_ring_end *end);
/* Returns the oldest record, of *n bytes, for use until the drop; NULL: the ring is empty, or
 * *is_torn is true, since the ring holds no sense. */
const void *export_ring_peek(struct export_ring_end *end, uint32_t *n, bool *is_torn);
/* Gives the room of the record back that was peeked at. */
void export_ring_drop(struct export_ring_end *end);
/* Returns the records in the ring.  Any process. */
uint32_t export_ring_count(const struct export_ring *ring);
/* Returns how many records were taken out of the ring, as the full form of a number that was right
 * before.  Any process. */
uint64_t export_ring_taken(const struct export_ring *ring, uint64_t before);

#endif
