/* SPDX-License-Identifier: MIT */
/* LLC (IEEE 802.2) and SNAP in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	SAP_STP = 0x42,
	SAP_SNAP = 0xaa,
	SAP_IPX = 0xe0,
	SAP_IP = 0x06,
	SAP_OSI = 0xfe,
	CONTROL_UI = 3,
	OUI_ETHERNET = 0,
	OUI_CISCO_90 = 0xf8,
	OUI_CISCO = 0x0c,
	OUI_RFC2684 = 0x80c2,
	OUI_APPLE = 0x80007,
};

static const struct tcpdump_name sap_names[] = { { 0x00, "Null" }, { 0x02, "802.1B I" },
	{ 0x03, "802.1B G" }, { 0x06, "IP" }, { 0x04, "SNA" }, { 0x05, "SNA" },
	{ 0x0e, "ProWay NM" }, { 0x42, "STP" }, { 0x4e, "RS511" }, { 0x7e, "ISO8208" },
	{ 0x8e, "ProWay" }, { 0xaa, "SNAP" }, { 0xe0, "IPX" }, { 0xf0, "NetBeui" }, { 0xfe, "OSI" },
	{ 0xff, "Global" }, { 0, NULL } };
static const struct tcpdump_name oui_names[] = { { OUI_ETHERNET, "Ethernet" },
	{ OUI_CISCO, "Cisco" }, { OUI_CISCO_90, "Cisco bridged" }, { OUI_RFC2684, "RFC2684" },
	{ 0x12bb, "ANSI/TIA" }, { 0x1018, "Broadcom" }, { OUI_APPLE, "AppleTalk" },
	{ 0x9069, "Juniper" }, { 0x40d3, "HSR" }, { 0, NULL } };
static const struct tcpdump_name unnumbered_names[] = { { 0x03, "ui" }, { 0x63, "ua" },
	{ 0x43, "disc" }, { 0x0f, "dm" }, { 0x6f, "sabme" }, { 0xe3, "test" }, { 0xaf, "xid" },
	{ 0x87, "frmr" }, { 0, NULL } };

/* An LLC header, and the addresses of the frame around (NULL: there are none). */
struct llc_header {
	uint32_t to, from, control;
	bool is_unnumbered;
	const uint8_t *source, *destination;
};

static void put_sap(struct tcpdump *t, uint32_t sap)
{
	const char *name = tcpdump_name(sap_names, sap);

	put_string(t, name ? name : "Unknown");
	put_text(t, " (");
	put_0x(t, sap, 2);
	put_char(t, ')');
}

static void put_llc_header(struct tcpdump *t, const struct llc_header *llc)
{
	put_text(t, "LLC, dsap ");
	put_sap(t, llc->to & 0xfe);
	put_string(t, llc->to & 1 ? " Group, ssap " : " Individual, ssap ");
	put_sap(t, llc->from & 0xfe);
	put_string(t, llc->from & 1 ? " Response, ctrl " : " Command, ctrl ");
	put_0x(t, llc->control, llc->is_unnumbered ? 2 : 4);
	put_text(t, ": ");
}

static void put_llc_addresses(struct tcpdump *t, const struct llc_header *llc)
{
	const char *from = tcpdump_name(sap_names, llc->from & 0xfe);
	const char *to = tcpdump_name(sap_names, llc->to & 0xfe);
	const bool is_one_sap = (llc->from & 0xfe) == (llc->to & 0xfe);

	if (llc->source) {
		line_put_mac(t->line, llc->source);
		put_char(t, ' ');
	}
	if (!is_one_sap && from) {
		put_string(t, from);
		put_char(t, ' ');
	} else if (!is_one_sap) {
		put_text(t, "Unknown SSAP ");
		put_0x(t, llc->from & 0xfe, 2);
		put_char(t, ' ');
	}
	if (llc->source || !is_one_sap)
		put_text(t, "> ");
	if (llc->destination) {
		line_put_mac(t->line, llc->destination);
		put_char(t, ' ');
	}
	if (to) {
		put_string(t, to);
	} else {
		put_text(t, "Unknown DSAP ");
		put_0x(t, llc->to & 0xfe, 2);
	}
	put_char(t, ' ');
}

