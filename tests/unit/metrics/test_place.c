/* SPDX-License-Identifier: MIT */
/* Reads places of the page, opens sockets there, and refuses foreign hosts. */
#include "tools/metrics/place.h"
#include "tools/metrics/server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct export_address address;
static struct metrics_place place;
static char why[300];

/* Reads hosts and the path of a Unix socket. */
static int read_place(const char *hosts, const char *path)
{
	memset(&address, 0, sizeof address);
	snprintf(address.hosts, sizeof address.hosts, "%s", hosts);
	snprintf(address.path, sizeof address.path, "%s", path);
	why[0] = 0;
	return metrics_place_read(&place, &address, why, sizeof why);
}

Test(place, a_port_alone_is_of_this_host)
{
	static const char *const words[][2] = { { "9100", "http://127.0.0.1:9100/metrics" },
		{ ":9100", "http://127.0.0.1:9100/metrics" },
		{ "localhost:9100", "http://127.0.0.1:9100/metrics" },
		{ "localhost", "http://127.0.0.1:9477/metrics" },
		{ "127.9.9.9", "http://127.9.9.9:9477/metrics" },
		{ "[::1]:80", "http://[::1]:80/metrics" } };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		cr_assert_eq(read_place(words[k][0], ""), 0, "%s: %s", words[k][0], why);
		cr_assert_str_eq(place.shown, words[k][1]);
		cr_assert(place.is_loopback, "%s", words[k][0]);
		cr_assert_not(place.is_unix);
	}
}

Test(place, other_hosts_reach_an_address_that_was_given)
{
	static const char *const words[] = { "0.0.0.0:1", "10.0.0.1", "[::]:9477",
		"[2001:db8::1]" };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		cr_assert_eq(read_place(words[k], ""), 0, "%s: %s", words[k], why);
		cr_assert_not(place.is_loopback, "%s", words[k]);
	}
}

Test(place, refusals)
{
	static const char *const words[] = { "0", "65536", ":", "host.example:9477", "::1",
		"127.0.0.1:", "127.0.0.1:x", "[::1", "*:9477", "127.1:9477", "localhost:0" };

	for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
		cr_assert_eq(read_place(words[k], ""), -1, "%s", words[k]);
		cr_assert_neq(why[0], 0, "%s", words[k]);
	}
	char path[200];

	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = 0;
	cr_assert_eq(read_place("", path), -1);
	cr_assert_not_null(strstr(why, "shorter"));
	cr_assert_eq(read_place("", ""), -1);
}

Test(place, a_port_in_use_is_told)
{
	struct sockaddr_in a;
	socklen_t length = sizeof a;
	char word[32];

	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	const int taken = socket(AF_INET, SOCK_STREAM, 0);

	cr_assert_eq(bind(taken, (struct sockaddr *)&a, sizeof a), 0);
	cr_assert_eq(listen(taken, 1), 0);
	cr_assert_eq(getsockname(taken, (struct sockaddr *)&a, &length), 0);
	snprintf(word, sizeof word, "%u", (unsigned)ntohs(a.sin_port));
	cr_assert_eq(read_place(word, ""), 0);
	cr_assert_eq(metrics_place_listen(&place, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "another port"), "%s", why);
	close(taken);
	const int fd = metrics_place_listen(&place, why, sizeof why);

	cr_assert_geq(fd, 0, "%s", why);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
}

Test(place, unix_sockets)
{
	char folder[] = "/tmp/bpfengine-place-XXXXXX";
	char path[64];
	struct stat st;

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/m", folder);
	cr_assert_eq(read_place("", path), 0);
	cr_assert(place.is_unix);
	const int first = metrics_place_listen(&place, why, sizeof why);

	cr_assert_geq(first, 0, "%s", why);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert(S_ISSOCK(st.st_mode));
	cr_assert_eq(st.st_mode & 0777, 0660);
	struct metrics_place second = place;

	cr_assert_eq(metrics_place_listen(&second, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "another program"), "%s", why);
	close(first); /* as after a kill: the file stays */
	const int next = metrics_place_listen(&second, why, sizeof why);

	cr_assert_geq(next, 0, "%s", why);
	metrics_place_remove(&second);
	cr_assert_eq(stat(path, &st), -1);
	close(next);
	const int file = open(path, O_WRONLY | O_CREAT, 0600);

	close(file);
	place.has_file = true; /* a file took the place of the socket */
	metrics_place_remove(&place);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(metrics_place_listen(&second, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "no socket"), "%s", why);
	cr_assert_eq(unlink(path), 0, "the file is left alone");
	cr_assert_eq(rmdir(folder), 0);
	cr_assert_eq(metrics_place_listen(&second, why, sizeof why), -1);
	cr_assert_not_null(strstr(why, "folder"), "%s", why);
}

Test(place, hosts_of_requests)
{
	static const char *const here[] = { "localhost", "LOCALHOST:9477", "127.0.0.1",
		"127.0.0.1:9477", "[::1]:9477", "[::1]", "192.0.2.7:80" };
	static const char *const strange[] = {
		"", "evil.example", "evil.example:9477", "localhost.evil.example",
		"127.0.0.1.evil.example", "[evil]", "::1",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};

	for (size_t k = 0; k < sizeof here / sizeof *here; k++)
		cr_assert(metrics_host_is_here(here[k]), "%s", here[k]);
	for (size_t k = 0; k < sizeof strange / sizeof *strange; k++)
		cr_assert_not(metrics_host_is_here(strange[k]), "%s", strange[k]);
	cr_assert(metrics_host_is_here(NULL));
}
