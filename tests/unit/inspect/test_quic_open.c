/* SPDX-License-Identifier: MIT */
/* Protection of Initials: the standards' packets, and sealed packets of many lengths. */
#include "quic_case.h"
#include "quic_vectors.h"

#include <criterion/criterion.h>

static struct bpei_quic_opened opened;

Test(quic_open, sealing_for_the_tests_makes_the_standards_bytes, .timeout = 550)
{
	static const struct quic_initial how = { 1, "\x83\x94\xc8\xf0\x3e\x51\x57\x08", NULL, 2, 4,
		0, 0 };
	uint8_t frames[1200] = { 0 };
	uint8_t wanted[1200], made[1300];
	uint32_t n = quic_vector_frames(frames, quic_vector_1);
	/* The sealed packet has two bytes for the token's length, the standard's packet has a byte:
	 * the text is the same, and the tag differs. */
	uint32_t bytes = quic_seal(made, &how, frames, n);

	cr_assert_eq(n, 1162);
	quic_from_hex(wanted, quic_vector_1);
	cr_assert_eq(bytes, 1201);
	cr_assert_eq(memcmp(made + 1201 - 1178, wanted + 1200 - 1178, 1162), 0);
}

Test(quic_open, opens_packets_of_each_length, .timeout = 550)
{
	static const struct bpe_crypto *const with[] = { &quic_crypto, &quic_crypto_tagless };
	struct quic_initial how = { 0x6b3343cf, "12345678", NULL, 0, 1, 0, 0 };
	struct bpei_quic_packet packet;
	struct bpei_quic_keys keys;
	uint8_t frames[1300], sealed[1500];

	for (uint32_t k = 0; k < sizeof frames; k++)
		frames[k] = (uint8_t)(k * 31);
	for (uint32_t n = 4; n < 1200; n += 1 + n / 8) {
		how.number_bytes = 1 + n % 4;
		how.number = n * 0x01030507u;
		if (how.number_bytes < 4)
			how.number &= (1u << (8 * how.number_bytes)) - 1;
		uint32_t bytes = quic_seal(sealed, &how, frames, n);
		cr_assert(bpei_quic_packet_read(&packet, sealed, bytes));
		cr_assert_eq(packet.bytes, bytes);
		cr_assert(bpei_quic_keys_make(
			&keys, &quic_crypto, packet.known, packet.dcid, packet.dcid_bytes));
		for (int k = 0; k < 2; k++) {
			cr_assert(bpei_quic_open(&opened, with[k], &keys, &packet));
			cr_assert_eq(opened.frames_bytes, n);
			cr_assert_eq(opened.number, how.number);
			cr_assert_eq(memcmp(opened.bytes + opened.frames_at, frames, n), 0);
		}
		/* The tag covers the header, too. */
		sealed[17] ^= 1;
		cr_assert_not(bpei_quic_open(&opened, &quic_crypto, &keys, &packet));
	}
}

static bool refuse_blocks(const uint8_t key[16], const uint8_t *in, uint8_t *out, size_t blocks)
{
	(void)key;
	(void)in;
	(void)out;
	return blocks == SIZE_MAX;
}

Test(quic_open, a_library_that_fails_opens_nothing, .timeout = 550)
{
	struct bpe_crypto broken = quic_crypto_tagless;
	struct bpei_quic_packet packet;
	struct bpei_quic_keys keys;
	uint8_t bytes[1200];

	quic_from_hex(bytes, quic_vector_1);
	cr_assert(bpei_quic_packet_read(&packet, bytes, sizeof bytes));
	cr_assert(bpei_quic_keys_make(
		&keys, &quic_crypto, packet.known, packet.dcid, packet.dcid_bytes));
	cr_assert(bpei_quic_open(&opened, &broken, &keys, &packet));
	broken.aes128_ecb = refuse_blocks;
	cr_assert_not(bpei_quic_open(&opened, &broken, &keys, &packet));
}
