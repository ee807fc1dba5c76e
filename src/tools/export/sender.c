/* SPDX-License-Identifier: MIT */
/* The sender of a target (keeper.h): takes records out of the ring, and hands them to the sink.
 *
 * Sleep: an idle sender looks at the ring after 1 ms, then after twice the time, up to NAP_MOST_MS.
 * The program ends the sleep of a sender only if the ring fills.  Thus few records cost the program
 * no call of the system, and an idle sender costs no CPU time worth a word.
 * State: the voice, of the process. */
#include "keeper.h"

#include "packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS_A_TURN = 256, NAP_MOST_MS = 50, BUSY_MOST_MS = 100, NS_A_MS = 1000000 };

/* How the process reaches the user. */
static struct {
	const struct export_wires *wires;
	char last[sizeof((struct export_message *)0)->text];
} voice;

/* What a sender at work has beside its start. */
struct sender_work {
	struct export_start *start;
	struct export_sender *sender;
	struct export_ring_end ring;
	struct bpe_flow flow; /* the record that was unpacked last */
	struct export_counts counts;
	uint32_t reopens;       /* that the sink has seen */
	uint64_t counts_number; /* of the counters that the sink has */
	bool is_orphan;         /* the program is dead */
	bool is_torn;           /* the ring holds no sense */
	int nap_ms;
	int64_t ends_ns;     /* when the end was seen; 0: not yet */
	int64_t progress_ns; /* when a record was taken last */
};

static int64_t sender_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* ---- Words for the program ---- */

void export_message_send(
	const struct export_wires *wires, uint32_t kind, int32_t failed, const char *text)
{
	struct export_message m = { .kind = kind, .failed = failed };

	snprintf(m.text, sizeof m.text, "%s", text);
	while (write(wires->status, &m, sizeof m) < 0 && errno == EINTR)
		continue;
}

void export_say(struct export_sender *sender, const char *format, ...)
{
	char text[sizeof voice.last];
	va_list args;

	(void)sender;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (!voice.wires || !strcmp(text, voice.last))
		return;
	memcpy(voice.last, text, sizeof text);
	export_message_send(voice.wires, EXPORT_SAYS, 0, text);
}

void export_voice_set(const struct export_wires *wires)
{
	voice.wires = wires;
}

/* ---- Records and counters ---- */

/* Hands records to the sink while the sink takes them.  Returns how many. */
static int move_records(struct sender_work *w)
{
	struct export_sender *const s = w->sender;
	int taken = 0;

	while (taken < RECORDS_A_TURN && s->sink->is_ready(s)) {
		uint32_t n;
		const uint8_t *record = export_ring_peek(&w->ring, &n, &w->is_torn);

		if (!record)
			break;
		const bool is_flow = export_unpack(&w->flow, record, n);

		export_ring_drop(&w->ring);
		export_add(&s->books->taken, 1);
		if (is_flow)
			s->sink->record(s, &w->flow);
		else
			export_add(&s->books->failed, 1);
		taken++;
	}
	return taken;
}

/* Hands new counters of the run to the sink. */
static void take_counts(struct sender_work *w)
{
	const uint64_t number = export_board_number(w->start->board);

	if (number == w->counts_number || !w->sender->sink->counts)
		return;
	if (!export_board_read(w->start->board, &w->counts))
		return;
	w->counts_number = number;
	w->sender->sink->counts(w->sender, &w->counts);
}

/* Hands on the user's wish for a new file. */
static void take_reopens(struct sender_work *w)
{
	const uint32_t reopens =
		atomic_load_explicit(&w->start->line->reopens, memory_order_relaxed);

	if (reopens == w->reopens)
		return;
	w->reopens = reopens;
	if (w->sender->sink->reopen)
		w->sender->sink->reopen(w->sender);
}

/* ---- Waiting ---- */

