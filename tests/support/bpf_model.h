/* SPDX-License-Identifier: MIT */
/* The four systems' BPF drivers as a reader meets them, for tests: what each request and each read
 * answers, by the facts that tests/support/bpf_model.c names.  Time comes in as an argument, memory
 * is reached through a function, nothing sleeps: the scripted double runs it under a clock of its
 * own, the served node (tests/bpfnode) behind real system calls. Errors are negative errno numbers
 * of this host. */
#ifndef BPF_MODEL_H
#define BPF_MODEL_H

#include "device/bpf_abi.h"

#include <sys/types.h>

#define MODEL_NODES 64
#define MODEL_INTERFACES 8

struct model_interface {
	char name[16];
	uint32_t dlt[4], dlts; /* the kernel's numbers; the first is the default */
	uint32_t link_bytes;   /* of its link header, for hdrlen */
	bool here, up;
	uint32_t promiscuous; /* descriptors that ask for it */
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
	/* FreeBSD: the caller's two buffers, in turn store and held or free (bpf_model_zbuf.c). */
	bool zero_copy, zheld, zassigned[2];
	uint64_t zbuf[2];
	uint32_t zstore;       /* which of them is the store */
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
	uint32_t memory;      /* bytes that BIOCSETIF can have for a buffer; 0: any */
	int memory_errno;     /* what it says when it cannot */
	uint32_t version;     /* macOS: 0 everything; 12, 10: without what came later */
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

/* What open() of the path's node says: its number, or a negative errno.  number: macOS's N; -1
 * where nodes clone themselves. */
int model_open(struct model *m, int number, int pid);
void model_close(struct model *m, int node);
int model_ioctl(struct model *m, int node, uint32_t request, uint64_t argument, int64_t now_ns);
/* SIOCGIFFLAGS: IFF_UP (1) or not; a negative errno. */
int model_interface_flags(struct model *m, const char *name);

/* read() of n bytes: bytes (copied to `to`), a negative errno, or MODEL_SLEEP: a blocking read
 * would sleep until *deadline_ns (INT64_MAX: for ever) or a change; it is then called again with
 * the time it began, and signalled if a signal came. */
#define MODEL_SLEEP INT64_MIN
int64_t model_read(struct model *m, int node, uint8_t *to, size_t n, int64_t began_ns,
	int64_t now_ns, bool signalled, int64_t *deadline_ns);
/* Whether poll() says readable; a "no" may start the driver's timer: *again_ns is then when to ask
 * anew (INT64_MAX: on a change). */
uint32_t model_bytes(
	const struct model *m, int node); /* what a read would return now: kevent's data */
bool model_ready(struct model *m, int node, int64_t now_ns, int64_t *again_ns);
/* Whether kevent's NOTE_LOWAT is reached, where the node is ready. */
bool model_low_water(const struct model *m, int node, size_t low_water);

struct model_packet {
	const uint8_t *data;
	uint32_t caplen, wirelen;
	int64_t time_ns; /* wall clock */
	bool outgoing;
	int pid; /* the process, as BIOCSEXTHDR would tell; 0: unknown */
	const char *comm;
	uint32_t service_class;
	uint8_t pktflags;
	uint32_t dlt; /* of the tap; 0: the interface's primary one */
};
/* A packet on the interface: to every descriptor on it, by direction, filter and room.  now_ns: the
 * model's clock. */
void model_tap(struct model *m, struct model_interface *on, const struct model_packet *packet,
	int64_t now_ns);
/* Whether every descriptor on the interface could keep a whole packet of caplen bytes; and whether
 * all they kept has been read. */
bool model_room(const struct model *m, const struct model_interface *on, uint32_t caplen);
bool model_drained(const struct model *m, const struct model_interface *on);
void model_remove(struct model *m, struct model_interface *on);     /* the interface goes away */
ssize_t model_sysctl_stats(struct model *m, uint8_t *to, size_t n); /* macOS: debug.bpf_stats */

#endif
