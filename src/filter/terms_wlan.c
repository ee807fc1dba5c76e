/* SPDX-License-Identifier: MIT */
/* The terms of IEEE 802.11 frames (IEEE Std 802.11, "MAC frame formats"), bare or behind radiotap
 * (radiotap.org), AVS, Prism and PPI headers.  The first byte of frame control: version 0x03, type
 * 0x0c (0 management, 4 control, 8 data), subtype 0xf0.  The second: to DS 1, from DS 2. */
#include "filter/links.h"

enum { CONTROL = 0x04, DATA = 0x08, TYPE = 0x0c, SUBTYPE = 0xf0, TO_DS = 1, FROM_DS = 2 };
enum { ADDRESS_1 = 4, ADDRESS_2 = 10, ADDRESS_3 = 16, ADDRESS_4 = 24, LLC_BYTES = 8, HEADER = 24 };

/* Returns byte >> right & mask. */
static int32_t extract_bits(struct bpei_compile *c, int32_t byte, uint32_t right, uint32_t mask)
{
	if (right)
		byte = bpei_value_alu_imm(c, OP_RSH, byte, right);
	return bpei_value_alu_imm(c, OP_AND, byte, mask);
}

static int32_t add_values(struct bpei_compile *c, int32_t a, int32_t b)
{
	return bpei_value_alu(c, OP_ADD, a, b);
}

/* Words of radiotap's bitmap that are read: no device has more antennas. */
#define BITMAPS 8u

/* Returns radiotap's flag that the 802.11 header is padded to a multiple of 4, as 1 or 0.  The
 * flags are the second field, present if bit 1 of the little-endian word at 4 is set.  In front are
 * eight bytes of time, on a multiple of eight, if bit 0 is set.  Bit 31 of each word of the bitmap
 * says that another word follows. */
static int32_t load_padded_flag(struct bpei_compile *c)
{
	int32_t more = extract_bits(c, bpei_value_load(c, 1, -1, 7), 7, 1);
	int32_t words = more;

	for (uint32_t i = 1; i < BITMAPS; i++) {
		const int32_t last_byte = bpei_value_load(c, 1, -1, 7 + 4 * i);
		const int32_t follows = bpei_value_alu_imm(c, OP_RSH, last_byte, 7);

		more = bpei_value_alu(c, OP_AND, follows, more);
		words = add_values(c, more, words);
	}
	const int32_t present = bpei_value_load(c, 1, -1, 4);
	const int32_t fields = bpei_value_alu_imm(c, OP_LSH, words, 2);
	const int32_t gap = bpei_value_alu_imm(c, OP_AND, fields, 4);
	const int32_t time_bytes = bpei_value_alu_imm(c, OP_ADD, gap, 8);
	const int32_t has_time = extract_bits(c, present, 0, 1);
	const int32_t time = bpei_value_alu(c, OP_MUL, has_time, time_bytes);
	const int32_t at = add_values(c, time, fields);
	const int32_t flag = extract_bits(c, bpei_value_load(c, 1, at, 8), 5, 1);
	const int32_t has_flags = bpei_value_alu_imm(c, OP_RSH, present, 1);

	return bpei_value_alu(c, OP_AND, has_flags, flag);
}

/* Returns the number of bytes between a data frame's first 24 bytes and the payload.  These are a
 * fourth address if both DS bits are set, and two bytes of QoS control (bit 7 of the first byte).
 * Four bytes of HT control follow QoS control if the order bit is set (bit 7 of the second).  Then
 * there may be two bytes of padding. */
static int32_t load_header_rest(struct bpei_compile *c, bool may_be_padded)
{
	const struct place h = c->offsets.header;
	const int32_t first = bpei_place_load(c, 1, h, 0);
	const int32_t second = bpei_place_load(c, 1, h, 1);
	const int32_t shifted = bpei_value_alu_imm(c, OP_RSH, second, 1);
	const int32_t both_ds = bpei_value_alu(c, OP_AND, shifted, second);
	const int32_t has_fourth = extract_bits(c, both_ds, 0, 1);
	const int32_t fourth = bpei_value_alu_imm(c, OP_MUL, has_fourth, 6);
	const int32_t qos = extract_bits(c, first, 6, 2);
	const int32_t qos_order = bpei_value_alu(c, OP_AND, second, first);
	const int32_t ht = extract_bits(c, qos_order, 5, 4);
	const int32_t rest = add_values(c, add_values(c, ht, qos), fourth);

	if (!may_be_padded)
		return rest;
	const int32_t flag = bpei_value_alu_imm(c, OP_LSH, load_padded_flag(c), 1);
	const int32_t padding = bpei_value_alu(c, OP_AND, flag, rest);

	return add_values(c, padding, rest);
}

void bpei_wlan_enter(struct bpei_compile *c, uint32_t link, int32_t base, bool may_be_padded)
{
	const struct place header = { base, 0 };
	c->offsets =
		(struct offsets){ .link = link, .kind = KIND_WLAN, .header = header, .osi = 3 };
	int32_t end = load_header_rest(c, may_be_padded);
	if (base >= 0)
		end = add_values(c, end, base);
	c->offsets.payload = (struct place){ end, HEADER };
	c->offsets.type = (struct place){ end, HEADER + LLC_BYTES - 2 };
	c->offsets.network = (struct place){ end, HEADER + LLC_BYTES };
}

static int32_t has_bits(struct bpei_compile *c, uint32_t at, uint32_t bits)
{
	return bpei_place_has(c, c->offsets.header, at, bits);
}
static int32_t lacks_bits(struct bpei_compile *c, uint32_t at, uint32_t bits)
{
	return bpei_not(c, has_bits(c, at, bits));
}

