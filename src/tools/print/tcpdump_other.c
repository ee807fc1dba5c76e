/* SPDX-License-Identifier: MIT */
/* Protocols above IP of which the most telling fields are put in tcpdump's form. */
#include "tcpdump_layers.h"

bool tcpdump_put_other(
	struct tcpdump *t, const struct tcpdump_ip *ip, uint8_t protocol, struct span s)
{
	static const struct tcpdump_name names[] = { { 2, "igmp" }, { 8, "EGP" }, { 9, "igrp" },
		{ 33, "DCCP" }, { 46, "RSVPv1" }, { 47, "GRE" }, { 55, "mobile" }, { 77, "nd" },
		{ 88, "EIGRP" }, { 89, "OSPF" }, { 103, "PIM" }, { 112, "VRRP" }, { 113, "PGM" },
		{ 132, "sctp" }, { 135, "mobility" }, { 0, NULL } };
	const char *name = tcpdump_name(names, protocol);

	if (!name)
		return false;
	if (protocol == 132 || protocol == 33) {
		t->layer = name;
		if (!span_has(&s, 0, 4)) {
			tcpdump_put_cut(t);
			return true;
		}
		tcpdump_put_ends(t, ip, (uint16_t)span_u16(t, &s, 0), (uint16_t)span_u16(t, &s, 2));
	}
	tcpdump_put_named(t, name, &s);
	return true;
}
