/* SPDX-License-Identifier: MIT */
/* --flows and --events: writes records or events as lines to a file, a pipe or the standard output.
 *
 * Life: open, before the source is opened, opens an existing file without changing the file; make,
 * once the source is open, makes a missing file; begin, when nothing can fail any more, empties the
 * file unless lines are appended; close.
 * Threads: between begin and close all work but the setting of three flags is on the engine's
 * output thread.  The output thread may wait here as long as necessary: workers wait for the output
 * thread only with savefiles, where waiting loses nothing.  Lines are gathered, and written whole
 * when there are many lines, or when no record waits.
 * Failures: a failed write is reported once, and the lost lines are counted; the next lines are
 * tried again.  The part of a line which a full disk took is cut off.  If the cut is impossible,
 * the next line begins with a new line character. Pipes: a pipe never gets more than the pipe is
 * sure to take, in whole lines if they fit.  So the thread cannot hang in write once the run is to
 * end.  Then the reader has PATIENCE to take something, and END_SLOW for all the rest, or END_MOST
 * if the reader is fast. Hazard: a confined process opens a file by the descriptor of the
 * directory, opened before. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (256u << 10)
#define PIPE_LINES (16u << 10) /* gathered for a pipe, so records are taken at all times */
#define LINES 1024u
#define PATIENCE_MS 2000
#define LOOK_MS 100
#define END_SLOW_MS 5000 /* for a reader that takes less than SLOW bytes a millisecond */
#define END_MOST_MS 60000
#define SLOW 1024

struct cli_flows {
	struct outfile file;
	const char *what; /* "flows", "events" */
	char path[200];   /* as given, fit for a terminal */
	uint32_t format;
	bool append;
	bool torn;       /* the file ends within a line */
	bool header_due; /* the line of names is not written yet */
	bool given_up;   /* at the end the reader took nothing for PATIENCE: wait no longer */
	bool over;       /* the time for writing at the end has passed: write no more */
	bool quiet, stop_on_error;
	int error;                 /* the last one; 0 after lines were written again */
	struct bpe_engine *engine; /* stopped on an error if stop_on_error */
	/* w: main, signal handlers  r: output thread, which clears reopen */
	_Atomic int reopen, ending;
	/* lines; w: output thread  r: any */
	_Atomic uint64_t written, lost;
	int64_t end_ms;     /* when the output thread saw `ending`; 0: not yet */
	uint64_t end_bytes; /* written since */
	size_t used, header_length;
	uint32_t lines, ends[LINES]; /* offsets in text where each line ends */
	char header[BPE_FORMAT_BYTES];
	char text[BUFFER];
};

/* Adds to a counter that only the output thread writes. */
static void add_lines(_Atomic uint64_t *counter, uint64_t n)
{
	const uint64_t before = atomic_load_explicit(counter, memory_order_relaxed);

	atomic_store_explicit(counter, before + n, memory_order_relaxed);
}

static int64_t monotonic_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- Waiting and writing; output thread ---- */

/* Returns whether the run is to end, so that writing must end too. */
static bool is_writing_ending(struct cli_flows *f)
{
	return atomic_load_explicit(&f->ending, memory_order_relaxed);
}

/* Returns whether the time for writing at the end of the run has passed. */
static bool is_end_time_over(struct cli_flows *f)
{
	if (f->over || !is_writing_ending(f))
		return f->over;
	const int64_t now = monotonic_ms();
	if (!f->end_ms)
		f->end_ms = now;
	const int64_t spent = now - f->end_ms;
	const bool is_slow = f->end_bytes < (uint64_t)spent * SLOW;
	f->over = spent >= END_MOST_MS || (spent >= END_SLOW_MS && is_slow);
	return f->over;
}

/* Waits until the pipe can take something.  Returns false if the run is to end and the pipe takes
 * nothing. */
static bool wait_writable(struct cli_flows *f)
{
	for (int waited = 0;;) {
		struct pollfd p = { .fd = f->file.fd, .events = POLLOUT };

		if (is_end_time_over(f))
			return false;
		const int ready = poll(&p, 1, f->given_up ? 0 : LOOK_MS);
		if (ready > 0) {
			f->given_up = false;
			return true;
		}
		if (ready < 0 && errno != EINTR)
			return true; /* write will report the error */
		if (!is_writing_ending(f)) {
			waited = 0;
			continue;
		}
		waited += LOOK_MS;
		if (waited >= PATIENCE_MS || f->given_up) {
			f->given_up = true;
			return false;
		}
	}
}

