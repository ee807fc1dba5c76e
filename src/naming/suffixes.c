/* SPDX-License-Identifier: MIT */
/* Reading the public suffix list, and finding registered domains (suffixes.h).
 *
 * The table has open addressing.  A key is the text of a rule without "!" and "*.", and says which
 * rules there are for the text.  Its size is a power of two, and half of the slots are free. */
#include "naming/suffixes.h"

#include "base/error.h"
#include "base/textfile.h"
#include "naming/punycode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LIST_MOST (16u << 20)

enum {
	RULE_NAME = 1,     /* "co.uk" */
	RULE_WILD = 2,     /* "*.ck": a label more */
	RULE_EXCEPTION = 4 /* "!www.ck": a label less */
};

struct suffix_slot {
	uint32_t at; /* offset of the text in `texts`, which begins with the length; 0: free */
	uint32_t rules;
};

struct bpei_suffixes {
	struct suffix_slot *slots;
	uint32_t mask;
	size_t used, room; /* of texts */
	char *texts;
};

/* Where systems have the list: Debian, Fedora and Arch; FreeBSD. */
static const char *const system_lists[] = { "/usr/share/publicsuffix/public_suffix_list.dat",
	"/usr/local/share/public_suffix_list/public_suffix_list.dat" };

static uint32_t hash_suffix(const char *text, size_t n) /* FNV-1a */
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)text[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Returns the slot of a text, or the free slot where it would be. */
static struct suffix_slot *find_suffix_slot(
	const struct bpei_suffixes *s, const char *text, size_t n)
{
	for (uint32_t k = hash_suffix(text, n);; k++) {
		struct suffix_slot *slot = &s->slots[k & s->mask];
		const char *kept = s->texts + slot->at;

		if (!slot->at || ((uint8_t)kept[0] == n && !memcmp(kept + 1, text, n)))
			return slot;
	}
}

/* Adds a rule for a text of at most BPEI_NAME_MOST bytes.  Room was made for it. */
static void add_suffix_rule(struct bpei_suffixes *s, const char *text, size_t n, uint32_t rule)
{
	struct suffix_slot *slot = find_suffix_slot(s, text, n);

	slot->rules |= rule;
	if (slot->at)
		return;
	slot->at = (uint32_t)s->used;
	s->texts[s->used++] = (char)n;
	memcpy(s->texts + s->used, text, n);
	s->used += n;
}

static bool is_rule_byte(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c >= 0x80;
}

/* Returns whether a text is labels with dots between them. */
static bool is_rule_text(const char *text, size_t n)
{
	char before = '.';

	for (size_t i = 0; i < n; before = text[i++])
		if (!is_rule_byte((uint8_t)text[i]) && (text[i] != '.' || before == '.'))
			return false;
	return n && n <= BPEI_NAME_MOST && before != '.';
}

/* Adds the rule of a line.  Returns false if the line has no rule. */
static bool read_suffix_rule(struct bpei_suffixes *s, char *line, size_t n)
{
	char ascii[BPEI_NAME_MOST + 1];
	uint32_t rule = RULE_NAME;

	if (line[0] == '!')
		rule = RULE_EXCEPTION;
	if (n > 2 && line[0] == '*' && line[1] == '.')
		rule = RULE_WILD;
	const size_t head = rule == RULE_WILD ? 2 : rule == RULE_EXCEPTION;

	for (size_t i = 0; i < n; i++)
		if (line[i] >= 'A' && line[i] <= 'Z')
			line[i] = (char)(line[i] | 0x20);
	if (!is_rule_text(line + head, n - head))
		return false;
	add_suffix_rule(s, line + head, n - head, rule);
	const size_t bytes = bpei_punycode_name(ascii, sizeof ascii, line + head, n - head);

	if (bytes)
		add_suffix_rule(s, ascii, bytes, rule);
	return true;
}

/* Makes room for the rules of a text of n bytes and so many lines. */
static struct bpei_suffixes *make_suffixes(size_t n, size_t lines)
{
	struct bpei_suffixes *s = calloc(1, sizeof *s);
	size_t slots = 64;

	while (slots < lines * 4) /* a line is up to two rules */
		slots *= 2;
	if (!s)
		return NULL;
	s->mask = (uint32_t)slots - 1;
	s->used = 1;
	/* a label of k bytes in UTF-8 is at most 4 + 3 * k bytes as IDNA writes it */
	s->room = 1 + n * 9 + lines * 2;
	s->slots = calloc(slots, sizeof *s->slots);
	s->texts = malloc(s->room);
	if (s->slots && s->texts)
		return s;
	bpei_suffixes_close(s);
	return NULL;
}

/* Reads the lines of the list.  Returns 0, or the number of the first line that is wrong.  *rules:
 * how many there are. */
static size_t read_suffix_lines(struct bpei_suffixes *s, char *text, size_t *rules)
{
	size_t number = 0;

	*rules = 0;
	for (char *next; *text; text = next) {
		const size_t n = strcspn(text, " \t\r\n");

		next = text + strcspn(text, "\n");
		next += *next == '\n';
		number++;
		if (!n || (text[0] == '/' && text[1] == '/'))
			continue;
		if (!read_suffix_rule(s, text, n))
			return number;
		++*rules;
	}
	return 0;
}

int bpei_suffixes_read(
	char *text, const char *path, struct bpei_suffixes **suffixes, struct bpe_error *error)
{
	const size_t n = strlen(text);
	size_t lines = 1;
	size_t rules;

	if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* the mark of UTF-8 */
		memmove(text, text + 3, n - 2);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	struct bpei_suffixes *s = make_suffixes(n, lines);

	if (!s)
		return bpei_fail(error, BPE_E_MEMORY, "public suffixes", 0,
			"no memory for the public suffix list %s", path);
	const size_t wrong = read_suffix_lines(s, text, &rules);

	if (!wrong && rules) {
		*suffixes = s;
		return BPE_OK;
	}
	bpei_suffixes_close(s);
	if (!wrong)
		return bpei_fail(error, BPE_E_ARGUMENT, "public suffixes", 0,
			"%s is no public suffix list: it has no rules", path);
	return bpei_fail(error, BPE_E_ARGUMENT, "public suffixes", 0,
		"%s is no public suffix list: line %zu has no rule, such as co.uk or *.ck", path,
		wrong);
}

/* Fills *error for a list that cannot be read; path NULL: the system has none.  Returns the
 * status. */
static int refuse_suffix_list(const char *path, int why, struct bpe_error *error)
{
	if (!path)
		return bpei_fail(error, BPE_E_ABSENT, "public suffixes", 0,
			"the system has no public suffix list at %s: install the package publicsuffix, or name a list (--suffix-list FILE)",
			system_lists[0]);
	if (why == EFBIG)
		return bpei_fail(error, BPE_E_ARGUMENT, "public suffixes", 0,
			"%s is no public suffix list: it has more than %u bytes", path, LIST_MOST);
	if (why == EILSEQ)
		return bpei_fail(error, BPE_E_ARGUMENT, "public suffixes", 0,
			"%s is no public suffix list: it has a byte 0", path);
	return bpei_fail(error, why == ENOENT ? BPE_E_ABSENT : bpei_status_of(why),
		"public suffixes", why, "cannot read the public suffix list %s", path);
}

int bpei_suffixes_open(const char *path, struct bpei_suffixes **suffixes, struct bpe_error *error)
{
	const char *found = path;
	char *text = NULL;

	if (path)
		text = bpei_textfile_read(path, LIST_MOST);
	for (size_t k = 0; !path && !text && k < sizeof system_lists / sizeof *system_lists; k++) {
		text = bpei_textfile_read(system_lists[k], LIST_MOST);
		found = text || errno != ENOENT ? system_lists[k] : NULL;
		if (found)
			break;
	}
	if (!text)
		return refuse_suffix_list(found, errno, error);
	const int status = bpei_suffixes_read(text, found, suffixes, error);

	free(text);
	return status;
}

void bpei_suffixes_close(struct bpei_suffixes *s)
{
	if (!s)
		return;
	free(s->slots);
	free(s->texts);
	free(s);
}

/* Returns the offset of the label before the label at `at`. */
static size_t label_before(const char *name, size_t at)
{
	if (!at)
		return 0;
	at--; /* the dot */
	while (at && name[at - 1] != '.')
		at--;
	return at;
}

struct bpei_suffix bpei_suffixes_find(const struct bpei_suffixes *s, const char *name, size_t n)
{
	struct bpei_suffix found = { .registered = n };
	size_t at = label_before(name, n + 1);
	size_t after = n; /* offset of the label behind `at` */

	found.suffix = at;
	for (;; after = at, at = label_before(name, at)) {
		const uint32_t rules = find_suffix_slot(s, name + at, n - at)->rules;

		if (rules & RULE_EXCEPTION) {
			found = (struct bpei_suffix){ at, after, true };
			return found;
		}
		if (rules & (RULE_NAME | RULE_WILD))
			found.listed = true;
		if (rules & RULE_NAME)
			found.suffix = at;
		if (rules & RULE_WILD)
			found.suffix = label_before(name, at);
		if (!at)
			break;
	}
	if (found.suffix)
		found.registered = label_before(name, found.suffix);
	return found;
}
