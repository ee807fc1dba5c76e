/* SPDX-License-Identifier: MIT */
/* A pair of virtual interfaces, each of which receives what the other one sends, made for one
 * measurement and removed after it; and the process that sends.  Nothing is ever sent to an
 * interface that was not made here. */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "frame.h"
#include "options.h"

#include <sys/types.h>

struct pair {
	bool made;
	char send[16], receive[16];
};

extern const char pair_kind[];        /* "veth", "feth", "epair"; "" where there is none */
extern const char *const pair_filter; /* lets our frames through and no other, where others may be;
					 NULL: there are none */

int pair_make(struct pair *pair);    /* 0, or an exit code after the message was printed */
void pair_remove(struct pair *pair); /* if it was made */
uint64_t pair_arrived(const struct pair *pair); /* frames that the receiving interface has counted;
						   ABSENT if it does not tell */

/* Raw frames onto the pair's sending end.  open: a descriptor, or -errno and what failed; send: how
 * many of the n went, or -errno. */
int wire_open(const struct pair *pair, const char **step);
int wire_send(int fd, uint8_t *const *frames, uint32_t n, uint32_t bytes);
#define WIRE_BURST 64u

struct sender_order {
	uint64_t rate;
	uint32_t frame_bytes;
	double seconds;
}; /* rate 0: as fast as it goes */
struct sender_report {
	uint64_t sent, refused;
	int64_t ns;
	int failed_errno;
	char step[32];
};
struct sender {
	pid_t pid;
	int to, from;
};

/* The sender as a process of its own, so that its CPU is not the receiver's; ready to send when
 * this returns 0, else an exit code. */
int sender_start(struct sender *sender, const struct pair *pair, const struct sender_order *order);
void sender_go(struct sender *sender);
int sender_end(struct sender *sender,
	struct sender_report
		*report); /* waits for it; 0, or an exit code after the message was printed */

#endif
