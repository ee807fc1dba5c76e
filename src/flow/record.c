/* SPDX-License-Identifier: MIT */
/* The public record of an entry.  Pure: reads the table, changes nothing. */
#include "flow/anomalies.h"
#include "flow/cutoff.h"
#include "flow/flow_time.h"
#include "flow/rtt.h"
#include "flow/tunnels.h"

/* Which bit of an entry becomes which public flag. */
struct flag_of_bit {
	uint32_t bit, flag;
};
static const struct flag_of_bit flags_of_flag_byte[] = {
	{ FLAG_MIDSTREAM, BPE_FLOW_MIDSTREAM },
	{ FLAG_CONTINUED, BPE_FLOW_CONTINUED },
};
static const struct flag_of_bit flags_of_state_byte[] = {
	{ STATE_CUT, BPE_FLOW_CUT },
	{ STATE_TUNNEL, BPE_FLOW_TUNNEL },
	{ STATE_BY_PORT, BPE_FLOW_BY_PORT },
};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* Returns BPE_FLOW_ flags of the entry, but for BPE_FLOW_ICMP and BPE_FLOW_INTERFACE_ID. */
static uint32_t record_flags(const struct bpei_table *t, const struct bpei_entry *e)
{
	uint32_t flags = 0;

	for (size_t k = 0; k < COUNT_OF(flags_of_flag_byte); k++)
		if (bpei_entry_flags(e) & flags_of_flag_byte[k].bit)
			flags |= flags_of_flag_byte[k].flag;
	for (size_t k = 0; k < COUNT_OF(flags_of_state_byte); k++)
		if (bpei_entry_state(e) & flags_of_state_byte[k].bit)
			flags |= flags_of_state_byte[k].flag;
	if (t->lengths)
		flags |= BPE_FLOW_LENGTHS;
	if (t->options.tcp_health && bpei_entry_tcp_state(e))
		flags |= BPE_FLOW_HEALTH;
	return flags;
}

/* Copies the anomalies of an end to endpoint k of the record. */
static void fill_anomalies(
	struct bpe_flow *r, const struct bpei_tcp_anomalies *a, uint32_t k, uint32_t end)
{
	r->retransmissions[k] = a->count[ANOMALY_RETRANSMISSION][end];
	r->fast_retransmissions[k] = a->count[ANOMALY_FAST][end];
	r->spurious_retransmissions[k] = a->count[ANOMALY_SPURIOUS][end];
	r->out_of_order[k] = a->count[ANOMALY_OUT_OF_ORDER][end];
	r->zero_windows[k] = a->count[ANOMALY_ZERO_WINDOW][end];
	r->lost_segments[k] = a->count[ANOMALY_LOST][end];
	r->unseen_acks[k] = a->count[ANOMALY_UNSEEN][end];
	r->keep_alives[k] = a->count[ANOMALY_KEEP_ALIVE][end];
	r->duplicates[k] = a->count[ANOMALY_DUPLICATE][end];
}

/* Copies the counters of an end to endpoint k of the record. */
static void fill_counters(
	const struct bpei_table *t, uint32_t i, uint32_t k, uint32_t end, struct bpe_flow *r)
{
	r->packets[k] = bpei_flow_packets(t, i, end);
	r->wire_bytes[k] = bpei_flow_bytes(t, i, end);
	r->captured_bytes[k] = r->wire_bytes[k] - (t->any_missed ? t->missed[i][end] : 0);
	if (t->lengths) {
		r->ip_bytes[k] = t->lengths[i].ip[end];
		r->payload_bytes[k] = t->lengths[i].payload[end];
	}
	if (t->cutoffs)
		bpei_cutoff_record(t, i, k, end, r);
}

/* Returns the ICMP errors of an end, whose packets are the count if all are errors.  a: the flow's
 * anomalies, or NULL. */
static uint32_t icmp_errors_of_end(const struct bpei_entry *e, const struct bpei_tcp_anomalies *a,
	uint32_t end, uint64_t packets)
{
	if (e->packed[end] & PACKED_ICMP_ERRORS)
		return packets < UINT32_MAX ? (uint32_t)packets : UINT32_MAX;
	return a ? a->count[ANOMALY_ICMP_ERROR][end] : 0;
}

