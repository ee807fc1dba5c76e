/* SPDX-License-Identifier: MIT */
/* The push device: the program's own packets behind the device contract.
 *
 * The program's side (push.c) copies packets into a ring of bytes, the reader's side (push_read.c)
 * walks them there.  Life: open -> put, any number of times -> end -> the reader walks what is left
 * -> close.  Owner: the device.  The program's side is for any thread; pushers take turns.
 *
 * Invariant: head <= read <= tail <= head + size.  Bytes from head to tail belong to the reader,
 * all others to the pusher at work.  The indices run freely.  A record lies in one piece; a filler
 * takes the rest of the ring's memory where a record would not fit.
 *
 * The end is decided under `bell`, where the pusher publishes: no packet is taken after the end,
 * and each packet taken before is there for the reader. */
#ifndef BPEI_PUSH_H
#define BPEI_PUSH_H

#include "base/cacheline.h"
#include "device/device.h"

#include <pthread.h>

/* Why no more packets are taken.  Later reasons replace earlier ones. */
enum bpei_push_state {
	BPEI_PUSH_OPEN = 0,
	BPEI_PUSH_ENDED, /* the program has said that no more will come */
	BPEI_PUSH_OVER   /* the run has ended, or ends */
};

struct bpei_push {
	struct bpei_device device;
	struct bpe_options options;
	uint8_t *ring;
	uint64_t size;        /* of the ring, a power of two */
	int wake_pipe[2];     /* a byte wakes the reader */
	pthread_mutex_t bell; /* for the next three, and for writing tail and state */
	bool asleep;          /* the reader waits for a byte in the pipe */
	bool busy;            /* a pusher is at work; the others wait for their turn */
	uint32_t inside;      /* pushers at work or waiting, who still look at this structure */
	_Atomic int state;    /* enum bpei_push_state; w: under bell  r: any */

	BPEI_ALIGNED _Atomic uint64_t tail; /* w: pusher, under bell  r: reader */
	bpei_counter pushed;                /* w: pusher, under bell  r: any; packets taken */
	BPEI_ALIGNED uint64_t own_tail;     /* pusher's own, with the next two */
	uint64_t seen_head;                 /* head as last read */
	uint64_t unpublished;               /* packets behind tail */
	BPEI_ALIGNED _Atomic uint64_t head; /* w: reader  r: pusher */
	BPEI_ALIGNED uint64_t read;         /* reader's own, with the next three: next to walk */
	uint64_t walked;                    /* packets walked, those that were refused included */
	uint64_t named;                     /* 1 + the interface named last; 0: none */
	bool has_left;                      /* the reader walks no more */
};

/* Packets as the caller's structures hold them. */
struct bpei_push_input {
	const void *packets;
	size_t n;
	size_t packet_bytes; /* from a packet to the next: the caller's sizeof(struct bpe_packet) */
	size_t meta_bytes;   /* the caller's sizeof(struct bpe_meta) */
};

/* ---- push.c: any thread ---- */

/* Copies packets into the ring.  Waits for room at most timeout_ns (0: does not wait; < 0: without
 * limit).  Returns how many were taken, all unless the time passed or the run ended meanwhile.
 * Returns BPE_E_ARGUMENT if a packet is wrong: none was taken then.  Returns BPE_E_STATE after the
 * end. */
int bpei_push_put(struct bpei_device *device, const struct bpei_push_input *input,
	int64_t timeout_ns, struct bpe_error *error);
/* Takes no more packets from now on.  Returns BPE_OK; BPE_E_STATE if the program has said so
 * before, or if the run was over. */
int bpei_push_finish(
	struct bpei_device *device, enum bpei_push_state reason, struct bpe_error *error);
/* Waits until every pusher has left.  After bpei_push_finish. */
void bpei_push_settle(struct bpei_push *push);

/* ---- push_read.c ---- */

/* Notes that the reader walks no more: packets that are left count as dropped.  Reader only. */
void bpei_push_leave(struct bpei_device *device) BPEI_READER;

static inline struct bpei_push *bpei_push_of(struct bpei_device *device)
{
	return (struct bpei_push *)(void *)device;
}

#endif
