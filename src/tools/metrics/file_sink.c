/* SPDX-License-Identifier: MIT */
/* The sink metrics-file: the page in a file, written anew every few seconds.
 *
 * Life: prepare opens the folder with the program's first rights; the sender writes with few.
 * Each time a file beside the last is written whole, and then takes the name.  So a reader never
 * meets half a page, and the last page stays if the disk is full.  The name of the file on its way
 * has the number of the keeper's process: two runs do not meet there. */
#include "sinks.h"
#include "state.h"

#include "tools/common/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { INTERVAL_S = 15, INTERVAL_MOST_S = 3600, RETRY_S = 1, NS_A_SECOND = 1000000000 };

struct metrics_file {
	struct metrics_state state;
	struct metrics_page page;
	struct outfile place;
	char passing[256]; /* the name on the way */
	int64_t interval_ns;
	int64_t next_ns; /* when to write; 0: as soon as there are counters */
	bool has_failed; /* the last time */
};

static int64_t file_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_A_SECOND + t.tv_nsec;
}

/* ---- Before the run ---- */

/* Checks the words of a target. */
static int check_metrics_file(const struct export_address *address, char *why, size_t room)
{
	static const char *const names[] = { "interval", "top", "servers", NULL };
	const size_t n = strlen(address->path);
	uint64_t interval = INTERVAL_S;
	uint32_t places, servers;

	if (export_parameters_check(address, names, why, room) ||
		metrics_places_read(address, &places, &servers, why, room) ||
		export_number(address, "interval", 1, INTERVAL_MOST_S, &interval, why, room))
		return -1;
	if (*address->hosts || !n || address->path[n - 1] == '/') {
		snprintf(why, room, "the name of a file is missing: write FOLDER/bpfengine.prom");
		return -1;
	}
	return 0;
}

