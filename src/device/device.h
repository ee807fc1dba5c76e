/* SPDX-License-Identifier: MIT */
/* The device contract: a struct of functions for each kind of packet source.
 *
 * Life: open -> (fill -> walk ... walk -> done)* -> close.  The reader calls all functions between
 * open and close; only wake may be called by other threads.  Several blocks may be between fill and
 * done at a time, since workers still read them, but at most max_blocks_in_flight.  Blocks are
 * released in the order in which they were filled.
 */
#ifndef BPEI_DEVICE_H
#define BPEI_DEVICE_H

#include "arch/arch.h"
#include "base/counter.h"
#include "base/ifnames.h"
#include "base/roles.h"
#include "records/block.h"
#include "records/packet_source.h"
#include "bpfengine.h"

struct bpei_device;
struct bpei_filter;
struct bpei_kernel;
struct bpei_decoded;
struct bpei_way_programs;

struct bpei_device_ops {
	const char *name;
	/* Makes the next block ready.  timeout_ns < 0: waits without limit; 0: does not wait.
	 * Returns 1 if *block is filled; 0 if nothing came in time, or wake was called; BPE_E_END
	 * if there will never be more; or another status, with the reason in *error, once every
	 * block before was returned.  A block which cannot be filled is left unchanged. */
	int (*fill)(struct bpei_device *device, struct bpei_block *block, int64_t timeout_ns,
		struct bpe_error *error);
	/* Returns the block's next packets, at most max <= BPE_BATCH, all of the same link type; 0:
	 * the block is empty.  Writes block->link_type and the columns data, time_ns, caplen,
	 * wirelen, interface_id and outgoing.  A device with walk_cuts also cuts caplen to snaplen,
	 * unless device->filter is set. */
	uint32_t (*walk)(struct bpei_device *device, struct bpei_block *block,
		const struct bpei_columns *columns, uint32_t max);
	/* Releases a block, which no thread reads any more. */
	void (*done)(struct bpei_device *device, struct bpei_block *block);
	/* Brings the counters below up to date; called about once a second, and at the end. */
	void (*stats)(struct bpei_device *device);
	/* Makes a waiting fill return 0.  Any thread; async-signal-safe. */
	void (*wake)(struct bpei_device *device);
	void (*close)(struct bpei_device *device);
	/* Learns that the program waits for fd by itself.  NULL: both waits go together. */
	void (*lend_fd)(struct bpei_device *device);
	/* Replaces the filter (length 0: removes the filter).  NULL: filters run in user space
	 * (bpei_device_walk). */
	int (*set_filter)(struct bpei_device *device, const struct bpei_filter *filter,
		struct bpe_error *error);
	/* Replaces the filter by an expression, which is compiled for each of several sources.
	 * NULL: the device has a source and takes programs (set_filter). */
	int (*set_expression)(struct bpei_device *device, const char *expression, uint32_t through,
		struct bpe_error *error);
	/* Gives the numbers of source k of several.  Any thread.  Returns false if there is none.
	 * NULL: the device is a source by itself. */
	bool (*source_stats)(
		const struct bpei_device *device, uint32_t k, struct bpe_interface_stats *stats);
	/* Looks at the packets of the block which walk has not returned yet.  Stores time and
	 * interface of the packet at *at (0: the first) and moves *at behind the packet.  Returns
	 * false if there are no more.  NULL: no interface has a separate clock. */
	bool (*look_ahead)(struct bpei_device *device, const struct bpei_block *block, size_t *at,
		uint32_t *interface_id, int64_t *time_ns);
	/* Takes the wrapper off packet i, which walk leaves on while device->filter is set: kernels
	 * filter a packet with the wrapper.  Returns the link type inside.  Called if
	 * device->wraps_packets. */
	uint32_t (*unwrap)(
		struct bpei_device *device, const struct bpei_columns *columns, uint32_t i);
};

