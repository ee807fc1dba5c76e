/* SPDX-License-Identifier: MIT */
/* Finds the beginning of an 802.11 frame behind its radio header, and the frame's LLC header.
 * Pure. */
#ifndef BPEI_ARCH_WLAN_H
#define BPEI_ARCH_WLAN_H

#include <stdbool.h>
#include <stdint.h>

#define BPEI_WLAN_CUT UINT32_MAX

/* Returns the bytes of the radio header of LINKTYPE 105 (none), 119, 127 or 163; BPEI_WLAN_CUT
 * if the header was cut.  *padded: a data frame's header is padded to a multiple of 4. */
uint32_t bpei_wlan_radio(const uint8_t *data, uint32_t n, uint32_t link_type, bool *padded);

/* The content of a data frame. */
struct bpei_wlan_content {
	uint32_t first; /* where it begins: an LLC header, or with several packets the header of the
			 * first; 0: nothing is carried (another kind of frame, encrypted, a later
			 * fragment); BPEI_WLAN_CUT: the header is not all there */
	bool several;   /* packets, each behind a header of its own (A-MSDU) */
	bool mesh;      /* LLC headers may have a mesh control before them */
};
/* Returns the content of a frame of n bytes.  swapped: the two bytes of the frame control are
 * exchanged. */
struct bpei_wlan_content bpei_wlan_content(
	const uint8_t *frame, uint32_t n, bool padded, bool swapped);

/* Returns the bytes of the mesh control at offset; 0 if an LLC header is there instead. */
uint32_t bpei_wlan_mesh(const uint8_t *frame, uint32_t n, uint32_t offset);

#endif
