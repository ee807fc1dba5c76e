/* SPDX-License-Identifier: MIT */
/* Actions of a running capture, which a confinement must allow (confine.c). */
#include "confine_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifndef SYS_clone3
#define SYS_clone3 435
#endif

static volatile sig_atomic_t is_signalled;
static void note_signal(int signal)
{
	(void)signal;
	is_signalled = 1;
}

static void *run_thread(void *p)
{
	pthread_setname_np(pthread_self(), "inside");
	sched_yield();
	*(int *)p = 1;
	return malloc(100000);
}

static int use_thread(void)
{
	int ran = 0;
	void *got = NULL;
	pthread_t t;
	int e = pthread_create(&t, NULL, run_thread, &ran);
	if (!e)
		e = pthread_join(t, &got);
	free(got);
	if (e)
		return e;
	return ran ? 0 : -1;
}

static int use_read_own(void)
{
	char b[8];
	int fd = open(own_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, b, sizeof b);
	if (fd < 0)
		return errno;
	close(fd);
	return n == 4 ? 0 : -1;
}

static int use_stdio(void)
{
	FILE *f = fopen(own_file, "re");
	char b[8];
	if (!f)
		return errno;
	bool is_own = fgets(b, sizeof b, f) && !strcmp(b, "own\n");
	fclose(f);
	return is_own ? 0 : -1;
}

static int use_memory(void)
{
	char *p = malloc(64u << 20);
	if (!p)
		return errno;
	memset(p, 1, 64u << 20);
	char *q = realloc(p, 96u << 20);
	free(q ? q : p);
	return q ? 0 : errno;
}

static int use_event(void)
{
	uint64_t one = 1;
	uint64_t got = 0;
	struct pollfd p = { .fd = event_fd, .events = POLLIN };
	if (write(event_fd, &one, 8) != 8 || poll(&p, 1, 1000) != 1 || read(event_fd, &got, 8) != 8)
		return errno;
	return got == 1 ? 0 : -1;
}

static int use_time(void)
{
	struct timespec t, ms = { 0, 1000000 };
	return clock_gettime(CLOCK_MONOTONIC, &t) || nanosleep(&ms, NULL) ||
			       clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL)
		       ? errno
		       : 0;
}

static int use_signal(void)
{
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = note_signal;
	is_signalled = 0;
	if (sigaction(SIGUSR1, &a, NULL) || raise(SIGUSR1))
		return errno;
	return is_signalled ? 0 : -1;
}

static int use_filter(void)
{
	struct sock_filter all = { 0x06, 0, 0, 0xffff };
	struct sock_fprog p = { 1, &all };
	int off = 0, e = 0;
	socklen_t size = sizeof e;
	return setsockopt(udp_socket, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) ||
			       setsockopt(udp_socket, SOL_SOCKET, SO_DETACH_FILTER, &off,
				       sizeof off) ||
			       getsockopt(udp_socket, SOL_SOCKET, SO_ERROR, &e, &size)
		       ? errno
		       : 0;
}

static int use_interface(void)
{
	struct ifreq r;
	memset(&r, 0, sizeof r);
	r.ifr_ifindex = 1;
	return ioctl(udp_socket, SIOCGIFNAME, &r) || ioctl(udp_socket, SIOCGIFFLAGS, &r) ? errno
											 : 0;
}

static int use_flags(void)
{
	int flags = fcntl(udp_socket, F_GETFL);
	return flags < 0 || fcntl(udp_socket, F_SETFL, flags | O_NONBLOCK) ? errno : 0;
}

static int use_names(void)
{
	if (access("/etc/services", R_OK) && errno == ENOENT)
		return 0;
	const struct servent *s = getservbyname("domain", "udp");
	return s && s->s_port == htons(53) ? 0 : -1;
}

static int use_hosts(void)
{
	struct addrinfo *list, hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
	char text[4096] = "";
	FILE *f = fopen("/etc/hosts", "re");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f)
		fclose(f);
	if (!n || !strstr(text, "127.0.0.1") || !strstr(text, "localhost"))
		return 0;
	int e = getaddrinfo("localhost", NULL, &hints, &list);
	if (!e)
		freeaddrinfo(list);
	return e ? -1 : 0;
}

static int use_outputs(void)
{
	char c;
	if (write(output_fd, "x", 1) != 1 || writev(output_fd, &one_byte_vector, 1) != 1)
		return errno;
	return write(pipe_fds[1], "x", 1) != 1 || read(pipe_fds[0], &c, 1) != 1 ||
			       write(STDOUT_FILENO, "", 0) || write(STDERR_FILENO, "", 0)
		       ? errno
		       : 0;
}

static int use_fstat(void)
{
	struct stat st;
	if (fstat(output_fd, &st))
		return errno;
	return S_ISREG(st.st_mode) && st.st_blksize > 0 && (st.st_mode & 0777) == 0600 ? 0 : -1;
}

/* Opens the flow file anew, under another number, before the old file is closed. */
static int use_anew(void)
{
	int fd = openat(output_directory_fd, "made",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	return fd < 0 || write(fd, "x", 1) != 1 || close(output_fd) || write(fd, "x", 1) != 1
		       ? errno
		       : 0;
}

static int use_later_call(void)
{
	return syscall(999) < 0 && errno == ENOSYS ? 0 : -1;
}

static int use_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0) < 0 && (errno == ENOSYS || errno == EINVAL) ? 0 : -1;
}

/* no_seccomp_alone: seccomp refuses the way in which glibc's resolver asks for the size of its
 * file; Landlock hides the file from the resolver. */
const struct allowed allowed_actions[] = {
	{ "threads", use_thread, false },
	{ "read a file of the filter", use_read_own, false },
	{ "read it by stdio", use_stdio, false },
	{ "memory", use_memory, false },
	{ "descriptors that are open", use_event, false },
	{ "time", use_time, false },
	{ "signals", use_signal, false },
	{ "another filter for the socket", use_filter, false },
	{ "the interface's state", use_interface, false },
	{ "descriptor flags", use_flags, false },
	{ "outputs", use_outputs, false },
	{ "fstat", use_fstat, false },
	{ "an output opened anew", use_anew, false },
	{ "names of services", use_names, false },
	{ "names of hosts", use_hosts, true },
	{ "a call of a later kernel is ENOSYS", use_later_call, false },
	{ "clone3 is ENOSYS", use_clone3, false },
};
const size_t allowed_count = sizeof allowed_actions / sizeof *allowed_actions;
