/* SPDX-License-Identifier: MIT */
/* --flows: records as lines, to a file, a pipe or the standard output.
 *
 * All but open, close and the three flags is done on the engine's output thread, which may be held up here as long as it takes: workers do not wait for
 * it, but for savefiles, where waiting loses nothing.  Lines are gathered, and written whole when there are many, or when none waits.
 * What cannot be written is told once and counted, by lines; the next lines are tried again, on a line of their own.  A pipe is never written more
 * than it is sure to take, so that nobody hangs in it once the run is to end: then it gets PATIENCE to take something.
 * Hazard: a process that is confined opens a file by its directory's descriptor, which was open before. */
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
#include <unistd.h>

#define BUFFER (256u << 10)
#define LINES 1024u
#define PATIENCE_MS 2000
#define LOOK_MS 100

struct cli_flows {
	const char *path;		/* as it was given; "-" */
	const char *name;		/* in directory */
	int fd, directory;		/* directory -1: the standard output */
	uint32_t format;
	bool regular;
	bool torn;			/* what stands in the file ends within a line */
	bool given_up;			/* at the end, and nothing was taken for so long: no more waiting */
	bool quiet, stop_on_error;
	int error;			/* the last one; 0 once lines are written again */
	struct bpe_engine *engine;	/* to be stopped on an error */
	_Atomic int reopen, ending;	/* w: main, signal handlers  r: output thread, which clears reopen */
	_Atomic uint64_t written, lost;	/* w: output thread  r: any; lines */
	size_t used;
	uint32_t lines, ends[LINES];	/* in text: where each line ends */
	char text[BUFFER];
};

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* ---- The output thread's ---- */

/* Waits until it can take something.  False: it is to end, and takes nothing. */
static bool wait_writable(struct cli_flows *f)
{
	for (int waited = 0;;) {
		struct pollfd p = { .fd = f->fd, .events = POLLOUT };
		int r = poll(&p, 1, f->given_up ? 0 : LOOK_MS);
		if (r > 0) return f->given_up = false, true;
		if (r < 0 && errno != EINTR) return true;	/* write will tell */
		if (!atomic_load_explicit(&f->ending, memory_order_relaxed)) waited = 0;
		else if ((waited += LOOK_MS) >= PATIENCE_MS || f->given_up) return f->given_up = true, false;
	}
}

/* How many of the n bytes were written; *error is why not all. */
static size_t write_bytes(struct cli_flows *f, const char *bytes, size_t n, int *error)
{
	size_t done = 0;
	*error = 0;
	while (done < n) {
		size_t most = f->regular || n - done < PIPE_BUF ? n - done : PIPE_BUF;	/* poll(2) promises a pipe room for so many */
		if (!f->regular && !wait_writable(f)) return *error = ETIMEDOUT, done;
		ssize_t wrote = write(f->fd, bytes + done, most);
		if (wrote >= 0) done += (size_t)wrote;
		else if (errno != EINTR && errno != EAGAIN) return *error = errno, done;
	}
	return done;
}

static void tell(struct cli_flows *f, int error)
{
	if (error == f->error || f->quiet) return;
	cli_live_clear();
	fprintf(stderr, "bpfengine: flows are not written to %s: %s%s\n", f->path, error == ETIMEDOUT ? "nobody takes them" : strerror(error),
		f->stop_on_error ? "; ending" : "; the capture goes on");
}

static void flush(struct cli_flows *f)
{
	int error = 0;
	uint32_t whole = 0;
	size_t done = 0;
	if (!f->used) return;
	if (f->torn && write_bytes(f, "\n", 1, &error) == 1) f->torn = false;
	if (!error) done = write_bytes(f, f->text, f->used, &error);
	while (whole < f->lines && f->ends[whole] <= done) whole++;
	if (done && done != (whole ? f->ends[whole - 1] : 0)) f->torn = true;
	add(&f->written, whole);
	add(&f->lost, f->lines - whole);
	if (error) {
		tell(f, error);
		if (f->stop_on_error) bpe_engine_stop(f->engine);
	}
	f->error = error;
	f->used = f->lines = 0;
}

