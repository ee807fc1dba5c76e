/* SPDX-License-Identifier: MIT */
/* Making, feeding and aging the flow tables of an input (flows.h).
 *
 * Times.  Tables count by flow times, which are the packets' own times as long as the source's
 * clock does not step.  The reader assigns flow times before a batch goes to the table's owner.
 * While no packets come, the reader publishes the time by which owners age their tables. */
#include "engine/flows.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

#include <net/if.h>
#include <string.h>

#define KERNEL_DELAY_NS 1000000000 /* a kernel may hold packets back for so long */

/* ---- Open ---- */

/* Notes the names of all interfaces of the system. */
static void note_all_interfaces(struct bpei_names *names)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		bpei_names_add(names, i->if_index, i->if_name, strlen(i->if_name));
	if (all)
		if_freenameindex(all);
}

/* Notes the names of the source's interfaces, where the system knows them.  Returns the number of
 * the only interface; 0: there are several, or none. */
static uint32_t note_interfaces(struct bpei_device *d, const char *name)
{
	if (!d->kernel)
		return 0;
	if (d->many_interfaces) {
		note_all_interfaces(&d->names);
		return 0;
	}
	if (!name)
		return 0;
	name = bpei_device_interface(name);
	const uint32_t index = if_nametoindex(name);

	if (index)
		bpei_names_add(&d->names, index, name, strlen(name));
	return index;
}

int bpei_flows_open(struct bpei_flows *f, struct bpei_input *input,
	const struct bpe_options *options, bool keeps_flows)
{
	struct bpei_device *d = input->device;

	f->input = input;
	atomic_init(&f->now, INT64_MIN);
	if (!keeps_flows)
		return BPE_OK;
	f->interface_index = note_interfaces(d, options->interface_name);
	if (!d->many_interfaces || !d->ops->look_ahead)
		return BPE_OK;
	/* A line for each interface of a file, since clocks may differ. */
	f->timeline.own = bpei_mem_map(BPEI_LINES * sizeof *f->timeline.own, 0);
	return f->timeline.own ? BPE_OK : BPE_E_MEMORY;
}

void bpei_flows_close(struct bpei_flows *f)
{
	bpei_naming_close(&f->naming);
	bpei_mem_unmap(f->timeline.own, BPEI_LINES * sizeof *f->timeline.own);
	f->timeline.own = NULL;
}

static const struct bpei_id_hooks name_hooks = {
	.fill = bpei_namer_fill, .close = bpei_namer_close, .drop = bpei_namer_drop
};

/* Returns the options of the table of a share, without times, handlers and what the flows own. */
static struct bpei_table_options plan_table(
	const struct bpei_input *in, const struct bpe_options *o, uint32_t number, uint32_t shares)
{
	const struct bpei_device *d = in->device;
	const bool is_indexed = d->live && d->kernel; /* interface_id is the system's index */

	return (struct bpei_table_options){
		.max_flows = o->max_flows / shares + (number < o->max_flows % shares),
		.max_bytes = o->max_flow_bytes / shares,
		.update_ns = o->flow_update_ns,
		.update_bytes = o->flow_update_bytes,
		.tcp_health = !o->no_tcp_health,
		.report_duplicates = o->duplicates == BPE_DUPLICATES_TELL,
		.process = o->process,
		.owners = o->process && in->asks_owners,
		.lengths = o->flow_lengths,
		.marks = o->marks && !o->no_tcp_health,
		.cutoff = o->cutoff,
		.cutoff_drop = o->cutoff_drop,
		.cutoff_bytes = o->cutoff_bytes,
		.direction_by_port = o->direction_by_port,
		.interface_ids = d->many_interfaces && !is_indexed,
		.interface_indexes = d->many_interfaces && is_indexed,
		.worker = (uint16_t)number,
		.id_hooks = o->names ? &name_hooks : NULL,
	};
}

int bpei_flows_check_memory(const struct bpei_input *input, const struct bpe_options *o,
	uint32_t shares, struct bpe_error *error)
{
	const uint64_t asked = o->max_flows;
	const char *name = o->option_words ? "--flow-memory" : "max_flow_bytes (--flow-memory)";
	uint64_t room = 0;

	for (uint32_t k = 0; k < shares; k++) {
		const struct bpei_table_options t = plan_table(input, o, k, shares);
		const size_t optional = bpei_table_optional_bytes(&t);
		const uint64_t fits = bpei_table_room(t.max_flows, t.max_bytes, optional);
		const uint64_t least = bpei_table_max_bytes(1, optional) * shares;

		if (t.max_flows && !fits)
			return bpei_fail(error, BPE_E_ARGUMENT, "flow memory", 0,
				"%s of %llu holds no flow: the least is %llu bytes, for %u flow"
				" table%s",
				name, (unsigned long long)o->max_flow_bytes,
				(unsigned long long)least, shares, shares == 1 ? "" : "s");
		room += fits;
	}
	if (room < asked)
		bpei_notice(o, "%s of %llu holds %llu flow%s, not %llu (--max-flows)", name,
			(unsigned long long)o->max_flow_bytes, (unsigned long long)room,
			room == 1 ? "" : "s", (unsigned long long)asked);
	return BPE_OK;
}

