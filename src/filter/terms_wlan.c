/* SPDX-License-Identifier: MIT */
/* IEEE 802.11 frames (IEEE Std 802.11, "MAC frame formats"), bare or behind radiotap
 * (radiotap.org), AVS, Prism and PPI headers. The first byte of frame control: version 0x03, type
 * 0x0c (0 management, 4 control, 8 data), subtype 0xf0; the second: to DS 1, from DS 2. */
#include "filter/terms.h"

enum { CONTROL = 0x04, DATA = 0x08, TYPE = 0x0c, SUBTYPE = 0xf0, TO_DS = 1, FROM_DS = 2 };
enum { ADDRESS_1 = 4, ADDRESS_2 = 10, ADDRESS_3 = 16, ADDRESS_4 = 24, LLC_BYTES = 8, HEADER = 24 };

static int32_t imm(struct bpei_compile *c, uint32_t k)
{
	return bpei_value_imm(c, k);
}
static int32_t alu(struct bpei_compile *c, uint16_t op, int32_t a, int32_t b)
{
	return bpei_value_alu(c, op, a, b);
}

/* The byte at `at`, shifted to the right, and what is left of it under the mask. */
static int32_t bits(struct bpei_compile *c, int32_t byte, uint32_t right, uint32_t mask)
{
	if (right)
		byte = alu(c, OP_RSH, byte, imm(c, right));
	return alu(c, OP_AND, byte, imm(c, mask));
}

/* Words of radiotap's bitmap that are looked at: more antennas are not known. */
#define BITMAPS 8u

/* Radiotap's flag that a data header is padded to a multiple of 4: 1 or 0.  The flags are the
 * second field, if they are there (bit 1 of the little-endian word at 4), behind eight bytes of
 * time on a multiple of eight if those are there (bit 0).  Each word's bit 31 says that one more
 * follows. */
static int32_t padded(struct bpei_compile *c)
{
	int32_t more = bits(c, bpei_value_load(c, 1, -1, 7), 7, 1), words = more;
	for (uint32_t i = 1; i < BITMAPS; i++) {
		int32_t one = alu(c, OP_RSH, bpei_value_load(c, 1, -1, 7 + 4 * i), imm(c, 7));
		more = alu(c, OP_AND, one, more);
		words = alu(c, OP_ADD, more, words);
	}
	int32_t present = bpei_value_load(c, 1, -1, 4), fields = alu(c, OP_LSH, words, imm(c, 2));
	int32_t time = alu(c, OP_ADD, alu(c, OP_AND, fields, imm(c, 4)), imm(c, 8));
	int32_t at = alu(c, OP_ADD, alu(c, OP_MUL, bits(c, present, 0, 1), time), fields);
	int32_t flag = bits(c, bpei_value_load(c, 1, at, 8), 5, 1);
	return alu(c, OP_AND, alu(c, OP_RSH, present, imm(c, 1)), flag);
}

/* What data frames, which alone carry something, have behind 24 bytes: a fourth address if both
 * DS bits are set; two bytes of QoS control (bit 7 of the first byte), and four of HT control with
 * them if the order bit is set (bit 7 of the second); then perhaps padding, of two bytes or none.
 */
static int32_t behind_fixed(struct bpei_compile *c, bool may_be_padded)
{
	const struct place h = c->offsets.header;
	int32_t first = bpei_at(c, 1, h, 0), second = bpei_at(c, 1, h, 1);
	int32_t both = bits(c, alu(c, OP_AND, alu(c, OP_RSH, second, imm(c, 1)), second), 0, 1);
	int32_t fourth = alu(c, OP_MUL, both, imm(c, 6));
	int32_t qos = bits(c, first, 6, 2), ht = bits(c, alu(c, OP_AND, second, first), 5, 4);
	int32_t more = alu(c, OP_ADD, alu(c, OP_ADD, ht, qos), fourth);
	if (!may_be_padded)
		return more;
	int32_t odd = alu(c, OP_AND, alu(c, OP_LSH, padded(c), imm(c, 1)), more);
	return alu(c, OP_ADD, odd, more);
}

void bpei_wlan_enter(struct bpei_compile *c, uint32_t link, int32_t base, bool may_be_padded)
{
	const struct place header = { base, 0 };
	c->offsets =
		(struct offsets){ .link = link, .kind = KIND_WLAN, .header = header, .osi = 3 };
	int32_t end = behind_fixed(c, may_be_padded);
	if (base >= 0)
		end = alu(c, OP_ADD, end, base);
	c->offsets.payload = (struct place){ end, HEADER };
	c->offsets.type = (struct place){ end, HEADER + LLC_BYTES - 2 };
	c->offsets.network = (struct place){ end, HEADER + LLC_BYTES };
}

