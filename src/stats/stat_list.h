/* SPDX-License-Identifier: MIT */
/* The list of all statistics: every member of struct bpe_stats, in the order of the JSON report.
 *
 * BPEI_STATS(ONE, MANY) expands to an entry for each member: MANY for an array of `count` numbers.
 *   ONE(member, key, unit, flags, owner, source, help).
 *   MANY(member, count, key, unit, flags, owner, source, help).
 * key: place in the JSON report ("packets.read"), NULL if not in the report as a number.
 * unit: of the number, "" for a state.  flags: COUNTER, GAUGE (may fall), or KNOWN_* (a
 * count only if kernel_known has this bit).
 * owner, source: the internal structure and counter with the value (engine/stats.c).
 * Owners are DEVICE (struct bpei_device), INPUT (bpei_input) and FRAGMENTS (bpei_fragment_counts).
 * Further owners are ENGINE (bpe_engine), TIMELINE (bpei_timeline), COUNTS (bpei_counts),
 * TABLE (bpei_table_counts), NAMER (bpei_namer_counts) and WORKER (bpei_worker).  NONE: computed.
 * COUNTS, TABLE, NAMER and WORKER are summed over the shares.
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
	BPEI_OWNER_WORKER,
	BPEI_OWNER_NAMER
};

/* clang-format off */
#define BPEI_STATS(ONE, MANY) \
ONE(elapsed_ns, NULL, "ns", GAUGE, NONE, , "time since the start, until the end of the run") \
ONE(read_packets, "packets.read", "packets", COUNTER, INPUT, read_packets, \
	"records taken from the source") \
ONE(captured_bytes, "bytes.captured", "bytes", COUNTER, INPUT, captured_bytes, \
	"captured bytes of the packets read") \
ONE(wire_bytes, "bytes.wire", "bytes", COUNTER, INPUT, wire_bytes, \
	"bytes on the wire of the packets read") \
ONE(delivered_packets, "packets.delivered", "packets", COUNTER, COUNTS, packets, \
	"packets that went through parser, flow table and handlers") \
MANY(dropped, BPE_DROP_COUNT, "packets.dropped", "packets", COUNTER, INPUT, dropped, \
	"packets read and not delivered, by cause") \
ONE(in_flight, "packets.in_flight", "packets", GAUGE, NONE, , \
	"packets read and not delivered yet") \
ONE(kernel_received, "kernel.received", "packets", KNOWN_RECEIVED, DEVICE, kernel_received, \
	"packets that the kernel saw") \
ONE(kernel_accepted, "kernel.accepted", "packets", KNOWN_ACCEPTED, DEVICE, kernel_accepted, \
	"packets that the kernel's filter let through") \
ONE(kernel_dropped, "kernel.dropped", "packets", KNOWN_DROPPED, DEVICE, kernel_dropped, \
	"packets that the kernel dropped for want of room") \
ONE(interface_dropped, "kernel.interface_dropped", "packets", KNOWN_INTERFACE_DROPPED, DEVICE, \
	interface_dropped, \
	"packets that the interface dropped") \
ONE(filtered, "filtered", "packets", COUNTER, DEVICE, filtered, \
	"packets that the library's own filter took out") \
ONE(blocks, "blocks.read", "buffers", COUNTER, INPUT, blocks_read, "buffers read") \
ONE(torn_blocks, "blocks.torn", "buffers", COUNTER, DEVICE, torn_blocks, \
	"buffers whose records ran past their end") \
ONE(waits, "waits", "times", COUNTER, INPUT, waits, \
	"times at which the reader waited for a ring or a block") \
ONE(batches, "batches.count", "batches", COUNTER, COUNTS, batches, "batches delivered") \
MANY(sizes, BPE_SIZE_CLASSES, "sizes", "packets", COUNTER, COUNTS, sizes, \
	"packets delivered, by length on the wire") \
ONE(truncated, "malformed.truncated", "packets", COUNTER, COUNTS, truncated, \
	"packets that end within a header, though captured whole") \
ONE(bad_version, "malformed.bad_version", "packets", COUNTER, COUNTS, bad_version, \
	"packets with a wrong IP version") \
ONE(bad_header, "malformed.bad_header", "packets", COUNTER, COUNTS, bad_header, \
	"packets with a wrong header length") \
ONE(bad_length, "malformed.bad_length", "packets", COUNTER, COUNTS, bad_length, \
	"packets with a wrong total length") \
