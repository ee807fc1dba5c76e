/* SPDX-License-Identifier: MIT */
/* Shims of sandbox(7): the profile is parsed, and what it does not allow is denied, by the path
 * that macOS would see. */
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
} rules[128];
static int rule_count;

/* Links are resolved, and /etc lies under /private. */
void mac_path(const char *path, char *to)
{
	char full[PATH_MAX], room[PATH_MAX], *slash;
	int is_bpf;
	const char *p = here_path(path, room, sizeof room, &is_bpf);
	if (is_bpf) {
		snprintf(to, PATH_MAX, "%s", path);
		return;
	}
	if (!realpath(p, full)) { /* not there yet: its directory's */
		char copy[PATH_MAX], dir[PATH_MAX];
		snprintf(copy, sizeof copy, "%s", p);
		slash = strrchr(copy, '/');
		if (slash)
			*slash = 0;
		if (!realpath(!slash ? "." : slash == copy ? "/" : copy, dir))
			dir[0] = 0;
		snprintf(full, sizeof full, "%.2000s/%.2000s", strcmp(dir, "/") ? dir : "",
			slash ? slash + 1 : copy);
	}
	int private = !strncmp(full, "/etc/", 5) || !strncmp(full, "/tmp/", 5) ||
		      !strncmp(full, "/var/", 5) || !strcmp(full, "/tmp") ||
		      !strcmp(full, "/etc") || !strcmp(full, "/var");
	snprintf(to, PATH_MAX, "%s%.4000s", private ? "/private" : "", full);
}

static int matches(const char *rule, const char *operation)
{
	size_t n = strlen(rule);
	return n && rule[n - 1] == '*' ? !strncmp(rule, operation, n - 1)
				       : !strcmp(rule, operation);
}

/* Returns whether a rule allows the operation on that path, as macOS sees it; NULL: on any. */
static int has_rule(const char *operation, const char *seen)
{
	for (int i = 0; i < rule_count; i++)
		if (matches(rules[i].operation, operation) &&
			(!rules[i].literal[0] || (seen && !strcmp(rules[i].literal, seen))))
			return 1;
	return 0;
}

/* Returns whether each link on the way to a file may be followed: its own metadata may be read.  A
 * link is one that is here, or /etc, /tmp or /var, which are links on macOS. */
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
	note("SANDBOX denies %s %s (%s)", operation, path ? path : "", path ? seen : "");
	return 0;
}

static const char *const operations[] = { "file-ioctl", "sysctl-read", "signal", "process-info*",
	"file-read*", "file-write*", "file-read-metadata", "file-read-data", "file-write-data",
	"file-write-create", "network-outbound", "mach-lookup", "process-fork", "system-socket",
	"ipc-posix-shm", NULL };

/* A word or a string of the profile. */
static int token(const char **p, char *to, size_t room)
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

static int s_sandbox_init(const char *profile, uint64_t flags, char **error)
{
	static char word[PATH_MAX];
	const char *p = profile;
	const char *why = NULL;
	int t, version = 0, deny = 0;
	if (flags)
		why = "flags";
	note("sandbox_init:\n%s", profile);
	while (!why && (t = token(&p, word, sizeof word))) {
		if (t != '(' || token(&p, word, sizeof word) != 'w') {
			why = "a form should begin";
			break;
		}
		if (!strcmp(word, "version")) {
			version = token(&p, word, sizeof word) == 'w' && !strcmp(word, "1");
			if (!version || token(&p, word, sizeof word) != ')')
				why = "version";
			continue;
		}
		int allow = !strcmp(word, "allow");
		if (!allow && strcmp(word, "deny")) {
			why = "an unknown form";
			break;
		}
		char names[8][40];
		int n = 0;
		while ((t = token(&p, word, sizeof word)) == 'w') {
			int known = !strcmp(word, "default");
			for (int i = 0; operations[i]; i++)
				known |= !strcmp(word, operations[i]);
			if (!known || n == 8) {
				why = "an unknown operation";
				break;
			}
			snprintf(names[n++], 40, "%.39s", word);
		}
		if (why)
			break;
		int filters = 0;
		for (; t == '('; t = token(&p, word, sizeof word)) {
			int kind = token(&p, word, sizeof word);
			int literal = !strcmp(word, "literal");
			if (kind != 'w' || (!literal && strcmp(word, "target"))) {
				why = "an unknown filter";
				break;
			}
			kind = token(&p, word, sizeof word);
			if (literal ? kind != '"' || word[0] != '/'
				    : kind != 'w' || strcmp(word, "self")) {
				why = "a filter's argument";
				break;
			}
			for (int i = 0; allow && i < n && rule_count < 128; i++, rule_count++)
				strcpy(rules[rule_count].operation, names[i]),
					snprintf(rules[rule_count].literal, PATH_MAX, "%s",
						literal ? word : "");
			filters++;
			if (token(&p, word, sizeof word) != ')')
				why = "a filter's end";
		}
		if (why || t != ')') {
			why = why ? why : "a form's end";
			break;
		}
		for (int i = 0; !filters && i < n; i++) {
			if (!strcmp(names[i], "default"))
				deny = !allow;
			else if (allow && rule_count < 128)
				strcpy(rules[rule_count].operation, names[i]),
					rules[rule_count++].literal[0] = 0;
		}
	}
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
