/* SPDX-License-Identifier: MIT */
/* Packets that do more than increment the counters of their flow.  The packet opens a flow, or the
 * flow has timed out.  Or a new connection starts on the same ports, a period is over, or the TCP
 * state changes.
 *
 * Hazard: within a batch, an entry found early may have been ended and used again before its packet
 * is handled.  So the whole key is compared again, and the key of a freed entry matches nothing. */
#include "flow/batch.h"
#include "flow/cutoff.h"
#include "flow/rtt.h"
#include "flow/tcp_analysis.h"
#include "flow/tunnels.h"

#include "base/cacheline.h"
#include "packet/lengths.h"

/* Adds IP's and payload's bytes of packet p to table.lengths. */
static void count_lengths(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i, uint32_t end)
{
	const struct bpe_batch *const b = ctx->b;
	struct bpei_lengths *const lengths = &ctx->t->lengths[i];
	const uint8_t *const data = b->data ? b->data[p] : NULL;
	const struct bpei_length n =
		bpei_length_of(data, b->caplen[p], b->wirelen[p], &b->layers[p]);

	lengths->ip[end] += n.ip;
	lengths->payload[end] += n.payload;
}

void bpei_count_more(const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i, uint32_t end)
{
	if (ctx->t->lengths)
		count_lengths(ctx, p, i, end);
	if (ctx->t->cutoffs)
		bpei_cutoff_count(ctx, p, i, end);
}

/* ---- Opening ---- */

/* Returns an unused entry, for which another flow is evicted if the table is full. */
static inline __attribute__((always_inline)) uint32_t take_free_entry(struct bpei_table *t)
{
	uint32_t i;

	if (bpei_counter_get(&t->counts.active) >= t->options.max_flows)
		bpei_entry_evict(t, bpei_evict_candidate(t), false);
	if (t->free == BPEI_NO_FLOW)
		return t->touched++;
	i = t->free;
	t->free = (uint32_t)t->entries[i].key[0];
	return i;
}

/* Clears what the arrays beside the entries hold of the entry's last flow. */
static inline __attribute__((always_inline)) void clear_side_arrays(
	struct bpei_table *t, uint32_t i, const struct bpe_batch *b, uint32_t p)
{
	if (t->processes)
		t->processes[i].pid = 0;
	if (t->ids)
		t->ids[i] = 0;
	if (t->owners) {
		t->owners[i].owner = BPE_OWNER_UNKNOWN;
		if (t->opened_count < BPE_BATCH)
			t->opened[t->opened_count++] = i;
	}
	if (t->any_missed)
		memset(t->missed[i], 0, sizeof t->missed[i]);
	if (t->any_overflow)
		t->overflow[i] = (struct bpei_flow_overflow){ .count = { { 0 } } };
	if (t->lengths)
		t->lengths[i] = (struct bpei_lengths){ .ip = { 0 } };
	if (t->cutoffs)
		bpei_cutoff_open(t, i);
	if (t->interfaces)
		t->interfaces[i] = b->interface_id ? b->interface_id[p] : 0;
}

/* Counts the new flow in the table and in the cohort. */
static inline __attribute__((always_inline)) void count_opened_entry(
	struct bpei_table *t, uint32_t i)
{
	struct bpei_cohort *const cohort = &t->cohorts[i / BPEI_COHORT];
	const uint64_t active = bpei_counter_get(&t->counts.active) + 1;

	t->evictable++;
	cohort->evictable++;
	cohort->alive++;
	bpei_entry_schedule(t, i);
	bpei_counter_add(&t->counts.opened, 1);
	bpei_counter_set(&t->counts.active, active);
	bpei_counter_max(&t->counts.peak, active);
}

/* Opens a flow for packet p.  Returns the entry, or BPEI_NO_FLOW if no flows are kept.  is_tcp: the
 * key's protocol is TCP, which is true for later fragments as well.  has_header: the TCP header was
 * captured. */
static inline __attribute__((always_inline)) uint32_t open_entry(
	struct bpei_table *t, const struct bpe_batch *b, uint32_t p, bool is_tcp, bool has_header)
{
	const struct bpe_layers *const l = &b->layers[p];
	const struct bpe_key *const key = &b->key[p];
	const uint32_t end = bpei_sender_end(l);
	const uint32_t tag = b->hash[p];

