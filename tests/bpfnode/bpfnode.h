/* SPDX-License-Identifier: MIT */
/* State shared by the files of bpfnode: bpfnode.c (options, life), node_fuse.c (requests),
 * node_feed.c (packets). */
#ifndef BPFNODE_H
#define BPFNODE_H

#define FUSE_USE_VERSION 35
#include <fuse3/fuse_lowlevel.h>

#include "bpf_model.h"

#include <pthread.h>

#define MOST_READ 983040u /* below FUSE's 256 pages whatever the caller's alignment */
#define TICK_NS 1000000

enum at_end { AT_END_IDLE, AT_END_REMOVE, AT_END_EXIT };

struct served_node {
	struct model model;
	pthread_mutex_t lock; /* guards the model and all members which change */
	pthread_cond_t changed;
	struct model_interface *interface;
	struct fuse_pollhandle *poll[MODEL_NODES];
	int64_t poll_again_ns[MODEL_NODES];
	pid_t caller; /* the model accesses the memory of this process */
	pid_t sharer; /* process which shares buffers with the node (FreeBSD's zero-copy); 0: none
		       */
	bool zero_copy;
	struct fuse_session *session;
	struct bpe_options source;
	double rate; /* packets/s; 0: at reading speed */
	uint64_t loops;
	enum at_end at_end;
	int64_t end_wait_ns;
	bool ending, original_times, patient;
	uint64_t fed, fed_bytes, read_calls, read_bytes, dropped, received;
	uint32_t attached;     /* 1: a reader has attached; 2: and has read or polled */
	pthread_key_t buffers; /* a read buffer for each of libfuse's threads */
};

extern struct served_node node;

/* node_fuse.c */

extern const struct fuse_lowlevel_ops node_operations;
/* Copies between this process and the caller's memory, for the model.  Return 0 or -errno. */
int node_fetch(void *user, void *to, uint64_t from, size_t n);
int node_store(void *user, uint64_t to, const void *from, size_t n);
/* Makes the sharer the caller, if buffers are shared.  Called with the lock held. */
void node_use_sharer(void);
/* Notifies pollers of readable nodes.  Called with the lock held. */
void node_notify_polls(int64_t now);
/* Adds the counts of a node which is closed.  Called with the lock held. */
void node_count_closed(const struct model_node *closed);

/* node_feed.c: the main functions of the two threads. */

/* Feeds the packets of a struct bpe_capture to the interface, and closes the capture. */
void *node_feed_packets(void *capture);
/* Runs the timers of polls and of sleeping reads. */
void *node_run_timers(void *unused);

#endif
