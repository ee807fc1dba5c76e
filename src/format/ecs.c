/* SPDX-License-Identifier: MIT */
/* Flow events by the names of the Elastic Common Schema (ECS 8.11, field reference: base, ecs,
 * event, source, destination, network, vlan, interface, process), nested as ECS nests documents.
 * Pure.
 *
 * event.reason says why the record was written; network.transport is IANA's keyword.  VLAN ids,
 * protocol numbers and interface ids are keywords in ECS, and so quoted.  Bytes are bytes on the
 * wire.  Left out, since this engine does not know: network.direction, hosts.
 * Not ECS's: bpfengine, for members without a name in ECS. */
#include "format/formats.h"
#include "format/parts.h"
#include "names/numbers.h"

/* Writes a number as a keyword; name ends with the opening quote. */
static void write_ecs_keyword(struct bpei_writer *w, const char *name, uint64_t v)
{
	bpei_write_member(w, name, v);
	bpei_write_char(w, '"');
}

void bpei_ecs_write_time(struct bpei_writer *w, const char *name, int64_t ns)
{
	bpei_write_string(w, name);
	bpei_write_iso(w, ns, 9, "Z\"");
}

void bpei_ecs_write_head(
	struct bpei_writer *w, int64_t time_ns, const char *types, const char *dataset)
{
	bpei_ecs_write_time(w, "{\"@timestamp\":\"", time_ns);
	BPEI_WRITE(w, ",\"ecs\":{\"version\":\"8.11.0\"}");
	BPEI_WRITE(w, ",\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[");
	bpei_write_string(w, types);
	bpei_write_quoted(w, "],\"module\":\"bpfengine\",\"dataset\":\"bpfengine.", dataset);
}

/* Writes @timestamp, ecs and event. */
static void write_ecs_event(struct bpei_writer *w, const struct bpe_flow *f)
{
	const char *reason = bpe_flow_end_name(f->end);
	const char *types = "\"connection\",\"end\"";
	if (f->end == BPE_END_BEGUN)
		types = "\"connection\",\"start\"";
	if (f->end == BPE_END_NONE || f->end == BPE_END_ACTIVE || f->end == BPE_END_DUMPED)
		types = "\"connection\",\"info\"";
	bpei_ecs_write_head(w, f->last_ns, types, "flow");
	bpei_ecs_write_time(w, ",\"start\":\"", f->first_ns);
	bpei_ecs_write_time(w, ",\"end\":\"", f->last_ns);
	bpei_write_member(w, ",\"duration\":", (uint64_t)f->last_ns - (uint64_t)f->first_ns);
	if (reason && *reason)
		bpei_write_quoted(w, ",\"reason\":\"", reason);
	bpei_write_char(w, '}');
}

/* Writes a text from the wire as a member; nothing for "". */
static void write_ecs_text(struct bpei_writer *w, const char *name, const char *text, size_t most)
{
	if (!text[0])
		return;
	bpei_write_string(w, name);
	bpei_write_json(w, text, most);
}