/* Puts the frame's kind from the control field, and the bytes of a frame with information. */
static void put_llc_frame(struct tcpdump *t, const struct llc_header *llc, const struct span *s)
{
	static const char *const supervisory[] = { "Receiver Ready", "Receiver not Ready", "Reject",
		"unknown" };
	const bool is_answer = llc->from & 1;
	const char *name;
	bool polls;
	bool has_bytes;

	if (llc->is_unnumbered) {
		name = tcpdump_name(unnumbered_names, llc->control & 0xef);
		polls = llc->control & 0x10;
		put_text(t, "Unnumbered, ");
		if (name)
			put_string(t, name);
		else
			put_hex(t, llc->control & 0xef, 2);
	} else {
		polls = llc->control & 0x100;
		if (llc->control & 1) {
			put_text(t, "Supervisory, ");
			put_string(t, supervisory[llc->control >> 2 & 3]);
		} else {
			put_number(t, "Information, send seq ", llc->control >> 1 & 0x7f);
		}
		put_number(t, ", rcv seq ", llc->control >> 9 & 0x7f);
	}
	if (is_answer)
		put_string(t, polls ? ", Flags [Final]" : ", Flags [Response]");
	else
		put_string(t, polls ? ", Flags [Poll]" : ", Flags [Command]");
	put_number(t, ", length ", s->length);
	has_bytes = !llc->is_unnumbered && !(llc->control & 1);
	if (llc->is_unnumbered) {
		const uint32_t kind = llc->control & 0xef;

		has_bytes = (kind == 0x03 || kind == 0xe3 || kind == 0xaf || kind == 0x87) &&
			    s->length > 3;
	}
	if (has_bytes)
		tcpdump_put_bytes(t, s);
}

static void put_snap_header(struct tcpdump *t, uint32_t oui, uint32_t type, uint32_t length)
{
	const char *name = tcpdump_name(oui_names, oui);
	const char *kind = tcpdump_ethertype_name(type);

	if (oui == OUI_ETHERNET) {
		put_text(t, "ethertype ");
	} else {
		put_text(t, "oui ");
		put_string(t, name ? name : "Unknown");
		put_text(t, " (");
		put_0x(t, oui, 6);
		put_text(t, "), pid ");
		kind = tcpdump_snap_name(oui, type);
	}
	put_string(t, kind ? kind : "Unknown");
	put_text(t, " (");
	put_0x(t, type, 4);
	put_number(t, "), length ", length);
	put_text(t, ": ");
}

/* Puts a SNAP frame; `whole` begins with the LLC header. */
static void put_snap(struct tcpdump *t, const struct llc_header *llc, const struct span *whole)
{
	const uint32_t oui = span_u24(t, whole, 3);
	const uint32_t type = span_u16(t, whole, 6);
	const struct span payload = span_behind(whole, 8);
	bool is_known;

	if (t->sealed)
		return;
	if (t->options->link) {
		if (oui == OUI_ETHERNET)
			put_text(t, "oui Ethernet (0x000000), ");
		put_snap_header(t, oui, type, payload.length);
	}
	is_known = tcpdump_put_snap_payload(t, oui, type, payload);
	if (is_known)
		return;
	if (!t->options->link) {
		if (llc->source && llc->destination) {
			line_put_mac(t->line, llc->source);
			put_text(t, " > ");
			line_put_mac(t->line, llc->destination);
			put_char(t, ' ');
		}
		put_text(t, "SNAP, ");
		put_snap_header(t, oui, type, payload.length);
	}
	tcpdump_put_bytes(t, whole);
}

void tcpdump_put_llc(
	struct tcpdump *t, struct span s, const uint8_t *source, const uint8_t *destination)
{
	struct llc_header llc = { .source = source, .destination = destination };

	t->layer = "llc";
	if (s.length < 3 || !span_has(&s, 0, 3)) {
		tcpdump_put_cut(t);
		return;
	}
	llc.to = s.at[0];
	llc.from = s.at[1];
	llc.control = s.at[2];
	llc.is_unnumbered = (llc.control & 3) == 3;
	if (llc.to == 0xff && llc.from == 0xff) {
		if (t->options->link)
			put_text(t, "IPX 802.3: ");
		tcpdump_put_named(t, "IPX", &s);
		return;
	}
	if (!llc.is_unnumbered) {
		if (s.length < 4 || !span_has(&s, 0, 4)) {
			tcpdump_put_cut(t);
			return;
		}
		llc.control = span_u8(t, &s, 2) | span_u8(t, &s, 3) << 8;
	}
	if (t->options->link)
		put_llc_header(t, &llc);
	if (llc.is_unnumbered && llc.to == SAP_SNAP && llc.from == SAP_SNAP &&
		llc.control == CONTROL_UI) {
		t->layer = "snap";
		if (s.length < 8 || !span_has(&s, 0, 8))
			tcpdump_put_cut(t);
		else
			put_snap(t, &llc, &s);
		return;
	}
	if (llc.is_unnumbered && llc.to == SAP_IP && llc.from == SAP_IP) {
		tcpdump_put_ip4(t, span_behind(&s, 3));
		return;
	}
	if (llc.is_unnumbered && tcpdump_put_sap(t, llc.to, llc.from, span_behind(&s, 3)))
		return;
	if (!t->options->link)
		put_llc_addresses(t, &llc);
	put_llc_frame(t, &llc, &s);
}
