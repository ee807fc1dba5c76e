/* SPDX-License-Identifier: MIT */
/* Any bytes as a direction of a flow, for all readers of protocols.  A reader that says NOT leaves
 * *said alone.  A reader waits for more bytes than are there, and never at the end of the flow.  An
 * inner protocol begins within the bytes, and with a datagram.  Texts are UTF-8 without controls.
 */
#include "base/utf8.h"
#include "fuzz.h"
#include "inspect/inspect.h"

#include <string.h>

#define CHOSEN 4u /* bytes of choices before the payload */

/* Checks that a text ends within the room, and is UTF-8 without controls. */
static void check_said_text(const char *text, size_t room)
{
	const size_t n = strnlen(text, room);

	FUZZ_CHECK(n < room);
	for (size_t i = 0; i < n;) {
		const size_t bytes = bpei_utf8_bytes(text + i, n - i);

		FUZZ_CHECK(bytes);
		FUZZ_CHECK(!bpei_utf8_is_control(bpei_utf8_code(text + i, bytes)));
		i += bytes;
	}
}

/* Checks the texts of the names. */
static void check_said_texts(const struct bpe_flow_names *said)
{
	check_said_text(said->server, sizeof said->server);
	check_said_text(said->client, sizeof said->client);
	check_said_text(said->alpn, sizeof said->alpn);
	check_said_text(said->ja4, sizeof said->ja4);
	check_said_text(said->ja3, sizeof said->ja3);
	check_said_text(said->method, sizeof said->method);
	check_said_text(said->subject, sizeof said->subject);
	check_said_text(said->issuer, sizeof said->issuer);
	for (int end = 0; end < 2; end++) {
		check_said_text(said->hassh[end], sizeof said->hassh[end]);
		check_said_text(said->banner[end], sizeof said->banner[end]);
	}
}

/* Checks the answer of a reader. */
static void check_answer(const struct bpei_stream *s, enum bpei_verdict verdict,
	const struct bpe_flow_names *said, const struct bpe_flow_names *before)
{
	bool begins = s->inner == s->n || !s->datagrams;

	FUZZ_CHECK(verdict >= BPEI_NOT && verdict <= BPEI_EACH);
	check_said_texts(said);
	if (verdict == BPEI_NOT)
		FUZZ_CHECK(memcmp(said, before, sizeof *said) == 0);
	if (verdict == BPEI_MORE) {
		FUZZ_CHECK(!s->last);
		FUZZ_CHECK(!s->want || s->want > (s->datagrams ? s->datagrams : s->n));
	}
	if (verdict != BPEI_INNER)
		return;
	FUZZ_CHECK(s->inner && s->inner <= s->n);
	for (uint32_t k = 0; k < s->datagrams; k++)
		begins = begins || s->inner == s->ends[k];
	FUZZ_CHECK(begins);
}

void fuzz_apps(const uint8_t *bytes, size_t n)
{
	struct bpei_inspector in = { .names = BPE_NAMES_ALL | BPE_NAMES_JA3, .quic_left = 8 };
	uint16_t ends[BPEI_DATAGRAMS_MOST];
	struct bpei_stream s = { .port = { 40000, 50000 } };

	if (n <= CHOSEN || n - CHOSEN > BPEI_STREAM_MOST)
		return;
	s.bytes = bytes + CHOSEN;
	s.n = (uint32_t)(n - CHOSEN);
	s.end = bytes[0] >> 1 & 1;
	s.last = (bytes[0] & 4) != 0;
	if (bytes[0] & 8)
		s.port[1] = 123;
	if (bytes[0] & 1) {
		s.ends = ends;
		for (uint32_t at = 0; at < s.n; s.datagrams++) {
			const uint32_t step = bytes[1 + s.datagrams % 3];
			const bool ends_here = s.datagrams + 1 == BPEI_DATAGRAMS_MOST || !step;

			at = ends_here || at + step > s.n ? s.n : at + step;
			ends[s.datagrams] = (uint16_t)at;
		}
	}
	for (uint32_t k = 0; k < bpei_reader_count; k++) {
		const struct bpei_reader *const reader = &bpei_readers[k];
		struct bpe_flow_names said;
		struct bpe_flow_names before;

		if (!(reader->over & (s.ends ? BPEI_OVER_UDP : BPEI_OVER_TCP)))
			continue;
		memset(&said, 0, sizeof said);
		said.app = bytes[0] & 16 ? reader->app : BPE_APP_NONE;
		memcpy(&before, &said, sizeof said);
		s.want = 0;
		s.inner = 0;
		const enum bpei_verdict verdict = reader->read(&in, &s, &said);
		check_answer(&s, verdict, &said, &before);
	}
}
