/* SPDX-License-Identifier: MIT */
/* What holds the program on macOS, in Seatbelt's language (sandbox(7); /System/Library/Sandbox/Profiles has Apple's own); pure.
 * Descriptors that are open stay as they are: files are judged when they are opened, ioctl each time. */
#include "rights.h"

#include <stdlib.h>
#include <string.h>

static const char head[] =
	"(version 1)\n"
	"(deny default)\n"
	"(allow file-ioctl)\n"			/* nothing can be opened that it could be meant for */
	"(allow sysctl-read)\n"			/* debug.bpf_stats, once a second */
	"(allow signal (target self))\n"
	"(allow process-info* (target self))\n";

static char *quoted(char *to, const char *path)
{
	for (*to++ = '"'; *path; *to++ = *path++)
		if (*path == '"' || *path == '\\') *to++ = '\\';
	*to++ = '"';
	return to;
}

char *cli_seatbelt_profile(const char *const *files, size_t count)
{
	static const char before[] = "(allow file-read* (literal ", after[] = "))\n";
	size_t room = sizeof head;
	for (size_t i = 0; i < count; i++) room += strlen(files[i]) * 2 + sizeof before + sizeof after + 2;
	char *profile = malloc(room), *to = profile;
	if (!profile) return NULL;
	to = (char *)memcpy(to, head, sizeof head - 1) + sizeof head - 1;
	for (size_t i = 0; i < count; i++) {
		to = (char *)memcpy(to, before, sizeof before - 1) + sizeof before - 1;
		to = quoted(to, files[i]);
		to = (char *)memcpy(to, after, sizeof after - 1) + sizeof after - 1;
	}
	*to = 0;
	return profile;
}
