/* SPDX-License-Identifier: MIT */
/* Finds copies: packets captured again, by a mirror port or at a second place, within a window of
 * time or of packets.
 *
 * A keyed hash of 128 bits recognises copies, so memory is bounded.  Nobody without the key can
 * make a packet pass for another packet.  Two different packets are taken for copies with a
 * chance below 2^-60.
 *
 * Owner: one thread. */
#ifndef BPEI_DEDUP_H
#define BPEI_DEDUP_H

#include <stdbool.h>
#include <stdint.h>

/* What copies may differ in. */
enum bpei_dedup_compare {
	BPEI_DEDUP_FRAME = 0, /* 802.1Q and 802.1ad tags, and bytes behind the IP or ARP packet */
	BPEI_DEDUP_EXACT,     /* nothing */
	BPEI_DEDUP_IP         /* all in front of the outermost IP header, and bytes behind */
};

#define BPEI_DEDUP_MOST (1u << 20) /* most packets that are remembered */

struct bpei_dedup;

/* Copies lie at most window_ns before or behind the packet they repeat, and at most
 * window_packets packets behind.  window_ns below 0, window_packets 0: no limit.  A copy counts as
 * seen, so a copy of a copy is found as well.  key: secret. */
struct bpei_dedup_options {
	int64_t window_ns;
	uint32_t window_packets; /* at most BPEI_DEDUP_MOST */
	uint32_t compare;        /* enum bpei_dedup_compare */
	uint64_t key[2];
};

/* Returns the state, or NULL without memory. */
struct bpei_dedup *bpei_dedup_new(const struct bpei_dedup_options *options);
void bpei_dedup_free(struct bpei_dedup *dedup);

/* A packet of a link type. */
struct bpei_dedup_packet {
	const uint8_t *data;
	int64_t time_ns;
	uint32_t caplen, wirelen, link_type;
};

/* Returns whether the packet is a copy, and remembers it. */
bool bpei_dedup_is_copy(struct bpei_dedup *dedup, const struct bpei_dedup_packet *packet);

/* Returns how many packets were forgotten within their window, for want of memory.  Copies of these
 * packets are not found. */
uint64_t bpei_dedup_forgotten(const struct bpei_dedup *dedup);

#endif
