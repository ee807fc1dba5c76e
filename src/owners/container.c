/* SPDX-License-Identifier: MIT */
/* Names of containers in paths of cgroups (container.h).
 *
 * Each program that makes containers names the cgroup by its own rule: by a word before the id
 * ("docker-ID.scope"), or by the folder above ("/docker/ID").  A line of the text is
 * "hierarchy:controllers:path"; the first path with a container counts.  The last match of a
 * path counts, since containers may be in containers. */
#include "owners/container.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { ID_LEAST = 32, ID_SHOWN = 12 };

/* The text before an id or a name. */
struct container_mark {
	const char *mark, *kind;
	bool is_id; /* an id of hexadecimal digits follows, else a name */
};
static const struct container_mark marks[] = {
	{ "/docker/", "docker", true },
	{ "/docker-", "docker", true },
	{ "/libpod-", "podman", true },
	{ "/cri-containerd-", "containerd", true },
	{ "/nerdctl-", "containerd", true },
	{ "/containerd-", "containerd", true },
	{ ":cri-containerd:", "containerd", true },
	{ "/crio-", "crio", true },
	{ "/lxc.payload.", "lxc", false },
	{ "/lxc.payload/", "lxc", false },
	{ "/lxc/", "lxc", false },
	{ "/machine.slice/systemd-nspawn@", "machine", false },
	{ "/machine.slice/machine-", "machine", false },
};

static bool is_hexadecimal(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* Returns how many digits of an id begin the text. */
static size_t measure_id(const char *text, size_t n)
{
	size_t k = 0;

	while (k < n && is_hexadecimal(text[k]))
		k++;
	return k;
}

/* Returns the place of a systemd escape's byte "\x2d" as '-', and moves on. */
static char next_name_byte(const char *text, size_t n, size_t *at)
{
	if (n - *at >= 4 && !memcmp(text + *at, "\\x2d", 4)) {
		*at += 4;
		return '-';
	}
	return text[(*at)++];
}

/* Writes a name up to the end of the path's element, without systemd's ending. */
static bool write_container_name(
	const char *kind, const char *text, size_t n, char *to, size_t room)
{
	const char *slash = memchr(text, '/', n);
	char name[64];
	size_t used = 0;

	if (slash)
		n = (size_t)(slash - text);
	if (n > 6 && !memcmp(text + n - 6, ".scope", 6))
		n -= 6;
	else if (n > 8 && !memcmp(text + n - 8, ".service", 8))
		n -= 8;
	for (size_t at = 0; at < n && used + 1 < sizeof name;) {
		const char c = next_name_byte(text, n, &at);

		name[used++] = c > ' ' && c < 127 ? c : '?';
	}
	name[used] = 0;
	if (!used)
		return false;
	snprintf(to, room, "%s:%s", kind, name);
	return true;
}

/* Writes the container behind a mark.  Returns false if the text does not go on as the mark
 * demands. */
static bool write_marked(
	const struct container_mark *m, const char *text, size_t n, char *to, size_t room)
{
	if (!m->is_id)
		return write_container_name(m->kind, text, n, to, room);
	if (measure_id(text, n) < ID_LEAST)
		return false;
	snprintf(to, room, "%s:%.*s", m->kind, ID_SHOWN, text);
	return true;
}

/* Writes a pod of Kubernetes without a word for the runtime: "/kubepods/.../podUID/ID".  Returns
 * false if the path has none. */
static bool write_pod(const char *path, size_t n, char *to, size_t room)
{
	size_t last = n;

	if (n < 9 || !memchr(path, '/', n))
		return false;
	while (last && path[last - 1] != '/')
		last--;
	if (measure_id(path + last, n - last) < ID_LEAST)
		return false;
	for (size_t k = 0; k + 9 <= last; k++) {
		if (memcmp(path + k, "/kubepods", 9) != 0)
			continue;
		snprintf(to, room, "k8s:%.*s", ID_SHOWN, path + last);
		return true;
	}
	return false;
}

/* Writes the container of a path.  Returns false if the path has none. */
static bool write_container(const char *path, size_t n, char *to, size_t room)
{
	bool found = false;

	for (size_t at = 0; at < n; at++) {
		for (size_t k = 0; k < sizeof marks / sizeof *marks; k++) {
			const size_t bytes = strlen(marks[k].mark);

			if (n - at < bytes || memcmp(path + at, marks[k].mark, bytes) != 0)
				continue;
			found |= write_marked(
				&marks[k], path + at + bytes, n - at - bytes, to, room);
		}
	}
	return found || write_pod(path, n, to, room);
}

void bpei_container_name(const char *text, size_t n, char *to, size_t room)
{
	size_t at = 0;

	to[0] = 0;
	while (at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		const size_t next = end ? (size_t)(end - text) : n;
		const char *colon = memchr(text + at, ':', next - at);
		const char *path = NULL;

		if (colon)
			path = memchr(colon + 1, ':', (size_t)(text + next - colon - 1));
		if (path && write_container(path + 1, (size_t)(text + next - path - 1), to, room))
			return;
		at = next + 1;
	}
}
