/* SPDX-License-Identifier: MIT */
/* Replaces the addresses of packets by others, and mends the checksums.  A key always gives the
 * same addresses, so packets of several files fit together.  prefix.h has the way and the limits.
 *
 * Replaced: addresses of IPv4 and IPv6 headers, in tunnels as well, with their options and
 * extension headers; in the packet that an ICMP error quotes; of ARP and RARP over IPv4; in ICMP
 * redirects and router advertisements, ICMPv6's neighbour discovery and MLD, and IGMP.  By option:
 * MAC addresses of Ethernet, Linux' cooked captures, ARP and neighbour discovery. Left alone:
 * payloads, with the names and addresses in them; AH's authentication; headers that the parser does
 * not reach.  bpei_anonymise_counts tells how many packets had no address to replace. */
#ifndef BPEI_ANONYMISE_H
#define BPEI_ANONYMISE_H

#include "rewrite/prefix.h"

#define BPEI_ANONYMISE_MAC 1u         /* MAC addresses, too */
#define BPEI_ANONYMISE_CUT_PAYLOAD 2u /* what lies behind the last header is cut off */
#define BPEI_ANONYMISE_ALL 4u         /* no address is kept: exactly Crypto-PAn */

struct bpei_anonymiser;

struct bpei_anonymise_counts {
	uint64_t changed;   /* packets with addresses of IP or ARP, which were replaced */
	uint64_t unreached; /* packets in which the parser reaches no address */
	uint64_t macs_kept; /* with BPEI_ANONYMISE_MAC: packets of other link types */
};

/* Returns the state for a key, or NULL without memory.  flags: BPEI_ANONYMISE_*.  Owner: one
 * thread. */
struct bpei_anonymiser *bpei_anonymiser_new(
	const uint8_t key[BPEI_PREFIX_KEY_BYTES], uint32_t flags);
void bpei_anonymiser_free(struct bpei_anonymiser *anonymiser);

/* Replaces the addresses of a packet of a link type in `to`, which is a copy of the caplen bytes at
 * `from`.  Returns how many bytes of the copy are the packet's: caplen, or less if the payload is
 * cut. */
uint32_t bpei_anonymise(struct bpei_anonymiser *anonymiser, const uint8_t *from, uint8_t *to,
	uint32_t caplen, uint32_t wirelen, uint32_t link_type);

const struct bpei_anonymise_counts *bpei_anonymise_counts(const struct bpei_anonymiser *anonymiser);

#endif
