/* SPDX-License-Identifier: MIT */
/* Reports about live flows: when a flow has opened, and when updates are due. */
#include "table_harness.h"

enum { OPENED = 'o', UPDATED = 'u', ENDED = 'e' };

/* Reports in their order. */
static char kinds[4096];
static struct bpe_flow reports[4096];
static uint32_t report_count;

static void keep_report(char kind, const struct bpe_flow *flow)
{
	cr_assert(report_count < sizeof kinds - 1);
	kinds[report_count] = kind;
	reports[report_count++] = *flow;
}

static void keep_opening(void *user, const struct bpe_flow *flow)
{
	(void)user;
	keep_report(OPENED, flow);
}

static void keep_update(void *user, const struct bpe_flow *flow)
{
	(void)user;
	keep_report(UPDATED, flow);
}

static void keep_end(void *user, const struct bpe_flow *flow)
{
	(void)user;
	keep_report(ENDED, flow);
}

/* Makes a table with all handlers.  Other options: as given. */
static void make_live_table(struct bpei_table_options o)
{
	o.timeline = &timeline;
	o.on_open = keep_opening;
	o.on_update = keep_update;
	o.on_end = keep_end;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
}

Test(live, a_flow_opens_with_one_packet_and_ends_once)
{
	make_live_table((struct bpei_table_options){ .max_flows = 10, .idle_ns = SECOND });
	send_packet(1, 17, 0, 0, T0, 0);
	cr_assert_str_eq(kinds, "o");
	cr_assert_eq(reports[0].packets[0], 1);
	cr_assert_eq(reports[0].wire_bytes[0], 100);
	cr_assert_eq(reports[0].end, BPE_END_NONE);
	cr_assert_eq(reports[0].first_ns, T0);
	send_packet(1, 17, 1, 0, T0 + 1, 0);
	send_packet(2, 6, 0, SYN, T0 + 2, 0);
	cr_assert_str_eq(kinds, "oo");
	cr_assert_eq(reports[1].tcp_state, BPE_TCP_SYN_SENT);
	cr_assert_eq(reports[1].tcp_flags[0], SYN);
	cr_assert_neq(reports[1].slot, reports[0].slot);
	send_packet(1, 17, 0, 0, T0 + 2 * SECOND, 0); /* the old flow has timed out */
	cr_assert_str_eq(kinds, "ooeo");
	cr_assert_eq(reports[2].packets[0] + reports[2].packets[1], 2);
	cr_assert_eq(reports[2].slot, reports[0].slot);
	cr_assert_eq(reports[3].packets[0], 1);
	bpei_table_end_all(table);
	cr_assert_eq(report_count, 6); /* no updates: none were wanted */
}

Test(live, a_syn_that_opens_a_new_connection_is_told)
{
	make_live_table((struct bpei_table_options){ .max_flows = 10 });
	send_packet(1, 6, 0, SYN, T0, 0);
	send_packet(1, 6, 1, RST | ACK, T0 + 1, 0);
	send_packet(1, 6, 0, SYN, T0 + 2, 0);
	cr_assert_str_eq(kinds, "oeo");
	cr_assert_eq(reports[2].tcp_state, BPE_TCP_SYN_SENT);
}

Test(live, refused_packets_open_nothing)
{
	make_live_table((struct bpei_table_options){ .max_flows = 0, .update_bytes = 1 });
	send_packet(1, 17, 0, 0, T0, 0);
	cr_assert_eq(report_count, 0);
}

Test(live, updates_by_time_come_with_the_first_packet_after)
{
	make_live_table((struct bpei_table_options){ .max_flows = 10, .update_ns = SECOND });
	send_packet(1, 17, 0, 0, T0, 0);
	send_packet(1, 17, 0, 0, T0 + SECOND, 0); /* not more than a second */
	cr_assert_str_eq(kinds, "o");
	send_packet(1, 17, 1, 0, T0 + SECOND + 1, 0);
	cr_assert_str_eq(kinds, "ou");
	cr_assert_eq(reports[1].packets[0], 2);
	cr_assert_eq(reports[1].packets[1], 1);
	cr_assert_eq(reports[1].last_ns, T0 + SECOND + 1);
	send_packet(1, 17, 0, 0, T0 + 2 * SECOND + 1, 0); /* counted from the last update */
	cr_assert_str_eq(kinds, "ou");
	send_packet(1, 17, 0, 0, T0 + SECOND, 0); /* out of order: time does not go back */
	cr_assert_str_eq(kinds, "ou");
	send_packet(1, 17, 0, 0, T0 + 9 * (int64_t)SECOND, 0);
	cr_assert_str_eq(kinds, "ouu");
	cr_assert_eq(reports[2].packets[0], 5);
}

Test(live, updates_by_bytes_count_both_ends_and_slow_packets)
{
	make_live_table((struct bpei_table_options){ .max_flows = 10, .update_bytes = 300 });
	send_packet(1, 6, 0, SYN, T0, 0); /* bytes of the opening do not count */
	send_packet(1, 6, 1, SYN | ACK, T0 + 1, 0);
	send_packet(1, 6, 0, ACK, T0 + 2, 0);
	cr_assert_str_eq(kinds, "o");
	send_packet(1, 6, 1, ACK, T0 + 3, 0);
	cr_assert_str_eq(kinds, "ou");
	cr_assert_eq(reports[1].wire_bytes[0] + reports[1].wire_bytes[1], 400);
	cr_assert_eq(reports[1].tcp_state, BPE_TCP_ESTABLISHED);
	send_packet(1, 6, 0, ACK, T0 + 4, 0);
	send_packet(1, 6, 0, ACK, T0 + 5, 0);
	cr_assert_str_eq(kinds, "ou");
	send_packet(1, 6, 0, FIN | ACK, T0 + 6, 0);
	cr_assert_str_eq(kinds, "ouu");
	cr_assert_eq(reports[2].tcp_state, BPE_TCP_CLOSING);
}