	if (!t->options.max_flows)
		return BPEI_NO_FLOW;
	const uint32_t i = take_free_entry(t);
	bpei_entry_insert(t, tag, i);

	struct bpei_entry *const e = &t->entries[i];
	struct bpei_flow_cold *const cold = &t->cold[i];
	const bool has_tunnel = !!(l->flags & BPE_PKT_TUNNEL) | !!key->tunnel;
	const uint32_t tunnel_state = has_tunnel ? STATE_TUNNEL : 0;
	const uint32_t class = bpei_timeout_class(key->ip_proto);
	/* An ICMP error goes to the end whose packet the error quotes. */
	const uint32_t originator = l->flags & BPE_PKT_ICMP_ERROR ? !end : end;
	const uint32_t origin_flag = has_header ? 0 : originator * FLAG_ORIGINATOR;
	memcpy(e->key, key->addr, 32);
	e->key[4] = bpei_key_rest(key) | bpei_key_extension(key);
	e->last_ns = b->time_ns[p];
	e->packed[0] = (uint64_t)(tunnel_state | class << CLASS_SHIFT) << PACKED_STATE_SHIFT;
	e->packed[1] = (uint64_t)(FLAG_ALIVE | FLAG_EVICTABLE | origin_flag) << PACKED_STATE_SHIFT;
	*cold = (struct bpei_flow_cold){
		.inner_vlan = key->vlan[1], .hash = tag, .first_ns = b->time_ns[p]
	};
	if (BPEI_UNLIKELY(has_tunnel))
		bpei_flow_tunnel_open(t, i, b, p);
	clear_side_arrays(t, i, b, p);
	if (is_tcp && t->options.tcp_health) {
		bpei_rtt_sample_cancel(t, i, 0);
		bpei_rtt_sample_cancel(t, i, 1);
	}
	if (!is_tcp && (l->proto == BPE_PROTO_ICMP || l->proto == BPE_PROTO_ICMP6))
		bpei_icmp_keep_type(cold, b, p);
	if (has_header)
		bpei_tcp_state_open(e, end, l->tcp_flags);
	if (t->options.direction_by_port)
		bpei_entry_orient_by_port(e, l->tcp_flags);
	count_opened_entry(t, i);
	return i;
}

/* Opens a flow out of line, for a packet whose flow turned out to be over. */
static __attribute__((noinline)) uint32_t open_flow(
	struct bpei_flow_batch *ctx, uint32_t p, bool has_header)
{
	const struct bpe_batch *const b = ctx->b;

	ctx->has_opened = true;
	if (b->key[p].ip_proto == IP_TCP)
		return open_entry(ctx->t, b, p, true, has_header);
	return open_entry(ctx->t, b, p, false, false);
}

/* ---- Exceptional packets ---- */

/* A packet's TCP numbers, read only for SYN, FIN and RST. */
struct control_segment {
	bool is_control, is_known;
	struct bpei_segment s;
};

/* Returns the numbers of packet p, if the packet has SYN, FIN or RST. */
static inline struct control_segment read_control_segment(
	const struct bpei_table *t, const struct bpe_batch *b, uint32_t p, bool is_tcp)
{
	struct control_segment c;

	c.is_control = is_tcp && b->layers[p].tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST);
	c.is_known = c.is_control && bpei_batch_segment(t, b, p, &c.s);
	return c;
}

/* Returns true if the packet is a SYN that starts a new connection on the ports of flow i. */
static bool starts_new_connection(const struct bpei_table *t, uint32_t i,
	const struct bpe_layers *l, const struct control_segment *c, int64_t now_ns)
{
	if (!c->is_control || !(l->tcp_flags & TCP_SYN))
		return false;
	if (!c->is_known)
		return bpei_tcp_state_reopens(&t->entries[i], l->tcp_flags);
	return bpei_tcp_is_new_connection(t, i, bpei_sender_end(l), &c->s, l->tcp_flags, now_ns);
}

