/* SPDX-License-Identifier: MIT */
/* NTP (RFC 5905 7.3; control messages: RFC 9327 2; private ones: ntpd's ntp_request.h).  A packet
 * has 48 bytes, extension fields (RFC 7822) and a code.  Times and distances must be possible.
 * Pure. */
#include "inspect/datagrams.h"
#include "inspect/readers.h"

#define HEADER 48u
#define PORT 123u
#define DISTANCE_MOST (64u << 16) /* root delay and dispersion: seconds in 16.16 */

/* Returns whether the bytes behind the header are a code (key number and digest), or extension
 * fields with a code. */
static bool check_ntp_tail(const uint8_t *p, uint32_t n)
{
	uint32_t at = 0;

	while (n - at > 24) {
		const uint32_t length = bpei_be16(p + at + 2);

		if (length < 16 || length % 4 || length > n - at)
			return false;
		at += length;
	}
	return n == at || n - at == 4 || n - at == 20 || n - at == 24;
}

/* Returns whether two times of a server lie within a minute, and the second is not before the
 * first. */
static bool check_ntp_order(const uint8_t *receive, const uint8_t *transmit)
{
	const uint64_t from = bpei_be64(receive);
	const uint64_t to = bpei_be64(transmit);

	return from && to >= from && to - from < (uint64_t)60 << 32;
}

/* Returns whether a packet of modes 1 to 5 has possible values. */
static bool check_ntp_packet(const uint8_t *p, uint32_t n, bool known)
{
	const uint8_t mode = p[0] & 7;
	const int8_t poll = (int8_t)p[2];
	const int8_t precision = (int8_t)p[3];
	const uint64_t transmit = bpei_be64(p + 40);

	if (n < HEADER || !check_ntp_tail(p + HEADER, n - HEADER) || p[1] > 16)
		return false;
	if (poll < -6 || poll > 17 || precision > 0 || precision < -32)
		return false;
	if (bpei_be32(p + 4) > DISTANCE_MOST || bpei_be32(p + 8) > DISTANCE_MOST)
		return false;
	if (mode == 4 || mode == 5) {
		if (!p[1]) /* a kiss: four letters (7.4) */
			return p[12] >= 'A' && p[12] <= 'Z' && p[13] >= 'A' && p[13] <= 'Z';
		return transmit && (mode == 5 || check_ntp_order(p + 32, p + 40));
	}
	return transmit || known;
}

/* Returns whether a control message (mode 6) has a length by the count. */
static bool check_ntp_control(const uint8_t *p, uint32_t n)
{
	const uint32_t operation = p[1] & 31u;
	const uint32_t count = n >= 12 ? bpei_be16(p + 10) : 0;
	const uint32_t padded = 12 + ((count + 3) & ~3u);

	if (n < 12 || (p[0] & 0xc0) || !((operation >= 1 && operation <= 12) || operation == 31))
		return false;
	if (!(p[1] & 0x80) && ((p[1] & 0x60) || bpei_be16(p + 4) || bpei_be16(p + 8)))
		return false; /* a question has neither error, status nor offset */
	return n == padded || n == 12 + count || n == padded + 20 || n == padded + 24;
}

/* Returns whether a private message (mode 7) has an implementation and a fitting length. */
static bool check_ntp_private(const uint8_t *p, uint32_t n)
{
	if (n < 8 || (p[2] != 0 && p[2] != 2 && p[2] != 3))
		return false;
	const uint32_t items = bpei_be16(p + 4) & 0xfff;
	const uint32_t size = bpei_be16(p + 6) & 0xfff;
	const bool response = (p[0] & 0x80) != 0;
	return response ? n == 8 + items * size : n == 8 || n == 48 || n == 192 || n == 160;
}

enum bpei_verdict bpei_read_ntp(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	const bool port = s->port[0] == PORT || s->port[1] == PORT;
	const bool known = port || said->app == BPE_APP_NTP;
	uint32_t n;

	(void)in;
	if (!s->datagrams || s->n < 8)
		return BPEI_NOT;
	const uint8_t *const p = bpei_datagram(s, 0, &n);
	if (n < 8)
		return BPEI_NOT;
	const uint8_t mode = p[0] & 7;
	const uint8_t version = (p[0] >> 3) & 7;
	bool fits;
	/* Modes 6 and 7 have few fixed bits: the port must tell as well. */
	if (mode == 6)
		fits = known && version >= 1 && version <= 4 && check_ntp_control(p, n);
	else if (mode == 7)
		fits = known && version >= 1 && version <= 4 && check_ntp_private(p, n);
	else
		fits = mode && version >= 1 && version <= 4 && n >= HEADER &&
		       check_ntp_packet(p, n, known);
	if (!fits)
		return BPEI_NOT;
	said->app = BPE_APP_NTP;
	return BPEI_DONE;
}
