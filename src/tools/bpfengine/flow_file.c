/* SPDX-License-Identifier: MIT */
/* --flows: records as lines, to a file, a pipe or the standard output.
 *
 * Life: open, before the source is: what stands at the path is opened and not changed; make, once
 * the source is open: what is missing is made; begin, when all is proved: the file is emptied,
 * unless it is appended to; close. All that comes between begin and close, but for the three flags,
 * is done on the engine's output thread, which may be held up here as long as it takes: workers do
 * not wait for it, but for savefiles, where waiting loses nothing.  Lines are gathered, and written
 * whole when there are many, or when none waits. What cannot be written is told once and counted,
 * by lines; the next lines are tried again.  What a full disk took of a line is cut off again, and
 * where that cannot be, the next line begins a new one. A pipe is never written more than it is
 * sure to take, whole lines where they fit, so that nobody hangs in it once the run is to end: then
 * it gets PATIENCE to take something, and END_SLOW for all that is left, or END_MOST if it takes a
 * lot. Hazard: a process that is confined opens a file by its directory's descriptor, which was
 * open before. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (256u << 10)
#define PIPE_LINES (16u << 10) /* gathered for a pipe, so that records are taken all the time */
#define LINES 1024u
#define PATIENCE_MS 2000
#define LOOK_MS 100
#define END_SLOW_MS 5000 /* for what takes less than SLOW bytes a millisecond */
#define END_MOST_MS 60000
#define SLOW 1024

