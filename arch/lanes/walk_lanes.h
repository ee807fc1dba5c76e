/* SPDX-License-Identifier: MIT */
/* The headers of LANES records of one length side by side (arch/scalar/alike.c).  Included behind
 * parse_lanes.h, for its operations and this one: store_longs(to, even, odd)	the 64-bit words of
 * times_even and times_odd, in the order of the lanes Bytes read: of each record the first 16, and
 * where its header tells its own length the 17th and 18th. */
INLINE uint32_t alike(const struct bpei_columns *c, uint32_t n, const struct bpei_records *how)
{
	const uint32_t sign = how->stamp_signed ? 0x80000000u : 0;
	const uint64_t zero_at = (uint64_t)sign * 1000000000;
	const wide caplen = all(how->caplen), hdrlen = all(how->hdrlen),
		   kept = all(how->caplen < how->snaplen ? how->caplen : how->snaplen);
	uint32_t i = 0;
	if (n < LANES)
		return 0;
	for (;;) { /* the last LANES are a group, too, some for the second time */
		const uint8_t *at[LANES], *r = how->record + i * how->stride;
		wide head[4], differs;
		_Pragma("GCC unroll 16") for (uint32_t j = 0; j < LANES; j++) at[j] =
			r + j * how->stride;
		load_columns(head, at, 0);
		differs = head[2] ^ caplen;
		if (how->hdrlen_told)
			differs |= load_words(at, 14) >> 16 ^ hdrlen;
		if (BPEI_UNLIKELY(lane_bits((wide)(differs != 0))))
			break;
		_Pragma("GCC unroll 16") for (uint32_t j = 0; j < LANES; j++) c->data[i + j] =
			at[j] + how->hdrlen;
		wide seconds = head[0] ^ sign, billion = all(1000000000),
		     unit = all(how->fraction_ns);
		store_longs(c->time_ns + i,
			times_even(seconds, billion) + times_even(head[1], unit) - zero_at,
			times_odd(seconds, billion) + times_odd(head[1], unit) - zero_at);
		memcpy(c->caplen + i, &kept, sizeof kept);
		memcpy(c->wirelen + i, &head[3], sizeof head[3]);
		i += LANES;
		if (i == n)
			return n;
		if (i > n - LANES)
			i = n - LANES;
	}
	return i;
}