/* Writes n bytes.  Returns how many were written; *error: why not all, or 0. */
static size_t write_bytes(struct cli_flows *f, const char *bytes, size_t n, int *error)
{
	size_t done = 0;

	*error = 0;
	while (done < n) {
		size_t length = n - done;

		if (!f->file.regular) {
			length = outfile_pipe_length(bytes + done, length);
			if (!wait_writable(f)) {
				*error = ETIMEDOUT;
				return done;
			}
		}
		const ssize_t wrote = write(f->file.fd, bytes + done, length);
		if (wrote >= 0) {
			done += (size_t)wrote;
			if (f->end_ms)
				f->end_bytes += (size_t)wrote;
		} else if (errno != EINTR && errno != EAGAIN) {
			*error = errno;
			return done;
		}
	}
	return done;
}

static const char *describe_write_error(const struct cli_flows *f, int error)
{
	if (f->over)
		return "its reader is too slow";
	if (error == ETIMEDOUT)
		return "nobody takes them";
	return error == EBADF ? "it is closed, or not for writing" : strerror(error);
}

/* Reports a failure that was not reported before. */
static void report_write_error(struct cli_flows *f, int error)
{
	const char *then = "; the capture goes on";

	if (error == f->error)
		return;
	if (f->stop_on_error)
		then = "; ending";
	else if (f->over)
		then = "";
	if (!f->quiet)
		cli_live_clear();
	cli_notice(f->quiet, "%s are not written to %s: %s%s", f->what, f->path,
		describe_write_error(f, error), then);
}

/* Cuts off the last bytes, which are a part of a line, if nothing was written behind them. */
static void cut_torn_line(struct cli_flows *f, size_t bytes)
{
	struct stat st;

	if (!bytes)
		return;
	f->torn = true;
	const off_t end = f->file.regular ? lseek(f->file.fd, 0, SEEK_CUR) : -1;
	if (end < (off_t)bytes || fstat(f->file.fd, &st) || st.st_size != end)
		return;
	if (ftruncate(f->file.fd, end - (off_t)bytes))
		return;
	if (lseek(f->file.fd, end - (off_t)bytes, SEEK_SET) >= 0)
		f->torn = false;
}

/* Ends a torn line, and writes the line of names if that is due.  Returns 0 or an errno. */
static int write_line_start(struct cli_flows *f)
{
	int error = 0;

	if (f->torn && write_bytes(f, "\n", 1, &error) == 1)
		f->torn = false;
	if (error || !f->header_due)
		return error;
	const size_t done = write_bytes(f, f->header, f->header_length, &error);
	f->header_due = done < f->header_length;
	if (f->header_due)
		cut_torn_line(f, done);
	return error;
}

/* Writes the gathered lines, and counts written and lost lines. */
static void flush_lines(struct cli_flows *f)
{
	uint32_t whole = 0;
	size_t done = 0;
	int error;

	if (!f->used && !f->header_due)
		return;
	error = write_line_start(f);
	if (!error)
		done = write_bytes(f, f->text, f->used, &error);
	while (whole < f->lines && f->ends[whole] <= done)
		whole++;
	cut_torn_line(f, done - (whole ? f->ends[whole - 1] : 0));
	add_lines(&f->written, whole);
	add_lines(&f->lost, f->lines - whole);
	if (error)
		report_write_error(f, error);
	if (error && f->stop_on_error)
		bpe_engine_stop(f->engine);
	f->error = error;
	f->used = 0;
	f->lines = 0;
}

/* Prepares a file that is written to from now on.  An empty file gets the line of names. */
static void begin_file(struct cli_flows *f)
{
	struct stat st;
	const bool has_content = f->file.regular && !fstat(f->file.fd, &st) && st.st_size;

	f->torn = has_content && f->file.torn;
	f->header_due = !has_content && f->header_length;
}

/* Opens the file anew after SIGHUP: whoever moved the file away wants a new one.  Lines that were
 * gathered belong to the old file. */
static void reopen_file(struct cli_flows *f)
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

static void flush_and_reopen(struct cli_flows *f)
{
	flush_lines(f);
	if (atomic_load_explicit(&f->reopen, memory_order_relaxed))
		reopen_file(f);
}

/* Counts in a line of n bytes that was formatted behind the gathered lines; below 0: lost. */
static void gather_line(struct cli_flows *f, int n)
{
	const size_t most = f->file.regular ? BUFFER - BPE_EVENT_FORMAT_BYTES : PIPE_LINES;

	if (n < 0) {
		add_lines(&f->lost, 1);
		return;
	}
	f->used += (size_t)n;
	f->ends[f->lines++] = (uint32_t)f->used;
	if (f->lines == LINES || f->used > most)
		flush_and_reopen(f);
}

