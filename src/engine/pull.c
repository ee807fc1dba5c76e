/* SPDX-License-Identifier: MIT */
/* Records taken by the program (options.pull_records): the rings of output.c without its thread,
 * and a bell to wait for.
 *
 * Events come to on_event on the program's thread, while the program asks for a record.
 * The bell rings after each record or event put, and once the run has ended.  The program's thread
 * takes records by turns from the shares.  Only when every ring is empty is the bell made quiet,
 * and the rings are looked at again: so no wake-up is lost, and the pipe is readable while a record
 * waits. */
#include "engine/engine.h"

/* Takes a record out of any ring, by turns.  Events on the way go to on_event.  Returns false if
 * all rings are empty. */
static bool take_any_record(struct bpe_engine *e) BPEI_OUTPUT
{
	struct bpei_pull *p = &e->pull;

	for (uint32_t k = 0; k < e->plan.shares && e->plan.has_rings; k++) {
		struct bpei_worker *w = &e->workers[p->turn];
		enum bpei_taken taken;

		p->turn = p->turn + 1 < e->plan.shares ? p->turn + 1 : 0;
		do
			taken = bpei_output_take(w, &p->flow);
		while (taken == BPEI_TAKEN_EVENT);
		if (taken == BPEI_TAKEN_RECORD)
			return true;
	}
	return false;
}

/* Returns 1 with a record in e->pull.flow, 0 if none waits, or BPE_E_END. */
static int take_record_or_end(struct bpe_engine *e) BPEI_OUTPUT
{
	/* Read before the rings: records put by then are found.  pairs: end_run in reader.c */
	const int ended = atomic_load_explicit(&e->ended, memory_order_acquire);

	if (take_any_record(e))
		return 1;
	return ended ? BPE_E_END : 0;
}

int bpei_pull_next(struct bpe_engine *e)
{
	bpei_role_enter(&bpei_output_role);
	int found = take_record_or_end(e);

	if (!found) {
		bpei_bell_quiet(&e->pull.bell);
		found = take_record_or_end(e);
		if (found)
			bpei_bell_ring(&e->pull.bell); /* others may wait behind this record */
	}
	bpei_role_leave(&bpei_output_role);
	return found;
}
