/* SPDX-License-Identifier: MIT */
/* Knowledge of link headers, shared by the files of the language's terms. */
#ifndef BPEI_FILTER_LINKS_H
#define BPEI_FILTER_LINKS_H

#include "filter/places.h"
#include "names/numbers.h"

/* No link type of a capture: an ethertype, then the packet. */
#define LINK_GENEVE 0x10000u

/* LLC addresses (IEEE 802.2).  bpei_term_linktype takes them beside ethertypes: the numbers do not
 * overlap. */
enum { SAP_ISO = 0xfe, SAP_IP = 0x06, SAP_STP = 0x42, SAP_IPX = 0xe0, SAP_NETBEUI = 0xf0 };

/* The first byte of OSI's network layer (ISO/IEC TR 9577). */
enum { OSI_CLNP = 0x81, OSI_ESIS = 0x82, OSI_ISIS = 0x83 };

/* terms_layout.c */
/* Sets the offsets for the header of a link type at the place, with nothing in front. */
void bpei_link_enter(struct bpei_compile *c, uint32_t link, struct place at);
/* Returns true for link types with 6-byte addresses: IEEE 802 and kin. */
bool bpei_link_has_macs(const struct bpei_compile *c);

/* terms_type.c */
/* Returns the test for a length in the type field (IEEE 802.3). */
int32_t bpei_link_has_length(struct bpei_compile *c);
/* Returns the node `test`; inside LAN emulation, only for frames that are no control frames. */
int32_t bpei_link_frame(struct bpei_compile *c, int32_t test);

/* terms_wlan.c */

/* Returns true inside 802.11 frames. */
static inline bool bpei_link_is_wlan(const struct bpei_compile *c)
{
	return c->offsets.kind == KIND_WLAN;
}
/* Sets the offsets for an 802.11 frame at the position that the value `base` holds (-1: at the
 * packet's start).  may_be_padded: the radiotap header in front has a flag for padding. */
void bpei_wlan_enter(struct bpei_compile *c, uint32_t link, int32_t base, bool may_be_padded);
/* Returns the test for a data frame. */
int32_t bpei_wlan_data(struct bpei_compile *c);
int32_t bpei_wlan_address(struct bpei_compile *c, const uint8_t address[6], enum direction d);
int32_t bpei_wlan_multicast(struct bpei_compile *c);

/* terms_atm.c */
/* Returns the test for an LLC header in a SunATM packet. */
int32_t bpei_atm_has_llc(struct bpei_compile *c);

#endif
