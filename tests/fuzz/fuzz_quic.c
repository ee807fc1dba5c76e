/* SPDX-License-Identifier: MIT */
/* Gives any datagrams to QUIC's reader, as the namer does.  The reader keeps to its contract: tries
 * are bounded and counted once, names end within their room, and what is not QUIC stays unnamed.
 *
 * Input: a byte of choices (bit 0 the tag is checked; 1 sent by the responder; 2 datagrams are
 * frames, which are sealed to Initials; 3-4 the version; 5 no budget), then datagrams: two bytes of
 * length (bits 11-15 choose the connection id), the bytes. */
#include "fuzz.h"
#include "quic_case.h"

#include <string.h>

#define BUDGET 1000u
#define TRIES_MOST 16u /* of a call */

static struct quic_direction way;
static uint8_t sealed[BPEI_STREAM_MOST];

/* Seals frames to an Initial.  Returns the bytes. */
static uint32_t seal_frames(uint8_t choices, uint32_t id, const uint8_t *frames, uint32_t n)
{
	static const uint32_t versions[4] = { 1, 0x6b3343cf, 0xff00001d, 0x54303531 };
	char dcid[9] = "12345678";
	struct quic_initial how = { versions[choices >> 3 & 3], dcid, NULL, id, 1 + id % 4, 0, 0 };
	uint8_t text[1304] = { 0 };

	dcid[0] = (char)('a' + id % 2);
	memcpy(text, frames, n);
	if (n < 4)
		n = 4;
	return quic_seal(sealed, &how, text, n);
}

/* Takes the next datagram of the input.  Returns whether it found room. */
static bool take_datagram(struct fuzz_input *in, uint8_t choices)
{
	uint32_t head = fuzz_u16(in);
	uint32_t n = head & 0x7ff;

	if (n > fuzz_left(in))
		n = (uint32_t)fuzz_left(in);
	const uint8_t *bytes = in->next;
	in->next += n;
	if (choices & 4) {
		if (n > 1300)
			n = 1300;
		n = seal_frames(choices, head >> 11, bytes, n);
		bytes = sealed;
	}
	if (way.stream.datagrams == BPEI_DATAGRAMS_MOST || n > sizeof way.bytes - way.stream.n)
		return false;
	quic_put_datagram(&way, bytes, n);
	return true;
}

static void check_texts(const struct bpe_flow_names *said)
{
	FUZZ_CHECK(memchr(said->server, 0, sizeof said->server) != NULL);
	FUZZ_CHECK(memchr(said->alpn, 0, sizeof said->alpn) != NULL);
	FUZZ_CHECK(memchr(said->ja4, 0, sizeof said->ja4) != NULL);
	FUZZ_CHECK(!said->ja4[0] || said->ja4[0] == 'q');
}

/* Reads once, from memory of exactly the bytes. */
static enum bpei_verdict read_exact(struct bpei_inspector *in, struct bpe_flow_names *said)
{
	uint8_t *exact = malloc(way.stream.n + !way.stream.n);
	const uint64_t tried = in->quic_opened + in->quic_failed;
	const struct bpe_flow_names before = *said;

	FUZZ_CHECK(exact != NULL);
	memcpy(exact, way.bytes, way.stream.n);
	way.stream.bytes = exact;
	enum bpei_verdict verdict = bpei_read_quic(in, &way.stream, said);
	way.stream.bytes = way.bytes;
	free(exact);
	const uint64_t tries = in->quic_opened + in->quic_failed - tried;
	FUZZ_CHECK(tries <= TRIES_MOST);
	FUZZ_CHECK(verdict == BPEI_NOT || verdict == BPEI_MORE || verdict == BPEI_DONE);
	if (verdict == BPEI_NOT)
		FUZZ_CHECK(!memcmp(&before, said, sizeof before) && !tries);
	else
		FUZZ_CHECK(said->app == BPE_APP_QUIC);
	if (verdict == BPEI_MORE)
		FUZZ_CHECK(way.stream.want > way.stream.datagrams);
	check_texts(said);
	return verdict;
}

void fuzz_quic(const uint8_t *bytes, size_t n)
{
	struct fuzz_input in = { bytes, bytes + n };
	const uint8_t choices = fuzz_u8(&in);
	const uint64_t budget = choices & 32 ? 0 : BUDGET;
	struct bpei_inspector inspector = { .names = BPE_NAMES_ALL | BPE_NAMES_JA3,
		.crypto = choices & 1 ? &quic_crypto : &quic_crypto_tagless,
		.quic_left = budget };
	struct bpe_flow_names said;
	uint32_t want = 1;
	enum bpei_verdict verdict = BPEI_MORE;

	memset(&said, 0, sizeof said);
	quic_open_way(&way);
	way.stream.end = choices >> 1 & 1;
	while (fuzz_left(&in) && verdict == BPEI_MORE && take_datagram(&in, choices)) {
		if (way.stream.datagrams < want)
			continue;
		verdict = read_exact(&inspector, &said);
		want = way.stream.want;
	}
	if (verdict == BPEI_MORE && way.stream.datagrams) {
		way.stream.last = true;
		read_exact(&inspector, &said);
	}
	FUZZ_CHECK(inspector.quic_left + inspector.quic_opened + inspector.quic_failed == budget);
	FUZZ_CHECK(budget || inspector.quic_skipped <= BPEI_DATAGRAMS_MOST);
}
