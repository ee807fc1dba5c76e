/* SPDX-License-Identifier: MIT */
/* Flow events as in Suricata's EVE (src/output-json-flow.c of its version 7,
 * doc/userguide/output/eve).  Pure.
 *
 * tunnel is as EVE has it of alerts, with the id beside.
 * Left out, since this engine does not know: app_proto, flow.alerted, the state of a TCP connection
 * that one end has closed.  Not EVE's: process, by ECS's names, and bpfengine, with icmp_errors,
 * duplicates, and end for records that end nothing (flow.reason, which EVE knows of ends alone, is
 * left out of them). */
#include "format/text.h"

static void hex(struct bpei_text *t, const char *name, uint8_t v)
{
	static const char digits[] = "0123456789abcdef";
	bpei_text_string(t, name);
	bpei_text_char(t, digits[v >> 4]);
	bpei_text_char(t, digits[v & 15]);
	bpei_text_char(t, '"');
}

static void proto(struct bpei_text *t, uint8_t p)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = { { 1, "ICMP" }, { 2, "IGMP" }, { 6, "TCP" }, { 17, "UDP" }, { 33, "DCCP" },
		{ 41, "IPv6" }, { 47, "GRE" }, { 50, "ESP" }, { 51, "AH" }, { 58, "IPv6-ICMP" },
		{ 132, "SCTP" }, { 136, "UDPLite" } }; /* as /etc/protocols has them */
	BPEI_TEXT(t, ",\"proto\":\"");
	size_t k = 0, n = sizeof names / sizeof *names;
	while (k < n && names[k].number != p)
		k++;
	if (k < n)
		bpei_text_string(t, names[k].name);
	else
		bpei_text_digits(t, p, 3);
	bpei_text_char(t, '"');
}

/* "bpfengine":{}: what EVE has no names for.  end: of a record that ends nothing; NULL: it does. */
static void own(struct bpei_text *t, const struct bpe_flow *f, const char *end)
{
	if (!end && !(f->icmp_errors[0] | f->icmp_errors[1] | f->duplicates[0] | f->duplicates[1]))
		return;
	BPEI_TEXT(t, ",\"bpfengine\":{");
	const char *const begin = t->at;
	if (end)
		bpei_text_word(t, "\"end\":\"", end);
	bpei_text_counts(
		t, t->at == begin ? "\"icmp_errors\":[" : ",\"icmp_errors\":[", f->icmp_errors);
	bpei_text_counts(
		t, t->at == begin ? "\"duplicates\":[" : ",\"duplicates\":[", f->duplicates);
	bpei_text_char(t, '}');
}

static const char *state(const struct bpe_flow *f)
{
	const bool both = f->packets[0] > f->icmp_errors[0] &&
			  f->packets[1] > f->icmp_errors[1]; /* an error is no answer */
	if (!f->tcp_state)
		return both ? "established" : "new";
	return f->tcp_state < BPE_TCP_ESTABLISHED ? "new"
	       : f->tcp_state < BPE_TCP_CLOSED    ? "established"
						  : "closed";
}

static void tcp(struct bpei_text *t, const struct bpe_flow *f)
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
	hex(t, ",\"tcp\":{\"tcp_flags\":\"", all);
	hex(t, ",\"tcp_flags_ts\":\"", f->tcp_flags[0]);
	hex(t, ",\"tcp_flags_tc\":\"", f->tcp_flags[1]);
	for (int i = 0; i < 8; i++)
		if (all >> i & 1)
			bpei_text_string(t, names[i]);
	if (f->tcp_state < sizeof states / sizeof *states && states[f->tcp_state])
		bpei_text_word(t, ",\"state\":\"", states[f->tcp_state]);
	bpei_text_char(t, '}');
}

void bpei_format_eve(struct bpei_text *t, const struct bpe_flow *f)
{
	static const char *const reasons[] = { [BPE_END_NONE] = NULL,
		[BPE_END_IDLE] = "timeout",
		[BPE_END_CLOSED] = "timeout",
		[BPE_END_EVICTED] = "forced",
		[BPE_END_STOP] = "shutdown" };
	char community[BPE_COMMUNITY_ID_BYTES];
	const bool icmp = f->flags & BPE_FLOW_ICMP, ports = bpei_flow_has_ports(f);
	const int64_t second = 1000000000;
	const char *end = bpe_flow_end_name(f->end);
	BPEI_TEXT(t, "{\"timestamp\":\"");
	bpei_text_iso(t, f->last_ns, 6, "+0000");
	bpei_text_member(
		t, "\",\"flow_id\":", bpei_flow_id(f).a >> 12); /* 52 bits: a double holds them */
	if (f->interface_name[0]) {
		BPEI_TEXT(t, ",\"in_iface\":");
		bpei_text_json(t, f->interface_name, sizeof f->interface_name);
	}
	BPEI_TEXT(t, ",\"event_type\":\"flow\"");
	if (f->vlan[0] | f->vlan[1]) {
		bpei_text_member(t, ",\"vlan\":[", f->vlan[0]);
		if (f->vlan[1])
			bpei_text_member(t, ",", f->vlan[1]);
		bpei_text_char(t, ']');
	}
	BPEI_TEXT(t, ",\"src_ip\":\"");
	bpei_text_address(t, f->addr[0], f->ip_version);
	bpei_text_char(t, '"');
	if (ports)
		bpei_text_member(t, ",\"src_port\":", f->port[0]);
	BPEI_TEXT(t, ",\"dest_ip\":\"");
	bpei_text_address(t, f->addr[1], f->ip_version);
	bpei_text_char(t, '"');
	if (ports)
		bpei_text_member(t, ",\"dest_port\":", f->port[1]);
	bpei_text_member(t, ",\"ip_v\":", f->ip_version);
	proto(t, f->ip_proto);
	if (icmp) {
		bpei_text_member(t, ",\"icmp_type\":", f->icmp_type);
		bpei_text_member(t, ",\"icmp_code\":", f->icmp_code);
	}
	bpei_text_member(t, ",\"flow\":{\"pkts_toserver\":", f->packets[0]);
	bpei_text_member(t, ",\"pkts_toclient\":", f->packets[1]);
	bpei_text_member(t, ",\"bytes_toserver\":", f->wire_bytes[0]);
	bpei_text_member(t, ",\"bytes_toclient\":", f->wire_bytes[1]);
	BPEI_TEXT(t, ",\"start\":\"");
	bpei_text_iso(t, f->first_ns, 6, "+0000");
	BPEI_TEXT(t, "\",\"end\":\"");
	bpei_text_iso(t, f->last_ns, 6, "+0000");
	BPEI_TEXT(t, "\",\"age\":");
	bpei_text_signed(t, f->last_ns / second - (f->last_ns % second < 0) -
				    (f->first_ns / second - (f->first_ns % second < 0)));
	bpei_text_word(t, ",\"state\":\"", state(f));
	if (f->end < sizeof reasons / sizeof *reasons && reasons[f->end])
		bpei_text_word(t, ",\"reason\":\"", reasons[f->end]);
	bpei_text_char(t, '}');
	if (bpe_flow_community_id(f, 0, community))
		bpei_text_word(t, ",\"community_id\":\"", community);
	if (f->tcp_state)
		tcp(t, f);
	bpei_text_tunnel_object(t, f, "\"src_ip\":\"", "\"dest_ip\":\"", "\"proto\":\"");
	bpei_text_process(t, f);
	own(t, f, f->end == BPE_END_ACTIVE || f->end == BPE_END_SNAPSHOT ? end : NULL);
	bpei_text_char(t, '}');
}