int32_t bpei_wlan_data(struct bpei_compile *c)
{
	return bpei_and(c, lacks_bits(c, 0, CONTROL), has_bits(c, 0, DATA));
}

/* Returns the test that the frame has a second address.  Acknowledgements and clear-to-send have
 * the first address alone. */
static int32_t test_second_address(struct bpei_compile *c)
{
	const struct place h = c->offsets.header;
	const int32_t ack = bpei_place_is_masked(c, 1, h, 0, 0xd0, SUBTYPE);
	const int32_t cts = bpei_place_is_masked(c, 1, h, 0, 0xc0, SUBTYPE);
	const int32_t short_frame = bpei_or(c, cts, ack);
	const int32_t control = bpei_place_is_masked(c, 1, h, 0, CONTROL, TYPE);

	return bpei_not(c, bpei_and(c, control, short_frame));
}

static int32_t test_address(struct bpei_compile *c, uint32_t at, const uint8_t address[6])
{
	return bpei_place_is_mac(c, c->offsets.header, at, address);
}

/* Returns the test "a, or else b" by a bit of frame control: a if the bit is clear. */
static int32_t choose_by_bit(
	struct bpei_compile *c, uint32_t at, uint32_t bit, int32_t clear, int32_t set)
{
	const int32_t if_set = bpei_and(c, has_bits(c, at, bit), set);

	return bpei_or(c, bpei_and(c, lacks_bits(c, at, bit), clear), if_set);
}

/* Tests the sender's address.  The frame's type and the two DS bits say where the address is. */
static int32_t test_source(struct bpei_compile *c, const uint8_t a[6])
{
	const int32_t fourth = test_address(c, ADDRESS_4, a);
	const int32_t third = test_address(c, ADDRESS_3, a);
	const int32_t bridged = choose_by_bit(c, 1, TO_DS, third, fourth);
	const int32_t second = test_address(c, ADDRESS_2, a);
	const int32_t data = choose_by_bit(c, 1, FROM_DS, second, bridged);
	const int32_t b = choose_by_bit(c, 0, DATA, second, data);

	return bpei_and(c, lacks_bits(c, 0, CONTROL), b);
}

/* Tests the receiver's address, with the test for each of the two places. */
static int32_t test_target(struct bpei_compile *c, int32_t first, int32_t third)
{
	const int32_t data = choose_by_bit(c, 1, TO_DS, first, third);
	const int32_t b = choose_by_bit(c, 0, DATA, first, data);

	return bpei_and(c, lacks_bits(c, 0, CONTROL), b);
}

static int32_t test_third_address(struct bpei_compile *c, const uint8_t a[6])
{
	const int32_t address = test_address(c, ADDRESS_3, a);
	const int32_t control = bpei_place_is_masked(c, 1, c->offsets.header, 0, CONTROL, TYPE);

	return bpei_and(c, bpei_not(c, control), address);
}

static int32_t test_fourth_address(struct bpei_compile *c, const uint8_t a[6])
{
	const int32_t address = test_address(c, ADDRESS_4, a);
	const uint32_t both = TO_DS | FROM_DS;

	return bpei_and(c, bpei_place_is_masked(c, 1, c->offsets.header, 1, both, both), address);
}

static int32_t test_transmitter(struct bpei_compile *c, const uint8_t a[6])
{
	const int32_t address = test_address(c, ADDRESS_2, a);

	return bpei_and(c, test_second_address(c), address);
}

static int32_t test_either_end(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	const int32_t third = test_address(c, ADDRESS_3, a);
	const int32_t first = test_address(c, ADDRESS_1, a);
	const int32_t target = test_target(c, first, third);
	const int32_t source = test_source(c, a);

	return bpei_by_direction(c, source, target, d);
}

int32_t bpei_wlan_address(struct bpei_compile *c, const uint8_t a[6], enum direction d)
{
	int32_t address;

	switch (d) {
	case D_ADDR1:
		return test_address(c, ADDRESS_1, a);
	case D_ADDR2:
		return test_transmitter(c, a);
	case D_ADDR3:
		return test_third_address(c, a);
	case D_ADDR4:
		return test_fourth_address(c, a);
	case D_RA:
		address = test_address(c, ADDRESS_1, a);
		return bpei_and(c, has_bits(c, 0, DATA), address);
	case D_TA:
		address = test_transmitter(c, a);
		return bpei_and(c, has_bits(c, 0, DATA), address);
	default:
		return test_either_end(c, a, d);
	}
}

int32_t bpei_wlan_multicast(struct bpei_compile *c)
{
	const int32_t third = has_bits(c, ADDRESS_3, 1);

	return test_target(c, has_bits(c, ADDRESS_1, 1), third);
}

int32_t bpei_term_wlan_type(struct bpei_compile *c, uint32_t value, uint32_t mask)
{
	if (!bpei_link_is_wlan(c) || c->offsets.no_wlan_types)
		return bpei_compile_fail_term(c, "only 802.11 frames have such types");
	return bpei_place_is_masked(c, 1, c->offsets.header, 0, value, mask);
}

int32_t bpei_term_wlan_direction(struct bpei_compile *c, uint32_t value)
{
	if (!bpei_link_is_wlan(c) || c->offsets.no_wlan_types)
		return bpei_compile_fail_term(c,
			"only 802.11 frames have such a direction (inbound and outbound, or -Q?)");
	const int32_t second = bpei_place_load(c, 1, c->offsets.header, 1);
	const int32_t ds_bits = bpei_value_alu_imm(c, OP_AND, second, TO_DS | FROM_DS);

	return bpei_test(c, ds_bits, CMP_EQ, value); /* above 3: never, as in libpcap */
}
