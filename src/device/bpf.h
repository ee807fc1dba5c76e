/* SPDX-License-Identifier: MIT */
/* Declarations shared by the files of the BPF device.
 * - bpf.c: the device's functions, statistics;
 * - bpf_node.c: opening a node;
 * - bpf_ioctl.c: requests;
 * - bpf_open.c: the ladder of requests up to the first packet;
 * - bpf_filter.c: filters;
 * - bpf_read.c: waiting and reading;
 * - bpf_recover.c: failed reads;
 * - bpf_zbuf.c: FreeBSD's shared buffers. */
#ifndef BPEI_BPF_H
#define BPEI_BPF_H

#include "device/bpf_abi.h"
#include "device/bpf_sys.h"
#include "device/device.h"
#include "records/bpf_inflate.h"
#include "records/walk_bpf.h"
#include "filter/kernel.h"

/* Most blocks in flight; each is as large as the kernel's buffer. */
#define BPEI_BPF_BLOCKS 8u
#define BPEI_ZBUF_BLOCKS 8u

/* A link without packets for this long counts as idle; also the longest pause between two reads of
 * a busy link. */
#define BPEI_PACE_MOST_NS 1000000
#define BPEI_THROUGHPUT_WAIT_NS 50000000 /* a multiple of macOS's and NetBSD's 10 ms tick */

/* Bytes that a read of a busy link is to bring.  The kernel fills its buffers from their
 * beginnings, so only the bytes between two reads are touched: as many stay in caches, however
 * large the buffers are.  The rest of a large buffer is for times in which the reader is late. */
#define BPEI_BPF_PORTION ((size_t)512 << 10)

#define BPEI_PKTAP_ROOM 256u /* a kernel's snapshot length counts the PKTAP header */

/* FreeBSD: two buffers shared with the kernel. */
struct bpei_zbuf {
	uint8_t *memory;
	size_t bytes;    /* of each buffer */
	uint32_t next;   /* buffer that the kernel fills next */
	uint32_t ours;   /* buffers that the kernel has handed over */
	uint32_t looked; /* bytes of the next buffer that were lent before the hand-over */
	bool whole[BPEI_ZBUF_BLOCKS]; /* of each block in flight: the last part of a buffer */
	uint32_t first, lent;         /* oldest block in flight; blocks in flight */
	int64_t idle_ns;              /* current length of a sleep */
	bool spins;                   /* the descriptor was ready without data */
};

struct bpei_bpf {
	struct bpei_device device;
	struct bpe_options options;
	const struct bpei_bpf_abi *abi;
	struct bpei_bpf_sys sys;
	char name[BPEI_IFREQ_NAME]; /* of the interface */
	bool made_interface;        /* created by us, destroyed at close */
	char node[256];             /* path of the open node; "" */
	int minor;                  /* macOS: N of /dev/bpfN */
	struct bpei_bpf_waiter waiter;
	bool lent;            /* macOS: the program waits for fd; no knote is registered here */
	int fd;               /* -1 while the interface is away */
	int wake[2];          /* pipe that ends a wait */
	bool can_nonblocking; /* current mode of the descriptor */
	size_t buffer_bytes;  /* exact size that read() accepts */
	size_t block_bytes;   /* upper bound of buffer_bytes */
	struct bpei_bpf_walk walk;
	struct bpe_insn *filter; /* the user's filter; NULL: none */
	uint32_t filter_length;
	struct bpei_kernel_program fit; /* the kernel's version of the filter */
	bool kernel_filters;            /* the kernel runs the whole filter */
	bool kernel_narrows;            /* the kernel runs a wider filter */
	bool has_read;                  /* the node has returned a buffer */

	/* Reading */
	int64_t pace_ns, last_read_ns; /* auto and paced: time between two reads */
	bool busy;                     /* the last read returned packets */
	bool times_reads;              /* throughput: reads by the clock, a portion each */
	bool much;                     /* the last read returned more than a portion */
	bool drained;                  /* the last read probably left nothing in the kernel */
	int64_t quiet_since_ns;        /* start of a time without packets, after which the presence
					  of the interface is checked; 0: packets come */
	bool leaving;                  /* the interface is gone: the rest is read, then the end is
					  reported */

	struct bpei_inflate chain; /* BIOCSHDRCOMP */
	bool inflates;
	struct {
		uint8_t *memory;
		size_t bytes;
	} inflated[BPEI_BPF_BLOCKS];
	uint32_t fills;

