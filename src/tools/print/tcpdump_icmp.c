/* SPDX-License-Identifier: MIT */
/* ICMP's part of tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	ICMP_REPLY = 0,
	ICMP_UNREACHABLE = 3,
	ICMP_QUENCH,
	ICMP_REDIRECT,
	ICMP_ECHO = 8,
	ICMP_ROUTER,
	ICMP_SOLICIT,
	ICMP_EXCEEDED,
	ICMP_PARAMETER,
	ICMP_TIME,
	ICMP_TIME_REPLY,
	ICMP_INFORMATION,
	ICMP_INFORMATION_REPLY,
	ICMP_MASK,
	ICMP_MASK_REPLY,
	INNER = 8,             /* the packet that the message is about */
	INNER_SOURCE = 8 + 12, /* its addresses */
	INNER_TARGET = 8 + 16,
};

static void put_target(struct tcpdump *t, const struct span *s)
{
	put_span_ip4(t, s, INNER_TARGET);
}

/* Puts "unreachable", with words in front of and behind the address. */
static void put_unreachable(
	struct tcpdump *t, const struct span *s, const char *before, const char *behind)
{
	put_string(t, before);
	put_target(t, s);
	put_text(t, " unreachable");
	put_string(t, behind);
}

static void put_port_unreachable(struct tcpdump *t, const struct span *s)
{
	const uint32_t header = (span_u8(t, s, INNER) & 15) * 4;
	const uint32_t protocol = span_u8(t, s, INNER + 9);
	const uint32_t port = span_u16(t, s, INNER + header + 2);

	put_target(t, s);
	if (protocol == 6) {
		put_number(t, " tcp port ", port);
	} else if (protocol == 17) {
		put_number(t, " udp port ", port);
	} else {
		put_number(t, " protocol ", protocol);
		put_number(t, " port ", port);
	}
	put_text(t, " unreachable");
}

static void put_too_big(struct tcpdump *t, const struct span *s)
{
	const uint32_t mtu = span_u16(t, s, 6);

	put_unreachable(t, s, "", " - need to frag");
	if (mtu) {
		put_number(t, " (mtu ", mtu);
		put_char(t, ')');
	}
}

static void put_no_destination(struct tcpdump *t, const struct span *s, uint32_t code)
{
	static const struct {
		const char *before, *behind;
	} words[] = { { "net ", "" }, { "host ", "" }, { "", "" }, { "", "" }, { "", "" },
		{ "", " - source route failed" }, { "net ", " - unknown" },
		{ "host ", " - unknown" }, { "", " - source host isolated" },
		{ "net ", " - admin prohibited" }, { "host ", " - admin prohibited" },
		{ "net ", " - tos prohibited" }, { "host ", " - tos prohibited" },
		{ "host ", " - admin prohibited filter" },
		{ "host ", " - host precedence violation" }, { "host ", " - precedence cutoff" } };

	if (code == 2) {
		put_target(t, s);
		put_number(t, " protocol ", span_u8(t, s, INNER + 9));
		put_text(t, " unreachable");
	} else if (code == 3) {
		put_port_unreachable(t, s);
	} else if (code == 4) {
		put_too_big(t, s);
	} else if (code < sizeof words / sizeof *words) {
		put_unreachable(t, s, words[code].before, words[code].behind);
	} else {
		put_unreachable(t, s, "", " - #");
		put_decimal(t, code);
	}
}

static void put_redirect(struct tcpdump *t, const struct span *s, uint32_t code)
{
	static const char *const names[] = { "redirect ", "redirect ", "redirect-tos ",
		"redirect-tos " };
	static const char *const kinds[] = { " to net ", " to host " };

	if (code < 4) {
		put_string(t, names[code]);
	} else {
		put_number(t, "redirect-#", code);
		put_char(t, ' ');
	}
	put_target(t, s);
	put_string(t, code < 4 ? kinds[code & 1] : " to ");
	put_span_ip4(t, s, 4);
}

/* Puts seconds as 1:02:03, without the parts in front that are 0. */
static void put_lifetime(struct tcpdump *t, uint32_t seconds)
{
	const uint32_t hours = seconds / 3600;
	const uint32_t minutes = seconds / 60 % 60;

	if (hours) {
		put_decimal(t, hours);
		put_char(t, ':');
		line_put_padded(t->line, minutes, 2);
		put_char(t, ':');
		line_put_padded(t->line, seconds % 60, 2);
	} else if (seconds >= 60) {
		put_decimal(t, minutes);
		put_char(t, ':');
		line_put_padded(t->line, seconds % 60, 2);
	} else {
		put_decimal(t, seconds);
	}
}

