/* SPDX-License-Identifier: MIT */
/* Attempts on files, processes, sockets and memory, which a confinement must refuse (confine.c). */
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

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif

static int try_read_passwd(void)
{
	return close_opened(open("/etc/passwd", O_RDONLY));
}

static int try_read_other(void)
{
	return close_opened(open(other_file, O_RDONLY));
}

static int try_read_proc(void)
{
	return close_opened(open("/proc/self/maps", O_RDONLY));
}

static int try_write_own(void)
{
	return close_opened(open(own_file, O_WRONLY));
}

static int try_append_own(void)
{
	return close_opened(open(own_file, O_RDWR | O_APPEND));
}

static int try_create_file(void)
{
	return close_opened(open(made_file, O_WRONLY | O_CREAT | O_EXCL, 0600));
}

static int try_create_to_read(void)
{
	return close_opened(open(made_file, O_RDONLY | O_CREAT, 0600));
}

static int try_truncate(void)
{
	return errno_of(truncate(own_file, 0));
}

static int try_remove_own(void)
{
	return errno_of(unlink(own_file));
}

static int try_make_directory(void)
{
	return errno_of(mkdir(made_file, 0700));
}

static int try_make_link(void)
{
	return errno_of(symlink("/etc/passwd", made_file));
}

static int try_rename_own(void)
{
	return errno_of(rename(own_file, made_file));
}

static int try_change_mode(void)
{
	return errno_of(chmod(own_file, 0777));
}

static int try_change_directory(void)
{
	return errno_of(chdir("/"));
}

static int try_exec(void)
{
	static char name[] = "true";
	char *args[] = { name, NULL };
	execve("/bin/true", args, NULL);
	return errno;
}

static int try_run_descriptor(void)
{
	return errno_of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0));
}

static int try_fork(void)
{
	pid_t p = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!p)
		_exit(0);
	return errno_of(p);
}

static int try_socket_inet(void)
{
	return close_opened(socket(AF_INET, SOCK_STREAM, 0));
}

static int try_socket_udp6(void)
{
	return close_opened(socket(AF_INET6, SOCK_DGRAM, 0));
}