int bpei_flows_table(struct bpei_flows *f, const struct bpe_options *o,
	const struct bpei_flow_share *share, struct bpei_table **table)
{
	const struct bpei_device *d = f->input->device;
	const struct bpei_seed *seed = &f->input->dissector.seed;
	struct bpei_table_options t = plan_table(f->input, o, share->number, share->shares);

	t.idle_ns = o->flow_idle_ns;
	t.closed_ns = o->flow_closed_ns;
	t.active_ns = o->flow_active_ns;
	t.slack_ns = d->live ? 0 : BPEI_STEP_NS; /* files may be out of order */
	t.timeline = &f->timeline;
	t.interface_index = f->interface_index;
	t.names = &d->names;
	t.seed = (uint64_t)seed->end[0] << 32 | seed->end[1];
	t.key_seed = seed;
	t.on_end = share->on_end;
	t.on_open = share->on_open;
	t.on_update = share->on_update;
	t.user = share->user;
	memcpy(t.timeout_ns, o->flow_timeout_ns, sizeof t.timeout_ns);
	if (!o->names)
		return bpei_table_new(&t, table);
	share->names->way = (struct bpei_event_way){ share->on_event, share->user, f->naming.form };
	int status = bpei_share_names_open(share->names, &f->naming, o, share->number, t.seed);

	t.id_user = share->names->namer;
	if (status >= 0)
		status = bpei_table_new(&t, table);
	if (status >= 0)
		bpei_share_names_join(share->names, *table);
	return status;
}

/* ---- The reader's side ---- */

struct unread_packets {
	struct bpei_device *device;
	const struct bpei_block *block;
};

/* Gives the timeline the packets after the batch, a packet a call. */
static bool look_at_unread(
	void *unread, size_t *at, uint32_t *interface_id, int64_t *time_ns) BPEI_READER
{
	const struct unread_packets *u = unread;

	return u->device->ops->look_ahead(u->device, u->block, at, interface_id, time_ns);
}

void bpei_flows_assign_times(struct bpei_flows *f, const struct bpei_columns *c,
	const struct bpei_block *block, uint32_t n, const struct bpei_sums *sums)
{
	struct bpei_device *d = f->input->device;
	struct unread_packets unread = { d, block };
	const uint32_t *interface_id = f->timeline.own ? c->interface_id : NULL;
	const struct bpei_arrivals arrivals = { .time_ns = c->time_ns,
		.interface_id = interface_id,
		.n = n,
		.least_ns = sums->least_ns,
		.most_ns = sums->most_ns,
		.ahead = d->ops->look_ahead ? look_at_unread : NULL,
		.user = &unread };

	if (BPEI_UNLIKELY(d->timeless))
		memset(c->flow_kind, BPEI_TIME_OWN, n);
	else
		bpei_timeline_follow_interfaces(&f->timeline, &arrivals, c->flow_ns, c->flow_kind);
}

static void publish_flow_time(struct bpei_flows *f, int64_t now) BPEI_READER
{
	if (now > atomic_load_explicit(&f->now, memory_order_relaxed))
		/* pairs: run_worker_loop in worker.c */
		atomic_store_explicit(&f->now, now, memory_order_release);
}

void bpei_flows_publish_packets(struct bpei_flows *f)
{
	if (f->timeline.has_time)
		publish_flow_time(f, f->timeline.clock_ns);
}

void bpei_flows_publish_clock(struct bpei_flows *f)
{
	if (f->input->device->live)
		publish_flow_time(
			f, bpei_timeline_now(&f->timeline, bpei_clock_wall_ns() - KERNEL_DELAY_NS));
}

/* ---- The side of a table's owner ---- */

/* Returns the times by which the flow table counts, and sets the table's clock.  The times are the
 * packets' own, unless the source's clock steps: then they are written to `mixed`. */
static const int64_t *choose_flow_times(struct bpei_table *t, const struct bpe_batch *b,
	const int64_t *flow_ns, const uint8_t *kind, int64_t most_ns, int64_t *mixed) BPEI_WORKER
{
	int64_t clock = INT64_MIN;
	uint8_t any = 0;

	for (uint32_t i = 0; i < b->count; i++)
		any |= kind[i];
	if (BPEI_LIKELY(!any)) {
		bpei_table_clock(t, most_ns);
		return b->time_ns;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		mixed[i] = kind[i] ? flow_ns[i] : b->time_ns[i];
		if (kind[i] != BPEI_TIME_AHEAD && mixed[i] > clock)
			clock = mixed[i];
	}
	if (clock > INT64_MIN)
		bpei_table_clock(t, clock);
	return mixed;
}

void bpei_flows_count(struct bpei_table *table, const struct bpei_columns *columns, uint32_t from,
	const struct bpei_sums *sums, struct bpe_batch *view, uint32_t *flow)
{
	int64_t flow_ns[BPE_BATCH];
	const int64_t *const packet_ns = view->time_ns;

	view->time_ns = choose_flow_times(table, view, columns->flow_ns + from,
		columns->flow_kind + from, sums->most_ns, flow_ns);
	bpei_table_update(table, view, flow);
	const struct bpe_batch *joined = bpei_table_joined(table);

	if (BPEI_UNLIKELY(joined != NULL)) {
		view->key = joined->key;
		view->hash = joined->hash;
	}
	view->time_ns = packet_ns;
	view->flow = flow;
	view->table = table;
	view->marks = bpei_table_marks(table, &view->rtt_ns);
	view->keep = bpei_table_keep(table);
}

void bpei_flows_age(struct bpei_table *table, struct bpei_share_names *names, int64_t now)
{
	if (now == INT64_MIN)
		return;
	bpei_table_age(table, now);
	if (names->namer)
		bpei_namer_age(names->namer, bpei_table_now(table));
}

void bpei_flows_finish(
	struct bpei_flows *f, struct bpei_table *table, struct bpei_share_names *names)
{
	bpei_flows_age(table, names, atomic_load_explicit(&f->now, memory_order_relaxed));
	if (names->namer)
		bpei_namer_finish(names->namer);
	bpei_table_end_all(table);
}
