/* SPDX-License-Identifier: MIT */
/* Protocols above the link layer of which only name and length are put in tcpdump's form.
 *
 * tcpdump takes most of these apart.  Here is no statement about their fields. */
#include "tcpdump_layers.h"

/* Puts "STP, length 35". */
void tcpdump_put_named(struct tcpdump *t, const char *name, const struct span *s)
{
	put_string(t, name);
	put_number(t, ", length ", s->length);
}

bool tcpdump_put_named_type(struct tcpdump *t, uint32_t type, struct span s)
{
	static const struct tcpdump_name types[] = { { 0x0707, "GeoNet (old)" },
		{ 0x1111, "CALM FAST" }, { 0x6002, "MOP RC" }, { 0x6003, "DECnet" },
		{ 0x6004, "LAT" }, { 0x6558, "TEB" }, { 0x809b, "AppleTalk" },
		{ 0x80f3, "AppleTalk ARP" }, { 0x8137, "IPX" }, { 0x8808, "MPCP" },
		{ 0x8809, "Slow Protocols" }, { 0x880b, "PPP" }, { 0x8863, "PPPoE discovery" },
		{ 0x886f, "MS NLB heartbeat" }, { 0x888e, "EAPOL" }, { 0x8899, "Realtek" },
		{ 0x88a2, "AoE" }, { 0x88ca, "TIPC" }, { 0x88cc, "LLDP" }, { 0x88e5, "MACsec" },
		{ 0x88f7, "PTP" }, { 0x8902, "CFM" }, { 0x8947, "GeoNet" }, { 0x894f, "NSH" },
		{ 0x9000, "Loopback" }, { 0xabcd, "CFM (old)" }, { 0xd28b, "Arista" },
		{ 0xfefe, "OSI" }, { 0, NULL } };
	const char *name = tcpdump_name(types, type);

	if (!name)
		return false;
	tcpdump_put_named(t, name, &s);
	return true;
}

bool tcpdump_put_sap(struct tcpdump *t, uint32_t to, uint32_t from, struct span s)
{
	const char *name = NULL;

	if (to == 0x42 && from == 0x42)
		name = "STP";
	else if (to == 0xe0 && from == 0xe0)
		name = "IPX";
	else if (to == 0xfe && from == 0xfe)
		name = "OSI";
	if (!name)
		return false;
	tcpdump_put_named(t, name, &s);
	return true;
}

const char *tcpdump_snap_name(uint32_t oui, uint32_t type)
{
	static const struct tcpdump_name cisco[] = { { 0x0102, "DRIP" }, { 0x0104, "PAgP" },
		{ 0x010b, "PVST" }, { 0x010c, "VLAN Bridge" }, { 0x0111, "UDLD" },
		{ 0x2000, "CDP" }, { 0x2003, "VTP" }, { 0x2004, "DTP" }, { 0, NULL } };

	return oui == 0x0c ? tcpdump_name(cisco, type) : NULL;
}

bool tcpdump_put_snap_payload(struct tcpdump *t, uint32_t oui, uint32_t type, struct span s)
{
	const char *name = tcpdump_snap_name(oui, type);

	/* RFC 2684's tags 1 and 7 stand before a frame of Ethernet. */
	if (oui == 0x80c2 && (type == 1 || type == 7)) {
		t->outer->ethernet(t, span_behind(&s, 2));
		return true;
	}
	if (oui == 0 || oui == 0xf8 || (oui == 0x80007 && type == 0x809b))
		return t->outer->ethertype(t, type, s);
	if (!name)
		return false;
	tcpdump_put_named(t, name, &s);
	return true;
}
