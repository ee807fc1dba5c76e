/* SPDX-License-Identifier: MIT */
/* Flow records and events on their way to on_record and on_event: each worker packs records into a
 * ring of bytes, and the output thread takes the records out and calls the handlers.  With
 * options.pull_records the program takes them out (pull.c), and there is no output thread.
 *
 * Life: new, with the workers' memory -> begin, before the workers' threads -> end, when the
 * workers are through -> free.  A packed record has a head common to all flows, the interface's
 * name, and parts that few flows have: TCP's figures, a process, a tunnel, names.  Threads share
 * only the rings, `done`, and counters with one writer each.
 * Waiting: only the output thread waits for the handler, with one exception.  At a full ring a
 * worker drops and counts the record, or waits (options.record_overload).  When the engine is to
 * stop or has nothing left to read, a worker waits in any case, since packets cannot be lost by
 * waiting; but no longer than STALL_NS without a record being taken from any ring.
 * An event is the record of its flow, with the event's time and the DNS messages behind.
 * Books: records given to put = records taken + records dropped, for each worker, once end has
 * returned.  The same is true of events, which have counters of their own. */
#include "engine/engine.h"
#include "engine/packed_names.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

#define RING_BYTES (4u << 20)
#define MIN_RING_BYTES 4096u        /* without names */
#define MIN_NAMES_RING_BYTES 65536u /* with names, processes or events */
#define STALL_NS INT64_C(2000000000)
#define FLUSH_NS 10000000    /* at most, when idle, between two calls without a flow */
#define RECORDS_IN_TURN 256u /* taken from a worker before the next worker's */

/* The parts after the head and the interface's name, in the order of struct bpe_flow. */
enum {
	PART_PROCESS = 2,
	PART_TCP = 4,
	PART_RARE_COUNTS = 8,
	PART_TUNNEL = 16,
	PART_UNWRITTEN = 32
};

/* The beginning of a packed record. */
struct packed_start {
	uint32_t parts; /* PART_* bits */
	uint32_t name_bytes;
	uint32_t slot;
	uint32_t packed_names; /* bytes of the names, which are the last part (packed_names.h) */
	uint32_t event;        /* enum bpe_event_kind; 0: a record */
};

#define AT(member) offsetof(struct bpe_flow, member)
static const struct {
	uint32_t bit, from, to;
} parts[] = { { PART_PROCESS, AT(pid), AT(history) }, { PART_TCP, AT(history), AT(icmp_errors) },
	{ PART_RARE_COUNTS, AT(icmp_errors), AT(tunnel) }, { PART_TUNNEL, AT(tunnel), AT(slot) },
	{ PART_UNWRITTEN, AT(unwritten_packets), AT(names) } };
enum {
	PARTS = sizeof parts / sizeof *parts,
	HEAD = AT(interface_name),
	START = sizeof(struct packed_start),
	EVENT_TIME = sizeof(int64_t) /* behind the record of an event */
};
_Static_assert(AT(interface_name) < AT(pid) && AT(pid) < AT(history) &&
		       AT(history) < AT(icmp_errors) && AT(icmp_errors) < AT(tunnel) &&
		       AT(tunnel) < AT(slot) && AT(slot) < AT(unwritten_packets) &&
		       AT(unwritten_packets) < AT(names),
	"the parts lie one behind another");
_Static_assert(START + AT(names) <= BPEI_BYTERING_MOST(MIN_RING_BYTES) &&
		       START + sizeof(struct bpe_flow) + EVENT_TIME + sizeof(struct bpe_dns) <=
			       BPEI_BYTERING_MOST(MIN_NAMES_RING_BYTES),
	"the longest record and the longest event fit");

/* Returns the bytes of a packed record. */
static uint32_t count_packed_bytes(const struct packed_start *start)
{
	uint32_t n = START + HEAD + start->name_bytes + start->packed_names;

	for (int k = 0; k < PARTS; k++)
		n += start->parts & parts[k].bit ? parts[k].to - parts[k].from : 0;
	return n;
}

