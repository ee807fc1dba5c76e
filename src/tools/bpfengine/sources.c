/* SPDX-License-Identifier: MIT */
/* The sources of a run: -i and -r, given once or several times, with a filter for each -i; -f
 * before the first -i, or behind all options, is for every source without another filter.
 *
 * The options of a run name the first source in the members of a single source, so the program
 * knows the kind of the run.  cli_sources_apply makes a list of several sources. */
#include "answers.h"
#include "options.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCES_MOST = 1024 };

/* Adds a source.  Returns 0 or EXIT_USAGE after the message. */
static int add_cli_source(struct cli *c, const char *interface, const char *file)
{
	const size_t bytes = (c->source_count + 1) * sizeof *c->sources;
	struct bpe_source *more;

	for (uint32_t k = 0; k < c->source_count && interface; k++)
		if (c->sources[k].interface_name &&
			!strcmp(c->sources[k].interface_name, interface))
			return option_refuse(
				"-i %s is given twice: each packet would count twice", interface);
	if (c->source_count == SOURCES_MOST)
		return option_refuse("at most %d sources", SOURCES_MOST);
	more = realloc(c->sources, bytes);
	if (!more)
		return option_refuse("no memory");
	c->sources = more;
	c->sources[c->source_count++] = (struct bpe_source){
		.struct_size = sizeof *more, .interface_name = interface, .file = file
	};
	if (interface && !c->engine.interface_name)
		c->engine.interface_name = interface;
	if (file && !c->engine.file)
		c->engine.file = file;
	return 0;
}

/* Gives the filter behind the first -i to that source alone, as a second source comes. */
static int part_filter(struct cli *c)
{
	const bool is_own = c->filter && c->filter_of && !c->filter_path && !c->filter_on_input;

	if (!is_own || c->group)
		return 0;
	for (uint32_t k = 0; k < c->source_count; k++) {
		c->sources[k].filter_expression = strdup(c->filter);
		if (!c->sources[k].filter_expression)
			return option_refuse("no memory");
	}
	free(c->filter);
	c->filter = NULL;
	c->filter_of = 0;
	return 0;
}

/* Begins the sources of a -i or -r. */
static int begin_group(struct cli *c)
{
	const int code = part_filter(c);

	c->group = c->source_count;
	return code;
}

/* Returns whether a part of a list with commas, of n bytes, is a source of -i. */
static bool is_listed_source(const char *part, size_t n)
{
	char name[64];

	if (!n || n >= sizeof name)
		return false;
	memcpy(name, part, n);
	name[n] = 0;
	return !strncmp(name, "bpf:", 4) || !strncmp(name, "if:", 3) || cli_is_interface(name);
}

/* Returns whether the word lists several interfaces: "en0,en1", where no interface has the name. */
static bool is_interface_list(const char *word)
{
	const char *part = word;

	if (!strchr(word, ',') || cli_is_interface(word))
		return false;
	for (;; part++) {
		const size_t n = strcspn(part, ",");

		if (!is_listed_source(part, n))
			return false;
		part += n;
		if (!*part)
			return true;
	}
}

/* A copy of a list, with a 0 in place of each comma. */
struct cli_source_list {
	struct cli_source_list *next;
	char text[];
};

int cli_read_interface(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	int code = begin_group(c);

	(void)spec;
	if (code || !is_interface_list(word))
		return code ? code : add_cli_source(c, word, NULL);
	struct cli_source_list *list = malloc(sizeof *list + strlen(word) + 1);
	if (!list)
		return option_refuse("no memory");
	list->next = c->source_lists;
	c->source_lists = list;
	memcpy(list->text, word, strlen(word) + 1);
	for (char *part = list->text; part && !code;) {
		char *comma = strchr(part, ',');

		if (comma)
			*comma++ = 0;
		code = add_cli_source(c, part, NULL);
		part = comma;
	}
	return code;
}

int cli_read_savefile(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	const int code = begin_group(c);

	(void)spec;
	for (uint32_t k = 0; k < c->source_count && !strcmp(word, "-"); k++)
		if (c->sources[k].file && !strcmp(c->sources[k].file, "-"))
			return option_refuse(
				"-r - is given twice: the standard input is read once");
	return code ? code : add_cli_source(c, NULL, word);
}

