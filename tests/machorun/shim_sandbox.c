/* SPDX-License-Identifier: MIT */
/* Shims of sandbox(7).  The parser reads the rules of the profile; an operation without a rule is
 * denied.  Rules compare paths as macOS would see them. */
#define _GNU_SOURCE
#include "macho.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int sandboxed;
static struct rule {
	char operation[40], literal[PATH_MAX];
	int below; /* a folder, and all that lies in it */
} rules[128];
static int rule_count;

/* Resolves links, and puts /etc, /tmp and /var under /private. */
void mac_path(const char *path, char *to)
{
	char full[PATH_MAX], room[PATH_MAX], *slash;
	int is_bpf;
	const char *p = here_path(path, room, sizeof room, &is_bpf);
	if (is_bpf) {
		snprintf(to, PATH_MAX, "%s", path);
		return;
	}
	if (!realpath(p, full)) { /* absent yet: resolve the directory */
		char copy[PATH_MAX], dir[PATH_MAX];
		snprintf(copy, sizeof copy, "%s", p);
		slash = strrchr(copy, '/');
		if (slash)
			*slash = 0;
		const char *parent = slash == copy ? "/" : copy;
		if (!realpath(slash ? parent : ".", dir))
			dir[0] = 0;
		const char *before = strcmp(dir, "/") ? dir : "";
		snprintf(full, sizeof full, "%.2000s/%.2000s", before, slash ? slash + 1 : copy);
	}
	int is_private = !strncmp(full, "/etc/", 5) || !strncmp(full, "/tmp/", 5) ||
			 !strncmp(full, "/var/", 5) || !strcmp(full, "/tmp") ||
			 !strcmp(full, "/etc") || !strcmp(full, "/var");
	snprintf(to, PATH_MAX, "%s%.4000s", is_private ? "/private" : "", full);
}

static int matches_operation(const char *rule, const char *operation)
{
	size_t n = strlen(rule);
	return n && rule[n - 1] == '*' ? !strncmp(rule, operation, n - 1)
				       : !strcmp(rule, operation);
}

static int is_path_of(const struct rule *r, const char *seen)
{
	const size_t n = strlen(r->literal);
	if (r->below && !strncmp(r->literal, seen, n) && seen[n] == '/')
		return 1;
	return !strcmp(r->literal, seen);
}

/* Returns whether a rule allows the operation on the path `seen` of macOS; NULL: on any path. */
static int has_rule(const char *operation, const char *seen)
{
	for (int i = 0; i < rule_count; i++)
		if (matches_operation(rules[i].operation, operation) &&
			(!rules[i].literal[0] || (seen && is_path_of(&rules[i], seen))))
			return 1;
	return 0;
}

/* Returns whether the metadata of each link on the way to a file may be read.  Links are the links
 * of this system, and /etc, /tmp and /var, which are links on macOS. */
static int may_follow_links(const char *path)
{
	static const char *const links[] = { "/etc", "/tmp", "/var" };
	char part[PATH_MAX], to[2];
	for (size_t k = 0; k < sizeof links / sizeof *links; k++)
		if (!strncmp(path, links[k], 4) && path[4] == '/' &&
			!has_rule("file-read-metadata", links[k]))
			return 0;
	snprintf(part, sizeof part, "%s", path);
	for (char *slash = strrchr(part, '/'); slash && slash != part; slash = strrchr(part, '/')) {
		if (readlink(part, to, sizeof to) >= 0 && !has_rule("file-read-metadata", part))
			return 0;
		*slash = 0;
	}
	return 1;
}

int sandbox_allows(const char *operation, const char *path)
{
	static char seen[PATH_MAX];
	if (!sandboxed)
		return 1;
	if (path)
		mac_path(path, seen);
	if (has_rule(operation, path ? seen : NULL) && (!path || may_follow_links(path)))
		return 1;
	if (path)
		note("SANDBOX denies %s %s (%s)", operation, path, seen);
	else
		note("SANDBOX denies %s  ()", operation);
	return 0;
}

static const char *const operations[] = { "file-ioctl", "sysctl-read", "signal", "process-info*",
	"file-read*", "file-write*", "file-read-metadata", "file-read-data", "file-write-data",
	"file-write-create", "network-outbound", "mach-lookup", "process-fork", "system-socket",
	"ipc-posix-shm", NULL };

/* Reads the next token of the profile: 'w' a word, '"' a string, a bracket; 0 at the end, -1 for an
 * open string. */