/* Returns the end of the packed record. */
static uint8_t *pack_record(uint8_t *to, const struct bpe_flow *f, const struct packed_start *start)
{
	memcpy(to, start, START);
	to += START;
	memcpy(to, f, HEAD);
	to += HEAD;
	memcpy(to, f->interface_name, start->name_bytes);
	to += start->name_bytes;
	for (int k = 0; k < PARTS; k++) {
		const uint32_t n = parts[k].to - parts[k].from;

		if (!(start->parts & parts[k].bit))
			continue;
		memcpy(to, (const char *)f + parts[k].from, n);
		to += n;
	}
	if (start->packed_names) {
		bpei_packed_names_write(to, &f->names);
		to += start->packed_names;
	}
	return to;
}

/* Returns the end of the packed record; *event: as in struct packed_start. */
static const uint8_t *unpack_record(struct bpe_flow *f, const void *packed, uint32_t *event)
{
	const uint8_t *from = packed;
	struct packed_start start;

	*f = (struct bpe_flow){ .pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 },
		.names = { .uid = -1 } };
	memcpy(&start, from, START);
	f->slot = start.slot;
	*event = start.event;
	from += START;
	memcpy(f, from, HEAD);
	from += HEAD;
	memcpy(f->interface_name, from, start.name_bytes);
	from += start.name_bytes;
	for (int k = 0; k < PARTS; k++) {
		const uint32_t n = parts[k].to - parts[k].from;

		if (!(start.parts & parts[k].bit))
			continue;
		memcpy((char *)f + parts[k].from, from, n);
		from += n;
	}
	if (start.packed_names)
		from = bpei_packed_names_read(from, &f->names);
	return from;
}

/* Returns the bytes of a query with its answers; 0: none. */
static uint32_t count_dns_bytes(const struct bpe_dns *dns)
{
	uint32_t n = 0;

	if (dns)
		n = dns->answer_count < BPE_DNS_ANSWERS ? dns->answer_count : BPE_DNS_ANSWERS;
	return dns ? (uint32_t)(offsetof(struct bpe_dns, answers) + n * sizeof *dns->answers) : 0;
}

/* Returns which parts a flow needs, and the length of the interface's name. */
static struct packed_start choose_record_parts(const struct bpe_flow *f)
{
	struct packed_start start = { .slot = f->slot };

	if (f->interface_name[0])
		start.name_bytes = (uint32_t)strnlen(f->interface_name, sizeof f->interface_name);
	if (f->pid != -1)
		start.parts |= PART_PROCESS;
	if (f->tcp_state)
		start.parts |= PART_TCP;
	if (f->icmp_errors[0] | f->icmp_errors[1] | f->duplicates[0] | f->duplicates[1])
		start.parts |= PART_RARE_COUNTS;
	if (f->tunnel.kind)
		start.parts |= PART_TUNNEL;
	if (f->flags & BPE_FLOW_CUTOFF)
		start.parts |= PART_UNWRITTEN;
	start.packed_names = bpei_packed_names_bytes(&f->names);
	return start;
}

/* ---- The worker's side ---- */

/* Returns true if records may have names, or if events are wanted. */
static bool has_names(const struct bpe_options *o)
{
	return o->names || o->process || o->on_event;
}

/* Returns true once the engine is to stop or the reader has ended. */
static bool is_engine_ending(struct bpe_engine *e)
{
	return atomic_load_explicit(&e->stop, memory_order_relaxed) ||
	       atomic_load_explicit(&e->reader_done, memory_order_relaxed);
}

/* Returns true if the worker waits for room for any length of time, and not only STALL_NS. */
static bool may_wait_for_ever(struct bpe_engine *e)
{
	/* Closing ends the wait of a program that takes the records. */
	return e->plan.waits_record && (e->plan.pulls || !is_engine_ending(e));
}

/* Waits for room for n bytes.  Returns the room; NULL: the record is to be dropped. */
static uint8_t *wait_for_record_room(struct bpei_worker *w, uint32_t n) BPEI_WORKER
{
	struct bpe_engine *e = w->engine;
	uint64_t seen = bpei_counter_get(&e->output.taken);
	int64_t since = 0;
	uint8_t *to;

	for (uint32_t tries = 0; !(to = bpei_bytering_begin(&w->records, n)); bpei_pause(tries++)) {
		if (atomic_load_explicit(&e->pull.closing, memory_order_relaxed))
			return NULL;
		if (may_wait_for_ever(e)) {
			since = 0;
			continue;
		}
		if (!is_engine_ending(e))
			return NULL;
		const uint64_t taken = bpei_counter_get(&e->output.taken);

		if (taken == w->records_stalled_at)
			return NULL; /* an earlier record has waited in vain already */
		const int64_t now = bpei_clock_mono_ns();

		if (!since || taken != seen) {
			since = now;
			seen = taken;
		}
		if (now - since > STALL_NS)
			w->records_stalled_at = taken;
	}
	return to;
}

