/* SPDX-License-Identifier: MIT */
/* What holds the program on macOS, in Seatbelt's language (sandbox(7);
 * /System/Library/Sandbox/Profiles has Apple's own); pure. Descriptors that are open stay as they
 * are: files are judged when they are opened, ioctl each time. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
	"(version 1)\n"
	"(deny default)\n"
	"(allow file-ioctl)\n"  /* nothing can be opened that it could be meant for */
	"(allow sysctl-read)\n" /* debug.bpf_stats, once a second */
	"(allow signal (target self))\n"
	"(allow process-info* (target self))\n";

/* A link on the way to a file is followed only where its metadata may be read, and /etc, /tmp and
 * /var are links.  Names and sizes can be asked for then, wherever the new user may look; contents
 * cannot. */
static const char links[] = "(allow file-read-metadata)\n";

static char *quoted(char *to, const char *path)
{
	for (*to++ = '"'; *path; *to++ = *path++)
		if (*path == '"' || *path == '\\')
			*to++ = '\\';
	*to++ = '"';
	return to;
}

static char *rule(char *to, const char *before, const char *path)
{
	to = (char *)memcpy(to, before, strlen(before)) + strlen(before);
	to = quoted(to, path);
	return (char *)memcpy(to, "))\n", 3) + 3;
}

char *cli_seatbelt_profile(const char *const *files, size_t count, const char *output)
{
	static const char before[] = "(allow file-read* (literal ",
			  before_output[] = "(allow file-write* (literal ";
	size_t room = sizeof head + sizeof links +
		      (output ? strlen(output) * 2 + sizeof before_output + 6 : 0);
	for (size_t i = 0; i < count; i++)
		room += strlen(files[i]) * 2 + sizeof before + 6;
	char *profile = malloc(room), *to = profile;
	if (!profile)
		return NULL;
	to = (char *)memcpy(to, head, sizeof head - 1) + sizeof head - 1;
	if (count || output)
		to = (char *)memcpy(to, links, sizeof links - 1) + sizeof links - 1;
	for (size_t i = 0; i < count; i++)
		to = rule(to, before, files[i]);
	if (output)
		to = rule(to, before_output, output);
	*to = 0;
	return profile;
}
