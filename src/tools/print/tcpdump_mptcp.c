/* SPDX-License-Identifier: MIT */
/* The option of Multipath TCP (RFC 6824, RFC 8684) in tcpdump's line. */
#include "tcpdump_layers.h"

enum { TCP_SYN = 2, TCP_ACK = 16 };

static void put_key(struct tcpdump *t, const struct span *s, uint32_t at)
{
	put_text(t, "0x");
	put_span_hex(t, s, at, 8);
}

static bool put_capable(struct tcpdump *t, const struct span *s, uint32_t flags)
{
	const uint32_t length = s->length + 2;
	const uint32_t version = span_u8(t, s, 0) & 15;
	const bool is_first = length == 12 || (length == 4 && version >= 1);

	put_text(t, "capable");
	if (!(flags & TCP_SYN ? is_first : length == 20 || length == 22 || length == 24))
		return false;
	put_number(t, " v", version);
	if (span_u8(t, s, 1) & 0x80)
		put_text(t, " csum");
	if (length < 12)
		return true;
	put_text(t, " {");
	put_key(t, s, 2);
	if (length >= 20) {
		put_char(t, ',');
		put_key(t, s, 10);
	}
	put_char(t, '}');
	return true;
}

static bool put_join(struct tcpdump *t, const struct span *s, uint32_t flags)
{
	const uint32_t length = s->length + 2;

	put_text(t, "join");
	if (!((flags & TCP_SYN && (length == 12 || (flags & TCP_ACK && length == 16))) ||
		    (flags & TCP_ACK && length == 24)))
		return false;
	if (length == 24) {
		put_text(t, " hmac 0x");
		put_span_hex(t, s, 2, 20);
		return true;
	}
	if (length == 12 && span_u8(t, s, 0) & 1)
		put_text(t, " backup");
	put_number(t, " id ", span_u8(t, s, 1));
	if (length == 12) {
		put_text(t, " token ");
		put_0x(t, span_u32(t, s, 2), 1);
	} else {
		put_text(t, " hmac 0x");
		put_span_hex(t, s, 2, 8);
	}
	put_text(t, " nonce ");
	put_0x(t, span_u32(t, s, length == 12 ? 6 : 10), 1);
	return true;
}

/* Puts a number of 4 or 8 bytes, and moves behind the number. */
static void put_dss_number(struct tcpdump *t, const struct span *s, uint32_t *at, bool wide)
{
	if (wide)
		put_decimal(t, span_u64(t, s, *at));
	else
		put_decimal(t, span_u32(t, s, *at));
	*at += wide ? 8 : 4;
}

static bool put_dss(struct tcpdump *t, const struct span *s, uint32_t flags)
{
	uint32_t bits;
	uint32_t at = 2;

	put_text(t, "dss");
	if (s->length < 2 || flags & TCP_SYN)
		return false;
	bits = span_u8(t, s, 1);
	if (bits & 16)
		put_text(t, " fin");
	if (bits & 1) {
		put_text(t, " ack ");
		if (s->length - at < (bits & 2 ? 8u : 4u))
			return false;
		put_dss_number(t, s, &at, bits & 2);
	}
	if (!(bits & 4))
		return at == s->length;
	put_text(t, " seq ");
	if (s->length - at < (bits & 8 ? 8u : 4u))
		return false;
	put_dss_number(t, s, &at, bits & 8);
	put_text(t, " subseq ");
	if (s->length - at < 4)
		return false;
	put_dss_number(t, s, &at, false);
	if (s->length - at < 2)
		return false;
	put_number(t, " len ", span_u16(t, s, at));
	at += 2;
	if (s->length - at >= 2) {
		put_text(t, " csum ");
		put_0x(t, span_u16(t, s, at), 1);
		at += 2;
	}
	return at == s->length;
}

static bool put_add_address(struct tcpdump *t, const struct span *s)
{
	const uint32_t length = s->length + 2;
	const uint32_t version = span_u8(t, s, 0) & 15;
	const bool is_ip4 = length == 8 || length == 10 || length == 16 || length == 18;
	uint32_t at = 2;

	put_text(t, "add-addr");
	if (!is_ip4 && length != 20 && length != 22 && length != 28 && length != 30)
		return false;
	if (version == 4 || version == 6)
		put_number(t, " v0-ip", version);
	else
		put_text(t, " v1");
	if (version == 1)
		put_text(t, " echo");
	put_number(t, " id ", span_u8(t, s, 1));
	put_char(t, ' ');
	if (is_ip4)
		put_span_ip4(t, s, at);
	else
		put_span_ip6(t, s, at);
	at += is_ip4 ? 4 : 16;
	if ((s->length - at) % 8 == 2) {
		put_number(t, ":", span_u16(t, s, at));
		at += 2;
	}
	if (s->length - at == 8) {
		put_text(t, " hmac 0x");
		put_span_hex(t, s, at, 8);
	}
	return true;
}

static bool put_remove_address(struct tcpdump *t, const struct span *s)
{
	put_text(t, "rem-addr id");
	for (uint32_t at = 1; at < s->length; at++)
		put_number(t, " ", span_u8(t, s, at));
	return s->length > 1;
}

static bool put_priority(struct tcpdump *t, const struct span *s)
{
	put_text(t, "prio");
	if (s->length > 2)
		return false;
	if (span_u8(t, s, 0) & 1)
		put_text(t, " backup");
	if (s->length == 2)
		put_number(t, " id ", span_u8(t, s, 1));
	return true;
}

bool tcpdump_put_mptcp(struct tcpdump *t, struct span s, uint32_t flags)
{
	if (!s.length)
		return false;
	switch (span_u8(t, &s, 0) >> 4) {
	case 0:
		return put_capable(t, &s, flags);
	case 1:
		return put_join(t, &s, flags);
	case 2:
		return put_dss(t, &s, flags);
	case 3:
		return put_add_address(t, &s);
	case 4:
		return put_remove_address(t, &s);
	case 5:
		return put_priority(t, &s);
	case 6:
		put_text(t, "fail");
		put_number(t, " seq ", span_u64(t, &s, 2));
		return s.length == 10;
	case 7:
		put_text(t, "fast-close");
		put_text(t, " key ");
		put_0x(t, span_u64(t, &s, 2), 1);
		return s.length == 10;
	default:
		put_text(t, "unknown");
		return true;
	}
}