/* Returns room for n bytes in the worker's ring; NULL: none, which counts as dropped. */
static uint8_t *begin_put(struct bpei_worker *w, uint32_t n, bpei_counter *dropped) BPEI_WORKER
{
	uint8_t *to = bpei_bytering_begin(&w->records, n);

	if (BPEI_UNLIKELY(!to))
		to = wait_for_record_room(w, n);
	if (BPEI_UNLIKELY(!to))
		bpei_counter_add(dropped, 1);
	return to;
}

/* Hands over the record or event that was begun last. */
static void commit_record(struct bpei_worker *w) BPEI_WORKER
{
	bpei_bytering_commit(&w->records);
	bpei_counter_max(&w->record_ring_peak, bpei_bytering_used(&w->records));
	if (w->engine->plan.pulls)
		bpei_bell_ring(&w->engine->pull.bell);
}

void bpei_output_put(struct bpei_worker *w, const struct bpe_flow *f)
{
	const struct packed_start start = choose_record_parts(f);
	uint8_t *to = begin_put(w, count_packed_bytes(&start), &w->records_dropped);

	if (!to)
		return;
	pack_record(to, f, &start);
	commit_record(w);
}

void bpei_output_put_event(struct bpei_worker *w, const struct bpe_event *event)
{
	struct packed_start start = choose_record_parts(event->flow);
	const uint32_t dns_bytes = count_dns_bytes(event->dns);
	const uint32_t n = count_packed_bytes(&start) + EVENT_TIME + dns_bytes;
	uint8_t *to = begin_put(w, n, &w->events_dropped);

	if (!to)
		return;
	start.event = event->kind;
	to = pack_record(to, event->flow, &start);
	memcpy(to, &event->time_ns, EVENT_TIME);
	if (dns_bytes)
		memcpy(to + EVENT_TIME, event->dns, dns_bytes);
	commit_record(w);
}

uint32_t bpei_output_room(struct bpei_worker *w)
{
	const uint32_t bytes = has_names(&w->engine->options) ? sizeof(struct bpe_flow) : AT(names);
	const uint32_t longest = START + BPEI_BYTERING_WORD + bytes;
	const uint32_t half = (w->records.mask + 1) / 2;

	if (bpei_bytering_used(&w->records) + longest > half)
		bpei_bytering_refresh(&w->records);
	const uint32_t used = bpei_bytering_used(&w->records);

	return used < half ? (half - used) / longest : 0;
}

/* ---- The output thread ---- */

/* Takes an event out of the ring, and calls on_event.  packed: the n bytes behind the record. */
static void give_event(struct bpei_worker *w, const struct bpe_flow *f, uint32_t kind,
	const uint8_t *packed, uint32_t n) BPEI_OUTPUT
{
	const struct bpe_options *o = &w->engine->options;
	struct bpe_dns dns = { .rtt_ns = -1 };
	struct bpe_event event = {
		.version = BPE_FLOW_VERSION, .size = sizeof event, .kind = kind, .flow = f
	};

	memcpy(&event.time_ns, packed, EVENT_TIME);
	if (n > EVENT_TIME) {
		memcpy(&dns, packed + EVENT_TIME, n - EVENT_TIME);
		event.dns = &dns;
	}
	bpei_bytering_drop(&w->records);
	bpei_counter_add(&w->events_taken, 1);
	bpei_counter_add(&w->engine->output.taken, 1);
	o->on_event(o->user, &event);
}

/* Serves the output thread, and the program's thread in pull.c. */
enum bpei_taken bpei_output_take(struct bpei_worker *w, struct bpe_flow *f)
{
	uint32_t kind;
	uint32_t n;
	const uint8_t *packed = bpei_bytering_peek(&w->records, &n);