struct cli_flows {
	struct outfile file;
	char path[200]; /* as it was given, fit for a terminal */
	uint32_t format;
	bool append;
	bool torn;       /* what stands in the file ends within a line */
	bool header_due; /* the line of names is not written yet */
	bool given_up;   /* at the end, and nothing was taken for so long: no more waiting */
	bool over;       /* the end's time has passed: no more writing */
	bool quiet, stop_on_error;
	int error;                 /* the last one; 0 once lines are written again */
	struct bpe_engine *engine; /* to be stopped on an error */
	_Atomic int reopen,
		ending; /* w: main, signal handlers  r: output thread, which clears reopen */
	_Atomic uint64_t written, lost; /* w: output thread  r: any; lines */
	int64_t end_ms;                 /* when `ending` was first seen; 0: not yet */
	uint64_t end_bytes;             /* taken since */
	size_t used, header_length;
	uint32_t lines, ends[LINES]; /* in text: where each line ends */
	char header[BPE_FORMAT_BYTES];
	char text[BUFFER];
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- The output thread's ---- */

/* Returns whether the time that the run's end has for writing has passed. */
static bool is_over(struct cli_flows *f)
{
	if (f->over || !atomic_load_explicit(&f->ending, memory_order_relaxed))
		return f->over;
	int64_t now = now_ms();
	if (!f->end_ms)
		f->end_ms = now;
	int64_t spent = now - f->end_ms;
	f->over = spent >= END_MOST_MS ||
		  (spent >= END_SLOW_MS && f->end_bytes < (uint64_t)spent * SLOW);
	return f->over;
}

/* Waits until it can take something.  Returns false if the run is to end and it takes nothing. */
static bool wait_writable(struct cli_flows *f)
{
	for (int waited = 0;;) {
		struct pollfd p = { .fd = f->file.fd, .events = POLLOUT };
		if (is_over(f))
			return false;
		int r = poll(&p, 1, f->given_up ? 0 : LOOK_MS);
		if (r > 0)
			return f->given_up = false, true;
		if (r < 0 && errno != EINTR)
			return true; /* write will tell */
		if (!atomic_load_explicit(&f->ending, memory_order_relaxed))
			waited = 0;
		else if ((waited += LOOK_MS) >= PATIENCE_MS || f->given_up)
			return f->given_up = true, false;
	}
}

/* Returns how many of n bytes a pipe takes whole: lines where they fit (poll(2) promises a pipe
 * room for PIPE_BUF bytes). */
static size_t pipe_part(const char *bytes, size_t n)
{
	if (n <= PIPE_BUF)
		return n;
	for (size_t end = PIPE_BUF; end; end--)
		if (bytes[end - 1] == '\n')
			return end;
	return PIPE_BUF;
}

/* Returns how many of the n bytes were written; *error is why not all. */
static size_t write_bytes(struct cli_flows *f, const char *bytes, size_t n, int *error)
{
	size_t done = 0;
	*error = 0;
	while (done < n) {
		size_t most = f->file.regular ? n - done : pipe_part(bytes + done, n - done);
		if (!f->file.regular && !wait_writable(f))
			return *error = ETIMEDOUT, done;
		ssize_t wrote = write(f->file.fd, bytes + done, most);
		if (wrote >= 0)
			done += (size_t)wrote, f->end_bytes += f->end_ms ? (size_t)wrote : 0;
		else if (errno != EINTR && errno != EAGAIN)
			return *error = errno, done;
	}
	return done;
}

static void tell(struct cli_flows *f, int error)
{
	if (error == f->error || f->quiet)
		return;
	cli_live_clear();
	program_tell("flows are not written to %s: %s%s", f->path,
		f->over              ? "its reader is too slow"
		: error == ETIMEDOUT ? "nobody takes them"
		: error == EBADF     ? "it is closed, or not for writing"
				     : strerror(error),
		f->stop_on_error ? "; ending"
		: f->over        ? ""
				 : "; the capture goes on");
}

/* Cuts off the bytes of a line that was not written to its end, if nothing was written behind it.
 */
static void cut_off(struct cli_flows *f, size_t bytes)
{
	struct stat st;
	if (!bytes)
		return;
	f->torn = true;
	off_t end = f->file.regular ? lseek(f->file.fd, 0, SEEK_CUR) : -1;
	if (end < (off_t)bytes || fstat(f->file.fd, &st) || st.st_size != end)
		return;
	if (ftruncate(f->file.fd, end - (off_t)bytes))
		return;
	if (lseek(f->file.fd, end - (off_t)bytes, SEEK_SET) >= 0)
		f->torn = false;
}

/* Writes what must stand before the next record.  Returns 0 or an errno. */
static int write_start(struct cli_flows *f)
{
	int error = 0;
	if (f->torn && write_bytes(f, "\n", 1, &error) == 1)
		f->torn = false;
	if (error || !f->header_due)
		return error;
	size_t done = write_bytes(f, f->header, f->header_length, &error);
	f->header_due = done < f->header_length;
	if (f->header_due)
		cut_off(f, done);
	return error;
}

static void flush(struct cli_flows *f)
{
	uint32_t whole = 0;
	size_t done = 0;
	if (!f->used && !f->header_due)
		return;
	int error = write_start(f);
	if (!error)
		done = write_bytes(f, f->text, f->used, &error);
	while (whole < f->lines && f->ends[whole] <= done)
		whole++;
	cut_off(f, done - (whole ? f->ends[whole - 1] : 0));
	add(&f->written, whole);
	add(&f->lost, f->lines - whole);
	if (error) {
		tell(f, error);
		if (f->stop_on_error)
			bpe_engine_stop(f->engine);
	}
	f->error = error;
	f->used = f->lines = 0;
}

/* Looks at the file that is written to from now on: one that is empty gets the line of names. */
static void begin_file(struct cli_flows *f)
{
	struct stat st;
	bool something = f->file.regular && !fstat(f->file.fd, &st) && st.st_size;
	f->torn = something && f->file.torn;
	f->header_due = !something && f->header_length;
}

/* SIGHUP: whoever moved the file away wants a new one.  What is waiting belongs to the old one. */
static void reopen(struct cli_flows *f)
{
	atomic_store_explicit(&f->reopen, 0, memory_order_relaxed);
	if (f->file.directory < 0)
		return;
	if (outfile_again(&f->file)) {
		cli_live_clear();
		program_tell("%s is not opened anew: %s; going on with the old file", f->path,
			f->file.why);
		return;
	}
	f->error = 0;
	begin_file(f);
}

static void flush_and_look(struct cli_flows *f)
{
	flush(f);
	if (atomic_load_explicit(&f->reopen, memory_order_relaxed))
		reopen(f);
}

void cli_flows_record(struct cli_flows *f, const struct bpe_flow *flow)
{
	if (!flow) {
		flush_and_look(f);
		return;
	}
	int n = bpe_flow_format(flow, f->format, f->text + f->used, BUFFER - f->used);
	if (n < 0) {
		add(&f->lost, 1);
		return;
	}
	f->ends[f->lines++] = (uint32_t)(f->used += (size_t)n);
	const size_t most = f->file.regular ? BUFFER - BPE_FORMAT_BYTES : PIPE_LINES;
	if (f->lines == LINES || f->used > most)
		flush_and_look(f);
}

/* ---- The main thread's ---- */

static int refuse(struct cli_flows *f, const char *path, const char *why)
{
	char shown[200];
	program_tell(
		"cannot write flows to %s: %s", program_visible(shown, sizeof shown, path), why);
	if (f)
		cli_flows_close(f);
	return EXIT_ERROR;
}

int cli_flows_open(struct cli_flows **flows, const struct cli *cli, uid_t owner)
{
	struct cli_flows *f = calloc(1, sizeof *f);
	if (!f)
		return refuse(f, cli->flows_path, "no memory");
	program_visible(f->path, sizeof f->path, cli->flows_path);
	f->format = cli->flows_format;
	f->append = cli->flows_append;
	f->quiet = cli->quiet;
	f->stop_on_error = cli->flows_stop;
	int n = bpe_flow_format(NULL, f->format, f->header, sizeof f->header);
	f->header_length = n > 0 ? (size_t)n : 0;
	if (outfile_find(&f->file, cli->flows_path, &cli->used, owner))
		return refuse(f, cli->flows_path, f->file.why);
	*flows = f;
	return 0;
}

int cli_flows_make(struct cli_flows *f)
{
	int failed = outfile_make(&f->file);
	if (failed)
		program_tell("cannot write flows to %s: %s", f->path, f->file.why);
	else if (f->file.notice[0] && !f->quiet)
		program_tell("%s", f->file.notice);
	return failed ? EXIT_ERROR : 0;
}

int cli_flows_begin(struct cli_flows *f, struct bpe_engine *engine)
{
	f->engine = engine;
	if (!f->append && outfile_empty(&f->file)) {
		program_tell("cannot write flows to %s: %s", f->path, f->file.why);
		return EXIT_ERROR;
	}
	begin_file(f);
	return 0;
}

int cli_flows_directory(const struct cli_flows *f)
{
	return f->file.regular ? f->file.directory : -1;
}
bool cli_flows_on_stdout(const struct cli_flows *f)
{
	return f->file.standard == STDOUT_FILENO;
}
void cli_flows_reopen(struct cli_flows *f)
{
	atomic_store_explicit(&f->reopen, 1, memory_order_relaxed);
}
void cli_flows_ending(struct cli_flows *f)
{
	atomic_store_explicit(&f->ending, 1, memory_order_relaxed);
}

void cli_flows_counts(const struct cli_flows *f, uint64_t *written, uint64_t *lost)
{
	struct cli_flows *any = (struct cli_flows *)(uintptr_t)f;
	*written = atomic_load_explicit(&any->written, memory_order_relaxed);
	*lost = atomic_load_explicit(&any->lost, memory_order_relaxed);
}

int cli_flows_close(struct cli_flows *f)
{
	int error = f->error, failed = outfile_close(&f->file);
	free(f);
	return error ? error : failed;
}
