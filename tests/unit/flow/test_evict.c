/* SPDX-License-Identifier: MIT */
/* Eviction: which flows go when the table is full. */
#include "table_harness.h"

/* Checks a victim in the ring, which is passed over if a packet comes meanwhile. */
Test(evict, a_packet_puts_off_an_eviction)
{
	make_table(8, 0, 0);
	for (uint32_t k = 1; k <= 8; k++)
		send_packet(k, 6, 0, SYN, T0 + k, 0);
	send_packet(9, 6, 0, SYN, T0 + 9, 0);
	cr_assert_eq(ended_count, 1);
	cr_assert_eq(ended[0].addr[0][0], 1);
	send_packet(2, 6, 0, SYN, T0 + 10, 0);
	send_packet(10, 6, 0, SYN, T0 + 11, 0);
	cr_assert_eq(ended_count, 2);
	cr_assert_eq(ended[1].addr[0][0], 3);
	for (uint32_t k = 11; k < 100; k++) { /* only flows with a single packet since */
		send_packet(k, 6, 0, SYN, T0 + k + 1, 0);
		cr_assert_eq(count_active(), 8);
	}
	cr_assert_eq(ended_count, 91);
	bpei_table_free(table);
}

Test(evict, evictable_flows_go_before_the_longest_idle)
{
	make_table(4, 0, 0);
	for (uint32_t id = 1; id <= 4; id++)
		send_packet(id, 17, 0, 0, T0 + id * 1000 * 1000, 0);
	send_packet(1, 17, 0, 0, T0 + 10 * 1000 * 1000, 0);
	send_packet(2, 17, 0, 0, T0 + 9 * 1000 * 1000, 0);
	static const uint32_t order[] = { 3, 4, 10, 11 };
	for (uint32_t k = 0; k < 4; k++) {
		send_packet(10 + k, 17, 0, 0, T0 + (20 + k) * 1000 * 1000, 0);
		cr_assert_eq(ended_count, k + 1);
		cr_assert_eq(ended[k].end, BPE_END_EVICTED);
		cr_assert_eq(ended[k].addr[0][0], order[k], "%u went, not %u", ended[k].addr[0][0],
			order[k]);
		cr_assert_eq(count_active(), 4);
	}
	send_packet(12, 17, 0, 0, T0 + 30 * 1000 * 1000, 0);
	send_packet(13, 17, 0, 0, T0 + 31 * 1000 * 1000, 0); /* now none of the four is evictable */
	send_packet(14, 17, 0, 0, T0 + 32 * 1000 * 1000, 0);
	cr_assert_eq(ended[4].addr[0][0], 2, "%u went", ended[4].addr[0][0]);
	cr_assert_eq(
		bpei_counter_get(&bpei_table_counts(table)->evicted_by[BPE_EVICTED_SINGLE]), 4);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->evicted_by[BPE_EVICTED_ALIVE]), 1);
}

Test(evict, no_room_at_all)
{
	make_table(0, 0, 0);
	cr_assert_eq(send_packet(1, 17, 0, 0, T0, 0), BPEI_NO_FLOW);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->refused), 1);
	bpei_table_end_all(table);
	cr_assert_eq(ended_count, 0);
}

/* Checks that keys with the same hash are different flows, and bounded: without room, the flow idle
 * longest is evicted. */
Test(evict, keys_with_the_same_hash)
{
	make_table(4000, 0, 0);
	for (uint32_t id = 1; id <= 200; id++)
		send_packet(id, 17, 0, 0, T0 + id, 77);
	cr_assert_eq(count_active(), 200);
	for (uint32_t id = 1; id <= 200; id++)
		cr_assert_eq(
			get_record(id, 17, send_packet(id, 17, 1, 0, T0 + 300 + id, 77)).packets[1],
			1);
	cr_assert_eq(ended_count, 0);
	for (uint32_t id = 201; id <= 2000; id++)
		send_packet(id, 17, 0, 0, T0 + 1000 + id, 77);
	cr_assert(count_active() < 300);
	cr_assert_eq(bpei_counter_get(&bpei_table_counts(table)->evicted), ended_count);
}

/* Sends a flood of SYNs from random addresses through a full table.  Checks the survival of
 * established connections and of their counts. */
Test(evict, a_syn_flood_pushes_out_no_established_connection)
{
	enum { CONNECTIONS = 1000, ROOM = 4096, FLOOD = 200000 };
	bpei_role_enter(&bpei_worker_role);
	struct bpei_table_options o = { .timeline = &timeline, .max_flows = ROOM };
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	static uint32_t flow[CONNECTIONS];
	for (uint32_t id = 1; id <= CONNECTIONS; id++) {
		send_packet(id, 6, 0, SYN, T0, 0);
		send_packet(id, 6, 1, SYN | ACK, T0, 0);
		flow[id - 1] = send_packet(id, 6, 0, ACK, T0, 0);
	}
	uint64_t bytes = 0;
	for (uint32_t k = 0; k < FLOOD; k++) {
		send_packet(100000 + k, 6, 0, SYN, T0 + 1 + k, 0);
		if (k % 3 == 0)
			send_packet(100000 + k, 6, 1, k % 2 ? SYN | ACK : RST | ACK, T0 + 1 + k, 0);
		if (k == 2 * ROOM)
			bytes = bpei_counter_get(&bpei_table_counts(table)->bytes);
	}
	for (uint32_t id = 1; id <= CONNECTIONS; id++) {
		cr_assert_eq(tcp_state_of(id, flow[id - 1]), BPE_TCP_ESTABLISHED);
		cr_assert_eq(get_record(id, 6, flow[id - 1]).packets[0], 2);
	}
	const struct bpei_table_counts *c = bpei_table_counts(table);
	cr_assert_eq(bpei_counter_get(&c->bytes), bytes); /* memory is constant */
	cr_assert_eq(bpei_counter_get(&c->evicted), FLOOD + CONNECTIONS - ROOM);
	cr_assert_eq(bpei_counter_get(&c->evicted_by[BPE_EVICTED_HALF_OPEN]) +
			     bpei_counter_get(&c->evicted_by[BPE_EVICTED_CLOSED]),
		FLOOD + CONNECTIONS - ROOM);
	cr_assert(bpei_counter_get(&c->evicted_by[BPE_EVICTED_CLOSED]) > 0);
}

Test(evict, memory_bounds_the_flows)
{
	struct bpei_table_options o = {
		.timeline = &timeline, .max_flows = 10000000, .max_bytes = 4 << 20
	};
	bpei_role_enter(&bpei_worker_role);
	cr_assert_eq(bpei_table_new(&o, &table), BPE_OK);
	for (uint32_t id = 1; id <= 60000; id++) {
		send_packet(id, 17, 0, 0, T0 + id, 0);
		cr_assert(bpei_counter_get(&bpei_table_counts(table)->bytes) <= 4 << 20);
	}
	cr_assert(count_active() > 16000, "%u flows in 4 MiB", (unsigned)count_active());
	cr_assert(bpei_counter_get(&bpei_table_counts(table)->evicted) > 0);
	for (uint64_t n = 1000000; n <= 11000000;
		n += 1000000) { /* the promise of table.h at three quarters; the index doubles, so
				   twice its share at worst */
		const double each = (double)bpei_table_max_bytes(n, false) / (double)n;
		cr_assert(each < 144 + 27 + 16 /* counts of cut packets */ + 16 /* large counts */
					 + 15 /* tunnels */ + 16 /* VLAN tags */);
	}
}
