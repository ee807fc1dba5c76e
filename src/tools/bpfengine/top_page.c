/* SPDX-License-Identifier: MIT */
/* Pages of the live view: wrapped text, and the whole record of a flow (top_text.h); pure. */
#include "top_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Wrapped lines ---- */

/* Empties the page. */
void top_page_begin(struct top_page *p, int width, bool utf8)
{
	p->used = 0;
	p->count = 0;
	p->utf8 = utf8;
	p->width = width > 0 ? width : 1;
}

const char *top_page_line(const struct top_page *p, size_t i)
{
	return i < p->count ? p->text + p->start[i] : "";
}

/* Appends a line without a change. */
static void append_page_line(struct top_page *p, const char *line)
{
	const size_t bytes = strlen(line) + 1;

	if (p->count == TOP_PAGE_LINES || p->used + bytes > sizeof p->text)
		return;
	p->start[p->count++] = (uint32_t)p->used;
	memcpy(p->text + p->used, line, bytes);
	p->used += bytes;
}

/* Returns the bytes of s to write in `cells`: all, or up to a blank, or up to the edge. */
static size_t count_wrapped_bytes(const char *s, int cells, bool utf8)
{
	char line[TOP_LINE];
	struct top_out out = top_out_begin(line, cells, utf8);
	size_t at = 0;
	size_t blank = 0;

	/* words, as long as they fit */
	while (s[at]) {
		const size_t next =
			at + strspn(s + at, " ") + strcspn(s + at + strspn(s + at, " "), " ");
		char word[TOP_LINE];

		if (next - at >= sizeof word)
			break;
		memcpy(word, s + at, next - at);
		word[next - at] = 0;
		if (!top_out_item(&out, word))
			break;
		at = next;
		blank = at;
	}
	if (!s[at])
		return at;
	if (blank)
		return blank;
	/* a word longer than the line is cut; at least a character goes on */
	for (at = 1; s[at]; at++) {
		char word[TOP_LINE];

		if ((s[at] & 0xc0) == 0x80)
			continue;
		snprintf(word, sizeof word, "%.*s", (int)(at + 1 < sizeof word ? at + 1 : at), s);
		if (at + 2 >= sizeof word || top_cells(word, utf8) > cells)
			break;
	}
	return at;
}

void top_page_add(struct top_page *p, const char *text, int indent)
{
	int left = 0;

	if (indent > p->width / 2)
		indent = p->width / 4;
	if (!*text)
		append_page_line(p, "");
	while (*text) {
		char piece[TOP_LINE], line[TOP_LINE];
		const size_t bytes = count_wrapped_bytes(text, p->width - left, p->utf8);
		struct top_out out = top_out_begin(line, p->width, p->utf8);

		snprintf(piece, sizeof piece, "%.*s", (int)bytes, text);
		top_out_blanks(&out, left);
		top_out_add(&out, piece, p->width);
		append_page_line(p, top_out_end(&out));
		text += bytes;
		text += strspn(text, " ");
		left = indent;
	}
}

/* ---- Fields of a record ---- */

/* Takes the next field of a line by RFC 4180.  Returns false behind the last. */
static bool take_field(const char **at, char *to, size_t room)
{
	const char *s = *at;
	size_t n = 0;
	const bool is_quoted = *s == '"';

	if (!*s || *s == '\r' || *s == '\n')
		return false;
	s += is_quoted;
	for (; *s; s++) {
		if (is_quoted && *s == '"' && *++s != '"')
			break;
		if (!is_quoted && (*s == ',' || *s == '\r' || *s == '\n'))
			break;
		if (n + 1 < room)
			to[n++] = *s;
	}
	to[n] = 0;
	*at = *s == ',' ? s + 1 : s;
	return true;
}

/* A name and a value of each end; the second is empty for a value of the whole flow. */
struct field {
	char name[64];
	char value[2][288];
};

