/* SPDX-License-Identifier: MIT */
/* TCP's options in tcpdump's line. */
#include "tcpdump_layers.h"

enum {
	OPTION_END,
	OPTION_NOP,
	OPTION_MSS,
	OPTION_SCALE,
	OPTION_SACK_OK,
	OPTION_SACK,
	OPTION_ECHO,
	OPTION_ECHO_REPLY,
	OPTION_TIMES,
	OPTION_CC = 11,
	OPTION_CC_NEW,
	OPTION_CC_ECHO,
	OPTION_MD5 = 19,
	OPTION_SCPS,
	OPTION_USER_TIMEOUT = 28,
	OPTION_AO,
	OPTION_MPTCP,
	OPTION_FAST_OPEN = 34,
	OPTION_EXPERIMENT = 254,
	MAGIC_FAST_OPEN = 0xf989,
	MAGIC_ECN_0 = 0xacc0,
	MAGIC_ECN_1 = 0xacc1,
	TCP_SYN = 2,
};

static const struct tcpdump_name option_names[] = { { OPTION_END, "eol" }, { OPTION_NOP, "nop" },
	{ OPTION_MSS, "mss" }, { OPTION_SCALE, "wscale" }, { OPTION_SACK_OK, "sackOK" },
	{ OPTION_SACK, "sack" }, { OPTION_ECHO, "echo" }, { OPTION_ECHO_REPLY, "echoreply" },
	{ OPTION_TIMES, "TS" }, { OPTION_CC, "cc" }, { OPTION_CC_NEW, "ccnew" },
	{ OPTION_CC_ECHO, "" }, { OPTION_MD5, "md5" }, { OPTION_SCPS, "scps" },
	{ OPTION_USER_TIMEOUT, "uto" }, { OPTION_AO, "tcp-ao" }, { OPTION_MPTCP, "mptcp" },
	{ OPTION_FAST_OPEN, "tfo" }, { 0, NULL } };

/* An option: its bytes behind kind and length. */
struct tcp_option {
	struct span data;
	uint32_t kind, length; /* length: with kind and length themselves */
	uint32_t flags;        /* of the segment */
	bool is_first;         /* of the options */
	const uint32_t *first;
};

static void put_sack(struct tcpdump *t, const struct tcp_option *option)
{
	const uint32_t bytes = option->data.length;

	if (bytes % 8) {
		put_text(t, " invalid sack");
		return;
	}
	put_number(t, " ", bytes / 8);
	put_char(t, ' ');
	for (uint32_t at = 0; at < bytes; at += 8) {
		if (!span_has(&option->data, at, 8)) {
			tcpdump_put_short(t);
			if (!option->is_first)
				put_char(t, '>');
			tcpdump_seal(t);
			return;
		}
		put_number(t, "{", (uint32_t)(span_u32(t, &option->data, at) - option->first[1]));
		put_number(
			t, ":", (uint32_t)(span_u32(t, &option->data, at + 4) - option->first[1]));
		put_char(t, '}');
	}
}

/* Puts the cookie of TCP Fast Open, `skip` bytes into the option. */
static void put_fast_open(struct tcpdump *t, const struct tcp_option *option, uint32_t skip)
{
	const uint32_t bytes = option->data.length - skip;

	if (!bytes) {
		put_text(t, " cookiereq");
		return;
	}
	if (bytes % 2 || bytes < 4 || bytes > 16) {
		put_text(t, " (invalid)");
		return;
	}
	put_text(t, " cookie ");
	put_span_hex(t, &option->data, skip, bytes);
}

static void put_authentication(struct tcpdump *t, const struct tcp_option *option)
{
	if (option->length < 4) {
		put_text(t, " (invalid)");
		return;
	}
	put_number(t, " keyid ", span_u8(t, &option->data, 0));
	put_number(t, " rnextkeyid ", span_u8(t, &option->data, 1));
	if (option->data.length > 2) {
		put_text(t, " mac 0x");
		for (uint32_t at = 2; at < option->data.length; at++)
			put_hex(t, span_u8(t, &option->data, at), 2);
	}
}

static void put_user_timeout(struct tcpdump *t, const struct tcp_option *option)
{
	const uint32_t value = span_u16(t, &option->data, 0);
	const uint32_t count = value >> 1;

	put_text(t, " ");
	put_0x(t, value, 1);
	put_char(t, ' ');
	/* RFC 5482 has the bit for minutes on the left; tcpdump takes the bit on the right. */
	put_decimal(t, value & 1 ? count * 60 : count);
}

static void put_unknown_option(struct tcpdump *t, const struct tcp_option *option)
{
	put_number(t, "unknown-", option->kind);
	if (option->data.length)
		put_text(t, " 0x");
	for (uint32_t at = 0; at < option->data.length && !t->sealed; at++)
		put_hex(t, span_u8(t, &option->data, at), 2);
}

static void put_experiment(struct tcpdump *t, const struct tcp_option *option)
{
	const uint32_t magic = option->data.length < 2 ? 0 : span_u16(t, &option->data, 0);

	if (magic == MAGIC_FAST_OPEN) {
		put_text(t, "exp-tfo");
		put_fast_open(t, option, 2);
	} else if (magic == MAGIC_ECN_0 || magic == MAGIC_ECN_1) {
		put_string(t, magic == MAGIC_ECN_0 ? "exp-acc0" : "exp-acc1");
	} else {
		put_unknown_option(t, option);
	}
}

