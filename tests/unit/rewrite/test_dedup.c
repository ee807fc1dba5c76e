/* SPDX-License-Identifier: MIT */
/* Copies of packets: what they may differ in, the windows, the bound of memory; random packets
 * against a plain list of bytes. */
#include "rewrite/dedup.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

/* Ethernet, IPv4 10.0.0.1 to 10.0.0.2, UDP with 4 bytes: 46 bytes. */
static const uint8_t plain[46] = "\0\0\0\0\0\1\0\0\0\0\0\2\x08\0\x45\0\0\x20\0\1\0\0\x40\x11\0\0"
				 "\x0a\0\0\1\x0a\0\0\2\x04\xd2\0\x35\0\x0c\0\0"
				 "abcd";

static struct bpei_dedup *make_dedup(int64_t window_ns, uint32_t packets, uint32_t compare)
{
	const struct bpei_dedup_options options = { .window_ns = window_ns,
		.window_packets = packets,
		.compare = compare,
		.key = { 1, 2 } };
	struct bpei_dedup *d = bpei_dedup_new(&options);

	cr_assert(d);
	return d;
}

static bool offer_packet(struct bpei_dedup *d, const void *data, uint32_t n, int64_t time_ns)
{
	const struct bpei_dedup_packet p = {
		.data = data, .time_ns = time_ns, .caplen = n, .wirelen = n, .link_type = 1
	};

	return bpei_dedup_is_copy(d, &p);
}

/* Makes the packet with VLAN tags behind the MAC addresses and bytes of padding. */
static uint32_t make_tagged(uint8_t *to, uint32_t tags, uint32_t padding)
{
	memcpy(to, plain, 12);
	for (uint32_t i = 0; i < tags; i++)
		memcpy(to + 12 + 4 * i, i ? "\x81\0\0\x14" : "\x88\xa8\0\x0a", 4);
	memcpy(to + 12 + 4 * tags, plain + 12, sizeof plain - 12);
	memset(to + sizeof plain + 4 * tags, 0x55, padding);
	return (uint32_t)sizeof plain + 4 * tags + padding;
}

Test(dedup, finds_copies_with_tags_and_padding, .timeout = 550)
{
	for (uint32_t tags = 0; tags < 3; tags++)
		for (uint32_t padding = 0; padding < 20; padding += 6) {
			struct bpei_dedup *frame = make_dedup(MS, 0, BPEI_DEDUP_FRAME);
			struct bpei_dedup *exact = make_dedup(MS, 0, BPEI_DEDUP_EXACT);
			uint8_t copy[100];
			const uint32_t n = make_tagged(copy, tags, padding);

			cr_assert_not(offer_packet(frame, plain, sizeof plain, 0));
			cr_assert(offer_packet(frame, copy, n, 0));
			cr_assert_not(offer_packet(exact, plain, sizeof plain, 0));
			cr_assert_eq(offer_packet(exact, copy, n, 0), !tags && !padding);
			bpei_dedup_free(frame);
			bpei_dedup_free(exact);
		}
}

/* Any other byte makes another packet. */
Test(dedup, keeps_packets_that_differ, .timeout = 550)
{
	struct bpei_dedup *d = make_dedup(MS, 0, BPEI_DEDUP_FRAME);
	uint8_t other[sizeof plain];

	cr_assert_not(offer_packet(d, plain, sizeof plain, 0));
	for (uint32_t i = 0; i < sizeof plain; i++) {
		memcpy(other, plain, sizeof plain);
		other[i] ^= 0x40;
		cr_assert_not(offer_packet(d, other, sizeof plain, 0), "byte %u", i);
	}
	cr_assert_not(offer_packet(d, plain, sizeof plain - 1, 0)); /* cut */
	cr_assert(offer_packet(d, plain, sizeof plain, 0));
	const struct bpei_dedup_packet raw = {
		.data = plain, .caplen = sizeof plain, .wirelen = sizeof plain, .link_type = 101
	};
	cr_assert_not(bpei_dedup_is_copy(d, &raw));
	bpei_dedup_free(d);
}

/* A router changes MAC addresses, the time to live and the header's checksum: no copy.  A bridge
 * between captures of two link types changes the link-layer header alone: a copy from IP on. */
