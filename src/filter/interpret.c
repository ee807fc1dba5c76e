/* SPDX-License-Identifier: MIT */
/* The machine: an accumulator, an index, sixteen words.  Pure; every load is proved to lie in the
 * captured bytes. */
#include "filter/filter.h"

#include "base/bytes.h"

static bool there(uint32_t offset, uint32_t size, uint32_t caplen)
{
	return caplen >= size && offset <= caplen - size;
}

uint32_t bpei_filter_run(
	const struct bpe_insn *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	uint32_t a = 0, x = 0, m[16] = { 0 };
	for (;; p++) {
		uint32_t k = p->k, at;
		switch (p->code) {
		case 0x06:
			return k;
		case 0x16:
			return a;
		case 0x20:
		case 0x40: /* ld [k], ld [x + k]; a sum that runs over is past every end */
			at = k + (p->code == 0x40 ? x : 0);
			if (at < k || !there(at, 4, caplen))
				return 0;
			a = bpei_be32(data + at);
			break;
		case 0x28:
		case 0x48:
			at = k + (p->code == 0x48 ? x : 0);
			if (at < k || !there(at, 2, caplen))
				return 0;
			a = bpei_be16(data + at);
			break;
		case 0x30:
		case 0x50:
			at = k + (p->code == 0x50 ? x : 0);
			if (at < k || !there(at, 1, caplen))
				return 0;
			a = data[at];
			break;
		case 0x80:
			a = wirelen;
			break;
		case 0x81:
			x = wirelen;
			break;
		case 0x00:
			a = k;
			break;
		case 0x01:
			x = k;
			break;
		case 0x60:
			a = m[k];
			break;
		case 0x61:
			x = m[k];
			break;
		case 0xb1:
			if (!there(k, 1, caplen))
				return 0;
			x = (data[k] & 15u) * 4;
			break;
		case 0x02:
			m[k] = a;
			break;
		case 0x03:
			m[k] = x;
			break;
		case 0x04:
			a += k;
			break;
		case 0x0c:
			a += x;
			break;
		case 0x14:
			a -= k;
			break;
		case 0x1c:
			a -= x;
			break;
		case 0x24:
			a *= k;
			break;
		case 0x2c:
			a *= x;
			break;
		case 0x34:
			a /= k;
			break;
		case 0x3c:
			if (!x)
				return 0;
			a /= x;
			break;
		case 0x94:
			a %= k;
			break;
		case 0x9c:
			if (!x)
				return 0;
			a %= x;
			break;
		case 0x44:
			a |= k;
			break;
		case 0x4c:
			a |= x;
			break;
		case 0x54:
			a &= k;
			break;
		case 0x5c:
			a &= x;
			break;
		case 0xa4:
			a ^= k;
			break;
		case 0xac:
			a ^= x;
			break;
		case 0x64:
			a <<= k;
			break;
		case 0x6c:
			a = x < 32 ? a << x : 0;
			break;
		case 0x74:
			a >>= k;
			break;
		case 0x7c:
			a = x < 32 ? a >> x : 0;
			break;
		case 0x84:
			a = 0 - a;
			break;
		case 0x05:
			p += k;
			break;
		case 0x15:
			p += a == k ? p->jt : p->jf;
			break;
		case 0x1d:
			p += a == x ? p->jt : p->jf;
			break;
		case 0x25:
			p += a > k ? p->jt : p->jf;
			break;
		case 0x2d:
			p += a > x ? p->jt : p->jf;
			break;
		case 0x35:
			p += a >= k ? p->jt : p->jf;
			break;
		case 0x3d:
			p += a >= x ? p->jt : p->jf;
			break;
		case 0x45:
			p += a & k ? p->jt : p->jf;
			break;
		case 0x4d:
			p += a & x ? p->jt : p->jf;
			break;
		case 0x07:
			x = a;
			break;
		case 0x87:
			a = x;
			break;
		default:
			return 0; /* bpei_filter_check knows of no other */
		}
	}
}

uint32_t bpe_filter_run(
	const struct bpe_insn *p, const uint8_t *data, uint32_t wirelen, uint32_t caplen)
{
	return bpei_filter_run(p, data, wirelen, caplen);
}
