/* SPDX-License-Identifier: MIT */
/* The terms of packets that pf(4) logged: ifname, rnr, srnr, rset, reason, action.  Grammar and
 * meaning (LINKTYPE_PFLOG in the registry of tcpdump.org). */
#include "filter/parse.h"
#include "filter/places.h"

#include <string.h>

enum {
	PF_ACTION_AT = 2,
	PF_REASON_AT = 3,
	PF_IFNAME_AT = 4,
	PF_RULESET_AT = 20,
	PF_RULE_AT = 36,
	PF_SUBRULE_AT = 40,
	PF_NAME_BYTES = 16
};

struct pf_code {
	const char *name;
	uint8_t number;
};

static const struct pf_code reasons[] = { { "match", 0 }, { "bad-offset", 1 }, { "fragment", 2 },
	{ "short", 3 }, { "normalize", 4 }, { "memory", 5 }, { "bad-timestamp", 6 },
	{ "congestion", 7 }, { "ip-option", 8 }, { "proto-cksum", 9 }, { "state-mismatch", 10 },
	{ "state-insert", 11 }, { "state-limit", 12 }, { "src-limit", 13 }, { "synproxy", 14 },
	{ NULL, 0 } };

static const struct pf_code actions[] = { { "pass", 0 }, { "accept", 0 }, { "block", 1 },
	{ "drop", 1 }, { "scrub", 2 }, { "noscrub", 3 }, { "nat", 4 }, { "nonat", 5 },
	{ "binat", 6 }, { "nobinat", 7 }, { "rdr", 8 }, { "nordr", 9 }, { "synproxy-drop", 10 },
	{ NULL, 0 } };

/* Tests a name that ends with a 0, in a field of PF_NAME_BYTES. */
static int32_t test_pf_name(struct bpei_compile *c, uint32_t at)
{
	const size_t n = strlen(c->word);
	const struct place field = bpei_place_from_start(at);
	int32_t b = -1;

	if (n >= PF_NAME_BYTES)
		return bpei_compile_fail(
			c, "names have at most %d characters here", PF_NAME_BYTES - 1);
	for (size_t i = 0; i <= n; i++) {
		const int32_t equal = bpei_place_is(c, 1, field, (uint32_t)i, (uint8_t)c->word[i]);

		b = b < 0 ? equal : bpei_and(c, b, equal);
	}
	return b;
}

/* Tests a code by name; `known` describes the names for an error. */
static int32_t test_pf_code(
	struct bpei_compile *c, uint32_t at, const struct pf_code *codes, const char *known)
{
	for (; codes->name; codes++)
		if (!strcmp(codes->name, c->word))
			return bpei_place_is(c, 1, bpei_place_from_start(at), 0, codes->number);
	return bpei_compile_fail(c, "pf has no such %s", known);
}

static int32_t parse_pf_name(struct bpei_compile *c, uint32_t word)
{
	switch (word) {
	case PF_WORD_IFNAME:
		return test_pf_name(c, PF_IFNAME_AT);
	case PF_WORD_RULESET:
		return test_pf_name(c, PF_RULESET_AT);
	case PF_WORD_REASON:
		return test_pf_code(c, PF_REASON_AT, reasons,
			"reason: match, bad-offset, fragment, short, normalize, memory and others are, or a number");
	case PF_WORD_ACTION:
		return test_pf_code(c, PF_ACTION_AT, actions,
			"action: pass, block, scrub, nat, rdr, binat and others are");
	default:
		return bpei_parse_unexpected(c, "a rule's number");
	}
}

static int32_t parse_pf_number(struct bpei_compile *c, uint32_t word)
{
	switch (word) {
	case PF_WORD_RULE:
		return bpei_place_is(c, 4, bpei_place_from_start(PF_RULE_AT), 0, c->number);
	case PF_WORD_SUBRULE:
		return bpei_place_is(c, 4, bpei_place_from_start(PF_SUBRULE_AT), 0, c->number);
	case PF_WORD_REASON:
		if (c->number > 255)
			return bpei_compile_fail(c, "reasons end at 255");
		return bpei_place_is(c, 1, bpei_place_from_start(PF_REASON_AT), 0, c->number);
	default:
		return bpei_parse_unexpected(c, "a name");
	}
}

int32_t bpei_parse_pf(struct bpei_compile *c)
{
	const uint32_t word = c->number;
	const bool wants_number = word == PF_WORD_RULE || word == PF_WORD_SUBRULE;
	int32_t b;

	if (c->offsets.kind != KIND_PFLOG)
		return bpei_compile_fail_term(
			c, "only packets of PFLOG, which pf logged, say that");
	bpei_lex_next(c);
	if (c->failed)
		return -1;
	if (c->token == T_NAME)
		b = parse_pf_name(c, word);
	else if (c->token == T_NUMBER)
		b = parse_pf_number(c, word);
	else
		return bpei_parse_unexpected(c, wants_number ? "a rule's number" : "a name");
	bpei_lex_next(c);
	return b;
}
