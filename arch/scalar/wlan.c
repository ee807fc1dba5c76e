/* SPDX-License-Identifier: MIT */
/* Reads 802.11 frames and the radio headers in front (wlan.h).  Pure.  Sources: IEEE Std 802.11,
 * "MAC frame formats"; radiotap.org; the LINKTYPE_ registry of tcpdump.org for AVS and Prism
 * headers. */
#include "arch/scalar/wlan.h"

#include "base/bytes.h"
#include "names/numbers.h"

enum { TYPE = 0x0c, DATA = 0x08, NO_DATA = 0x40, QOS = 0x80 }; /* of the first byte */
enum { BOTH_DS = 0x03, PROTECTED = 0x40, ORDER = 0x80 };       /* of the second */
enum { AGGREGATED = 0x80, MESH = 0x01 };                       /* of the two bytes of QoS control */
#define AVS_MAGIC 0x80211000u

static uint32_t radiotap_bytes(const uint8_t *data, uint32_t n, bool *padded)
{
	if (n < 8)
		return BPEI_WLAN_CUT;
	uint32_t length = bpei_le16(data + 2);
	uint32_t present = bpei_le32(data + 4);
	uint32_t at = 8;
	if (length > n || length < 8)
		return BPEI_WLAN_CUT;
	for (uint32_t more = present; more >> 31 && at + 4 <= length; at += 4)
		more = bpei_le32(data + at);
	if (present & 1)
		at = ((at + 7) & ~7u) + 8; /* the time */
	*padded = present & 2 && at < length && data[at] & 0x20;
	return length;
}

uint32_t bpei_wlan_radio(const uint8_t *data, uint32_t n, uint32_t link_type, bool *padded)
{
	uint32_t length = 0;
	*padded = false;
	if (link_type == LINK_WLAN)
		return 0;
	if (link_type == LINK_RADIOTAP)
		return radiotap_bytes(data, n, padded);
	if (n < 8)
		return BPEI_WLAN_CUT;
	if (link_type == LINK_AVS || (bpei_be32(data) & 0xfffff000) == AVS_MAGIC)
		length = bpei_be32(data + 4);
	else
		length = bpei_le32(data + 4) <= 0xffff
				 ? bpei_le32(data + 4)
				 : bpei_be32(data + 4); /* Prism's: of the host */
	return length < 8 || length > n ? BPEI_WLAN_CUT : length;
}

struct bpei_wlan_content bpei_wlan_content(const uint8_t *f, uint32_t n, bool padded, bool swapped)
{
	struct bpei_wlan_content cut = { .first = BPEI_WLAN_CUT };
	struct bpei_wlan_content none = { .first = 0 };
	if (n < 2)
		return cut;
	const uint8_t kind = f[swapped];
	const uint8_t flags = f[!swapped];
	if ((kind & TYPE) != DATA || kind & NO_DATA || flags & PROTECTED)
		return none;
	uint32_t header = 24 + ((flags & BOTH_DS) == BOTH_DS ? 6 : 0);
	uint32_t control = header;
	if (kind & QOS)
		header += flags & ORDER ? 6 : 2;
	if (n < header)
		return cut;
	if (f[22] & 0x0f)
		return none;
	if (padded)
		header = (header + 3) & ~3u;
	return (struct bpei_wlan_content){ .first = header,
		.several = kind & QOS && f[control] & AGGREGATED,
		.mesh = kind & QOS && f[control + 1] & MESH };
}

uint32_t bpei_wlan_mesh(const uint8_t *f, uint32_t n, uint32_t offset)
{
	static const uint8_t extension[4] = { 6, 12, 18, 0 }; /* addresses more; 3 is reserved */
	if (offset > n || n - offset < 2 || (f[offset] == 0xaa && f[offset + 1] == 0xaa))
		return 0;
	if (f[offset] & ~3u)
		return 0;
	return extension[f[offset]];
}
