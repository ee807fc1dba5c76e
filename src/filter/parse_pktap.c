/* SPDX-License-Identifier: MIT */
/* The terms of PKTAP packets: pid, epid, proc, eproc, svc, if.  Grammar and meaning (base/pktap.h).
 * The numbers in the header are in the byte order of Macs, a program's loads in network order, so
 * the constants are swapped. */
#include "base/pktap.h"
#include "filter/parse.h"
#include "filter/places.h"

#include <string.h>

static int32_t test_pktap_number(struct bpei_compile *c, uint32_t at, uint32_t number)
{
	return bpei_place_is(c, 4, bpei_place_from_start(at), 0, __builtin_bswap32(number));
}

/* Tests a name in a field of `most` bytes, which holds the 0 at the name's end, too. */
static int32_t test_pktap_name(struct bpei_compile *c, uint32_t at, uint32_t most, const char *text)
{
	const uint32_t n = (uint32_t)strlen(text);
	const struct place field = bpei_place_from_start(at);
	int32_t b = -1;

	if (n >= most)
		return bpei_compile_fail(c, "names have at most %u characters here", most - 1);
	for (uint32_t i = 0; i <= n; i++) {
		const int32_t equal = bpei_place_is(c, 1, field, i, (uint8_t)text[i]);

		b = b < 0 ? equal : bpei_and(c, b, equal);
	}
	return b;
}

/* Returns the test for a packet without a process: the kernel does not know the process, or looks
 * for it only when the packet is read (PTH_FLAG_DELAY_PKTAP). */
int32_t bpei_term_pktap_unknown(struct bpei_compile *c)
{
	const struct place second_byte = bpei_place_from_start(PKTAP_FLAGS + 1);
	const int32_t unknown = test_pktap_number(c, PKTAP_PID, UINT32_MAX);

	return bpei_or(c, bpei_place_has(c, second_byte, 0, PKTAP_DELAYED >> 8), unknown);
}

int32_t bpei_term_pktap_flag(struct bpei_compile *c, uint32_t flag)
{
	return bpei_place_has(c, bpei_place_from_start(PKTAP_FLAGS), 0, flag);
}

/* Service classes by Apple's names (sys/socket.h, SO_TC_).  Numbers are accepted, too. */
static const struct {
	const char *name;
	uint32_t number;
} classes[] = { { "BK_SYS", 100 }, { "BK", 200 }, { "BE", 0 }, { "RD", 300 }, { "OAM", 400 },
	{ "AV", 500 }, { "RV", 600 }, { "VI", 700 }, { "VO", 800 }, { "CTL", 900 } };

static int32_t parse_service_class(struct bpei_compile *c)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (c->token == T_NAME && !strcmp(classes[i].name, c->word))
			return test_pktap_number(c, PKTAP_SVC, classes[i].number);
	return bpei_compile_fail(
		c, "no service class: BK_SYS, BK, BE, RD, OAM, AV, RV, VI, VO and CTL are");
}

/* Parses a process's or interface's name, which is taken literally, even if it is a keyword. */
static int32_t parse_pktap_name(struct bpei_compile *c, uint32_t at)
{
	const size_t from = c->text[c->token_at] == '\\';
	char name[64];
	size_t n = c->token_length;

	if (n > sizeof name - 1)
		n = sizeof name - 1;
	memcpy(name, c->text + c->token_at + from, n - from);
	name[n - from] = 0;
	return test_pktap_name(
		c, at, at == PKTAP_IFNAME ? PKTAP_IFNAME_BYTES : PKTAP_COMM_BYTES, name);
}

int32_t bpei_parse_pktap(struct bpei_compile *c)
{
	const uint32_t at = c->number;
	int32_t b;

	c->process |= at != PKTAP_SVC && at != PKTAP_IFNAME;
	bpei_lex_next(c);
	if (at == PKTAP_PID || at == PKTAP_EPID || (at == PKTAP_SVC && c->token == T_NUMBER)) {
		if (c->token != T_NUMBER)
			return bpei_parse_unexpected(c, "a number");
		b = test_pktap_number(c, at, c->number);
	} else if (c->token == T_END || c->token_length == 0 ||
		   strchr("()", c->text[c->token_at])) {
		return bpei_parse_unexpected(c, "a name");
	} else if (at == PKTAP_SVC) {
		b = parse_service_class(c);
	} else {
		b = parse_pktap_name(c, at);
	}
	if (c->failed)
		return -1;
	bpei_lex_next(c);
	return b;
}
