/* SPDX-License-Identifier: MIT */
/* Values of bpfengine's options which need code of their own (options.h). */
#include "answers.h"
#include "options.h"
#include "tools/crypto/crypto.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int cli_act_version(void *target)
{
	struct cli *c = target;

	printf("bpfengine %s (%s; crypto=%s)\n", bpe_version(), bpe_build_info(),
		crypto_library_name());
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

int cli_read_count(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	const struct option_program *program = option_current();
	const struct option_spec *letter = option_of_getopt(program, 'c');

	(void)spec;
	if (word)
		return option_apply(target, letter, word);
	c->counts = true;
	return 0;
}

int cli_read_autostop(void *target, const struct option_spec *spec, const char *word)
{
	const struct option_program *program = option_current();
	const char *colon = strchr(word, ':');
	const struct option_spec *duration = option_find(program, "duration");
	char line[OPTION_LINE];
	char text[80];
	double seconds;

	if (!strncmp(word, "filesize:", 9))
		return cli_read_stop_size(target, colon + 1);
	if (!strncmp(word, "files:", 6))
		return cli_read_stop_files(target, colon + 1);
	if (!strncmp(word, "packets:", 8))
		return cli_read_count(target, spec, colon + 1);
	if (!colon && parse_seconds(word, duration->least, duration->most, &seconds)) {
		snprintf(text, sizeof text, "duration:%.60s", word);
		char changed[OPTION_LINE];
		const struct option_edit edit =
			option_line_value(word, text, changed, sizeof changed);

		return option_answer(option_line_write(line, &edit, 1), "-a %s.", spec->wants);
	}
	if (!colon || strncmp(word, "duration:", 9))
		return option_answer("", "-a %s (or packets:10), not \"%s\"", spec->wants, word);
	if (!parse_seconds(colon + 1, duration->least, duration->most, &seconds))
		return option_answer(
			"", "-a duration: wants seconds above 0, not \"%s\"", colon + 1);
	return option_apply(target, duration, colon + 1);
}

_Static_assert(
	BPE_FANOUT_HASH == 1 && BPE_FANOUT_LB == 2 && BPE_FANOUT_CPU == 3 && BPE_FANOUT_QM == 4,
	"the modes of --fanout");

int cli_read_fanout(void *target, const struct option_spec *spec, const char *word)
{
	const char *colon = strchr(word, ':');
	const size_t length = colon ? (size_t)(colon - word) : strlen(word);
	struct cli *c = target;
	char number[32];
	uint64_t group;
	uint32_t mode = 0;

	snprintf(number, sizeof number, "%.*s", (int)(length < 31 ? length : 31), word);
	if (!parse_whole(number, spec->least, spec->most, &group))
		return option_refuse_value(spec, word);
	if (colon && !parse_choice("hash|lb|cpu|qm", colon + 1, &mode))
		return option_answer("", "--fanout %s: the mode is hash, lb, cpu or qm, not \"%s\"",
			number, colon + 1);
	c->engine.fanout = BPE_FANOUT_HASH + mode;
	c->engine.fanout_group = (uint32_t)group;
	return 0;
}

int cli_read_direction(void *target, const struct option_spec *spec, const char *word)
{
	static const char *const words[][2] = { { "inbound", "in" }, { "rx", "in" },
		{ "input", "in" }, { "outbound", "out" }, { "tx", "out" }, { "output", "out" },
		{ "both", "inout" } };
	struct cli *c = target;

	if (parse_choice(spec->choices, word, &c->engine.direction))
		return 0;
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (!strcmp(words[k][0], word))
			return option_answer(
				"", "-Q is in, out or inout, not \"%s\": -Q %s", word, words[k][1]);
	if (strchr(word, '='))
		return option_answer("",
			"-Q is in, out or inout. Apple's metadata filter is part of the filter: proc curl");
	return option_refuse_value(spec, word);
}

int cli_read_clock(void *target, const struct option_spec *spec, const char *word)
{
	(void)target;
	(void)spec;
	if (!strcmp(word, "host"))
		return 0;
	return option_answer(
		"", "-j %s is not done here: packets have the host's time (-j host).", word);
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

/* Returns the link type of a name, also behind DLT_ and LINKTYPE_, or -1. */
static int find_named_link(const char *word)
{
	enum { LINK_TYPES = 512 }; /* more than the numbers which have a name */

	if (!strncasecmp(word, "DLT_", 4))
		word += 4;
	else if (!strncasecmp(word, "LINKTYPE_", 9))
		word += 9;
	for (int link = 0; link < LINK_TYPES; link++) {
		const char *name = bpe_link_type_name(link);

		if (name && !strcasecmp(name, word))
			return link;
	}
	return -1;
}

int cli_read_link_type(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	const int link = find_named_link(word);
	uint64_t number;

	if (link < 0 && parse_whole(word, 0, 511, &number) && bpe_link_type_name((int)number))
		return option_answer("", "-y wants a name; LINKTYPE %s is %s", word,
			bpe_link_type_name((int)number));
	if (link < 0)
		return option_refuse_value(spec, word);
	c->engine.link_type = link;
	return 0;
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

int cli_read_filter_file(void *target, const struct option_spec *spec, const char *path)
{
	struct cli *c = target;
	char why[512];
	char net[128];
	char line[OPTION_LINE];

	(void)spec;
	if (c->filter)
		return option_refuse("the filter is given twice");
	c->filter_on_input = !strcmp(path, "-");
	c->filter_path = c->filter_on_input ? NULL : path; /* the input cannot be read again */
	c->filter = cli_filter_file(path, why, sizeof why);
	if (c->filter)
		return 0;
	snprintf(net, sizeof net, "net %.100s", path);
	if (!strchr(path, '/') || !cli_is_filter(net))
		return option_refuse("%s", why);
	const struct option_edit edits[2] = { { option_line_index(path) - 1, 2, NULL },
		{ option_line_index(NULL), 0, NULL } };
	struct option_edit last = edits[1];

	while (option_line_word(last.at + 1))
		last.at++;
	last = (struct option_edit){ last.at + 1, 0, net };
	const struct option_edit both[2] = { edits[0], last };

	return option_answer(
		option_line_write(line, both, 2), "-F wants a filter's file. A network is:");
}

char *cli_filter_file(const char *path, char *why, size_t room)
{
	enum { MOST = 1 << 20 }; /* bytes of a filter */
	const bool is_input = !strcmp(path, "-");
	FILE *file = is_input ? stdin : fopen(path, "re");
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
	if (!is_input)
		fclose(file);
	if (is_whole)
		return text;
	snprintf(why, room, "%s is no filter: it is longer than a megabyte, or not text", path);
	free(text);
	return NULL;
}
