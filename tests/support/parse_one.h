/* SPDX-License-Identifier: MIT */
/* Parses a hand-made packet by the scalar parser. */
#ifndef PARSE_ONE_H
#define PARSE_ONE_H

#include "arch/arch.h"

#include <stdlib.h>
#include <string.h>

struct parsed {
	struct bpe_layers layers;
	struct bpe_key key;
};

/* Parses a packet in memory of exactly the packet's size, so a sanitizer sees every byte too far.
 */
static inline struct parsed parse_as(
	uint32_t link_type, const void *bytes, uint32_t caplen, uint32_t wirelen, bool outermost)
{
	struct parsed r;
	memset(&r, 0xee, sizeof r);
	r.layers.flags = 0;
	uint8_t *copy = malloc(caplen ? caplen : 1);
	memcpy(copy, bytes, caplen);
	const uint8_t *data = copy;
	struct bpei_columns c = { .data = &data,
		.caplen = &caplen,
		.wirelen = &wirelen,
		.layers = &r.layers,
		.key = &r.key,
		.outermost = outermost };
	bpei_parse_scalar(&c, 1, link_type, NULL);
	free(copy);
	return r;
}

static inline struct parsed parse_bytes(
	uint32_t link_type, const void *bytes, uint32_t caplen, uint32_t wirelen)
{
	return parse_as(link_type, bytes, caplen, wirelen, false);
}

#define ETHER(type) "\x02\0\0\0\0\x02\x02\0\0\0\0\x01" type
#define IP4(total, frag, proto, ports_etc)                                                         \
	"\x45\0" total "\0\0" frag "\x40" proto "\0\0\x0a\0\0\x02\x0a\0\0\x01" ports_etc
#define TCP "\x1f\x90\xc0\x00\0\0\0\1\0\0\0\2\x50\x12\xff\xff\0\0\0\0" /* 8080 > 49152, SYN-ACK */
#define UDP_HEADER "\x00\x35\xc0\x01\0\x0a\0\0"                        /* 53 > 49153, 10 bytes */
#define IP6(length, next)                                                                          \
	"\x60\0\0\0" length next "\x40"                                                            \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"                                               \
	"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
#define PARSE(link, bytes) parse_bytes(link, bytes, sizeof(bytes) - 1, sizeof(bytes) - 1)

#endif