ONE(bad_checksum, "malformed.bad_checksum", "packets", COUNTER, COUNTS, bad_checksum, \
	"packets with a wrong checksum") \
ONE(ip4_packets, "network.ip", "packets", COUNTER, COUNTS, ip4_packets, "IPv4 packets") \
ONE(ip6_packets, "network.ip6", "packets", COUNTER, COUNTS, ip6_packets, "IPv6 packets") \
ONE(fragments, "network.fragments", "packets", COUNTER, COUNTS, fragments, \
	"fragments of IP datagrams") \
ONE(vlan_packets, "network.vlan", "packets", COUNTER, COUNTS, vlan_packets, \
	"packets with a VLAN tag") \
ONE(tunnel_packets, "network.tunnels", "packets", COUNTER, COUNTS, tunnel_packets, \
	"packets in a tunnel") \
ONE(icmp_errors, "network.icmp_errors", "packets", COUNTER, COUNTS, icmp_errors, \
	"ICMP errors about another packet") \
ONE(fragments_followed, "network.fragments_followed", "packets", COUNTER, FRAGMENTS, followed, \
	"later fragments counted on the flow of the first") \
ONE(fragments_lost, "network.fragments_lost", "packets", COUNTER, FRAGMENTS, lost, \
	"later fragments without a first") \
ONE(fragments_evicted, "network.fragments_evicted", "packets", COUNTER, FRAGMENTS, evicted, \
	"first fragments forgotten for want of room") \
ONE(flows_opened, "flows.opened", "flows", COUNTER, TABLE, opened, "flows opened") \
ONE(flows_active, "flows.active", "flows", GAUGE, TABLE, active, "flows alive") \
ONE(flows_peak, "flows.peak", "flows", COUNTER, TABLE, peak, "most flows alive at a time") \
ONE(flows_ended, "flows.ended", "flows", COUNTER, TABLE, ended, \
	"flows ended by time-out or close") \
ONE(flows_evicted, "flows.evicted", "flows", COUNTER, TABLE, evicted, \
	"flows evicted for want of room") \
ONE(flow_packets, "flows.packets", "packets", COUNTER, TABLE, packets, \
	"packets counted on a flow") \
ONE(flows_refused, "flows.refused", "packets", COUNTER, TABLE, refused, \
	"packets whose flow found no room") \
ONE(flows_periods, "flows.periods", "records", COUNTER, TABLE, periods, \
	"records of long flows that went on") \
ONE(flow_bytes, "flows.bytes", "bytes", GAUGE, TABLE, bytes, "memory of the flow tables") \
ONE(time_steps, "flows.time_steps", "times", COUNTER, TIMELINE, steps, \
	"times at which the packets' clock jumped") \
ONE(duplicates, "flows.duplicates", "packets", COUNTER, TABLE, duplicates, \
	"TCP packets seen twice") \
MANY(evicted, BPE_EVICTED_COUNT, "flows.evicted_by", "flows", COUNTER, TABLE, evicted_by, \
	"flows evicted, by state") \
ONE(records, "flows.records.given", "records", COUNTER, WORKER, records_taken, \
	"records handed to on_record, or taken") \
ONE(records_dropped, "flows.records.dropped", "records", COUNTER, WORKER, records_dropped, \
	"records dropped for a full ring") \
ONE(flows_dumped, "flows.records.snapshots", "records", COUNTER, WORKER, flows_dumped, \
	"records of dumped flows for on_record") \
ONE(packets_per_second, "rates.last_second.packets_per_second", "packets/s", GAUGE, ENGINE, \
	packets_per_second, \
	"packets read in the last whole second") \
ONE(bits_per_second, "rates.last_second.bits_per_second", "bits/s", GAUGE, ENGINE, \
	bits_per_second, \
	"bits on the wire in the last whole second") \
ONE(inbound_packets, "directions.inbound", "packets", COUNTER, DEVICE, inbound, \
	"packets that a savefile calls inbound") \
ONE(outbound_packets, "directions.outbound", "packets", COUNTER, DEVICE, outbound, \
	"packets that a savefile calls outbound") \
ONE(first_packet_ns, NULL, "ns", GAUGE, INPUT, first_packet_ns, \
	"earliest time stamp of a packet read") \
ONE(last_packet_ns, NULL, "ns", GAUGE, INPUT, last_packet_ns, \
	"latest time stamp of a packet read") \
