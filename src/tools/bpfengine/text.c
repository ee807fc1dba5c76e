/* SPDX-License-Identifier: MIT */
/* Names and numbers for people and for JSON; pure. */
#include "cli.h"

#include <netinet/in.h>
#include <string.h>

const char *cli_address(char *to, size_t room, const uint8_t *addr, int version)
{
	if (bpe_address_text(addr, version == 6 ? 6 : 4, to, room) < 0)
		snprintf(to, room, "?");
	return to;
}

const char *cli_protocol(char *to, size_t room, uint8_t ip_proto, uint8_t ip_version)
{
	/* ICMP and ICMPv6 have a name under their own IP version only */
	const uint8_t other_icmp = ip_version == 4 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	const char *name = ip_proto == other_icmp ? NULL : bpe_ip_proto_name(ip_proto);

	if (name)
		snprintf(to, room, "%s", name);
	else
		snprintf(to, room, "ip-proto-%u", ip_proto);
	return to;
}

const char *cli_tcp_state(uint8_t state)
{
	const char *name = bpe_tcp_state_name(state);

	return name ? name : "?";
}

const char *cli_count(char *to, size_t room, double n)
{
	static const char *const units[] = { "", " k", " M", " G", " T" };
	int unit = 0;

	for (; n >= 999.5 && unit < 4; unit++)
		n /= 1000;
	snprintf(to, room, unit && n < 99.5 ? "%.1f%s" : "%.0f%s", n, units[unit]);
	return to;
}

uint64_t cli_stat_value(const struct bpe_stats *stats, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)stats + offset, sizeof value);
	return value;
}