/* Returns 0, or -1 with the reason if another kind of file than a regular one has the name. */
static int check_old_file(const struct metrics_file *f, char *why, size_t room)
{
	struct stat st;

	if (fstatat(f->place.directory, f->place.name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (S_ISREG(st.st_mode))
		return 0;
	snprintf(why, room,
		"a %s is there, which a new file would replace: choose the name of a new file",
		S_ISLNK(st.st_mode) ? "link" : "special file");
	return -1;
}

static int prepare_metrics_file(struct export_sender *s)
{
	struct metrics_file *const f = calloc(1, sizeof *f);
	uint64_t interval = INTERVAL_S;

	s->state = f;
	if (!f || !metrics_state_open(&f->state, s)) {
		snprintf(s->why, sizeof s->why, "no memory");
		return -1;
	}
	f->place.directory = -1;
	if (outfile_find_directory(&f->place, s->address->path)) {
		snprintf(
			s->why, sizeof s->why, "%.160s (the folder has to be there)", f->place.why);
		return -1;
	}
	if (check_old_file(f, s->why, sizeof s->why))
		return -1;
	const int n = snprintf(
		f->passing, sizeof f->passing, ".%.200s.%ld", f->place.name, (long)getpid());

	export_number(s->address, "interval", 1, INTERVAL_MOST_S, &interval, s->why, sizeof s->why);
	f->interval_ns = (int64_t)interval * NS_A_SECOND;
	return n < 0 ? -1 : 0;
}

static int open_metrics_file(struct export_sender *s)
{
	struct metrics_file *const f = s->state;

	if (!faccessat(f->place.directory, ".", W_OK | X_OK, AT_EACCESS)) {
		atomic_store_explicit(&s->books->is_connected, 1, memory_order_relaxed);
		return 0;
	}
	snprintf(s->why, sizeof s->why,
		"user %ld may not make files in the folder: %s (give the folder to that user by chown, or name another folder)",
		(long)geteuid(), strerror(errno));
	return -1;
}

/* ---- Writing ---- */

/* Opens the file on the way.  Returns the descriptor, or -1 and errno. */
static int open_passing(const struct metrics_file *f)
{
	enum { READABLE = 0644 };
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(f->place.directory, f->passing, flags, READABLE);

	if (fd < 0 && errno == EEXIST && !unlinkat(f->place.directory, f->passing, 0))
		fd = openat(f->place.directory, f->passing, flags, READABLE);
	if (fd >= 0)
		fchmod(fd, READABLE); /* the umask hides nothing from node_exporter */
	return fd;
}

/* Writes all bytes and closes.  Returns 0 or an errno. */
static int fill_passing(int fd, const char *bytes, size_t n)
{
	int failed = 0;

	while (n && !failed) {
		const ssize_t written = write(fd, bytes, n);

		if (written >= 0) {
			bytes += written;
			n -= (size_t)written;
		} else if (errno != EINTR) {
			failed = errno;
		}
	}
	if (close(fd) && !failed)
		failed = errno;
	return failed;
}

/* Puts the page in the file's place.  Returns 0 or an errno. */
static int replace_file(struct metrics_file *f)
{
	const int fd = open_passing(f);
	int failed = fd < 0 ? errno : 0;

	if (failed)
		return failed;
	failed = fill_passing(fd, f->page.bytes, f->page.used);
	if (!failed && renameat(f->place.directory, f->passing, f->place.directory, f->place.name))
		failed = errno;
	if (failed)
		unlinkat(f->place.directory, f->passing, 0);
	return failed;
}

static void write_metrics_file(struct export_sender *s, int64_t now_ns)
{
	struct metrics_file *const f = s->state;
	int failed = ENOMEM;

	if (metrics_state_put(&f->page, &f->state, METRICS_TEXT, now_ns))
		failed = replace_file(f);
	if (failed)
		export_say(s, "the file was not written, and keeps the counters from before: %s",
			strerror(failed));
	else if (f->has_failed)
		export_say(s, "the file is written again");
	if (!failed) {
		export_add(&s->books->messages, 1);
		export_add(&s->books->bytes, f->page.used);
	}
	f->has_failed = failed;
	atomic_store_explicit(&s->books->is_connected, !failed, memory_order_relaxed);
}

/* ---- The run ---- */

/* Returns true: a record never waits. */
static bool is_file_ready(struct export_sender *s)
{
	(void)s;
	return true;
}

static void count_file_record(struct export_sender *s, const struct bpe_flow *flow)
{
	struct metrics_file *const f = s->state;

	metrics_state_record(&f->state, flow);
}

static void take_file_counts(struct export_sender *s, const struct export_counts *counts)
{
	struct metrics_file *const f = s->state;

	metrics_state_counts(&f->state, counts, file_clock_ns());
}

static int work_on_file(struct export_sender *s, int64_t now_ns, bool is_idle)
{
	struct metrics_file *const f = s->state;

	(void)is_idle;
	if (!f->state.counts_ns)
		return 1000;
	if (now_ns >= f->next_ns) {
		write_metrics_file(s, now_ns);
		f->next_ns = now_ns + f->interval_ns;
		if (f->has_failed && f->interval_ns > RETRY_S * (int64_t)NS_A_SECOND)
			f->next_ns = now_ns + RETRY_S * (int64_t)NS_A_SECOND;
	}
	return (int)((f->next_ns - now_ns) / 1000000) + 1;
}

/* Writes the final state.  The counters are final by now. */
static void finish_metrics_file(struct export_sender *s, int64_t until_ns)
{
	(void)until_ns;
	write_metrics_file(s, file_clock_ns());
}

static void close_metrics_file(struct export_sender *s)
{
	struct metrics_file *const f = s->state;

	if (!f)
		return;
	if (f->place.directory >= 0)
		close(f->place.directory);
	metrics_state_close(&f->state);
	metrics_page_free(&f->page);
	free(f);
	s->state = NULL;
}

const struct export_sink metrics_file_sink = {
	.scheme = "metrics-file",
	.usage = "--metrics-file FILE[?interval=SECONDS&top=NAMES&servers=NAMES]",
	.check = check_metrics_file,
	.prepare = prepare_metrics_file,
	.open = open_metrics_file,
	.is_ready = is_file_ready,
	.record = count_file_record,
	.counts = take_file_counts,
	.work = work_on_file,
	.finish = finish_metrics_file,
	.close = close_metrics_file,
	.without_flows = true,
};
