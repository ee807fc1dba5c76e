/* SPDX-License-Identifier: MIT */
/* Declarations shared by the files of the device over several sources: multi.c (the device's
 * functions), multi_read.c (filling and giving in order), multi_open.c (opening). */
#ifndef BPEI_MULTI_H
#define BPEI_MULTI_H

#include "base/list.h"
#include "device/device.h"
#include "device/merge.h"
#include "records/batch.h"

#define BPEI_MULTI_NAME 256u
#define BPEI_MULTI_SUMS 15
#define BPEI_MULTI_TOLD 64

struct bpei_multi_source;

/* A block of a source. */
struct bpei_multi_block {
	struct bpei_block block;
	struct bpei_multi_source *source;
	struct bpei_multi_block *next;
	int64_t filled_ns; /* when the source gave the block, by the monotonic clock */
	uint64_t round;    /* the round that was current when the block's end was reached */
};

/* A queue of blocks. */
struct bpei_multi_queue {
	struct bpei_multi_block *first, *last;
	uint32_t count;
};

/* A source.  The reader owns all but the counters. */
struct bpei_multi_source {
	struct bpei_device *device;
	uint32_t number;            /* place in the device's list */
	char name[BPEI_MULTI_NAME]; /* as the caller gave the source */
	char *kept_name; /* name that the device borrows; NULL: the caller's is borrowed */
	bool is_file;
	bool own_filter;             /* a change of the filter of all leaves the source alone */
	bool is_shut;                /* the filter of all does not fit the link type */
	bool full;                   /* as many blocks are out as the source has */
	struct bpei_columns columns; /* BPE_BATCH elements */
	uint32_t at, count;          /* elements walked, and not yet given: [at, count) */
	uint32_t link_type;          /* of these */
	struct bpei_multi_block *current; /* is being walked; NULL: none */
	struct bpei_multi_queue waiting;  /* filled and not yet walked */
	struct bpei_multi_block *spare;   /* free blocks, the last used first */
	uint32_t lent;                    /* blocks filled and not done */
	uint32_t ahead;                   /* most blocks filled and not walked to the end */
	int64_t empty_ns;                 /* when the source had nothing the last time */
	int64_t look_ns;                  /* the source is not asked before */
	int64_t pace_ns;                  /* between two questions (read mode paced) */
	uint64_t seen[BPEI_MULTI_SUMS];   /* of its counters: what the sums have of them */
	uint32_t own_id;                  /* interface_id of all packets, unless has_many */
	bool has_many;                    /* the source's packets have several interfaces */
	bool keeps_ids;                   /* they are the system's indexes */
	uint32_t *ids;                    /* our numbers for the source's numbers */
	uint32_t id_count;

	_Atomic int ended;         /* w: reader  r: any; BPE_OK: goes on, else a status */
	bpei_counter read_packets; /* w: reader  r: any; with the next two: given */
	bpei_counter captured_bytes, wire_bytes;
};

/* Where an interface of a savefile comes from. */
struct bpei_multi_origin {
	uint32_t number;    /* ours */
	uint32_t source_id; /* the source's */
	const struct bpei_packet_source *source;
};
#define BPEI_MULTI_ORIGINS (1u << 22) /* most of them */

struct bpei_multi {
	struct bpei_device device;
	struct bpe_options options;
	struct bpei_multi_source **sources;
	_Atomic uint32_t count; /* w: opener, reader  r: any */
	uint32_t room;          /* elements of sources */
	bool is_open;
	bool wants_all;   /* "any": all interfaces that are up */
	bool watches;     /* and the interfaces that come are opened (wait_interface) */
	bool in_round;    /* the block that fill returned is not walked to its end */
	bool forced;      /* this round gives packets before their time */
	uint32_t rounds;  /* blocks filled and not done */
	int64_t clear_ns; /* blocks filled before this time may be given in this round */
	struct bpei_merge merge;
	struct bpei_multi_queue retired; /* blocks walked to the end: lists of rounds, in order */
	uint64_t round;                  /* number of the round that is filled next */
	uint32_t next_id;                /* savefiles: of the next interface */
	struct bpei_list origins;        /* struct bpei_multi_origin, by number */
	char (*told)[64];                /* "any": interfaces of which a failure was told */
	uint32_t told_count;
	int wake[2];
	struct pollfd *polled; /* room + 1 */
	/* The two below are functions of higher files: device/open.c opens a source, and
	 * multi_open.c opens the interfaces which came since ("any"). */
	bpei_device_opener *open_source;
	void (*look_around)(struct bpei_multi *multi);
	struct bpe_error refusal; /* why a source does not take the filter of all */
	struct bpe_error failure; /* the first of a savefile, the last of an interface: reported at
				   * the end */
};

/* Returns the number of sources. */
static inline uint32_t bpei_multi_count(const struct bpei_multi *m)
{
	return atomic_load_explicit(&((struct bpei_multi *)(uintptr_t)m)->count,
		memory_order_acquire); /* pairs: add_source in multi_open.c */
}

static inline struct bpei_multi *bpei_multi_of(struct bpei_device *d)
{
	return (struct bpei_multi *)(void *)d;
}

/* Returns 0, or the status with which the source ended. */
static inline int bpei_multi_has_ended(const struct bpei_multi_source *s)
{
	return atomic_load_explicit(
		&((struct bpei_multi_source *)(uintptr_t)s)->ended, memory_order_relaxed);
}

/* multi_sums.c */

/* Returns how many sources have not ended. */
uint32_t bpei_multi_count_going(const struct bpei_multi *multi);
/* Adds what the source has counted since the last call to the device's counters. */
void bpei_multi_collect(struct bpei_multi *multi, struct bpei_multi_source *source);

/* multi_read.c */

int bpei_multi_fill(struct bpei_device *device, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error);
uint32_t bpei_multi_walk(struct bpei_device *device, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);
void bpei_multi_done(struct bpei_device *device, struct bpei_block *block);

/* multi_open.c */

/* Returns whether "any" captures an interface of the name: not if it shows the packets of others.
 */
bool bpei_multi_is_for_any(const char *name);

/* multi.c: beside the functions above */

/* What the device's told has as find and at.  Any thread. */
const struct bpei_packet_source *bpei_multi_find_source(
	const struct bpei_packet_source *source, uint32_t *interface_id);
const struct bpei_packet_source *bpei_multi_source_at(
	const struct bpei_packet_source *source, uint32_t k);

extern const struct bpei_device_ops bpei_multi_ops;
/* Sets a filter that no packet passes. */
int bpei_multi_shut(struct bpei_device *device, struct bpe_error *error);
/* Frees a source, with the blocks. */
void bpei_multi_free_source(struct bpei_multi_source *source);

#endif
