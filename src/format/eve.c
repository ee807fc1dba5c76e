/* SPDX-License-Identifier: MIT */
/* Flow events as in Suricata's EVE (version 7: src/output-json-flow.c,
 * doc/userguide/output/eve).  Pure.
 *
 * tunnel is EVE's object of alerts, and the id.
 * Left out, since this engine does not know: flow.alerted, the state of a half-closed TCP
 * connection.  Not EVE's: process, by ECS's names; bpfengine, with icmp_errors, duplicates,
 * what the cutoff left out, names, and end for records of live flows, or event for flows that
 * begin. Records of live flows have no flow.reason, which in EVE belongs to ends. */
#include "format/formats.h"
#include "format/parts.h"

static void write_eve_hex(struct bpei_writer *w, const char *name, uint8_t v)
{
	static const char digits[] = "0123456789abcdef";
	bpei_write_string(w, name);
	bpei_write_char(w, digits[v >> 4]);
	bpei_write_char(w, digits[v & 15]);
	bpei_write_char(w, '"');
}

static void write_eve_proto(struct bpei_writer *w, uint8_t p)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = { { 1, "ICMP" }, { 2, "IGMP" }, { 6, "TCP" }, { 17, "UDP" }, { 33, "DCCP" },
		{ 41, "IPv6" }, { 47, "GRE" }, { 50, "ESP" }, { 51, "AH" }, { 58, "IPv6-ICMP" },
		{ 132, "SCTP" }, { 136, "UDPLite" } }; /* the names of /etc/protocols */
	BPEI_WRITE(w, ",\"proto\":\"");
	size_t k = 0;
	size_t n = sizeof names / sizeof *names;
	while (k < n && names[k].number != p)
		k++;
	if (k < n)
		bpei_write_string(w, names[k].name);
	else
		bpei_write_digits(w, p, 3);
	bpei_write_char(w, '"');
}

/* Writes "bpfengine":{}, for members without a name in EVE.  end: of a live flow; NULL: the flow
 * ended. */