/* What it writes to.  True: something stands in it. */
static bool look(struct cli_flows *f)
{
	struct stat st = { .st_size = 0 };
	f->regular = !fstat(f->fd, &st) && S_ISREG(st.st_mode);
	return f->regular && st.st_size;
}

/* A file that is empty gets the line of names, if its format has one. */
static void begin_file(struct cli_flows *f)
{
	f->torn = false;
	if (look(f)) return;
	int error, n = bpe_flow_format(NULL, f->format, f->text, BUFFER);
	if (n <= 0) return;
	size_t done = write_bytes(f, f->text, (size_t)n, &error);
	f->torn = done && done < (size_t)n;
	if (error) tell(f, error), f->error = error;
}

static int open_file(struct cli_flows *f, int how)
{
	return openat(f->directory, f->name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | how, 0644);
}

/* SIGHUP: whoever moved the file away wants a new one.  What is waiting belongs to the old one. */
static void reopen(struct cli_flows *f)
{
	atomic_store_explicit(&f->reopen, 0, memory_order_relaxed);
	if (f->directory < 0) return;
	int fd = open_file(f, 0);
	if (fd < 0) {
		cli_live_clear();
		fprintf(stderr, "bpfengine: %s is not opened anew: %s; going on with the old file\n", f->path, strerror(errno));
		return;
	}
	close(f->fd);
	f->fd = fd;
	f->error = 0;
	begin_file(f);
}

void cli_flows_record(struct cli_flows *f, const struct bpe_flow *flow)
{
	if (!flow) {
		flush(f);
		if (atomic_load_explicit(&f->reopen, memory_order_relaxed)) reopen(f);
		return;
	}
	int n = bpe_flow_format(flow, f->format, f->text + f->used, BUFFER - f->used);
	if (n < 0) {
		add(&f->lost, 1);
		return;
	}
	f->ends[f->lines++] = (uint32_t)(f->used += (size_t)n);
	if (f->lines == LINES || BUFFER - f->used < BPE_FORMAT_BYTES) {
		flush(f);
		if (atomic_load_explicit(&f->reopen, memory_order_relaxed)) reopen(f);
	}
}

/* ---- The main thread's ---- */

static int refuse(struct cli_flows *f, const char *path)
{
	fprintf(stderr, "bpfengine: cannot write flows to %s: %s\n", path, strerror(errno));
	if (f) cli_flows_close(f);
	return EXIT_ERROR;
}

int cli_flows_open(struct cli_flows **flows, const struct cli *cli)
{
	const char *path = cli->flows_path, *slash = strrchr(path, '/');
	struct cli_flows *f = calloc(1, sizeof *f);
	if (!f) return refuse(f, path);
	f->path = path;
	f->format = cli->flows_format;
	f->quiet = cli->quiet;
	f->stop_on_error = cli->flows_stop;
	f->fd = STDOUT_FILENO;
	f->directory = -1;
	if (strcmp(path, "-") != 0) {
		char *parent = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
		f->name = slash ? slash + 1 : path;
		f->directory = parent ? open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		free(parent);
		f->fd = f->directory >= 0 ? open_file(f, O_TRUNC) : -1;
		if (f->fd < 0) return refuse(f, path);
	}
	look(f);
	*flows = f;
	return 0;
}

void cli_flows_begin(struct cli_flows *f, struct bpe_engine *engine)
{
	f->engine = engine;
	begin_file(f);
}

int cli_flows_directory(const struct cli_flows *f) { return f->regular ? f->directory : -1; }
void cli_flows_reopen(struct cli_flows *f) { atomic_store_explicit(&f->reopen, 1, memory_order_relaxed); }
void cli_flows_ending(struct cli_flows *f) { atomic_store_explicit(&f->ending, 1, memory_order_relaxed); }

void cli_flows_counts(const struct cli_flows *f, uint64_t *written, uint64_t *lost)
{
	struct cli_flows *any = (struct cli_flows *)(uintptr_t)f;
	*written = atomic_load_explicit(&any->written, memory_order_relaxed);
	*lost = atomic_load_explicit(&any->lost, memory_order_relaxed);
}

int cli_flows_close(struct cli_flows *f)
{
	int error = f->error;
	if (f->directory >= 0) {
		if (f->fd >= 0 && close(f->fd) && !error) error = errno;
		close(f->directory);
	}
	free(f);
	return error;
}