	bool zero_copy;
	struct bpei_zbuf zbuf;

	/* The kernel's counters at the last call of stats. */
	uint64_t last_received, last_dropped, last_accepted;
};

static inline struct bpei_bpf *bpei_bpf_of(struct bpei_device *d)
{
	return (struct bpei_bpf *)(void *)d;
}

/* Returns the bytes that a read of a busy link is to bring: half a buffer, which leaves the kernel
 * as much again, and no more than caches hold. */
static inline size_t bpei_bpf_portion(const struct bpei_bpf *b)
{
	const size_t half = b->buffer_bytes / 2;

	return half < BPEI_BPF_PORTION ? half : BPEI_BPF_PORTION;
}

/* Sets the counters' last values to 0, after a request that zeroed the kernel's counters. */
static inline void bpei_bpf_counters_zeroed(struct bpei_bpf *b)
{
	b->last_received = 0;
	b->last_dropped = 0;
	b->last_accepted = 0;
}

/* bpf_ioctl.c */

/* Makes one request.  Returns >= 0 or a negative errno of this host; -EINVAL if the system has no
 * such request. */
int bpei_bpf_call(struct bpei_bpf *b, enum bpei_bpf_call call, void *argument);
int bpei_bpf_call_u32(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t *value);
/* Switches non-blocking reads on or off.  Returns 0 or a negative errno. */
int bpei_bpf_nonblocking(struct bpei_bpf *b, bool on);
/* Returns false if BIOCGETIF says that the interface is gone. */
bool bpei_bpf_is_there(struct bpei_bpf *b);

/* bpf_node.c */

/* Opens the first free node and sets fd, node and minor.  Returns BPE_OK or a status. */
int bpei_bpf_open_node(struct bpei_bpf *b, struct bpe_error *error);

/* bpf_open.c */

/* Opens a node and attaches to the interface; on failure nothing stays open.  Options, ABI, system
 * calls, name and filter of *b are set before.  Returns BPE_OK or a status. */
int bpei_bpf_attach(struct bpei_bpf *b, struct bpe_error *error);
/* Closes the node. */
void bpei_bpf_detach(struct bpei_bpf *b);
/* Writes the error for header compression on a PKTAP interface and returns the status. */
int bpei_bpf_refuse_compression(struct bpe_error *error, const char *name);

/* bpf_filter.c */

/* Keeps a copy of the filter, and runs the copy in user space until the kernel takes the filter.
 * Returns BPE_OK or BPE_E_MEMORY. */
int bpei_bpf_keep_filter(struct bpei_bpf *b, const struct bpei_filter *filter);
/* Installs the kept filter in the kernel of a freshly attached node.  Returns >= 0 or -errno. */
int bpei_bpf_install(struct bpei_bpf *b);
/* Ends the attaching: the filter goes on in user space only where the kernel does not run the whole
 * filter, which a notice reports.  Returns BPE_OK or BPE_E_MEMORY. */
int bpei_bpf_filter_attached(struct bpei_bpf *b);
int bpei_bpf_set_filter(
	struct bpei_device *device, const struct bpei_filter *filter, struct bpe_error *error);

/* bpf_read.c */
int bpei_bpf_fill(struct bpei_device *device, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error);

/* bpf_recover.c */

/* Handles the end of an interface of which nothing is left to read.  Returns 0 if the reader is to
 * wait for the interface's return, or BPE_E_GONE. */
int bpei_bpf_went_away(struct bpei_bpf *b, struct bpe_error *error);
/* Handles a read that failed with errno e.  Returns >= 0 if another read may succeed, or a
 * status. */
int bpei_bpf_read_failed(struct bpei_bpf *b, int e, struct bpe_error *error);

/* bpf_zbuf.c */

/* Maps the shared buffers; called before BIOCSETIF.  Returns >= 0 or -errno. */
int bpei_zbuf_open(struct bpei_bpf *b);
void bpei_zbuf_close(struct bpei_bpf *b);
/* Returns 1 with a block; 0 if none came in time, with the reason in *events; 2 if the interface is
 * gone. */
int bpei_zbuf_fill(struct bpei_bpf *b, struct bpei_block *block, int64_t timeout_ns, int *events);
void bpei_zbuf_done(struct bpei_bpf *b);

/* Opens a device with another system's calls and ABI, for tests. */
int bpei_bpf_open_with(const struct bpei_bpf_sys *sys, const struct bpe_options *options,
	struct bpei_device **device, struct bpe_error *error);

#endif
