/* SPDX-License-Identifier: MIT */
/* Long headers and versions of QUIC. */
#include "inspect/quic.h"

#include <criterion/criterion.h>
#include <string.h>

static struct bpei_quic_packet p;

static bool read_header_of(const uint8_t *bytes, uint32_t n)
{
	return bpei_quic_packet_read(&p, bytes, n);
}

Test(quic_header, numbers_have_four_lengths, .timeout = 550)
{
	/* The examples of RFC 9000, A.1. */
	static const uint8_t bytes[] = { 0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c, 0x9d, 0x7f,
		0x3e, 0x7d, 0x7b, 0xbd, 0x25, 0x40, 0x25 };
	static const uint64_t wanted[] = { 151288809941952652u, 494878333, 15293, 37, 37 };
	uint32_t at = 0;
	uint64_t value = 1;

	for (int k = 0; k < 5; k++) {
		cr_assert(bpei_quic_number(bytes, sizeof bytes, &at, &value));
		cr_assert_eq(value, wanted[k]);
	}
	cr_assert_eq(at, sizeof bytes);
	cr_assert_not(bpei_quic_number(bytes, sizeof bytes, &at, &value));
	at = 0;
	cr_assert_not(bpei_quic_number(bytes, 7, &at, &value));
	cr_assert_eq(at, 0);
}

Test(quic_header, versions_with_published_keys, .timeout = 550)
{
	static const uint32_t known[] = { 1, 0x6b3343cf, 0x709a50c4, 0xff000022, 0xff000021,
		0xff00001d, 0xff000020, 0xff00001c, 0xff000017, 0xff000016, 0xfaceb002, 0x54303530,
		0x54303531 };
	static const uint32_t named[] = { 0x51303530, 0x51303436, 0xff000015, 0xabcd000f,
		0x51474f01 };
	static const uint32_t strange[] = { 0, 2, 0x1a2a3a4b, 0xff000023, 0x51303630, 0xdeadbeef };

	for (size_t k = 0; k < sizeof known / sizeof *known; k++)
		cr_assert(bpei_quic_version_find(known[k]) && bpei_quic_version_known(known[k]));
	for (size_t k = 0; k < sizeof named / sizeof *named; k++)
		cr_assert(!bpei_quic_version_find(named[k]) && bpei_quic_version_known(named[k]));
	/* Reserved numbers go with the keys of version 1, or of draft 29. */
	const struct bpei_quic_version *one = bpei_quic_version_find(1);
	const struct bpei_quic_version *next = bpei_quic_version_next(0x1a2a3a4a, one);
	cr_assert(bpei_quic_version_find(0x1a2a3a4a) == one && next);
	cr_assert_eq(next, bpei_quic_version_find(0xff00001d));
	cr_assert_null(bpei_quic_version_next(0x1a2a3a4a, next));
	cr_assert_null(bpei_quic_version_next(1, one));
	for (size_t k = 0; k < sizeof strange / sizeof *strange; k++)
		cr_assert_not(bpei_quic_version_known(strange[k]));
}

Test(quic_header, kinds_depend_on_the_version, .timeout = 550)
{
	uint8_t bytes[64] = { 0xc0, 0, 0, 0, 1, 2, 'a', 'b', 1, 'c', 0, 30 };

	cr_assert(read_header_of(bytes, 64));
	cr_assert(p.kind == BPEI_QUIC_INITIAL && p.number_at == 12 && p.bytes == 42);
	cr_assert(p.dcid_bytes == 2 && p.dcid == bytes + 6);
	bytes[0] = 0xd0; /* 0-RTT and Handshake have no token */
	bytes[10] = 31;
	cr_assert(read_header_of(bytes, 64));
	cr_assert(p.kind == BPEI_QUIC_0RTT && p.number_at == 11 && p.bytes == 42);
	bytes[0] = 0xe0;
	cr_assert(read_header_of(bytes, 64) && p.kind == BPEI_QUIC_HANDSHAKE);
	bytes[0] = 0xf0;
	cr_assert(read_header_of(bytes, 64) && p.kind == BPEI_QUIC_RETRY && p.bytes == 64);
	memcpy(bytes + 1, "\x6b\x33\x43\xcf", 4);
	cr_assert(read_header_of(bytes, 64) && p.kind == BPEI_QUIC_HANDSHAKE);
	bytes[0] = 0xc0;
	cr_assert(read_header_of(bytes, 64) && p.kind == BPEI_QUIC_RETRY);
	bytes[0] = 0xd0;
	bytes[10] = 0;
	cr_assert(read_header_of(bytes, 64) && p.kind == BPEI_QUIC_INITIAL);
}

