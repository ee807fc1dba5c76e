/* SPDX-License-Identifier: MIT */
/* The four systems' BPF drivers as seen by a reader, for tests: the answers of each request and
 * each read.  tests/support/bpf_model.c names the sources.  Time is an argument, memory is accessed
 * by a function, and nothing sleeps.  The scripted double runs the model by an own clock, the
 * served node (tests/bpfnode) behind real system calls.  Errors are negative errno numbers of this
 * host. */
#ifndef BPF_MODEL_H
#define BPF_MODEL_H

#include "device/bpf_abi.h"

#include <sys/types.h>

#define MODEL_NODES 64
#define MODEL_INTERFACES 8

struct model_interface {
	char name[16];
	uint32_t dlt[4], dlts; /* the kernel's numbers; the first is the default */
	uint32_t link_bytes;   /* of the link header, for hdrlen */
	bool here, up;
	uint32_t promiscuous; /* descriptors in promiscuous mode */
};

struct model_node {
	bool open;
	struct model_interface *on; /* NULL: not attached */
	bool was_on;
	uint32_t dlt;
	uint32_t size;         /* buffer length */
	uint8_t *store, *hold; /* hold_length 0: the slot is free */
	uint32_t store_length, hold_length, store_packets, hold_packets;
	bool immediate, nonblocking, promiscuous, timed_out, nano, hdrcmplt;
	bool exthdr, headdrop, hdrcomp, wantpktap, truncate, header_v2, no_stamp; /* macOS */
	int64_t read_timeout_ns;                                                  /* 0: none */
	int64_t write_timeout_ns,
		first_ns;        /* OpenBSD: -1: none; when the store's first packet came */
	int64_t select_since_ns; /* a readiness timer runs since; 0: none */
	uint32_t direction;      /* bits: 1 in, 2 out */
	struct bpe_insn program[BPE_MAX_INSNS];
	uint32_t program_length; /* 0: everything */
	uint64_t received, dropped, accepted;
	/* FreeBSD: the caller's two buffers; each is the store, held, or free (bpf_model_zbuf.c).
	 */
	bool zero_copy, zheld, zassigned[2];
	uint64_t zbuf[2];
	uint32_t zstore;       /* the index of the store */
	uint8_t previous[255]; /* compression */
	uint32_t previous_length;
	int pid;
};

struct model {
	const struct bpei_bpf_abi *abi;
	struct model_interface interface[MODEL_INTERFACES];
	struct model_node node[MODEL_NODES];
	uint32_t made;        /* macOS: nodes that exist */
	uint32_t buffer_most; /* BIOCSBLEN's limit */
	uint32_t memory;      /* bytes available to BIOCSETIF for a buffer; 0: any number */
	int memory_errno;     /* the error of BIOCSETIF without memory */
	uint32_t version;     /* macOS: release; later requests are unknown; 0: all are known */
	bool compression_enabled, zero_copy_enabled, openbsd_old;
	bool headers_switched_late;    /* BIOCSEXTHDR came behind BIOCSETIF */
	bool wants_pktap;              /* macOS: debug.bpf_wantpktap */
	uint64_t compression_stats[7]; /* struct bpf_comp_stats, of all nodes */
	/* The caller's memory: 0 or a negative errno. */
	int (*get)(void *user, void *to, uint64_t from, size_t n);
	int (*put)(void *user, uint64_t to, const void *from, size_t n);
	void *user;
};

void model_init(struct model *m, const struct bpei_bpf_abi *abi);
void model_free(struct model *m);
struct model_interface *model_add(
	struct model *m, const char *name, uint32_t dlt, uint32_t link_bytes);

/* Opens a node as open() of the path does.  number: macOS's N; -1 where nodes clone themselves.
 * Returns the number of the node, or a negative errno. */
int model_open(struct model *m, int number, int pid);
void model_close(struct model *m, int node);
int model_ioctl(struct model *m, int node, uint32_t request, uint64_t argument, int64_t now_ns);
/* Returns IFF_UP (1) or 0 as SIOCGIFFLAGS does, or a negative errno. */
int model_interface_flags(struct model *m, const char *name);

/* The time of a read: the start, the clock now, and whether a signal arrived in between. */
struct model_moment {
	int64_t began_ns, now_ns;
	bool signalled;
};

/* Reads n bytes as read() does, and copies them to `to`.  Returns the bytes, a negative errno, or
 * MODEL_SLEEP.  MODEL_SLEEP means: a blocking read would sleep until *deadline_ns (INT64_MAX: for
 * ever) or a change.  The caller then calls again with the same began_ns. */
#define MODEL_SLEEP INT64_MIN
int64_t model_read(struct model *m, int node, uint8_t *to, size_t n,
	const struct model_moment *moment, int64_t *deadline_ns);
/* Returns the bytes of a read now, kevent's data. */
uint32_t model_bytes(const struct model *m, int node);
/* Returns whether poll() reports the node readable.  A false may start the driver's timer;
 * *again_ns is then the time of the next call (INT64_MAX: on a change). */
bool model_ready(struct model *m, int node, int64_t now_ns, int64_t *again_ns);
/* Returns whether a ready node has reached kevent's NOTE_LOWAT. */
bool model_low_water(const struct model *m, int node, size_t low_water);

struct model_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen;
	int64_t time_ns; /* wall clock */
	bool outgoing;
	int pid; /* the process, reported with BIOCSEXTHDR; 0: unknown */
	const char *comm;
	uint32_t service_class;
	uint8_t pktflags;
	uint32_t dlt; /* of the tap; 0: the interface's primary link type */
};
/* Offers a packet of the interface to every attached descriptor, by direction, filter and room.
 * now_ns: the model's clock. */
void model_tap(struct model *m, struct model_interface *on, const struct model_packet *packet,
	int64_t now_ns);
/* Returns whether every attached descriptor has room for a whole packet of caplen bytes. */
bool model_room(const struct model *m, const struct model_interface *on, uint32_t caplen);
/* Returns whether the readers have read all records of the interface. */
bool model_drained(const struct model *m, const struct model_interface *on);
void model_remove(struct model *m, struct model_interface *on);     /* the interface goes away */
ssize_t model_sysctl_stats(struct model *m, uint8_t *to, size_t n); /* macOS: debug.bpf_stats */

#endif
