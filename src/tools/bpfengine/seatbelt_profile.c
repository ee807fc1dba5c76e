/* SPDX-License-Identifier: MIT */
/* The profile which confines the program on macOS, in Seatbelt's language; pure.  sandbox(7) and
 * /System/Library/Sandbox/Profiles (Apple's own profiles) are the sources.
 *
 * Descriptors which are open stay usable: files are checked when they are opened, ioctl at each
 * call. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

static const char profile_head[] = "(version 1)\n"
				   "(deny default)\n"
				   "(allow file-ioctl)\n"  /* harmless: no device can be opened */
				   "(allow sysctl-read)\n" /* debug.bpf_stats, once a second */
				   "(allow signal (target self))\n"
				   "(allow process-info* (target self))\n";

/* Seatbelt follows a link in a path only if the link's metadata may be read, and /etc, /tmp and
 * /var are links.  With this rule the process can ask for names and sizes wherever its user may
 * look, but not read contents. */
static const char profile_links[] = "(allow file-read-metadata)\n";

static const char read_rule[] = "(allow file-read* (literal ";
static const char write_rule[] = "(allow file-write* (literal ";
static const char folder_rule[] = "(allow file-read* file-write* (subpath ";
static const char rule_end[] = "))\n";

static char *append_profile_text(char *to, const char *text)
{
	const size_t length = strlen(text);

	memcpy(to, text, length);
	return to + length;
}

/* Appends a string literal of Seatbelt's language. */
static char *append_quoted(char *to, const char *path)
{
	*to++ = '"';
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			*to++ = '\\';
		*to++ = *path;
	}
	*to++ = '"';
	return to;
}

static char *append_rule(char *to, const char *rule, const char *path)
{
	to = append_profile_text(to, rule);
	to = append_quoted(to, path);
	return append_profile_text(to, rule_end);
}

/* Returns the bytes which a rule takes at most. */
static size_t rule_room(const char *rule, const char *path)
{
	return strlen(rule) + 2 * strlen(path) + 2 + sizeof rule_end;
}

char *cli_seatbelt_profile(
	const char *const *files, size_t count, const char *const outputs[2], const char *folder)
{
	size_t room = sizeof profile_head + sizeof profile_links;
	char *profile, *to;

	for (int k = 0; k < 2; k++)
		if (outputs[k])
			room += rule_room(write_rule, outputs[k]);
	if (folder)
		room += rule_room(folder_rule, folder);
	for (size_t i = 0; i < count; i++)
		room += rule_room(read_rule, files[i]);
	profile = malloc(room);
	if (!profile)
		return NULL;
	to = append_profile_text(profile, profile_head);
	if (count || outputs[0] || folder)
		to = append_profile_text(to, profile_links);
	for (size_t i = 0; i < count; i++)
		to = append_rule(to, read_rule, files[i]);
	for (int k = 0; k < 2; k++)
		if (outputs[k])
			to = append_rule(to, write_rule, outputs[k]);
	if (folder)
		to = append_rule(to, folder_rule, folder);
	*to = 0;
	return profile;
}
