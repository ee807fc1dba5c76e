/* SPDX-License-Identifier: MIT */
/* The sender processes of a run, as the program sees them (exports.h).
 *
 * Life: start forks the keepers, before the source is opened; begin gives the word to go; finish
 * gives the word to end, and waits for the pipe `status` of each target to end.
 * Threads: record is the output thread's, all else the main thread's.  The two share atomic words
 * alone.
 * Hazard: with a savefile the output thread waits for a slow target.  A target that takes nothing
 * for EXPORT_PATIENCE_MS gets no more records until the target moves again.  At the end of a run
 * the engine drops records if the output thread takes none for 2 seconds: LAST_MS is shorter. */
#include "exports.h"

#include "cli.h"
#include "helper.h"

#include "tools/export/keeper.h"
#include "tools/export/packed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MAP_ANONYMOUS
#define MAP_ANONYMOUS MAP_ANON
#endif

enum {
	START_MS = 15000, /* for the preparing and the opening of a sink */
	LAST_MS = 1500,   /* instead of EXPORT_PATIENCE_MS at the end: the engine waits for 2 s */
	ENDING_MS = 500,  /* ... once a signal has ended the run */
	LIVE_END_MS = 10000, /* for all records at the end of a live run */
	TELL_MS = 2000,      /* before the program tells of the waiting */
	SLACK_MS = 5000,
	LOOK_MS = 100
};

/* A target at work. */
struct cli_export {
	struct export_line *line; /* shared memory */
	int life, wake;           /* writing ends */
	int status;               /* reading end; -1: keeper and sender are gone */
	pid_t keeper;             /* 0: waited for */
	bool is_opened;
	bool is_drop_told;
	int failed; /* the program's exit code after a failure to prepare or open */
	/* of the output thread */
	struct export_ring_end ring;
	uint64_t stalled_head; /* head when patience was over */
	bool is_stalled;
	/* w: main  r: output thread */
	_Atomic bool is_gone; /* no sender will come */
};

struct cli_exports {
	uint32_t count;
	bool waits; /* nothing is lost by waiting: packets do not come by the clock */
	bool is_savefile;
	bool quiet;
	struct export_board *board; /* shared memory */
	_Atomic int is_ending;      /* w: main, signal handlers  r: output thread */
	struct export_target targets[EXPORT_TARGETS_MOST];
	const char *options[EXPORT_TARGETS_MOST]; /* "--export" */
	struct cli_export at[EXPORT_TARGETS_MOST];
	char source[256];
	int64_t last_ms; /* when records of the end began to wait; of the output thread */
	uint8_t packed[EXPORT_PACKED_MOST]; /* likewise */
};

