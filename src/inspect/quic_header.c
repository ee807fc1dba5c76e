/* SPDX-License-Identifier: MIT */
/* Long headers of QUIC (RFC 8999; RFC 9000, 17.2; RFC 9369, 3.2), and versions; stateless.  Salts:
 * RFC 9001, 5.2; RFC 9369, 3.3.1; draft-ietf-quic-tls-22, -23 and -29, 5.2;
 * draft-ietf-quic-v2-01, 3.2; the salts of Google's T050 and T051 are in Chromium
 * (quiche/quic/core/crypto/crypto_utils.cc). */
#include "base/cursor.h"
#include "inspect/quic.h"

#include <stddef.h>

#define SALT_1                                                                                     \
	{ 0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17, 0x9a, 0xe6, 0xa4, 0xc8,      \
		0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a }
#define SALT_2                                                                                     \
	{ 0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93, 0x81, 0xbe, 0x6e, 0x26,      \
		0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9 }
#define SALT_2_DRAFT                                                                               \
	{ 0xa7, 0x07, 0xc2, 0x03, 0xa5, 0x9b, 0x47, 0x18, 0x4a, 0x1d, 0x62, 0xca, 0x57, 0x04,      \
		0x06, 0xea, 0x7a, 0xe3, 0xe5, 0xd3 }
#define SALT_29                                                                                    \
	{ 0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97, 0x86, 0xf1, 0x9c, 0x61,      \
		0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99 }
#define SALT_23                                                                                    \
	{ 0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7, 0xd2, 0x43, 0x2b, 0xb4,      \
		0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02 }
#define SALT_22                                                                                    \
	{ 0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x19, 0x3a, 0x96, 0xcd, 0x21, 0x51,      \
		0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a }
#define SALT_T050                                                                                  \
	{ 0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80, 0x30, 0x4c, 0x43, 0xa2,      \
		0x36, 0x7c, 0x60, 0x48, 0x83, 0x10 }
#define SALT_T051                                                                                  \
	{ 0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50, 0x6c, 0x19, 0x12, 0x4f,      \
		0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d }

#define DRAFT_29 0xff00001du

static const struct bpei_quic_version versions[] = {
	{ 1, 1, SALT_1, "quic", 0, 6 },
	{ 0x6b3343cf, 0x6b3343cf, SALT_2, "quicv2", 1, 6 },
	{ 0x709a50c4, 0x709a50c4, SALT_2_DRAFT, "quicv2", 1, 6 },
	{ 0xff000021, 0xff000022, SALT_1, "quic", 0, 6 }, /* drafts 33 and 34 */
	{ 0xff00001d, 0xff000020, SALT_29, "quic", 0, 6 },
	{ 0xff000017, 0xff00001c, SALT_23, "quic", 0, 6 },
	{ 0xff000016, 0xff000016, SALT_22, "quic", 0, 6 },
	{ 0x54303530, 0x54303530, SALT_T050, "quic", 0, 8 },
	{ 0x54303531, 0x54303531, SALT_T051, "quic", 0, 8 },
	{ 0xfaceb002, 0xfaceb002, SALT_23, "quic", 0, 6 }, /* mvfst, by draft 27 */
	{ 0xfaceb00e, 0xfaceb00e, SALT_23, "quic", 0, 6 },
	{ 0xfaceb001, 0xfaceb001, SALT_22, "quic", 0, 6 },
};

/* Numbers without published keys, or with another layout, by IANA's registry of QUIC versions and
 * by the list of the working group. */
