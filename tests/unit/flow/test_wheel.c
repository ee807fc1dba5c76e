/* SPDX-License-Identifier: MIT */
/* Time-outs, reporting periods and the clock of the table. */
#include "table_harness.h"

Test(wheel, idle_time_is_exact_where_a_packet_comes)
{
	make_table(10, 5 * (int64_t)SECOND, 0);
	send_packet(1, 17, 0, 0, T0, 0);
	send_packet(1, 17, 0, 0, T0 + 5 * (int64_t)SECOND, 0); /* not later than the time-out */
	cr_assert_eq(ended_count, 0);
	send_packet(1, 17, 0, 0, T0 + 10 * (int64_t)SECOND + 1, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_IDLE);
	cr_assert_eq(ended[0].packets[0], 2);
	cr_assert_eq(ended[0].last_ns, T0 + 5 * (int64_t)SECOND);
}

Test(wheel, quiet_flows_end_without_their_packets)
{
	make_table(100, 5 * (int64_t)SECOND, SECOND);
	for (uint32_t id = 1; id <= 20; id++)
		send_packet(id, 17, 0, 0, T0, 0);
	send_packet(50, 6, 0, SYN, T0, 0);
	send_packet(50, 6, 1, RST, T0, 0);
	for (int k = 1; k <= 40; k++)
		send_packet(99, 17, 0, 0, T0 + k * (int64_t)SECOND / 4, 0);
	cr_assert_eq(count_active(), 1);
	cr_assert_eq(ended_count, 21);
	cr_assert_eq(ended[0].end, BPE_END_CLOSED); /* the shorter time-out comes first */
	flow_clock_age(&timeline, table, T0 + 100 * (int64_t)SECOND);
	cr_assert_eq(count_active(), 0);
}

Test(wheel, time_out_of_order_ends_nothing)
{
	make_table(10, 5 * (int64_t)SECOND, SECOND);
	send_packet(1, 17, 0, 0, T0 + 9 * (int64_t)SECOND, 0);
	uint32_t flow =
		send_packet(1, 17, 0, 0, T0, 0); /* nine seconds late: no step of the clock */
	cr_assert_eq(ended_count, 0);
	cr_assert_eq(get_record(1, 17, flow).first_ns, T0);
	cr_assert_eq(get_record(1, 17, flow).last_ns, T0 + 9 * (int64_t)SECOND);
	send_packet(2, 17, 0, 0, INT64_MIN, 0);
	send_packet(2, 17, 0, 0, INT64_MAX, 0);
	send_packet(3, 17, 0, 0, INT64_MAX, 0);
	send_packet(3, 17, 0, 0, INT64_MIN, 0);
	send_packet(4, 17, 0, 0, 0, 0);
	flow_clock_age(&timeline, table, INT64_MAX);
	check_balance();
}

Test(wheel, each_kind_has_its_time_out)
{
	struct bpei_table_options o = {
		.timeline = &timeline, .max_flows = 100, .on_end = keep_ended_record
	};
	for (int k = 0; k < BPE_TIMEOUT_COUNT; k++)
		o.timeout_ns[k] = (k + 1) * 10 * (int64_t)SECOND;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	send_packet(1, 6, 0, SYN, T0, 0);
	send_packet(2, 6, 0, ACK, T0, 0);
	send_packet(3, 6, 0, FIN | ACK, T0, 0);
	send_packet(4, 6, 0, RST, T0, 0);
	send_packet(5, 17, 0, 0, T0, 0);
	send_packet(6, 17, 0, 0, T0, 0);
	send_packet(6, 17, 1, 0, T0, 0);
	send_packet(7, 1, 0, 0, T0, 0);
	send_packet(8, 47, 0, 0, T0, 0);
	for (uint32_t k = 0; k < 8; k++) {
		int64_t limit = (k + 1) * 10 * (int64_t)SECOND;
		flow_clock_age(&timeline, table, T0 + limit);
		cr_assert_eq(ended_count, k, "%u ended at the %u. time-out", ended_count, k + 1);
		flow_clock_age(&timeline, table, T0 + limit + SECOND / 2);
		cr_assert_eq(ended_count, k + 1);
		cr_assert_eq(ended[k].addr[0][0], k + 1);
		cr_assert_eq(ended[k].end, k == 3 ? BPE_END_CLOSED : BPE_END_IDLE);
	}
}

