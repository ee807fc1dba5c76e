/* SPDX-License-Identifier: MIT */
/* The encoder of RFC 3492, section 6.3, with the parameters of section 5.  Stateless. */
#include "naming/punycode.h"

#include "base/utf8.h"

#include <string.h>

#define LABEL_MOST 63u /* characters */

enum { BASE = 36, T_MIN = 1, T_MAX = 26, SKEW = 38, DAMP = 700, FIRST_BIAS = 72, FIRST_CODE = 128 };

struct punycode_text {
	char *to;
	size_t used, room;
};

/* Returns false if there is no room. */
static bool put_punycode_byte(struct punycode_text *t, char c)
{
	if (t->used + 1 >= t->room)
		return false;
	t->to[t->used++] = c;
	return true;
}

static uint32_t adapt_bias(uint32_t delta, uint32_t points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

/* Writes a delta as an integer of variable length. */
static bool put_delta(struct punycode_text *t, uint32_t delta, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t threshold = T_MIN;

		if (k >= bias + T_MAX)
			threshold = T_MAX;
		else if (k > bias + T_MIN)
			threshold = k - bias;
		if (delta < threshold)
			return put_punycode_byte(
				t, (char)(delta < 26 ? 'a' + delta : '0' + delta - 26));
		const uint32_t digit = threshold + (delta - threshold) % (BASE - threshold);

		if (!put_punycode_byte(t, (char)(digit < 26 ? 'a' + digit : '0' + digit - 26)))
			return false;
		delta = (delta - threshold) / (BASE - threshold);
	}
}

/* Returns the least code that is at least `from`. */
static uint32_t least_code(const uint32_t *codes, uint32_t n, uint32_t from)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < n; i++)
		if (codes[i] >= from && codes[i] < least)
			least = codes[i];
	return least;
}

/* Writes the characters that are not ASCII, of n characters with `basic` of ASCII among them. */
static bool put_extended(struct punycode_text *t, const uint32_t *codes, uint32_t n, uint32_t basic)
{
	uint32_t code = FIRST_CODE;
	uint32_t bias = FIRST_BIAS;
	uint32_t delta = 0;

	for (uint32_t done = basic; done < n; delta++, code++) {
		const uint32_t next = least_code(codes, n, code);

		delta += (next - code) * (done + 1); /* at most 0x10ffff * 64 */
		code = next;
		for (uint32_t i = 0; i < n; i++) {
			delta += codes[i] < code;
			if (codes[i] != code)
				continue;
			if (!put_delta(t, delta, bias))
				return false;
			bias = adapt_bias(delta, done + 1, done == basic);
			delta = 0;
			done++;
		}
	}
	return true;
}

/* Writes a label of n characters.  Returns false if there is no room. */
static bool put_label(struct punycode_text *t, const uint32_t *codes, uint32_t n)
{
	uint32_t basic = 0;
	bool fits = true;

	for (uint32_t i = 0; i < n; i++)
		basic += codes[i] < FIRST_CODE;
	for (size_t k = 0; basic < n && k < 4; k++)
		fits = fits && put_punycode_byte(t, "xn--"[k]);
	for (uint32_t i = 0; i < n; i++)
		if (codes[i] < FIRST_CODE)
			fits = fits && put_punycode_byte(t, (char)codes[i]);
	if (!fits || basic == n)
		return fits;
	if (basic && !put_punycode_byte(t, '-'))
		return false;
	return put_extended(t, codes, n, basic);
}

size_t bpei_punycode_name(char *to, size_t room, const char *name, size_t n)
{
	struct punycode_text t = { to, 0, room };
	uint32_t codes[LABEL_MOST];
	uint32_t count = 0;
	bool is_ascii = true;

	for (size_t i = 0; i <= n; i++) {
		if (i == n || name[i] == '.') {
			if (!put_label(&t, codes, count) || (i < n && !put_punycode_byte(&t, '.')))
				return 0;
			count = 0;
			continue;
		}
		const size_t bytes = bpei_utf8_bytes(name + i, n - i);

		if (!bytes || count == LABEL_MOST)
			return 0;
		codes[count++] = bpei_utf8_code(name + i, bytes);
		is_ascii = is_ascii && bytes == 1;
		i += bytes - 1;
	}
	if (is_ascii || !t.used)
		return 0;
	t.to[t.used] = 0;
	return t.used;
}
