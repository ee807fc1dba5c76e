/* SPDX-License-Identifier: MIT */
/* A packet with addresses to be replaced, and the functions between the files of this folder. Every
 * address is read from the captured bytes and written to the copy.  So an address that is met
 * twice is replaced once. */
#ifndef BPEI_EDIT_H
#define BPEI_EDIT_H

#include "arch/arch.h"
#include "rewrite/prefix.h"

#define BPEI_MOST_QUOTATIONS 8u /* packets that ICMP messages of a packet quote */

/* A packet that an ICMP message quotes: bytes [offset, end), from the IP header on. */
struct bpei_quotation {
	uint32_t offset, end;
};

struct bpei_edit {
	struct bpei_prefix *prefix;
	const uint8_t *from; /* caplen bytes as captured */
	uint8_t *to;         /* the copy */
	uint32_t caplen;
	bool macs;            /* MAC addresses, too */
	uint32_t first, last; /* changed bytes lie in [first, last) */
	uint32_t addresses;   /* fields with an address of the network layer */
	uint32_t quotations;
	struct bpei_quotation quotation[BPEI_MOST_QUOTATIONS]; /* still to be edited, or edited */
};

/* An IP header, and the packet behind. */
struct bpei_ip_level {
	uint32_t offset;
	uint32_t end;    /* of the packet, by IP's length and at most caplen */
	uint32_t whole;  /* the same, also if behind caplen */
	uint32_t upper;  /* offset of the transport header; 0: there is none */
	uint32_t target; /* offset of the final receiver's address */
	uint8_t proto;
	bool six;
	bool fragment; /* the first of several */
};

/* Replace the address at offset.  Of a cut address all bytes become 0. */
void bpei_edit_ip4_address(struct bpei_edit *edit, uint32_t offset);
void bpei_edit_ip6_address(struct bpei_edit *edit, uint32_t offset);
void bpei_edit_mac_address(struct bpei_edit *edit, uint32_t offset);
/* Tells that the bytes [offset, offset + n) of the copy changed. */
void bpei_edit_changed(struct bpei_edit *edit, uint32_t offset, uint32_t n);

/* Notes the packet in [offset, end), from the IP header on, which an ICMP message quotes. */
void bpei_edit_quotation(struct bpei_edit *edit, uint32_t offset, uint32_t end);

/* Replaces the addresses of an IP header, of options and extension headers, and of the ICMP or IGMP
 * message behind.  Returns false without an IP header of this version at level->offset; otherwise
 * fills *level, of which offset and six are set. */
bool bpei_edit_ip(struct bpei_edit *edit, struct bpei_ip_level *level);
/* Replaces the addresses in a message of ICMP, ICMPv6 or IGMP behind the IP header. */
void bpei_edit_message(struct bpei_edit *edit, const struct bpei_ip_level *level);

/* Mends the checksums of an IP packet: the IP header's, and the transport header's.  A right
 * checksum is right afterwards, and a wrong checksum stays wrong.  The caller begins with the
 * innermost packet. */
void bpei_mend_checksums(struct bpei_edit *edit, const struct bpei_ip_level *level);

/* Returns whether n bytes at offset were captured. */
static inline bool bpei_edit_has(const struct bpei_edit *edit, uint32_t offset, uint32_t n)
{
	return offset <= edit->caplen && edit->caplen - offset >= n;
}

#endif