/* Checks that a flow with a shorter time-out after the answer is checked in time. */
Test(wheel, an_answered_flow_may_end_sooner_than_others)
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 100,
		.on_end = keep_ended_record,
		.idle_ns = 60 * (int64_t)SECOND };
	o.timeout_ns[BPE_TIMEOUT_UDP_TWO_WAY] = 10 * (int64_t)SECOND;
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	send_packet(1, 17, 0, 0, T0, 0);
	send_packet(2, 17, 0, 0, T0, 0);
	send_packet(2, 17, 1, 0, T0, 0);
	flow_clock_age(&timeline, table, T0 + 10 * (int64_t)SECOND);
	cr_assert_eq(ended_count, 0);
	flow_clock_age(&timeline, table, T0 + 10 * (int64_t)SECOND + SECOND / 2);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].addr[0][0], 2);
	flow_clock_age(&timeline, table, T0 + 60 * (int64_t)SECOND);
	cr_assert_eq(ended_count, 1);
	flow_clock_age(&timeline, table, T0 + 60 * (int64_t)SECOND + SECOND / 2);
	cr_assert_eq(ended_count, 2);
}

/* Checks a packet farther back than half of the range of times, as a file may have. */
Test(wheel, a_flow_of_long_ago_ends)
{
	make_table(100, 10 * (int64_t)SECOND, 0);
	send_packet(1, 17, 0, 0, INT64_MIN / 8 * 7, 0);
	flow_clock_age(&timeline, table, INT64_MAX / 8 * 7);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].end, BPE_END_IDLE);
}

Test(wheel, a_long_flow_is_reported_in_periods)
{
	struct bpei_table_options o = { .timeline = &timeline,
		.max_flows = 10,
		.on_end = keep_ended_record,
		.active_ns = 10 * (int64_t)SECOND,
		.idle_ns = 60 * (int64_t)SECOND };
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	for (int k = 0; k < 35; k++)
		send_packet(1, 17, k & 1, 0, T0 + k * (int64_t)SECOND, 0);
	bpei_table_end_all(table);
	cr_assert_eq(ended_count, 4);
	uint64_t sum = 0;
	for (uint32_t k = 0; k < 4; k++) {
		cr_assert_eq(ended[k].end, k < 3 ? BPE_END_ACTIVE : BPE_END_STOP);
		cr_assert_eq(ended[k].flags, k ? BPE_FLOW_CONTINUED : 0);
		cr_assert_eq(ended[k].first_ns, T0 + 11 * k * (int64_t)SECOND);
		sum += ended[k].packets[0] + ended[k].packets[1];
	}
	cr_assert_eq(sum, 35);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->opened), 1);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->periods), 3);
}

/* Checks a single wrong time, which ends no flow, and a clock set back or forward. */
Test(wheel, the_clock_steps_after_two_packets_alone)
{
	make_table(100, 5 * (int64_t)SECOND, 0);
	for (uint32_t id = 1; id <= 3; id++)
		send_packet(id, 17, 0, 0, T0, 0);
	send_packet(9, 17, 0, 0, INT64_MAX, 0);
	for (int k = 0; k < 40; k++)
		send_packet(1, 17, 0, 0, T0 + k * (int64_t)SECOND / 10, 0);
	cr_assert_eq(ended_count, 0);
	cr_assert_eq(bpei_counter_get(&timeline.steps), 0);
	for (int k = 0; k < 200; k++)
		send_packet(20, 17, 0, 0, T0 - 3600 * (int64_t)SECOND + k * (int64_t)SECOND / 10,
			0); /* an hour back */
	cr_assert_eq(bpei_counter_get(&timeline.steps), 1);
	for (uint32_t k = 0; k < ended_count; k++)
		cr_assert_neq(ended[k].addr[0][0], 20); /* no flow with packets ends */
	cr_assert_eq(get_record(20, 17, send_packet(20, 17, 0, 0, T0 - 3580 * (int64_t)SECOND, 0))
			     .packets[0],
		201);
	cr_assert_eq(ended_count, 4); /* the flows from before the step */
	for (int k = 0; k < 3; k++)
		send_packet(21, 17, 0, 0, T0 + (3600 + k) * (int64_t)SECOND, 0);
	cr_assert_eq(bpei_counter_get(&timeline.steps), 2);
	cr_assert_eq(ended_count, 5);
}
