/* SPDX-License-Identifier: MIT */
/* Columns of texts: a dictionary if texts repeat, else their lengths and their bytes.  Parquet's
 * readers refuse a file with a text that is not UTF-8, so such a text is mended as JSON's are:
 * U+FFFD instead of each wrong byte. */
#include "tools/tables/column.h"
#include "tools/tables/encode.h"

#define SAMPLES 256u
#define SAMPLES_DIFFERENT 200u /* with more different samples there is no dictionary */
#define PROBES_MOST 64u
#define K1 UINT64_C(0x9e3779b97f4a7c15)
#define K2 UINT64_C(0xbf58476d1ce4e5b9)

/* The texts of an array: text k is from offsets[k] to offsets[k + 1]. */
struct texts {
	const uint8_t *validity; /* NULL: none is null */
	const int32_t *offsets;
	const uint8_t *bytes;
};

static bool is_text_there(const struct texts *t, size_t k)
{
	return !t->validity || (t->validity[k / 8] >> k % 8 & 1);
}

/* ---- UTF-8 ---- */

/* Returns whether no byte is above 0x7f. */
static bool has_ascii_alone(const uint8_t *bytes, size_t n)
{
	uint8_t all = 0;

	for (size_t k = 0; k < n; k++)
		all |= bytes[k];
	return all < 0x80;
}

/* Returns the bytes of the UTF-8 sequence at s, of n bytes at least 1, or 0 (RFC 3629). */
static size_t measure_sequence(const uint8_t *s, size_t n)
{
	size_t length = 1;
	uint8_t low = 0x80; /* of the second byte */
	uint8_t high = 0xbf;

	if (*s < 0x80)
		return 1;
	if (*s < 0xc2 || *s > 0xf4)
		return 0;
	length = 2u + (*s >= 0xe0) + (*s >= 0xf0);
	if (*s == 0xe0)
		low = 0xa0;
	else if (*s == 0xf0)
		low = 0x90;
	if (*s == 0xed)
		high = 0x9f;
	else if (*s == 0xf4)
		high = 0x8f;
	if (n < length || s[1] < low || s[1] > high)
		return 0;
	for (size_t k = 2; k < length; k++)
		if (s[k] < 0x80 || s[k] > 0xbf)
			return 0;
	return length;
}

static void add_clean_text(struct table_bytes *to, const uint8_t *s, size_t n)
{
	for (size_t k = 0; k < n;) {
		const size_t length = measure_sequence(s + k, n - k);

		if (length)
			table_bytes_add(to, s + k, length);
		else
			table_bytes_add(to, "\xef\xbf\xbd", 3);
		k += length ? length : 1;
	}
}

/* Mends the texts of an array if a byte is not ASCII. */
static bool mend_texts(struct column *c, struct texts *t)
{
	const size_t first = (size_t)t->offsets[0];
	const size_t all = (size_t)t->offsets[c->rows] - first;

	if (has_ascii_alone(t->bytes + first, all))
		return true;
	table_bytes_empty(&c->clean);
	table_bytes_empty(&c->ends);
	if (all > INT32_MAX / 3 || !table_bytes_grow(&c->ends, (c->rows + 1) * sizeof(int32_t)))
		return false;
	for (size_t k = 0; k <= c->rows; k++) {
		const int32_t end = (int32_t)c->clean.used;

		memcpy(c->ends.at + k * sizeof end, &end, sizeof end);
		if (k < c->rows && is_text_there(t, k))
			add_clean_text(&c->clean, t->bytes + t->offsets[k],
				(size_t)(t->offsets[k + 1] - t->offsets[k]));
	}
	t->offsets = (const int32_t *)(const void *)c->ends.at;
	t->bytes = c->clean.at;
	return !c->clean.failed;
}

/* ---- A dictionary ---- */

/* Returns 8 bytes as a number. */
static uint64_t load_word(const uint8_t *from)
{
	uint64_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

static uint32_t load_half(const uint8_t *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof word);
	return word;
}

static uint64_t mix_word(uint64_t h, uint64_t word)
{
	h = (h ^ word) * K2;
	return h ^ h >> 32;
}

/* Returns up to 7 bytes as a number.  Texts of one length have equal numbers only if they are
 * equal. */
static uint64_t load_short(const uint8_t *s, size_t n)
{
	if (n >= 4)
		return (uint64_t)load_half(s) << 32 | load_half(s + n - 4);
	if (!n)
		return 0;
	return (uint64_t)s[0] | (uint64_t)s[n / 2] << 8 | (uint64_t)s[n - 1] << 16;
}

static uint32_t hash_value_text(const struct column *c, const uint8_t *s, size_t n)
{
	uint64_t h = c->seed ^ n * K1;

	for (size_t k = 0; k + 8 < n; k += 8)
		h = mix_word(h, load_word(s + k));
	h = mix_word(h, n >= 8 ? load_word(s + n - 8) : load_short(s, n)) * K1;
	return (uint32_t)(h >> 32);
}

static bool is_same_text(const uint8_t *a, const uint8_t *b, size_t n)
{
	if (n < 8)
		return load_short(a, n) == load_short(b, n);
	if (n <= 16)
		return load_word(a) == load_word(b) && load_word(a + n - 8) == load_word(b + n - 8);
	return !memcmp(a, b, n);
}

/* Returns whether the text is the entry of a code. */
static bool is_entry(const struct column *c, uint32_t code, const uint8_t *s, size_t n)
{
	const uint8_t *at = c->dictionary.at + c->starts[code] + 4;

	return c->starts[code + 1] - c->starts[code] - 4 == n && is_same_text(at, s, n);
}