static void put_router(struct tcpdump *t, const struct span *s)
{
	const uint32_t n = span_u8(t, s, 4);
	const uint32_t words = span_u8(t, s, 5);

	put_text(t, "router advertisement lifetime ");
	put_lifetime(t, span_u16(t, s, 6));
	put_number(t, " ", n);
	put_char(t, ':');
	if (words != 2) {
		put_number(t, " [size ", words);
		put_char(t, ']');
		return;
	}
	for (uint32_t i = 0; i < n && !t->sealed; i++) {
		put_text(t, " {");
		put_span_ip4(t, s, 8 + i * 8);
		put_number(t, " ", span_u32(t, s, 12 + i * 8));
		put_char(t, '}');
	}
}

static void put_exceeded(struct tcpdump *t, uint32_t code)
{
	if (code == 0)
		put_text(t, "time exceeded in-transit");
	else if (code == 1)
		put_text(t, "ip reassembly time exceeded");
	else
		put_number(t, "time exceeded-#", code);
}

/* Puts milliseconds since midnight as 01:02:03.456. */
static void put_time_of_day(struct tcpdump *t, uint32_t ms)
{
	line_put_padded(t->line, ms / 3600000, 2);
	put_char(t, ':');
	line_put_padded(t->line, ms / 60000 % 60, 2);
	put_char(t, ':');
	line_put_padded(t->line, ms / 1000 % 60, 2);
	put_char(t, '.');
	line_put_padded(t->line, ms % 1000, 3);
}

static void put_time_stamps(struct tcpdump *t, const struct span *s, uint32_t type)
{
	put_string(t, type == ICMP_TIME ? "time stamp query id " : "time stamp reply id ");
	put_decimal(t, span_u16(t, s, 4));
	put_number(t, " seq ", span_u16(t, s, 6));
	if (type == ICMP_TIME)
		return;
	put_text(t, ": org ");
	put_time_of_day(t, span_u32(t, s, 8));
	put_text(t, ", recv ");
	put_time_of_day(t, span_u32(t, s, 12));
	put_text(t, ", xmit ");
	put_time_of_day(t, span_u32(t, s, 16));
}

static void put_message(struct tcpdump *t, const struct span *s, uint32_t type, uint32_t code)
{
	static const struct tcpdump_name plain[] = { { ICMP_QUENCH, "source quench" },
		{ ICMP_SOLICIT, "router solicitation" },
		{ ICMP_INFORMATION, "information request" },
		{ ICMP_INFORMATION_REPLY, "information reply" },
		{ ICMP_MASK, "address mask request" }, { 0, NULL } };
	const char *name = tcpdump_name(plain, type);

	if (type == ICMP_ECHO || type == ICMP_REPLY) {
		put_string(t, type == ICMP_ECHO ? "echo request, id " : "echo reply, id ");
		put_decimal(t, span_u16(t, s, 4));
		put_number(t, ", seq ", span_u16(t, s, 6));
	} else if (type == ICMP_UNREACHABLE) {
		put_no_destination(t, s, code);
	} else if (type == ICMP_REDIRECT) {
		put_redirect(t, s, code);
	} else if (type == ICMP_ROUTER) {
		put_router(t, s);
	} else if (type == ICMP_EXCEEDED) {
		span_need(t, s, INNER_TARGET, 4);
		put_exceeded(t, code);
	} else if (type == ICMP_PARAMETER && code) {
		put_number(t, "parameter problem - code ", code);
	} else if (type == ICMP_PARAMETER) {
		put_number(t, "parameter problem - octet ", span_u8(t, s, 4));
	} else if (type == ICMP_TIME || type == ICMP_TIME_REPLY) {
		put_time_stamps(t, s, type);
	} else if (type == ICMP_MASK_REPLY) {
		put_text(t, "address mask is ");
		put_0x(t, span_u32(t, s, 8), 8);
	} else if (name) {
		put_string(t, name);
	} else {
		put_number(t, "type-#", type);
	}
}

void tcpdump_put_icmp(struct tcpdump *t, const struct tcpdump_ip *ip, struct span s)
{
	char *start = t->line->at;
	uint32_t type;
	uint32_t code;

	(void)ip;
	if (t->sealed)
		return;
	t->layer = "icmp";
	type = span_u8(t, &s, 0);
	code = span_u8(t, &s, 1);
	put_text(t, "ICMP ");
	put_message(t, &s, type, code);
	if (t->sealed) {
		/* tcpdump puts a message only when all of its fields were read. */
		t->line->at = start;
		t->line->end = t->line_end;
		t->sealed = false;
		tcpdump_put_cut(t);
		return;
	}
	put_number(t, ", length ", s.length);
	if (t->options->verbose)
		tcpdump_put_icmp_details(t, s, type);
}
