/* SPDX-License-Identifier: MIT */
/* Words behind the columns of our own line (own_words.h): facts of a header without a column,
 * tags, tunnels, damage, marks, process.  Room is checked, since names have any length. */
#include "own_words.h"

#include "sequences.h"
#include "tcpdump_layers.h"

#define PORT_DNS 53
#define PORT_MDNS 5353

/* Colors of 256 that are readable on light and dark ground: no channel is at an end. */
static const uint8_t flow_colors[] = { 31, 32, 35, 37, 61, 64, 67, 70, 72, 97, 98, 103, 108, 130,
	132, 134, 136, 139, 166, 168, 170, 172, 173, 175 };

char *own_begin_color(char *at, uint32_t hash)
{
	/* the upper bits of a product depend on all bits of the hash */
	const uint32_t count = sizeof flow_colors;
	const uint32_t k = (uint32_t)((uint64_t)(hash * 0x9e3779b1u) * count >> 32);

	if (!hash)
		return at;
	at = DIGITS_PUT_TEXT(at, "\33[38;5;");
	at = digits_put_byte(at, flow_colors[k]);
	*at++ = 'm';
	return at;
}

char *own_end_color(char *at)
{
	return DIGITS_PUT_TEXT(at, "\33[39m");
}

/* ---- Headers ---- */

/* Puts the question or the answer of ARP for IPv4. */
static void put_arp_words(struct print_line *line, const uint8_t *arp, uint32_t bytes)
{
	const uint32_t operation = bytes >= 8 ? facts_u16(arp + 6) : 0;

	if (bytes < 28 || facts_u16(arp + 2) != 0x0800 || arp[4] != 6 || arp[5] != 4)
		return;
	if (operation == 1) {
		line_put_text(line, " who-has ");
		line_put_ip4(line, arp + 24);
		line_put_text(line, " tell ");
		line_put_ip4(line, arp + 14);
	} else if (operation == 2) {
		line_put_char(line, ' ');
		line_put_ip4(line, arp + 14);
		line_put_text(line, " is-at ");
		line_put_mac(line, arp + 8);
	} else {
		line_put_text(line, " operation ");
		line_put_decimal(line, operation);
	}
}

/* Names of ICMP's types, by number; ICMPv6's from 128 on lie in the second table. */
static const char *const icmp_types[] = { [0] = "echo-reply",
	[3] = "unreachable",
	[4] = "source-quench",
	[5] = "redirect",
	[8] = "echo-request",
	[9] = "router-advertisement",
	[10] = "router-solicitation",
	[11] = "time-exceeded",
	[12] = "parameter-problem",
	[13] = "timestamp-request",
	[14] = "timestamp-reply" };
static const char *const icmp6_errors[] = { [1] = "unreachable",
	[2] = "packet-too-big",
	[3] = "time-exceeded",
	[4] = "parameter-problem" };
static const char *const icmp6_messages[] = { "echo-request", "echo-reply", "listener-query",
	"listener-report", "listener-done", "router-solicitation", "router-advertisement",
	"neighbor-solicitation", "neighbor-advertisement", "redirect" };

/* Returns the name of a type, or NULL. */
static const char *icmp_type_name(bool is_icmp6, uint32_t type)
{
	if (!is_icmp6)
		return type < sizeof icmp_types / sizeof *icmp_types ? icmp_types[type] : NULL;
	if (type < sizeof icmp6_errors / sizeof *icmp6_errors)
		return icmp6_errors[type];
	if (type < 128 || type - 128 >= sizeof icmp6_messages / sizeof *icmp6_messages)
		return type == 143 ? "listener-report-2" : NULL;
	return icmp6_messages[type - 128];
}

