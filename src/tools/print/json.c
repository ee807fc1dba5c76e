/* SPDX-License-Identifier: MIT */
/* A packet as a JSON object (json.h).  Names are those of the JSON of flows where both tell the
 * same.  A value that is not known is left out. */
#include "json.h"

#include "tools/common/program.h"

#define FOREIGN_BYTES 256 /* most of a name from elsewhere */

/* ---- Members ---- */

/* Puts the name of a member with what belongs before the value. */
static void put_member(struct print_line *line, const char *name)
{
	line_put_text(line, ",\"");
	line_put_text(line, name);
	line_put_text(line, "\":");
}

static void put_number_member(struct print_line *line, const char *name, uint64_t value)
{
	put_member(line, name);
	line->at = digits_put(line->at, value);
}

/* Puts a member with a text of the program's own, which needs no escape. */
static void put_text_member(struct print_line *line, const char *name, const char *text)
{
	put_member(line, name);
	line_put_char(line, '"');
	line_put_text(line, text);
	line_put_char(line, '"');
}

/* Puts a text from elsewhere, at most n bytes: bytes that are not UTF-8 become U+FFFD, and control
 * characters are escaped. */
static void put_foreign_member(
	struct print_line *line, const char *name, const char *text, size_t n)
{
	char copy[FOREIGN_BYTES + 1];
	size_t used = strnlen(text, n < FOREIGN_BYTES ? n : FOREIGN_BYTES);

	memcpy(copy, text, used);
	copy[used] = 0;
	put_member(line, name);
	line_put_char(line, '"');
	for (const char *at = copy; *at; at += used) {
		const uint8_t byte = (uint8_t)*at;

		used = program_utf8(at);
		if (!used) {
			line_put_text(line, "\\ufffd");
			used = 1;
		} else if (byte < 0x20 || byte == 0x7f || byte == '"' || byte == '\\') {
			line_put_text(line, "\\u");
			line_put_hex(line, byte, 4);
		} else {
			line_put_bytes(line, at, used);
		}
	}
	line_put_char(line, '"');
}

/* Puts the time as RFC 3339 in UTC, and as a number of nanoseconds. */
static void put_time_members(struct print_line *line, struct print_stamp *stamp, int64_t time_ns)
{
	line_put_text(line, "\"time\":\"");
	line->at = stamp_put(stamp, line->at, time_ns);
	line_put_text(line, "Z\"");
	put_member(line, "time_ns");
	if (time_ns < 0)
		line_put_char(line, '-');
	line->at = digits_put_padded(
		line->at, time_ns < 0 ? 0 - (uint64_t)time_ns : (uint64_t)time_ns, 1);
}

/* ---- Parts ---- */

static void put_ends_members(struct print_line *line, const struct print_ends *ends)
{
	static const char *const addresses[2] = { "from", "to" };
	static const char *const ports[2] = { "from_port", "to_port" };

	if (!ends->version)
		return;
	for (uint32_t k = 0; k < 2; k++) {
		put_member(line, addresses[k]);
		line_put_char(line, '"');
		if (ends->version == 4)
			line->at = digits_put_ip4(line->at, ends->addr[k]);
		else
			line->at = digits_put_ip6(line->at, ends->addr[k]);
		line_put_char(line, '"');
		if (ends->has_ports)
			put_number_member(line, ports[k], ends->port[k]);
	}
	put_number_member(line, "ip_version", ends->version);
}

/* Puts TCP's letters, numbers and window. */
static void put_tcp_members(struct print_line *line, const struct bpe_batch *b, uint32_t i)
{
	const uint32_t flags = b->layers[i].tcp_flags;
	const uint8_t *const tcp = b->data[i] + b->layers[i].transport;

	put_member(line, "tcp_flags");
	line_put_char(line, '"');
	for (uint32_t bit = 0; bit < 8; bit++)
		if (flags >> bit & 1)
			line_put_char(line, "FSRPAUEC"[bit]);
	line_put_char(line, '"');
	put_number_member(line, "tcp_seq", facts_u32(tcp + 4));
	if (flags & 0x10)
		put_number_member(line, "tcp_ack", facts_u32(tcp + 8));
	put_number_member(line, "tcp_window", facts_u16(tcp + 14));
}

/* Puts VLAN ids, and the innermost tunnel. */
static void put_carrier_members(
	struct print_line *line, const struct bpe_layers *l, const struct bpe_tunnel *t)
{
	static const char *const names[2] = { "tunnel_from", "tunnel_to" };

	if (l->flags & BPE_PKT_VLAN)
		put_number_member(line, "vlan", l->vlan[0]);
	if (l->vlan_count > 1)
		put_number_member(line, "inner_vlan", l->vlan[1]);
	if (!t)
		return;
	put_text_member(line, "tunnel", bpe_tunnel_name(t->kind));
	if (t->has_id)
		put_number_member(line, "tunnel_id", t->id);
	for (uint32_t k = 0; t->ip_version && k < 2; k++) {
		char text[BPE_ADDRESS_TEXT_BYTES];

		if (bpe_address_text(t->addr[k], t->ip_version, text, sizeof text) > 0)
			put_text_member(line, names[k], text);
	}
}

