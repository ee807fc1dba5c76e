/* SPDX-License-Identifier: MIT */
/* What stands in front of an 802.11 frame, and where the frame's LLC header is.  Pure. */
#ifndef BPEI_ARCH_WLAN_H
#define BPEI_ARCH_WLAN_H

#include <stdbool.h>
#include <stdint.h>

#define BPEI_WLAN_CUT UINT32_MAX

/* Bytes of the radio header of LINKTYPE 105 (none), 119, 127 or 163; BPEI_WLAN_CUT: it is not all
 * there.  *padded: a data frame's header is filled up to a multiple of 4. */
uint32_t bpei_wlan_radio(const uint8_t *data, uint32_t n, uint32_t link_type, bool *padded);

/* What a data frame carries. */
struct bpei_wlan_content {
	uint32_t first; /* where it begins: an LLC header, or with several packets the header of the
			 * first; 0: nothing is carried (another kind of frame, encrypted, a later
			 * fragment); BPEI_WLAN_CUT: the header is not all there */
	bool several;   /* packets, each behind a header of its own (A-MSDU) */
	bool mesh;      /* LLC headers may have a mesh control before them */
};
/* swapped: the two bytes of the frame control have changed places. */
struct bpei_wlan_content bpei_wlan_content(
	const uint8_t *frame, uint32_t n, bool padded, bool swapped);

/* Bytes of the mesh control at offset, 0 if there is none: what looks like an LLC header is
 * that. */
uint32_t bpei_wlan_mesh(const uint8_t *frame, uint32_t n, uint32_t offset);

#endif
