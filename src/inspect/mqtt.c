/* SPDX-License-Identifier: MIT */
/* MQTT 3.1, 3.1.1 and 5 (OASIS mqtt-v3.1.1-os, mqtt-v5.0-os).  A client begins with CONNECT: the
 * protocol's name, its level, flags, and fields with lengths in agreement (3.1).  A server's
 * CONNACK (3.2) has few bytes, so another packet must follow unless the client is known.  Pure. */
#include "base/cursor.h"
#include "inspect/lines.h"
#include "inspect/readers.h"

/* Takes a number of 7 bits a byte (1.5.5): at most 4 bytes. */
static uint32_t take_mqtt_number(struct bpei_cursor *c)
{
	uint32_t number = 0;

	for (uint32_t shift = 0; shift < 28; shift += 7) {
		const uint8_t byte = bpei_cursor_u8(c);

		number |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	c->bad = true;
	return 0;
}

/* Takes a field: a length of 2 bytes, and the bytes. */
static void take_mqtt_field(struct bpei_cursor *c)
{
	bpei_cursor_take(c, bpei_cursor_u16(c, true));
}

/* Returns whether the bytes behind a CONNECT's head add up to the length (3.1.3). */
static bool check_mqtt_fields(struct bpei_cursor *c, uint8_t level, uint8_t flags)
{
	bpei_cursor_take(c, 2); /* keep alive */
	if (level == 5)
		bpei_cursor_take(c, take_mqtt_number(c));
	take_mqtt_field(c); /* client's name */
	if (flags & 4) {    /* will */
		if (level == 5)
			bpei_cursor_take(c, take_mqtt_number(c));
		take_mqtt_field(c);
		take_mqtt_field(c);
	}
	if (flags & 0x80)
		take_mqtt_field(c);
	if (flags & 0x40)
		take_mqtt_field(c);
	return !c->bad && !bpei_cursor_left(c);
}

/* Reads the CONNECT of a client. */
static enum bpei_verdict read_mqtt_client(struct bpei_stream *s, struct bpe_flow_names *said)
{
	struct bpei_cursor c = bpei_cursor_init(s->bytes, s->n);

	bpei_cursor_take(&c, 1);
	const uint32_t length = take_mqtt_number(&c);
	if (!c.bad && length < 12)
		return BPEI_NOT;
	const uint32_t head = (uint32_t)(c.next - s->bytes);
	if (c.bad || s->n < head + 10)
		return bpei_stream_over(s) || s->n > 5 + 10 ? BPEI_NOT : bpei_stream_more(s, 0);
	const uint32_t name = bpei_be16(c.next);
	const bool v31 = name == 6 && memcmp(c.next + 2, "MQIsdp", 6) == 0;
	if (!v31 && (name != 4 || memcmp(c.next + 2, "MQTT", 4) != 0))
		return BPEI_NOT;
	const uint8_t level = c.next[2 + name] & 0x7f; /* the highest bit: of a bridge */
	if (v31 ? level != 3 : level != 4 && level != 5)
		return BPEI_NOT;
	if (head + length > BPEI_STREAM_MOST) { /* a will or a long password */
		said->app = BPE_APP_MQTT;
		return BPEI_DONE;
	}
	if (s->n < head + length)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, head + length);
	const uint8_t flags = c.next[3 + name];
	c.end = c.next + length;
	bpei_cursor_take(&c, 4 + name);
	if ((flags & 1) || (flags & 0x18) == 0x18 || !check_mqtt_fields(&c, level, flags))
		return BPEI_NOT;
	said->app = BPE_APP_MQTT;
	return BPEI_DONE;
}

/* Returns whether the packet at `at` can follow a CONNACK, by type, flags and length; SHORT: there
 * is none. */
static enum bpei_match match_mqtt_second(const struct bpei_stream *s, uint32_t at)
{
	if (s->n < at + 2)
		return BPEI_MATCH_SHORT;
	const uint8_t length = s->bytes[at + 1];
	switch (s->bytes[at]) {
	case 0x40: /* PUBACK */
	case 0x50:
	case 0x62:
	case 0x70:
	case 0xb0: /* UNSUBACK */
		return length >= 2 && length <= 4 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	case 0x90: /* SUBACK */
		return length >= 3 && length <= 32 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	case 0xd0: /* PINGRESP */
		return length == 0 ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	default:
		return BPEI_MATCH_NO;
	}
}

/* Reads the CONNACK of a server. */
static enum bpei_verdict read_mqtt_server(struct bpei_stream *s, struct bpe_flow_names *said)
{
	const uint8_t *const p = s->bytes;
	const bool known = said->app == BPE_APP_MQTT;

	if (s->n < 4)
		return bpei_stream_over(s) ? BPEI_NOT : bpei_stream_more(s, 4);
	if (p[1] < 2 || p[1] > 127 || p[2] > 1)
		return BPEI_NOT;
	if (known)
		return BPEI_DONE;
	if (p[1] != 2 || p[3] != 0) /* only the short form, and only accepted */
		return BPEI_NOT;
	const enum bpei_match match = match_mqtt_second(s, 4);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 6);
	if (match != BPEI_MATCH_YES)
		return BPEI_NOT;
	said->app = BPE_APP_MQTT;
	return BPEI_DONE;
}

enum bpei_verdict bpei_read_mqtt(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	(void)in;
	if (s->n && s->bytes[0] == 0x10)
		return read_mqtt_client(s, said);
	if (s->n && s->bytes[0] == 0x20)
		return read_mqtt_server(s, said);
	return BPEI_NOT;
}
