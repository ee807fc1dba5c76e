/* SPDX-License-Identifier: MIT */
/* Reports about live flows: a flow has opened, and updates.
 *
 * A report comes when its packet has been counted.  The record therefore depends on the packets of
 * the flow alone, not on batches or workers.  An update is due when more than update_ns have gone
 * since the last report, or at least update_bytes on the wire have come.  The opening is a report.
 *
 * The fast path of table.c compares both by the arithmetic that finds other exceptional packets, in
 * a loop for tables with updates.  A table without updates runs the loop without.  The packet by
 * which an update is due goes to the slow path, which ends here.  Invariant: updates[i] has the
 * bytes of every packet counted since the last report, by whichever path. */
#include "flow/table.h"

void bpei_live_init(struct bpei_table *t)
{
	const struct bpei_table_options *const o = &t->options;

	t->update_ns = o->update_ns > 0 ? o->update_ns : INT64_MAX;
	t->update_bytes = o->update_bytes ? o->update_bytes : UINT64_MAX;
	t->is_watched = o->on_open || bpei_live_has_updates(o);
}

/* Passes the record as it stands to a handler. */
static void report_live_entry(const struct bpei_table *t, uint32_t i,
	void (*handler)(void *user, const struct bpe_flow *flow))
{
	struct bpe_flow record;

	bpei_entry_record(t, i, BPE_END_NONE, &record);
	handler(t->options.user, &record);
}

void bpei_live_opened(struct bpei_table *t, uint32_t i)
{
	if (t->updates)
		t->updates[i] = (struct bpei_flow_update){ t->entries[i].last_ns, t->update_bytes };
	if (t->options.on_open)
		report_live_entry(t, i, t->options.on_open);
}

/* Returns true if more than update_ns have gone since the last report. */
static bool is_update_due(const struct bpei_table *t, uint32_t i, int64_t now_ns)
{
	const int64_t since_ns = t->updates[i].since_ns;

	if (t->update_ns == INT64_MAX || now_ns <= since_ns)
		return false;
	return (uint64_t)now_ns - (uint64_t)since_ns > (uint64_t)t->update_ns;
}

void bpei_live_counted(struct bpei_table *t, uint32_t i, int64_t now_ns, uint32_t wire)
{
	if (!t->updates)
		return;
	struct bpei_flow_update *const update = &t->updates[i];
	const bool has_bytes = update->left_bytes <= wire;

	if (!has_bytes)
		update->left_bytes -= wire;
	if (!has_bytes && !is_update_due(t, i, now_ns))
		return;
	update->left_bytes = t->update_bytes;
	update->since_ns = t->entries[i].last_ns;
	report_live_entry(t, i, t->options.on_update);
}