/* Returns true if the flow's reporting period is over. */
static bool period_is_over(const struct bpei_table *t, uint32_t i, int64_t now_ns)
{
	const int64_t first_ns = t->cold[i].first_ns;

	if (t->active_ns == INT64_MAX || now_ns <= first_ns)
		return false;
	return (uint64_t)now_ns - (uint64_t)first_ns > (uint64_t)t->active_ns;
}

/* Keeps one half of the handshake's round trip, if the change of state completes the half: rtt[1]
 * is SYN to SYN-ACK, rtt[0] is SYN-ACK to ACK.  Branch-free, since the outcome differs from packet
 * to packet. */
static void keep_handshake_rtt(struct bpei_table *t, uint32_t i, const struct bpe_layers *l,
	uint8_t before, int64_t now_ns)
{
	const struct bpei_entry *const e = &t->entries[i];
	const int64_t rtt_ns = (int64_t)((uint64_t)now_ns - (uint64_t)e->last_ns);
	const uint8_t after = bpei_entry_tcp_state(e);
	const bool is_originator = bpei_sender_end(l) == bpei_entry_originator(e);
	const uint16_t packed_rtt = bpei_span_pack(rtt_ns);
	const bool is_syn_ack = (before == BPE_TCP_SYN_SENT) & (after == BPE_TCP_SYN_RECEIVED) &
				!!(l->tcp_flags & TCP_ACK);
	const bool is_final_ack =
		(before == BPE_TCP_SYN_RECEIVED) & (after == BPE_TCP_ESTABLISHED) & is_originator;
	uint16_t *const rtt = &t->cold[i].rtt[is_syn_ack];
	const uint32_t mask = 0u - (is_syn_ack | is_final_ack);

	*rtt ^= (uint16_t)((*rtt ^ packed_rtt) & mask);
	if (BPEI_UNLIKELY(t->options.marks) && mask)
		bpei_mark_rtt(t, rtt_ns);
}

/* Advances the TCP state of flow i by the packet's flags. */
static void advance_tcp_state(
	struct bpei_table *t, uint32_t i, const struct bpe_layers *l, int64_t now_ns)
{
	struct bpei_entry *const e = &t->entries[i];
	const uint8_t before = bpei_entry_tcp_state(e);

	bpei_tcp_state_advance(e, bpei_sender_end(l), l->tcp_flags);
	if (before == BPE_TCP_NONE && t->options.direction_by_port) {
		bpei_entry_set_state(e, STATE_BY_PORT, 0);
		bpei_entry_orient_by_port(e, l->tcp_flags);
	}
	if (bpei_entry_tcp_state(e) == before)
		return;
	if (t->options.tcp_health && now_ns >= e->last_ns)
		keep_handshake_rtt(t, i, l, before, now_ns);
	bpei_entry_schedule(t, i);
}

/* Handles a packet that may end flow i, start a new connection, complete a period, or change the
 * TCP state.  Returns the entry on which the packet is counted. */
static uint32_t handle_exceptional(struct bpei_flow_batch *ctx, bool is_tcp, uint32_t p, uint32_t i)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_batch *const b = ctx->b;
	struct bpei_entry *const e = &t->entries[i];
	const struct bpe_layers *const l = &b->layers[p];
	const int64_t now_ns = b->time_ns[p];

	if (bpei_entry_has_timed_out(t, e, now_ns)) {
		bpei_entry_end(t, i, bpei_entry_end_reason(e));
		return open_flow(ctx, p, is_tcp);
	}
	const struct control_segment c = read_control_segment(t, b, p, is_tcp);
	if (starts_new_connection(t, i, l, &c, now_ns)) {
		bpei_entry_end(t, i, BPE_END_CLOSED);
		return open_flow(ctx, p, is_tcp);
	}
	if (period_is_over(t, i, now_ns))
		bpei_entry_end_period(t, i, now_ns);
	if (!is_tcp)
		return i;
	const uint32_t end = bpei_sender_end(l);
	const bool is_stray = c.is_known && c.s.seq != t->cold[i].seq[end] &&
			      bpei_segment_classify(t, i, end, &c.s, l->tcp_flags) == SEGMENT_STRAY;
	if (!is_stray)
		advance_tcp_state(t, i, l, now_ns);
	return i;
}

/* ---- Slow packets ---- */

