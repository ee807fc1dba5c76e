/* SPDX-License-Identifier: MIT */
/* The live view: takes snapshots of the engine, shows them, minds keys (top.h).
 *
 * Life: open, before the program is confined, makes curses read its files and gives the terminal
 * back; start takes the terminal again and starts the thread that asks the engine; step shows and
 * minds keys; close gives the terminal back and joins the thread.
 * Threads: the main thread owns the model and makes every call to curses.  The asker waits for
 * `wanted`, fills `shot`, sets `ready`.  These two flags, under the mutex, say which thread owns
 * the snapshot.  So keys are handled however long a busy worker takes to answer.
 * Signals are main.c's: the handlers set flags, which are handled between two steps. */
#include "top_view.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define STEP_MS 100
#define SECOND_NS 1000000000
#define FIRST_NS 300000000 /* until the first snapshot, at most */
#define SETTLED 2          /* snapshots after the end of the run, which show all packets */

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND_NS + t.tv_nsec;
}

/* ---- Open and start ---- */

/* Allocates the view's memory.  Returns NULL if there is no memory. */
static struct top_view *new_view(void)
{
	struct top_view *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->shot.flows = calloc(TOP_FLOWS, sizeof *v->shot.flows);
	const bool has_model = top_model_init(&v->model);
	if (!top_closed_init(&v->closed, TOP_CLOSED) || !has_model || !v->shot.flows) {
		top_closed_free(&v->closed);
		free(v->shot.flows);
		top_model_free(&v->model);
		free(v);
		return NULL;
	}
	pthread_mutex_init(&v->mutex, NULL);
	pthread_cond_init(&v->cond, NULL);
	return v;
}

static int open_view(struct top_view **view, const struct cli *c)
{
	struct top_view *v = new_view();

	if (!v) {
		program_tell("--top: no memory");
		return EXIT_ERROR;
	}
	const int code = top_terminal_open(v, c->print.color);
	if (code) {
		top_view_close(v);
		return code;
	}
	v->model.is_file = c->engine.file || c->engine.memory;
	v->model.where = c->where;
	v->interval_ns = c->stats_interval_ns ? c->stats_interval_ns : SECOND_NS;
	v->is_changed = true;
	*view = v;
	return 0;
}

/* Opens the view with signals blocked, and resets the signals' actions.  From newterm on curses
 * handles signals, and the handlers of curses leave the program without a word.  So signals are
 * blocked during the call, and then have the default action until main.c installs handlers: a
 * signal ends the program with the terminal as it was. */
