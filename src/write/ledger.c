/* SPDX-License-Identifier: MIT */
/* The lines of a ledger (ledger.h); stateless. */
#include "write/ledger.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "bpfengine.file/1"
#define NS_IN_S INT64_C(1000000000)
#define FRAME_ROOM 112u /* bytes of a frame's text at most */
#define ENTRY_ROOM 4096u
#define CODE_ROOM 6u /* \u0000 */
#define RAW_BYTE 0xdc00u

static const char *const event_names[] = { "", "begun", "complete", "cut", "removed", "end" };

/* ---- Writing ---- */

/* A line under way, in memory of the right size. */
struct ledger_text {
	char *text;
	size_t at, room;
};

static void append_format(struct ledger_text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append_format(struct ledger_text *t, const char *format, ...)
{
	va_list list;

	va_start(list, format);
	const int n = vsnprintf(t->text + t->at, t->room - t->at, format, list);
	va_end(list);
	if (n > 0)
		t->at += (size_t)n;
	if (t->at >= t->room)
		t->at = t->room - 1;
}

static void append_escaped(struct ledger_text *t, const char *text)
{
	const char *end = text + strlen(text);

	append_format(t, "\"");
	while (text < end) {
		const size_t n = bpei_utf8_bytes(text, (size_t)(end - text));
		const unsigned byte = (unsigned char)*text;
		if (!n)
			append_format(t, "\\u%04x", RAW_BYTE + byte);
		else if (n > 1)
			append_format(t, "%.*s", (int)n, text);
		else if (byte == '"' || byte == '\\')
			append_format(t, "\\%c", *text);
		else if (byte < ' ' || byte == 0x7f)
			append_format(t, "\\u%04x", byte);
		else
			append_format(t, "%c", *text);
		text += n ? n : 1;
	}
	append_format(t, "\"");
}

static void append_seconds(struct ledger_text *t, const char *key, int64_t ns)
{
	const int64_t whole = ns / NS_IN_S;
	const int64_t rest = ns % NS_IN_S;
	const char *sign = ns < 0 ? "-" : "";

	append_format(t, ",\"%s\":%s%lld.%09lld", key, sign, llabs(whole), llabs(rest));
}

/* Appends the counts of a file, or of all files. */
static void append_counts(struct ledger_text *t, const struct bpe_written_file *file)
{
	append_format(t,
		",\"packets\":%" PRIu64 ",\"captured_bytes\":%" PRIu64 ",\"file_bytes\":%" PRIu64
		",\"unwritten\":{",
		file->packets, file->captured_bytes, file->file_bytes);
	for (int i = 0; i < BPE_UNWRITTEN_COUNT; i++)
		append_format(t, "%s\"%s\":%" PRIu64, i ? "," : "", bpe_unwritten_name(i),
			file->unwritten[i]);
	append_format(t, "},\"kernel_dropped\":%" PRIu64 ",\"interface_dropped\":%" PRIu64,
		file->kernel_dropped, file->interface_dropped);
}

static void append_frames(struct ledger_text *t, const struct bpei_ledger_entry *entry)
{
	if (!entry->frame_count)
		return;
	append_format(t, ",\"frames\":[");
	for (size_t i = 0; i < entry->frame_count; i++) {
		const struct bpei_ledger_frame *frame = &entry->frames[i];
		append_format(t, "%s{\"offset\":%" PRIu64 ",\"packets\":%" PRIu32, i ? "," : "",
			frame->offset, frame->packets);
		append_seconds(t, "first", frame->first_ns);
		append_seconds(t, "last", frame->last_ns);
		append_format(t, "}");
	}
	append_format(t, "]");
}

static void append_file(struct ledger_text *t, const struct bpei_ledger_entry *entry)
{
	const struct bpe_written_file *file = entry->file;

	append_format(t, ",\"name\":");
	append_escaped(t, file->name);
	append_format(t, ",\"number\":%" PRIu64 ",\"device\":%" PRIu64 ",\"inode\":%" PRIu64,
		file->number, entry->device, entry->inode);
	if (entry->event != BPEI_LEDGER_COMPLETE && entry->event != BPEI_LEDGER_CUT)
		return;
	append_seconds(t, "first", file->first_ns);
	append_seconds(t, "last", file->last_ns);
	append_counts(t, file);
	if (file->sha256)
		append_format(t, ",\"sha256\":\"%s\"", file->sha256);
	append_frames(t, entry);
}

char *bpei_ledger_line(const struct bpei_ledger_entry *entry, size_t *length)
{
	const char *name = entry->file->name ? entry->file->name : "";
	struct ledger_text t = { 0 };

	t.room = ENTRY_ROOM + CODE_ROOM * strlen(name) + FRAME_ROOM * entry->frame_count;
	t.text = malloc(t.room);
	if (!t.text)
		return NULL;
	append_format(&t, "{\"schema\":\"" SCHEMA "\",\"event\":\"%s\"", event_names[entry->event]);
	if (entry->event == BPEI_LEDGER_END) {
		append_format(&t, ",\"files\":%" PRIu64, entry->files);
		append_counts(&t, entry->file);
	} else {
		append_file(&t, entry);
	}
	append_format(&t, "}\n");
	*length = t.at;
	return t.text;
}

/* ---- Reading ---- */

/* A line under study. Invariant: at <= end. */
struct ledger_line {
	const char *at, *end;
	bool bad;
};

/* Takes a letter, if the letter is next. */
static bool take_letter(struct ledger_line *l, char letter)
{
	if (l->bad || l->at == l->end || *l->at != letter)
		return false;
	l->at++;
	return true;
}

/* Returns the value of four hexadecimal digits. */
static uint32_t take_code(struct ledger_line *l)
{
	uint32_t code = 0;

	for (int i = 0; i < 4; i++) {
		const char letter = l->at < l->end ? *l->at++ : 'x';
		if (letter >= '0' && letter <= '9')
			code = code * 16 + (uint32_t)(letter - '0');
		else if (letter >= 'a' && letter <= 'f')
			code = code * 16 + (uint32_t)(letter - 'a') + 10;
		else
			l->bad = true;
	}
	return code;
}

/* Reads a letter of a string, as append_escaped writes letters. */
static char take_escaped(struct ledger_line *l)
{
	const char letter = *l->at++;

	if (letter != '\\')
		return letter;
	if (take_letter(l, '"'))
		return '"';
	if (take_letter(l, '\\'))
		return '\\';
	if (!take_letter(l, 'u')) {
		l->bad = true;
		return 0;
	}
	uint32_t code = take_code(l);
	if (code >= RAW_BYTE + 0x80 && code <= RAW_BYTE + 0xff)
		code -= RAW_BYTE;
	else if (code >= 0x80)
		l->bad = true;
	return (char)code;
}

/* Reads a string; a string without room, or with a 0, is bad. */
static void take_string(struct ledger_line *l, char *text, size_t room)
{
	size_t n = 0;

	l->bad |= !take_letter(l, '"');
	while (!l->bad && !take_letter(l, '"')) {
		const char letter = l->at < l->end ? take_escaped(l) : 0;
		if (!letter || n + 1 >= room)
			l->bad = true;
		else
			text[n++] = letter;
	}
	text[n] = 0;
}

/* Passes over an object or an array.  Strings in our nested values have no brackets. */
static void skip_nested(struct ledger_line *l)
{
	int depth = 0;

	while (l->at < l->end) {
		const char letter = *l->at++;
		depth += letter == '{' || letter == '[';
		depth -= letter == '}' || letter == ']';
		if (!depth)
			return;
	}
	l->bad = true;
}

/* Reads a number's digits.  *digits counts them. */
static uint64_t take_digits(struct ledger_line *l, int *digits)
{
	uint64_t value = 0;

	for (*digits = 0; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++) {
		const unsigned digit = (unsigned)(*l->at - '0');
		if (value > (UINT64_MAX - digit) / 10)
			l->bad = true;
		value = value * 10 + digit;
		(*digits)++;
	}
	l->bad |= !*digits;
	return value;
}

/* Reads a number as append_seconds writes times (*ns), or a count (returned). */
static uint64_t take_number(struct ledger_line *l, int64_t *ns)
{
	int digits = 0;
	const bool negative = take_letter(l, '-');
	const uint64_t whole = take_digits(l, &digits);

	*ns = 0;
	if (!take_letter(l, '.')) {
		l->bad |= negative;
		return whole;
	}
	const uint64_t rest = take_digits(l, &digits);
	if (digits != 9 || whole >= (uint64_t)(INT64_MAX / NS_IN_S))
		l->bad = true;
	else
		*ns = (int64_t)(whole * (uint64_t)NS_IN_S + rest);
	if (negative)
		*ns = -*ns;
	return 0;
}

static enum bpei_ledger_event find_event(const char *name)
{
	for (int i = BPEI_LEDGER_BEGUN; i <= BPEI_LEDGER_END; i++)
		if (!strcmp(name, event_names[i]))
			return (enum bpei_ledger_event)i;
	return BPEI_LEDGER_NONE;
}

/* Reads a string as a member's value. */
static void take_text(struct ledger_line *l, const char *key, struct bpei_ledger_known *known)
{
	char text[BPEI_NAME_ROOM];

	take_string(l, text, sizeof text);
	if (!strcmp(key, "name"))
		memcpy(known->name, text, sizeof text);
	else if (!strcmp(key, "event"))
		known->event = find_event(text);
	else if (!strcmp(key, "schema"))
		l->bad |= strcmp(text, SCHEMA) != 0;
}

/* Reads a member of the line's object. */
static void take_member(struct ledger_line *l, struct bpei_ledger_known *known)
{
	char key[32] = "";
	int64_t ns = 0;

	take_string(l, key, sizeof key);
	l->bad |= !take_letter(l, ':');
	if (l->bad || l->at == l->end) {
		l->bad = true;
	} else if (*l->at == '"') {
		take_text(l, key, known);
	} else if (*l->at == '{' || *l->at == '[') {
		skip_nested(l);
	} else {
		const uint64_t number = take_number(l, &ns);
		if (!strcmp(key, "device"))
			known->device = number;
		else if (!strcmp(key, "inode"))
			known->inode = number;
		else if (!strcmp(key, "number"))
			known->number = number;
		else if (!strcmp(key, "file_bytes"))
			known->file_bytes = number;
		else if (!strcmp(key, "last"))
			known->last_ns = ns;
	}
}

struct bpei_ledger_known bpei_ledger_read(const char *line, size_t n)
{
	static const char start[] = "{\"schema\":\"";
	struct bpei_ledger_known known = { 0 };
	struct ledger_line l = { line, line + n, false };

	if (n < sizeof start || memcmp(line, start, sizeof start - 1) != 0)
		return known;
	l.at++;
	do
		take_member(&l, &known);
	while (take_letter(&l, ','));
	l.bad |= !take_letter(&l, '}') || l.at != l.end;
	const bool named = known.name[0] && !strchr(known.name, '/') && strcmp(known.name, ".") &&
			   strcmp(known.name, "..");
	if (l.bad || (!named && known.event != BPEI_LEDGER_END))
		return (struct bpei_ledger_known){ 0 };
	return known;
}
