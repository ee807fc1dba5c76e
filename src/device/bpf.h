/* SPDX-License-Identifier: MIT */
/* What the files of the BPF device share.  Lives here: bpf.c (the device's functions, statistics,
 * filters), bpf_node.c (opening a node), bpf_open.c (the ladder of requests up to the first
 * packet), bpf_read.c (waiting and reading), bpf_zbuf.c (FreeBSD's shared buffers). */
#ifndef BPEI_BPF_H
#define BPEI_BPF_H

#include "device/bpf_abi.h"
#include "device/bpf_sys.h"
#include "device/device.h"
#include "filter/kernel.h"

#define BPEI_BPF_BLOCKS 8u /* read at a time, at most; each as large as the kernel's buffer */

/* How long nothing may come before a link is taken to be idle, and at most between two looks at a
 * busy one. */
#define BPEI_PACE_MOST_NS 1000000

#define BPEI_ZBUF_BLOCKS 8u /* out at a time, at most */

struct bpei_zbuf { /* FreeBSD: two buffers shared with the kernel */
	uint8_t *memory;
	size_t bytes;        /* of each */
	uint32_t next, ours; /* the one that the kernel fills next; how many it handed over */
	uint32_t looked;     /* bytes of the next that were given before that */
	bool whole[BPEI_ZBUF_BLOCKS]; /* blocks out, oldest first: the last of their buffer */
	uint32_t first, lent;         /* the oldest of them; how many */
	int64_t idle_ns;              /* the step that a sleep has grown to */
	bool spins;                   /* the descriptor was ready, and nothing there */
};

struct bpei_bpf {
	struct bpei_device device;
	struct bpe_options options;
	const struct bpei_bpf_abi *abi;
	struct bpei_bpf_sys sys;
	char name[BPEI_IFREQ_NAME]; /* the interface */
	bool made_interface;        /* by us, and to be done away with */
	char node[256];             /* the path that was opened; "" */
	int minor;                  /* macOS: N of /dev/bpfN */
	struct bpei_bpf_waiter waiter;
	int fd, wake[2];      /* fd: -1 while the interface is away; wake: a pipe */
	bool can_nonblocking; /* as the descriptor stands */
	size_t buffer_bytes;  /* what read() wants, exactly */
	size_t block_bytes;   /* most that buffer_bytes may become */
	struct bpei_bpf_walk walk;
	struct bpe_insn *filter; /* the user's; NULL */
	uint32_t filter_length;
	struct bpei_kernel_program fit; /* what the kernel is given of it */
	bool kernel_filters;            /* all of filter is in the kernel */
	bool kernel_narrows;            /* what it has is wider */
	bool has_read;                  /* the node has given a buffer */

	/* Reading */
	int64_t pace_ns, last_read_ns; /* auto and paced: from one read to the next */
	bool busy, much;        /* the last read brought something; more than half a buffer */
	int64_t quiet_since_ns; /* nothing has come since; for looking whether the interface is
				   there */
	bool leaving;           /* the interface is gone: what is left is read, then it is told */

	struct bpei_inflate chain; /* BIOCSHDRCOMP */
	bool inflates;
	struct {
		uint8_t *memory;
		size_t bytes;
	} inflated[BPEI_BPF_BLOCKS];
	uint32_t fills;

	bool zero_copy;
	struct bpei_zbuf zbuf;

	uint64_t last_received, last_dropped,
		last_accepted; /* of the kernel's counters, for their differences */
};

static inline struct bpei_bpf *bpei_bpf_of(struct bpei_device *d)
{
	return (struct bpei_bpf *)(void *)d;
}

/* bpf_ioctl.c.  One request: >= 0 or a negative errno of this host; -EINVAL where the system has no
 * such request.
 */
int bpei_bpf_call(struct bpei_bpf *b, enum bpei_bpf_call call, void *argument);
int bpei_bpf_call_u32(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t *value);
int bpei_bpf_nonblocking(struct bpei_bpf *b, bool on);
bool bpei_bpf_is_there(struct bpei_bpf *b); /* BIOCGETIF knows the interface */

/* bpf_node.c: opens the first node that is free: fd, node and minor, or a status. */
int bpei_bpf_open_node(struct bpei_bpf *b, struct bpe_error *error);

/* bpf_open.c: opens the node and attaches; on failure nothing stays open.  The rest of *b is set
 * before. */
int bpei_bpf_attach(struct bpei_bpf *b, struct bpe_error *error);
void bpei_bpf_detach(struct bpei_bpf *b);
int bpei_bpf_refuse_compression(struct bpe_error *error, const char *name);
int bpei_bpf_install(struct bpei_bpf *b,
	enum bpei_bpf_call call); /* the filter, by BIOCSETF or BIOCSETFNR: >= 0 or -errno */
void bpei_bpf_tell_filter(struct bpei_bpf *b); /* a notice, if the kernel does not do all of it */

/* bpf_read.c */
int bpei_bpf_fill(struct bpei_device *device, struct bpei_block *block, int64_t timeout_ns,
	struct bpe_error *error);

/* bpf_zbuf.c */
int bpei_zbuf_open(struct bpei_bpf *b); /* before BIOCSETIF: >= 0 or -errno */
void bpei_zbuf_close(struct bpei_bpf *b);
/* 1: a block; 0: none within the time, *events telling why; 2: the interface is gone. */
int bpei_zbuf_fill(struct bpei_bpf *b, struct bpei_block *block, int64_t timeout_ns, int *events);
void bpei_zbuf_done(struct bpei_bpf *b);

/* With another system's calls and ABI: tests. */
int bpei_bpf_open_with(const struct bpei_bpf_sys *sys, const struct bpe_options *options,
	struct bpei_device **device, struct bpe_error *error);

#endif
