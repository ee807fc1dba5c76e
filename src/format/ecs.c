/* SPDX-License-Identifier: MIT */
/* Flow events by the names of the Elastic Common Schema (ECS 8.11, field reference: base, ecs,
 * event, source, destination, network, vlan, interface, process), nested as it wants documents to
 * be.  Pure.
 *
 * event.reason is how the record came to be, network.transport IANA's keyword; VLAN ids, protocol
 * numbers and interface ids are keywords there, and so quoted.  Bytes are those on the wire.  Left
 * out, since this engine does not know: network.protocol, network.direction, whose host is whose.
 * Not ECS's: bpfengine, with what it has no names for. */
#include "format/text.h"

/* A number that is a keyword. */
static void keyword(struct bpei_text *t, const char *name, uint64_t v)
{
	bpei_text_member(t, name, v);
	bpei_text_char(t, '"');
}

static void stamp(struct bpei_text *t, const char *name, int64_t ns)
{
	bpei_text_string(t, name);
	bpei_text_iso(t, ns, 9, "Z\"");
}

static void event(struct bpei_text *t, const struct bpe_flow *f)
{
	const char *reason = bpe_flow_end_name(f->end);
	const bool goes_on =
		f->end == BPE_END_NONE || f->end == BPE_END_ACTIVE || f->end == BPE_END_SNAPSHOT;
	BPEI_TEXT(t,
		",\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",");
	bpei_text_string(t, goes_on ? "\"info\"]" : "\"end\"]");
	BPEI_TEXT(t, ",\"module\":\"bpfengine\",\"dataset\":\"bpfengine.flow\"");
	stamp(t, ",\"start\":\"", f->first_ns);
	stamp(t, ",\"end\":\"", f->last_ns);
	bpei_text_member(t, ",\"duration\":", (uint64_t)f->last_ns - (uint64_t)f->first_ns);
	if (reason && *reason)
		bpei_text_word(t, ",\"reason\":\"", reason);
	bpei_text_char(t, '}');
}

static void side(struct bpei_text *t, const struct bpe_flow *f, int k)
{
	bpei_text_string(t, k ? ",\"destination\":{\"ip\":\"" : ",\"source\":{\"ip\":\"");
	bpei_text_address(t, f->addr[k], f->ip_version);
	bpei_text_char(t, '"');
	if (bpei_flow_has_ports(f))
		bpei_text_member(t, ",\"port\":", f->port[k]);
	bpei_text_member(t, ",\"bytes\":", f->wire_bytes[k]);
	bpei_text_member(t, ",\"packets\":", f->packets[k]);
	bpei_text_char(t, '}');
}

static void network(struct bpei_text *t, const struct bpe_flow *f)
{
	const char *transport = f->ip_proto == 58   ? "ipv6-icmp"
				: f->ip_proto == 4  ? "ipv4"
				: f->ip_proto == 89 ? "ospfigp"
						    : bpe_ip_proto_name(f->ip_proto);
	char community[BPE_COMMUNITY_ID_BYTES];
	bpei_text_string(t, f->ip_version == 6 ? ",\"network\":{\"type\":\"ipv6\""
					       : ",\"network\":{\"type\":\"ipv4\"");
	if (transport)
		bpei_text_word(t, ",\"transport\":\"", transport);
	keyword(t, ",\"iana_number\":\"", f->ip_proto);
	bpei_text_member(t, ",\"bytes\":", f->wire_bytes[0] + f->wire_bytes[1]);
	bpei_text_member(t, ",\"packets\":", f->packets[0] + f->packets[1]);
	if (bpe_flow_community_id(f, 0, community))
		bpei_text_word(t, ",\"community_id\":\"", community);
	if (f->vlan[0])
		keyword(t, ",\"vlan\":{\"id\":\"", f->vlan[0]), bpei_text_char(t, '}');
	if (f->vlan[1])
		keyword(t, ",\"inner\":{\"vlan\":{\"id\":\"", f->vlan[1]), BPEI_TEXT(t, "}}");
	bpei_text_char(t, '}');
}

static void interface(struct bpei_text *t, const struct bpe_flow *f)
{
	const char *before = ",\"observer\":{\"ingress\":{\"interface\":{";
	if (f->interface_index)
		keyword(t, ",\"observer\":{\"ingress\":{\"interface\":{\"id\":\"",
			f->interface_index),
			before = ",";
	if (f->interface_name[0]) {
		bpei_text_string(t, before);
		BPEI_TEXT(t, "\"name\":");
		bpei_text_json(t, f->interface_name, sizeof f->interface_name);
	}
	if (f->interface_index || f->interface_name[0])
		BPEI_TEXT(t, "}}}");
}

void bpei_format_ecs(struct bpei_text *t, const struct bpe_flow *f)
{
	stamp(t, "{\"@timestamp\":\"", f->last_ns);
	BPEI_TEXT(t, ",\"ecs\":{\"version\":\"8.11.0\"}");
	event(t, f);
	side(t, f, 0);
	side(t, f, 1);
	network(t, f);
	interface(t, f);
	bpei_text_process(t, f);
	bpei_text_word(t, ",\"bpfengine\":{\"conn_state\":\"", bpe_flow_conn_state(f));
	if (f->tcp_state)
		bpei_text_word(t, ",\"tcp_state\":\"", bpei_flow_tcp_state(f));
	if (f->history[0]) {
		BPEI_TEXT(t, ",\"history\":");
		bpei_text_json(t, f->history, sizeof f->history);
	}
	if (f->flags & BPE_FLOW_ICMP) {
		bpei_text_member(t, ",\"icmp_type\":", f->icmp_type);
		bpei_text_member(t, ",\"icmp_code\":", f->icmp_code);
	}
	bpei_text_counts(t, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_text_counts(t, ",\"duplicates\":[", f->duplicates);
	bpei_text_tunnel_object(t, f, "\"src\":\"", "\"dst\":\"", "\"kind\":\"");
	BPEI_TEXT(t, "}}");
}
