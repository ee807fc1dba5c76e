/* SPDX-License-Identifier: MIT */
/* Structures with many counters as families (state.h): a table of members each; stateless. */
#include "state.h"

#include <stdio.h>
#include <string.h>

/* A member of a structure.  The page has a sample for each structure. */
struct member_words {
	const char *family; /* with the prefix, without _total */
	enum metrics_kind kind;
	uint32_t offset, bytes;
	uint64_t known; /* BPE_KNOWN_* of an interface; 0: always counted */
	const char *help;
};
#define MEMBER(type, member) (uint32_t)offsetof(type, member), sizeof(((type *)0)->member)
#define ROWS(rows) (sizeof(rows) / sizeof *(rows))

/* Reads a number of this process. */
static uint64_t read_member(const void *from, const struct member_words *m)
{
	uint64_t number = 0;
	uint32_t half;

	if (m->bytes == sizeof number) {
		memcpy(&number, (const char *)from + m->offset, sizeof number);
		return number;
	}
	memcpy(&half, (const char *)from + m->offset, sizeof half);
	return half;
}

/* ---- Different names ---- */

#define UNIQUE_BYTES 320

/* Writes a name; the second of its kind gets " (2)", and so on, since two samples may not look
 * alike. */
static const char *number_name(char to[UNIQUE_BYTES], const char *name, uint32_t repeats)
{
	if (repeats)
		snprintf(to, UNIQUE_BYTES, "%.300s (%u)", name, (unsigned)repeats + 1);
	else
		snprintf(to, UNIQUE_BYTES, "%.300s", name);
	return to;
}

static const char *name_interface(
	char to[UNIQUE_BYTES], const struct export_counts *counts, uint32_t k)
{
	uint32_t repeats = 0;

	for (uint32_t j = 0; j < k; j++)
		repeats += !strcmp(counts->interfaces[j].name, counts->interfaces[k].name);
	return number_name(to, counts->interfaces[k].name, repeats);
}

static const char *name_target(
	char to[UNIQUE_BYTES], const struct export_target *targets, uint32_t k)
{
	uint32_t repeats = 0;

	for (uint32_t j = 0; j < k; j++)
		repeats += !strcmp(targets[j].address.shown, targets[k].address.shown);
	return number_name(to, targets[k].address.shown, repeats);
}

/* ---- Interfaces ---- */

#define IN(member) MEMBER(struct bpe_interface_stats, member)
static const struct member_words interface_rows[] = {
	{ "bpfengine_interface_packets", METRICS_COUNTER, IN(read_packets), 0,
		"Packets read, by interface or savefile." },
	{ "bpfengine_interface_captured_bytes", METRICS_COUNTER, IN(captured_bytes), 0,
		"Captured bytes of the packets read." },
	{ "bpfengine_interface_wire_bytes", METRICS_COUNTER, IN(wire_bytes), 0,
		"Bytes on the wire of the packets read." },
	{ "bpfengine_interface_filtered_packets", METRICS_COUNTER, IN(filtered), 0,
		"Packets that the library's own filter took out." },
	{ "bpfengine_interface_duplicate_packets", METRICS_COUNTER, IN(duplicates), 0,
		"Second sights of packets, which were left out." },
	{ "bpfengine_interface_kernel_packets", METRICS_COUNTER, IN(kernel_received),
		BPE_KNOWN_RECEIVED, "Packets that the kernel saw." },
	{ "bpfengine_interface_kernel_accepted_packets", METRICS_COUNTER, IN(kernel_accepted),
		BPE_KNOWN_ACCEPTED, "Packets that the kernel's filter let through." },
	{ "bpfengine_interface_kernel_dropped_packets", METRICS_COUNTER, IN(kernel_dropped),
		BPE_KNOWN_DROPPED, "Packets that the kernel dropped for want of room." },
	{ "bpfengine_interface_dropped_packets", METRICS_COUNTER, IN(interface_dropped),
		BPE_KNOWN_INTERFACE_DROPPED, "Packets that the interface dropped." },
	{ "bpfengine_interface_link_down", METRICS_GAUGE, IN(interface_down), 0,
		"1 while the interface is not up." },
};

/* Writes the family, if an interface counts the member. */
static void put_interface_row(
	struct metrics_page *page, const struct member_words *m, const struct export_counts *counts)
{
	bool is_begun = false;
	char name[UNIQUE_BYTES];

	for (uint32_t k = 0; k < counts->interface_count; k++) {
		const struct bpe_interface_stats *const s = &counts->interfaces[k];

		if (m->known && !(s->kernel_known & m->known))
			continue;
		if (!is_begun)
			metrics_family(page, m->kind, m->family, m->help);
		is_begun = true;
		metrics_count(page,
			&(struct metrics_labels){
				{ "interface", NULL }, { name_interface(name, counts, k), NULL } },
			read_member(s, m));
	}
}