static const struct {
	uint32_t first, last;
	uint8_t opaque; /* lengths of connection ids differ from RFC 8999 */
} registered[] = {
	{ 0x51303530, 0x51303539, 0 }, /* Google's Q050 and later: another handshake */
	{ 0x54303430, 0x54303539, 0 }, /* Google's T04x and T05x */
	{ 0x51474f00, 0x51474fff, 0 }, /* quic-go */
	{ 0x50435130, 0x5043513f, 0 }, /* picoquic */
	{ 0x91c17000, 0x91c1700f, 0 }, /* quicly */
	{ 0xabcd0000, 0xabcd000f, 0 }, /* MsQuic */
	{ 0xf0f0f0f0, 0xf0f0f0ff, 0 }, /* ETH Zurich */
	{ 0xf123f0c0, 0xf123f0cf, 0 }, /* MozQuic */
	{ 0xfaceb000, 0xfaceb01f, 0 }, /* mvfst */
	{ 0xff020000, 0xff02000f, 0 }, /* version 2, first draft */
	{ 0xff00000b, 0xff000015, 1 }, /* drafts 11 to 21 */
	{ 0x51303434, 0x51303439, 1 }, /* Google's Q044 to Q049 */
};
#define REGISTERED (sizeof registered / sizeof registered[0])

/* Returns whether the number is reserved to exercise negotiation (RFC 9000, 15). */
static bool is_reserved(uint32_t version)
{
	return (version & 0x0f0f0f0f) == 0x0a0a0a0a;
}

const struct bpei_quic_version *bpei_quic_version_find(uint32_t version)
{
	if (is_reserved(version))
		version = 1;
	for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++)
		if (version >= versions[k].first && version <= versions[k].last)
			return &versions[k];
	return NULL;
}

const struct bpei_quic_version *bpei_quic_version_next(
	uint32_t version, const struct bpei_quic_version *tried)
{
	if (is_reserved(version) && tried == bpei_quic_version_find(1))
		return bpei_quic_version_find(DRAFT_29);
	return NULL;
}

/* Reads 4 bytes, big-endian. */
static uint32_t read_version(const uint8_t *bytes)
{
	struct bpei_cursor c = bpei_cursor_init(bytes, 4);
	return bpei_cursor_u32(&c, true);
}

/* Returns the row of a registered number, or REGISTERED. */
static size_t find_registered(uint32_t version)
{
	size_t k = 0;
	while (k < REGISTERED && (version < registered[k].first || version > registered[k].last))
		k++;
	return k;
}

bool bpei_quic_version_known(uint32_t version)
{
	return bpei_quic_version_find(version) || find_registered(version) < REGISTERED;
}

bool bpei_quic_number(const uint8_t *bytes, uint32_t n, uint32_t *at, uint64_t *value)
{
	if (*at >= n)
		return false;
	uint32_t length = 1u << (bytes[*at] >> 6);
	if (n - *at < length)
		return false;
	uint64_t number = bytes[*at] & 0x3f;
	for (uint32_t k = 1; k < length; k++)
		number = number << 8 | bytes[*at + k];
	*at += length;
	*value = number;
	return true;
}

/* Reads the fields behind the connection ids: the token of an Initial, the length, and the packet
 * number's place. */
static bool read_lengths(struct bpei_quic_packet *p, uint32_t at, uint32_t n)
{
	uint64_t token, length;

	if (p->kind == BPEI_QUIC_INITIAL) {
		if (!bpei_quic_number(p->start, n, &at, &token) || token > n - at)
			return false;
		at += (uint32_t)token;
	}
	if (!bpei_quic_number(p->start, n, &at, &length) || length > n - at)
		return false;
	/* The sample of header protection begins 4 bytes behind the packet number's first. */
	if (length < 4 + BPEI_QUIC_TAG)
		return false;
	p->number_at = at;
	p->bytes = at + (uint32_t)length;
	return true;
}

/* Tells the kind by the type bits.  A version without published keys has the types of version 1,
 * as far as known. */
static uint8_t find_packet_kind(const struct bpei_quic_packet *p)
{
	uint32_t type = p->start[0] >> 4 & 3;
	uint32_t shift = 0;

	if (p->known)
		shift = p->known->shift;
	return (uint8_t)((type + 4 - shift) & 3);
}