static void write_ecs_end(struct bpei_writer *w, const struct bpe_flow *f, int k)
{
	bpei_write_string(w, k ? ",\"destination\":{\"ip\":\"" : ",\"source\":{\"ip\":\"");
	bpei_write_address(w, f->addr[k], f->ip_version);
	bpei_write_char(w, '"');
	if (bpei_flow_has_ports(f))
		bpei_write_member(w, ",\"port\":", f->port[k]);
	if (k)
		write_ecs_text(w, ",\"domain\":", f->names.server, sizeof f->names.server);
	else
		write_ecs_text(w, ",\"domain\":", f->names.client, sizeof f->names.client);
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
	const char *protocol = bpe_app_name(f->names.app);
	char community[BPE_COMMUNITY_ID_BYTES];
	bpei_write_string(w, f->ip_version == 6 ? ",\"network\":{\"type\":\"ipv6\""
						: ",\"network\":{\"type\":\"ipv4\"");
	if (transport)
		bpei_write_quoted(w, ",\"transport\":\"", transport);
	if (protocol && protocol[0])
		bpei_write_quoted(w, ",\"protocol\":\"", protocol);
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

const uint32_t bpei_ecs_named =
	BPEI_NAMED_BIT(APP) | BPEI_NAMED_BIT(NAME) | BPEI_NAMED_BIT(CLIENT) |
	BPEI_NAMED_BIT(TLS_VERSION) | BPEI_NAMED_BIT(TLS_CIPHER) | BPEI_NAMED_BIT(JA3) |
	BPEI_NAMED_BIT(SUBJECT) | BPEI_NAMED_BIT(ISSUER) | BPEI_NAMED_BIT(METHOD) |
	BPEI_NAMED_BIT(STATUS) | BPEI_NAMED_BIT(UID);

/* Writes "tls":{}, which QUIC has as well. */
static void write_ecs_tls(struct bpei_writer *w, const struct bpe_flow *f)
{
	const struct bpe_flow_names *n = &f->names;
	const bool is_hello = n->source == BPE_NAME_TLS || n->source == BPE_NAME_QUIC;
	struct bpei_member members[BPEI_NAMED_COUNT];

	if (!bpei_names_have_tls(f) && !is_hello)
		return;
	bpei_names_members(f, members);
	const struct bpei_object tls = bpei_write_object(w, ",\"tls\":");

	if (members[BPEI_NAMED_TLS_VERSION].value) {
		bpei_write_quoted(w, ",\"version\":\"", members[BPEI_NAMED_TLS_VERSION].text);
		bpei_write_string(w, n->app == BPE_APP_DTLS ? ",\"version_protocol\":\"dtls\""
							    : ",\"version_protocol\":\"tls\"");
	}
	bpei_names_write_cipher(w, ",\"cipher\":\"", n->tls_cipher);
	if (n->flags & BPE_NAMED_SERVER)
		write_ecs_text(w, ",\"next_protocol\":", n->alpn, sizeof n->alpn);
	const struct bpei_object client = bpei_write_object(w, ",\"client\":");

	if (is_hello)
		write_ecs_text(w, ",\"server_name\":", n->server, sizeof n->server);
	write_ecs_text(w, ",\"ja3\":", n->ja3, sizeof n->ja3);
	bpei_write_object_end(w, client);
	const struct bpei_object server = bpei_write_object(w, ",\"server\":");

	write_ecs_text(w, ",\"subject\":", n->subject, sizeof n->subject);
	write_ecs_text(w, ",\"issuer\":", n->issuer, sizeof n->issuer);
	bpei_write_object_end(w, server);
	bpei_write_object_end(w, tls);
}

/* Writes "http":{} and "url":{}. */
static void write_ecs_http(struct bpei_writer *w, const struct bpe_flow *f)
{
	const struct bpe_flow_names *n = &f->names;
	const struct bpei_object http = bpei_write_object(w, ",\"http\":");

	if (n->method[0]) {
		BPEI_WRITE(w, ",\"request\":{\"method\":");
		bpei_write_json(w, n->method, sizeof n->method);
		bpei_write_char(w, '}');
	}
	if (n->http_status) {
		bpei_write_member(w, ",\"response\":{\"status_code\":", n->http_status);
		bpei_write_char(w, '}');
	}
	bpei_write_object_end(w, http);
	const struct bpei_object url = bpei_write_object(w, ",\"url\":");

	if (n->source == BPE_NAME_HTTP)
		write_ecs_text(w, ",\"domain\":", n->server, sizeof n->server);
	bpei_write_object_end(w, url);
}

void bpei_ecs_write_names(struct bpei_writer *w, const struct bpe_flow *f)
{
	write_ecs_tls(w, f);
	write_ecs_http(w, f);
	if (f->names.owner == BPE_OWNER_KNOWN && f->names.uid >= 0) {
		write_ecs_keyword(w, ",\"user\":{\"id\":\"", (uint64_t)f->names.uid);
		bpei_write_char(w, '}');
	}
}

void bpei_ecs_write_flow(struct bpei_writer *w, const struct bpe_flow *f)
{
	write_ecs_end(w, f, 0);
	write_ecs_end(w, f, 1);
	write_ecs_network(w, f);
	write_ecs_interface(w, f);
	bpei_flow_write_process(w, f);
}

void bpei_format_ecs(struct bpei_writer *w, const struct bpe_flow *f)
{
	write_ecs_event(w, f);
	bpei_ecs_write_flow(w, f);
	bpei_ecs_write_names(w, f);
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
	bpei_names_write(w, f, bpei_ecs_named);
	bpei_flow_write_tunnel_object(w, f, "\"src\":\"", "\"dst\":\"", "\"kind\":\"");
	BPEI_WRITE(w, "}}");
}
