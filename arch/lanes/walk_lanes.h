/* SPDX-License-Identifier: MIT */
/* Walks the headers of LANES records of equal length side by side (arch/scalar/walk_uniform.c).
 * Included after parse_lanes.h, for the same operations and another:
 *   store_i64(to, even, odd)    stores the 64-bit words of mul_even and mul_odd in lane order
 * Bytes read of each record: the first 16, and with checks_hdrlen the 17th and 18th. */
INLINE uint32_t walk_uniform_lanes(
	const struct bpei_columns *c, uint32_t n, const struct bpei_record_run *run)
{
	/* Signed seconds become unsigned seconds, beginning 2^31 seconds earlier. */
	const uint32_t sign = run->stamp_signed ? 0x80000000u : 0;
	const uint64_t zero_at = (uint64_t)sign * 1000000000;
	const vec32 caplen = broadcast_word(run->caplen);
	const vec32 hdrlen = broadcast_word(run->hdrlen);
	const vec32 shown = broadcast_word(run->caplen < run->snaplen ? run->caplen : run->snaplen);
	uint32_t i = 0;

	if (n < LANES)
		return 0;
	for (;;) {
		const uint8_t *at[LANES], *r = run->record + i * run->stride;
		vec32 head[4], differs;

		EACH_LANE(at[j] = r + j * run->stride)
		load_columns(head, at, 0);
		differs = head[2] ^ caplen;
		if (run->checks_hdrlen)
			differs |= load_words(at, 14) >> 16 ^ hdrlen;
		if (BPEI_UNLIKELY(lane_bits((vec32)(differs != 0))))
			break;
		EACH_LANE(c->data[i + j] = at[j] + run->hdrlen)
		const vec32 seconds = head[0] ^ sign;
		const vec32 billion = broadcast_word(1000000000);
		const vec32 unit = broadcast_word(run->fraction_ns);
		store_i64(c->time_ns + i,
			mul_even(seconds, billion) + mul_even(head[1], unit) - zero_at,
			mul_odd(seconds, billion) + mul_odd(head[1], unit) - zero_at);
		memcpy(c->caplen + i, &shown, sizeof shown);
		memcpy(c->wirelen + i, &head[3], sizeof head[3]);
		i += LANES;
		if (i == n)
			return n;
		/* The last LANES records are a group as well, some of them for the second time. */
		if (i > n - LANES)
			i = n - LANES;
	}
	return i;
}
