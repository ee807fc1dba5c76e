/* SPDX-License-Identifier: MIT */
/* The public record made of an entry.  Pure. */
#include "flow/table.h"
#include "flow/flow_time.h"

static void health(struct bpe_flow *r, const struct bpei_extra *x, uint32_t k, uint32_t end)
{
	r->retransmissions[k] = x->health[HEALTH_RETRANSMISSION][end];
	r->fast_retransmissions[k] = x->health[HEALTH_FAST][end];
	r->spurious_retransmissions[k] = x->health[HEALTH_SPURIOUS][end];
	r->out_of_order[k] = x->health[HEALTH_OUT_OF_ORDER][end];
	r->zero_windows[k] = x->health[HEALTH_ZERO_WINDOW][end];
	r->lost_segments[k] = x->health[HEALTH_LOST][end];
	r->unseen_acks[k] = x->health[HEALTH_UNSEEN][end];
	r->keep_alives[k] = x->health[HEALTH_KEEP_ALIVE][end];
	r->duplicates[k] = x->health[HEALTH_DUPLICATE][end];
}

static void note_interface(const struct bpei_table *t, uint32_t i, struct bpe_flow *r)
{
	uint32_t number = t->interfaces ? t->interfaces[i] : t->options.interface_index;
	if (t->options.interface_ids)
		r->interface_id = number, r->flags |= BPE_FLOW_INTERFACE_ID;
	else
		r->interface_index = number;
	const char *name = t->options.names && (number || t->options.interface_ids)
				   ? bpei_names_find(t->options.names, number)
				   : "";
	memcpy(r->interface_name, name, strlen(name)); /* names are shorter, and 0 is there */
	_Static_assert(sizeof r->interface_name > BPEI_NAME_BYTES, "a name and its end");
}

/* The time so many nanoseconds after another; what lies behind the last one that there is becomes
 * it. */
static int64_t later(int64_t ns, uint64_t span)
{
	return span > (uint64_t)INT64_MAX - (uint64_t)ns ? INT64_MAX
							 : (int64_t)((uint64_t)ns + span);
}

/* Returns when an entry's last packet came.  A flow goes on over a leap of the clock, of which flow
 * time shows only a part; and flow time goes on where the packets' steps back. */
static int64_t last_time(const struct bpei_table *t, uint32_t i, int64_t first_ns)
{
	const int64_t flow_ns = t->entries[i].last_ns;
	const int64_t own = bpei_timeline_time_of(
		t->options.timeline, t->interfaces ? t->interfaces[i] : 0, flow_ns);
	const int64_t by_span =
		later(first_ns, (uint64_t)flow_ns - (uint64_t)t->details[i].first_ns);
	return own > by_span ? own : by_span;
}