Test(quic_header, lengths_must_fit, .timeout = 550)
{
	uint8_t bytes[64] = { 0xc0, 0, 0, 0, 1, 2, 'a', 'b', 1, 'c', 0, 30 };

	for (uint32_t n = 0; n < 42; n++)
		cr_assert_not(read_header_of(bytes, n), "%u", n);
	bytes[11] = 19; /* no room for the sample */
	cr_assert_not(read_header_of(bytes, 64));
	bytes[11] = 53;
	cr_assert_not(read_header_of(bytes, 64));
	bytes[11] = 52;
	cr_assert(read_header_of(bytes, 64));
	bytes[10] = 54; /* the token */
	cr_assert_not(read_header_of(bytes, 64));
	bytes[10] = 0;
	bytes[5] = 21;
	cr_assert_not(read_header_of(bytes, 64));
	bytes[5] = 2;
	bytes[8] = 21;
	cr_assert_not(read_header_of(bytes, 64));
	bytes[8] = 1;
	bytes[0] = 0x40;
	cr_assert_not(read_header_of(bytes, 64));
}

Test(quic_header, a_flow_begins_with_a_header_that_fits, .timeout = 550)
{
	static const uint8_t q039[] = { 0x0d, 1, 2, 3, 4, 5, 6, 7, 8, 'Q', '0', '3', '9', 1, 0 };
	uint8_t q046[40] = { 0xc3, 'Q', '0', '4', '6', 0x50 };
	uint8_t bytes[60] = { 0xc0, 0, 0, 0, 1, 2, 'a', 'b', 1, 'c', 0, 30 };
	uint8_t versions[] = { 0x80, 0, 0, 0, 0, 1, 'a', 1, 'b', 0xde, 0xad, 0xbe, 0xef, 0, 0, 0,
		1 };

	cr_assert(bpei_quic_packet_begins(&p, q039, sizeof q039) && p.version == 0x51303339);
	cr_assert_not(bpei_quic_packet_begins(&p, q039, 13));
	cr_assert(bpei_quic_packet_begins(&p, q046, sizeof q046));
	cr_assert(p.kind == BPEI_QUIC_OPAQUE && p.version == 0x51303436);
	q046[0] = 0x83;
	cr_assert_not(bpei_quic_packet_begins(&p, q046, sizeof q046));
	cr_assert(bpei_quic_packet_begins(&p, bytes, 60));
	bytes[42] = 0xc0; /* behind the packet: the begin of a packet that does not fit */
	cr_assert_not(bpei_quic_packet_begins(&p, bytes, 60));
	bytes[42] = 0;
	bytes[0] = 0x80; /* the fixed bit */
	cr_assert_not(bpei_quic_packet_begins(&p, bytes, 60));
	cr_assert(bpei_quic_packet_begins(&p, versions, sizeof versions));
	cr_assert_eq(p.kind, BPEI_QUIC_NEGOTIATION);
	versions[16] = 9;
	cr_assert_not(bpei_quic_packet_begins(&p, versions, sizeof versions));
	cr_assert_not(bpei_quic_packet_begins(&p, versions, sizeof versions - 1));
	cr_assert_not(bpei_quic_packet_begins(&p, versions, 0));
}
