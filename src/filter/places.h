/* SPDX-License-Identifier: MIT */
/* Loads and tests at places of the packet, from which terms*.c make the language's terms.  The
 * argument `plus` is added to the place's offset. */
#ifndef BPEI_FILTER_PLACES_H
#define BPEI_FILTER_PLACES_H

#include "filter/errors.h"
#include "filter/terms.h"

/* Returns the place `at` bytes behind the packet's start. */
static inline struct place bpei_place_from_start(uint32_t at)
{
	return (struct place){ -1, at };
}

/* Returns the value of `size` bytes (1, 2 or 4). */
int32_t bpei_place_load(struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus);
/* Returns the test for bytes equal to k. */
int32_t bpei_place_is(
	struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus, uint32_t k);
/* Returns the test for any of the byte's bits. */
int32_t bpei_place_has(struct bpei_compile *c, struct place p, uint32_t plus, uint32_t bits);
/* Returns the test for bytes equal to k under the mask. */
int32_t bpei_place_is_masked(struct bpei_compile *c, uint32_t size, struct place p, uint32_t plus,
	uint32_t k, uint32_t mask);
/* Returns the test for a 6-byte hardware address. */
int32_t bpei_place_is_mac(
	struct bpei_compile *c, struct place p, uint32_t plus, const uint8_t address[6]);
/* Returns the place `length` (a value) plus `plus` bytes behind p. */
struct place bpei_place_behind(
	struct bpei_compile *c, struct place p, int32_t length, uint32_t plus);
/* Returns the place behind the IPv4 header. */
struct place bpei_place_behind_ip4(struct bpei_compile *c);
/* Returns the test for an IPv4 packet other than a later fragment. */
int32_t bpei_place_no_fragment(struct bpei_compile *c);
/* Joins the tests of both ends as the direction says: src, dst, src and dst, src or dst. */
int32_t bpei_by_direction(struct bpei_compile *c, int32_t source, int32_t target, enum direction d);

#endif