void bpei_entry_record(
	const struct bpei_table *t, uint32_t i, enum bpe_flow_end why, struct bpe_flow *record)
{
	const struct bpei_entry *e = &t->entries[i];
	const struct bpei_detail *d = &t->details[i];
	const struct bpei_extra *x = bpei_extra_find(t, i);
	const struct bpei_seen *seen = &t->history.seen[d->history];
	const uint64_t rest = e->key[4];
	const int64_t first_ns = bpei_timeline_time_of(
		t->options.timeline, t->interfaces ? t->interfaces[i] : 0, d->first_ns);
	const uint32_t bits = bpei_entry_bits(e), marks = bpei_entry_marks(e),
		       o = !!(bits & ENTRY_ORIGIN);
	uint32_t flags = 0;
	if (bits & ENTRY_MIDSTREAM)
		flags |= BPE_FLOW_MIDSTREAM;
	if (marks & STATE_CUT)
		flags |= BPE_FLOW_CUT;
	if (bits & ENTRY_CONTINUED)
		flags |= BPE_FLOW_CONTINUED;
	if (marks & STATE_TUNNEL)
		flags |= BPE_FLOW_TUNNEL;
	if (marks & STATE_BY_PORT)
		flags |= BPE_FLOW_BY_PORT;
	if (t->lengths)
		flags |= BPE_FLOW_LENGTHS;
	if (t->options.tcp_health && bpei_entry_state(e))
		flags |= BPE_FLOW_HEALTH;
	struct bpe_flow r = { .version = BPE_FLOW_VERSION,
		.size = sizeof r,
		.port = { (uint16_t)(rest >> 16 * o), (uint16_t)(rest >> 16 * !o) },
		.ip_proto = bpei_entry_proto(e),
		.ip_version = (rest & ~(KEY_INNER | KEY_TUNNEL)) >> 40 & 0xff,
		.vlan = { (uint16_t)(rest >> 48), d->inner_vlan & 0xfff },
		.tcp_state = bpei_entry_state(e),
		.tcp_flags = { (uint8_t)bpei_seen_flags(seen, o),
			(uint8_t)bpei_seen_flags(seen, !o) },
		.end = (uint8_t)why,
		.flags = flags,
		.hash = d->hash,
		.worker = t->options.worker,
		.first_ns = first_ns,
		.last_ns = last_time(t, i, first_ns),
		.pid = -1,
		.effective_pid = -1,
		.handshake_ns = { -1, -1 },
		.rtt_ns = { -1, -1 },
		.window_scale = { -1, -1 } };
	for (uint32_t k = 0; k < 2; k++) {
		uint32_t end = k ^ o;
		r.packets[k] = bpei_flow_packets(t, i, end);
		r.wire_bytes[k] = bpei_flow_wire(t, i, end);
		r.captured_bytes[k] = r.wire_bytes[k] - (t->any_missed ? t->missed[i][end] : 0);
		r.repeated_acks[k] = d->repeated[end];
		if (e->sums[end] & SUMS_ERRORS)
			r.icmp_errors[k] =
				r.packets[k] < UINT32_MAX ? (uint32_t)r.packets[k] : UINT32_MAX;
		else if (x)
			r.icmp_errors[k] = x->health[HEALTH_ICMP_ERROR][end];
		memcpy(r.addr[k], (const char *)e->key + 16 * end, 16);
		if (bpei_entry_state(e) && d->rtt[k])
			r.handshake_ns[k] = bpei_span_unpack(d->rtt[k]);
		if (d->running[end])
			r.rtt_ns[k] = bpei_span_unpack(d->running[end]);
		if (x)
			health(&r, x, k, end);
		if (t->lengths)
			r.ip_bytes[k] = t->lengths[i].ip[end],
			r.payload_bytes[k] = t->lengths[i].payload[end];
		const struct bpei_setup *s = &t->setups[bpei_detail_setup(d)];
		r.mss[k] = s->mss[end];
		if (s->present[end] & BPE_TCP_WINDOW_SCALE)
			r.window_scale[k] = (int8_t)s->scale[end];
	}
	_Static_assert(sizeof r.history == BPEI_HISTORY_TEXT, "history");
	bool flipped = bits & ENTRY_MIDSTREAM && bpei_seen_flags(seen, !o) & 2 &&
		       !(bpei_seen_flags(seen, o) & 2);
	if (d->history)
		bpei_history_text(&t->history, d->history, o, flipped, r.history);
	if (marks & STATE_BY_PORT && !flipped && r.history[0] >= 'a')
		bpei_history_text(&t->history, d->history, o, true,
			r.history); /* the responder was seen first */
	if ((r.ip_proto == 1 || r.ip_proto == 58) && d->icmp) {
		r.flags |= BPE_FLOW_ICMP;
		r.icmp_type = (uint8_t)(d->icmp >> 8);
		r.icmp_code = (uint8_t)d->icmp;
	}
	const struct bpe_tunnel *tunnel = marks & STATE_TUNNEL ? bpei_via_tunnel(t, i) : NULL;
	if (tunnel)
		r.tunnel = *tunnel;
	note_interface(t, i, &r);
	const struct bpei_process *p =
		t->processes && t->processes[i].pid ? &t->processes[i] : NULL;
	if (p) {
		r.pid = p->pid;
		r.effective_pid = p->effective_pid;
		memcpy(r.comm, p->comm, sizeof r.comm);
		memcpy(r.effective_comm, p->effective_comm, sizeof r.effective_comm);
	}
	*record = r;
}

int bpei_table_get(const struct bpei_table *t, uint32_t flow, const struct bpe_key *key,
	struct bpe_flow *record)
{
	if (flow >= t->touched || !(bpei_entry_bits(&t->entries[flow]) & ENTRY_ALIVE) ||
		!bpei_entry_is(t, flow, key))
		return 0;
	bpei_entry_record(t, flow, BPE_END_NONE, record);
	return 1;
}

bool bpei_table_show(
	const struct bpei_table *t, uint32_t *from, uint32_t look_at, bpe_flow_fn fn, void *user)
{
	uint32_t i = *from;
	for (; look_at && i < t->touched; i++, look_at--) {
		struct bpe_flow record;
		if (!(bpei_entry_bits(&t->entries[i]) & ENTRY_ALIVE))
			continue;
		bpei_entry_record(t, i, BPE_END_DUMPED, &record);
		fn(user, &record, t->options.worker);
	}
	*from = i;
	return i >= t->touched;
}
