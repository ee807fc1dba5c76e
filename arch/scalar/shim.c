/* SPDX-License-Identifier: MIT */
/* Passes headers between two ethertypes, which describe the frame and carry nothing of their own.
 * Pure.
 *
 * Sources: VN-Tag: IEEE 802.1Qbh, draft 2.3; E-Tag: IEEE 802.1BR, "7.5"; Cisco's metadata: tshark's
 * packet-cisco-metadata.c; HSR: IEC 62439-3, "5.7" (PRP's trailer with 0x88fb lies behind a
 * packet, and is no header); Arista's time stamps: EOS's manual, "Tap aggregation", and tcpdump's
 * print-arista.c; MACsec: IEEE 802.1AE, "9". */
#include "arch/scalar/packet.h"
#include "base/bytes.h"

/* Returns the bytes of Arista's header up to the next ethertype; 0: unknown kind. */
static uint32_t arista_header_bytes(const uint8_t *h)
{
	enum { TIME_STAMP = 1 };
	if (bpei_be16(h) != TIME_STAMP)
		return 0;
	switch (bpei_be16(h + 2)) {
	case 0x0010:
	case 0x0110:
		return 12; /* TAI, UTC; 64 bits */
	case 0x0020:
	case 0x0120:
		return 10; /* 48 bits */
	default:
		return 0;
	}
}

/* Returns the bytes of the security tag; 0: the content is encrypted, or the version is unknown. */
static uint32_t macsec_header_bytes(const uint8_t *h)
{
	enum { VERSION = 0x80, CHANNEL = 0x20, ENCRYPTED = 0x08, CHANGED = 0x04 };
	if (h[0] & (VERSION | ENCRYPTED | CHANGED))
		return 0;
	return h[0] & CHANNEL ? 14 : 6;
}

bool bpei_packet_shim(const struct bpei_packet *p, uint32_t *offset, uint16_t *type)
{
	uint32_t kind, bytes, here = *offset;
	switch (*type) {
	case TYPE_VNTAG:
		kind = BPE_TUNNEL_VNTAG;
		bytes = 4;
		break;
	case TYPE_ETAG:
		kind = BPE_TUNNEL_ETAG;
		bytes = 6;
		break;
	case TYPE_HSR:
		kind = BPE_TUNNEL_HSR;
		bytes = 4;
		break;
	case TYPE_CISCO_METADATA:
		kind = BPE_TUNNEL_CISCO_METADATA;
		bytes = 2;
		break;
	case TYPE_ARISTA:
		kind = BPE_TUNNEL_ARISTA;
		bytes = 4;
		break;
	case TYPE_MACSEC:
		kind = BPE_TUNNEL_MACSEC;
		bytes = 6;
		break;
	default:
		return false;
	}
	if (!bpei_packet_opens(p, kind) || here > BPE_NO_OFFSET - 64)
		return false;
	if (p->caplen - here < bytes) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return false;
	}
	const uint8_t *h = p->data + here;
	if (kind == BPE_TUNNEL_CISCO_METADATA)
		bytes = h[0] == 1 ? 2 + 4u * h[1] : 0;
	if (kind == BPE_TUNNEL_ARISTA)
		bytes = arista_header_bytes(h);
	if (kind == BPE_TUNNEL_MACSEC)
		bytes = macsec_header_bytes(h);
	if (!bytes)
		return false;
	if (p->caplen - here < bytes + 2) {
		p->layers->flags |= BPE_PKT_TRUNCATED;
		return false;
	}
	*type = bpei_be16(h + bytes);
	*offset = here + bytes + 2;
	return true;
}
