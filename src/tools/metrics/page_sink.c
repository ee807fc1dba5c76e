/* SPDX-License-Identifier: MIT */
/* The sink metrics: a page that Prometheus reads.
 *
 * Life: prepare opens the socket that listens, with the program's first rights.  A port in use is
 * therefore told before the run, and a second sender goes on at the same socket.  The sender
 * makes the page once a second, and the server's thread answers from that copy. */
#include "place.h"
#include "server.h"
#include "sinks.h"
#include "state.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { REFRESH_MS = 1000, NS_A_MS = 1000000 };

struct metrics_web {
	struct metrics_state state;
	struct metrics_page page;
	struct metrics_place place;
	struct metrics_server *server;
	int listening; /* -1: the server's by now */
	int64_t shown_ns;
	bool has_news; /* counters came */
};

static int64_t web_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 * NS_A_MS + t.tv_nsec;
}

/* ---- Before the run ---- */

/* Checks the words of a target. */
static int check_web(const struct export_address *address, char *why, size_t room)
{
	static const char *const names[] = { "top", "servers", NULL };
	struct metrics_place place;
	uint32_t places, servers;

	if (metrics_place_read(&place, address, why, room) ||
		export_parameters_check(address, names, why, room))
		return -1;
	return metrics_places_read(address, &places, &servers, why, room);
}

static int prepare_web(struct export_sender *s)
{
	struct metrics_web *const w = calloc(1, sizeof *w);

	s->state = w;
	if (w)
		w->listening = -1;
	if (!w || !metrics_state_open(&w->state, s)) {
		snprintf(s->why, sizeof s->why, "no memory");
		return -1;
	}
	if (metrics_place_read(&w->place, s->address, s->why, sizeof s->why))
		return -1;
	w->listening = metrics_place_listen(&w->place, s->why, sizeof s->why);
	return w->listening < 0 ? -1 : 0;
}

/* Makes the page in both forms, and shows the page. */
static void refresh_web(struct metrics_web *w, int64_t now_ns)
{
	for (int form = 0; form < METRICS_FORMS; form++)
		if (metrics_state_put(&w->page, &w->state, (enum metrics_form)form, now_ns))
			metrics_server_show(w->server, &w->page);
	w->shown_ns = now_ns;
	w->has_news = false;
}

static int open_web(struct export_sender *s)
{
	struct metrics_web *const w = s->state;
	const bool checks_host = w->place.is_loopback && !w->place.is_unix;

	w->server = metrics_server_open(w->listening, checks_host, s->books);
	if (!w->server) {
		snprintf(s->why, sizeof s->why, "the HTTP server cannot start");
		return -1;
	}
	w->listening = -1;
	refresh_web(w, web_clock_ns());
	atomic_store_explicit(&s->books->is_connected, 1, memory_order_relaxed);
	if (!w->place.is_loopback)
		export_say(s,
			"%s is open to other hosts: who reaches the port reads names of processes and interfaces",
			w->place.shown);
	return 0;
}

/* ---- The run ---- */

/* Returns true: a record never waits. */
static bool is_web_ready(struct export_sender *s)
{
	(void)s;
	return true;
}

static void count_web_record(struct export_sender *s, const struct bpe_flow *flow)
{
	struct metrics_web *const w = s->state;

	metrics_state_record(&w->state, flow);
}

static void take_web_counts(struct export_sender *s, const struct export_counts *counts)
{
	struct metrics_web *const w = s->state;

	metrics_state_counts(&w->state, counts, web_clock_ns());
	w->has_news = true;
}

static int work_on_web(struct export_sender *s, int64_t now_ns, bool is_idle)
{
	struct metrics_web *const w = s->state;
	const int64_t age_ms = (now_ns - w->shown_ns) / NS_A_MS;

	(void)is_idle;
	if (!w->has_news && age_ms < REFRESH_MS)
		return (int)(REFRESH_MS - age_ms);
	refresh_web(w, now_ns);
	metrics_server_tidy(w->server, now_ns);
	return REFRESH_MS;
}

/* Shows the final counters for as long as the process lives on. */
static void finish_web(struct export_sender *s, int64_t until_ns)
{
	(void)until_ns;
	refresh_web(s->state, web_clock_ns());
}

static void close_web(struct export_sender *s)
{
	struct metrics_web *const w = s->state;

	if (!w)
		return;
	metrics_server_close(w->server);
	if (w->listening >= 0)
		close(w->listening);
	metrics_place_remove(&w->place);
	metrics_state_close(&w->state);
	metrics_page_free(&w->page);
	free(w);
	s->state = NULL;
}

const struct export_sink metrics_sink = {
	.scheme = "metrics",
	.usage = "--metrics [ADDRESS:]PORT|unix:PATH[?top=NAMES&servers=NAMES]",
	.check = check_web,
	.prepare = prepare_web,
	.open = open_web,
	.is_ready = is_web_ready,
	.record = count_web_record,
	.counts = take_web_counts,
	.work = work_on_web,
	.finish = finish_web,
	.close = close_web,
	.without_flows = true,
};
