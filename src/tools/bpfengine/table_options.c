/* SPDX-License-Identifier: MIT */
/* --flows with a table's name, and --flows-rotate: become a target of a sink (exports.h).
 * Stateless. */
#include "cli.h"
#include "exports.h"
#include "options.h"

#include <inttypes.h>
#include <string.h>

#define MOST_NS 9000000000000000000 /* 285 years */
#define LEAST_BYTES 65536           /* of a file: the description of the columns alone takes some */

/* Returns the kind of table by the end of the name, or NULL. */
static const char *find_table_kind(const char *path)
{
	static const char *const kinds[] = { "parquet", "sqlite" };
	const char *dot = path ? strrchr(path, '.') : NULL;

	if (!dot || dot == path || dot[-1] == '/')
		return NULL;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		if (!strcmp(dot + 1, kinds[k]))
			return kinds[k];
	return NULL;
}

/* Reads a part of --flows-rotate, "every=1h".  Returns whether the part is right. */
static bool read_table_limit(struct cli_table_limits *limits, const char *part)
{
	double seconds;

	if (!strncmp(part, "size=", 5))
		return parse_size(part + 5, 1, &limits->bytes) && limits->bytes >= LEAST_BYTES;
	if (!strncmp(part, "rows=", 5))
		return parse_whole(part + 5, 1, UINT64_MAX / 4, &limits->rows);
	if (strncmp(part, "every=", 6) != 0 || !parse_seconds(part + 6, 0, MOST_NS, &seconds))
		return false;
	limits->every_ns = (uint64_t)(seconds * 1e9);
	return seconds >= 1;
}

int cli_read_flows_rotate(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	char list[200];
	char *rest = list;

	if (!*word || strlen(word) >= sizeof list)
		return option_refuse_value(spec, word);
	memcpy(list, word, strlen(word) + 1);
	while (rest) {
		char *part = rest;

		rest = strchr(part, ',');
		if (rest)
			*rest++ = 0;
		if (!read_table_limit(&c->table_limits, part))
			return option_refuse_value(spec, part);
	}
	return 0;
}

/* Refuses options about lines.  Returns 0 or EXIT_USAGE after the message. */
static int check_line_options(const struct cli *c)
{
	static const char *const names[] = { "flows-format", "flows-error", "flows-begin" };

	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (option_is_given(option_current(), names[k]))
			return option_refuse(
				"--%s is for lines, and %s is a table by its name: leave"
				" it out, or name a file that ends in .json or .csv",
				names[k], c->flows_path);
	return 0;
}

/* Adds a parameter of the target that was added last, if the number is not 0. */
static void add_table_parameter(struct cli *c, const char *name, uint64_t number)
{
	struct export_address *a = &c->targets->target[c->targets->count - 1].address;
	struct export_parameter *p = &a->parameters[a->count];

	if (!number)
		return;
	snprintf(p->name, sizeof p->name, "%s", name);
	snprintf(p->value, sizeof p->value, "%" PRIu64, number);
	a->count++;
}

int cli_complete_tables(struct cli *c)
{
	const char *kind = find_table_kind(c->flows_path);
	const struct cli_table_limits *limits = &c->table_limits;
	const bool is_parquet = kind && !strcmp(kind, "parquet");

	if (option_is_given(option_current(), "flows-rotate") && !is_parquet)
		return option_refuse("--flows-rotate is for tables that are files of their own: "
				     "--flows NAME.parquet");
	if (!kind)
		return 0;
	if (!c->engine.flows)
		return option_refuse("--flows and --no-flows contradict each other");
	if (is_parquet && c->flows_append)
		return option_refuse("a Parquet file cannot grow: leave out --flows-append"
				     " (--flows-rotate makes files with names of their own)");
	int code = check_line_options(c);
	if (!code)
		code = cli_targets_add(c, "--flows", kind, c->flows_path);
	if (code)
		return code;
	add_table_parameter(c, "size", limits->bytes);
	add_table_parameter(c, "every", limits->every_ns);
	add_table_parameter(c, "rows", limits->rows);
	add_table_parameter(c, "append", c->flows_append);
	c->table_path = c->flows_path;
	c->flows_path = NULL;
	c->flows_append = false;
	return 0;
}

int cli_check_table_file(const struct cli *c)
{
	struct stat st;

	if (!c->table_path || stat(c->table_path, &st))
		return 0;
	const char *what = program_files_find(&c->used, &st, true);
	if (!what)
		return 0;
	program_tell("--flows %s: it is %s: name another file", c->table_path, what);
	return EXIT_ERROR;
}