static int64_t exports_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint64_t count_of(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

/* ---- Records: the output thread ---- */

/* Ends the sleep of the sender. */
static void wake_sender(struct cli_export *x)
{
	const char byte = 0;

	if (!atomic_load_explicit(&x->line->is_asleep, memory_order_relaxed))
		return;
	atomic_store_explicit(&x->line->is_asleep, 0, memory_order_relaxed);
	while (write(x->wake, &byte, 1) < 0 && errno == EINTR)
		continue;
}

static uint64_t ring_head(const struct cli_export *x)
{
	return count_of(&x->line->ring.head);
}

/* A record on its way to the targets. */
struct export_record {
	uint32_t n;       /* packed bytes */
	bool last;        /* of a flow that was alive at the end of the run */
	int64_t began_ms; /* the waiting for room in any ring; 0: not yet */
};

/* Returns how long a record may wait for room, in all rings together. */
static int64_t record_patience_ms(const struct cli_exports *e, const struct export_record *r)
{
	if (atomic_load_explicit(&e->is_ending, memory_order_relaxed))
		return ENDING_MS;
	return r->last ? LAST_MS : EXPORT_PATIENCE_MS;
}

/* Waits for room in a ring, and appends the record.  Returns false if there was none in time.  The
 * next record waits for that target only if the sender has taken a record meanwhile. */
static bool wait_for_room(struct cli_exports *e, struct cli_export *x, struct export_record *r)
{
	static const struct timespec nap = { .tv_nsec = 200000 };

	if (x->is_stalled && ring_head(x) == x->stalled_head)
		return false;
	x->is_stalled = false;
	if (!r->began_ms)
		r->began_ms = exports_ms();
	while (!atomic_load_explicit(&x->is_gone, memory_order_relaxed)) {
		x->stalled_head = ring_head(x);
		if (export_ring_push(&x->ring, e->packed, r->n))
			return true;
		if (exports_ms() - r->began_ms > record_patience_ms(e, r))
			break;
		wake_sender(x);
		nanosleep(&nap, NULL);
	}
	x->is_stalled = true;
	return false;
}

/* Returns whether a record waits for room.  A live run waits at the end alone, when no packet can
 * be lost, and for a limited time. */
static bool may_record_wait(struct cli_exports *e, const struct export_record *r)
{
	if (e->waits || !r->last)
		return e->waits;
	if (!e->last_ms)
		e->last_ms = exports_ms();
	return exports_ms() - e->last_ms < LIVE_END_MS;
}

/* Offers a packed record to a target. */
static void offer_record(struct cli_exports *e, struct cli_export *x, struct export_record *r)
{
	struct export_books *const books = &x->line->books;

	export_add(&books->offered, 1);
	if (export_ring_push(&x->ring, e->packed, r->n)) {
		if (export_ring_is_filling(&x->ring))
			wake_sender(x);
		return;
	}
	if (!may_record_wait(e, r) || !wait_for_room(e, x, r))
		export_add(&books->ring_dropped, 1);
}

void cli_exports_record(struct cli_exports *e, const struct bpe_flow *flow)
{
	if (!flow || flow->end == BPE_END_BEGUN || flow->end == BPE_END_DUMPED)
		return;
	struct export_record r = { .n = export_pack(e->packed, flow),
		.last = flow->end == BPE_END_STOP };

	for (uint32_t k = 0; k < e->count; k++)
		offer_record(e, &e->at[k], &r);
}

void cli_exports_ending(struct cli_exports *e)
{
	atomic_store_explicit(&e->is_ending, 1, memory_order_relaxed);
}

void cli_exports_reopen(struct cli_exports *e)
{
	for (uint32_t k = 0; k < e->count; k++) {
		atomic_fetch_add_explicit(&e->at[k].line->reopens, 1, memory_order_relaxed);
		wake_sender(&e->at[k]);
	}
}

/* ---- What the senders say ---- */

/* How a text is told, and by whom. */
struct export_teller {
	void (*tell)(void *user, const char *text);
	void *user;
};

/* Tells a text about a target. */
static void tell_of_target(
	struct cli_exports *e, uint32_t k, const struct export_teller *teller, const char *words)
{
	char text[600];

	snprintf(text, sizeof text, "%s %s: %s", e->options[k], e->targets[k].address.shown, words);
	teller->tell(teller->user, text);
}

/* Handles a message. */
static void handle_message(struct cli_exports *e, uint32_t k, struct export_message *m,
	const struct export_teller *teller)
{
	struct cli_export *const x = &e->at[k];
	m->text[sizeof m->text - 1] = 0;
	if (m->kind == EXPORT_READY || m->kind == EXPORT_OPENED) {
		x->is_opened = true;
		x->failed = m->failed;
		if (m->failed)
			program_tell(
				"%s %s: %s", e->options[k], e->targets[k].address.shown, m->text);
		return;
	}
	tell_of_target(e, k, teller, m->text);
}

/* Takes the end of a target's processes. */
static void note_processes_end(struct cli_export *x)
{
	close(x->status);
	x->status = -1;
	atomic_store_explicit(&x->is_gone, true, memory_order_relaxed);
	while (x->keeper && waitpid(x->keeper, NULL, 0) < 0 && errno == EINTR)
		continue;
	x->keeper = 0;
}

/* Reads the messages of a target that have come. */
static void read_messages(struct cli_exports *e, uint32_t k, const struct export_teller *teller)
{
	struct cli_export *const x = &e->at[k];
	struct export_message m;

	while (x->status >= 0) {
		const ssize_t n = read(x->status, &m, sizeof m);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		if (n == (ssize_t)sizeof m)
			handle_message(e, k, &m, teller);
		else
			note_processes_end(x);
	}
}

void cli_exports_look(struct cli_exports *e, void (*tell)(void *user, const char *text), void *user)
{
	const struct export_teller teller = { tell, user };

	for (uint32_t k = 0; k < e->count; k++) {
		struct cli_export *const x = &e->at[k];
		const bool was_there = x->status >= 0;

		read_messages(e, k, &teller);
		if (was_there && x->status < 0)
			tell_of_target(e, k, &teller,
				"the sender process is gone, and none will start: records are"
				" dropped from now on");
		if (x->is_drop_told || !count_of(&x->line->books.ring_dropped))
			continue;
		x->is_drop_told = true;
		tell_of_target(e, k, &teller,
			"records are dropped, since the target takes them too slowly or not at"
			" all (the report counts them)");
	}
}

void cli_exports_counts(struct cli_exports *e, const struct export_counts *counts)
{
	export_board_write(e->board, counts);
}

/* ---- The start ---- */

/* Makes a pipe that executed programs do not get.  Returns 0 or an errno. */
static int make_pipe(int ends[2])
{
	if (pipe(ends))
		return errno;
	for (int k = 0; k < 2; k++)
		fcntl(ends[k], F_SETFD, FD_CLOEXEC);
	return 0;
}

/* Makes memory that the processes share; NULL: none. */
static void *map_shared(size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int cli_targets_check(struct cli *c)
{
	char why[400];

	for (uint32_t k = 0; cli_has_targets(c) && k < c->targets->count; k++) {
		const char *option = c->targets->target[k].option;
		const struct export_address *a = &c->targets->target[k].address;
		const struct export_sink *sink = export_sink_find(a->scheme);

		if (!sink)
			return option_refuse(
				"%s %s: there is no kind of target %s (bpfengine(1) lists them)",
				option, a->shown, a->scheme);
		if (!c->engine.flows && !sink->without_flows)
			return option_refuse("%s %s: flows are sent, and --no-flows keeps none",
				option, a->shown);
		if (sink->check(a, why, sizeof why))
			return option_refuse("%s %s: %s", option, a->shown, why);
		c->engine.flow_lengths |= sink->has_ip_bytes;
	}
	return 0;
}

/* Forks the keeper of a target.  Returns 0 or an errno. */
static int fork_keeper(struct cli_exports *e, uint32_t k, struct export_start *start)
{
	struct cli_export *const x = &e->at[k];
	int pipes[3][2];
	int failed = 0;

	for (int p = 0; p < 3 && !failed; p++)
		failed = make_pipe(pipes[p]);
	if (failed)
		return failed; /* the program ends, and so do its pipes */
	for (int p = 1; p < 3; p++)
		fcntl(pipes[p][1], F_SETFL, O_NONBLOCK);
	fcntl(pipes[2][0], F_SETFL, O_NONBLOCK);
	start->wires = (struct export_wires){ pipes[0][0], pipes[1][0], pipes[2][1] };
	start->sender.sink = e->targets[k].sink;
	start->sender.address = &e->targets[k].address;
	start->sender.books = e->targets[k].books;
	start->line = x->line;
	fflush(NULL);
	x->keeper = fork();
	if (!x->keeper)
		export_keeper_run(start);
	failed = x->keeper < 0 ? errno : 0;
	close(pipes[0][0]);
	close(pipes[1][0]);
	close(pipes[2][1]);
	x->life = pipes[0][1];
	x->wake = pipes[1][1];
	x->status = pipes[2][0];
	return failed;
}

/* Prints a text at the start of a run; tell of a teller. */
static void tell_at_start(void *user, const char *text)
{
	const struct cli_exports *e = user;

	cli_notice(e->quiet, "%s", text);
}

/* Waits until each target has answered.  Returns 0, or the exit code after the message. */
static int wait_for_answers(struct cli_exports *e)
{
	const struct export_teller teller = { tell_at_start, e };
	const int64_t until_ms = exports_ms() + START_MS;

	for (uint32_t k = 0; k < e->count; k++) {
		struct cli_export *const x = &e->at[k];

		while (!x->is_opened && x->status >= 0 && exports_ms() < until_ms) {
			struct pollfd p = { .fd = x->status, .events = POLLIN };

			poll(&p, 1, LOOK_MS);
			read_messages(e, k, &teller);
		}
		if (!x->is_opened) {
			program_tell("%s %s: the sender process does not answer", e->options[k],
				e->targets[k].address.shown);
			return EXIT_ERROR;
		}
		x->is_opened = false;
		if (x->failed)
			return x->failed;
	}
	return 0;
}

/* Maps the memory of all targets.  Returns whether there was enough. */
static bool map_targets(struct cli_exports *e, const struct cli_targets *targets)
{
	e->board = map_shared(sizeof *e->board);
	for (uint32_t k = 0; k < targets->count; k++) {
		struct cli_export *const x = &e->at[k];

		x->life = x->wake = x->status = -1;
		x->line = map_shared(sizeof *x->line);
		if (!x->line || !e->board)
			return false;
		e->count++;
		e->options[k] = targets->target[k].option;
		e->targets[k] = (struct export_target){
			.sink = export_sink_find(targets->target[k].address.scheme),
			.address = targets->target[k].address,
			.books = &x->line->books,
		};
		export_ring_attach(
			&x->ring, &x->line->ring, x->line->bytes, EXPORT_RING_BYTES, true);
	}
	return true;
}

int cli_exports_start(struct cli_exports **exports, const struct cli *c)
{
	struct cli_exports *e;
	struct timespec now;
	int failed = 0;

	if (!cli_has_targets(c))
		return 0;
	e = *exports = calloc(1, sizeof *e);
	if (!e || !map_targets(e, c->targets)) {
		program_tell("no memory for the targets");
		return EXIT_ERROR;
	}
	e->is_savefile = c->engine.file;
	e->waits = e->is_savefile ||
		   (cli_is_generated(&c->engine) && !strstr(c->engine.interface_name, "rate="));
	e->quiet = c->quiet;
	cli_sources_text(c, e->source, sizeof e->source);
	clock_gettime(CLOCK_REALTIME, &now);
	struct export_start start = {
		.sender = { .targets = e->targets,
			.target_count = e->count,
			.is_live = !e->is_savefile,
			.started_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec,
			.source = e->source },
		.board = e->board,
		.become = cli_helper_become,
		.shed = cli_rights_shed_wholly,
	};

	for (uint32_t k = 0; k < e->count && !failed; k++)
		failed = fork_keeper(e, k, &start);
	if (!failed)
		return wait_for_answers(e);
	program_tell("no sender process: %s", strerror(failed));
	return EXIT_ERROR;
}

int cli_exports_begin(struct cli_exports *e)
{
	for (uint32_t k = 0; k < e->count; k++)
		atomic_store_explicit(&e->at[k].line->phase, EXPORT_GOES, memory_order_relaxed);
	return wait_for_answers(e);
}

/* ---- The end ---- */

/* Returns how long a target may make no progress at the end. */
static int64_t end_patience_ms(const struct export_sink *sink)
{
	const int64_t seconds = sink->finish_s ? sink->finish_s : EXPORT_FINISH_S;

	return EXPORT_PATIENCE_MS + seconds * 1000 + SLACK_MS;
}

/* Waits until the processes of a target have ended, or make no progress for too long. */
static void wait_for_end(struct cli_exports *e, uint32_t k, const struct export_teller *teller)
{
	struct cli_export *const x = &e->at[k];
	const int64_t began_ms = exports_ms();
	int64_t since_ms = began_ms;
	uint64_t head = ring_head(x);
	bool is_told = e->quiet;

	for (read_messages(e, k, teller); x->status >= 0; read_messages(e, k, teller)) {
		struct pollfd p = { .fd = x->status, .events = POLLIN };
		const int64_t now_ms = exports_ms();

		if (ring_head(x) != head) {
			head = ring_head(x);
			since_ms = now_ms;
		}
		if (now_ms - since_ms > end_patience_ms(e->targets[k].sink))
			return;
		if (!is_told && now_ms - began_ms > TELL_MS) {
			is_told = true;
			program_tell("waiting for %s %s; a second Ctrl-C leaves at once",
				e->options[k], e->targets[k].address.shown);
		}
		poll(&p, 1, LOOK_MS);
	}
}

void cli_exports_finish(
	struct cli_exports *e, void (*tell)(void *user, const char *text), void *user)
{
	const struct export_teller teller = { tell, user };

	for (uint32_t k = 0; k < e->count; k++) {
		/* pairs: is_taking_over of sender.c, so that the sender sees the last records */
		atomic_store_explicit(&e->at[k].line->phase, EXPORT_ENDS, memory_order_release);
		atomic_store_explicit(&e->at[k].line->is_asleep, 1, memory_order_relaxed);
		wake_sender(&e->at[k]);
	}
	for (uint32_t k = 0; k < e->count; k++) {
		struct export_line *const line = e->at[k].line;

		wait_for_end(e, k, &teller);
		export_books_settle(line);
		export_add(&line->books.ring_dropped, export_ring_count(&line->ring));
	}
}

bool cli_exports_tell_missing(const struct cli_exports *e)
{
	bool has_all = true;

	for (uint32_t k = 0; k < e->count; k++) {
		const struct export_books *b = e->targets[k].books;
		const uint64_t missing =
			count_of(&b->ring_dropped) + count_of(&b->failed) + count_of(&b->lost);

		if (!missing)
			continue;
		has_all = false;
		program_tell("%s %s: records did not all arrive: %" PRIu64 " of %" PRIu64
			     " are missing",
			e->options[k], e->targets[k].address.shown, missing, count_of(&b->offered));
	}
	return has_all || !e->is_savefile;
}

uint32_t cli_exports_count(const struct cli_exports *e)
{
	return e ? e->count : 0;
}

const struct export_target *cli_exports_target(const struct cli_exports *e, uint32_t k)
{
	return &e->targets[k];
}

/* Ends the processes of a target.  A keeper that does not end is left to itself. */
static void close_export(struct cli_export *x)
{
	const int64_t until_ms = exports_ms() + SLACK_MS;
	struct export_message m;

	if (x->life >= 0)
		close(x->life);
	if (x->wake >= 0)
		close(x->wake);
	while (x->status >= 0 && exports_ms() < until_ms) {
		struct pollfd p = { .fd = x->status, .events = POLLIN };

		if (poll(&p, 1, LOOK_MS) > 0 && !read(x->status, &m, sizeof m))
			note_processes_end(x);
	}
	if (x->status >= 0)
		close(x->status);
	if (x->line)
		munmap(x->line, sizeof *x->line);
}

void cli_exports_close(struct cli_exports *e)
{
	if (!e)
		return;
	for (uint32_t k = 0; k < EXPORT_TARGETS_MOST; k++)
		if (e->at[k].line)
			close_export(&e->at[k]);
	if (e->board)
		munmap(e->board, sizeof *e->board);
	free(e);
}