/* Puts two numbers of 4 bytes, or of 1 and 1. */
static void put_times(struct tcpdump *t, const struct tcp_option *option)
{
	put_number(t, " val ", span_u32(t, &option->data, 0));
	put_number(t, " ecr ", span_u32(t, &option->data, 4));
}

/* Bytes of an option of a fixed length; 0: of any length. */
static uint32_t fixed_length(uint32_t kind)
{
	static const uint8_t lengths[] = { 0, 0, 4, 3, 2, 0, 6, 6, 10, 0, 0, 6, 6, 6, 0, 0, 0, 0, 0,
		18, 4, 0, 0, 0, 0, 0, 0, 0, 4 };

	return kind < sizeof lengths ? lengths[kind] : 0;
}

/* Returns false if the length of the option is wrong. */
static bool put_option_value(struct tcpdump *t, const struct tcp_option *option)
{
	const struct span *data = &option->data;

	switch (option->kind) {
	case OPTION_MSS:
		put_number(t, " ", span_u16(t, data, 0));
		break;
	case OPTION_SCALE:
		put_number(t, " ", span_u8(t, data, 0));
		break;
	case OPTION_SACK:
		put_sack(t, option);
		break;
	case OPTION_ECHO:
	case OPTION_ECHO_REPLY:
	case OPTION_CC:
	case OPTION_CC_NEW:
	case OPTION_CC_ECHO:
		put_number(t, " ", span_u32(t, data, 0));
		break;
	case OPTION_TIMES:
		put_times(t, option);
		break;
	case OPTION_MD5:
		put_text(t, " shared secret not supplied with -M, can't check - ");
		put_span_hex(t, data, 0, 16);
		break;
	case OPTION_SCPS:
		put_text(t, " cap ");
		put_hex(t, span_u8(t, data, 0), 2);
		put_number(t, " id ", span_u8(t, data, 1));
		break;
	case OPTION_USER_TIMEOUT:
		put_user_timeout(t, option);
		break;
	case OPTION_AO:
		put_authentication(t, option);
		break;
	case OPTION_FAST_OPEN:
		put_char(t, ' ');
		put_fast_open(t, option, 0);
		break;
	case OPTION_MPTCP:
		put_number(t, " ", option->length);
		put_char(t, ' ');
		return tcpdump_put_mptcp(t, *data, option->flags);
	default:
		break;
	}
	return true;
}

/* Puts an option; returns false if the option is unreadable.  left: bytes of options behind kind
 * and length; a value of a fixed length is read from these, as tcpdump does. */
static bool put_option(struct tcpdump *t, const struct tcp_option *option, uint32_t left)
{
	const char *name = tcpdump_name(option_names, option->kind);
	const uint32_t wanted = fixed_length(option->kind);
	const bool is_short = wanted > 2 && wanted - 2 > left;

	if (option->kind == OPTION_EXPERIMENT) {
		put_experiment(t, option);
		return true;
	}
	if (!name) {
		put_unknown_option(t, option);
		return true;
	}
	put_string(t, name);
	if (!is_short && wanted > 2 && !span_has(&option->data, 0, wanted - 2)) {
		tcpdump_put_short(t);
		if (!option->is_first)
			put_char(t, '>');
		tcpdump_seal(t);
		return true;
	}
	if (is_short || !put_option_value(t, option))
		return false;
	if (wanted && wanted != option->length) {
		put_number(t, "[len ", option->length);
		put_char(t, ']');
	}
	return true;
}

/* Reads the option at `at`; returns false if its length is wrong. */
static bool read_option(
	struct tcpdump *t, const struct span *s, uint32_t at, struct tcp_option *option)
{
	option->kind = span_u8(t, s, at);
	option->length = 1;
	if (option->kind <= OPTION_NOP)
		return true;
	if (at + 1 >= s->length)
		return false;
	option->length = span_u8(t, s, at + 1);
	if (t->sealed)
		return true;
	if (option->length < 2 || option->length > s->length - at)
		return false;
	option->data = span_behind(s, at + 2);
	option->data.length = option->length - 2;
	return true;
}

bool tcpdump_put_tcp_options(
	struct tcpdump *t, struct span s, uint32_t flags, const uint32_t first[2])
{
	struct tcp_option option = { .flags = flags, .first = first };

	put_text(t, ", options [");
	for (uint32_t at = 0; at < s.length && !t->sealed; at += option.length) {
		bool good;

		option.is_first = !at;
		if (at)
			put_char(t, ',');
		good = read_option(t, &s, at, &option);
		if (good && option.kind <= OPTION_NOP)
			put_string(t, option_names[option.kind].name);
		else if (good && !t->sealed)
			good = put_option(t, &option, s.length - at - 2);
		if (!good) {
			put_text(t, "[bad opt]");
			if (at)
				put_char(t, ']');
			return false;
		}
		if (option.kind == OPTION_END)
			break;
		if (fixed_length(option.kind))
			option.length = fixed_length(option.kind);
	}
	put_char(t, ']');
	return true;
}
