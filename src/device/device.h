/* SPDX-License-Identifier: MIT */
/* The device contract: one struct of functions for each kind of source.
 *
 * Life: open -> (fill -> walk ... walk -> done)* -> close.  All are called by the reader, or by the
 * thread that opens and closes; only wake may be called by others.  Several blocks may be between
 * fill and done at a time (workers still look at them), at most max_lent; they are given back in
 * the order in which they were filled.
 */
#ifndef BPEI_DEVICE_H
#define BPEI_DEVICE_H

#include "arch/arch.h"
#include "base/counter.h"
#include "base/ifnames.h"
#include "base/roles.h"
#include "records/block.h"
#include "bpfengine.h"

struct bpei_device;
struct bpei_directed;
struct bpei_filter;
struct bpei_kernel;
struct bpei_decoded;

struct bpei_device_ops {
	const char *name;
	/* Makes the next block ready.  1: a block; 0: nothing within timeout_ns (< 0: no limit, 0:
	 * do not wait), or woken; BPE_E_END: no more, ever; another status: an end with a reason,
	 * told in *error once every block before was given. A block that cannot be filled is left
	 * as it was. */
	int (*fill)(struct bpei_device *device, struct bpei_block *block, int64_t timeout_ns,
		struct bpe_error *error);
	/* The block's next packets, at most max <= BPE_BATCH, all of one link type: writes
	 * block->link_type and the columns data, time_ns, caplen, wirelen, interface_id and
	 * outgoing.  0: the block is empty. The BPF device cuts caplen to the snaplen option; for
	 * the others bpei_device_walk does, behind the filter. */
	uint32_t (*walk)(struct bpei_device *device, struct bpei_block *block,
		const struct bpei_columns *columns, uint32_t max);
	/* Nobody looks at the block any more. */
	void (*done)(struct bpei_device *device, struct bpei_block *block);
	/* Brings the counters below up to date; about once a second, and at the end. */
	void (*stats)(struct bpei_device *device);
	/* Makes a fill that waits return 0.  Any thread; async-signal-safe. */
	void (*wake)(struct bpei_device *device);
	void (*close)(struct bpei_device *device);
	/* Another filter from now on (length 0: none), by the reader.  NULL: bpei_device_walk
	 * filters what walk gave. */
	int (*set_filter)(struct bpei_device *device, const struct bpei_filter *filter,
		struct bpe_error *error);
	/* The packets of the block that walk has yet to give: time and interface of the one at *at
	 * (0: the first), and *at behind it; false: there are no more.  NULL: no interface has a
	 * clock of its own. */
	bool (*look_ahead)(struct bpei_device *device, const struct bpei_block *block, size_t *at,
		uint32_t *interface_id, int64_t *time_ns);
};

/* The part of a device that the engine sees; a backend's own structure begins with it. */
struct bpei_device {
	const struct bpei_device_ops *ops;
	int fd;     /* readable when fill may have something; -1: fill never waits long, or there is
		       none */
	bool lends; /* blocks lie in the device's memory: it needs none from the pool */
	bool has_meta; /* walk writes the meta column */
	bool live;     /* packets come by the clock (interface), not as fast as we read (file) */
	uint32_t max_lent;  /* blocks that may be out at a time */
	size_t block_bytes; /* memory that a block of the pool needs, if !lends */
	uint32_t link_type; /* LINKTYPE_* of the first interface */
	uint32_t netmask; /* of the interface's IPv4 network, for "ip broadcast"; if has_netmask */
	bool has_netmask;
	uint32_t snaplen;                 /* caplen is cut to it; BPE_MAX_SNAPLEN where walk does */
	const struct bpei_kernel *kernel; /* that filters; NULL: none does */
	uint32_t kernel_insns;            /* it takes of an expression's program, at most */
	uint64_t source_bytes;            /* savefile's length; 0 if unknown */
	bool is_directed; /* walk writes each packet's BPEI_WAY_ to the meta column, though has_meta
			     is false */
	bool timeless;    /* walk has not met a packet with a time yet: 0 stands for it */
	struct bpei_decoded *filter;    /* run here on what walk gave; NULL: none */
	struct bpei_directed *directed; /* the expression's programs by way, instead of filter;
					   NULL: they do not differ */
	char *expression; /* filter is this one's for filter_link; compiled anew where packets of
			     another type come */
	uint32_t filter_link, filter_through;
	bool filter_none; /* the expression has no program for filter_link: nothing is let through
			   */
	char source[384]; /* for people: what it is */
	bool many_interfaces; /* interface_id says which: live, the system's index; of a file, its
				 number there */
	struct bpei_names
		names; /* of interfaces: live, filled by the engine; pcapng, as they come */

