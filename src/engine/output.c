/* SPDX-License-Identifier: MIT */
/* Flow records on their way to on_record: each worker packs its own into a ring of bytes, one
 * thread takes them out and calls the handler.
 *
 * Life: new, with the workers' memory -> begin, before the workers' threads -> end, when they are
 * through -> free. A record is packed as what every flow has, and the parts that few have: an
 * interface's name, TCP's figures, a process.  All that is shared is the rings, `done` and counters
 * with one writer each; nobody but the handler's own thread ever waits for the handler, but for
 * what follows. Full ring: the record is dropped and counted, or the worker waits
 * (options.record_overload).  When the engine is to stop or has nothing to read any more it waits
 * in any case, for packets cannot be lost by it, but no longer than STALL_NS without a record being
 * taken from any ring. Books: records given to put = records taken + records dropped, for each
 * worker, once end has returned. */
#include "engine/engine.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

#define RING_BYTES (4u << 20)
#define RING_LEAST 4096u
#define STALL_NS INT64_C(2000000000)
#define FLUSH_NS 10000000 /* at most between two calls with no flow, when idle */
#define TURN 256u         /* records of one worker before the next one's */

/* What follows the head of a record: the interface's name, of as many bytes as it has, and parts in
 * the order of the structure. */
enum { PART_PROCESS = 2, PART_TCP = 4, PART_ODD = 8, PART_TUNNEL = 16 };
struct packed {
	uint32_t bits, name_bytes;
};
#define AT(member) offsetof(struct bpe_flow, member)
static const struct {
	uint32_t bit, from, to;
} parts[] = { { PART_PROCESS, AT(pid), AT(history) }, { PART_TCP, AT(history), AT(icmp_errors) },
	{ PART_ODD, AT(icmp_errors), AT(tunnel) }, { PART_TUNNEL, AT(tunnel), AT(reserved) } };
enum {
	PARTS = sizeof parts / sizeof *parts,
	HEAD = AT(interface_name),
	BITS = sizeof(struct packed)
};
_Static_assert(AT(interface_name) < AT(pid) && AT(pid) < AT(history) &&
		       AT(history) < AT(icmp_errors) && AT(icmp_errors) < AT(tunnel) &&
		       AT(tunnel) < AT(reserved),
	"the parts lie one behind another");
_Static_assert(BITS + sizeof(struct bpe_flow) <= BPEI_BYTERING_MOST(RING_LEAST),
	"the longest record fits");

static void pack(uint8_t *to, const struct bpe_flow *f, const struct packed *p)
{
	memcpy(to, p, sizeof *p);
	memcpy(to += BITS, f, HEAD);
	memcpy(to += HEAD, f->interface_name, p->name_bytes);
	to += p->name_bytes;
	for (int k = 0; k < PARTS; k++) {
		if (!(p->bits & parts[k].bit))
			continue;
		memcpy(to, (const char *)f + parts[k].from, parts[k].to - parts[k].from);
		to += parts[k].to - parts[k].from;
	}
}

static void unpack(struct bpe_flow *f, const void *packed)
{
	const uint8_t *from = packed;
	struct packed p;
	*f = (struct bpe_flow){ .pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };
	memcpy(&p, from, sizeof p);
	memcpy(f, from += BITS, HEAD);
	memcpy(f->interface_name, from += HEAD, p.name_bytes);
	from += p.name_bytes;
	for (int k = 0; k < PARTS; k++) {
		if (!(p.bits & parts[k].bit))
			continue;
		memcpy((char *)f + parts[k].from, from, parts[k].to - parts[k].from);
		from += parts[k].to - parts[k].from;
	}
}

/* ---- The worker's side ---- */

static bool is_ending(struct bpe_engine *e)
{
	return atomic_load_explicit(&e->stop, memory_order_relaxed) ||
	       atomic_load_explicit(&e->reader_done, memory_order_relaxed);
}

static uint8_t *wait_for_room(struct bpei_worker *w, uint32_t n) BPEI_WORKER
{
	struct bpe_engine *e = w->engine;
	uint64_t seen = bpei_counter_get(&e->output.taken);
	int64_t since = 0;
	uint8_t *to;
	for (uint32_t tries = 0; !(to = bpei_bytering_begin(&w->records, n)); bpei_pause(tries++)) {
		if (!is_ending(e)) {
			if (!e->output.wait)
				return NULL;
			since = 0;
			continue;
		}
		uint64_t taken = bpei_counter_get(&e->output.taken);
		if (taken == w->records_stalled_at)
			return NULL; /* it stood still already */
		int64_t now = bpei_clock_mono_ns();
		if (!since || taken != seen)
			since = now, seen = taken;
		if (now - since > STALL_NS)
			w->records_stalled_at = taken;
	}
	return to;
}