int top_view_open(struct top_view **view, const struct cli *c)
{
	static const int handled[] = { SIGINT, SIGTERM, SIGTSTP };
	enum { HANDLED = sizeof handled / sizeof *handled };
	const struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t set, before;

	sigemptyset(&set);
	for (size_t i = 0; i < HANDLED; i++)
		sigaddset(&set, handled[i]);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	const int code = open_view(view, c);
	for (size_t i = 0; i < HANDLED; i++)
		sigaction(handled[i], &standard, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

/* Fills the snapshot from the engine. */
static void fill_snapshot(struct top_view *v, enum bpe_order order, int64_t since_ns)
{
	struct top_shot *s = &v->shot;

	bpe_engine_stats(v->engine, &s->stats);
	const size_t n = bpe_engine_protocols(v->engine, s->protocols, TOP_PROTOCOLS);
	s->protocol_count = n < TOP_PROTOCOLS ? n : TOP_PROTOCOLS;
	const int found = bpe_engine_largest_flows(
		v->engine, (uint32_t)order, since_ns, s->flows, TOP_FLOWS, &s->about, NULL);
	s->count = found > 0 ? (size_t)found : 0;
}

static void *run_asker(void *view)
{
	struct top_view *v = view;

	pthread_mutex_lock(&v->mutex);
	for (;;) {
		while (!v->wanted && !v->leave)
			pthread_cond_wait(&v->cond, &v->mutex);
		if (v->leave)
			break;
		const enum bpe_order order = v->order;
		const int64_t since_ns = v->since_ns;
		pthread_mutex_unlock(&v->mutex);
		fill_snapshot(v, order, since_ns);
		pthread_mutex_lock(&v->mutex);
		v->wanted = false;
		v->ready = true;
	}
	pthread_mutex_unlock(&v->mutex);
	return NULL;
}

void top_view_start(struct top_view *v, struct bpe_engine *engine)
{
	sigset_t all, before;

	v->engine = engine;
	sigfillset(&all); /* signals are for the main thread */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	v->has_asker = !pthread_create(&v->asker, NULL, run_asker, v);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!v->has_asker)
		top_view_say(v, "no thread to ask the engine with: nothing will be shown");
	v->due_ns = monotonic_ns() + (v->interval_ns < FIRST_NS ? v->interval_ns : FIRST_NS);
	v->is_shown = true;
	curs_set(0);
	clearok(curscr, TRUE);
	refresh();
}

/* ---- A step ---- */

/* Takes a filled snapshot into the model.  The caller holds the mutex. */
static void take_snapshot(struct top_view *v)
{
	if (!v->ready)
		return;
	v->ready = false;
	if (!v->is_paused) {
		struct top_model *m = &v->model;

		m->closed_count = top_closed_copy(&v->closed, m->closed, &m->closed_all);
		m->is_whole = v->is_over;
		top_model_take(m, &v->shot);
		v->is_changed = true;
	}
	if (v->is_over && v->settled < SETTLED)
		v->settled++;
}

/* Returns the oldest last packet of flows that are asked for.  In the order of rates, flows that
 * were silent for the chosen average need no place in the list; 2 s at least, since packets may be
 * on their way through the rings. */
static int64_t oldest_wanted(const struct top_view *v)
{
	static const int64_t silent_ns[TOP_WINDOWS] = { 2000000000, 10000000000, 40000000000 };
	const struct top_model *m = &v->model;
	const int64_t packet_ns = m->now.about.packet_ns;
	const int64_t silent = silent_ns[m->average];

	if (m->sort != TOP_RATE || v->is_over || packet_ns <= silent)
		return INT64_MIN;
	return packet_ns - silent;
}

/* Asks for the next snapshot if it is due.  The caller holds the mutex. */
static void request_snapshot(struct top_view *v)
{
	const int64_t now_ns = monotonic_ns();

	if (v->wanted || v->is_paused || now_ns < v->due_ns || v->settled >= SETTLED)
		return;
	v->order = v->model.sort == TOP_PACKETS ? BPE_ORDER_PACKETS : BPE_ORDER_BYTES;
	v->since_ns = oldest_wanted(v);
	v->wanted = true;
	v->due_ns = now_ns + v->interval_ns;
	pthread_cond_signal(&v->cond);
}

static void exchange_snapshots(struct top_view *v, bool is_ended)
{
	pthread_mutex_lock(&v->mutex);
	take_snapshot(v);
	if (is_ended && !v->is_over) {
		v->is_over = true;
		v->due_ns = 0;
		v->is_changed = true;
	}
	request_snapshot(v);
	pthread_mutex_unlock(&v->mutex);
}

bool top_view_step(struct top_view *v, bool is_ended)
{
	if (top_terminal_is_gone(v))
		return false;
	exchange_snapshots(v, is_ended);
	if (v->is_changed)
		top_draw(v);
	v->is_changed = false;
	timeout(STEP_MS);
	for (int key; (key = getch()) != ERR; timeout(0))
		if (!top_handle_key(v, key))
			return false;
	return true;
}

/* ---- Signals, notices, the end ---- */

void top_view_suspend(struct top_view *v)
{
	struct sigaction stop = { .sa_handler = SIG_DFL }, before;

	endwin();
	sigaction(SIGTSTP, &stop, &before);
	raise(SIGTSTP);
	sigaction(SIGTSTP, &before, NULL);
	top_view_redraw(v);
}

void top_view_redraw(struct top_view *v)
{
	reset_prog_mode();
	clearok(curscr, TRUE);
	v->is_changed = true;
	refresh();
}

void top_view_say(struct top_view *v, const char *text)
{
	pthread_mutex_lock(&v->mutex);
	snprintf(v->notice[v->notices++ % TOP_NOTICES], sizeof v->notice[0], "%s", text);
	pthread_mutex_unlock(&v->mutex);
}

void top_view_record(struct top_view *v, const struct bpe_flow *flow)
{
	if (flow)
		top_closed_add(&v->closed, flow);
}

static void stop_asker(struct top_view *v)
{
	if (!v->has_asker)
		return;
	pthread_mutex_lock(&v->mutex);
	v->leave = true;
	pthread_cond_signal(&v->cond);
	pthread_mutex_unlock(&v->mutex);
	pthread_join(v->asker, NULL);
}

/* Prints the latest notices, and how many came before. */
static void print_notices(const struct top_view *v)
{
	const uint32_t oldest = v->notices > TOP_NOTICES ? v->notices - TOP_NOTICES : 0;

	for (uint32_t i = oldest; i < v->notices; i++)
		program_tell("%s", v->notice[i % TOP_NOTICES]);
	if (oldest)
		program_tell("and %u more notices, earlier than these", oldest);
}

void top_view_close(struct top_view *v)
{
	if (!v)
		return;
	top_terminal_leave(v);
	stop_asker(v);
	print_notices(v);
	top_terminal_close(v);
	top_closed_free(&v->closed);
	free(v->shot.flows);
	top_model_free(&v->model);
	pthread_cond_destroy(&v->cond);
	pthread_mutex_destroy(&v->mutex);
	free(v);
}
