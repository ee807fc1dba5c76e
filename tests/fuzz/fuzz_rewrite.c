/* SPDX-License-Identifier: MIT */
/* Gives any bytes as packets to the replacing of addresses and to the search for copies.  Packet
 * and copy have memory of exactly their size, so a sanitizer sees an access past the end. Replacing
 * gives the same bytes twice, the same layers and the flow with its addresses replaced, and no
 * right checksum becomes wrong.  A packet is a copy of itself, and of no packet of another content.
 *
 * Input: a byte of choices (1: MAC addresses, 2: payload cut, 4: no address kept, 8: more on the
 * wire; 4 higher bits: link type of a list), two bytes of a link type past the list, a packet. */
#include "anonymise_check.h"
#include "fuzz.h"
#include "names/numbers.h"
#include "rewrite/dedup.h"

static const uint8_t key[BPEI_PREFIX_KEY_BYTES] = "the key of the fuzzer, 32 bytes";

static uint8_t *copy_exactly(const uint8_t *bytes, uint32_t n)
{
	uint8_t *copy = malloc(n + !n);

	FUZZ_CHECK(copy);
	memcpy(copy, bytes, n);
	return copy;
}

static uint32_t choose_fuzzed_link(struct fuzz_input *in, uint32_t choice)
{
	static const uint16_t types[] = { LINK_ETHERNET, LINK_RAW, LINK_NULL, LINK_SLL, LINK_SLL2,
		LINK_WLAN, LINK_RADIOTAP, LINK_PPP, LINK_LOOP, LINK_IPV4, LINK_IPV6 };
	const uint32_t other = fuzz_u16(in);

	return choice < sizeof types / sizeof *types ? types[choice] : other;
}

static void check_anonymised(
	const uint8_t *from, uint8_t *to, uint32_t n, uint32_t wirelen, uint32_t link_type)
{
	struct bpei_prefix *prefix = bpei_prefix_new(key, false);
	struct parsed_packet was = { .data = from, .caplen = n, .wirelen = wirelen };
	struct parsed_packet is = { .data = to, .caplen = n, .wirelen = wirelen };

	FUZZ_CHECK(prefix);
	const char *wrong = anonymised_wrong(prefix, &was, &is, link_type);
	if (wrong && was.layers.flags & BPE_PKT_BAD_CHECKSUM)
		wrong = NULL; /* what was wrong may look unfinished afterwards */
	if (wrong)
		fprintf(stderr, "%s\n", wrong);
	FUZZ_CHECK(!wrong);
	bpei_prefix_free(prefix);
}

static void anonymise_fuzzed(
	const uint8_t *bytes, uint32_t n, uint32_t wirelen, uint32_t link_type, uint32_t flags)
{
	struct bpei_anonymiser *a = bpei_anonymiser_new(key, flags);
	uint8_t *from = copy_exactly(bytes, n);
	uint8_t *to = copy_exactly(bytes, n);
	uint8_t *again = copy_exactly(bytes, n);

	FUZZ_CHECK(a);
	const uint32_t left = bpei_anonymise(a, from, to, n, wirelen, link_type);
	FUZZ_CHECK(left <= n);
	FUZZ_CHECK(flags & BPEI_ANONYMISE_CUT_PAYLOAD || left == n);
	FUZZ_CHECK(bpei_anonymise(a, from, again, n, wirelen, link_type) == left);
	FUZZ_CHECK(!memcmp(to, again, n) && !memcmp(from, bytes, n));
	if (!flags)
		check_anonymised(from, to, n, wirelen, link_type);
	bpei_anonymiser_free(a);
	free(from);
	free(to);
	free(again);
}

static void deduplicate_fuzzed(
	const uint8_t *bytes, uint32_t n, uint32_t wirelen, uint32_t link_type, uint32_t compare)
{
	const struct bpei_dedup_options options = {
		.window_ns = 0, .compare = compare, .key = { 24, 11 }
	};
	struct bpei_dedup *d = bpei_dedup_new(&options);
	uint8_t *copy = copy_exactly(bytes, n);
	const struct bpei_dedup_packet p = {
		.data = copy, .caplen = n, .wirelen = wirelen, .link_type = link_type
	};

	FUZZ_CHECK(d);
	FUZZ_CHECK(!bpei_dedup_is_copy(d, &p));
	FUZZ_CHECK(bpei_dedup_is_copy(d, &p));
	if (n && compare == BPEI_DEDUP_EXACT) {
		copy[n / 2] ^= 1;
		FUZZ_CHECK(!bpei_dedup_is_copy(d, &p));
	}
	bpei_dedup_free(d);
	free(copy);
}

void fuzz_rewrite(const uint8_t *bytes, size_t n)
{
	enum { MOST = 70000, MORE_ON_WIRE = 8 };
	struct fuzz_input in = { bytes, bytes + n };
	const uint32_t choices = fuzz_u8(&in);
	const uint32_t link_type = choose_fuzzed_link(&in, choices >> 4);
	uint32_t left = (uint32_t)fuzz_left(&in);

	if (left > MOST)
		left = MOST;
	const uint32_t wirelen = left + (choices & MORE_ON_WIRE ? 100 : 0);
	anonymise_fuzzed(in.next, left, wirelen, link_type, choices & 7);
	anonymise_fuzzed(in.next, left, wirelen, link_type, 0);
	for (uint32_t compare = 0; compare <= BPEI_DEDUP_IP; compare++)
		deduplicate_fuzzed(in.next, left, wirelen, link_type, compare);
}
