/* SPDX-License-Identifier: MIT */
/* Connections of TCP and their processes by a tracepoint of Linux (sock:inet_sock_set_state); pure.
 *
 * The kernel writes a record when a socket changes state, and names the running process.  A socket
 * connects and closes while the owning process runs.  So connections of processes are known that
 * ended before anybody could ask.  Names of processes come as further records.  Layouts are from
 * <linux/perf_event.h>.  A text of the kernel says where fields of the tracepoint lie. */
#ifndef BPEI_OWNERS_TRACE_H
#define BPEI_OWNERS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BPEI_TRACE_COMM 16

/* Where fields of the tracepoint lie. */
struct bpei_trace_format {
	uint16_t socket, before, after, local_port, remote_port, family, protocol;
	uint16_t local_4, remote_4, local_6, remote_6;
	uint16_t bytes; /* of all fields */
};

/* Reads the text of the tracepoint's file "format".  Returns false if a field is missing or has an
 * unknown size. */
bool bpei_trace_format_read(const char *text, struct bpei_trace_format *format);

struct bpei_trace;

/* Returns NULL without memory. */
struct bpei_trace *bpei_trace_new(const struct bpei_trace_format *format);
void bpei_trace_free(struct bpei_trace *trace); /* NULL is allowed */
/* Takes a record of perf_event_open(2), whose samples have PERF_SAMPLE_TID, _TIME and _RAW. */
void bpei_trace_take(struct bpei_trace *trace, const uint8_t *record, size_t n);
/* Notes the name of a process that ran before. */
void bpei_trace_name(struct bpei_trace *trace, int32_t pid, const char *comm);

/* A connection asked for; addresses have 4 or 16 bytes. */
struct bpei_trace_ends {
	const uint8_t *local, *remote;
	uint16_t local_port, remote_port;
	uint8_t ip_version;
};

struct bpei_trace_owner {
	int32_t pid;
	char comm[BPEI_TRACE_COMM + 1]; /* "": not known */
};
bool bpei_trace_find(const struct bpei_trace *trace, const struct bpei_trace_ends *ends,
	struct bpei_trace_owner *owner);

#endif