/* Fills endpoint k of the record (0: originator) from an end of the key. */
static void fill_endpoint(
	const struct bpei_table *t, uint32_t i, uint32_t k, uint32_t end, struct bpe_flow *r)
{
	const struct bpei_entry *const e = &t->entries[i];
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const struct bpei_tcp_anomalies *const a = bpei_anomalies_find(t, i);
	const struct bpei_syn_options *const syn = &t->syn_options[bpei_cold_syn_options(cold)];

	memcpy(r->addr[k], (const char *)e->key + 16 * end, 16);
	fill_counters(t, i, k, end, r);
	r->icmp_errors[k] = icmp_errors_of_end(e, a, end, r->packets[k]);
	r->repeated_acks[k] = cold->repeated[end];
	r->handshake_ns[k] = -1;
	if (bpei_entry_tcp_state(e) && cold->rtt[k])
		r->handshake_ns[k] = bpei_span_unpack(cold->rtt[k]);
	r->rtt_ns[k] = -1;
	if (cold->smoothed_rtt[end])
		r->rtt_ns[k] = bpei_span_unpack(cold->smoothed_rtt[end]);
	r->mss[k] = syn->mss[end];
	r->window_scale[k] = -1;
	if (syn->present[end] & BPE_TCP_WINDOW_SCALE)
		r->window_scale[k] = (int8_t)syn->scale[end];
	if (a)
		fill_anomalies(r, a, k, end);
}

/* Writes Zeek's letters, capital for the originator.  '^' in front says that the first packet seen
 * was the responder's, so the direction was turned round afterwards. */
static void fill_history(
	const struct bpei_table *t, uint32_t i, uint32_t originator, struct bpe_flow *r)
{
	_Static_assert(sizeof r->history == BPEI_HISTORY_TEXT, "history");
	const uint16_t node = t->cold[i].history;
	const struct bpei_seen *const seen = &t->history.seen[node];
	const bool only_responder_sent_syn = bpei_seen_flags(seen, !originator) & TCP_SYN &&
					     !(bpei_seen_flags(seen, originator) & TCP_SYN);
	const bool turned = r->flags & BPE_FLOW_MIDSTREAM && only_responder_sent_syn;

	if (node)
		bpei_history_text(&t->history, node, originator, turned, r->history);
	const bool responder_was_first = r->history[0] >= 'a';
	if (r->flags & BPE_FLOW_BY_PORT && !turned && responder_was_first)
		bpei_history_text(&t->history, node, originator, true, r->history);
}

/* Returns the number of the entry's interface for the timeline. */
static uint32_t interface_of(const struct bpei_table *t, uint32_t i)
{
	return t->interfaces ? t->interfaces[i] : 0;
}

static void fill_interface(const struct bpei_table *t, uint32_t i, struct bpe_flow *r)
{
	const bool has_ids = t->options.interface_ids;
	const uint32_t number = t->interfaces ? t->interfaces[i] : t->options.interface_index;
	const char *name = "";

	if (has_ids) {
		r->interface_id = number;
		r->flags |= BPE_FLOW_INTERFACE_ID;
	} else {
		r->interface_index = number;
	}
	if (t->options.names && (number || has_ids))
		name = bpei_names_find(t->options.names, number);
	memcpy(r->interface_name, name, strlen(name)); /* the array is longer, and zeroed */
	_Static_assert(sizeof r->interface_name > BPEI_NAME_BYTES, "a name and its end");
}

static void fill_process(const struct bpei_table *t, uint32_t i, struct bpe_flow *r)
{
	const struct bpei_process *const process = t->processes ? &t->processes[i] : NULL;

	r->pid = -1;
	r->effective_pid = -1;
	if (t->owners)
		r->names.owner = t->owners[i].owner;
	if (!process || !process->pid)
		return;
	r->names.owner = BPE_OWNER_KNOWN;
	if (t->owners && t->owners[i].owner == BPE_OWNER_KNOWN) {
		r->names.uid = t->owners[i].uid;
		memcpy(r->names.container, t->owners[i].container, sizeof r->names.container);
	}
	r->pid = process->pid;
	r->effective_pid = process->effective_pid;
	memcpy(r->comm, process->comm, sizeof r->comm);
	memcpy(r->effective_comm, process->effective_comm, sizeof r->effective_comm);
}

/* Returns ns + span, at most INT64_MAX. */
static int64_t add_span(int64_t ns, uint64_t span)
{
	if (span > (uint64_t)INT64_MAX - (uint64_t)ns)
		return INT64_MAX;
	return (int64_t)((uint64_t)ns + span);
}

/* Returns the time of the entry's last packet.  A flow goes on over a leap of the packets' clock,
 * of which flow time has only a part; and flow time goes on where packets' times step back. */
static int64_t last_packet_time(const struct bpei_table *t, uint32_t i, int64_t first_ns)
{
	const int64_t flow_ns = t->entries[i].last_ns;
	const int64_t own_ns =
		bpei_timeline_time_of(t->options.timeline, interface_of(t, i), flow_ns);
	const uint64_t span = (uint64_t)flow_ns - (uint64_t)t->cold[i].first_ns;
	const int64_t by_span_ns = add_span(first_ns, span);

	return own_ns > by_span_ns ? own_ns : by_span_ns;
}

