/* SPDX-License-Identifier: MIT */
/* What -v adds to the lines of ICMP and of IPv4's options in tcpdump's form. */
#include "tcpdump_layers.h"

void tcpdump_put_ip4_options(struct tcpdump *t, struct span s, uint32_t bytes)
{
	static const struct tcpdump_name names[] = { { 0, "EOL" }, { 1, "NOP" }, { 7, "RR" },
		{ 68, "timestamp" }, { 130, "security" }, { 131, "LSRR" }, { 137, "SSRR" },
		{ 148, "RA" }, { 0, NULL } };
	uint32_t n;

	put_text(t, ", options (");
	for (uint32_t at = 0; at < bytes && !t->sealed; at += n) {
		const uint32_t kind = span_u8(t, &s, at);
		const char *name = tcpdump_name(names, kind);

		if (at)
			put_char(t, ',');
		if (name) {
			put_string(t, name);
		} else {
			put_number(t, "unknown ", kind);
		}
		n = 1;
		if (kind == 0)
			break;
		if (kind > 1)
			n = span_u8(t, &s, at + 1);
		if (n < 1 + (kind > 1) || n > bytes - at) {
			put_text(t, " [bad length]");
			break;
		}
	}
	put_char(t, ')');
}

void tcpdump_put_icmp_details(struct tcpdump *t, struct span s, uint32_t type)
{
	if (type != 3 && type != 4 && type != 5 && type != 11 && type != 12)
		return;
	put_text(t, "\n\t");
	s = span_behind(&s, 8);
	tcpdump_put_ip(t, s);
}

void tcpdump_put_icmp6_details(struct tcpdump *t, struct span s, uint32_t type)
{
	(void)t;
	(void)s;
	(void)type;
}
