/* SPDX-License-Identifier: MIT */
/* DHCP (RFC 2131) and DHCPv6 (RFC 8415): which host has which address.  Pure functions of a
 * message; the readers are declared in dns.h. */
#ifndef BPEI_DHCP_H
#define BPEI_DHCP_H

#include "inspect/inspect.h"

#define BPEI_DHCP_ADDRESSES 4u

/* Which host a message is of. */
struct bpei_dhcp_said {
	const uint8_t *client; /* hardware address, or DUID: within the message */
	uint32_t client_bytes; /* 0: unknown */
	bool reply;            /* of the server: the addresses are the client's */
	bool sure;             /* of the client, which has the addresses, or takes an offer */
	uint8_t version;       /* of the addresses: 4 or 6 */
	uint8_t count;         /* addresses */
	uint8_t address[BPEI_DHCP_ADDRESSES][16];
	uint32_t ttl_s; /* lease, or valid lifetime; 0: not said */
	char name[256]; /* without the final dot; "": not said */
};

/* Reads a message of DHCPv4.  Returns false if the message is malformed or cut off. */
bool bpei_dhcp_read(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n);
/* Reads a message of DHCPv6, within up to 8 relays' messages, in the same way. */
bool bpei_dhcp6_read(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n);

/* Writes a host name which is text, or a name in wire form (RFC 4702, RFC 4704), to said->name.
 * What is neither, or does not fit, leaves said->name as it is. */
void bpei_dhcp_name_text(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n);
void bpei_dhcp_name_wire(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n);

#endif
