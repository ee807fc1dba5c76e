/* SPDX-License-Identifier: MIT */
/* Options about names of flows and conditions of flows; stateless.
 *
 * Names are looked for where a run shows them: with --flows, --top, --print, --events and --where.
 * --names looks for names in any run, and --no-names in none. */
#include "answers.h"
#include "exports.h"
#include "options.h"

#include <string.h>

static const struct {
	const char *word;
	uint32_t bits;
} names_words[] = { { "all", BPE_NAMES_ALL }, { "apps", BPE_NAMES_APPS }, { "tls", BPE_NAMES_TLS },
	{ "quic", BPE_NAMES_QUIC }, { "dns", BPE_NAMES_DNS }, { "http", BPE_NAMES_HTTP },
	{ "ssh", BPE_NAMES_SSH }, { "hosts", BPE_NAMES_HOSTS }, { "ja3", BPE_NAMES_JA3 } };

/* Returns the bits of a word of --names; 0: the word is unknown. */
static uint32_t names_word_bits(const char *word, size_t length)
{
	for (size_t k = 0; k < sizeof names_words / sizeof *names_words; k++)
		if (strlen(names_words[k].word) == length &&
			!memcmp(names_words[k].word, word, length))
			return names_words[k].bits;
	return 0;
}

int cli_read_names(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	uint32_t bits = 0;

	for (const char *at = word ? word : "all"; at;) {
		const size_t length = strcspn(at, ",");
		const uint32_t more = names_word_bits(at, length);

		if (!more)
			return option_refuse_value(spec, word);
		bits |= more;
		at = at[length] ? at + length + 1 : NULL;
	}
	c->engine.names = bits;
	return 0;
}

/* Returns whether the run has an output that shows names.  tcpdump's lines have none. */
static bool shows_names(const struct cli *c)
{
	return c->flows_path || c->events_path || cli_has_targets(c) || c->top || c->engine.where ||
	       (c->print.form && c->print.form != PRINT_TCPDUMP);
}

/* Returns an option about names that has no effect without names, or NULL. */
static const char *find_names_option(void)
{
	static const char *const options[][2] = { { "names-form", "--names-form" },
		{ "names-memory", "--names-memory" }, { "suffix-list", "--suffix-list" },
		{ "ja3", "--ja3" }, { "quic-budget", "--quic-budget" } };

	for (size_t k = 0; k < sizeof options / sizeof *options; k++)
		if (option_is_given(option_current(), options[k][0]))
			return options[k][1];
	return NULL;
}

/* Compiles the condition of --where.  Returns 0 or EXIT_USAGE after the message. */
static int compile_where(struct cli *c)
{
	struct bpe_error error;

	if (!c->engine.where)
		return 0;
	if (!c->engine.flows)
		return option_refuse("--where is a condition of flows, and --no-flows keeps none");
	if (!c->flows_path && !c->events_path && !cli_has_targets(c) && !c->top && !c->print.form)
		return option_refuse(
			"--where chooses what --flows, --events, --export, --top and --print show: give one of them, as --flows -");
	if (bpe_where_compile(c->engine.where, &c->where, &error) < 0)
		return option_refuse("--where: %s", error.text);
	return 0;
}

/* Completes the options of --events, and checks them.  Returns 0 or EXIT_USAGE after the message.
 */
static int complete_events(struct cli *c)
{
	const bool has_stdout = c->events_path && !strcmp(c->events_path, "-");
	const char *other = NULL;

	if (c->events_format == BPE_FORMAT_CSV) /* the fourth word is ecs: events have no CSV */
		c->events_format = BPE_FORMAT_ECS;
	if (!c->events_path && option_is_given(option_current(), "events-format"))
		return option_refuse("--events-format is for --events FILE");
	if (c->events_path && !c->engine.flows)
		return option_refuse("--events are of flows, and --no-flows keeps none");
	if (c->events_path && c->no_names)
		return option_refuse("--events and --no-names contradict each other");
	if (c->top)
		other = "--top";
	else if (c->json)
		other = "--json";
	else if (c->flows_path && !strcmp(c->flows_path, "-"))
		other = "--flows -";
	if (has_stdout && other)
		return option_refuse("%s and --events - both want stdout", other);
	return 0;
}

int cli_complete_names(struct cli *c)
{
	struct bpe_options *const o = &c->engine;
	const char *option = find_names_option();
	const bool is_given = option_is_given(option_current(), "names");
	int code = compile_where(c);

	if (!code)
		code = complete_events(c);

	if (code)
		return code;
	if (c->no_names && is_given)
		return option_refuse("--names and --no-names contradict each other");
	if (is_given && !o->flows)
		return option_refuse("--names are names of flows, and --no-flows keeps none");
	if (!is_given && !c->no_names && o->flows && shows_names(c))
		o->names = BPE_NAMES_ALL;
	if (!o->names && option)
		return option_refuse(
			"%s is about names, and no names are looked for: give --names, too",
			option);
	if (o->public_suffixes && o->names_form != BPE_NAMES_DOMAIN)
		return option_refuse("--suffix-list is for --names-form domain");
	if (c->ja3)
		o->names |= BPE_NAMES_JA3;
	return 0;
}