/* Reads what ended the sleep.  Returns false at the end of the pipe. */
static bool empty_pipe(int fd)
{
	char bytes[256];
	ssize_t n;

	do
		n = read(fd, bytes, sizeof bytes);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

/* Waits for the sink's descriptors, for a word of the program, or until the time is over. */
static void wait_for_work(struct sender_work *w, int ms)
{
	struct export_sender *const s = w->sender;
	const uint32_t own =
		s->polled_count < EXPORT_POLLED_MOST ? s->polled_count : EXPORT_POLLED_MOST;
	struct pollfd p[EXPORT_POLLED_MOST + 1];

	memcpy(p, s->polled, own * sizeof *p);
	p[own] = (struct pollfd){ .fd = w->start->wires.wake, .events = POLLIN };
	if (w->is_orphan)
		p[own].fd = -1;
	if (ms)
		atomic_store_explicit(&w->start->line->is_asleep, 1, memory_order_relaxed);
	const int ready = poll(p, own + 1, ms);

	if (ms)
		atomic_store_explicit(&w->start->line->is_asleep, 0, memory_order_relaxed);
	for (uint32_t k = 0; k < own; k++)
		s->polled[k].revents = ready > 0 ? p[k].revents : 0;
	if (ready > 0 && p[own].revents && !empty_pipe(w->start->wires.wake))
		w->is_orphan = true;
}

/* Returns how long to wait.  taken: records of this turn; wish_ms: of the sink. */
static int choose_nap(struct sender_work *w, int taken, int wish_ms)
{
	const bool has_records = export_ring_count(&w->start->line->ring);
	int ms = has_records ? BUSY_MOST_MS : w->nap_ms; /* the sink takes none just now */

	if (taken) {
		w->nap_ms = 1;
		return 0;
	}
	if (!has_records)
		w->nap_ms = w->nap_ms < NAP_MOST_MS / 2 ? w->nap_ms * 2 : NAP_MOST_MS;
	if (wish_ms >= 0 && wish_ms < ms)
		ms = wish_ms;
	return ms;
}

/* ---- The end ---- */

/* Returns whether no more records are to be taken: the run has ended, and the ring is empty or the
 * sink took nothing for too long. */
static bool is_taking_over(struct sender_work *w, int64_t now_ns)
{
	const uint32_t phase =
		/* pairs: cli_exports_finish, so that the last records are seen */
		atomic_load_explicit(&w->start->line->phase, memory_order_acquire);
	const int64_t patience_ms = w->is_orphan ? EXPORT_ORPHAN_MS : EXPORT_PATIENCE_MS;

	if (w->is_torn)
		return true;
	if (phase != EXPORT_ENDS && !w->is_orphan)
		return false;
	if (!w->ends_ns) {
		w->ends_ns = now_ns;
		w->progress_ns = now_ns;
	}
	if (!export_ring_count(&w->start->line->ring))
		return true;
	if (w->is_orphan && now_ns - w->ends_ns > (int64_t)EXPORT_ORPHAN_MS * NS_A_MS)
		return true;
	return now_ns - w->progress_ns > patience_ms * NS_A_MS;
}

/* Ends the sink. */
static void finish_sink(struct sender_work *w)
{
	struct export_sender *const s = w->sender;
	const int64_t seconds = s->sink->finish_s ? s->sink->finish_s : EXPORT_FINISH_S;
	const int64_t ms = w->is_orphan ? EXPORT_ORPHAN_MS : seconds * 1000;

	take_counts(w);
	s->sink->finish(s, sender_ns() + ms * NS_A_MS);
	s->sink->close(s);
	s->state = NULL;
	atomic_store_explicit(&s->books->is_connected, 0, memory_order_relaxed);
}

/* ---- The life of a sender ---- */

/* Opens the sink.  Returns whether the sink is open. */
static bool open_sink(struct export_start *start, bool is_first)
{
	struct export_sender *const s = &start->sender;
	const int failed = s->sink->open ? s->sink->open(s) : 0;

	if (!failed)
		s->why[0] = 0;
	if (is_first)
		export_message_send(&start->wires, EXPORT_OPENED, failed ? 1 : 0, s->why);
	else if (failed)
		export_say(s, "%s", s->why);
	return !failed;
}

int export_sender_run(struct export_start *start, bool is_first)
{
	static struct sender_work w;
	struct export_sender *const s = &start->sender;

	memset(&w, 0, sizeof w);
	w.start = start;
	w.sender = s;
	w.nap_ms = 1;
	w.reopens = atomic_load_explicit(&start->line->reopens, memory_order_relaxed);
	export_ring_attach(
		&w.ring, &start->line->ring, start->line->bytes, EXPORT_RING_BYTES, false);
	fcntl(start->wires.wake, F_SETFL, O_NONBLOCK);
	if (!open_sink(start, is_first))
		return EXPORT_NOT_OPENED;
	for (;;) {
		const int taken = move_records(&w);
		const int64_t now_ns = sender_ns();

		if (taken)
			w.progress_ns = now_ns;
		take_counts(&w);
		take_reopens(&w);
		const bool is_idle = !export_ring_count(&start->line->ring);
		const int wish_ms = s->sink->work(s, now_ns, is_idle);

		if (is_taking_over(&w, now_ns))
			break;
		wait_for_work(&w, choose_nap(&w, taken, wish_ms));
	}
	if (w.is_torn)
		return 1;
	finish_sink(&w);
	return 0;
}
