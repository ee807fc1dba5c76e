/* SPDX-License-Identifier: MIT */
/* The keeper of a target (keeper.h): prepares the sink, and keeps a sender alive.
 *
 * Threads: a single one.  The keeper reads nothing from the network, and no bytes of records. */
#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#endif

enum {
	PAUSE_LEAST_MS = 100,
	PAUSE_MOST_MS = 5000,
	LONG_LIFE_MS = 30000, /* after a longer life the pause is short again */
	SLACK_MS = 3000,      /* beyond the sender's time to end */
	LOOK_MS = 250,
	GO_MS = 10,
	ENDING_STARTS = 3, /* senders started once the run has ended */
	NO_PROCESS = 126,  /* exit code in place of a sender's, without a process */
	NO_RIGHTS = 3      /* of the program, as in cli.h */
};

static int64_t keeper_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void export_process_name(const char *name)
{
#if defined __linux__
	prctl(PR_SET_NAME, name, 0, 0, 0);
#elif defined __FreeBSD__ || defined __NetBSD__ || defined __OpenBSD__
	setproctitle("%s", name);
#else
	(void)name;
#endif
}

void export_books_settle(struct export_line *line)
{
	struct export_books *const b = &line->books;
	const uint64_t taken = export_ring_taken(
		&line->ring, atomic_load_explicit(&b->taken, memory_order_relaxed));
	const uint64_t known = atomic_load_explicit(&b->sent, memory_order_relaxed) +
			       atomic_load_explicit(&b->failed, memory_order_relaxed) +
			       atomic_load_explicit(&b->unfit, memory_order_relaxed);

	atomic_store_explicit(&b->taken, taken, memory_order_relaxed);
	atomic_store_explicit(&b->lost, taken > known ? taken - known : 0, memory_order_relaxed);
	atomic_store_explicit(&b->is_connected, 0, memory_order_relaxed);
}

/* ---- Waiting ---- */

/* Returns the phase of the run. */
static uint32_t phase_of(const struct export_start *s)
{
	return atomic_load_explicit(&s->line->phase, memory_order_relaxed);
}

enum { PROGRAM_DIED = 1, OTHER_ENDED = 2 }; /* results of wait_for_ends */

/* Waits for the program's death (unless is_orphan), or for the end of the other pipe (-1: none).
 * Returns bits of these. */
static int wait_for_ends(const struct export_start *s, bool is_orphan, int other, int ms)
{
	struct pollfd p[2] = { { .fd = s->wires.life, .events = POLLIN },
		{ .fd = other, .events = POLLIN } };

	if (is_orphan)
		p[0].fd = -1;
	if (poll(p, 2, ms) <= 0)
		return 0;
	const int died = p[0].revents ? PROGRAM_DIED : 0;

	return p[1].revents ? died | OTHER_ENDED : died;
}

/* Waits until the run begins.  Returns false if the program is gone, or gave up. */
static bool wait_for_start(const struct export_start *s)
{
	while (phase_of(s) == EXPORT_WAITS)
		if (wait_for_ends(s, false, -1, GO_MS))
			return false;
	return true;
}

/* ---- Senders ---- */

/* Forks a sender.  *end: the reading end of a pipe that ends with the sender.  Returns the
 * process, or -1. */
static pid_t start_sender(struct export_start *s, bool is_first, int *end)
{
	int ends[2];

	if (pipe(ends))
		return -1;
	const pid_t sender = fork();

	if (!sender) {
		close(ends[0]);
		fcntl(ends[1], F_SETFD, FD_CLOEXEC);
		export_process_name("bpf-sender");
		_exit(export_sender_run(s, is_first));
	}
	close(ends[1]);
	if (sender < 0)
		close(ends[0]);
	*end = ends[0];
	return sender;
}

/* Returns how long a sender may take for its end without taking a record. */
static int64_t time_to_end(const struct export_start *s, bool is_orphan)
{
	const struct export_sink *sink = s->sender.sink;
	const int64_t seconds = sink->finish_s ? sink->finish_s : EXPORT_FINISH_S;

	if (is_orphan)
		return 2 * EXPORT_ORPHAN_MS + SLACK_MS;
	return EXPORT_PATIENCE_MS + seconds * 1000 + SLACK_MS;
}

/* Waits for the sender, and ends a sender beyond the time to end.
 * Returns the status of waitpid(2). */