/* The part of a device which the engine sees; the first member of a backend's structure. */
struct bpei_device {
	struct bpei_packet_source told; /* the first member: bpe_batch.source points here */
	const struct bpei_device_ops *ops;
	int fd;               /* readable when fill may have a block; -1: nothing to poll */
	bool maps_blocks;     /* blocks lie in the device's memory, none of the pool is needed */
	bool has_meta;        /* walk writes the meta column */
	bool live;            /* packets come by the clock (interface), not at reading speed */
	bool many_interfaces; /* interface_id differs: of a kernel, the system's index; of a
				 file, the interface's number there; pushed, the program's number */
	bool is_directed;     /* walk writes each packet's BPEI_WAY_ to the low bits of the meta
				 column (BPEI_META_WAY), even if has_meta is false */
	int64_t late_ns;      /* live: the kernel hands a packet over at most so much later */
	bool timeless;        /* no packet with a time was walked yet: 0 stands for the time */
	bool walk_cuts;       /* see walk */
	bool wraps_packets;   /* see unwrap */
	uint32_t max_blocks_in_flight;
	uint32_t threads;   /* set by the engine: its reader and its workers.  The device may have
			       another thread if more CPUs are there.  0: never */
	size_t block_bytes; /* memory for a block of the pool, unless maps_blocks */
	uint32_t link_type; /* LINKTYPE_* of the first interface */
	uint32_t netmask;   /* of the interface's IPv4 network, for "ip broadcast" */
	bool has_netmask;
	uint32_t snaplen;                 /* caplen is cut to snaplen */
	const struct bpei_kernel *kernel; /* kernel which filters; NULL: none does */
	uint32_t kernel_insns;            /* most instructions for the kernel */
	uint64_t source_bytes;            /* length of the savefile; 0 if unknown */
	char source[384];                 /* description of the source, for people */
	struct bpei_names names;          /* of interfaces: live, filled by the engine; pcapng, as
					     interface blocks come */

	/* The user-space filter (device_filter.c). */
	struct bpei_decoded *filter;            /* NULL: none runs here */
	struct bpei_way_programs *way_programs; /* programs by direction, instead of filter; NULL:
						   the programs do not differ */
	char *expression;                       /* source text of filter; NULL: filter was given as
						   instructions */
	uint32_t filter_link, filter_through;   /* link type and tunnels filter is compiled for */
	bool filter_none;        /* the expression has no program for filter_link: no packet passes
				  */
	uint32_t refilter_fills; /* fills until the filter stops running here; 0: never stops */

	/* All counters: w: reader  r: any. */
	bpei_counter kernel_received, kernel_dropped, interface_dropped;
	bpei_counter kernel_accepted;    /* of kernel_received, by the kernel's filter */
	bpei_counter kernel_known;       /* BPE_KNOWN_*: which of these four are counted */
	bpei_counter interface_down;     /* 1 while the interface is not up; first set at open */
	bpei_counter inbound, outbound;  /* packets of a directed device with a known direction,
					    before the filter */
	bpei_counter filtered;           /* packets rejected in user space */
	bpei_counter torn_blocks;        /* live only */
	bpei_counter duplicates;         /* records skipped by walk as second copy of a packet */
	bpei_counter duplicate_captured; /* bytes of the duplicates, and */
	bpei_counter duplicate_wire;     /* their length on the wire */
	bpei_counter empty_reads;        /* calls for packets without result; live only */
	bpei_counter filled_bytes;       /* bytes in filled blocks, and */
	bpei_counter filled_capacity;    /* room for them */
	bpei_counter source_position;    /* bytes of the savefile read so far */
};

/* ---- For the engine ---- */

/* Opens the source named by the options.  All steps which need privileges happen in here. */
int bpei_device_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
void bpei_device_close(struct bpei_device *device); /* NULL is allowed */

/* Calls walk, runs the filter and cuts each packet to the filter's answer and to snaplen.  Returns
 * the packets which passed; 0: the block is empty. */
uint32_t bpei_device_walk_filtered(struct bpei_device *device, struct bpei_block *block,
	const struct bpei_columns *columns, uint32_t max);
/* Replaces the filter, in the kernel if the device can, else in user space.  Copies the
 * instructions.  Reader only. */
int bpei_device_set_filter(struct bpei_device *device, const struct bpe_insn *filter,
	uint32_t length, struct bpe_error *error);
/* Replaces the filter by a result of bpei_device_compile; the caller keeps `filter`.
 * `expression`: text to compile anew for packets of other link types. */
