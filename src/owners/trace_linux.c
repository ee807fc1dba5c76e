/* SPDX-License-Identifier: MIT */
/* Rings of records of the tracepoint (trace_linux.h).
 *
 * Records of all rings are taken in the order of times, up to the begin of the drain.  So the acts
 * of a process on several CPUs keep their order. A ring is a page with two indices, and RING_PAGES
 * pages of records.  The kernel moves data_head behind written records; this file moves data_tail
 * behind read records.  A record may run past the end of the ring and go on at the begin. */
#include "owners/trace_linux.h"

#include "base/clock.h"
#include "base/descriptor.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* System calls of Linux 5.2, by the numbers that all architectures share, as the headers of an
 * older libc lack the names. */
enum { CALL_FSOPEN = 430, CALL_FSCONFIG = 431, CALL_FSMOUNT = 432 };
/* <linux/mount.h> of Linux 5.2, which C libraries have in headers of their own since. */
enum { FSOPEN_CLOSE_ON_EXEC = 1, FSMOUNT_CLOSE_ON_EXEC = 1, FSCONFIG_CREATE = 6 };
enum { CPUS_MOST = 1024, RING_PAGES = 32, RECORD_MOST = 65536, RECORDS = 16384, TEXT_ROOM = 8192 };

struct trace_ring {
	int fd;
	struct perf_event_mmap_page *page;
	uint64_t next; /* first record that was not noted */
};

/* A record in its ring, to be taken in the order of time. */
struct noted_record {
	int64_t time_ns;
	uint64_t at;
	uint32_t ring, bytes;
};

struct bpei_tracer {
	struct bpei_trace *trace;
	size_t page_bytes;
	uint32_t rings;
	struct trace_ring ring[CPUS_MOST];
	uint32_t noted;
	struct noted_record notes[RECORDS];
	uint8_t record[RECORD_MOST];
};

/* Opens the root of the file system of tracepoints.  Without a mount, a private mount is made,
 * which no other process sees (CAP_SYS_ADMIN, Linux 5.2).  Returns a descriptor, or -1. */
static int open_trace_root(void)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

	for (size_t k = 0; k < sizeof roots / sizeof *roots; k++) {
		const int root = open(roots[k], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (root >= 0 && !faccessat(root, "events/sock", F_OK, 0))
			return root;
		if (root >= 0)
			close(root);
	}
	const int context = (int)syscall(CALL_FSOPEN, "tracefs", FSOPEN_CLOSE_ON_EXEC);

	if (context < 0)
		return -1;
	int root = -1;

	if (!syscall(CALL_FSCONFIG, context, FSCONFIG_CREATE, NULL, NULL, 0))
		root = (int)syscall(CALL_FSMOUNT, context, FSMOUNT_CLOSE_ON_EXEC, 0);
	close(context);
	return root;
}

/* Reads a file of the tracepoint.  Returns false if there is none. */
static bool read_tracepoint(int root, const char *file, char *text, size_t room)
{
	char path[64];

	snprintf(path, sizeof path, "events/sock/inet_sock_set_state/%s", file);
	const int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	const ssize_t n = fd < 0 ? -1 : read(fd, text, room - 1);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* Opens and maps the ring of a CPU.  Returns false if that failed. */
static bool map_trace_ring(struct bpei_tracer *t, uint32_t cpu, uint64_t id)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
		.size = PERF_ATTR_SIZE_VER5,
		.config = id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.comm = 1,
		.task = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC };
	const int fd = bpei_fd_keep(
		(int)syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC));

	if (fd < 0)
		return false;
	struct perf_event_mmap_page *const page = mmap(
		NULL, (1 + RING_PAGES) * t->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED) {
		close(fd);
		return false;
	}
	t->ring[t->rings++] = (struct trace_ring){ .fd = fd, .page = page };
	return true;
}

/* Notes the names of all processes that run. */
static void name_running_processes(struct bpei_trace *trace)
{
	DIR *folder = opendir("/proc");

	if (!folder)
		return;
	for (const struct dirent *e = readdir(folder); e; e = readdir(folder)) {
		const int pid = atoi(e->d_name);
		char path[64];
		char comm[BPEI_TRACE_COMM + 2];

		if (pid <= 0)
			continue;
		snprintf(path, sizeof path, "/proc/%d/comm", pid);
		const int fd = open(path, O_RDONLY | O_CLOEXEC);
		const ssize_t n = fd < 0 ? -1 : read(fd, comm, sizeof comm - 1);

		if (fd >= 0)
			close(fd);
		if (n <= 0)
			continue;
		comm[n] = 0;
		comm[strcspn(comm, "\n")] = 0;
		bpei_trace_name(trace, pid, comm);
	}
	closedir(folder);
}