/* Adds packet p to the entry's counters. */
static inline void add_packet(
	const struct bpei_flow_batch *ctx, uint32_t p, uint32_t i, uint32_t end)
{
	struct bpei_entry *const e = &ctx->t->entries[i];
	const uint32_t wire = ctx->b->wirelen[p];
	const bool is_error = ctx->b->layers[p].flags & BPE_PKT_ICMP_ERROR;

	if (BPEI_UNLIKELY(is_error || e->packed[end] & PACKED_ICMP_ERRORS))
		bpei_icmp_count_error(ctx, p, i, end);
	const uint64_t packed = bpei_packed_add(e->packed[end], wire);
	if (BPEI_UNLIKELY((packed & PACKED_FULL) | wire >> PACKED_BYTES_BITS))
		bpei_count_overflow(ctx->t, i, end, wire);
	else
		e->packed[end] = packed;
	bpei_count_optional(ctx, p, i, end);
}

/* Returns true if a packet in `packets` has the hash of packet p. */
static bool contains_hash(const uint32_t *hash, uint64_t packets, uint32_t p)
{
	for (; packets; packets &= packets - 1)
		if (hash[__builtin_ctzll(packets)] == hash[p])
			return true;
	return false;
}

/* Opens flows for the packets in `packets`, in order.  A packet in `doubtful` may belong to a flow
 * opened earlier in this batch, and is looked up again.  Returns the packets whose flow was found,
 * together with later packets of the same hash, even if their flow has been evicted meanwhile:
 * otherwise a later packet of a flow would be handled before an earlier one. */
static inline __attribute__((always_inline)) uint64_t open_new_flows(struct bpei_flow_batch *ctx,
	uint64_t packets, uint64_t doubtful, bool is_tcp, bool has_marks)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_batch *const b = ctx->b;
	uint64_t known = 0;

	for (; packets; packets &= packets - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(packets);

		if (BPEI_UNLIKELY(doubtful >> p & 1)) {
			const uint32_t i = bpei_index_find(t, b->hash[p], &b->key[p]);

			if (i != BPEI_NO_FLOW || contains_hash(b->hash, known, p)) {
				const uint32_t none = (uint32_t)t->options.max_flows;

				ctx->flow[p] = i != BPEI_NO_FLOW ? i : none;
				known |= (uint64_t)1 << p;
				continue;
			}
		}
		const bool has_header = is_tcp && ctx->tcp >> p & 1;
		if (has_marks)
			bpei_mark_packet(t, p);
		const uint32_t i = open_entry(t, b, p, is_tcp, has_header);
		ctx->flow[p] = i;
		add_packet(ctx, p, i, bpei_sender_end(&b->layers[p]));
		if (has_header)
			bpei_tcp_track(ctx, p, i);
		if (BPEI_UNLIKELY(t->is_watched))
			bpei_live_opened(t, i);
	}
	return known;
}

/* Reports the opening of flow i, or an update that is due, after packet p has been counted. */
static __attribute__((noinline)) void report_live(
	struct bpei_flow_batch *ctx, uint32_t p, uint32_t i)
{
	if (ctx->has_opened)
		bpei_live_opened(ctx->t, i);
	else
		bpei_live_counted(ctx->t, i, ctx->b->time_ns[p], ctx->b->wirelen[p]);
	ctx->has_opened = false;
}

/* Handles a packet of a known flow that does more than increment counters. */
static inline __attribute__((always_inline)) void handle_slow_packet(
	struct bpei_flow_batch *ctx, uint32_t p, bool maybe_tcp, bool has_marks)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_batch *const b = ctx->b;
	const bool has_header = maybe_tcp && ctx->tcp >> p & 1;
	const int64_t ns = b->time_ns[p];
	uint32_t i = ctx->flow[p];

	if (has_marks)
		bpei_mark_packet(t, p);
	if (BPEI_UNLIKELY(!b->hash[p])) {
		ctx->flow[p] = BPEI_NO_FLOW;
		ctx->unkeyed++;
		return;
	}
	if (BPEI_UNLIKELY(!bpei_entry_matches(t, i, &b->key[p])))
		i = bpei_index_find(t, b->hash[p], &b->key[p]);
	if (i >= t->options.max_flows)
		i = open_flow(ctx, p, has_header);
	else
		i = handle_exceptional(ctx, has_header, p, i);
	ctx->flow[p] = i;
	if (i == BPEI_NO_FLOW) {
		ctx->refused++;
		return;
	}
	struct bpei_entry *const e = &t->entries[i];
	add_packet(ctx, p, i, bpei_sender_end(&b->layers[p]));
	if (has_header)
		bpei_tcp_track(ctx, p, i);
	if (BPEI_LIKELY(ns >= e->last_ns))
		e->last_ns = ns; /* the cold line of other protocols was not prefetched */
	else if (ns < t->cold[i].first_ns)
		t->cold[i].first_ns = ns;
	bpei_entry_update_evictable(t, i);
	if (BPEI_UNLIKELY(t->is_watched))
		report_live(ctx, p, i);
}