void cli_flows_record(struct cli_flows *f, const struct bpe_flow *flow)
{
	if (flow)
		gather_line(
			f, bpe_flow_format(flow, f->format, f->text + f->used, BUFFER - f->used));
	else
		flush_and_reopen(f);
}

void cli_flows_event(struct cli_flows *f, const struct bpe_event *event)
{
	if (event)
		gather_line(
			f, bpe_event_format(event, f->format, f->text + f->used, BUFFER - f->used));
	else
		flush_and_reopen(f);
}

/* ---- Main thread ---- */

/* Reports why lines cannot be written, and closes the file.  Returns EXIT_ERROR. */
static int refuse_flow_file(struct cli_flows *f, const char *why)
{
	program_tell("cannot write %s to %s: %s", f->what, f->path, why);
	cli_flows_close(f);
	return EXIT_ERROR;
}

/* Opens the file of a path for lines of flows or events.  Returns 0 or EXIT_ERROR after the
 * message. */
static int open_line_file(struct cli_flows **file, const struct cli *cli, uid_t owner,
	const char *what, const char *path)
{
	struct cli_flows *f = calloc(1, sizeof *f);

	if (!f) {
		program_tell("cannot write %s: no memory", what);
		return EXIT_ERROR;
	}
	f->what = what;
	program_visible(f->path, sizeof f->path, path);
	f->quiet = cli->quiet;
	if (outfile_find(&f->file, path, &cli->used, owner))
		return refuse_flow_file(f, f->file.why);
	*file = f;
	return 0;
}

int cli_flows_open(struct cli_flows **flows, const struct cli *cli, uid_t owner)
{
	const int code = open_line_file(flows, cli, owner, "flows", cli->flows_path);

	if (code)
		return code;
	struct cli_flows *f = *flows;

	f->format = cli->flows_format;
	f->append = cli->flows_append;
	f->stop_on_error = cli->flows_stop;
	const int n = bpe_flow_format(NULL, f->format, f->header, sizeof f->header);

	f->header_length = n > 0 ? (size_t)n : 0;
	return 0;
}

/* Returns whether both have the same name in the same directory. */
static bool is_same_line_file(const struct outfile *a, const struct outfile *b)
{
	struct stat one, other;

	if (a->directory < 0 || b->directory < 0 || strcmp(a->name, b->name) != 0)
		return false;
	if (fstat(a->directory, &one) || fstat(b->directory, &other))
		return false;
	return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

int cli_events_open(struct cli_flows **events, const struct cli *cli, uid_t owner)
{
	const int code = open_line_file(events, cli, owner, "events", cli->events_path);

	if (code)
		return code;
	struct cli_flows *f = *events;

	f->format = cli->events_format;
	if (!cli->flows || !is_same_line_file(&f->file, &cli->flows->file))
		return 0;
	*events = NULL;
	return refuse_flow_file(f, "it is the file of --flows: name another file");
}

int cli_flows_make(struct cli_flows *f)
{
	const int failed = outfile_make(&f->file);

	if (failed)
		program_tell("cannot write %s to %s: %s", f->what, f->path, f->file.why);
	else if (f->file.notice[0])
		cli_notice(f->quiet, "%s", f->file.notice);
	return failed ? EXIT_ERROR : 0;
}

int cli_flows_begin(struct cli_flows *f, struct bpe_engine *engine)
{
	f->engine = engine;
	if (!f->append && outfile_empty(&f->file)) {
		program_tell("cannot write %s to %s: %s", f->what, f->path, f->file.why);
		return EXIT_ERROR;
	}
	begin_file(f);
	return 0;
}

int cli_flows_directory(const struct cli_flows *f)
{
	return f->file.regular ? f->file.directory : -1;
}

int cli_flows_descriptor(const struct cli_flows *f, bool *made)
{
	*made = f->file.made;
	return f->file.regular ? f->file.fd : -1;
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

void cli_flows_counts(const struct cli_flows *flows, uint64_t *written, uint64_t *lost)
{
	/* C11's atomic_load takes no pointer to const */
	struct cli_flows *f = (struct cli_flows *)(uintptr_t)flows;

	*written = atomic_load_explicit(&f->written, memory_order_relaxed);
	*lost = atomic_load_explicit(&f->lost, memory_order_relaxed);
}

int cli_flows_close(struct cli_flows *f)
{
	const int error = f->error;
	const int failed = outfile_close(&f->file);

	free(f);
	return error ? error : failed;
}
