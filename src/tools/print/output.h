/* SPDX-License-Identifier: MIT */
/* The buffer between lines of packets and a descriptor.
 *
 * A line is put together in the buffer and then taken as a packet.  The buffer is written when it
 * is full or flushed.  A file or device gets whole buffers.  A pipe or terminal gets at most what
 * poll(2) promises, so a writer never hangs when the run is to end.
 * Books: each packet taken is printed or lost. */
#ifndef PRINT_OUTPUT_H
#define PRINT_OUTPUT_H

#include "line.h"

#include <stdatomic.h>

#define PRINT_BUFFER (256u << 10)
#define PRINT_PIECE (16u << 10) /* room that a call of print_output_line finds */
#define PRINT_PACKETS 8192u     /* most packets in the buffer */

struct print_output {
	int fd;
	bool is_whole;     /* a file or device: takes any length without waiting for a reader */
	bool is_over;      /* the time for writing at the end has passed */
	_Atomic int error; /* errno of the failed write, after which nothing is written; 0: none */
	int64_t end_ms;    /* when the end was noticed; 0: not yet */
	int64_t moved_ms;  /* since then: when the reader last took something */
	/* w: any thread, signal handlers  r: printing thread */
	_Atomic int is_ending;
	_Atomic uint64_t printed, lost; /* packets; w: printing thread  r: any */
	size_t used;
	uint32_t packets;
	uint32_t ends[PRINT_PACKETS]; /* offsets where the packets of the buffer end */
	char bytes[PRINT_BUFFER];
};

/* Prepares an output for the descriptor, which stays the caller's. */
void print_output_begin(struct print_output *out, int fd);
/* Returns a line at the end of the buffer with room for PRINT_PIECE bytes. */
struct print_line print_output_line(struct print_output *out);
/* Takes the text of a line into the buffer. */
static inline void print_output_add(struct print_output *out, const struct print_line *line)
{
	out->used = (size_t)(line->at - out->bytes);
}
/* Ends a packet, all text of which was added. */
static inline void print_output_packet(struct print_output *out)
{
	out->ends[out->packets++] = (uint32_t)out->used;
}
/* Counts packets that cannot be written any more. */
void print_output_lose(struct print_output *out, uint64_t packets);
/* Writes the buffer. */
void print_output_flush(struct print_output *out);
/* Returns whether a flush would not wait. */
bool print_output_is_ready(const struct print_output *out);

#endif