void bpei_output_put(struct bpei_worker *w, const struct bpe_flow *f)
{
	struct packed p = { (f->pid != -1 ? PART_PROCESS : 0) | (f->tcp_state ? PART_TCP : 0),
		f->interface_name[0]
			? (uint32_t)strnlen(f->interface_name, sizeof f->interface_name)
			: 0 };
	if (f->icmp_errors[0] | f->icmp_errors[1] | f->duplicates[0] | f->duplicates[1])
		p.bits |= PART_ODD;
	if (f->tunnel.kind)
		p.bits |= PART_TUNNEL;
	uint32_t n = BITS + HEAD + p.name_bytes;
	for (int k = 0; k < PARTS; k++)
		n += p.bits & parts[k].bit ? parts[k].to - parts[k].from : 0;
	uint8_t *to = bpei_bytering_begin(&w->records, n);
	if (BPEI_UNLIKELY(!to) && !(to = wait_for_room(w, n))) {
		bpei_counter_add(&w->records_dropped, 1);
		return;
	}
	pack(to, f, &p);
	bpei_bytering_commit(&w->records);
	bpei_counter_max(&w->record_ring_peak, bpei_bytering_used(&w->records));
}

uint32_t bpei_output_room(struct bpei_worker *w)
{
	const uint32_t longest = BITS + BPEI_BYTERING_WORD + (uint32_t)sizeof(struct bpe_flow);
	const uint32_t half = (w->records.mask + 1) / 2;
	if (bpei_bytering_used(&w->records) + longest > half)
		bpei_bytering_refresh(&w->records);
	uint32_t used = bpei_bytering_used(&w->records);
	return used < half ? (half - used) / longest : 0;
}

/* ---- The output thread ---- */

/* Up to TURN records of one worker.  How many. */
static uint32_t take(struct bpe_engine *e, struct bpei_worker *w) BPEI_OUTPUT
{
	uint32_t done = 0, n;
	for (const uint8_t *p; done < TURN && (p = bpei_bytering_peek(&w->records, &n)); done++) {
		struct bpe_flow f;
		unpack(&f, p);
		bpei_bytering_drop(&w->records);
		bpei_counter_add(&w->records_taken, 1);
		bpei_counter_add(&e->output.taken, 1);
		e->options.on_record(e->options.user, &f, w->number);
	}
	return done;
}

static void *output_main(void *engine)
{
	struct bpe_engine *e = engine;
	const uint32_t workers = e->plan.workers ? e->plan.workers : 1;
	int64_t told = 0;
	bool fresh = true; /* records came since the handler was last told that none wait */
	bpei_thread_name("bpe-output");
	bpei_role_enter(&bpei_output_role);
	for (uint32_t idle = 0;;) {
		/* Looked at before the rings: what was put up to then is there. */
		int done = atomic_load_explicit(
			&e->output.done, memory_order_acquire); /* pairs: bpei_output_end */
		uint32_t n = 0;
		for (uint32_t k = 0; k < workers; k++)
			n += take(e, &e->workers[k]);
		if (n) {
			idle = 0;
			fresh = true;
			continue;
		}
		int64_t now = bpei_clock_mono_ns();
		if (fresh || done || now - told >= FLUSH_NS)
			e->options.on_record(e->options.user, NULL, 0), told = now, fresh = false;
		if (done)
			break;
		bpei_clock_sleep_ns(idle < 50 ? 50000 : idle < 200 ? 500000 : 2000000);
		idle++;
	}
	bpei_role_leave(&bpei_output_role);
	return NULL;
}

/* ---- Life ---- */

int bpei_output_new(struct bpe_engine *e)
{
	const struct bpe_options *o = &e->options;
	const uint32_t workers = e->plan.workers ? e->plan.workers : 1,
		       bytes = o->record_ring_bytes ? o->record_ring_bytes : RING_BYTES;
	if (!o->on_record || !e->workers[0].table)
		return BPE_OK;
	e->output.wait = o->record_overload == BPE_RECORD_WAIT ||
			 (o->record_overload == BPE_RECORD_AUTO && !e->device->live);
	for (uint32_t k = 0; k < workers; k++) {
		uint8_t *memory = bpei_mem_map(bytes, 0);
		if (!memory)
			return BPE_E_MEMORY;
		bpei_bytering_init(&e->workers[k].records, memory, bytes);
		e->workers[k].records_stalled_at = UINT64_MAX;
	}
	return BPE_OK;
}

void bpei_output_free(struct bpe_engine *e)
{
	for (uint32_t k = 0; e->workers && k < (e->plan.workers ? e->plan.workers : 1); k++) {
		struct bpei_bytering *r = &e->workers[k].records;
		if (r->bytes)
			bpei_mem_unmap(r->bytes, r->mask + 1ull);
	}
}

int bpei_output_begin(struct bpe_engine *e)
{
	if (!e->workers[0].records.bytes)
		return 0;
	int failed = pthread_create(&e->output.thread, NULL, output_main, e);
	e->output.started = !failed;
	return failed;
}

void bpei_output_end(struct bpe_engine *e)
{
	if (!e->output.started)
		return;
	atomic_store_explicit(&e->output.done, 1, memory_order_release); /* pairs: output_main */
	pthread_join(e->output.thread, NULL);
	e->output.started = false;
}
