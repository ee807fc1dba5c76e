/* SPDX-License-Identifier: MIT */
/* ATM cells' headers as SunATM writes them, and signal units of SS7 (pcap-filter(7); ITU-T Q.703
 * and Q.704; the LINKTYPE_ registry of tcpdump.org for SUNATM, MTP2, MTP2_WITH_PHDR and ERF). */
#include "filter/lex.h"
#include "filter/terms.h"

/* SunATM: the lower half of the first byte is the kind of traffic; VPI and VCI follow. */
enum { ATM_LANE = 1, ATM_LLC = 2, ATM_VPI = 1, ATM_VCI = 2, ATM_MESSAGE = 9, LANE_HEADER = 6 };

static struct place start(uint32_t at)
{
	return (struct place){ -1, at };
}
static int32_t imm(struct bpei_compile *c, uint32_t k)
{
	return bpei_value_imm(c, k);
}

static int32_t alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	return bpei_value_alu(c, op, a, b);
}

static const char no_atm[] = "only packets of SUNATM have an ATM header";

static bool is_atm(const struct bpei_compile *c)
{
	return c->offsets.kind == KIND_ATM || c->offsets.lane;
}

int32_t bpei_term_atm_llc(struct bpei_compile *c)
{
	return bpei_at_masked(c, 1, start(0), 0, ATM_LLC, 15);
}

/* Frames of LAN emulation: two bytes of its client, then Ethernet. */
static int32_t lane(struct bpei_compile *c)
{
	bpei_link_plain(c, LINK_ETHERNET, start(LANE_HEADER));
	c->offsets.lane = true;
	return bpei_at_masked(c, 1, start(0), 0, ATM_LANE, 15);
}

struct circuit {
	uint8_t what, vci[2], messages[6];
};

/* The circuits that the language has names for, all of VPI 0, and messages of Q.2931 on them. */
static const struct circuit circuits[] = {
	{ ATM_WORD_METAC, { 1 }, { 0 } },
	{ ATM_WORD_BCC, { 2 }, { 0 } },
	{ ATM_WORD_SC, { 5 }, { 0 } },
	{ ATM_WORD_ILMIC, { 16 }, { 0 } },
	{ ATM_WORD_OAMF4SC, { 3 }, { 0 } },
	{ ATM_WORD_OAMF4EC, { 4 }, { 0 } },
	{ ATM_WORD_OAM, { 3, 4 }, { 0 } },
	{ ATM_WORD_CONNECT, { 5 }, { 0x5a, 0x4d, 0x0f, 0x07, 0x05, 0x02 } },
	{ ATM_WORD_METACONNECT, { 1 }, { 0x5a, 0x4d, 0x07, 0x05, 0x02 } },
};

int32_t bpei_term_atm(struct bpei_compile *c, uint32_t word)
{
	if (!is_atm(c))
		return bpei_compile_fail_term(c, "%s", no_atm);
	if (word == ATM_WORD_LANE)
		return lane(c);
	const struct circuit *circuit = circuits;
	while (circuit->what != word)
		circuit++;
	int32_t vci = -1, message = -1;
	for (size_t i = 0; i < 2 && circuit->vci[i]; i++)
		vci = bpei_either(c, vci, bpei_at_is(c, 2, start(ATM_VCI), 0, circuit->vci[i]));
	for (size_t i = 0; i < sizeof circuit->messages && circuit->messages[i]; i++) {
		int32_t one = bpei_at_is(c, 1, start(ATM_MESSAGE), 0, circuit->messages[i]);
		message = bpei_either(c, message, one);
	}
	int32_t b = bpei_and(c, bpei_at_is(c, 1, start(ATM_VPI), 0, 0), vci);
	return message < 0 ? b : bpei_and(c, b, message);
}

/* Where a signal unit begins; false: packets of the link type are none. */
static bool signal_unit(const struct bpei_compile *c, struct place *at)
{
	switch (c->offsets.link) {
	case LINK_MTP2:
		*at = start(0);
		return true;
	case LINK_MTP2_PHDR:
		*at = start(4);
		return true;
	case LINK_ERF:
		*at = start(20);
		return true;
	default:
		return false;
	}
}

static const char no_signal_unit[] =
	"only packets of MTP2, MTP2_WITH_PHDR and ERF are signal units "
	"of SS7";

/* The kind of a signal unit is told by how many bytes follow: none, 1 or 2, more.  High speed links
 * have nine bits for that, in the upper ones of two bytes. */
int32_t bpei_term_signal_unit(struct bpei_compile *c, uint32_t word)
{
	const bool fast = word >= SS7_WORD_HFISU;
	const uint32_t two = fast ? 0x100 : 2;
	struct place at;
	if (!signal_unit(c, &at))
		return bpei_compile_fail_term(c, "%s", no_signal_unit);
	int32_t length = fast ? bpei_at(c, 2, at, 4) : bpei_at(c, 1, at, 2);
	length = alu(c, OP_AND, length, imm(c, fast ? 0xff80 : 0x3f));
	int32_t none = bpei_test(c, length, CMP_EQ, 0), many = bpei_test(c, length, CMP_GT, two);
	if (word == SS7_WORD_FISU || word == SS7_WORD_HFISU)
		return none;
	if (word == SS7_WORD_MSU || word == SS7_WORD_HMSU)
		return many;
	return bpei_and(c, bpei_not(c, none), bpei_not(c, many));
}

/* The routing label's fields lie across bytes, the lower bits first. */
static int32_t label_field(struct bpei_compile *c, struct place label, uint32_t field)
{
	if (field == FIELD_SLS)
		return alu(c, OP_RSH, bpei_at(c, 1, label, 3), imm(c, 4));
	if (field == FIELD_DPC) {
		int32_t high = alu(c, OP_AND, bpei_at(c, 1, label, 1), imm(c, 0x3f));
		return alu(c, OP_OR, alu(c, OP_LSH, high, imm(c, 8)), bpei_at(c, 1, label, 0));
	}
	int32_t low = alu(c, OP_RSH, bpei_at(c, 1, label, 1), imm(c, 6));
	int32_t middle = alu(c, OP_LSH, bpei_at(c, 1, label, 2), imm(c, 2));
	int32_t high = alu(c, OP_AND, bpei_at(c, 1, label, 3), imm(c, 15));
	high = alu(c, OP_LSH, high, imm(c, 10));
	return alu(c, OP_OR, alu(c, OP_OR, middle, low), high);
}

int32_t bpei_term_field(struct bpei_compile *c, uint32_t field, uint32_t *most)
{
	static const uint32_t mosts[] = { 255, 65535, 255, 16383, 16383, 15 };
	struct place at;
	*most = mosts[field < FIELD_HSIO ? field : field - FIELD_HSIO + FIELD_SIO];
	if (field <= FIELD_VCI) {
		if (!is_atm(c))
			return bpei_compile_fail_term(c, "%s", no_atm);
		if (field == FIELD_VPI)
			return bpei_at(c, 1, start(ATM_VPI), 0);
		return bpei_at(c, 2, start(ATM_VCI), 0);
	}
	if (!signal_unit(c, &at))
		return bpei_compile_fail_term(c, "%s", no_signal_unit);
	if (field >= FIELD_HSIO)
		at.at += 3, field -= FIELD_HSIO - FIELD_SIO;
	if (field == FIELD_SIO)
		return bpei_at(c, 1, at, 3);
	at.at += 4;
	return label_field(c, at, field);
}
