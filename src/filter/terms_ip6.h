/* SPDX-License-Identifier: MIT */
/* IPv6's extension headers, for terms of the protocols behind them. */
#ifndef BPEI_FILTER_TERMS_IP6_H
#define BPEI_FILTER_TERMS_IP6_H

#include "filter/places.h"

#define IP6_HEADER_BYTES 40u
#define IP6_NEXT_HEADER 6u /* offset of the field in the header */
#define IP4_PROTOCOL 9u

/* A header over IPv6: the place of the field with the protocol's number, and the header's
 * begin. */
struct carried_header {
	struct place next, at;
};

/* Returns the header behind `depth` extension headers. */
struct carried_header bpei_ip6_carried(struct bpei_compile *c, uint32_t depth);
/* Returns the place behind the extension header at `at` with the protocol number `number` (a
 * value).  six: of IPv6; else an authentication header over IPv4. */
struct place bpei_ip6_behind_extension(
	struct bpei_compile *c, int32_t number, struct place at, bool six);

#endif
