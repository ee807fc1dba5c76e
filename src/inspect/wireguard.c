/* SPDX-License-Identifier: MIT */
/* WireGuard (Donenfeld, "WireGuard: Next Generation Kernel Network Tunnel", 5.4).  A message has a
 * type of 4 bytes and a length by the type: initiation 148, response 92, cookie 64.  The rest is
 * ciphertext and keys with few zeros.  Data has to come three times for one receiver, with
 * growing counters.  Pure. */
#include "inspect/datagrams.h"
#include "inspect/readers.h"

#define DATA_LEAST 32u
#define DATA_ENOUGH 3u
#define STEP_MOST 4096u /* between the counters of two datagrams */

/* Returns whether the datagrams are data: one receiver, growing counters, lengths of 16 bytes each.
 */
static bool check_wireguard_data(const struct bpei_stream *s)
{
	uint64_t before = 0;
	uint32_t receiver = 0;

	for (uint32_t k = 0; k < s->datagrams; k++) {
		uint32_t n;
		const uint8_t *const p = bpei_datagram(s, k, &n);

		if (n < DATA_LEAST || n % 16 || bpei_le32(p) != 4)
			return false;
		const uint32_t to = bpei_le32(p + 4);
		const uint64_t counter = bpei_le64(p + 8);
		if (counter >> 48 || bpei_count_zeros(p + 16, n - 16) * 16 > n + 64)
			return false;
		if (k && (to != receiver || counter <= before || counter - before > STEP_MOST))
			return false;
		receiver = to;
		before = counter;
	}
	return receiver != 0;
}

/* Returns whether a message of the handshake has the type's length, and few zeros before the second
 * code (mac2).  The second code is zeros until a cookie is asked for. */
static bool check_wireguard_handshake(const uint8_t *p, uint32_t n)
{
	switch (bpei_le32(p)) {
	case 1:
		return n == 148 && bpei_count_zeros(p + 8, 124) <= 8;
	case 2:
		return n == 92 && bpei_count_zeros(p + 12, 64) <= 6;
	case 3:
		return n == 64 && bpei_count_zeros(p + 8, 56) <= 6;
	default:
		return false;
	}
}

enum bpei_verdict bpei_read_wireguard(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	uint32_t n;

	(void)in;
	if (!s->datagrams || s->n < DATA_LEAST || s->bytes[0] < 1 || s->bytes[0] > 4)
		return BPEI_NOT;
	const uint8_t *const p = bpei_datagram(s, 0, &n);
	if (n < DATA_LEAST)
		return BPEI_NOT;
	if (s->bytes[0] == 4) {
		if (!check_wireguard_data(s))
			return BPEI_NOT;
		if (s->datagrams < DATA_ENOUGH && said->app != BPE_APP_WIREGUARD)
			return bpei_datagrams_more(s, s->datagrams + 1);
	} else if (!check_wireguard_handshake(p, n)) {
		return BPEI_NOT;
	}
	said->app = BPE_APP_WIREGUARD;
	return BPEI_DONE;
}