void metrics_interfaces_put(struct metrics_page *page, const struct export_counts *counts)
{
	for (size_t k = 0; k < ROWS(interface_rows); k++)
		put_interface_row(page, &interface_rows[k], counts);
}

/* ---- Workers ---- */

#define OF(member) MEMBER(struct bpe_worker_stats, member)
static const struct member_words worker_rows[] = {
	{ "bpfengine_worker_packets", METRICS_COUNTER, OF(packets), 0,
		"Packets delivered, by worker thread." },
	{ "bpfengine_worker_captured_bytes", METRICS_COUNTER, OF(captured_bytes), 0,
		"Captured bytes of the packets delivered." },
	{ "bpfengine_worker_wire_bytes", METRICS_COUNTER, OF(wire_bytes), 0,
		"Bytes on the wire of the packets delivered." },
	{ "bpfengine_worker_batches", METRICS_COUNTER, OF(batches), 0, "Batches delivered." },
	{ "bpfengine_worker_dropped_packets", METRICS_COUNTER, OF(dropped), 0,
		"Packets dropped since the worker's ring was full." },
	{ "bpfengine_worker_flows_active", METRICS_GAUGE, OF(flows_active), 0, "Flows alive." },
	{ "bpfengine_worker_flows_peak", METRICS_GAUGE, OF(flows_peak), 0,
		"Most flows alive at a time." },
	{ "bpfengine_worker_ring_packets", METRICS_GAUGE, OF(ring_depth), 0,
		"Packets that wait in the worker's ring." },
	{ "bpfengine_worker_ring_peak_packets", METRICS_GAUGE, OF(ring_peak), 0,
		"Most packets that waited in the worker's ring." },
	{ "bpfengine_worker_ring_room_packets", METRICS_GAUGE, OF(ring_slots), 0,
		"Packets that the worker's ring has room for." },
	{ "bpfengine_worker_records", METRICS_COUNTER, OF(records), 0, "Flow records given." },
	{ "bpfengine_worker_records_dropped", METRICS_COUNTER, OF(records_dropped), 0,
		"Flow records dropped for a full ring." },
	{ "bpfengine_worker_record_ring_peak_bytes", METRICS_GAUGE, OF(record_ring_peak), 0,
		"Most bytes that waited in the ring of records." },
	{ "bpfengine_worker_record_ring_room_bytes", METRICS_GAUGE, OF(record_ring_bytes), 0,
		"Bytes that the ring of records has room for." },
};

void metrics_workers_put(struct metrics_page *page, const struct export_counts *counts)
{
	char number[16];

	for (size_t row = 0; row < ROWS(worker_rows) && counts->worker_count; row++) {
		const struct member_words *const m = &worker_rows[row];

		metrics_family(page, m->kind, m->family, m->help);
		for (uint32_t k = 0; k < counts->worker_count; k++) {
			snprintf(number, sizeof number, "%u", (unsigned)k);
			metrics_count(page,
				&(struct metrics_labels){ { "worker", NULL }, { number, NULL } },
				read_member(&counts->workers[k], m));
		}
	}
}

/* ---- Savefiles of -w ---- */

#define WR(member) MEMBER(struct bpe_written, member)
static const struct member_words written_rows[] = {
	{ "bpfengine_write_offered_packets", METRICS_COUNTER, WR(offered), 0,
		"Packets given to the writer of savefiles." },
	{ "bpfengine_write_written_packets", METRICS_COUNTER, WR(written), 0,
		"Packets that are in savefiles." },
	{ "bpfengine_write_waiting_packets", METRICS_GAUGE, WR(waiting), 0,
		"Packets in memory on their way to a savefile." },
	{ "bpfengine_write_captured_bytes", METRICS_COUNTER, WR(captured_bytes), 0,
		"Captured bytes of the packets written." },
	{ "bpfengine_write_file_bytes", METRICS_COUNTER, WR(file_bytes), 0,
		"Bytes written to savefiles, compressed if asked." },
	{ "bpfengine_write_files", METRICS_COUNTER, WR(files), 0, "Savefiles begun." },
	{ "bpfengine_write_files_removed", METRICS_COUNTER, WR(files_removed), 0,
		"Savefiles removed to keep within limits." },
	{ "bpfengine_write_waits", METRICS_COUNTER, WR(waits), 0,
		"Times that the capture waited for room in the writer." },
	{ "bpfengine_write_errors", METRICS_COUNTER, WR(errors), 0,
		"Times that a savefile could not be written." },
	{ "bpfengine_write_memory_peak_bytes", METRICS_GAUGE, WR(memory_peak), 0,
		"Most bytes that waited in the writer." },
	{ "bpfengine_write_dedup_forgotten_packets", METRICS_COUNTER, WR(dedup_forgotten), 0,
		"Packets forgotten too early to find their copies." },
	{ "bpfengine_write_not_anonymised_packets", METRICS_COUNTER, WR(not_anonymised), 0,
		"Packets with no address that was replaced." },
	{ "bpfengine_write_macs_kept_packets", METRICS_COUNTER, WR(macs_kept), 0,
		"Packets that kept their MAC addresses." },
};