int bpei_device_set_expression(struct bpei_device *device, const char *expression, uint32_t through,
	const struct bpei_filter *filter, struct bpe_error *error);
/* Compiles an expression for the device's packets and kernel.  Reads constant members only: any
 * thread. */
int bpei_device_compile(const struct bpei_device *device, const char *expression, uint32_t snaplen,
	uint32_t through, struct bpei_filter *filter, struct bpe_error *error);

/* Calls an operation of the backend, with the reader's role checked.  Function pointers cannot
 * carry a role; the following functions do the same. */
static inline int bpei_device_fill(struct bpei_device *d, struct bpei_block *b, int64_t timeout_ns,
	struct bpe_error *e) BPEI_READER
{
	return d->ops->fill(d, b, timeout_ns, e);
}
static inline uint32_t bpei_device_walk(struct bpei_device *d, struct bpei_block *b,
	const struct bpei_columns *c, uint32_t max) BPEI_READER
{
	bool cut_here = d->snaplen < BPE_MAX_SNAPLEN && !d->walk_cuts;

	if (d->filter || d->way_programs || cut_here)
		return bpei_device_walk_filtered(d, b, c, max);
	return d->ops->walk(d, b, c, max);
}
static inline void bpei_device_done(struct bpei_device *d, struct bpei_block *b) BPEI_READER
{
	d->ops->done(d, b);
}
static inline void bpei_device_stats(struct bpei_device *d) BPEI_READER
{
	d->ops->stats(d);
}

/* ---- Names of sources (source.c) ---- */

/* Returns the system's name of a source's interface: without "if:" or "bpf:". */
const char *bpei_device_interface(const char *source);
/* Returns true if -i takes the name for another source than the interface: "any", "synth", or a
 * name which begins with "bpf:"... */
bool bpei_device_name_is_taken(const char *name);
/* Returns true if the name asks for generated traffic even where an interface is called synth. */
bool bpei_source_is_synth_only(const char *source);
/* Returns true if the source is called "synth": an interface, or generated traffic if there is no
 * interface of the name. */
bool bpei_source_is_synth_name(const char *source);

/* ---- For the backends ---- */

int bpei_savefile_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_push_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
/* Opens several sources as one device.  open_source opens each. */
typedef int bpei_device_opener(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_multi_open(const struct bpe_options *options, bpei_device_opener *open_source,
	struct bpei_device **device, struct bpe_error *error);
int bpei_synth_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_bpf_open(
	const struct bpe_options *options, struct bpei_device **device, struct bpe_error *error);
int bpei_afpacket_open(const struct bpe_options *options, struct bpei_device **device,
	struct bpe_error *error); /* Linux */

/* Runs a copy of the program (length 0: no program) in user space from now on.  Returns BPE_OK or
 * BPE_E_MEMORY. */
int bpei_device_filter_here(
	struct bpei_device *device, const struct bpe_insn *program, uint32_t length);
/* Notes that the kernel runs the filter from now on.  The next `blocks` blocks may hold packets
 * which an older filter accepted: until these blocks were filled, the filter runs here as well. */
void bpei_device_filter_until(struct bpei_device *device, uint32_t blocks);
/* Ends the time begun by bpei_device_filter_until: the kernel's buffers are empty. */
void bpei_device_filter_drained(struct bpei_device *device);
/* Frees the filter and all programs. */
void bpei_device_filter_free(struct bpei_device *device);
/* Counts a fill for bpei_device_filter_until; called before the block is walked. */
static inline void bpei_device_filter_count_fill(struct bpei_device *d)
{
	if (d->refilter_fills && !--d->refilter_fills)
		bpei_device_filter_here(d, NULL, 0);
}

/* Counts a filled block: bytes of records, and room for records. */
static inline void bpei_device_filled(struct bpei_device *d, uint64_t bytes, uint64_t capacity)
{
	bpei_counter_add(&d->filled_bytes, bytes);
	bpei_counter_add(&d->filled_capacity, capacity);
}

/* Reports that the interface is down, so nobody waits in vain for packets. */
void bpei_notice_down(const struct bpe_options *options, const char *name);
/* Calls options->on_notice, if any, with a formatted sentence. */
void bpei_notice(const struct bpe_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