void bpei_entry_record(
	const struct bpei_table *t, uint32_t i, enum bpe_flow_end why, struct bpe_flow *r)
{
	const struct bpei_entry *const e = &t->entries[i];
	const struct bpei_flow_cold *const cold = &t->cold[i];
	const struct bpei_seen *const seen = &t->history.seen[cold->history];
	const uint32_t originator = bpei_entry_originator(e);
	const uint32_t responder = !originator;
	const uint64_t rest = e->key[4]; /* see bpei_key_rest */
	const int64_t first_ns =
		bpei_timeline_time_of(t->options.timeline, interface_of(t, i), cold->first_ns);

	/* In place: a record is 2 KB, and is not copied. */
	memset(r, 0, sizeof *r);
	r->version = BPE_FLOW_VERSION;
	r->size = sizeof *r;
	r->port[0] = (uint16_t)(rest >> 16 * originator);
	r->port[1] = (uint16_t)(rest >> 16 * responder);
	r->ip_proto = bpei_entry_proto(e);
	r->ip_version = (rest & ~(KEY_INNER | KEY_TUNNEL)) >> KEY_VERSION_SHIFT & 0xff;
	r->vlan[0] = (uint16_t)(rest >> 48);
	r->vlan[1] = cold->inner_vlan & COLD_VLAN;
	r->tcp_state = bpei_entry_tcp_state(e);
	r->tcp_flags[0] = (uint8_t)bpei_seen_flags(seen, originator);
	r->tcp_flags[1] = (uint8_t)bpei_seen_flags(seen, responder);
	r->end = (uint8_t)why;
	r->flags = record_flags(t, e);
	r->hash = cold->hash;
	r->worker = t->options.worker;
	r->first_ns = first_ns;
	r->last_ns = last_packet_time(t, i, first_ns);
	r->slot = i;
	fill_endpoint(t, i, 0, originator, r);
	fill_endpoint(t, i, 1, responder, r);
	fill_history(t, i, originator, r);
	if ((r->ip_proto == IP_ICMP || r->ip_proto == IP_ICMP6) && cold->icmp) {
		r->flags |= BPE_FLOW_ICMP;
		r->icmp_type = (uint8_t)(cold->icmp >> 8);
		r->icmp_code = (uint8_t)cold->icmp;
	}
	if (bpei_entry_state(e) & STATE_TUNNEL) {
		const struct bpe_tunnel *const tunnel = bpei_flow_tunnel_find(t, i);

		if (tunnel)
			r->tunnel = *tunnel;
	}
	fill_interface(t, i, r);
	r->names.uid = -1;
	fill_process(t, i, r);
	if (t->ids)
		t->options.id_hooks->fill(t->options.id_user, i, r);
}

void bpei_table_record(const struct bpei_table *t, uint32_t flow, struct bpe_flow *record)
{
	bpei_entry_record(t, flow, BPE_END_NONE, record);
}

/* Returns true if an alive flow with the key is at an entry. */
static bool is_flow_there(const struct bpei_table *t, uint32_t flow, const struct bpe_key *key)
{
	return flow < t->touched && bpei_entry_flags(&t->entries[flow]) & FLAG_ALIVE &&
	       bpei_entry_matches(t, flow, key);
}

int bpei_table_end(
	const struct bpei_table *t, uint32_t flow, const struct bpe_key *key, uint32_t end)
{
	if (!is_flow_there(t, flow, key))
		return -1;
	return (int)(end ^ bpei_entry_originator(&t->entries[flow]));
}

int bpei_table_get(const struct bpei_table *t, uint32_t flow, const struct bpe_key *key,
	struct bpe_flow *record)
{
	if (!is_flow_there(t, flow, key))
		return 0;
	bpei_entry_record(t, flow, BPE_END_NONE, record);
	return 1;
}

bool bpei_table_dump(const struct bpei_table *t, uint32_t *from, uint32_t max_entries,
	bpe_flow_fn fn, void *user)
{
	uint32_t i = *from;

	for (; max_entries && i < t->touched; i++, max_entries--) {
		struct bpe_flow record;

		if (!(bpei_entry_flags(&t->entries[i]) & FLAG_ALIVE))
			continue;
		bpei_entry_record(t, i, BPE_END_DUMPED, &record);
		fn(user, &record, t->options.worker);
	}
	*from = i;
	return i >= t->touched;
}
