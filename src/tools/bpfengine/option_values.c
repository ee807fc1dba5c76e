/* SPDX-License-Identifier: MIT */
/* Values of bpfengine's options which need code of their own (options.h). */
#include "cli.h"
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int cli_act_version(void *target)
{
	struct cli *c = target;

	printf("bpfengine %s (%s)\n", bpe_version(), bpe_build_info());
	c->done = true;
	return OPTION_STOP;
}

int cli_read_print(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	uint32_t index = 0;

	if (word && !parse_choice(spec->choices, word, &index))
		return option_refuse_value(spec, word);
	c->print.form = PRINT_OWN + index;
	return 0;
}

int cli_read_workers(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	uint64_t workers;

	if (!strcmp(word, "auto")) {
		c->engine.workers = BPE_WORKERS_AUTO;
		return 0;
	}
	if (!parse_whole(word, spec->least, spec->most, &workers))
		return option_refuse_value(spec, word);
	c->engine.workers = (int32_t)workers;
	return 0;
}

/* Returns the kind of time-out with the name, or BPE_TIMEOUT_COUNT. */
static int find_timeout_kind(const char *name, size_t length)
{
	for (int kind = 0; kind < BPE_TIMEOUT_COUNT; kind++) {
		const char *known = bpe_timeout_name(kind);

		if (strlen(known) == length && !strncmp(known, name, length))
			return kind;
	}
	return BPE_TIMEOUT_COUNT;
}

int cli_read_flow_timeout(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	const char *equals = strchr(word, '=');
	int kind = BPE_TIMEOUT_COUNT;
	double seconds;

	if (equals)
		kind = find_timeout_kind(word, (size_t)(equals - word));
	if (kind == BPE_TIMEOUT_COUNT)
		return option_refuse(
			"--flow-timeout wants KIND=SECONDS, KIND one of tcp-opening, tcp-established, tcp-closing, tcp-closed, udp-one-way, udp-two-way, icmp, other; not \"%s\"",
			word);
	if (!parse_seconds(equals + 1, spec->least, spec->most, &seconds))
		return option_refuse("--flow-timeout %s wants seconds above 0, not \"%s\"",
			bpe_timeout_name(kind), equals + 1);
	const int64_t ns = (int64_t)(seconds * 1e9);
	c->engine.flow_timeout_ns[kind] = ns ? ns : 1;
	return 0;
}

int cli_read_link_type(void *target, const struct option_spec *spec, const char *word)
{
	enum { LINK_TYPES = 512 }; /* more than the numbers which have a name */
	struct cli *c = target;

	for (int link = 0; link < LINK_TYPES; link++) {
		const char *name = bpe_link_type_name(link);

		if (!name || strcasecmp(name, word))
			continue;
		c->engine.link_type = link;
		return 0;
	}
	return option_refuse_value(spec, word);
}

int cli_read_through(void *target, const struct option_spec *spec, const char *word)
{
	/* in the order of the bits of BPE_THROUGH_ */
	static const char *const names[] = { "vlan", "mpls", "pppoe", "gre", "ipip", "vxlan",
		"geneve", "gtpu", "ipv6ext" };
	enum { NAMES = sizeof names / sizeof *names };
	uint32_t *bits = &((struct cli *)target)->engine.filter_through;

	(void)spec;
	while (*word) {
		const size_t n = strcspn(word, ",");
		size_t i = 0;

		while (i < NAMES && (strlen(names[i]) != n || strncmp(names[i], word, n) != 0))
			i++;
		if (i == NAMES)
			return option_refuse(
				"--through wants some of vlan, mpls, pppoe, gre, ipip, vxlan, geneve, gtpu, ipv6ext, with commas between them, not \"%.*s\"",
				(int)n, word);
		*bits |= 1u << i;
		word += n + (word[n] == ',');
	}
	return *bits ? 0
		     : option_refuse("--through wants at least one encapsulation, such as vlan");
}

int cli_read_tunnels(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	const char *wrong;
	const size_t n = cli_tunnels(word, &c->engine.closed_tunnels, &wrong);

	(void)spec;
	if (!n)
		return 0;
	return option_refuse(
		"--tunnels wants all, none, or names that --help lists, with commas between them and - before those to leave out, not \"%.*s\"",
		(int)n, wrong);
}

/* ---- The filter ---- */

/* Reports the second filter of a command line.  Returns EXIT_USAGE. */
static int refuse_second_filter(void)
{
	return option_refuse("the filter is given twice");
}

int cli_read_filter(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;

	(void)spec;
	if (c->filter)
		return refuse_second_filter();
	c->filter = strdup(word);
	return c->filter ? 0 : option_refuse("no memory");
}

int cli_read_filter_file(void *target, const struct option_spec *spec, const char *path)
{
	struct cli *c = target;
	char why[512];

	(void)spec;
	if (c->filter)
		return refuse_second_filter();
	c->filter_path = path;
	c->filter = cli_filter_file(path, why, sizeof why);
	return c->filter ? 0 : option_refuse("%s", why);
}

char *cli_filter_file(const char *path, char *why, size_t room)
{
	enum { MOST = 1 << 20 }; /* bytes of a filter */
	FILE *file = fopen(path, "re");
	char *text;
	size_t length = 0;
	bool is_whole;

	if (!file) {
		snprintf(why, room, "cannot read the filter from %s: %s", path, strerror(errno));
		return NULL;
	}
	text = calloc(MOST + 1, 1);
	if (text)
		length = fread(text, 1, MOST, file);
	is_whole = text && feof(file) && !memchr(text, 0, length);
	fclose(file);
	if (is_whole)
		return text;
	snprintf(why, room, "%s is no filter: it is longer than a megabyte, or not text", path);
	free(text);
	return NULL;
}
