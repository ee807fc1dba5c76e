/* SPDX-License-Identifier: MIT */
/* The line of a packet as tcpdump -n prints it. */
#ifndef PRINT_TCPDUMP_H
#define PRINT_TCPDUMP_H

#include "print.h"

/* First sequence numbers of TCP's connections, from which relative numbers count. */
struct tcpdump_sequences;

/* Returns NULL without memory. */
struct tcpdump_sequences *tcpdump_sequences_new(void);
void tcpdump_sequences_free(struct tcpdump_sequences *sequences);
/* Puts the text behind the time stamp, without the new line at its end.  With -v the text has
 * several lines, as tcpdump's. */
void tcpdump_put_packet(struct print_line *line, const struct print_options *options,
	struct tcpdump_sequences *sequences, const struct print_packet *packet);

#endif
