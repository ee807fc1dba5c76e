/* SPDX-License-Identifier: MIT */
/* SNMP 1, 2c and 3 (RFC 1157 4, RFC 3416 3, RFC 3412 6) in BER.  The version, the kinds of the
 * fields and all lengths must fit, up to the end of the datagram.  Pure. */
#include "base/cursor.h"
#include "inspect/datagrams.h"
#include "inspect/readers.h"

#define SEQUENCE 0x30u
#define INTEGER 0x02u
#define OCTETS 0x04u
#define OBJECT 0x06u
#define TIMETICKS 0x43u
#define IPADDRESS 0x40u

/* Takes the head of a value of BER with the kind given, or any kind at 0.  Returns the value as a
 * cursor, bad if the value does not fit; *c goes behind. */
static struct bpei_cursor take_ber(struct bpei_cursor *c, uint8_t kind)
{
	const uint8_t found = bpei_cursor_u8(c);
	uint32_t length = bpei_cursor_u8(c);

	if (length > 0x80) {
		uint32_t bytes = length & 0x7f;

		length = 0;
		c->bad = c->bad || bytes > 4;
		for (; bytes && !c->bad; bytes--)
			length = length << 8 | bpei_cursor_u8(c);
	} else if (length == 0x80) {
		c->bad = true; /* no length */
	}
	c->bad = c->bad || (kind && found != kind);
	const uint8_t *const value = bpei_cursor_take(c, length);
	struct bpei_cursor inside = *c;
	inside.end = c->next;
	inside.next = value ? value : c->next;
	return inside;
}

/* Takes a whole number of 1 to 5 bytes; c->bad if there is none. */
static uint64_t take_ber_number(struct bpei_cursor *c)
{
	struct bpei_cursor value = take_ber(c, INTEGER);
	uint64_t number = 0;

	if (!bpei_cursor_left(&value) || bpei_cursor_left(&value) > 5)
		c->bad = true;
	while (bpei_cursor_left(&value))
		number = number << 8 | bpei_cursor_u8(&value);
	return number;
}

/* Returns whether all bindings are sequences of an object and a value. */
static bool check_snmp_bindings(struct bpei_cursor list)
{
	while (!list.bad && bpei_cursor_left(&list)) {
		struct bpei_cursor binding = take_ber(&list, SEQUENCE);

		take_ber(&binding, OBJECT);
		take_ber(&binding, 0);
		if (binding.bad || bpei_cursor_left(&binding))
			return false;
	}
	return !list.bad;
}

/* Returns whether the rest of a message of version 1 or 2c is a PDU. */
static bool check_snmp_pdu(struct bpei_cursor *c)
{
	const uint8_t kind = bpei_cursor_left(c) ? *c->next : 0;
	struct bpei_cursor pdu = take_ber(c, 0);

	if (kind < 0xa0 || kind > 0xa8 || pdu.bad || bpei_cursor_left(c))
		return false;
	if (kind == 0xa4) { /* trap of version 1: enterprise, agent, two numbers, time */
		take_ber(&pdu, OBJECT);
		take_ber(&pdu, IPADDRESS);
		take_ber_number(&pdu);
		take_ber_number(&pdu);
		take_ber(&pdu, TIMETICKS);
	} else {
		take_ber(&pdu, INTEGER); /* request: any number */
		take_ber_number(&pdu);
		take_ber_number(&pdu);
	}
	const struct bpei_cursor bindings = take_ber(&pdu, SEQUENCE);
	return !pdu.bad && !bpei_cursor_left(&pdu) && check_snmp_bindings(bindings);
}

/* Returns whether the rest of a message of version 3 has header, security and data. */
static bool check_snmp_v3(struct bpei_cursor *c)
{
	struct bpei_cursor header = take_ber(c, SEQUENCE);

	take_ber_number(&header);
	const uint64_t most = take_ber_number(&header);
	const struct bpei_cursor flags = take_ber(&header, OCTETS);
	const uint64_t model = take_ber_number(&header);
	if (header.bad || bpei_cursor_left(&header) || bpei_cursor_left(&flags) != 1 ||
		*flags.next > 7 || most < 484 || most > 0x7fffffff || model < 1)
		return false;
	take_ber(c, OCTETS);
	const uint8_t kind = bpei_cursor_left(c) ? *c->next : 0;
	take_ber(c, (*flags.next & 2) ? OCTETS : SEQUENCE);
	return kind && !c->bad && !bpei_cursor_left(c);
}

enum bpei_verdict bpei_read_snmp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint32_t n;

	(void)in;
	if (!s->datagrams || s->n < 10 || s->bytes[0] != SEQUENCE)
		return BPEI_NOT;
	const uint8_t *const p = bpei_datagram(s, 0, &n);
	struct bpei_cursor datagram = bpei_cursor_init(p, n);
	struct bpei_cursor message = take_ber(&datagram, SEQUENCE);
	if (message.bad || bpei_cursor_left(&datagram))
		return BPEI_NOT;
	const uint64_t version = take_ber_number(&message);
	bool fits = false;
	if (version == 3) {
		fits = check_snmp_v3(&message);
	} else if (version <= 1) {
		take_ber(&message, OCTETS);
		fits = !message.bad && check_snmp_pdu(&message);
	}
	if (!fits)
		return BPEI_NOT;
	said->app = BPE_APP_SNMP;
	return BPEI_DONE;
}
