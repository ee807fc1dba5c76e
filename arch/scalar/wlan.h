/* SPDX-License-Identifier: MIT */
/* What stands in front of an 802.11 frame, and where the frame's LLC header is.  Pure. */
#ifndef BPEI_ARCH_WLAN_H
#define BPEI_ARCH_WLAN_H

#include <stdbool.h>
#include <stdint.h>

#define BPEI_WLAN_CUT UINT32_MAX

/* Bytes of the radio header of LINKTYPE 105 (none), 119, 127 or 163; BPEI_WLAN_CUT: it is not all there.  *padded: a data frame's header
 * is filled up to a multiple of 4. */
uint32_t bpei_wlan_radio(const uint8_t *data, uint32_t n, uint32_t link_type, bool *padded);

/* Where a data frame's LLC header begins; 0: it carries none (another kind of frame, encrypted, a later fragment, several packets in
 * one); BPEI_WLAN_CUT: the header is not all there. */
uint32_t bpei_wlan_llc(const uint8_t *frame, uint32_t n, bool padded);

#endif