static void write_eve_extension(struct bpei_writer *w, const struct bpe_flow *f, const char *end)
{
	const struct bpei_object object = bpei_write_object(w, ",\"bpfengine\":");

	if (end)
		bpei_write_quoted(
			w, f->end == BPE_END_BEGUN ? ",\"event\":\"" : ",\"end\":\"", end);
	bpei_flow_write_counts(w, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_flow_write_counts(w, ",\"duplicates\":[", f->duplicates);
	bpei_flow_write_unwritten(w, f, false);
	bpei_names_write(w, f, BPEI_NAMED_BIT(APP));
	bpei_write_object_end(w, object);
}

static const char *eve_flow_state(const struct bpe_flow *f)
{
	const bool both = f->packets[0] > f->icmp_errors[0] &&
			  f->packets[1] > f->icmp_errors[1]; /* an error is no answer */
	if (!f->tcp_state)
		return both ? "established" : "new";
	if (f->tcp_state < BPE_TCP_ESTABLISHED)
		return "new";
	return f->tcp_state < BPE_TCP_CLOSED ? "established" : "closed";
}

static void write_eve_tcp(struct bpei_writer *w, const struct bpe_flow *f)
{
	static const char *const names[8] = { ",\"fin\":true", ",\"syn\":true", ",\"rst\":true",
		",\"psh\":true", ",\"ack\":true", ",\"urg\":true", ",\"ecn\":true",
		",\"cwr\":true" };
	static const char *const states[] = { [BPE_TCP_NONE] = NULL,
		[BPE_TCP_SYN_SENT] = "syn_sent",
		[BPE_TCP_SYN_RECEIVED] = "syn_recv",
		[BPE_TCP_ESTABLISHED] = "established",
		[BPE_TCP_CLOSING] = NULL,
		[BPE_TCP_CLOSED] = "closed",
		[BPE_TCP_RESET] = "closed" };
	const uint8_t all = f->tcp_flags[0] | f->tcp_flags[1];
	write_eve_hex(w, ",\"tcp\":{\"tcp_flags\":\"", all);
	write_eve_hex(w, ",\"tcp_flags_ts\":\"", f->tcp_flags[0]);
	write_eve_hex(w, ",\"tcp_flags_tc\":\"", f->tcp_flags[1]);
	for (int i = 0; i < 8; i++)
		if (all >> i & 1)
			bpei_write_string(w, names[i]);
	if (f->tcp_state < sizeof states / sizeof *states && states[f->tcp_state])
		bpei_write_quoted(w, ",\"state\":\"", states[f->tcp_state]);
	bpei_write_char(w, '}');
}

/* Returns the second in which a time lies, since 1970. */
static int64_t floor_to_second(int64_t ns)
{
	return ns / 1000000000 - (ns % 1000000000 < 0);
}

/* Returns EVE's name of the protocol in the payload, or NULL.  Protocols that are none of
 * Suricata's have the engine's name. */
static const char *eve_app_proto(const struct bpe_flow *f)
{
	const char *name = bpe_app_name(f->names.app);

	if (f->names.app == BPE_APP_POSTGRESQL)
		return "pgsql";
	return name && name[0] ? name : NULL;
}

void bpei_eve_write_head(
	struct bpei_writer *w, const struct bpe_flow *f, int64_t time_ns, const char *event_type)
{
	const bool ports = bpei_flow_has_ports(f);
	const char *app_proto = eve_app_proto(f);
	BPEI_WRITE(w, "{\"timestamp\":\"");
	bpei_write_iso(w, time_ns, 6, "+0000");
	bpei_write_member(
		w, "\",\"flow_id\":", bpei_flow_id(f).a >> 12); /* 52 bits: a double holds them */
	if (f->interface_name[0]) {
		BPEI_WRITE(w, ",\"in_iface\":");
		bpei_write_json(w, f->interface_name, sizeof f->interface_name);
	}
	bpei_write_quoted(w, ",\"event_type\":\"", event_type);
	if (f->vlan[0] | f->vlan[1]) {
		bpei_write_member(w, ",\"vlan\":[", f->vlan[0]);
		if (f->vlan[1])
			bpei_write_member(w, ",", f->vlan[1]);
		bpei_write_char(w, ']');
	}
	BPEI_WRITE(w, ",\"src_ip\":\"");
	bpei_write_address(w, f->addr[0], f->ip_version);
	bpei_write_char(w, '"');
	if (ports)
		bpei_write_member(w, ",\"src_port\":", f->port[0]);
	BPEI_WRITE(w, ",\"dest_ip\":\"");
	bpei_write_address(w, f->addr[1], f->ip_version);
	bpei_write_char(w, '"');
	if (ports)
		bpei_write_member(w, ",\"dest_port\":", f->port[1]);
	bpei_write_member(w, ",\"ip_v\":", f->ip_version);
	write_eve_proto(w, f->ip_proto);
	if (f->flags & BPE_FLOW_ICMP) {
		bpei_write_member(w, ",\"icmp_type\":", f->icmp_type);
		bpei_write_member(w, ",\"icmp_code\":", f->icmp_code);
	}
	if (app_proto)
		bpei_write_quoted(w, ",\"app_proto\":\"", app_proto);
}

/* Writes "flow":{}, EVE's counters and times. */
static void write_eve_flow(struct bpei_writer *w, const struct bpe_flow *f)
{
	static const char *const reasons[] = { [BPE_END_NONE] = NULL,
		[BPE_END_IDLE] = "timeout",
		[BPE_END_CLOSED] = "timeout",
		[BPE_END_EVICTED] = "forced",
		[BPE_END_STOP] = "shutdown" };
	bpei_write_member(w, ",\"flow\":{\"pkts_toserver\":", f->packets[0]);
	bpei_write_member(w, ",\"pkts_toclient\":", f->packets[1]);
	bpei_write_member(w, ",\"bytes_toserver\":", f->wire_bytes[0]);
	bpei_write_member(w, ",\"bytes_toclient\":", f->wire_bytes[1]);
	BPEI_WRITE(w, ",\"start\":\"");
	bpei_write_iso(w, f->first_ns, 6, "+0000");
	BPEI_WRITE(w, "\",\"end\":\"");
	bpei_write_iso(w, f->last_ns, 6, "+0000");
	BPEI_WRITE(w, "\",\"age\":");
	bpei_write_signed(w, floor_to_second(f->last_ns) - floor_to_second(f->first_ns));
	bpei_write_quoted(w, ",\"state\":\"", eve_flow_state(f));
	if (f->end < sizeof reasons / sizeof *reasons && reasons[f->end])
		bpei_write_quoted(w, ",\"reason\":\"", reasons[f->end]);
	bpei_write_char(w, '}');
}

void bpei_format_eve(struct bpei_writer *w, const struct bpe_flow *f)
{
	const bool goes_on =
		f->end == BPE_END_ACTIVE || f->end == BPE_END_DUMPED || f->end == BPE_END_BEGUN;
	char community[BPE_COMMUNITY_ID_BYTES];
	bpei_eve_write_head(w, f, f->last_ns, "flow");
	write_eve_flow(w, f);
	if (bpe_flow_community_id(f, 0, community))
		bpei_write_quoted(w, ",\"community_id\":\"", community);
	if (f->tcp_state)
		write_eve_tcp(w, f);
	bpei_flow_write_tunnel_object(w, f, "\"src_ip\":\"", "\"dest_ip\":\"", "\"proto\":\"");
	bpei_flow_write_process(w, f);
	write_eve_extension(w, f, goes_on ? bpe_flow_end_name(f->end) : NULL);
	bpei_write_char(w, '}');
}