/* Puts type and code; identifier and number of an echo; the target of a neighbor message. */
static void put_icmp_words(struct print_line *line, const uint8_t *icmp, uint32_t bytes, bool is_6)
{
	if (bytes < 4)
		return;
	const char *name = icmp_type_name(is_6, icmp[0]);
	const bool is_echo = is_6 ? icmp[0] == 128 || icmp[0] == 129 : icmp[0] == 0 || icmp[0] == 8;
	const bool is_neighbor = is_6 && (icmp[0] == 135 || icmp[0] == 136);

	line_put_char(line, ' ');
	line_put_text(line, name ? name : "type ");
	if (!name)
		line_put_decimal(line, icmp[0]);
	if (icmp[1]) {
		line_put_text(line, " code ");
		line_put_decimal(line, icmp[1]);
	}
	if (is_echo && bytes >= 8) {
		line_put_text(line, " id ");
		line_put_decimal(line, facts_u16(icmp + 4));
		line_put_text(line, " seq ");
		line_put_decimal(line, facts_u16(icmp + 6));
	} else if (is_neighbor && bytes >= 24) {
		line_put_text(line, " target ");
		line_put_ip6(line, icmp + 8);
	}
}

/* Puts the key's ends, from the sender of the quoted packet on, of an ICMP error. */
static void put_quoted_flow(struct print_line *line, const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_key *const key = &b->key[i];
	const uint32_t sender = b->layers[i].flags & BPE_PKT_REVERSED ? 0 : 1;
	const char *name = bpe_ip_proto_name(key->ip_proto);
	char text[BPE_ENDPOINT_TEXT_BYTES];

	line_put_text(line, " about ");
	line_put_text(line, name ? name : "ip");
	for (uint32_t k = 0; k < 2; k++) {
		const uint32_t end = k ? !sender : sender;

		if (bpe_endpoint_text(
			    key->addr[end], key->ip_version, key->port[end], text, sizeof text) < 0)
			return;
		line_put_text(line, k ? " > " : " ");
		line_put_text(line, text);
	}
}

/* Puts the question or the answer of DNS over UDP, in tcpdump's words. */
static void put_dns_words(struct print_line *line, const struct bpe_batch *b, uint32_t i)
{
	static const struct print_options options = { .form = PRINT_TCPDUMP };
	const struct bpe_layers *const l = &b->layers[i];
	const uint8_t *const udp = b->data[i] + l->transport;
	char *const end = line->end;

	if (l->transport == BPE_NO_OFFSET || l->transport + 20u > b->caplen[i])
		return;
	const bool is_dns = facts_u16(udp) == PORT_DNS || facts_u16(udp + 2) == PORT_DNS;
	const bool is_mdns = facts_u16(udp) == PORT_MDNS || facts_u16(udp + 2) == PORT_MDNS;
	const uint32_t length = facts_u16(udp + 4);
	if (!(is_dns || is_mdns) || length < 20 || l->end < l->transport + 20u)
		return;
	struct tcpdump t = { .line = line, .options = &options, .layer = "domain" };
	struct span s = { .at = udp + 8, .length = length - 8 };

	s.caplen = l->end - l->transport - 8;
	if (s.caplen > s.length)
		s.caplen = s.length;
	line_put_text(line, " dns ");
	tcpdump_put_dns(&t, s, false, is_mdns);
	line->end = end; /* a message that ends early has sealed the line */
}

/* ---- TCP (-v) ---- */

/* Puts sequence and ACK numbers, and the options with -vv. */
static void put_tcp_numbers(
	struct print_line *line, struct own_form *form, const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_layers *const l = &b->layers[i];
	const uint8_t *const tcp = b->data[i] + l->transport;
	struct own_numbers n = { .seq = facts_u32(tcp + 4), .ack = facts_u32(tcp + 8) };
	struct bpe_tcp_options o;

	if (form->sequences && !form->options.absolute)
		sequences_relative(form->sequences, b, i, &n);
	line_put_text(line, " seq ");
	line_put_decimal(line, n.seq);
	if (l->tcp_flags & 0x10) {
		line_put_text(line, " ack ");
		line_put_decimal(line, n.ack);
	}
	if (form->options.verbose < 2 || bpe_batch_tcp_options(b, i, &o) != 1)
		return;
	if (o.present & BPE_TCP_MSS) {
		line_put_text(line, " mss ");
		line_put_decimal(line, o.mss);
	}
	if (o.present & BPE_TCP_WINDOW_SCALE) {
		line_put_text(line, " wscale ");
		line_put_decimal(line, o.window_scale);
	}
	if (o.present & BPE_TCP_SACK_PERMITTED)
		line_put_text(line, " sackOK");
	for (uint32_t k = 0; o.present & BPE_TCP_SACK && k < o.sack_count; k++) {
		line_put_text(line, k ? "," : " sack ");
		line_put_decimal(line, o.sack[k][0] - (facts_u32(tcp + 8) - n.ack));
		line_put_char(line, ':');
		line_put_decimal(line, o.sack[k][1] - (facts_u32(tcp + 8) - n.ack));
	}
}

