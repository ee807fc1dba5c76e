/* SPDX-License-Identifier: MIT */
/* Replaces addresses, keeping their prefixes: two addresses that share exactly their first n bits
 * share exactly n bits afterwards.  Different addresses stay different.  The way is Crypto-PAn's
 * (Xu, Fan, Ammar, Moon: "Prefix-preserving IP address anonymization", ICNP 2002) with AES-128.  A
 * keyed function of the bits in front of a bit says whether the bit is turned.
 *
 * Special addresses stay, unless `all` is set: the unspecified address, loopback, multicast,
 * broadcast, and the network part of link-local addresses.  No other address becomes special.
 * Therefore the bits on the way to a special network are never turned.  An address that shares n
 * bits with the network shows its own first n + 1 bits.
 *
 * Owner: one thread.  The structure holds the key. */
#ifndef BPEI_PREFIX_H
#define BPEI_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

#define BPEI_PREFIX_KEY_BYTES 32

struct bpei_prefix;

/* Returns the state for a key (the first half is the cipher's, the second makes the padding), or
 * NULL without memory.  all: turns every address, as other programs with Crypto-PAn do. */
struct bpei_prefix *bpei_prefix_new(const uint8_t key[BPEI_PREFIX_KEY_BYTES], bool all);
void bpei_prefix_free(struct bpei_prefix *prefix);

/* Writes the address in place of `from` to `to`, 4 or 16 bytes; both may be the same. */
void bpei_prefix_ip4(struct bpei_prefix *prefix, const uint8_t from[4], uint8_t to[4]);
void bpei_prefix_ip6(struct bpei_prefix *prefix, const uint8_t from[16], uint8_t to[16]);

/* Writes the MAC address in place of `from` to `to`; both may be the same.  Unicast addresses are
 * permuted, and keep the bit "locally administered".  Multicast, broadcast and all zeros stay. */
void bpei_prefix_mac(const struct bpei_prefix *prefix, const uint8_t from[6], uint8_t to[6]);

#endif