	if (!packed)
		return BPEI_TAKEN_NONE;
	const uint8_t *behind = unpack_record(f, packed, &kind);

	if (kind) {
		give_event(w, f, kind, behind, n - (uint32_t)(behind - packed));
		return BPEI_TAKEN_EVENT;
	}
	bpei_bytering_drop(&w->records);
	bpei_counter_add(&w->records_taken, 1);
	bpei_counter_add(&w->engine->output.taken, 1);
	return BPEI_TAKEN_RECORD;
}

/* Hands over up to RECORDS_IN_TURN records and events of one worker.  Returns their number. */
static uint32_t take_records(struct bpe_engine *e, struct bpei_worker *w) BPEI_OUTPUT
{
	uint32_t done = 0;

	for (; done < RECORDS_IN_TURN; done++) {
		struct bpe_flow flow;
		const enum bpei_taken taken = bpei_output_take(w, &flow);

		if (taken == BPEI_TAKEN_NONE)
			break;
		if (taken == BPEI_TAKEN_RECORD)
			e->options.on_record(e->options.user, &flow, w->number);
	}
	return done;
}

/* Tells the handlers that nothing waits. */
static void tell_idle_handlers(struct bpe_engine *e) BPEI_OUTPUT
{
	if (e->options.on_record)
		e->options.on_record(e->options.user, NULL, 0);
	if (e->options.on_event)
		e->options.on_event(e->options.user, NULL);
}

/* Sleeps the longer, the more rounds were idle. */
static void sleep_when_idle(uint32_t idle_rounds)
{
	if (idle_rounds < 50)
		bpei_clock_sleep_ns(50000);
	else if (idle_rounds < 200)
		bpei_clock_sleep_ns(500000);
	else
		bpei_clock_sleep_ns(2000000);
}

static void *run_output_thread(void *engine)
{
	struct bpe_engine *e = engine;
	uint32_t idle_rounds = 0;
	int64_t flushed_ns = 0;
	bool fresh = true; /* records came since the last call without a flow */

	bpei_thread_name("bpe-output");
	bpei_query_thread(e, false);
	bpei_role_enter(&bpei_output_role);
	for (;;) {
		/* Read before the rings: records put by then are found. */
		const int done =
			/* pairs: bpei_output_end */
			atomic_load_explicit(&e->output.done, memory_order_acquire);
		uint32_t taken = 0;

		for (uint32_t k = 0; k < e->plan.shares; k++)
			taken += take_records(e, &e->workers[k]);
		if (taken) {
			idle_rounds = 0;
			fresh = true;
			continue;
		}
		const int64_t now = bpei_clock_mono_ns();

		if (fresh || done || now - flushed_ns >= FLUSH_NS) {
			tell_idle_handlers(e);
			flushed_ns = now;
			fresh = false;
		}
		if (done)
			break;
		sleep_when_idle(idle_rounds++);
	}
	bpei_role_leave(&bpei_output_role);
	return NULL;
}

int bpei_output_new(struct bpe_engine *e)
{
	const uint32_t wanted = e->options.record_ring_bytes;
	uint32_t bytes = wanted ? wanted : RING_BYTES;

	if (has_names(&e->options) && bytes < MIN_NAMES_RING_BYTES)
		bytes = MIN_NAMES_RING_BYTES;
	for (uint32_t k = 0; k < e->plan.shares && e->plan.has_rings; k++) {
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
	for (uint32_t k = 0; e->workers && k < e->plan.shares; k++) {
		struct bpei_bytering *r = &e->workers[k].records;

		if (r->bytes)
			bpei_mem_unmap(r->bytes, r->mask + 1ull);
	}
}

int bpei_output_begin(struct bpe_engine *e)
{
	if (!e->plan.has_rings || e->plan.pulls)
		return 0;
	const int failed = pthread_create(&e->output.thread, NULL, run_output_thread, e);

	e->output.started = !failed;
	return failed;
}

void bpei_output_end(struct bpe_engine *e)
{
	if (!e->output.started)
		return;
	/* pairs: run_output_thread */
	atomic_store_explicit(&e->output.done, 1, memory_order_release);
	pthread_join(e->output.thread, NULL);
	e->output.started = false;
}