/* Puts fragments and damage, each as a true member. */
static void put_state_members(struct print_line *line, uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} states[] = { { BPE_PKT_FRAGMENT, "fragment" },
		{ BPE_PKT_FIRST_FRAGMENT, "first_fragment" }, { BPE_PKT_ICMP_ERROR, "icmp_error" },
		{ BPE_PKT_TRUNCATED, "truncated" }, { BPE_PKT_BAD_VERSION, "bad_version" },
		{ BPE_PKT_BAD_HEADER, "bad_header" }, { BPE_PKT_BAD_LENGTH, "bad_length" },
		{ BPE_PKT_BAD_CHECKSUM, "bad_checksum" } };

	for (size_t k = 0; k < sizeof states / sizeof *states; k++) {
		if (!(flags & states[k].bit))
			continue;
		put_member(line, states[k].name);
		line_put_text(line, "true");
	}
}

/* Puts the marks as an array of words, and the round trip. */
static void put_mark_members(struct print_line *line, const struct print_facts *facts)
{
	const char *before = "[\"";

	if (facts->rtt_ns >= 0)
		put_number_member(line, "rtt_ns", (uint64_t)facts->rtt_ns);
	if (!(facts->marks & ~BPE_MARK_RTT))
		return;
	put_member(line, "marks");
	for (uint32_t bit = 0; facts->marks >> bit; bit++) {
		const char *name = facts_mark_name(bit);

		if (!(facts->marks >> bit & 1) || !name)
			continue;
		line_put_text(line, before);
		line_put_text(line, name);
		line_put_char(line, '"');
		before = ",\"";
	}
	line_put_char(line, ']');
}

/* Puts the owner of the packet, or of the flow, and the flow's names. */
static void put_names_members(struct print_line *line, const struct print_facts *facts)
{
	const struct bpe_meta *const meta = facts->meta;
	const struct bpe_flow *const f = facts->flow;

	if (meta && meta->pid >= 0)
		put_number_member(line, "pid", (uint64_t)meta->pid);
	if (meta)
		put_foreign_member(line, "process", meta->comm, sizeof meta->comm);
	if (!f)
		return;
	if (!meta && f->pid > 0) {
		put_number_member(line, "pid", (uint64_t)f->pid);
		put_foreign_member(line, "process", f->comm, sizeof f->comm);
	}
	if (f->names.app && bpe_app_name(f->names.app))
		put_text_member(line, "app", bpe_app_name(f->names.app));
	if (!f->names.server[0])
		return;
	put_foreign_member(line, "name", f->names.server, sizeof f->names.server);
	if (bpe_name_source_name(f->names.source))
		put_text_member(line, "name_source", bpe_name_source_name(f->names.source));
}

/* Puts the process, names, the hash of the flow's key, and the flow's Community ID. */
static void put_flow_members(struct print_line *line, const struct json_form *form,
	const struct bpe_batch *b, uint32_t i, const struct print_facts *facts)
{
	const struct bpe_key *const key = &b->key[i];
	char id[BPE_COMMUNITY_ID_BYTES];

	put_names_members(line, facts);
	if (!(b->layers[i].flags & BPE_PKT_KEY))
		return;
	put_number_member(line, "flow_hash", b->hash[i]);
	if (!form->has_community_id)
		return;
	struct bpe_flow flow = { .version = BPE_FLOW_VERSION,
		.size = sizeof flow,
		.ip_proto = key->ip_proto,
		.ip_version = key->ip_version,
		.port = { key->port[0], key->port[1] } };
	memcpy(flow.addr, key->addr, sizeof flow.addr);
	if (bpe_flow_community_id(&flow, 0, id) == 1)
		put_text_member(line, "community_id", id);
}

void json_put_packet(struct print_line *line, struct json_form *form, const struct bpe_batch *b,
	uint32_t i, const struct print_facts *facts)
{
	static const char *const directions[3] = { NULL, "in", "out" };
	const struct bpe_layers *const l = &b->layers[i];
	struct print_ends ends;

	facts_find_ends(&ends, b, i);
	line_put_char(line, '{');
	put_time_members(line, &form->stamp, b->time_ns[i]);
	put_number_member(line, "number", facts->number);
	if (strcmp(facts->interface_name, "-") != 0)
		put_foreign_member(line, "interface", facts->interface_name, FOREIGN_BYTES);
	if (directions[facts->direction])
		put_text_member(line, "direction", directions[facts->direction]);
	put_text_member(line, "protocol", facts_protocol(l));
	put_ends_members(line, &ends);
	if (l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6))
		put_number_member(line, "ip_protocol", l->ip_proto);
	if (l->ethertype)
		put_number_member(line, "ethertype", l->ethertype);
	put_number_member(line, "link_type", l->link_type);
	put_number_member(line, "length", facts_payload(b, i, ends.version));
	put_number_member(line, "wire_length", b->wirelen[i]);
	put_number_member(line, "captured_length", b->caplen[i]);
	if (l->proto == BPE_PROTO_TCP && l->transport != BPE_NO_OFFSET &&
		l->transport + 20u <= b->caplen[i])
		put_tcp_members(line, b, i);
	if ((l->proto == BPE_PROTO_ICMP || l->proto == BPE_PROTO_ICMP6) &&
		l->transport != BPE_NO_OFFSET && l->transport + 2u <= b->caplen[i]) {
		put_number_member(line, "icmp_type", b->data[i][l->transport]);
		put_number_member(line, "icmp_code", b->data[i][l->transport + 1]);
	}
	put_carrier_members(line, l, facts->tunnel);
	put_state_members(line, l->flags);
	put_mark_members(line, facts);
	put_flow_members(line, form, b, i, facts);
}
