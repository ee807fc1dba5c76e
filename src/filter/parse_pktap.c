/* SPDX-License-Identifier: MIT */
/* What PKTAP packets say of themselves: pid, epid, proc, eproc, svc, if; grammar and meaning
 * (base/pktap.h).  The numbers of the header are in the byte order of Macs, a program's loads in
 * network order: the constants are turned round. */
#include "base/pktap.h"
#include "filter/parse.h"
#include "filter/terms.h"

#include <string.h>

static int32_t number_is(struct bpei_compile *c, uint32_t at, uint32_t number)
{
	return bpei_at_is(c, 4, (struct place){ -1, at }, 0, __builtin_bswap32(number));
}

/* A name in a field of `most` bytes, its end included. */
static int32_t text_is(struct bpei_compile *c, uint32_t at, uint32_t most, const char *text)
{
	uint32_t n = (uint32_t)strlen(text);
	int32_t b = -1;
	if (n >= most)
		return bpei_compile_fail(c, "names have at most %u characters here", most - 1);
	for (uint32_t i = 0; i <= n; i++) { /* with the 0 at its end */
		int32_t t = bpei_at_is(c, 1, (struct place){ -1, at }, i, (uint8_t)text[i]);
		b = b < 0 ? t : bpei_and(c, b, t);
	}
	return b;
}

/* A packet whose process the kernel has not found, or looks for only when it is read
 * (PTH_FLAG_DELAY_PKTAP). */
int32_t bpei_term_pktap_unknown(struct bpei_compile *c)
{
	return bpei_or(c,
		bpei_at_has(c, (struct place){ -1, PKTAP_FLAGS + 1 }, 0, PKTAP_DELAYED >> 8),
		number_is(c, PKTAP_PID, UINT32_MAX));
}

int32_t bpei_term_pktap_flag(struct bpei_compile *c, uint32_t flag)
{
	return bpei_at_has(c, (struct place){ -1, PKTAP_FLAGS }, 0, flag);
}

/* Service classes by Apple's names (sys/socket.h, SO_TC_): numbers are taken as well. */
static const struct {
	const char *name;
	uint32_t number;
} classes[] = { { "BK_SYS", 100 }, { "BK", 200 }, { "BE", 0 }, { "RD", 300 }, { "OAM", 400 },
	{ "AV", 500 }, { "RV", 600 }, { "VI", 700 }, { "VO", 800 }, { "CTL", 900 } };

int32_t bpei_parse_pktap(struct bpei_compile *c)
{
	const uint32_t at = c->number;
	int32_t b = -1;
	c->process |= at != PKTAP_SVC && at != PKTAP_IFNAME;
	bpei_lex_next(c);
	if (at == PKTAP_PID || at == PKTAP_EPID || (at == PKTAP_SVC && c->token == T_NUMBER)) {
		if (c->token != T_NUMBER)
			return bpei_parse_unexpected(c, "a number");
		b = number_is(c, at, c->number);
	} else if (c->token == T_END || c->token_length == 0 ||
		   strchr("()", c->text[c->token_at])) {
		return bpei_parse_unexpected(c, "a name");
	} else if (at == PKTAP_SVC) {
		for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
			if (c->token == T_NAME && !strcmp(classes[i].name, c->word))
				b = number_is(c, at, classes[i].number);
		if (b < 0 && !c->failed)
			return bpei_compile_fail(c,
				"no service class: BK_SYS, BK, BE, RD, OAM, AV, RV, VI, VO and CTL are");
	} else {
		char name[64]; /* as it stands, whatever word it is to others */
		size_t n = c->token_length < sizeof name ? c->token_length : sizeof name - 1,
		       from = c->text[c->token_at] == '\\';
		memcpy(name, c->text + c->token_at + from, n - from);
		name[n - from] = 0;
		b = text_is(
			c, at, at == PKTAP_IFNAME ? PKTAP_IFNAME_BYTES : PKTAP_COMM_BYTES, name);
	}
	bpei_lex_next(c);
	return b;
}
