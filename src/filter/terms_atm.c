/* SPDX-License-Identifier: MIT */
/* The terms of ATM cells' headers as SunATM writes them, and of SS7's signal units (pcap-filter(7);
 * ITU-T Q.703 and Q.704; the LINKTYPE_ registry of tcpdump.org for SUNATM, MTP2, MTP2_WITH_PHDR and
 * ERF). */
#include "filter/links.h"

/* SunATM: the lower half of the first byte is the type of traffic; VPI and VCI follow. */
enum { ATM_LANE = 1, ATM_LLC = 2, ATM_VPI = 1, ATM_VCI = 2, ATM_MESSAGE = 9, LANE_HEADER = 6 };

static const char no_atm[] = "only packets of SUNATM have an ATM header";

static int32_t mask_byte(struct bpei_compile *c, struct place p, uint32_t plus, uint32_t mask)
{
	return bpei_value_alu_imm(c, OP_AND, bpei_place_load(c, 1, p, plus), mask);
}

static int32_t shift_byte(
	struct bpei_compile *c, struct place p, uint32_t plus, uint16_t op, uint32_t count)
{
	return bpei_value_alu_imm(c, op, bpei_place_load(c, 1, p, plus), count);
}

static bool has_atm_header(const struct bpei_compile *c)
{
	return c->offsets.kind == KIND_ATM || c->offsets.lane;
}

int32_t bpei_atm_has_llc(struct bpei_compile *c)
{
	return bpei_place_is_masked(c, 1, bpei_place_from_start(0), 0, ATM_LLC, 15);
}

/* Enters a frame of LAN emulation: two bytes of the client's number, then Ethernet. */
static int32_t enter_lane(struct bpei_compile *c)
{
	bpei_link_enter(c, LINK_ETHERNET, bpei_place_from_start(LANE_HEADER));
	c->offsets.lane = true;
	return bpei_place_is_masked(c, 1, bpei_place_from_start(0), 0, ATM_LANE, 15);
}

struct circuit {
	uint8_t word, vci[2], messages[6];
};

/* The circuits that the language has names for, all with VPI 0, and messages of Q.2931 on them; 0
 * ends a list. */
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
	if (!has_atm_header(c))
		return bpei_compile_fail_term(c, "%s", no_atm);
	if (word == ATM_WORD_LANE)
		return enter_lane(c);
	const struct circuit *circuit = circuits;
	while (circuit->word != word)
		circuit++;
	int32_t vci = -1, message = -1;
	for (size_t i = 0; i < 2 && circuit->vci[i]; i++)
		vci = bpei_or_optional(c, vci,
			bpei_place_is(c, 2, bpei_place_from_start(ATM_VCI), 0, circuit->vci[i]));
	for (size_t i = 0; i < sizeof circuit->messages && circuit->messages[i]; i++) {
		int32_t one = bpei_place_is(
			c, 1, bpei_place_from_start(ATM_MESSAGE), 0, circuit->messages[i]);
		message = bpei_or_optional(c, message, one);
	}
	int32_t b = bpei_and(c, bpei_place_is(c, 1, bpei_place_from_start(ATM_VPI), 0, 0), vci);
	return message < 0 ? b : bpei_and(c, b, message);
}

/* Stores the begin of the signal unit in *at.  Returns false if packets of the link type are no
 * signal units. */
static bool find_signal_unit(const struct bpei_compile *c, struct place *at)
{
	switch (c->offsets.link) {
	case LINK_MTP2:
		*at = bpei_place_from_start(0);
		return true;
	case LINK_MTP2_PHDR:
		*at = bpei_place_from_start(4);
		return true;
	case LINK_ERF:
		*at = bpei_place_from_start(20);
		return true;
	default:
		return false;
	}
}

static const char no_signal_unit[] =
	"only packets of MTP2, MTP2_WITH_PHDR and ERF are signal units of SS7";

/* Tests the length indicator, which gives the type: 0 bytes follow, 1 or 2, or more.  On high
 * speed links the indicator is the upper nine bits of two bytes. */
int32_t bpei_term_signal_unit(struct bpei_compile *c, uint32_t word)
{
	const bool fast = word >= SS7_WORD_HFISU;
	const uint32_t two = fast ? 0x100 : 2;
	struct place at;
	if (!find_signal_unit(c, &at))
		return bpei_compile_fail_term(c, "%s", no_signal_unit);
	int32_t length = fast ? bpei_place_load(c, 2, at, 4) : bpei_place_load(c, 1, at, 2);
	length = bpei_value_alu_imm(c, OP_AND, length, fast ? 0xff80 : 0x3f);
	const int32_t none = bpei_test(c, length, CMP_EQ, 0);
	const int32_t many = bpei_test(c, length, CMP_GT, two);

	if (word == SS7_WORD_FISU || word == SS7_WORD_HFISU)
		return none;
	if (word == SS7_WORD_MSU || word == SS7_WORD_HMSU)
		return many;
	return bpei_and(c, bpei_not(c, none), bpei_not(c, many));
}

/* Returns a field of the routing label.  Fields lie across bytes, the lower bits first. */
static int32_t load_label_field(struct bpei_compile *c, struct place label, uint32_t field)
{
	if (field == FIELD_SLS)
		return shift_byte(c, label, 3, OP_RSH, 4);
	if (field == FIELD_DPC) {
		const int32_t high = mask_byte(c, label, 1, 0x3f);
		const int32_t low = bpei_place_load(c, 1, label, 0);

		return bpei_value_alu(c, OP_OR, bpei_value_alu_imm(c, OP_LSH, high, 8), low);
	}
	const int32_t low = shift_byte(c, label, 1, OP_RSH, 6);
	const int32_t middle = shift_byte(c, label, 2, OP_LSH, 2);
	const int32_t high = bpei_value_alu_imm(c, OP_LSH, mask_byte(c, label, 3, 15), 10);
	const int32_t lower = bpei_value_alu(c, OP_OR, middle, low);

	return bpei_value_alu(c, OP_OR, lower, high);
}

int32_t bpei_term_field(struct bpei_compile *c, uint32_t field, uint32_t *most)
{
	static const uint32_t largest[] = { 255, 65535, 255, 16383, 16383, 15 };
	struct place at;

	*most = largest[field < FIELD_HSIO ? field : field - FIELD_HSIO + FIELD_SIO];
	if (field <= FIELD_VCI) {
		if (!has_atm_header(c))
			return bpei_compile_fail_term(c, "%s", no_atm);
		if (field == FIELD_VPI)
			return bpei_place_load(c, 1, bpei_place_from_start(ATM_VPI), 0);
		return bpei_place_load(c, 2, bpei_place_from_start(ATM_VCI), 0);
	}
	if (!find_signal_unit(c, &at))
		return bpei_compile_fail_term(c, "%s", no_signal_unit);
	if (field >= FIELD_HSIO) {
		at.at += 3;
		field -= FIELD_HSIO - FIELD_SIO;
	}
	if (field == FIELD_SIO)
		return bpei_place_load(c, 1, at, 3);
	at.at += 4;
	return load_label_field(c, at, field);
}
