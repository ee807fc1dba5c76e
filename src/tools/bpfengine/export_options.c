/* SPDX-License-Identifier: MIT */
/* Options about targets (exports.h); stateless. */
#include "exports.h"
#include "options.h"

#include <stdlib.h>
#include <string.h>

/* Returns room for one more target, or NULL after the message. */
static struct export_address *take_target(struct cli *c, const char *option)
{
	struct cli_targets *t = c->targets;

	if (!t)
		t = c->targets = calloc(1, sizeof *t);
	if (!t) {
		option_refuse("no memory");
		return NULL;
	}
	if (t->count == EXPORT_TARGETS_MOST) {
		option_refuse("%s: a run has at most %d targets: leave one out, or start a second"
			      " program",
			option, EXPORT_TARGETS_MOST);
		return NULL;
	}
	t->target[t->count].option = option;
	return &t->target[t->count].address;
}

int cli_targets_add(struct cli *c, const char *option, const char *scheme, const char *path)
{
	struct export_address *a = take_target(c, option);

	if (!a)
		return EXIT_USAGE;
	memset(a, 0, sizeof *a);
	if (strlen(path) >= sizeof a->path)
		return option_refuse("%s: the path has more than %zu bytes: choose a shorter one",
			option, sizeof a->path - 1);
	snprintf(a->scheme, sizeof a->scheme, "%s", scheme);
	snprintf(a->path, sizeof a->path, "%s", path);
	program_visible(a->shown, sizeof a->shown, path);
	c->targets->count++;
	return 0;
}

int cli_read_export(void *target, const struct option_spec *spec, const char *word)
{
	struct cli *c = target;
	struct export_address *a = take_target(c, "--export");
	char why[400];

	(void)spec;
	if (!a)
		return EXIT_USAGE;
	if (export_address_read(a, word, why, sizeof why))
		return option_refuse("--export %s: %s", a->shown, why);
	c->targets->count++;
	return 0;
}

/* Adds a target with parameters.  kind: of the target, with the sign behind it; word: as the user
 * gave the target.  Returns 0 or EXIT_USAGE after the message. */
static int add_metrics_target(struct cli *c, const char *option, const char *kind, const char *word)
{
	struct export_address *const a = take_target(c, option);
	char text[2048], why[400];

	if (!a)
		return EXIT_USAGE;
	if (snprintf(text, sizeof text, "%s%s", kind, word) >= (int)sizeof text)
		return option_refuse("%s: the target is too long: choose a shorter one", option);
	if (export_address_read(a, text, why, sizeof why))
		return option_refuse("%s %s: %s", option, a->shown, why);
	program_visible(a->shown, sizeof a->shown, word);
	c->targets->count++;
	return 0;
}

int cli_read_metrics(void *target, const struct option_spec *spec, const char *word)
{
	if (!strncmp(word, "unix:", 5) && word[5])
		return add_metrics_target(target, "--metrics", "metrics:", word + 5);
	if (!*word || strcspn(word, "/@ ") < strcspn(word, "?"))
		return option_refuse_value(spec, word);
	return add_metrics_target(target, "--metrics", "metrics://", word);
}

int cli_read_metrics_file(void *target, const struct option_spec *spec, const char *word)
{
	if (!*word || !strcmp(word, "-"))
		return option_refuse_value(spec, word);
	return add_metrics_target(target, "--metrics-file", "metrics-file:", word);
}

bool cli_has_targets(const struct cli *c)
{
	return c->targets && c->targets->count;
}