static void add_dictionary_text(struct column *c, const uint8_t *s, size_t n)
{
	table_bytes_add_little(&c->dictionary, n, 4);
	table_bytes_add(&c->dictionary, s, n);
	c->starts[++c->entries] = (uint32_t)c->dictionary.used;
}

/* Finds the code of a text, or gives a code.  Returns the code, or UINT32_MAX if there is no room.
 */
static uint32_t find_text_code(struct column *c, const uint8_t *s, size_t n)
{
	const uint32_t hash = hash_value_text(c, s, n);
	size_t at = hash >> 16;

	for (unsigned probes = 0; probes < PROBES_MOST; probes++) {
		struct column_slot *slot = &c->slots[at];

		if (!slot->code) {
			if (c->entries == COLUMN_CODES_MOST)
				return UINT32_MAX;
			add_dictionary_text(c, s, n);
			*slot = (struct column_slot){ .hash = hash, .code = c->entries };
			return c->dictionary.failed ? UINT32_MAX : c->entries - 1;
		}
		if (slot->hash == hash && is_entry(c, slot->code - 1, s, n))
			return slot->code - 1;
		at = (at + 1) % COLUMN_SLOTS;
	}
	return UINT32_MAX;
}

/* Codes each step-th text.  Returns false if the texts are too many. */
static bool code_texts(struct column *c, const struct texts *t, size_t step)
{
	size_t values = 0;
	uint32_t code = 0;

	c->entries = 0;
	c->starts[0] = 0;
	table_bytes_empty(&c->dictionary);
	memset(c->slots, 0, COLUMN_SLOTS * sizeof *c->slots);
	for (size_t k = 0; k < c->rows; k += step) {
		if (!is_text_there(t, k))
			continue;
		const uint8_t *s = t->bytes + t->offsets[k];
		const size_t n = (size_t)(t->offsets[k + 1] - t->offsets[k]);
		/* The text before is often the same. */
		if (!values || !is_entry(c, code, s, n))
			code = find_text_code(c, s, n);
		if (code == UINT32_MAX)
			return false;
		c->codes[values++] = code;
	}
	return true;
}

/* Returns whether samples of the texts repeat. */
static bool do_texts_repeat(struct column *c, const struct texts *t)
{
	const size_t step = c->rows / SAMPLES + 1;

	if (c->values < SAMPLES)
		return true;
	if (!code_texts(c, t, step))
		return false;
	/* Of a column with many nulls the samples are few. */
	const uint64_t samples = (uint64_t)SAMPLES * c->values / c->rows;
	return samples < SAMPLES / 8 || c->entries < SAMPLES_DIFFERENT * samples / SAMPLES;
}

/* ---- Statistics ---- */

static int compare_texts(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	const int order = memcmp(a, b, na < nb ? na : nb);

	if (order || na == nb)
		return order;
	return na < nb ? -1 : 1;
}

struct text_range {
	const uint8_t *least, *most;
	size_t least_bytes, most_bytes;
};

static void note_text(struct text_range *r, const uint8_t *s, size_t n)
{
	if (!r->least || compare_texts(s, n, r->least, r->least_bytes) < 0) {
		r->least = s;
		r->least_bytes = n;
	}
	if (!r->most || compare_texts(s, n, r->most, r->most_bytes) > 0) {
		r->most = s;
		r->most_bytes = n;
	}
}

static void keep_range(struct column *c, const struct text_range *r)
{
	if (!r->least || r->least_bytes > COLUMN_TEXT_MOST || r->most_bytes > COLUMN_TEXT_MOST)
		return;
	c->has_least_and_most = true;
	c->least_bytes = r->least_bytes;
	c->most_bytes = r->most_bytes;
	memcpy(c->least, r->least, r->least_bytes);
	memcpy(c->most, r->most, r->most_bytes);
}

/* ---- Encodings ---- */

/* Adds the lengths and the bytes of all texts. */
static void add_lengths_and_bytes(struct column *c, const struct texts *t)
{
	struct text_range range = { 0 };
	size_t values = 0;

	for (size_t k = 0; k < c->rows; k++) {
		if (!is_text_there(t, k))
			continue;
		const size_t n = (size_t)(t->offsets[k + 1] - t->offsets[k]);
		c->numbers[values++] = n;
		note_text(&range, t->bytes + t->offsets[k], n);
	}
	c->encoding = PARQUET_DELTA_LENGTHS;
	c->entries = 0;
	encode_delta(&c->data, c->numbers, c->values, false);
	keep_range(c, &range);
	if (!t->validity) {
		table_bytes_add(&c->data, t->bytes + t->offsets[0],
			(size_t)(t->offsets[c->rows] - t->offsets[0]));
		return;
	}
	for (size_t k = 0; k < c->rows; k++)
		if (is_text_there(t, k))
			table_bytes_add(&c->data, t->bytes + t->offsets[k],
				(size_t)(t->offsets[k + 1] - t->offsets[k]));
}

void column_encode_texts(struct column *c, const struct ArrowArray *array)
{
	struct texts t = { .validity = c->values < c->rows ? array->buffers[0] : NULL,
		.offsets = array->buffers[1],
		.bytes = array->buffers[2] };
	struct text_range range = { 0 };

	if (!t.bytes) /* all texts are empty */
		t.bytes = (const uint8_t *)"";

	if (!mend_texts(c, &t)) {
		c->data.failed = true;
		return;
	}
	if (!do_texts_repeat(c, &t) || !code_texts(c, &t, 1)) {
		table_bytes_empty(&c->dictionary);
		add_lengths_and_bytes(c, &t);
		return;
	}
	for (uint32_t k = 0; k < c->entries; k++)
		note_text(&range, c->dictionary.at + c->starts[k] + 4,
			c->starts[k + 1] - c->starts[k] - 4);
	keep_range(c, &range);
	column_add_codes(c);
}
