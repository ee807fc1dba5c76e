/* SPDX-License-Identifier: MIT */
/* Redis (its documentation, "Redis serialization protocol specification").  A client sends an array
 * of strings, of which the first is a command of letters.  A server's reply is known if the client
 * is, or by an error of Redis alone.  Pure. */
#include "inspect/lines.h"
#include "inspect/readers.h"

#define NUMBER_MOST 10u /* digits of a length */
#define COMMAND_MOST 24u

/* Takes a line "*12" or "$12" at `at`, with the sign given. */
static enum bpei_match take_redis_number(
	const struct bpei_stream *s, uint32_t *at, uint8_t sign, uint64_t *number)
{
	const uint8_t *const p = s->bytes + *at;
	const uint32_t left = s->n - *at;
	uint32_t i = 1;

	*number = 0;
	if (left && p[0] != sign)
		return BPEI_MATCH_NO;
	for (; i < left && p[i] >= '0' && p[i] <= '9'; i++) {
		if (i > NUMBER_MOST)
			return BPEI_MATCH_NO;
		*number = *number * 10 + (p[i] - '0');
	}
	if ((i < left && (p[i] != '\r' || i == 1)) || (i + 1 < left && p[i + 1] != '\n'))
		return BPEI_MATCH_NO;
	if (i + 1 >= left)
		return BPEI_MATCH_SHORT;
	*at += i + 2;
	return BPEI_MATCH_YES;
}

/* Looks at the start of an array of strings: the count, and the first string, which is a word. */
static enum bpei_match match_redis_command(const struct bpei_stream *s)
{
	uint64_t count;
	uint64_t length;
	uint32_t at = 0;
	enum bpei_match match = take_redis_number(s, &at, '*', &count);

	if (match == BPEI_MATCH_YES)
		match = count < 1 || count > 1u << 20 ? BPEI_MATCH_NO
						      : take_redis_number(s, &at, '$', &length);
	if (match != BPEI_MATCH_YES)
		return match;
	if (length < 2 || length > COMMAND_MOST)
		return BPEI_MATCH_NO;
	for (uint32_t i = 0; i < length + 2; i++) {
		if (at + i >= s->n)
			return BPEI_MATCH_SHORT;
		const uint8_t c = s->bytes[at + i];
		const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
		const bool sign = i && i < length && (c == '.' || c == '_' || c == '-');
		const bool end = (i == length && c == '\r') || (i == length + 1 && c == '\n');
		if (!end && (i >= length || (!letter && !sign)))
			return BPEI_MATCH_NO;
	}
	return BPEI_MATCH_YES;
}

/* Looks at an error that Redis alone has. */
static enum bpei_match match_redis_error(const struct bpei_stream *s)
{
	static const char *const errors[] = { "-NOAUTH Auth", "-WRONGPASS ", "-ERR unknown command",
		"-LOADING Redis", "-MISCONF Redis", "-DENIED Redis", "-WRONGTYPE Operation" };
	enum bpei_match best = BPEI_MATCH_NO;

	for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
		const enum bpei_match match =
			bpei_stream_match(s, 0, errors[k], (uint32_t)strlen(errors[k]));

		if (match > best)
			best = match;
	}
	return best;
}

enum bpei_verdict bpei_read_redis(
	struct bpei_inspector *in, struct bpei_stream *s, struct bpe_flow_names *said)
{
	enum bpei_match match = BPEI_MATCH_NO;

	(void)in;
	if (s->n && said->app == BPE_APP_REDIS)
		match = memchr("+-:$*_#,(!=%~>", s->bytes[0], 14) ? BPEI_MATCH_YES : BPEI_MATCH_NO;
	else if (s->n && s->bytes[0] == '*')
		match = match_redis_command(s);
	else if (s->n && s->bytes[0] == '-')
		match = match_redis_error(s);
	if (match == BPEI_MATCH_SHORT && !bpei_stream_over(s))
		return bpei_stream_more(s, 0);
	if (match != BPEI_MATCH_YES)
		return BPEI_NOT;
	said->app = BPE_APP_REDIS;
	return BPEI_DONE;
}
