/* SPDX-License-Identifier: MIT */
/* The list of all statistics: every member of struct bpe_stats, in the structure's order.
 *
 * BPEI_STATS(ONE, MANY) expands to an entry for each member.
 *   ONE(member, key, unit, flags, owner, source, help)
 *   MANY(member, count, key, unit, flags, owner, source, help)  an array of `count` numbers.
 * key: place in the JSON report ("packets.read"), NULL if not in the report as a number.
 * unit: of the number, "" for a state.  flags: 0, GAUGE (may fall), KNOWN (a count only if
 * kernel_known says so).
 * owner, source: the internal structure and counter with the value (engine/stats.c):
 *   DEVICE struct bpei_device      FRAGMENTS struct bpei_fragment_counts
 *   INPUT  struct bpei_input       ENGINE    struct bpe_engine
 *   COUNTS struct bpei_counts      TABLE     struct bpei_table_counts    WORKER struct bpei_worker
 *   TIMELINE struct bpei_timeline  NONE      computed
 * COUNTS, TABLE and WORKER are summed over the shares.
 *
 * Users: the public list (bpe_stat_list), and through it the JSON report and the test of the
 * manual; the sums of engine and capture. */
#ifndef BPEI_STAT_LIST_H
#define BPEI_STAT_LIST_H

enum bpei_stat_owner {
	BPEI_OWNER_NONE = 0,
	BPEI_OWNER_INPUT,
	BPEI_OWNER_DEVICE,
	BPEI_OWNER_FRAGMENTS,
	BPEI_OWNER_ENGINE,
	BPEI_OWNER_TIMELINE,
	BPEI_OWNER_COUNTS,
	BPEI_OWNER_TABLE,
	BPEI_OWNER_WORKER
};

/* Entries as struct bpei_stat_source.  The user defines AT_DEVICE(source) and the others: the
 * source's offset in the owner's structure. */
#define BPEI_STAT_SOURCE(member, key, unit, flags, owner, source, help)                            \
	BPEI_STAT_SOURCES(member, 1, key, unit, flags, owner, source, help)
