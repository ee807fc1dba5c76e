/* SPDX-License-Identifier: MIT */
/* A scripted double of a system with a BPF driver: the model's drivers behind struct bpei_bpf_sys.
 * The double has a clock, traffic and events by the clock, and faults at any call.  Nothing sleeps:
 * a wait moves the clock. */
#ifndef BPF_DOUBLE_H
#define BPF_DOUBLE_H

#include "bpf_model.h"
#include "device/bpf_sys.h"

#define DOUBLE_FD 1000 /* descriptors begin here */
#define DOUBLE_EVENTS 8192

enum double_kind { DOUBLE_PACKET, DOUBLE_REMOVE, DOUBLE_RETURN, DOUBLE_SIGNAL };

struct double_event {
	int64_t at_ns;
	enum double_kind kind;
	uint32_t number; /* of the packet */
	uint32_t size;
	bool outgoing;
	int pid;
};

struct bpf_double {
	struct model model;
	struct bpei_bpf_sys sys;
	int64_t now_ns, wall_ns;            /* wall clock at now 0 */
	int64_t read_cost_ns, byte_cost_ps; /* time of a read, and of each byte */
	struct model_interface *interface;  /* packets arrive here */
	struct double_event event[DOUBLE_EVENTS];
	uint32_t events, next;
	uint32_t denied_from; /* macOS: nodes from this number on return EACCES; UINT32_MAX: none */
	uint32_t calls, fault_at; /* the number of the call to fail, from 1; 0: none */
	int fault_errno;          /* the error of the failed call */
	int pledged_errno;        /* every request but BIOCGSTATS returns this error; 0: no error */
	uint32_t open_descriptors, reads, ioctls, waits;
	/* macOS: queues open now and made in all; knotes added to the device, and removed while the
	 * device was open. */
	uint32_t queues, queues_made, knotes_added, knotes_removed;
	bool knote_flag; /* the descriptor's flag for all knotes (BPF_KNOTE) */
	void (*at_call)(struct bpf_double *d); /* NULL; before and behind each ioctl and wait */
	void *user;
	bool said_ready, broke_rule; /* an ioctl came between readiness and read */
	size_t read_most;            /* longer reads are EINVAL; 0: none */
	bool signalled;
	uint32_t made; /* interfaces made for the caller and not destroyed */
	bool is_root;
	uint32_t tapped; /* packets arrived while the interface existed */
};

void double_init(struct bpf_double *d, const struct bpei_bpf_abi *abi);
void double_free(struct bpf_double *d);
void double_at(struct bpf_double *d, int64_t at_ns, enum double_kind kind); /* in order of time */
void double_packet(struct bpf_double *d, int64_t at_ns, uint32_t number, uint32_t size);
/* Writes packet `number` of `size` bytes, at least 64: Ethernet, IPv4, UDP, then a payload of the
 * number and a pattern. */
void double_bytes(uint8_t *to, uint32_t number, uint32_t size);
#define DOUBLE_MOST 9100u

#endif
