/* SPDX-License-Identifier: MIT */
/* DHCP over IPv4.  Stateless. */
#include "inspect/dhcp.h"

#include "inspect/dns.h"
#include "inspect/dns_text.h"

#include "base/bytes.h"

#include <string.h>

/* Offsets and values (RFC 2131, 2). */
#define FIXED_BYTES 240u
#define AT_CIADDR 12u
#define AT_YIADDR 16u
#define AT_CHADDR 28u
#define AT_COOKIE 236u
#define COOKIE 0x63825363u

/* Options (RFC 2132, RFC 4702). */
#define OPTION_NAME 12u
#define OPTION_REQUESTED 50u
#define OPTION_LEASE 51u
#define OPTION_TYPE 53u
#define OPTION_SERVER 54u
#define OPTION_FQDN 81u
#define OPTION_END 255u

enum { DHCP_REQUEST = 3, DHCP_ACK = 5, DHCP_INFORM = 8, DHCP_LAST = 18 };

/* The options' values. */
struct dhcp_options {
	const uint8_t *requested;
	uint32_t type;
	bool server;
};

/* Writes a name which was made into said->name; without the final dot, and not the root alone. */
static void keep_host_name(struct bpei_dhcp_said *said, const struct bpei_dns_text *text)
{
	size_t n = text->n;

	if (text->cut)
		return;
	if (n && text->to[n - 1] == '.')
		n--;
	if (!n)
		return;
	memcpy(said->name, text->to, n);
	said->name[n] = 0;
}

void bpei_dhcp_name_text(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n)
{
	char name[sizeof said->name];
	struct bpei_dns_text text = bpei_dns_text_init(name, sizeof name);

	while (n && !bytes[n - 1])
		n--;
	bpei_dns_text_escaped(&text, bytes, n, "\\");
	keep_host_name(said, &text);
}

void bpei_dhcp_name_wire(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n)
{
	char name[sizeof said->name];
	struct bpei_dns_text text = bpei_dns_text_init(name, sizeof name);

	for (uint32_t at = 0; at < n && bytes[at]; at += 1u + bytes[at]) {
		if (bytes[at] > 63 || bytes[at] >= n - at)
			return;
		if (at)
			bpei_dns_text_word(&text, ".");
		bpei_dns_text_escaped(&text, bytes + at + 1, bytes[at], ".\\");
	}
	keep_host_name(said, &text);
}

/* Takes an option. */
static void take_dhcp_option(struct bpei_dhcp_said *said, struct dhcp_options *options,
	uint32_t code, const uint8_t *value, uint32_t n)
{
	switch (code) {
	case OPTION_NAME:
		/* The fully qualified name says more. */
		if (!said->name[0])
			bpei_dhcp_name_text(said, value, n);
		break;
	case OPTION_REQUESTED:
		if (n == 4)
			options->requested = value;
		break;
	case OPTION_LEASE:
		if (n == 4)
			said->ttl_s = bpei_be32(value);
		break;
	case OPTION_TYPE:
		if (n == 1)
			options->type = *value;
		break;
	case OPTION_SERVER:
		options->server = n == 4;
		break;
	case OPTION_FQDN:
		if (n > 3 && value[0] & 4)
			bpei_dhcp_name_wire(said, value + 3, n - 3);
		else if (n > 3)
			bpei_dhcp_name_text(said, value + 3, n - 3);
		break;
	default:
		break;
	}
}

/* Reads the options behind the cookie; returns whether they are well-formed. */
static bool read_dhcp_options(
	struct bpei_dhcp_said *said, struct dhcp_options *options, const uint8_t *bytes, uint32_t n)
{
	uint32_t at = FIXED_BYTES;

	while (at < n && bytes[at] != OPTION_END) {
		if (!bytes[at]) {
			at++;
			continue;
		}
		if (n - at < 2 || bytes[at + 1] > n - at - 2)
			return false;
		take_dhcp_option(said, options, bytes[at], bytes + at + 2, bytes[at + 1]);
		at += 2u + bytes[at + 1];
	}
	return true;
}

/* Notes an address which is not 0.0.0.0. */
static void add_dhcp_address(struct bpei_dhcp_said *said, const uint8_t *address)
{
	if (!bpei_load32(address))
		return;
	memcpy(said->address[0], address, 4);
	said->count = 1;
}

bool bpei_dhcp_read(struct bpei_dhcp_said *said, const uint8_t *bytes, uint32_t n)
{
	struct dhcp_options options = { 0 };

	*said = (struct bpei_dhcp_said){ .version = 4 };
	if (n < FIXED_BYTES || bpei_be32(bytes + AT_COOKIE) != COOKIE || bytes[2] > 16)
		return false;
	if (!read_dhcp_options(said, &options, bytes, n))
		return false;
	said->client = bytes + AT_CHADDR;
	said->client_bytes = bytes[2];
	if (bytes[0] == 2) {
		said->reply = options.type == DHCP_ACK;
		if (said->reply)
			add_dhcp_address(said, bytes + AT_YIADDR);
		/* The answer to an inform has no yiaddr. */
		if (said->reply && !said->count)
			add_dhcp_address(said, bytes + AT_CIADDR);
		return true;
	}
	/* A client has ciaddr, or takes the address which a server just offered. */
	if (options.type == DHCP_REQUEST || options.type == DHCP_INFORM)
		add_dhcp_address(said, bytes + AT_CIADDR);
	if (!said->count && options.type == DHCP_REQUEST && options.server && options.requested)
		add_dhcp_address(said, options.requested);
	said->sure = said->count != 0;
	return true;
}

enum bpei_verdict bpei_read_dhcp(
	struct bpei_inspector *in, struct bpei_stream *stream, struct bpe_flow_names *said)
{
	const uint8_t *bytes = stream->bytes;

	(void)in;
	if (!stream->ends || !stream->datagrams || stream->ends[0] < FIXED_BYTES)
		return BPEI_NOT;
	/* The cookie is the strongest fact: operation, hardware and hops agree. */
	if (bpei_be32(bytes + AT_COOKIE) != COOKIE || bytes[0] < 1 || bytes[0] > 2)
		return BPEI_NOT;
	if (bytes[1] > 40 || bytes[2] > 16 || bytes[3] > 16)
		return BPEI_NOT;
	said->app = BPE_APP_DHCP;
	return BPEI_EACH;
}