/* The slow packets of a batch, as bits. */
struct slow_packets {
	uint64_t first;    /* the packet's flow was not known before the batch */
	uint64_t doubtful; /* the flow may have been opened by an earlier packet in `first` */
	uint64_t tcp;      /* the key's protocol is TCP */
};

/* Sorts the slow packets.  Exact in `first`, so entries are taken in the same order whatever the
 * hashes are, and a file gives the same records every time. */
static inline __attribute__((always_inline)) struct slow_packets sort_slow_packets(
	struct bpei_flow_batch *ctx, uint64_t packets)
{
	struct bpei_table *const t = ctx->t;
	const struct bpe_batch *const b = ctx->b;
	const uint32_t none = (uint32_t)t->options.max_flows;
	struct slow_packets slow = { 0 };
	uint64_t seen_hashes[4] = { 0 }; /* a bit by 8 bits of the hash of packets in `first` */

	for (uint64_t m = packets; m; m &= m - 1) {
		const uint32_t p = (uint32_t)__builtin_ctzll(m);
		const uint32_t i = ctx->flow[p];
		const uint32_t hash = b->hash[p];
		const uint64_t has_key = hash != 0;
		/* The tag was found, but with another key. */
		const uint64_t is_other = i != none && !bpei_entry_matches(t, i, &b->key[p]);
		const uint64_t is_first = has_key & ((i == none) | is_other);
		uint64_t *const word = &seen_hashes[hash >> 6 & 3];

		slow.first |= is_first << p;
		slow.doubtful |= ((*word >> (hash & 63) & 1) | is_other) << p;
		*word |= is_first << (hash & 63);
		slow.tcp |= (uint64_t)(has_key & (b->key[p].ip_proto == IP_TCP)) << p;
		t->slow_filter[i % BPEI_SLOW_FILTER] = 0;
		__builtin_prefetch(&t->cohorts[i / BPEI_COHORT], 1);
	}
	if (!none)
		slow.first = 0; /* no flows are kept: the packets are refused below */
	return slow;
}

/* Handles the packets that open flows first, then the others; TCP apart, to keep branches
 * predictable. All packets of a flow are on one side of both divisions, or later in the second: the
 * order within a flow is preserved.  has_marks: known at compile time. */
static inline __attribute__((always_inline)) void handle_slow_packets(
	struct bpei_flow_batch *ctx, uint64_t packets, bool has_marks)
{
	const struct slow_packets slow = sort_slow_packets(ctx, packets);
	uint64_t rest = packets & ~slow.first;

	rest |= open_new_flows(ctx, slow.first & slow.tcp, slow.doubtful, true, has_marks);
	rest |= open_new_flows(ctx, slow.first & ~slow.tcp, slow.doubtful, false, has_marks);
	for (uint64_t m = rest & slow.tcp; m; m &= m - 1)
		handle_slow_packet(ctx, (uint32_t)__builtin_ctzll(m), true, has_marks);
	for (uint64_t m = rest & ~slow.tcp; m; m &= m - 1)
		handle_slow_packet(ctx, (uint32_t)__builtin_ctzll(m), false, has_marks);
}

void bpei_handle_slow_packets(struct bpei_flow_batch *ctx, uint64_t packets)
{
	if (BPEI_UNLIKELY(ctx->t->options.marks))
		handle_slow_packets(ctx, packets, true);
	else
		handle_slow_packets(ctx, packets, false);
}
