/* SPDX-License-Identifier: MIT */
/* The list of watches, and the end of a watch. */
#include "naming/watch.h"

/* ---- The list ---- */

/* Puts a watch at the list's end. */
static void link_newest_watch(struct bpei_namer *n, uint32_t number)
{
	struct bpei_watch *const w = bpei_watch_at(n, number);

	w->older = n->newest;
	w->newer = 0;
	if (n->newest)
		bpei_watch_at(n, n->newest)->newer = number;
	else
		n->oldest = number;
	n->newest = number;
}

static void unlink_watch(struct bpei_namer *n, uint32_t number)
{
	const struct bpei_watch *const w = bpei_watch_at(n, number);

	if (w->older)
		bpei_watch_at(n, w->older)->newer = w->newer;
	else
		n->oldest = w->newer;
	if (w->newer)
		bpei_watch_at(n, w->newer)->older = w->older;
	else
		n->newest = w->older;
}

uint32_t bpei_watch_add(struct bpei_namer *n, const struct bpei_watch *watch)
{
	uint32_t number;

	do
		number = bpei_pool_take(&n->watches);
	while (!number && bpei_watch_evict(n));
	if (!number)
		return 0;
	*bpei_watch_at(n, number) = *watch;
	link_newest_watch(n, number);
	n->ids[watch->entry] = BPEI_ID_WATCH | number;
	return number;
}

void bpei_watch_remove(struct bpei_namer *n, uint32_t number)
{
	struct bpei_watch *const w = bpei_watch_at(n, number);

	unlink_watch(n, number);
	bpei_side_clear(&w->side[0], &n->chunks);
	bpei_side_clear(&w->side[1], &n->chunks);
	bpei_pool_give(&n->watches, number);
}

void bpei_watch_renew(struct bpei_namer *n, uint32_t number)
{
	bpei_watch_at(n, number)->since_ns = n->flow_ns;
	if (number == n->newest)
		return;
	unlink_watch(n, number);
	link_newest_watch(n, number);
}

/* ---- The end ---- */

/* Returns the kind of the events of a protocol, or 0. */
static uint32_t kind_of_app(uint8_t app)
{
	switch (app) {
	case BPE_APP_TLS:
	case BPE_APP_DTLS:
		return BPE_EVENT_TLS;
	case BPE_APP_QUIC:
		return BPE_EVENT_QUIC;
	case BPE_APP_HTTP:
		return BPE_EVENT_HTTP;
	case BPE_APP_SSH:
		return BPE_EVENT_SSH;
	default:
		return 0;
	}
}

void bpei_watch_tell(struct bpei_namer *n, const struct bpei_watch *w)
{
	const uint32_t over = w->over == BPEI_OVER_UDP;
	uint32_t told = 0;

	for (uint32_t k = 0; n->options.emit && k < BPEI_LEVELS && w->row[k]; k++) {
		const uint32_t row = n->rows[over][w->row[k] - 1];
		const uint32_t kind = kind_of_app(bpei_readers[row].app);

		if (kind && !(told & 1u << kind))
			n->options.emit(n->options.user, kind, w->entry, w->last_ns, NULL);
		told |= 1u << kind;
	}
}

void bpei_watch_give_up(struct bpei_namer *n, uint32_t number)
{
	struct bpei_watch *const w = bpei_watch_at(n, number);
	const uint32_t busy = n->busy;
	struct bpei_watch last;

	n->busy = number;
	bpei_side_give_up(n, w, 0);
	bpei_side_give_up(n, w, 1);
	n->busy = busy;
	last = *w;
	bpei_watch_remove(n, number);
	n->ids[last.entry] = last.each ? BPEI_ID_EACH | last.id : last.id;
	bpei_watch_tell(n, &last);
}

/* Returns true if a watch waits for bytes, rather than for the next message. */
static bool is_unfinished(const struct bpei_watch *w)
{
	const bool is_kept = bpei_side_is_kept(&w->side[0]) || bpei_side_is_kept(&w->side[1]);

	return !w->each || is_kept;
}

bool bpei_watch_evict(struct bpei_namer *n)
{
	uint32_t number = n->oldest;

	if (number && number == n->busy)
		number = bpei_watch_at(n, number)->newer;
	if (!number)
		return false;
	bpei_counter_add(&n->counts.evicted, is_unfinished(bpei_watch_at(n, number)));
	bpei_watch_give_up(n, number);
	return true;
}

void bpei_watch_expire(struct bpei_namer *n)
{
	while (n->oldest) {
		const struct bpei_watch *const w = bpei_watch_at(n, n->oldest);
		const uint64_t age = (uint64_t)n->flow_ns - (uint64_t)w->since_ns;

		if (n->flow_ns <= w->since_ns || age <= (uint64_t)BPEI_NAMER_WAIT_NS)
			return;
		bpei_counter_add(&n->counts.expired, is_unfinished(w));
		bpei_watch_give_up(n, n->oldest);
	}
}
