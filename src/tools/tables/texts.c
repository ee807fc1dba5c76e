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
	size_t end; /* of the bytes */
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
	t->end = c->clean.used;
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

		if (slot->turn != c->turn) {
			if (c->entries == COLUMN_CODES_MOST)
				return UINT32_MAX;
			*slot = (struct column_slot){
				.hash = hash, .turn = c->turn, .code = (uint16_t)c->entries
			};
			add_dictionary_text(c, s, n);
			return c->dictionary.failed ? UINT32_MAX : slot->code;
		}
		if (slot->hash == hash && is_entry(c, slot->code, s, n))
			return slot->code;
		at = (at + 1) % COLUMN_SLOTS;
	}
	return UINT32_MAX;
}

/* Returns the first n bytes of a word, at most 8, and zeros. */
static uint64_t load_masked(const uint8_t *from, size_t n)
{
	static const uint8_t keep[16] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	return load_word(from) & load_word(keep + 8 - n);
}

/* Finds the code of a text as find_text_code.  Most texts are short, and one of a few.  Such a text
 * is found without a look at the length, which differs from row to row. */
static uint32_t find_recent_code(struct column *c, const struct texts *t, size_t k)
{
	const size_t at = (size_t)t->offsets[k];
	const size_t n = (size_t)t->offsets[k + 1] - at;
	const uint8_t *s = t->bytes + at;

	if (n > 16 || at + 16 > t->end)
		return find_text_code(c, s, n);
	const uint64_t low = load_masked(s, n < 8 ? n : 8);
	const uint64_t high = load_masked(s + 8, n < 8 ? 0 : n - 8);
	const uint64_t mixed = (low ^ high * K1 ^ n) * K2;
	struct column_recent *recent = &c->recent[mixed >> 56];

	if (recent->low == low && recent->high == high && recent->bytes == n)
		return recent->code;
	const uint32_t code = find_text_code(c, s, n);
	if (code != UINT32_MAX)
		*recent = (struct column_recent){ low, high, (uint32_t)n, code };
	return code;
}

/* Frees the dictionary. */
static void begin_dictionary(struct column *c)
{
	c->entries = 0;
	c->starts[0] = 0;
	table_bytes_empty(&c->dictionary);
	column_clear_slots(c);
}

/* Returns which of the 64 rows from the first on have a text, as bits. */
static uint64_t find_text_rows(const struct texts *t, size_t first, size_t rows)
{
	const size_t n = rows - first < 64 ? rows - first : 64;
	uint64_t bits = 0;

	if (!t->validity)
		return UINT64_MAX >> (64 - n);
	for (size_t k = 0; k < (n + 7) / 8; k++)
		bits |= (uint64_t)t->validity[first / 8 + k] << 8 * k;
	return bits & UINT64_MAX >> (64 - n);
}

/* Codes all texts.  Returns false if the texts are too many. */
static bool code_texts(struct column *c, const struct texts *t)
{
	uint32_t *to = c->codes;

	begin_dictionary(c);
	for (uint32_t k = 0; k < COLUMN_RECENT; k++)
		c->recent[k].bytes = UINT32_MAX;
	for (size_t first = 0; first < c->rows; first += 64)
		for (uint64_t bits = find_text_rows(t, first, c->rows); bits; bits &= bits - 1) {
			const size_t k = first + (size_t)__builtin_ctzll(bits);

			*to = find_recent_code(c, t, k);
			if (*to++ == UINT32_MAX)
				return false;
		}
	return true;
}

/* Returns whether samples of the texts repeat. */
static bool do_texts_repeat(struct column *c, const struct texts *t)
{
	const size_t step = c->rows / SAMPLES + 1;

	if (c->values < SAMPLES)
		return true;
	begin_dictionary(c);
	for (size_t k = 0; k < c->rows; k += step)
		if (is_text_there(t, k) &&
			find_text_code(c, t->bytes + t->offsets[k],
				(size_t)(t->offsets[k + 1] - t->offsets[k])) == UINT32_MAX)
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
	uint64_t least_rank, most_rank; /* by the first bytes (rank_text) */
};

/* Returns the first 8 bytes as a number of the order of texts.  A shorter text has zeros behind.
 */
static uint64_t rank_text(const uint8_t *s, size_t n)
{
	uint64_t begin = 0;

	if (n >= 8) {
		for (size_t k = 0; k < 8; k++)
			begin = begin << 8 | s[k];
		return begin;
	}
	for (size_t k = 0; k < n; k++)
		begin |= (uint64_t)s[k] << (56 - 8 * k);
	return begin;
}

static void note_text(struct text_range *r, const uint8_t *s, size_t n)
{
	const uint64_t rank = rank_text(s, n);

	if (!r->least || rank < r->least_rank ||
		(rank == r->least_rank && compare_texts(s, n, r->least, r->least_bytes) < 0)) {
		r->least = s;
		r->least_bytes = n;
		r->least_rank = rank;
	}
	if (!r->most || rank > r->most_rank ||
		(rank == r->most_rank && compare_texts(s, n, r->most, r->most_bytes) > 0)) {
		r->most = s;
		r->most_bytes = n;
		r->most_rank = rank;
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
	t.end = (size_t)t.offsets[c->rows];

	if (!mend_texts(c, &t)) {
		c->data.failed = true;
		return;
	}
	if (!do_texts_repeat(c, &t) || !code_texts(c, &t)) {
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