static int try_socket_unix(void)
{
	return close_opened(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int try_socket_netlink(void)
{
	return close_opened(socket(AF_NETLINK, SOCK_RAW, 0));
}

static int try_send_somewhere(void)
{
	return errno_of(sendto(udp_socket, "x", 1, 0, (struct sockaddr *)&listening_address,
		sizeof listening_address));
}

static int try_connect_udp(void)
{
	return errno_of(connect(
		udp_socket, (struct sockaddr *)&listening_address, sizeof listening_address));
}

static int try_listen(void)
{
	return errno_of(listen(listener_fd, 1));
}

static int try_accept(void)
{
	int fd = accept4(listener_fd, NULL, NULL, SOCK_NONBLOCK);
	return fd < 0 && errno == EAGAIN ? 0 : close_opened(fd);
}

static int try_kill_parent(void)
{
	return errno_of(kill(parent_pid, 0));
}

static int try_kill_thread(void)
{
	return errno_of(syscall(SYS_tgkill, parent_pid, parent_pid, 0));
}

static int try_trace_parent(void)
{
	return errno_of(ptrace(PTRACE_SEIZE, parent_pid, 0, 0));
}

static int try_trace_me(void)
{
	return errno_of(ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static int try_read_parent(void)
{
	char c;
	struct iovec to = { &c, 1 };
	struct iovec from = { test_directory, 1 };
	return errno_of(process_vm_readv(parent_pid, &to, 1, &from, 1, 0));
}

static int try_pidfd_open(void)
{
	return close_opened((int)syscall(SYS_pidfd_open, parent_pid, 0));
}

static int try_map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED)
		return 0;
	return errno == ENOMEM ? EPERM : errno; /* musl reports EPERM of the kernel as ENOMEM */
}

static int try_make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? 0 : errno_of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int try_dumpable(void)
{
	return errno_of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int try_setuid(void)
{
	return errno_of(setuid(getuid()));
}

static int try_setrlimit(void)
{
	struct rlimit r = { 10, 10 };
	return errno_of(setrlimit(RLIMIT_CORE, &r));
}

static int try_memory_file(void)
{
	return close_opened((int)syscall(SYS_memfd_create, "x", 0));
}

/* Asks for 0 entries, which fails without confinement, too. */
static int try_io_uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EINVAL ? 0 : errno;
}
static int try_bpf_call(void)
{
	return syscall(SYS_bpf, 999, NULL, 0) < 0 && errno == EINVAL ? 0 : errno;
}

static int try_duplicate(void)
{
	return close_opened(dup(udp_socket));
}

static int try_nice_all(void)
{
	return errno_of(setpriority(PRIO_PROCESS, 0, 19));
}

int try_inject_input(void)
{
	return ioctl(event_fd, TIOCSTI, "x") < 0 && errno == ENOTTY ? 0 : errno;
}

int try_set_terminal(void)
{
	struct termios t = { .c_lflag = 0 };
	return tcsetattr(event_fd, TCSANOW, &t) < 0 && tcsetattr(event_fd, TCSADRAIN, &t) < 0 &&
			       tcsetattr(event_fd, TCSAFLUSH, &t) < 0 && errno == ENOTTY
		       ? 0
		       : errno;
}

static int try_own_signals(void)
{
	return errno_of(fcntl(udp_socket, F_SETOWN, getpid()));
}

static int try_socket_mark(void)
{
	int one = 1;
	return errno_of(setsockopt(udp_socket, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
}

static int try_abstract_socket(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), e;
	if (s < 0)
		return errno;
	e = errno_of(connect(s, (struct sockaddr *)&abstract_address, sizeof abstract_address));
	close(s);
	return e;
}

static int try_connect_tcp(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), e;
	if (s < 0)
		return errno;
	e = errno_of(connect(s, (struct sockaddr *)&listening_address, sizeof listening_address));
	close(s);
	return e;
}

static const struct attempt attempts[] = {

	{ "read /etc/passwd", try_read_passwd, LANDLOCK, 1, false },
	{ "read another directory's file", try_read_other, LANDLOCK, 1, false },
	{ "read /proc", try_read_proc, LANDLOCK, 1, false },
	{ "write a file that may be read", try_write_own, BOTH, 1, false },
	{ "append to it", try_append_own, BOTH, 1, false },
	{ "create a file", try_create_file, BOTH, 1, false },
	{ "create one to read", try_create_to_read, BOTH, 1, false },
	{ "truncate", try_truncate, BOTH, 3, false },
	{ "unlink", try_remove_own, BOTH, 1, false },
	{ "mkdir", try_make_directory, BOTH, 1, false },
	{ "symlink", try_make_link, BOTH, 1, false },
	{ "rename", try_rename_own, BOTH, 1, false },
	{ "chmod", try_change_mode, SECCOMP, 0, false },
	{ "chdir", try_change_directory, SECCOMP, 0, false },
	{ "execve", try_exec, BOTH, 1, false },
	{ "execveat", try_run_descriptor, BOTH, 1, false },
	{ "fork", try_fork, SECCOMP, 0, false },
	{ "a TCP socket", try_socket_inet, SECCOMP, 0, false },
	{ "a UDP socket", try_socket_udp6, SECCOMP, 0, true },
	{ "a Unix socket", try_socket_unix, SECCOMP, 0, false },
	{ "a netlink socket", try_socket_netlink, SECCOMP, 0, false },
	{ "sendto", try_send_somewhere, SECCOMP, 0, false },
	{ "connect", try_connect_udp, SECCOMP, 0, false },
	{ "listen", try_listen, SECCOMP, 0, false },
	{ "accept", try_accept, SECCOMP, 0, false },
	{ "connect by TCP", try_connect_tcp, BOTH, 4, false },
	{ "connect to an abstract socket", try_abstract_socket, BOTH, 6, false },
	{ "a signal to another process", try_kill_parent, BOTH, 6, false },
	{ "a signal to another's thread", try_kill_thread, BOTH, 6, false },
	{ "trace another process", try_trace_parent, BOTH, 1, true },
	{ "be traced", try_trace_me, SECCOMP, 0, false },
	{ "read another's memory", try_read_parent, BOTH, 1, true },
	{ "a pidfd", try_pidfd_open, SECCOMP, 0, true },
	{ "map code", try_map_code, SECCOMP, 0, false },
	{ "make code", try_make_code, SECCOMP, 0, false },
	{ "become dumpable", try_dumpable, SECCOMP, 0, false },
	{ "setuid", try_setuid, SECCOMP, 0, false },
	{ "setrlimit", try_setrlimit, SECCOMP, 0, true },
	{ "memfd_create", try_memory_file, SECCOMP, 0, true },
	{ "io_uring", try_io_uring, SECCOMP, 0, true },
	{ "bpf", try_bpf_call, SECCOMP, 0, true },
	{ "dup", try_duplicate, SECCOMP, 0, false },
	{ "setpriority", try_nice_all, SECCOMP, 0, false },
	{ "TIOCSTI", try_inject_input, SECCOMP, 0, false },
	{ "set a terminal", try_set_terminal, SECCOMP, 0, false },
	{ "F_SETOWN", try_own_signals, SECCOMP, 0, false },
	{ "setsockopt beside filters", try_socket_mark, SECCOMP, 0, false },
};

const struct attempt_list file_attempts = { attempts, sizeof attempts / sizeof *attempts };