/* Puts the time to live or hop limit (-v). */
static void put_hops(struct print_line *line, const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_layers *const l = &b->layers[i];
	const bool is_6 = l->flags & BPE_PKT_IP6;

	if (!(l->flags & (BPE_PKT_IP4 | BPE_PKT_IP6)) || l->network == BPE_NO_OFFSET)
		return;
	if (l->network + 20u > b->caplen[i])
		return;
	line_put_text(line, is_6 ? " hlim " : " ttl ");
	line_put_decimal(line, b->data[i][l->network + (is_6 ? 7 : 8)]);
}

/* ---- Around the packet ---- */

/* Puts VLAN ids, and the innermost tunnel. */
static void put_carriers(
	struct print_line *line, const struct bpe_layers *l, const struct print_facts *facts)
{
	const struct bpe_tunnel *const t = facts->tunnel;
	char text[BPE_ADDRESS_TEXT_BYTES];

	if (l->flags & BPE_PKT_VLAN) {
		line_put_text(line, " vlan ");
		line_put_decimal(line, l->vlan[0]);
		if (l->vlan_count > 1) {
			line_put_char(line, '.');
			line_put_decimal(line, l->vlan[1]);
		}
	}
	if (!t)
		return;
	line_put_text(line, " in ");
	line_put_text(line, bpe_tunnel_name(t->kind));
	if (t->has_id) {
		line_put_char(line, ' ');
		line_put_decimal(line, t->id);
	}
	for (uint32_t k = 0; t->ip_version && k < 2; k++) {
		if (bpe_address_text(t->addr[k], t->ip_version, text, sizeof text) < 0)
			return;
		line_put_text(line, k ? " > " : " ");
		line_put_text(line, text);
	}
}

/* Puts the damage of the packet, and the place among fragments. */
static void put_state(struct print_line *line, uint32_t flags)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} states[] = { { BPE_PKT_FRAGMENT, " fragment" },
		{ BPE_PKT_FIRST_FRAGMENT, " first-fragment" }, { BPE_PKT_TRUNCATED, " !cut" },
		{ BPE_PKT_BAD_VERSION, " !bad-version" }, { BPE_PKT_BAD_HEADER, " !bad-header" },
		{ BPE_PKT_BAD_LENGTH, " !bad-length" },
		{ BPE_PKT_BAD_CHECKSUM, " !bad-checksum" } };

	for (size_t k = 0; k < sizeof states / sizeof *states; k++)
		if (flags & states[k].bit)
			line_put_text(line, states[k].text);
}

/* Puts the words of marks, each behind " !", and the round trip in milliseconds. */
static void put_marks(
	struct print_line *line, const struct own_form *form, const struct print_facts *facts)
{
	const uint32_t words = facts->marks & ~BPE_MARK_RTT;

	if (words && form->has_color)
		line_put_text(line, "\33[31m");
	for (uint32_t bit = 0; words >> bit; bit++) {
		const char *name = facts_mark_name(bit);

		if (!(words >> bit & 1) || !name)
			continue;
		line_put_text(line, " !");
		line_put_text(line, name);
	}
	if (words && form->has_color)
		line_put_text(line, "\33[39m");
	if (facts->rtt_ns < 0)
		return;
	const uint32_t thousandths = (uint32_t)((uint64_t)facts->rtt_ns / 1000 % 1000);

	line_put_text(line, " rtt ");
	line_put_decimal(line, (uint64_t)facts->rtt_ns / 1000000);
	line_put_char(line, '.');
	line_put_char(line, (char)('0' + thousandths / 100));
	line_put_bytes(line, digit_pairs + 2 * (thousandths % 100), 2);
	line_put_text(line, " ms");
}