Test(live, time_and_bytes_start_anew_with_each_update)
{
	make_live_table((struct bpei_table_options){
		.max_flows = 10, .update_ns = SECOND, .update_bytes = 200 });
	send_packet(1, 17, 0, 0, T0, 0);
	send_packet(1, 17, 0, 0, T0 + 1, 0);
	send_packet(1, 17, 0, 0, T0 + 2 * SECOND, 0); /* both are due */
	cr_assert_str_eq(kinds, "ou");
	send_packet(1, 17, 0, 0, T0 + 2 * SECOND + 1, 0);
	send_packet(1, 17, 0, 0, T0 + 2 * SECOND + 2, 0); /* by bytes */
	cr_assert_str_eq(kinds, "ouu");
	send_packet(1, 17, 0, 0, T0 + 3 * (int64_t)SECOND + 3, 0); /* by time */
	cr_assert_str_eq(kinds, "ouuu");
}

Test(live, periods_end_apart_from_updates)
{
	make_live_table((struct bpei_table_options){
		.max_flows = 10, .active_ns = SECOND, .update_bytes = 300 });
	send_packet(1, 17, 0, 0, T0, 0);
	send_packet(1, 17, 0, 0, T0 + 1, 0);
	send_packet(1, 17, 0, 0, T0 + SECOND + 1, 0); /* the period's end, without this packet */
	cr_assert_str_eq(kinds, "oe");
	cr_assert_eq(reports[1].end, BPE_END_ACTIVE);
	cr_assert_eq(reports[1].packets[0], 2);
	send_packet(1, 17, 0, 0, T0 + SECOND + 2, 0);
	cr_assert_str_eq(kinds, "oeu"); /* 300 bytes since the opening, over the period's end */
	cr_assert_eq(reports[2].packets[0], 2);
	cr_assert_eq(reports[2].flags & BPE_FLOW_CONTINUED, BPE_FLOW_CONTINUED);
}

Test(live, counters_that_overflow_do_not_disturb_updates)
{
	make_live_table((struct bpei_table_options){ .max_flows = 10, .update_bytes = 100000000 });
	for (uint32_t k = 0; k < 5000000; k++) /* more than the entry counts: 2^22 packets */
		send_packet(1, 17, k & 1, 0, T0 + k, 0);
	cr_assert_str_eq(kinds, "ouuuu");
	for (uint32_t k = 1; k <= 4; k++)
		cr_assert_eq(reports[k].packets[0] + reports[k].packets[1], 1 + k * 1000000);
}

/* ---- A model ---- */

#define FLOWS 40u

struct model_flow {
	bool is_open;
	int64_t since_ns;
	uint64_t left_bytes;
};

/* Checks the reports after a packet of flow `id`: ends of flows that were open, and the opening or
 * the update that the model expects. */
static void expect_live_reports(
	struct model_flow *model, uint32_t id, int64_t ns, const struct bpei_table_options *o)
{
	struct model_flow *const m = &model[id];
	char own = 0;

	for (uint32_t k = 0; k < report_count; k++) {
		uint32_t other;
		memcpy(&other, reports[k].addr[reports[k].port[0] == 20], 4);
		cr_assert(other < FLOWS);
		if (kinds[k] == ENDED) {
			cr_assert(model[other].is_open);
			model[other].is_open = false;
			continue;
		}
		cr_assert_eq(other, id);
		cr_assert_eq(own, 0);
		own = kinds[k];
		cr_assert_eq(own == OPENED, !m->is_open);
		if (own == UPDATED)
			cr_assert(m->left_bytes <= 100 || ns - m->since_ns > o->update_ns);
		*m = (struct model_flow){ true, ns, o->update_bytes };
	}
	if (own)
		return;
	cr_assert(m->is_open);
	m->left_bytes -= 100;
	cr_assert(m->left_bytes > 0 && ns - m->since_ns <= o->update_ns, "no update");
}

/* Sends packets of few flows, of which many collide or are evicted.  Each packet opens its flow, or
 * brings an update exactly when the model says so. */
static void run_live_model(struct bpei_table_options o, uint32_t hash)
{
	struct model_flow model[FLOWS] = { { 0 } };
	uint32_t random = 12345;
	int64_t ns = T0;

	make_live_table(o);
	for (uint32_t n = 0; n < 20000; n++) {
		random = random * 1664525 + 1013904223;
		const uint32_t id = random >> 8 & 7 ? random >> 16 & 7 : (random >> 16) % FLOWS;
		ns += random >> 24 & 3 ? 1000 : 100000000;
		report_count = 0;
		send_packet(id, 17, random >> 15 & 1, 0, ns, hash);
		expect_live_reports(model, id, ns, &o);
	}
	report_count = 0;
	bpei_table_end_all(table);
	for (uint32_t id = 0; id < FLOWS; id++)
		report_count -= model[id].is_open;
	cr_assert_eq(report_count, 0);
	bpei_table_free(table);
	bpei_role_leave(&bpei_worker_role);
	memset(&timeline, 0, sizeof timeline);
	packets_in = 0;
}

Test(live, reports_agree_with_a_model)
{
	struct bpei_table_options o = {
		.max_flows = 100, .update_ns = 3 * (int64_t)SECOND, .update_bytes = 5000
	};

	run_live_model(o, 0);
	run_live_model(o, 77); /* all keys collide */
	o.max_flows = 6;
	run_live_model(o, 0); /* evictions */
	o.max_flows = 12;
	o.idle_ns = SECOND / 2;
	run_live_model(o, 0); /* time-outs */
}
