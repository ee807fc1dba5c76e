/* SPDX-License-Identifier: MIT */
/* Flow events by the names of the Elastic Common Schema (ECS 8.11, field reference: base, ecs,
 * event, source, destination, network, vlan, interface, process), nested as ECS nests documents.
 * Pure.
 *
 * event.reason says why the record was written; network.transport is IANA's keyword.  VLAN ids,
 * protocol numbers and interface ids are keywords in ECS, and so quoted.  Bytes are bytes on the
 * wire.  Left out, since this engine does not know: network.protocol, network.direction, hosts.
 * Not ECS's: bpfengine, for members without a name in ECS. */
#include "format/formats.h"
#include "names/numbers.h"

/* Writes a number as a keyword; name ends with the opening quote. */
static void write_ecs_keyword(struct bpei_writer *w, const char *name, uint64_t v)
{
	bpei_write_member(w, name, v);
	bpei_write_char(w, '"');
}

static void write_ecs_time(struct bpei_writer *w, const char *name, int64_t ns)
{
	bpei_write_string(w, name);
	bpei_write_iso(w, ns, 9, "Z\"");
}

static void write_ecs_event(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *reason = bpe_flow_end_name(f->end);
	const bool goes_on =
		f->end == BPE_END_NONE || f->end == BPE_END_ACTIVE || f->end == BPE_END_DUMPED;
	BPEI_WRITE(w,
		",\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"connection\",");
	if (f->end == BPE_END_BEGUN)
		BPEI_WRITE(w, "\"start\"]");
	else
		bpei_write_string(w, goes_on ? "\"info\"]" : "\"end\"]");
	BPEI_WRITE(w, ",\"module\":\"bpfengine\",\"dataset\":\"bpfengine.flow\"");
	write_ecs_time(w, ",\"start\":\"", f->first_ns);
	write_ecs_time(w, ",\"end\":\"", f->last_ns);
	bpei_write_member(w, ",\"duration\":", (uint64_t)f->last_ns - (uint64_t)f->first_ns);
	if (reason && *reason)
		bpei_write_quoted(w, ",\"reason\":\"", reason);
	bpei_write_char(w, '}');
}

static void write_ecs_end(struct bpei_writer *w, const struct bpe_flow *f, int k)
{
	bpei_write_string(w, k ? ",\"destination\":{\"ip\":\"" : ",\"source\":{\"ip\":\"");
	bpei_write_address(w, f->addr[k], f->ip_version);
	bpei_write_char(w, '"');
	if (bpei_flow_has_ports(f))
		bpei_write_member(w, ",\"port\":", f->port[k]);
	bpei_write_member(w, ",\"bytes\":", f->wire_bytes[k]);
	bpei_write_member(w, ",\"packets\":", f->packets[k]);
	bpei_write_char(w, '}');
}

/* Returns IANA's keyword of the protocol, or NULL. */
static const char *iana_keyword(uint8_t ip_proto)
{
	switch (ip_proto) {
	case IP_ICMP6:
		return "ipv6-icmp";
	case IP_IPIP:
		return "ipv4";
	case IP_OSPF:
		return "ospfigp";
	default:
		return bpe_ip_proto_name(ip_proto);
	}
}

static void write_ecs_network(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *transport = iana_keyword(f->ip_proto);
	char community[BPE_COMMUNITY_ID_BYTES];
	bpei_write_string(w, f->ip_version == 6 ? ",\"network\":{\"type\":\"ipv6\""
						: ",\"network\":{\"type\":\"ipv4\"");
	if (transport)
		bpei_write_quoted(w, ",\"transport\":\"", transport);
	write_ecs_keyword(w, ",\"iana_number\":\"", f->ip_proto);
	bpei_write_member(w, ",\"bytes\":", f->wire_bytes[0] + f->wire_bytes[1]);
	bpei_write_member(w, ",\"packets\":", f->packets[0] + f->packets[1]);
	if (bpe_flow_community_id(f, 0, community))
		bpei_write_quoted(w, ",\"community_id\":\"", community);
	if (f->vlan[0]) {
		write_ecs_keyword(w, ",\"vlan\":{\"id\":\"", f->vlan[0]);
		bpei_write_char(w, '}');
	}
	if (f->vlan[1]) {
		write_ecs_keyword(w, ",\"inner\":{\"vlan\":{\"id\":\"", f->vlan[1]);
		BPEI_WRITE(w, "}}");
	}
	bpei_write_char(w, '}');
}

static void write_ecs_interface(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *before = ",\"observer\":{\"ingress\":{\"interface\":{";
	if (f->interface_index)
		write_ecs_keyword(w, ",\"observer\":{\"ingress\":{\"interface\":{\"id\":\"",
			f->interface_index),
			before = ",";
	if (f->interface_name[0]) {
		bpei_write_string(w, before);
		BPEI_WRITE(w, "\"name\":");
		bpei_write_json(w, f->interface_name, sizeof f->interface_name);
	}
	if (f->interface_index || f->interface_name[0])
		BPEI_WRITE(w, "}}}");
}

void bpei_format_ecs(struct bpei_writer *w, const struct bpe_flow *f)
{
	write_ecs_time(w, "{\"@timestamp\":\"", f->last_ns);
	BPEI_WRITE(w, ",\"ecs\":{\"version\":\"8.11.0\"}");
	write_ecs_event(w, f);
	write_ecs_end(w, f, 0);
	write_ecs_end(w, f, 1);
	write_ecs_network(w, f);
	write_ecs_interface(w, f);
	bpei_flow_write_process(w, f);
	bpei_write_quoted(w, ",\"bpfengine\":{\"conn_state\":\"", bpe_flow_conn_state(f));
	if (f->tcp_state)
		bpei_write_quoted(w, ",\"tcp_state\":\"", bpei_flow_tcp_state(f));
	if (f->history[0]) {
		BPEI_WRITE(w, ",\"history\":");
		bpei_write_json(w, f->history, sizeof f->history);
	}
	if (f->flags & BPE_FLOW_ICMP) {
		bpei_write_member(w, ",\"icmp_type\":", f->icmp_type);
		bpei_write_member(w, ",\"icmp_code\":", f->icmp_code);
	}
	bpei_flow_write_counts(w, ",\"icmp_errors\":[", f->icmp_errors);
	bpei_flow_write_counts(w, ",\"duplicates\":[", f->duplicates);
	bpei_flow_write_unwritten(w, f, false);
	bpei_flow_write_tunnel_object(w, f, "\"src\":\"", "\"dst\":\"", "\"kind\":\"");
	BPEI_WRITE(w, "}}");
}