	bpei_counter kernel_received, kernel_dropped, interface_dropped; /* w: reader  r: any */
	bpei_counter kernel_accepted; /* w: reader  r: any; of kernel_received, by its filter */
	bpei_counter
		kernel_known; /* w: reader  r: any; BPE_KNOWN_*: which of these four are counts */
	bpei_counter
		interface_down; /* w: opener, reader  r: any; 1 while the interface is not up */
	bpei_counter inbound, outbound; /* w: reader  r: any; packets of a directed device, before
					   the filter, that say which way they went */
	bpei_counter filtered;    /* w: reader  r: any; records that were taken out here, where the
				     kernel did not */
	bpei_counter torn_blocks; /* w: reader  r: any; live only */
	bpei_counter duplicates;  /* w: reader  r: any; records that walk left out as the second
				     sight of a packet */
	bpei_counter duplicate_captured, duplicate_wire; /* w: reader  r: any; their bytes */
	bpei_counter
		empty_reads; /* w: reader  r: any; calls for packets that brought none; live only */
	bpei_counter filled_bytes, filled_capacity; /* w: reader  r: any; of the blocks filled: what
						       they held and could have held */
	bpei_counter source_position; /* w: reader  r: any; bytes of the savefile read so far */
};

/* walk, and of what it gives the packets that device->filter lets through, cut to its answer and to
 * snaplen. */
uint32_t bpei_device_walk_filtered(struct bpei_device *device, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);
/* The reader's: a new filter, in the device if it can, else here.  The instructions are copied. */
int bpei_device_set_filter(struct bpei_device *device, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
/* The same for what bpei_device_compile made, which stays the caller's; `expression` for packets of
 * other link types. */
int bpei_device_set_expression(struct bpei_device *device, const char *expression, uint32_t through,
	const struct bpei_filter *filter, struct bpe_error *error);
/* An expression for the device's packets and its kernel.  Looks at nothing that changes: any
 * thread. */
int bpei_device_compile(const struct bpei_device *device, const char *expression, uint32_t snaplen,
	uint32_t through, struct bpei_filter *filter, struct bpe_error *error);
/* The backends': what walk gave is filtered by a copy of the program (length 0: by none).  BPE_OK
 * or BPE_E_MEMORY. */
int bpei_device_filter_here(
	struct bpei_device *device, const struct bpe_insn *program, uint32_t length);
void bpei_device_close(struct bpei_device *device); /* NULL is allowed */

/* What the reader calls, with its role checked (function pointers cannot carry one). */
static inline int bpei_device_fill(struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns,
	struct bpe_error *e) BPEI_READER
{
	return d->ops->fill(d, b, timeout_ns, e);
}
static inline uint32_t bpei_device_walk(struct bpei_device *d, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max) BPEI_READER
{
	return d->filter || d->directed || d->snaplen < BPE_MAX_SNAPLEN
		       ? bpei_device_walk_filtered(d, b, c, max)
		       : d->ops->walk(d, b, c, max);
}
static inline void bpei_device_done(struct bpei_device *d, struct bpei_block *b) BPEI_READER
{
	d->ops->done(d, b);
}
static inline void bpei_device_stats(struct bpei_device *d) BPEI_READER
{
	d->ops->stats(d);
}

/* Opens whatever the options name.  Everything that needs rights happens in here. */
int bpei_device_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);

/* The system's name of the interface that a source names: without "if:" or "bpf:" before it. */
const char *bpei_device_interface(const char *source);
/* Whether a source's name would not be taken for the interface of that name: "any", "synth", what
 * begins with "bpf:"... */
bool bpei_device_name_is_taken(const char *name);

/* The backends' own open functions; bpei_device_open chooses. */
int bpei_savefile_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_synth_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_bpf_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_afpacket_open(const struct bpe_options *options, struct bpei_device **device,
	struct bpe_error *error); /* Linux */

/* The backends': a block was filled with so many bytes of records, of so many that fit. */
static inline void bpei_device_filled(struct bpei_device *d, uint64_t bytes, uint64_t capacity)
{
	bpei_counter_add(&d->filled_bytes, bytes);
	bpei_counter_add(&d->filled_capacity, capacity);
}

/* Tells that the interface is down, so that nobody waits for packets that cannot come. */
void bpei_notice_down(const struct bpe_options *options, const char *name);
/* Calls options->on_notice, if any, with a formatted sentence. */
void bpei_notice(const struct bpe_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
