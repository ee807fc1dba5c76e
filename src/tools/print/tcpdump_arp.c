/* SPDX-License-Identifier: MIT */
/* ARP's part of tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	ARP_REQUEST = 1,
	ARP_REPLY,
	ARP_REVERSE_REQUEST,
	ARP_REVERSE_REPLY,
	ARP_INVERSE_REQUEST = 8,
	ARP_INVERSE_REPLY,
	ARP_NAK,
	HARDWARE_FRAME_RELAY = 15,
	HARDWARE_ATM = 19,
};

static const struct tcpdump_name hardware_names[] = { { 1, "Ethernet" }, { 6, "TokenRing" },
	{ 7, "ArcNet" }, { 15, "FrameRelay" }, { 17, "Strip" }, { 19, "ATM" }, { 24, "IEEE 1394" },
	{ 0, NULL } };
static const struct tcpdump_name operation_names[] = { { ARP_REQUEST, "Request" },
	{ ARP_REPLY, "Reply" }, { ARP_REVERSE_REQUEST, "Reverse Request" },
	{ ARP_REVERSE_REPLY, "Reverse Reply" }, { ARP_INVERSE_REQUEST, "Inverse Request" },
	{ ARP_INVERSE_REPLY, "Inverse Reply" }, { ARP_NAK, "NACK Reply" }, { 0, NULL } };

/* Where the four addresses stand. */
struct arp_packet {
	uint32_t hardware_type, protocol, hardware_bytes, protocol_bytes, operation;
	uint32_t source_hardware, source, target_hardware, target;
};

static void put_hardware_address(
	struct tcpdump *t, const struct span *s, const struct arp_packet *arp, uint32_t at)
{
	if (!span_need(t, s, at, arp->hardware_bytes))
		return;
	if (arp->hardware_type == HARDWARE_FRAME_RELAY && arp->hardware_bytes != 4) {
		put_text(t, "<Invalid DLCI>");
		return;
	}
	for (uint32_t i = 0; i < arp->hardware_bytes; i++) {
		if (i)
			put_char(t, ':');
		put_hex(t, s->at[at + i], 2);
	}
}

static void put_who_has(struct tcpdump *t, const struct span *s, const struct arp_packet *arp)
{
	bool is_asked = true;

	put_text(t, " who-has ");
	put_span_ip4(t, s, arp->target);
	for (uint32_t i = 0; i < arp->hardware_bytes && is_asked && !t->sealed; i++)
		is_asked = !span_u8(t, s, arp->target_hardware + i);
	if (!is_asked) {
		put_text(t, " (");
		put_hardware_address(t, s, arp, arp->target_hardware);
		put_char(t, ')');
	}
	put_text(t, " tell ");
	put_span_ip4(t, s, arp->source);
}

/* Puts what the operation says; returns false for an operation that is not known. */
static bool put_operation(struct tcpdump *t, const struct span *s, const struct arp_packet *arp)
{
	switch (arp->operation) {
	case ARP_REQUEST:
		put_who_has(t, s, arp);
		break;
	case ARP_REPLY:
		put_char(t, ' ');
		put_span_ip4(t, s, arp->source);
		put_text(t, " is-at ");
		put_hardware_address(t, s, arp, arp->source_hardware);
		break;
	case ARP_REVERSE_REQUEST:
	case ARP_INVERSE_REQUEST:
		put_text(t, " who-is ");
		put_hardware_address(t, s, arp, arp->target_hardware);
		put_text(t, " tell ");
		put_hardware_address(t, s, arp, arp->source_hardware);
		break;
	case ARP_REVERSE_REPLY:
		put_char(t, ' ');
		put_hardware_address(t, s, arp, arp->target_hardware);
		put_text(t, " at ");
		put_span_ip4(t, s, arp->target);
		break;
	case ARP_INVERSE_REPLY:
		put_char(t, ' ');
		put_hardware_address(t, s, arp, arp->source_hardware);
		put_text(t, " at ");
		put_span_ip4(t, s, arp->source);
		break;
	default:
		return false;
	}
	return true;
}

static void put_kinds(struct tcpdump *t, const struct arp_packet *arp)
{
	const char *hardware = tcpdump_name(hardware_names, arp->hardware_type);
	const char *protocol = tcpdump_ethertype_name(arp->protocol);

	if (hardware) {
		put_string(t, hardware);
	} else {
		put_number(t, "Unknown Hardware (", arp->hardware_type);
		put_char(t, ')');
	}
	put_number(t, " (len ", arp->hardware_bytes);
	put_text(t, "), ");
	if (protocol) {
		put_string(t, protocol);
	} else {
		put_text(t, "Unknown Protocol (");
		put_0x(t, arp->protocol, 4);
		put_char(t, ')');
	}
	put_number(t, " (len ", arp->protocol_bytes);
	put_char(t, ')');
}

void tcpdump_put_arp(struct tcpdump *t, struct span s)
{
	struct arp_packet arp;
	const char *name;
	bool is_known;

	t->layer = "arp";
	arp.hardware_type = span_u16(t, &s, 0);
	arp.protocol = span_u16(t, &s, 2);
	arp.hardware_bytes = span_u8(t, &s, 4);
	arp.protocol_bytes = span_u8(t, &s, 5);
	arp.operation = span_u16(t, &s, 6);
	arp.source_hardware = 8;
	arp.source = 8 + arp.hardware_bytes;
	arp.target_hardware = arp.source + arp.protocol_bytes;
	arp.target = arp.target_hardware + arp.hardware_bytes;
	if (!span_need(t, &s, 0, arp.target + arp.protocol_bytes))
		return;
	if (!t->options->link)
		put_text(t, "ARP, ");
	is_known = (arp.protocol == 0x800 || arp.protocol == 0x1000) && arp.protocol_bytes == 4 &&
		   arp.hardware_bytes && arp.hardware_type != HARDWARE_ATM;
	if (!is_known || t->options->verbose) {
		put_kinds(t, &arp);
		if (is_known)
			put_text(t, ", ");
	}
	if (is_known) {
		name = tcpdump_name(operation_names, arp.operation);
		if (name) {
			put_string(t, name);
		} else {
			put_number(t, "Unknown (", arp.operation);
			put_char(t, ')');
		}
		if (!put_operation(t, &s, &arp)) {
			put_char(t, ' ');
			tcpdump_put_bytes(t, &s);
			return;
		}
	}
	put_number(t, ", length ", s.length);
}