static int read_profile_token(const char **p, char *to, size_t room)
{
	while (**p == ' ' || **p == '\n' || **p == '\t')
		(*p)++;
	size_t n = 0;
	char c = **p;
	if (!c)
		return 0;
	if (c == '(' || c == ')') {
		(*p)++;
		return c;
	}
	if (c == '"') {
		for ((*p)++; **p && **p != '"'; (*p)++) {
			if (**p == '\\')
				(*p)++;
			if (n < room - 1)
				to[n++] = **p;
		}
		to[n] = 0;
		if (**p != '"')
			return -1;
		(*p)++;
		return '"';
	}
	while (**p && !strchr(" \n\t()\"", **p))
		if (n < room - 1)
			to[n++] = *(*p)++;
	to[n] = 0;
	return 'w';
}

/* A form of the profile, (allow OPERATION... FILTER...), while the parser reads the form. */
struct form {
	int allow;
	char names[8][40];
	int n;
};

static char word[PATH_MAX]; /* the last token */
static int version, deny;

/* Reads the operations of a form up to the token returned in *t.  Returns NULL or an error. */
static const char *read_operations(const char **p, struct form *form, int *t)
{
	while ((*t = read_profile_token(p, word, sizeof word)) == 'w') {
		int known = !strcmp(word, "default");
		for (int i = 0; operations[i]; i++)
			known |= !strcmp(word, operations[i]);
		if (!known || form->n == 8)
			return "an unknown operation";
		snprintf(form->names[form->n++], 40, "%.39s", word);
	}
	return NULL;
}

/* Reads a filter behind the bracket; of an allow form adds a rule for each operation.  Returns NULL
 * or an error. */
static const char *read_filter(const char **p, const struct form *form)
{
	int kind = read_profile_token(p, word, sizeof word);
	int below = !strcmp(word, "subpath");
	int literal = below || !strcmp(word, "literal");
	if (kind != 'w' || (!literal && strcmp(word, "target")))
		return "an unknown filter";
	kind = read_profile_token(p, word, sizeof word);
	int good = kind == 'w' && !strcmp(word, "self");
	if (literal)
		good = kind == '"' && word[0] == '/';
	if (!good)
		return "a filter's argument";
	for (int i = 0; form->allow && i < form->n && rule_count < 128; i++, rule_count++) {
		strcpy(rules[rule_count].operation, form->names[i]);
		snprintf(rules[rule_count].literal, PATH_MAX, "%s", literal ? word : "");
		rules[rule_count].below = below;
	}
	return read_profile_token(p, word, sizeof word) == ')' ? NULL : "a filter's end";
}

/* Adds the rules of a form without filters. */
static void add_plain_rules(const struct form *form)
{
	for (int i = 0; i < form->n; i++) {
		if (!strcmp(form->names[i], "default"))
			deny = !form->allow;
		else if (form->allow && rule_count < 128) {
			strcpy(rules[rule_count].operation, form->names[i]);
			rules[rule_count].below = 0;
			rules[rule_count++].literal[0] = 0;
		}
	}
}

/* Reads a form behind the opening bracket.  Returns NULL or an error. */
static const char *read_form(const char **p)
{
	int t, filters = 0;
	struct form form = { 0 };
	const char *why;
	if (read_profile_token(p, word, sizeof word) != 'w')
		return "a form should begin";
	if (!strcmp(word, "version")) {
		version = read_profile_token(p, word, sizeof word) == 'w' && !strcmp(word, "1");
		return version && read_profile_token(p, word, sizeof word) == ')' ? NULL
										  : "version";
	}
	form.allow = !strcmp(word, "allow");
	if (!form.allow && strcmp(word, "deny"))
		return "an unknown form";
	why = read_operations(p, &form, &t);
	if (why)
		return why;
	for (; t == '('; t = read_profile_token(p, word, sizeof word), filters++) {
		why = read_filter(p, &form);
		if (why)
			return why;
	}
	if (t != ')')
		return "a form's end";
	if (!filters)
		add_plain_rules(&form);
	return NULL;
}

static int s_sandbox_init(const char *profile, uint64_t flags, char **error)
{
	const char *p = profile;
	const char *why = flags ? "flags" : NULL;
	int t;
	version = 0;
	deny = 0;
	note("sandbox_init:\n%s", profile);
	while (!why && (t = read_profile_token(&p, word, sizeof word)))
		why = t == '(' ? read_form(&p) : "a form should begin";
	if (!why && !version)
		why = "no version";
	if (why) {
		char text[128];
		snprintf(text, sizeof text, "machorun's sandbox: %s near '%.40s'", why, word);
		*error = strdup(text);
		note("%s", text);
		return fail_as(22);
	}
	sandboxed = deny;
	*error = NULL;
	return 0;
}

static void s_sandbox_free_error(char *e)
{
	free(e);
}

const struct shim shims_sandbox[] = {
	{ "_sandbox_free_error", s_sandbox_free_error },
	{ "_sandbox_init", s_sandbox_init },
	{ NULL, NULL },
};