void metrics_written_put(struct metrics_page *page, const struct bpe_written *written)
{
	for (size_t k = 0; k < ROWS(written_rows); k++)
		metrics_family_count(page, written_rows[k].kind, written_rows[k].family,
			written_rows[k].help, read_member(written, &written_rows[k]));
	metrics_family(page, METRICS_COUNTER, "bpfengine_write_unwritten_packets",
		"Packets that are in no savefile, by the cause.");
	for (int k = 0; k < BPE_UNWRITTEN_COUNT; k++)
		metrics_count(page,
			&(struct metrics_labels){
				{ "cause", NULL }, { bpe_unwritten_name(k), NULL } },
			written->unwritten[k]);
}

/* ---- Targets ---- */

#define BK(member) MEMBER(struct export_books, member)
static const struct member_words target_rows[] = {
	{ "bpfengine_export_offered_records", METRICS_COUNTER, BK(offered), 0,
		"Flow records that are for the target." },
	{ "bpfengine_export_ring_dropped_records", METRICS_COUNTER, BK(ring_dropped), 0,
		"Flow records without room in the target's ring." },
	{ "bpfengine_export_taken_records", METRICS_COUNTER, BK(taken), 0,
		"Flow records that the sender took out of the ring." },
	{ "bpfengine_export_sent_records", METRICS_COUNTER, BK(sent), 0,
		"Flow records that were handed on." },
	{ "bpfengine_export_failed_records", METRICS_COUNTER, BK(failed), 0,
		"Flow records given up: refused, unreachable, no room on the disk." },
	{ "bpfengine_export_unfit_records", METRICS_COUNTER, BK(unfit), 0,
		"Flow records that the target's format cannot say." },
	{ "bpfengine_export_lost_records", METRICS_COUNTER, BK(lost), 0,
		"Flow records in the hands of senders that died." },
	{ "bpfengine_export_messages", METRICS_COUNTER, BK(messages), 0,
		"Messages, requests or pages sent." },
	{ "bpfengine_export_sent_bytes", METRICS_COUNTER, BK(bytes), 0, "Bytes of payload sent." },
	{ "bpfengine_export_connects", METRICS_COUNTER, BK(connects), 0,
		"Connections that were made." },
	{ "bpfengine_export_starts", METRICS_COUNTER, BK(starts), 0,
		"Starts of the target's sender; more than 1: senders have died." },
	{ "bpfengine_export_connected", METRICS_GAUGE, BK(is_connected), 0,
		"1 while the target takes records." },
};

/* Reads a number that other processes write. */
static uint64_t read_book(const struct export_books *books, const struct member_words *m)
{
	const char *const at = (const char *)books + m->offset;

	if (m->bytes == sizeof(uint64_t))
		return atomic_load_explicit(
			(const _Atomic uint64_t *)(const void *)at, memory_order_relaxed);
	return atomic_load_explicit(
		(const _Atomic uint32_t *)(const void *)at, memory_order_relaxed);
}

/* Returns how many records wait in the ring.  The three numbers are of three moments, so a
 * difference below 0 is none. */
static uint64_t count_waiting(const struct export_books *b)
{
	const uint64_t taken = atomic_load_explicit(&b->taken, memory_order_relaxed);
	const uint64_t dropped = atomic_load_explicit(&b->ring_dropped, memory_order_relaxed);
	const uint64_t offered = atomic_load_explicit(&b->offered, memory_order_relaxed);

	return offered > taken + dropped ? offered - taken - dropped : 0;
}

void metrics_targets_put(
	struct metrics_page *page, const struct export_target *targets, uint32_t count)
{
	const struct member_words waiting = { "bpfengine_export_waiting_records", METRICS_GAUGE, 0,
		0, 0, "Flow records that wait in the target's ring." };
	char name[UNIQUE_BYTES];

	for (size_t row = 0; row <= ROWS(target_rows) && count; row++) {
		const bool is_read = row < ROWS(target_rows);
		const struct member_words *const m = is_read ? &target_rows[row] : &waiting;

		metrics_family(page, m->kind, m->family, m->help);
		for (uint32_t k = 0; k < count; k++) {
			const struct export_books *const books = targets[k].books;
			const uint64_t n = is_read ? read_book(books, m) : count_waiting(books);
			const struct metrics_labels labels = { { "target", "kind", NULL },
				{ name_target(name, targets, k), targets[k].address.scheme,
					NULL } };

			metrics_count(page, &labels, n);
		}
	}
}