struct bpei_tracer *bpei_tracer_open(void)
{
	char id[32];
	char text[TEXT_ROOM];
	struct bpei_trace_format format;
	const long cpus = sysconf(_SC_NPROCESSORS_CONF);
	const int root = open_trace_root();

	if (root < 0)
		return NULL;
	const bool is_there = read_tracepoint(root, "id", id, sizeof id) &&
			      read_tracepoint(root, "format", text, sizeof text);

	close(root);
	if (!is_there || !bpei_trace_format_read(text, &format))
		return NULL;
	struct bpei_tracer *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	t->trace = bpei_trace_new(&format);
	for (long cpu = 0; t->trace && cpu < cpus && cpu < CPUS_MOST; cpu++)
		if (!map_trace_ring(t, (uint32_t)cpu, strtoull(id, NULL, 10)) && !t->rings)
			break; /* a CPU may be offline, but not the first */
	if (t->rings) {
		name_running_processes(t->trace);
		return t;
	}
	bpei_tracer_close(t);
	return NULL;
}

void bpei_tracer_close(struct bpei_tracer *t)
{
	if (!t)
		return;
	for (uint32_t k = 0; k < t->rings; k++) {
		munmap(t->ring[k].page, (1 + RING_PAGES) * t->page_bytes);
		close(t->ring[k].fd);
	}
	bpei_trace_free(t->trace);
	free(t);
}

/* Copies bytes of the ring that may run past its end. */
static void copy_from_ring(
	const struct bpei_tracer *t, const struct trace_ring *ring, uint64_t at, void *to, size_t n)
{
	const size_t bytes = RING_PAGES * t->page_bytes;
	const uint8_t *const from = (const uint8_t *)ring->page + t->page_bytes;
	const size_t place = (size_t)(at % bytes);
	const size_t first = n < bytes - place ? n : bytes - place;

	memcpy(to, from + place, first);
	memcpy((uint8_t *)to + first, from, n - first);
}

/* Returns the time of a record: of a sample behind pid and tid, of others at the end. */
static int64_t read_record_time(const struct bpei_tracer *t, const struct trace_ring *ring,
	uint64_t at, const struct perf_event_header *h)
{
	uint64_t place = h->size - sizeof(int64_t);
	int64_t time_ns = 0;

	if (h->type == PERF_RECORD_SAMPLE)
		place = sizeof *h + sizeof(uint64_t);
	if (place >= sizeof *h && place + sizeof time_ns <= h->size)
		copy_from_ring(t, ring, at + place, &time_ns, sizeof time_ns);
	return time_ns;
}

/* Notes the records of a ring up to a time. */
static void note_records(struct bpei_tracer *t, uint32_t number, int64_t until_ns)
{
	struct trace_ring *const ring = &t->ring[number];
	/* pairs: the kernel's write of data_head */
	const uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);

	ring->next = ring->page->data_tail;
	while (head - ring->next >= sizeof(struct perf_event_header) && t->noted < RECORDS) {
		struct perf_event_header h;

		copy_from_ring(t, ring, ring->next, &h, sizeof h);
		if (h.size < sizeof h || h.size > head - ring->next) {
			ring->next = head; /* torn: the rest cannot be read */
			return;
		}
		const int64_t time_ns = read_record_time(t, ring, ring->next, &h);

		if (time_ns > until_ns)
			return;
		t->notes[t->noted++] = (struct noted_record){ time_ns, ring->next, number, h.size };
		ring->next += h.size;
	}
}

static int compare_noted_records(const void *a, const void *b)
{
	const struct noted_record *x = a;
	const struct noted_record *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	return x->at < y->at ? -1 : 1;
}

void bpei_tracer_drain(struct bpei_tracer *t)
{
	const int64_t now = bpei_clock_mono_ns();

	t->noted = 0;
	for (uint32_t k = 0; k < t->rings; k++)
		note_records(t, k, now);
	qsort(t->notes, t->noted, sizeof *t->notes, compare_noted_records);
	for (uint32_t k = 0; k < t->noted; k++) {
		const struct noted_record *const r = &t->notes[k];

		copy_from_ring(t, &t->ring[r->ring], r->at, t->record, r->bytes);
		bpei_trace_take(t->trace, t->record, r->bytes);
	}
	for (uint32_t k = 0; k < t->rings; k++)
		/* pairs: the kernel's read of data_tail */
		__atomic_store_n(&t->ring[k].page->data_tail, t->ring[k].next, __ATOMIC_RELEASE);
}

struct bpei_trace *bpei_tracer_trace(struct bpei_tracer *t)
{
	return t->trace;
}
