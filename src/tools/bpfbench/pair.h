/* SPDX-License-Identifier: MIT */
/* A pair of virtual interfaces for a measurement, and the process that sends.  Each interface
 * receives the frames of the other.  The pair is made before the measurement and removed
 * afterwards.  Frames are sent only to interfaces made by bpfbench. */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include "frame.h"
#include "options.h"

#include <sys/types.h>

struct pair {
	bool made;
	char send[16], receive[16];
};

extern const char pair_kind[]; /* "veth", "feth", "epair"; "" if the system has none */
/* A filter that accepts only our frames; NULL where no other frames can come. */
extern const char *const pair_filter;

/* Makes the pair.  Returns 0, or an exit code after the message. */
int pair_make(struct pair *pair);
/* Removes the pair, if pair_make made one. */
void pair_remove(struct pair *pair);
/* Returns the frames that the receiving interface counted, or ABSENT if the system does not tell.
 */
uint64_t pair_arrived(const struct pair *pair);
/* Returns the frames since an earlier pair_arrived, or ABSENT. */
uint64_t count_since(const struct pair *pair, uint64_t before);

/* Opens the sending interface for raw frames.  Returns a descriptor, or -errno with the failed step
 * in *step. */
int wire_open(const struct pair *pair, const char **step);
/* Sends n frames of so many bytes.  Returns how many were sent, or -errno. */
int wire_send(int fd, uint8_t *const *frames, uint32_t n, uint32_t bytes);
#define WIRE_BURST 64u

struct sender_order {
	uint64_t rate; /* frames a second; 0: as fast as possible */
	uint32_t frame_bytes;
	double seconds;
};
struct sender_report {
	uint64_t sent, refused;
	int64_t ns;
	int failed_errno;
	char step[32];
};
struct sender {
	pid_t pid;
	int to, from; /* pipes */
};

/* Starts the sender as a process, so that CPU time can be told apart from the receiver's.  Returns
 * 0 when the sender is ready, else an exit code after the message. */
int sender_start(struct sender *sender, const struct pair *pair, const struct sender_order *order);
/* Lets the sender begin. */
void sender_go(struct sender *sender);
/* Waits for the end of the sender and fills the report.  Returns 0, or an exit code after the
 * message. */
int sender_end(struct sender *sender, struct sender_report *report);

#endif
