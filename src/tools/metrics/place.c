/* SPDX-License-Identifier: MIT */
/* Where the page of metrics listens (place.h); the caller owns the descriptor. */
#include "place.h"

#include "tools/common/program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAITING_CONNECTIONS = 64 };

/* Where the reason of a failure goes. */
struct place_why {
	char *text;
	size_t room;
};

/* ---- Words ---- */

static void set_ip4(struct metrics_place *p, struct in_addr host, uint16_t port)
{
	struct sockaddr_in a;

	memset(&a, 0, sizeof a);
	a.sin_family = AF_INET;
	a.sin_port = htons(port);
	a.sin_addr = host;
	memcpy(&p->address, &a, sizeof a);
	p->length = sizeof a;
	p->is_loopback = ntohl(host.s_addr) >> 24 == 127;
}

static void set_ip6(struct metrics_place *p, const struct in6_addr *host, uint16_t port)
{
	struct sockaddr_in6 a;

	memset(&a, 0, sizeof a);
	a.sin6_family = AF_INET6;
	a.sin6_port = htons(port);
	a.sin6_addr = *host;
	memcpy(&p->address, &a, sizeof a);
	p->length = sizeof a;
	p->is_loopback = IN6_IS_ADDR_LOOPBACK(host);
}

/* Takes the path of a Unix socket.  Returns 0, or -1 with the reason. */
static int read_unix_path(struct metrics_place *p, const char *path, const struct place_why *why)
{
	struct sockaddr_un a;

	memset(&a, 0, sizeof a);
	if (!*path || strlen(path) >= sizeof a.sun_path) {
		snprintf(why->text, why->room,
			"the path of a Unix socket has 1 to %zu bytes on this system: choose a shorter one",
			sizeof a.sun_path - 1);
		return -1;
	}
	a.sun_family = AF_UNIX;
	memcpy(a.sun_path, path, strlen(path));
	memcpy(&p->address, &a, sizeof a);
	p->length = sizeof a;
	p->is_unix = true;
	p->is_loopback = true;
	program_visible(p->shown, sizeof p->shown, path);
	return 0;
}

/* Completes the words of a host: a port alone is of this host. */
static void complete_host(char *to, size_t room, const char *hosts)
{
	if (*hosts == ':')
		snprintf(to, room, "127.0.0.1%s", hosts);
	else if (!hosts[strspn(hosts, "0123456789")])
		snprintf(to, room, "127.0.0.1:%s", hosts);
	else if (!strncmp(hosts, "localhost", 9) && (!hosts[9] || hosts[9] == ':'))
		snprintf(to, room, "127.0.0.1%s", hosts + 9);
	else
		snprintf(to, room, "%s", hosts);
}

int metrics_place_read(
	struct metrics_place *p, const struct export_address *address, char *why, size_t room)
{
	char word[sizeof address->hosts + 16];
	char host[256];
	uint16_t port;
	struct in_addr ip4;
	struct in6_addr ip6;

	memset(p, 0, sizeof *p);
	if (!*address->hosts)
		return read_unix_path(p, address->path, &(struct place_why){ why, room });
	complete_host(word, sizeof word, address->hosts);
	if (export_host_split(word, METRICS_PORT, host, &port, why, room))
		return -1;
	if (inet_pton(AF_INET, host, &ip4) == 1) {
		set_ip4(p, ip4, port);
		snprintf(p->shown, sizeof p->shown, "http://%.64s:%u/metrics", host, port);
		return 0;
	}
	if (inet_pton(AF_INET6, host, &ip6) == 1) {
		set_ip6(p, &ip6, port);
		snprintf(p->shown, sizeof p->shown, "http://[%.64s]:%u/metrics", host, port);
		return 0;
	}
	snprintf(why, room,
		"\"%.64s\" is no address of this host: write 127.0.0.1:%u, [::1]:%u, 0.0.0.0:%u for all interfaces, or unix:PATH",
		host, port, port, port);
	return -1;
}

/* ---- Sockets ---- */

/* Returns whether a process listens at the Unix socket. */
static bool is_answered(const struct metrics_place *p)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool is_there = false;

	if (fd < 0)
		return false;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	/* EAGAIN: the queue of a process that listens is full */
	is_there = !connect(fd, &p->address.any, p->length) || errno == EAGAIN;
	close(fd);
	return is_there;
}

/* Makes room for the socket's file.  Returns 0, or -1 with the reason. */
static int clear_stale_file(const struct metrics_place *p, const struct place_why *why)
{
	const char *const path = ((const struct sockaddr_un *)&p->address)->sun_path;
	struct stat st;

	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(why->text, why->room,
			"a file is there that is no socket: remove the file, or choose another path");
		return -1;
	}
	if (is_answered(p)) {
		snprintf(why->text, why->room,
			"another program listens there: end that program, or choose another path");
		return -1;
	}
	if (!unlink(path))
		return 0;
	snprintf(why->text, why->room,
		"an old socket is there, and cannot be removed: %s (remove the file)",
		strerror(errno));
	return -1;
}

/* Writes why the address cannot be had.  Returns -1. */
static int explain_bind(const struct metrics_place *p, int failed, const struct place_why *why)
{
	const char *advice = "";

	if (failed == EADDRINUSE)
		advice = ": another program listens there, so choose another port";
	else if (failed == EADDRNOTAVAIL)
		advice = ": no interface of this host has the address, so choose another";
	else if (failed == EACCES && !p->is_unix)
		advice = ": ports below 1024 want more rights, so choose a higher port";
	else if (failed == ENOENT)
		advice = ": make the folder first";
	snprintf(why->text, why->room, "%s%s", strerror(failed), advice);
	return -1;
}

/* Binds the socket.  Returns 0 or an errno. */
static int bind_place(struct metrics_place *p, int fd)
{
	enum { NO_EXECUTE_NO_OTHERS = 0117 };
	const mode_t before = umask(NO_EXECUTE_NO_OTHERS);
	const int failed = bind(fd, &p->address.any, p->length) ? errno : 0;
	struct stat st;

	umask(before);
	if (failed || !p->is_unix)
		return failed;
	if (lstat(((const struct sockaddr_un *)&p->address)->sun_path, &st))
		return errno;
	p->has_file = true;
	p->device = (uint64_t)st.st_dev;
	p->number = (uint64_t)st.st_ino;
	return 0;
}

int metrics_place_listen(struct metrics_place *p, char *why_text, size_t room)
{
	const struct place_why why = { why_text, room };
	const int on = 1;
	const int family = p->address.any.sa_family;
	int failed = 0;

	if (p->is_unix && clear_stale_file(p, &why))
		return -1;
	const int fd = socket(family, SOCK_STREAM, 0);

	if (fd < 0)
		return explain_bind(p, errno, &why);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!p->is_unix)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	failed = bind_place(p, fd);
	if (!failed && listen(fd, WAITING_CONNECTIONS))
		failed = errno;
	if (!failed)
		return fd;
	metrics_place_remove(p);
	close(fd);
	return explain_bind(p, failed, &why);
}

void metrics_place_remove(struct metrics_place *p)
{
	const char *const path = ((const struct sockaddr_un *)&p->address)->sun_path;
	struct stat st;

	if (p->has_file && !lstat(path, &st) && S_ISSOCK(st.st_mode) &&
		(uint64_t)st.st_dev == p->device && (uint64_t)st.st_ino == p->number)
		unlink(path);
	p->has_file = false;
}