static int32_t has(struct bpei_compile *c, uint32_t at, uint32_t bits)
{
	return bpei_at_has(c, c->offsets.header, at, bits);
}
static int32_t hasnt(struct bpei_compile *c, uint32_t at, uint32_t bits)
{
	return bpei_not(c, has(c, at, bits));
}

int32_t bpei_wlan_data(struct bpei_compile *c)
{
	return bpei_and(c, hasnt(c, 0, CONTROL), has(c, 0, DATA));
}

/* Acknowledgements and clear-to-send have the first address alone. */
static int32_t has_second(struct bpei_compile *c)
{
	int32_t short_one = bpei_or(c, bpei_at_masked(c, 1, c->offsets.header, 0, 0xc0, SUBTYPE),
		bpei_at_masked(c, 1, c->offsets.header, 0, 0xd0, SUBTYPE));
	return bpei_not(c,
		bpei_and(c, bpei_at_masked(c, 1, c->offsets.header, 0, CONTROL, TYPE), short_one));
}

static int32_t mac(struct bpei_compile *c, uint32_t at, const uint8_t a[6])
{
	return bpei_at_mac(c, c->offsets.header, at, a);
}

/* Which address is the sender's and the receiver's depends on the frame's type and its two DS bits.
 */
static int32_t source(struct bpei_compile *c, const uint8_t a[6])
{
	int32_t bridged = bpei_or(c, bpei_and(c, hasnt(c, 1, TO_DS), mac(c, ADDRESS_3, a)),
		bpei_and(c, has(c, 1, TO_DS), mac(c, ADDRESS_4, a)));
	int32_t data = bpei_or(c, bpei_and(c, hasnt(c, 1, FROM_DS), mac(c, ADDRESS_2, a)),
		bpei_and(c, has(c, 1, FROM_DS), bridged));
	int32_t b = bpei_or(c, bpei_and(c, hasnt(c, 0, DATA), mac(c, ADDRESS_2, a)),
		bpei_and(c, has(c, 0, DATA), data));
	return bpei_and(c, hasnt(c, 0, CONTROL), b);
}

/* The target's test at its address: one for each place. */
static int32_t target(struct bpei_compile *c, int32_t first, int32_t third)
{
	int32_t data = bpei_or(
		c, bpei_and(c, hasnt(c, 1, TO_DS), first), bpei_and(c, has(c, 1, TO_DS), third));
	int32_t b = bpei_or(
		c, bpei_and(c, hasnt(c, 0, DATA), first), bpei_and(c, has(c, 0, DATA), data));
	return bpei_and(c, hasnt(c, 0, CONTROL), b);
}

int32_t bpei_wlan_address(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	switch (d) {
	case D_ADDR1:
		return mac(c, ADDRESS_1, a);
	case D_ADDR2:
		return bpei_and(c, has_second(c), mac(c, ADDRESS_2, a));
	case D_ADDR3:
		return bpei_and(c,
			bpei_not(c, bpei_at_masked(c, 1, c->offsets.header, 0, CONTROL, TYPE)),
			mac(c, ADDRESS_3, a));
	case D_ADDR4:
		return bpei_and(
			c, bpei_at_masked(c, 1, c->offsets.header, 1, 3, 3), mac(c, ADDRESS_4, a));
	case D_RA:
		return bpei_and(c, has(c, 0, DATA), mac(c, ADDRESS_1, a));
	case D_TA:
		return bpei_and(
			c, has(c, 0, DATA), bpei_and(c, has_second(c), mac(c, ADDRESS_2, a)));
	default:
		return bpei_both(
			c, source(c, a), target(c, mac(c, ADDRESS_1, a), mac(c, ADDRESS_3, a)), d);
	}
}

int32_t bpei_wlan_multicast(struct bpei_compile *c)
{
	return target(c, has(c, ADDRESS_1, 1), has(c, ADDRESS_3, 1));
}

int32_t bpei_term_wlan_type(struct bpei_compile *c, uint32_t value, uint32_t mask)
{
	if (!bpei_link_is_wlan(c) || c->offsets.no_wlan_types)
		return bpei_compile_fail_term(c, "only 802.11 frames have such types");
	return bpei_at_masked(c, 1, c->offsets.header, 0, value, mask);
}

int32_t bpei_term_wlan_direction(struct bpei_compile *c, uint32_t value)
{
	if (!bpei_link_is_wlan(c) || c->offsets.no_wlan_types)
		return bpei_compile_fail_term(c,
			"only 802.11 frames have such a direction (inbound and outbound, or -Q?)");
	int32_t bits = bpei_value_alu(
		c, OP_AND, bpei_at(c, 1, c->offsets.header, 1), bpei_value_imm(c, 3));
	return bpei_test(c, bits, CMP_EQ, value); /* above 3: never, as libpcap has it */
}
