/* SPDX-License-Identifier: MIT */
/* What the payloads of UDP and TCP say, by port, in tcpdump's form. */
#include "tcpdump_layers.h"

enum { DNS_PORT = 53, MDNS_PORT = 5353 };

bool tcpdump_put_udp_payload(
	struct tcpdump *t, const struct tcpdump_ip *ip, struct span s, const uint16_t ports[2])
{
	(void)ip;
	if (ports[0] == DNS_PORT || ports[1] == DNS_PORT) {
		tcpdump_put_dns(t, s, false, false);
		return true;
	}
	if (ports[0] == MDNS_PORT || ports[1] == MDNS_PORT) {
		tcpdump_put_dns(t, s, false, true);
		return true;
	}
	return false;
}

void tcpdump_put_tcp_payload(
	struct tcpdump *t, struct span s, uint16_t source, uint16_t destination)
{
	if (source == DNS_PORT || destination == DNS_PORT)
		tcpdump_put_dns(t, s, true, false);
}
