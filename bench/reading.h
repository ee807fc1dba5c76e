/* SPDX-License-Identifier: MIT */
/* Ways of getting at a file's bytes, for bench_reading.  A way gives stretches of the file in
 * order; the bytes that the walk left over lie before the next stretch. */
#ifndef BENCH_READING_H
#define BENCH_READING_H

#include "device/ahead.h"
#include "device/device.h"
#include "records/walk_pcap.h"

#define READING_SLOTS 16u
/* Room before a stretch for the bytes left over, at most a record. */
#define READING_HEADROOM (64u << 10)

struct reading;

struct reading_way {
	const char *name;
	size_t step;    /* bytes of a stretch */
	uint32_t slots; /* buffers in turn */
	size_t window;  /* bytes of a mapping that are populated at a time; 0: none */
	int map_flags;  /* of mmap */
	int advice;     /* of madvise for the whole mapping; -1: none */
	size_t ahead;   /* lines are prefetched so far before the walk; 0: none are */
	bool keeps;     /* the mapping is made once, before all rounds */
	void (*open)(struct reading *reading);
	/* Returns the next bytes with those left over, and their number; 0 at the end. */
	const uint8_t *(*next)(struct reading *reading, size_t *length);
	void (*close)(struct reading *reading);
};

struct reading {
	struct bpei_device device; /* the first member */
	const struct reading_way *way;
	int fd;
	uint64_t size, at; /* of the file; where the next new bytes begin */
	const uint8_t *left;
	size_t left_bytes;
	struct bpei_pcap pcap;
	enum bpei_walk_stop stop;

	uint8_t *map, *kept;
	uint64_t populated;
	uint8_t *buffer[READING_SLOTS]; /* each of READING_HEADROOM and the longest step */
	uint32_t slot;
	void *uring; /* reading_uring.c's */
	struct bpei_ahead *thread;
	uint64_t piece_end; /* offset where the last piece of the thread ends */
};

/* Copies the bytes left over before the slot's bytes.  Returns where they begin. */
static inline const uint8_t *reading_carry(struct reading *r, uint32_t slot)
{
	uint8_t *const to = r->buffer[slot] + READING_HEADROOM - r->left_bytes;

	if (r->left_bytes > READING_HEADROOM)
		abort();
	memmove(to, r->left, r->left_bytes);
	return to;
}

/* reading_uring.c; Linux */
void reading_uring_open(struct reading *reading);
const uint8_t *reading_uring_next(struct reading *reading, size_t *length);
void reading_uring_close(struct reading *reading);

#endif
