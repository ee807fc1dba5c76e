/* SPDX-License-Identifier: MIT */
/* The payloads of UDP and TCP in tcpdump's line, by port. */
#include "tcpdump_layers.h"

enum {
	FTP_PORT = 21,
	SMTP_PORT = 25,
	WHOIS_PORT = 43,
	DNS_PORT = 53,
	DHCP_SERVER_PORT = 67,
	DHCP_CLIENT_PORT = 68,
	HTTP_PORT = 80,
	NTP_PORT = 123,
	RTSP_PORT = 554,
	IPSEC_PORT = 4500,
	VXLAN_PORT = 4789,
	SIP_PORT = 5060,
	MDNS_PORT = 5353,
	GENEVE_PORT = 6081,
	MPLS_PORT = 6635,
	HTTP_PORT_2 = 8080,
	OTV_PORT = 8472,
	RTSP_PORT_2 = 8554,
};

static void put_ntp(struct tcpdump *t, const struct span *s)
{
	static const char *const modes[] = { "unspecified", "symmetric active", "symmetric passive",
		"Client", "Server", "Broadcast", "Control Message", "Reserved" };
	uint32_t first;

	t->layer = "ntp";
	if (s->length < 4 || !span_need(t, s, 0, 1))
		return;
	first = s->at[0];
	put_number(t, "NTPv", first >> 3 & 7);
	put_text(t, ", ");
	put_string(t, modes[first & 7]);
	put_number(t, ", length ", s->length);
}

static void put_dhcp(struct tcpdump *t, const struct span *s)
{
	uint32_t operation;

	t->layer = "bootp";
	operation = span_u8(t, s, 0);
	if (t->sealed)
		return;
	put_text(t, "BOOTP/DHCP, ");
	if (operation == 1) {
		put_text(t, "Request");
		if (span_u8(t, s, 1) == 1 && span_u8(t, s, 2) == 6) {
			span_need(t, s, 28, 6);
			put_text(t, " from ");
			put_span_mac(t, s, 28);
		}
	} else if (operation == 2) {
		put_text(t, "Reply");
	} else {
		put_text(t, "unknown (");
		put_0x(t, operation, 2);
		put_char(t, ')');
	}
	put_number(t, ", length ", s->length);
}

/* Puts ESP in UDP, and the packet that keeps an address translation alive (RFC 3948). */
static bool put_ipsec(struct tcpdump *t, const struct span *s)
{
	t->layer = "isakmp_rfc3948";
	if (s->length == 1 && span_has(s, 0, 1) && s->at[0] == 0xff) {
		put_text(t, "isakmp-nat-keep-alive");
		return true;
	}
	if (!span_need(t, s, 0, 4))
		return true;
	if (!span_u32(t, s, 0))
		return false;
	put_text(t, "UDP-encap: ");
	t->layer = "esp";
	if (s->length < 9 || !span_has(s, 0, 8)) {
		tcpdump_put_cut(t);
		return true;
	}
	put_text(t, "ESP(spi=");
	put_0x(t, span_u32(t, s, 0), 8);
	put_text(t, ",seq=");
	put_0x(t, span_u32(t, s, 4), 1);
	put_number(t, "), length ", s->length);
	return true;
}

static bool put_port_payload(struct tcpdump *t, const struct span *s, uint16_t port)
{
	switch (port) {
	case DNS_PORT:
	case MDNS_PORT:
		tcpdump_put_dns(t, *s, false, port == MDNS_PORT);
		return true;
	case NTP_PORT:
		put_ntp(t, s);
		return true;
	case DHCP_SERVER_PORT:
	case DHCP_CLIENT_PORT:
		put_dhcp(t, s);
		return true;
	case IPSEC_PORT:
		return put_ipsec(t, s);
	case SIP_PORT:
		tcpdump_put_words(t, "SIP", *s);
		return true;
	default:
		return false;
	}
}

/* Puts a tunnel, which only the destination's port tells. */
static bool put_port_tunnel(struct tcpdump *t, const struct span *s, uint16_t port)
{
	switch (port) {
	case VXLAN_PORT:
		tcpdump_put_vxlan(t, *s);
		return true;
	case GENEVE_PORT:
		tcpdump_put_geneve(t, *s);
		return true;
	case OTV_PORT:
		tcpdump_put_otv(t, *s);
		return true;
	case MPLS_PORT:
		return t->outer->ethertype(t, 0x8847, *s);
	default:
		return false;
	}
}

bool tcpdump_put_udp_payload(
	struct tcpdump *t, const struct tcpdump_ip *ip, struct span s, const uint16_t ports[2])
{
	(void)ip;
	return put_port_payload(t, &s, ports[0]) || put_port_payload(t, &s, ports[1]) ||
	       put_port_tunnel(t, &s, ports[1]);
}

/* Returns the name of the protocol of text lines at a port, or NULL. */
static const char *find_words(uint16_t port)
{
	switch (port) {
	case FTP_PORT:
		return "FTP";
	case SMTP_PORT:
		return "SMTP";
	case WHOIS_PORT:
		return "WHOIS";
	case HTTP_PORT:
	case HTTP_PORT_2:
		return "HTTP";
	case RTSP_PORT:
	case RTSP_PORT_2:
		return "RTSP";
	default:
		return NULL;
	}
}

void tcpdump_put_tcp_payload(
	struct tcpdump *t, struct span s, uint16_t source, uint16_t destination)
{
	const char *name;

	if (source == DNS_PORT || destination == DNS_PORT) {
		tcpdump_put_dns(t, s, true, false);
		return;
	}
	name = find_words(source);
	if (!name)
		name = find_words(destination);
	if (!name)
		return;
	put_text(t, ": ");
	tcpdump_put_words(t, name, s);
}