bool bpei_quic_packet_read(struct bpei_quic_packet *p, const uint8_t *bytes, uint32_t n)
{
	if (n < 7 || !(bytes[0] & 0x80))
		return false;
	*p = (struct bpei_quic_packet){ .start = bytes, .bytes = n };
	p->version = read_version(bytes + 1);
	p->known = bpei_quic_version_find(p->version);
	size_t row = find_registered(p->version);
	if (!p->known && row < REGISTERED && registered[row].opaque) {
		p->kind = BPEI_QUIC_OPAQUE;
		return true;
	}
	uint32_t at = 6u + bytes[5];
	if (bytes[5] > BPEI_QUIC_CID_MOST || at >= n || bytes[at] > BPEI_QUIC_CID_MOST ||
		bytes[at] > n - at - 1)
		return false;
	p->dcid = bytes + 6;
	p->dcid_bytes = bytes[5];
	at += 1u + bytes[at];
	if (!p->version) {
		p->kind = BPEI_QUIC_NEGOTIATION;
		return n > at && (n - at) % 4 == 0;
	}
	p->kind = find_packet_kind(p);
	if (p->kind == BPEI_QUIC_RETRY)
		return n - at > BPEI_QUIC_TAG;
	return read_lengths(p, at, n);
}

/* Returns whether the rest of a datagram, behind packets, is padding or packets of any kind that
 * fit. */
static bool is_rest_fit(const uint8_t *bytes, uint32_t n)
{
	struct bpei_quic_packet p;

	for (uint32_t at = 0; at < n; at += p.bytes) {
		if (!(bytes[at] & 0x80))
			return true;
		if (!bpei_quic_packet_read(&p, bytes + at, n - at))
			return false;
	}
	return true;
}

/* Recognises Google's QUIC before Q044: the flags of a version and of a connection id of 8 bytes,
 * and "Q0" with two digits. */
static bool is_public_header(struct bpei_quic_packet *p, const uint8_t *bytes, uint32_t n)
{
	if (n < 14 || (bytes[0] & 0xc9) != 0x09 || bytes[9] != 'Q' || bytes[10] != '0' ||
		bytes[11] < '2' || bytes[11] > '4' || bytes[12] < '0' || bytes[12] > '9')
		return false;
	*p = (struct bpei_quic_packet){ .start = bytes, .bytes = n, .kind = BPEI_QUIC_OPAQUE };
	p->version = read_version(bytes + 9);
	return true;
}

/* Returns whether a Version Negotiation names a known version. */
static bool is_negotiation(const struct bpei_quic_packet *p, uint32_t n)
{
	uint32_t at = 6u + p->dcid_bytes;
	bool known = false;

	at += 1u + p->start[at];
	for (; at < n; at += 4)
		known |= bpei_quic_version_known(read_version(p->start + at));
	return known;
}

bool bpei_quic_packet_begins(struct bpei_quic_packet *p, const uint8_t *bytes, uint32_t n)
{
	if (!n || !(bytes[0] & 0x80))
		return is_public_header(p, bytes, n);
	if (!bpei_quic_packet_read(p, bytes, n))
		return false;
	if (p->kind == BPEI_QUIC_NEGOTIATION)
		return is_negotiation(p, n);
	if (p->kind == BPEI_QUIC_OPAQUE)
		return n >= 18 && bytes[0] >= 0xc0;
	bool rest = p->kind == BPEI_QUIC_RETRY || is_rest_fit(bytes + p->bytes, n - p->bytes);
	if (bytes[0] & 0x40 && bpei_quic_version_known(p->version))
		return rest;
	/* The fixed bit is 0 (RFC 9287), or the version is unknown: the first datagram of a client,
	 * and nothing else. */
	return rest && n >= 1200 && p->kind == BPEI_QUIC_INITIAL && p->dcid_bytes >= 8 &&
	       p->bytes >= 256;
}
