/* SPDX-License-Identifier: MIT */
/* Names and numbers as people and JSON want them; pure. */
#include "cli.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

const char *cli_address(char *to, size_t room, const uint8_t *addr, int version)
{
	if (!inet_ntop(version == 6 ? AF_INET6 : AF_INET, addr, to, (socklen_t)room))
		snprintf(to, room, "?");
	return to;
}

const char *cli_protocol(char *to, size_t room, uint8_t ip_proto, uint8_t ip_version)
{
	const char *name = ip_proto == (ip_version == 4 ? 58 : 1)
				   ? NULL
				   : bpe_ip_proto_name(ip_proto); /* ICMP is of one IP version */
	if (name)
		snprintf(to, room, "%s", name);
	else
		snprintf(to, room, "ip-proto-%u", ip_proto);
	return to;
}

const char *cli_tcp_state(uint8_t state)
{
	static const char *const names[] = { "", "syn_sent", "syn_received", "established",
		"closing", "closed", "reset" };
	return state < sizeof names / sizeof *names ? names[state] : "?";
}

const char *cli_count(char *to, size_t room, double n)
{
	const char *units[] = { "", " k", " M", " G", " T" };
	int u = 0;
	for (; n >= 999.5 && u < 4; u++)
		n /= 1000;
	snprintf(to, room, u && n < 99.5 ? "%.1f%s" : "%.0f%s", n, units[u]);
	return to;
}