/* Returns the name without the prefix of the originator's fields, or NULL. */
static const char *originator_name(const char *name)
{
	static const char *const prefixes[] = { "orig_", "client_", NULL };

	for (size_t i = 0; prefixes[i]; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	if (!strcmp(name, "src"))
		return "address";
	if (!strcmp(name, "sport"))
		return "port";
	return NULL;
}

/* Returns the name without the prefix of the responder's fields, or NULL. */
static const char *responder_name(const char *name)
{
	static const char *const prefixes[] = { "resp_", "server_", NULL };

	for (size_t i = 0; prefixes[i]; i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	if (!strcmp(name, "dst"))
		return "address";
	if (!strcmp(name, "dport"))
		return "port";
	return NULL;
}

/* Finds the field with the name, or adds the field.  Returns NULL if there is no room. */
static struct field *find_field(struct field *fields, size_t *count, size_t room, const char *name)
{
	for (size_t i = 0; i < *count; i++)
		if (!strcmp(fields[i].name, name))
			return &fields[i];
	if (*count == room)
		return NULL;
	fields[*count] = (struct field){ .value = { "", "" } };
	snprintf(fields[*count].name, sizeof fields->name, "%s", name);
	return &fields[(*count)++];
}

/* Appends the date to a time in seconds since 1970. */
static void append_date(char *value, size_t room)
{
	const time_t seconds = (time_t)strtoll(value, NULL, 10);
	const size_t used = strlen(value);
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(value + used, room - used, "  %Y-%m-%d %H:%M:%S UTC", &tm);
}

/* Reads all columns of the record.  Values of both ends share a field.  Returns the number of
 * fields. */
static size_t read_fields(const struct bpe_flow *f, struct field *fields, size_t room)
{
	static char names[BPE_FORMAT_BYTES], values[BPE_FORMAT_BYTES];
	const char *name_at = names;
	const char *value_at = values;
	size_t count = 0;
	char name[64], value[288];

	if (bpe_flow_format(NULL, BPE_FORMAT_CSV, names, sizeof names) < 0)
		return 0;
	if (bpe_flow_format(f, BPE_FORMAT_CSV, values, sizeof values) < 0)
		return 0;
	while (take_field(&name_at, name, sizeof name)) {
		const char *shared = originator_name(name);
		int end = 0;

		value[0] = 0;
		if (*value_at == ',') /* an empty field */
			value_at++;
		else if (!take_field(&value_at, value, sizeof value))
			value[0] = 0;
		if (!shared) {
			shared = responder_name(name);
			end = shared != NULL;
		}
		if (!strcmp(name, "first") || !strcmp(name, "last"))
			append_date(value, sizeof value);
		struct field *field = find_field(fields, &count, room, shared ? shared : name);
		if (field)
			snprintf(field->value[end], sizeof field->value[end], "%s", value);
	}
	return count;
}

/* ---- The page of a flow ---- */

/* Adds a line of a name and values; a wide second value gets another line. */
static void add_field(struct top_page *p, const char *name, const char *a, const char *b)
{
	enum { NAME = 26, VALUE = 20 };
	char text[TOP_LINE], title[72];
	const bool is_wide = top_cells(a, p->utf8) >= VALUE && b[0];
	struct top_out out = top_out_begin(text, TOP_LINE, p->utf8);

	snprintf(title, sizeof title, "%s", name);
	for (char *s = title; *s; s++)
		if (*s == '_')
			*s = ' ';
	top_out_column(&out, title, NAME, false);
	if (is_wide || !b[0])
		top_out_add(&out, a, TOP_LINE);
	else
		top_out_column(&out, a, VALUE, false);
	if (b[0] && !is_wide)
		top_out_add(&out, b, TOP_LINE);
	top_page_add(p, top_out_end(&out), NAME);
	if (!is_wide)
		return;
	out = top_out_begin(text, TOP_LINE, p->utf8);
	top_out_blanks(&out, NAME);
	top_out_add(&out, b, TOP_LINE);
	top_page_add(p, top_out_end(&out), NAME);
}

/* Adds the averages of both directions, and the history. */
static void add_rates(
	struct top_page *p, const struct top_model *m, const struct top_row *row, bool blocks)
{
	static const char *const names[TOP_WINDOWS] = { "rate, 2 s", "rate, 10 s", "rate, 40 s" };
	char line[TOP_LINE];

	for (int k = 0; k < TOP_WINDOWS; k++) {
		char rate[2][32];

		if (k && m->is_whole)
			break;
		for (int d = 0; d < 2; d++)
			top_write_rate(rate[d], sizeof rate[d], m, row->rate[k][d]);
		add_field(p, m->is_whole ? "mean rate" : names[k], rate[0], rate[1]);
	}
	append_page_line(p, top_text_past(line, m, row, p->width, blocks));
}

void top_page_flow(struct top_page *p, const struct top_model *m, const struct top_row *row,
	const struct bpe_flow *f, bool blocks)
{
	enum { FIELDS = 128 };
	static struct field fields[FIELDS]; /* a single thread shows the view */
	const struct top_row alone = { .flow = f };
	struct top_model plain = *m;
	char name[256];

	plain.group = TOP_GROUP_NONE;
	top_write_name(name, sizeof name, &plain, &alone);
	top_page_add(p, name, 2);
	if (!row)
		top_page_add(
			p, "This flow is not in the list now; the record is the latest seen.", 0);
	top_page_add(p, "", 0);
	add_field(p, "", "originator", "responder");
	if (row && row->known)
		add_rates(p, m, row, blocks);
	const size_t count = read_fields(f, fields, FIELDS);
	for (size_t i = 0; i < count; i++) {
		const bool is_known = fields[i].value[0][0] || fields[i].value[1][0];
		const char *a = fields[i].value[0][0] ? fields[i].value[0] : "-";
		const char *name_shown = fields[i].name;

		if (!strcmp(name_shown, "port") && f->port[0] && !top_port(f, 0))
			name_shown = "icmp identifier";
		add_field(p, name_shown, a, is_known ? fields[i].value[1] : "");
	}
}
