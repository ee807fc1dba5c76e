/* SPDX-License-Identifier: MIT */
/* DHCP over IPv6.  Stateless. */
#include "inspect/dhcp.h"

#include "inspect/dns.h"

#include "base/bytes.h"

#include <string.h>

#define PORT_CLIENT 546u
#define PORT_SERVER 547u

/* Messages (RFC 8415, 7.3). */
enum {
	DHCP6_SOLICIT = 1,
	DHCP6_REQUEST = 3,
	DHCP6_RENEW = 5,
	DHCP6_REBIND = 6,
	DHCP6_REPLY = 7,
	DHCP6_INFORMATION = 11,
	DHCP6_RELAY = 12,
	DHCP6_RELAY_REPLY = 13
};

/* Options (RFC 8415, 21; RFC 4704). */
#define OPTION6_CLIENT 1u
#define OPTION6_IA_NA 3u
#define OPTION6_ADDRESS 5u
#define OPTION6_RELAYED 9u
#define OPTION6_FQDN 39u
#define OPTION6_LAST 150u

#define MOST_RELAYS 8u
#define RELAY_HEAD 34u

/* Options on their way. */
struct option_walk {
	const uint8_t *next, *end;
	uint16_t code, bytes;
	const uint8_t *value;
	bool bad;
};

/* Returns true with the next option. */
static bool next_option6(struct option_walk *walk)
{
	const size_t left = (size_t)(walk->end - walk->next);

	if (walk->bad || !left)
		return false;
	walk->bad = left < 4 || bpei_be16(walk->next + 2) > left - 4;
	if (walk->bad)
		return false;
	walk->code = bpei_be16(walk->next);
	walk->bytes = bpei_be16(walk->next + 2);
	walk->value = walk->next + 4;
	walk->next = walk->value + walk->bytes;
	return true;
}

/* Returns the options of the message within relays' messages, and its type; NULL options: none. */
static struct option_walk open_dhcp6(const uint8_t *bytes, uint32_t n, uint8_t *type)
{
	struct option_walk none = { .bad = true };

	for (uint32_t i = 0; n >= 4 && i <= MOST_RELAYS; i++) {
		struct option_walk walk = { bytes + 4, bytes + n, 0, 0, NULL, false };

		*type = bytes[0];
		if (*type != DHCP6_RELAY && *type != DHCP6_RELAY_REPLY)
			return walk;
		if (n < RELAY_HEAD)
			return none;
		walk.next = bytes + RELAY_HEAD;
		n = 0;
		while (next_option6(&walk))
			if (walk.code == OPTION6_RELAYED) {
				bytes = walk.value;
				n = walk.bytes;
			}
	}
	return none;
}

/* Takes the addresses of an identity association. */
static void take_dhcp6_addresses(struct bpei_dhcp_said *said, const uint8_t *value, uint32_t n)
{
	struct option_walk walk = { value + 12, value + n, 0, 0, NULL, n < 12 };

	while (next_option6(&walk) && said->count < BPEI_DHCP_ADDRESSES) {
		if (walk.code != OPTION6_ADDRESS || walk.bytes < 24)
			continue;
		/* A valid lifetime of 0 takes the address away. */
		if (said->reply && !bpei_be32(walk.value + 20))
			continue;
		memcpy(said->address[said->count++], walk.value, 16);
		said->ttl_s = bpei_be32(walk.value + 20);
	}
}

bool bpei_dhcp6_read(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n)
{
	uint8_t type = 0;
	struct option_walk walk = open_dhcp6(bytes, n, &type);

	*said = (struct bpei_dhcp_said){ .version = 6 };
	said->reply = type == DHCP6_REPLY;
	while (next_option6(&walk)) {
		if (walk.code == OPTION6_CLIENT) {
			said->client = walk.value;
			said->client_bytes = walk.bytes;
		} else if (walk.code == OPTION6_IA_NA && walk.bytes >= 12) {
			take_dhcp6_addresses(said, walk.value, walk.bytes);
		} else if (walk.code == OPTION6_FQDN && walk.bytes > 1) {
			bpei_dhcp_name_wire(said, walk.value + 1, walk.bytes - 1u);
		}
	}
	said->sure = said->count &&
		     (type == DHCP6_REQUEST || type == DHCP6_RENEW || type == DHCP6_REBIND);
	if (!said->reply && !said->sure)
		said->count = 0;
	return !walk.bad;
}

/* Returns whether options fill the message, and whether one of them is a client's DUID of a known
 * kind (RFC 8415, 11). */
static bool are_dhcp6_options(struct option_walk *walk, bool *client)
{
	uint32_t n = 0;

	*client = false;
	for (; next_option6(walk); n++) {
		if (!walk->code || walk->code > OPTION6_LAST)
			return false;
		if (walk->code != OPTION6_CLIENT)
			continue;
		if (walk->bytes < 4 || walk->bytes > 130 || bpei_be16(walk->value) - 1u > 3)
			return false;
		*client = true;
	}
	return n && !walk->bad;
}

enum bpei_verdict bpei_read_dhcp6(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const bool on_port = stream->port[0] == PORT_SERVER || stream->port[1] == PORT_SERVER ||
			     stream->port[0] == PORT_CLIENT || stream->port[1] == PORT_CLIENT;
	struct option_walk walk = { 0 };
	uint8_t type = 0;
	bool client = false;

	(void)in;
	if (!stream->ends || !stream->datagrams || stream->ends[0] < 8)
		return BPEI_NOT;
	if (stream->bytes[0] < DHCP6_SOLICIT || stream->bytes[0] > DHCP6_RELAY_REPLY)
		return BPEI_NOT;
	walk = open_dhcp6(stream->bytes, stream->ends[0], &type);
	if (type > DHCP6_INFORMATION || !are_dhcp6_options(&walk, &client))
		return BPEI_NOT;
	if (!on_port && !client)
		return BPEI_NOT;
	said->app = BPE_APP_DHCPV6;
	return BPEI_EACH;
}