#define BPEI_STAT_SOURCES(member, count, key, unit, flags, owner, source, help)                    \
	{ BPEI_OWNER_##owner, count, offsetof(struct bpe_stats, member), AT_##owner(source) },

/* clang-format off */
#define BPEI_STATS(ONE, MANY) \
ONE(elapsed_ns, NULL, "ns", GAUGE, NONE, , "time since the start, until the end of the run") \
ONE(read_packets, "packets.read", "packets", 0, INPUT, read_packets, \
	"records taken from the source") \
ONE(captured_bytes, "bytes.captured", "bytes", 0, INPUT, captured_bytes, \
	"captured bytes of the packets read") \
ONE(wire_bytes, "bytes.wire", "bytes", 0, INPUT, wire_bytes, \
	"bytes on the wire of the packets read") \
ONE(delivered_packets, "packets.delivered", "packets", 0, COUNTS, packets, \
	"packets that went through parser, flow table and handlers") \
MANY(dropped, BPE_DROP_COUNT, "packets.dropped", "packets", 0, INPUT, dropped, \
	"packets read and not delivered, by cause") \
ONE(in_flight, "packets.in_flight", "packets", GAUGE, NONE, , \
	"packets read and not delivered yet") \
ONE(kernel_received, "kernel.received", "packets", KNOWN, DEVICE, kernel_received, \
	"packets that the kernel saw") \
ONE(kernel_dropped, "kernel.dropped", "packets", KNOWN, DEVICE, kernel_dropped, \
	"packets that the kernel dropped for want of room") \
ONE(interface_dropped, "kernel.interface_dropped", "packets", KNOWN, DEVICE, interface_dropped, \
	"packets that the interface dropped") \
ONE(kernel_accepted, "kernel.accepted", "packets", KNOWN, DEVICE, kernel_accepted, \
	"packets that the kernel's filter let through") \
ONE(filtered, "filtered", "packets", 0, DEVICE, filtered, \
	"packets that the library's own filter took out") \
ONE(torn_blocks, "blocks.torn", "buffers", 0, DEVICE, torn_blocks, \
	"buffers whose records ran past their end") \
ONE(blocks, "blocks.read", "buffers", 0, INPUT, blocks_read, "buffers read") \
ONE(waits, "waits", "times", 0, INPUT, waits, \
	"times at which the reader waited for a ring or a block") \
ONE(batches, "batches.count", "batches", 0, COUNTS, batches, "batches delivered") \
MANY(sizes, BPE_SIZE_CLASSES, "sizes", "packets", 0, COUNTS, sizes, \
	"packets delivered, by length on the wire") \
ONE(truncated, "malformed.truncated", "packets", 0, COUNTS, truncated, \
	"packets cut within a header") \
ONE(bad_version, "malformed.bad_version", "packets", 0, COUNTS, bad_version, \
	"packets with a wrong IP version") \
ONE(bad_header, "malformed.bad_header", "packets", 0, COUNTS, bad_header, \
	"packets with a wrong header length") \
ONE(bad_length, "malformed.bad_length", "packets", 0, COUNTS, bad_length, \
	"packets with a wrong total length") \
ONE(fragments, "network.fragments", "packets", 0, COUNTS, fragments, "fragments of IP datagrams") \
ONE(vlan_packets, "network.vlan", "packets", 0, COUNTS, vlan_packets, "packets with a VLAN tag") \
ONE(ip4_packets, "network.ip", "packets", 0, COUNTS, ip4_packets, "IPv4 packets") \
ONE(ip6_packets, "network.ip6", "packets", 0, COUNTS, ip6_packets, "IPv6 packets") \
ONE(bad_checksum, "malformed.bad_checksum", "packets", 0, COUNTS, bad_checksum, \
	"packets with a wrong checksum") \
ONE(tunnel_packets, "network.tunnels", "packets", 0, COUNTS, tunnel_packets, \
	"packets in a tunnel") \
ONE(icmp_errors, "network.icmp_errors", "packets", 0, COUNTS, icmp_errors, \
	"ICMP errors about another packet") \
ONE(fragments_followed, "network.fragments_followed", "packets", 0, FRAGMENTS, followed, \
	"later fragments counted on the flow of the first") \
ONE(fragments_lost, "network.fragments_lost", "packets", 0, FRAGMENTS, lost, \
	"later fragments without a first") \
ONE(fragments_evicted, "network.fragments_evicted", "packets", 0, FRAGMENTS, evicted, \
	"first fragments forgotten for want of room") \
ONE(flows_opened, "flows.opened", "flows", 0, TABLE, opened, "flows opened") \
ONE(flows_active, "flows.active", "flows", GAUGE, TABLE, active, "flows alive") \
ONE(flows_peak, "flows.peak", "flows", 0, TABLE, peak, "most flows alive at a time") \
ONE(flows_ended, "flows.ended", "flows", 0, TABLE, ended, "flows ended by time-out or close") \
ONE(flows_evicted, "flows.evicted", "flows", 0, TABLE, evicted, "flows evicted for want of room") \
ONE(flow_packets, "flows.packets", "packets", 0, TABLE, packets, "packets counted on a flow") \
ONE(flows_refused, "flows.refused", "packets", 0, TABLE, refused, \
	"packets whose flow found no room") \
ONE(packets_per_second, "rates.last_second.packets_per_second", "packets/s", GAUGE, ENGINE, \
	packets_per_second, "packets read in the last whole second") \
ONE(bits_per_second, "rates.last_second.bits_per_second", "bits/s", GAUGE, ENGINE, \
	bits_per_second, "bits on the wire in the last whole second") \
ONE(inbound_packets, "directions.inbound", "packets", 0, DEVICE, inbound, \
	"packets that a savefile calls inbound") \
ONE(outbound_packets, "directions.outbound", "packets", 0, DEVICE, outbound, \
	"packets that a savefile calls outbound") \
ONE(first_packet_ns, NULL, "ns", GAUGE, INPUT, first_packet_ns, \
	"earliest time stamp of a packet read") \
ONE(last_packet_ns, NULL, "ns", GAUGE, INPUT, last_packet_ns, \
	"latest time stamp of a packet read") \
ONE(source_bytes, NULL, "bytes", GAUGE, NONE, , "length of the savefile") \
ONE(source_position, NULL, "bytes", GAUGE, DEVICE, source_position, \
	"bytes of the savefile read so far") \
ONE(workers, NULL, "threads", GAUGE, NONE, , "worker threads") \
ONE(empty_reads, NULL, "times", 0, DEVICE, empty_reads, "reads that brought no packet") \
ONE(block_bytes, NULL, "bytes", 0, DEVICE, filled_bytes, "bytes that the buffers held") \
ONE(block_capacity, NULL, "bytes", 0, DEVICE, filled_capacity, \
	"bytes that the buffers could have held") \
MANY(evicted, BPE_EVICTED_COUNT, "flows.evicted_by", "flows", 0, TABLE, evicted_by, \
	"flows evicted, by state") \
ONE(flows_periods, "flows.periods", "records", 0, TABLE, periods, \
	"records of long flows that went on") \
ONE(flow_bytes, "flows.bytes", "bytes", GAUGE, TABLE, bytes, "memory of the flow tables") \
ONE(time_steps, "flows.time_steps", "times", 0, TIMELINE, steps, \
	"times at which the packets' clock jumped") \
ONE(records, "flows.records.given", "records", 0, WORKER, records_taken, \
	"records handed to on_record") \
ONE(records_dropped, "flows.records.dropped", "records", 0, WORKER, records_dropped, \
	"records dropped for a full ring") \
ONE(flows_shown, "flows.records.snapshots", "records", 0, WORKER, flows_dumped, \
	"records of dumped flows for on_record") \
ONE(interface_down, NULL, "", GAUGE, DEVICE, interface_down, \
	"1 while the interface is down") \
ONE(duplicates, "flows.duplicates", "packets", 0, TABLE, duplicates, \
	"TCP packets seen twice") \
ONE(kernel_known, NULL, "", GAUGE, DEVICE, kernel_known, \
	"which of the kernel's counts are known, as bits")
/* clang-format on */

#endif
