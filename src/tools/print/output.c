/* SPDX-License-Identifier: MIT */
/* Writes the buffer of lines (output.h). */
#include "output.h"

#include "tools/common/program.h"

#include <errno.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <sys/stat.h>

#define LOOK_MS 100
#define PATIENCE_MS 2000  /* at the end: for a reader at rest */
#define END_MOST_MS 10000 /* at the end: for a slow reader */

void print_output_begin(struct print_output *out, int fd)
{
	struct stat st;
	const bool is_known = !fstat(fd, &st);
	const bool is_device = is_known && S_ISCHR(st.st_mode) && !isatty(fd);

	out->fd = fd;
	out->is_whole = is_device || (is_known && S_ISREG(st.st_mode));
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Adds to a counter of the printing thread. */
static void add_packets(_Atomic uint64_t *counter, uint64_t n)
{
	const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

/* Returns whether the run is to end and its reader has had enough time. */
static bool is_reader_late(struct print_output *out)
{
	if (out->is_over || !atomic_load_explicit(&out->is_ending, memory_order_relaxed))
		return out->is_over;
	const int64_t now = clock_ms();
	if (!out->end_ms) {
		out->end_ms = now;
		out->moved_ms = now;
	}
	out->is_over = now - out->end_ms >= END_MOST_MS || now - out->moved_ms >= PATIENCE_MS;
	return out->is_over;
}

/* Waits until the reader can take something.  Returns false if the run is to end and the reader
 * takes nothing. */
static bool wait_until_taken(struct print_output *out)
{
	for (;;) {
		struct pollfd p = { .fd = out->fd, .events = POLLOUT };

		if (is_reader_late(out))
			return false;
		const int ready = poll(&p, 1, LOOK_MS);
		if (ready > 0 || (ready < 0 && errno != EINTR))
			return true; /* write reports an error */
	}
}

/* Writes the buffer.  Returns the bytes that were written; all, unless out->error is set. */
static size_t write_buffer(struct print_output *out)
{
	size_t done = 0;

	while (done < out->used) {
		size_t length = out->used - done;

		if (!out->is_whole) {
			length = outfile_pipe_length(out->bytes + done, length);
			if (!wait_until_taken(out)) {
				out->error = ETIMEDOUT;
				return done;
			}
		}
		const ssize_t wrote = write(out->fd, out->bytes + done, length);
		if (wrote >= 0) {
			done += (size_t)wrote;
			if (out->end_ms)
				out->moved_ms = clock_ms();
		} else if (errno == EAGAIN) {
			out->is_whole = false; /* the descriptor does not wait: poll does */
		} else if (errno != EINTR) {
			out->error = errno;
			return done;
		}
	}
	return done;
}

void print_output_lose(struct print_output *out, uint64_t packets)
{
	add_packets(&out->lost, packets);
}

void print_output_flush(struct print_output *out)
{
	uint32_t whole = 0;
	const size_t done = out->error ? 0 : write_buffer(out);

	if (!out->error)
		whole = out->packets;
	while (whole < out->packets && out->ends[whole] <= done)
		whole++;
	add_packets(&out->printed, whole);
	add_packets(&out->lost, out->packets - whole);
	out->packets = 0;
	out->used = 0;
}

bool print_output_is_ready(const struct print_output *out)
{
	struct pollfd p = { .fd = out->fd, .events = POLLOUT };

	return out->is_whole || out->error || poll(&p, 1, 0) > 0;
}

struct print_line print_output_line(struct print_output *out)
{
	if (out->used + PRINT_PIECE > PRINT_BUFFER || out->packets == PRINT_PACKETS)
		print_output_flush(out);
	return (struct print_line){ .at = out->bytes + out->used,
		.end = out->bytes + PRINT_BUFFER };
}