int cli_read_filter(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	(void)spec;
	if (c->source_count < 2 || c->group == 0) {
		if (c->filter)
			return option_refuse("the filter is given twice");
		c->filter = strdup(word);
		c->filter_of = c->source_count;
		return c->filter ? 0 : option_refuse("no memory");
	}
	for (uint32_t k = c->group; k < c->source_count; k++) {
		struct bpe_source *s = &c->sources[k];

		if (s->filter_expression)
			return option_refuse("the filter of %s is given twice",
				s->file ? s->file : s->interface_name);
		s->filter_expression = strdup(word);
		if (!s->filter_expression)
			return option_refuse("no memory");
	}
	return 0;
}

bool cli_has_several(const struct cli *c)
{
	return c->source_count > 1;
}

/* Takes numbers of -D among several sources as interfaces, as option_checks.c does for an only
 * source. */
static int name_numbered_sources(struct cli *c)
{
	char name[64];

	for (uint32_t k = 0; k < c->source_count && cli_has_several(c); k++) {
		const char *word = c->sources[k].interface_name;

		if (!word || !*word || word[strspn(word, "0123456789")] || if_nametoindex(word))
			continue;
		name[0] = 0;
		cli_interface_number(name, sizeof name, word);
		if (!name[0])
			continue;
		/* The copy lives as long as the program. */
		c->sources[k].interface_name = strdup(name);
		if (!c->sources[k].interface_name)
			return option_refuse("no memory");
	}
	return 0;
}

/* Lets "any" of BPF devices open the interfaces that come, unless -Z takes the rights away. */
static void watch_interfaces(struct cli *c)
{
#ifndef __linux__
	const char *name = c->engine.interface_name;

	if (name && !strcmp(name, "any") && !c->user && !c->engine.zero_copy)
		c->engine.wait_interface = true;
#else
	(void)c;
#endif
}

int cli_sources_check(struct cli *c)
{
	if (c->engine.interface_name && c->engine.file)
		return option_refuse("give -i or -r, not both");
	if (cli_has_several(c) && (c->dump || c->explain))
		return option_refuse("%s is about a filter for one source: leave out the others",
			c->explain ? "--explain" : "-d");
	watch_interfaces(c);
	return name_numbered_sources(c);
}

void cli_sources_apply(const struct cli *c, struct bpe_options *o)
{
	if (!cli_has_several(c))
		return;
	o->interface_name = NULL;
	o->file = NULL;
	o->sources = c->sources;
	o->source_count = c->source_count;
}

const char *cli_sources_text(const struct cli *c, char *to, size_t room)
{
	size_t used = 0;

	*to = 0;
	for (uint32_t k = 0; k < c->source_count && used < room; k++) {
		const struct bpe_source *s = &c->sources[k];
		const bool is_input = s->file && !strcmp(s->file, "-");
		const char *name = s->file ? s->file : s->interface_name;
		const char *before = k ? ", " : "";

		if (k && k + 1 == c->source_count)
			before = " and ";
		if (used + strlen(name) + 24 > room && k + 1 < c->source_count) {
			snprintf(to + used, room - used, " and %u more", c->source_count - k);
			break;
		}
		used += (size_t)snprintf(to + used, room - used, "%s%s", before,
			is_input ? "the standard input" : name);
	}
	return to;
}

bool cli_sources_failed(const struct cli *c, const char *text, struct cli *alone)
{
	for (uint32_t k = 0; k < c->source_count && cli_has_several(c); k++) {
		const struct bpe_source *s = &c->sources[k];
		const char *name = s->file ? s->file : s->interface_name;

		if (!strstr(text, name))
			continue;
		*alone = *c;
		alone->engine.interface_name = s->interface_name;
		alone->engine.file = s->file;
		return true;
	}
	return false;
}

void cli_sources_free(struct cli *c)
{
	for (uint32_t k = 0; k < c->source_count; k++)
		free((char *)(uintptr_t)c->sources[k].filter_expression);
	free(c->sources);
	while (c->source_lists) {
		struct cli_source_list *next = c->source_lists->next;

		free(c->source_lists);
		c->source_lists = next;
	}
	c->sources = NULL;
	c->source_count = 0;
}