Test(dedup, compares_from_ip_on, .timeout = 550)
{
	struct bpei_dedup *d = make_dedup(MS, 0, BPEI_DEDUP_IP);
	uint8_t other[sizeof plain];
	const struct bpei_dedup_packet raw = { .data = plain + 14,
		.caplen = sizeof plain - 14,
		.wirelen = sizeof plain - 14,
		.link_type = 101 };

	memcpy(other, plain, sizeof plain);
	other[5] = 9;
	cr_assert_not(offer_packet(d, plain, sizeof plain, 0));
	cr_assert(offer_packet(d, other, sizeof plain, 0));
	cr_assert(bpei_dedup_is_copy(d, &raw));
	other[22]--;
	cr_assert_not(offer_packet(d, other, sizeof plain, 0));
	bpei_dedup_free(d);
}

Test(dedup, keeps_to_the_window, .timeout = 550)
{
	struct bpei_dedup *d = make_dedup(50 * MS, 0, BPEI_DEDUP_FRAME);

	cr_assert_not(offer_packet(d, plain, sizeof plain, 1000 * MS));
	cr_assert(offer_packet(d, plain, sizeof plain, 1050 * MS));
	cr_assert(offer_packet(d, plain, sizeof plain, 1100 * MS)); /* a copy of the copy */
	cr_assert_not(offer_packet(d, plain, sizeof plain, 1150 * MS + 1));
	cr_assert(offer_packet(d, plain, sizeof plain, 1101 * MS)); /* earlier by 50 ms */
	cr_assert_not(offer_packet(d, plain, sizeof plain, INT64_MAX));
	cr_assert_not(offer_packet(d, plain, sizeof plain, INT64_MIN));
	bpei_dedup_free(d);
	d = make_dedup(-1, 4, BPEI_DEDUP_FRAME);
	for (uint32_t between = 0; between < 6; between++) {
		uint8_t other[sizeof plain];

		memcpy(other, plain, sizeof plain);
		offer_packet(d, plain, sizeof plain, 0);
		for (uint32_t i = 0; i < between; i++) {
			other[20] = (uint8_t)(10 + i);
			other[21] = (uint8_t)between;
			cr_assert_not(offer_packet(d, other, sizeof plain, 0));
		}
		cr_assert_eq(offer_packet(d, plain, sizeof plain, INT64_MAX), between < 4);
	}
	bpei_dedup_free(d);
}

/* More packets than are remembered: the latest are found, and the others are counted. */
Test(dedup, is_bounded_and_counts_what_it_forgets, .timeout = 550)
{
	const uint32_t more = 5000;
	struct bpei_dedup *d = make_dedup(MS, 0, BPEI_DEDUP_FRAME);
	uint8_t packet[sizeof plain];

	memcpy(packet, plain, sizeof plain);
	for (uint32_t i = 0; i < BPEI_DEDUP_MOST + more; i++) {
		memcpy(packet + 42, &i, sizeof i);
		cr_assert_not(offer_packet(d, packet, sizeof plain, 0));
	}
	cr_assert_eq(bpei_dedup_forgotten(d), more);
	for (uint32_t i = more + 1000; i < more + 2000; i++) {
		memcpy(packet + 42, &i, sizeof i);
		cr_assert(offer_packet(d, packet, sizeof plain, 0));
	}
	bpei_dedup_free(d);
}

/* Random small packets with many copies, against a list of all of them. */
Test(dedup, agrees_with_a_list, .timeout = 550)
{
	enum { PACKETS = 30000, BYTES = 24 };
	struct past {
		uint8_t bytes[BYTES];
		int64_t time_ns;
	};
	struct past *past = calloc(PACKETS, sizeof *past);
	struct bpei_dedup *d = make_dedup(3 * MS, 0, BPEI_DEDUP_EXACT);
	uint64_t state = 24;
	int64_t now = 0;
	uint32_t copies = 0;

	for (uint32_t i = 0; i < PACKETS; i++) {
		bool expected = false;

		state = state * 6364136223846793005u + 1442695040888963407u;
		past[i].bytes[0] = (uint8_t)(state >> 40);
		past[i].bytes[20] = (uint8_t)(state >> 50 & 7);
		now += (int64_t)(state >> 33 & 0xff) * 100 - 5000;
		past[i].time_ns = now;
		for (uint32_t k = 0; k < i && !expected; k++)
			expected = llabs(past[k].time_ns - now) <= 3 * MS &&
				   !memcmp(past[k].bytes, past[i].bytes, BYTES);
		copies += expected;
		cr_assert_eq(offer_packet(d, past[i].bytes, BYTES, now), expected, "packet %u", i);
	}
	cr_assert(copies > 1000 && copies < PACKETS - 1000, "%u", copies);
	bpei_dedup_free(d);
	free(past);
}
