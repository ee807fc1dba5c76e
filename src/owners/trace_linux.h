/* SPDX-License-Identifier: MIT */
/* The tracepoint of trace.h in this kernel: perf_event_open(2), a ring for each CPU.  Mapped rings
 * need no right. */
#ifndef BPEI_OWNERS_TRACE_LINUX_H
#define BPEI_OWNERS_TRACE_LINUX_H

#include "owners/trace.h"

struct bpei_tracer;

/* Returns NULL if the kernel lacks the tracepoint, or rights are missing: CAP_PERFMON, and
 * CAP_SYS_ADMIN where the file system of tracepoints is not mounted. */
struct bpei_tracer *bpei_tracer_open(void);
void bpei_tracer_close(struct bpei_tracer *tracer); /* NULL is allowed */
/* Takes all records that have come. */
void bpei_tracer_drain(struct bpei_tracer *tracer);
struct bpei_trace *bpei_tracer_trace(struct bpei_tracer *tracer);

#endif