static int watch_sender(const struct export_start *s, pid_t sender, int end)
{
	int64_t since_ms = 0; /* of the end, or of the last record since; 0: the run goes on */
	uint64_t seen = 0;
	int found = 0;
	int status = 0;

	while (!(found & OTHER_ENDED)) {
		const bool is_orphan = found & PROGRAM_DIED;
		const uint64_t head =
			atomic_load_explicit(&s->line->ring.head, memory_order_relaxed);
		const int64_t now_ms = keeper_ms();

		if ((is_orphan || phase_of(s) == EXPORT_ENDS) && (!since_ms || head != seen)) {
			since_ms = now_ms;
			seen = head;
		}
		if (since_ms && now_ms - since_ms > time_to_end(s, is_orphan))
			kill(sender, SIGKILL);
		found |= wait_for_ends(s, is_orphan, end, LOOK_MS);
	}
	while (waitpid(sender, &status, 0) < 0 && errno == EINTR)
		continue;
	close(end);
	return status;
}

/* Returns whether another sender is to be started.  ending: senders started since the end of the
 * run. */
static bool wants_sender(const struct export_start *s, uint32_t *ending)
{
	if (phase_of(s) != EXPORT_ENDS)
		return true;
	return export_ring_count(&s->line->ring) && ++*ending <= ENDING_STARTS;
}

/* Tells the program how the sender died.  pause_ms: until the next; -1: none starts. */
static void tell_death(const struct export_start *s, int status, int pause_ms)
{
	const bool is_killed = WIFSIGNALED(status);
	const char *how = is_killed ? "died of signal" : "ended with exit code";
	char next[64] = "none starts at the end of the run";
	char text[200];

	if (pause_ms >= 0)
		snprintf(next, sizeof next, "another starts in %d.%d s", pause_ms / 1000,
			pause_ms / 100 % 10);
	snprintf(text, sizeof text, "the sender process %s %d: %s", how,
		is_killed ? WTERMSIG(status) : WEXITSTATUS(status), next);
	export_message_send(&s->wires, EXPORT_DIED, 0, text);
}

/* Starts a sender, and waits for the end.  Returns the status of waitpid(2), and settles the books.
 */
static int run_sender_once(struct export_start *s, bool is_first)
{
	int end = -1;
	const pid_t sender = start_sender(s, is_first, &end);
	int status = NO_PROCESS << 8;

	if (sender > 0) {
		atomic_fetch_add_explicit(&s->line->books.starts, 1, memory_order_relaxed);
		status = watch_sender(s, sender, end);
	}
	export_books_settle(s->line);
	return status;
}

/* Starts senders until one ends well, or the first cannot open the sink. */
static void keep_senders(struct export_start *s)
{
	int pause_ms = PAUSE_LEAST_MS;
	uint32_t ending = 0;

	for (bool is_first = true;; is_first = false) {
		const int64_t began_ms = keeper_ms();
		int status = run_sender_once(s, is_first); /* macOS's macros take no const */
		const bool has_closed_sink =
			is_first && WIFEXITED(status) && WEXITSTATUS(status) == EXPORT_NOT_OPENED;

		if (!status || has_closed_sink)
			return;
		if (keeper_ms() - began_ms > LONG_LIFE_MS)
			pause_ms = PAUSE_LEAST_MS;
		const bool goes_on = wants_sender(s, &ending);

		tell_death(s, status, goes_on ? pause_ms : -1);
		if (!goes_on || wait_for_ends(s, false, -1, pause_ms))
			return;
		pause_ms = 2 * pause_ms < PAUSE_MOST_MS ? 2 * pause_ms : PAUSE_MOST_MS;
	}
}

/* Prepares the sink, and gives up rights.  Returns 0, or the program's exit code with the reason in
 * sender->why. */
static int prepare_sink(struct export_start *s)
{
	struct export_sender *const sender = &s->sender;

	if (sender->sink->prepare && sender->sink->prepare(sender))
		return 1;
	const int failed = s->shed();

	if (!failed)
		return 0;
	snprintf(sender->why, sizeof sender->why, "rights could not be given up: %s",
		strerror(failed));
	return NO_RIGHTS;
}

void export_keeper_run(struct export_start *s)
{
	const int kept[] = { s->wires.life, s->wires.wake, s->wires.status };

	s->become(kept, sizeof kept / sizeof *kept);
	export_process_name("bpf-keeper");
	export_voice_set(&s->wires);
	const int failed = prepare_sink(s);

	export_message_send(&s->wires, EXPORT_READY, failed, failed ? s->sender.why : "");
	if (!failed && wait_for_start(s))
		keep_senders(s);
	s->sender.sink->close(&s->sender);
	_exit(failed);
}