ONE(source_bytes, NULL, "bytes", GAUGE, NONE, , "length of the savefile") \
ONE(source_position, NULL, "bytes", GAUGE, DEVICE, source_position, \
	"bytes of the savefile read so far") \
ONE(workers, NULL, "threads", GAUGE, NONE, , "worker threads") \
ONE(empty_reads, NULL, "times", COUNTER, DEVICE, empty_reads, "reads that brought no packet") \
ONE(block_bytes, NULL, "bytes", COUNTER, DEVICE, filled_bytes, "bytes that the buffers held") \
ONE(block_capacity, NULL, "bytes", COUNTER, DEVICE, filled_capacity, \
	"bytes that the buffers could have held") \
ONE(interface_down, NULL, "", GAUGE, DEVICE, interface_down, "1 while the interface is down") \
ONE(kernel_known, NULL, "", GAUGE, DEVICE, kernel_known, \
	"which of the kernel's counts are known, as bits") \
ONE(flows_begun, "flows.records.begun", "records", COUNTER, WORKER, flows_begun, \
	"records of flows that had just begun") \
ONE(cut_packets, "cut.packets", "packets", COUNTER, COUNTS, cut_packets, \
	"packets with fewer bytes captured than on the wire") \
ONE(cut_headers, "cut.headers", "packets", COUNTER, COUNTS, cut_headers, \
	"packets that the capture cut within a header") \
ONE(checksums_verified, "checksums.verified", "packets", COUNTER, INPUT, \
	dissector.checksums_verified, \
	"packets with a checksum that was computed") \
ONE(checksums_cut, "checksums.cut", "packets", COUNTER, INPUT, dissector.checksums_cut, \
	"packets with a checksum that was not computed, as the capture cut the packet") \
ONE(names_flows, "names.flows", "flows", COUNTER, NAMER, flows, \
	"flows whose payload was recognised") \
ONE(names_pending, "names.pending", "flows", GAUGE, NAMER, pending, \
	"flows whose payload is incomplete just now") \
ONE(names_evicted, "names.evicted", "flows", COUNTER, NAMER, evicted, \
	"flows given up for want of memory for names") \
ONE(names_expired, "names.expired", "flows", COUNTER, NAMER, expired, \
	"flows given up after the time for unfinished payload") \
ONE(names_lost, "names.lost", "names", COUNTER, NAMER, lost, \
	"names that found no room in the memory for names") \
ONE(names_bytes, "names.bytes", "bytes", GAUGE, NAMER, bytes, \
	"memory in use for names and unfinished payload") \
ONE(quic_opened, "quic.opened", "packets", COUNTER, NAMER, quic_opened, \
	"Initials of QUIC that were opened") \
ONE(quic_failed, "quic.failed", "packets", COUNTER, NAMER, quic_failed, \
	"Initials of QUIC that could not be opened") \
ONE(quic_skipped, "quic.skipped", "packets", COUNTER, NAMER, quic_skipped, \
	"Initials of QUIC over the budget") \
ONE(dns_messages, "dns.messages", "messages", COUNTER, NAMER, dns_messages, \
	"DNS messages that were read") \
ONE(dns_evicted, "dns.evicted", "answers", COUNTER, NAMER, dns_evicted, \
	"DNS answers forgotten for want of room") \
ONE(events, "events.given", "events", COUNTER, WORKER, events_taken, "events given to on_event") \
ONE(events_dropped, "events.dropped", "events", COUNTER, WORKER, events_dropped, \
	"events lost to a full ring") \
ONE(records_filtered, "flows.records.filtered", "records", COUNTER, WORKER, records_filtered, \
	"records and events that a condition left out") \
ONE(owners_asked, "owners.asked", "flows", COUNTER, WORKER, asks.asked_flows, \
	"flows that an owner was asked for") \
ONE(owners_known, "owners.known", "flows", COUNTER, ENGINE, asker.known, \
	"flows with a process that has the socket") \
ONE(owners_none, "owners.none", "flows", COUNTER, ENGINE, asker.none, \
	"flows without a process of this host") \
ONE(owners_unknown, "owners.unknown", "flows", COUNTER, ENGINE, asker.unknown, \
	"flows with an owner that is not known") \
ONE(owners_skipped, "owners.skipped", "flows", COUNTER, WORKER, asks.skipped, \
	"flows not asked for, as the ring of questions was full")
/* clang-format on */

#endif