/* Puts a text from elsewhere behind a blank. */
static void put_known_text(struct print_line *line, const char *text, size_t most)
{
	line_put_char(line, ' ');
	line_put_escaped(line, (const uint8_t *)text, strnlen(text, most));
}

/* Puts the owner of the packet, or of the packet's flow. */
static void put_process(struct print_line *line, const char comm[32], int32_t pid)
{
	put_known_text(line, comm, 32);
	line_put_char(line, '(');
	if (pid < 0)
		line_put_char(line, '?');
	else
		line_put_decimal(line, (uint64_t)pid);
	line_put_char(line, ')');
}

/* Puts "| process(pid) name", as far as known. */
static void put_names(struct print_line *line, const struct print_facts *facts)
{
	const struct bpe_meta *const meta = facts->meta;
	const struct bpe_flow *const flow = facts->flow;
	const bool has_owner = flow && flow->pid > 0;
	const bool has_name = flow && flow->names.server[0];

	if (!meta && !has_owner && !has_name)
		return;
	line_put_text(line, " |");
	if (meta)
		put_process(line, meta->comm, meta->pid);
	else if (has_owner)
		put_process(line, flow->comm, flow->pid);
	if (has_name)
		put_known_text(line, flow->names.server, sizeof flow->names.server);
}

/* Puts the words of a header without columns. */
static void put_header_words(struct print_line *line, const struct bpe_batch *b, uint32_t i)
{
	const struct bpe_layers *const l = &b->layers[i];
	const uint32_t caplen = b->caplen[i];
	const bool is_6 = l->proto == BPE_PROTO_ICMP6;

	if (l->proto == BPE_PROTO_ARP && l->network != BPE_NO_OFFSET && l->network < caplen) {
		put_arp_words(line, b->data[i] + l->network, caplen - l->network);
	} else if ((l->proto == BPE_PROTO_ICMP || is_6) && l->transport != BPE_NO_OFFSET &&
		   l->transport < caplen) {
		put_icmp_words(line, b->data[i] + l->transport, caplen - l->transport, is_6);
	} else if (l->proto == BPE_PROTO_ETHERTYPE) {
		line_put_text(line, " ethertype 0x");
		line_put_hex(line, l->ethertype, 4);
	} else if (l->proto == BPE_PROTO_LINKTYPE) {
		const char *name = bpe_link_type_name(l->link_type);

		line_put_char(line, ' ');
		line_put_text(line, name ? name : "linktype");
	} else if (l->proto == BPE_PROTO_IP_OTHER && !bpe_ip_proto_name(l->ip_proto)) {
		line_put_text(line, " protocol ");
		line_put_decimal(line, l->ip_proto);
	}
	if (l->flags & BPE_PKT_ICMP_ERROR && l->flags & BPE_PKT_KEY)
		put_quoted_flow(line, b, i);
}

void own_put_words(struct print_line *line, struct own_form *form, const struct bpe_batch *b,
	uint32_t i, const struct print_facts *facts)
{
	const struct bpe_layers *const l = &b->layers[i];
	const bool is_tcp = l->proto == BPE_PROTO_TCP;
	const bool has_rest = l->flags & (BPE_PKT_WRONG | BPE_PKT_BAD_CHECKSUM | BPE_PKT_FRAGMENT |
						 BPE_PKT_FIRST_FRAGMENT);

	if (l->proto == BPE_PROTO_UDP)
		put_dns_words(line, b, i);
	else if (!is_tcp)
		put_header_words(line, b, i);
	if (form->options.verbose || form->options.absolute) {
		if (is_tcp && l->transport != BPE_NO_OFFSET && l->transport + 20u <= b->caplen[i])
			put_tcp_numbers(line, form, b, i);
		if (form->options.verbose)
			put_hops(line, b, i);
	}
	if (l->flags & BPE_PKT_VLAN || facts->tunnel)
		put_carriers(line, l, facts);
	if (has_rest)
		put_state(line, l->flags);
	if (facts->marks)
		put_marks(line, form, facts);
	if (facts->meta || facts->flow)
		put_names(line, facts);
}
