/* SPDX-License-Identifier: MIT */
/* Linux: what the program is confined to, asked from inside, with the program's own code
 * (src/tools/bpfengine/confine_linux.c, seccomp_linux.c).  Each attempt is made by a child that
 * confined itself by Landlock alone, by seccomp alone, or as the program does, and by one that did
 * not: what no confinement refuses is no proof.  Needs no rights.  A plain program; 77 where
 * neither half is to be had. */
#include "tools/bpfengine/confine_linux.h"

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
#ifndef SYS_io_uring_enter
#define SYS_io_uring_enter 426
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#ifndef SYS_statx
#define SYS_statx (sizeof(long) == 8 && SYS_read == 0 ? 332 : 291)
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

enum { NONE = 0, LANDLOCK = 1, SECCOMP = 2, BOTH = 3 };

static char directory[] = "/tmp/confine-XXXXXX", own[64], other[64], made[64], ours[64];
static int udp, event, listener;  /* opened before */
static int sender, receiver;      /* ends of a pair of sockets, in the packet socket's place */
static int output, leaked, input; /* a file of ours; one that was inherited; one to read */
static int between[2];            /* a pipe of ours */
static int opened_directory;
static struct sockaddr_in listening;
static struct sockaddr_un abstract = { .sun_family = AF_UNIX, .sun_path = "" };
static pid_t parent;
static int version;   /* Landlock's; 0: none */
static bool terminal; /* the live view's: it is to be set */

static int of(long r)
{
	return r < 0 ? errno : 0;
}
static int opened(int fd)
{
	int e = of(fd);
	if (fd >= 0)
		close(fd);
	return e;
}

/* ---- What must not be: an errno, 0 if it could be done ---- */

static int read_passwd(void)
{
	return opened(open("/etc/passwd", O_RDONLY));
}
static int read_other(void)
{
	return opened(open(other, O_RDONLY));
}
static int read_proc(void)
{
	return opened(open("/proc/self/maps", O_RDONLY));
}
static int write_own(void)
{
	return opened(open(own, O_WRONLY));
}
static int append_own(void)
{
	return opened(open(own, O_RDWR | O_APPEND));
}
static int create(void)
{
	return opened(open(made, O_WRONLY | O_CREAT | O_EXCL, 0600));
}
static int create_to_read(void)
{
	return opened(open(made, O_RDONLY | O_CREAT, 0600));
}
static int cut(void)
{
	return of(truncate(own, 0));
}
static int remove_own(void)
{
	return of(unlink(own));
}
static int make_directory(void)
{
	return of(mkdir(made, 0700));
}
static int make_link(void)
{
	return of(symlink("/etc/passwd", made));
}
static int rename_own(void)
{
	return of(rename(own, made));
}
static int change_mode(void)
{
	return of(chmod(own, 0777));
}
static int change_directory(void)
{
	return of(chdir("/"));
}
static int run(void)
{
	static char name[] = "true";
	char *args[] = { name, NULL };
	execve("/bin/true", args, NULL);
	return errno;
}
static int run_descriptor(void)
{
	return of(syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0));
}
static int forked(void)
{
	pid_t p = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (!p)
		_exit(0);
	return of(p);
}
static int socket_inet(void)
{
	return opened(socket(AF_INET, SOCK_STREAM, 0));
}
static int socket_udp6(void)
{
	return opened(socket(AF_INET6, SOCK_DGRAM, 0));
}
static int socket_unix(void)
{
	return opened(socket(AF_UNIX, SOCK_STREAM, 0));
}
static int socket_netlink(void)
{
	return opened(socket(AF_NETLINK, SOCK_RAW, 0));
}
static int send_somewhere(void)
{
	return of(sendto(udp, "x", 1, 0, (struct sockaddr *)&listening, sizeof listening));
}
static int connect_udp(void)
{
	return of(connect(udp, (struct sockaddr *)&listening, sizeof listening));
}
static int listens(void)
{
	return of(listen(listener, 1));
}
static int accepts(void)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	return fd < 0 && errno == EAGAIN ? 0 : opened(fd);
}
static int kill_parent(void)
{
	return of(kill(parent, 0));
}
static int kill_thread(void)
{
	return of(syscall(SYS_tgkill, parent, parent, 0));
}
static int trace_parent(void)
{
	return of(ptrace(PTRACE_SEIZE, parent, 0, 0));
}
static int trace_me(void)
{
	return of(ptrace(PTRACE_TRACEME, 0, 0, 0));
}
static int read_parent(void)
{
	char c;
	struct iovec to = { &c, 1 }, from = { directory, 1 };
	return of(process_vm_readv(parent, &to, 1, &from, 1, 0));
}
static int pidfd(void)
{
	return opened((int)syscall(SYS_pidfd_open, parent, 0));
}
static int map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p != MAP_FAILED   ? 0
	       : errno == ENOMEM ? EPERM
				 : errno; /* musl says ENOMEM for the kernel's EPERM */
}
static int make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? 0 : of(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}
static int dumpable(void)
{
	return of(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}
static int user(void)
{
	return of(setuid(getuid()));
}
static int limits(void)
{
	struct rlimit r = { 10, 10 };
	return of(setrlimit(RLIMIT_CORE, &r));
}
static int memory_file(void)
{
	return opened((int)syscall(SYS_memfd_create, "x", 0));
}
static int uring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 && errno == EINVAL ? 0 : errno;
} /* unconfined: 0 entries are none */
static int bpf_call(void)
{
	return syscall(SYS_bpf, 999, NULL, 0) < 0 && errno == EINVAL ? 0 : errno;
}
static int duplicate(void)
{
	return opened(dup(udp));
}
static int nice_all(void)
{
	return of(setpriority(PRIO_PROCESS, 0, 19));
}
static int inject(void)
{
	return ioctl(event, TIOCSTI, "x") < 0 && errno == ENOTTY ? 0 : errno;
}
static int set_terminal(void)
{
	struct termios t = { .c_lflag = 0 };
	return tcsetattr(event, TCSANOW, &t) < 0 && tcsetattr(event, TCSADRAIN, &t) < 0 &&
			       tcsetattr(event, TCSAFLUSH, &t) < 0 && errno == ENOTTY
		       ? 0
		       : errno;
}
static int own_signals(void)
{
	return of(fcntl(udp, F_SETOWN, getpid()));
}
static int mark(void)
{
	int one = 1;
	return of(setsockopt(udp, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
}
static int abstract_socket(void)
{
	int s = socket(AF_UNIX, SOCK_STREAM, 0), e;
	if (s < 0)
		return errno;
	e = of(connect(s, (struct sockaddr *)&abstract, sizeof abstract));
	close(s);
	return e;
}
static int connect_tcp(void)
{
	int s = socket(AF_INET, SOCK_STREAM, 0), e;
	if (s < 0)
		return errno;
	e = of(connect(s, (struct sockaddr *)&listening, sizeof listening));
	close(s);
	return e;
}

/* Writing to a socket, in every way that there is, and to files that are no outputs. */
static struct iovec one_byte = { directory, 1 };
static int nothing_came(int e)
{
	char c;
	return recv(receiver, &c, 1, MSG_DONTWAIT) == 1 ? 0 : e ? e : EPROTO;
}
static int write_socket(void)
{
	return nothing_came(of(write(sender, "x", 1)));
}
static int write_high(void)
{
	return nothing_came(of(syscall(SYS_write, (1L << 32) + sender, "x", 1)));
}
static int writev_socket(void)
{
	return nothing_came(of(writev(sender, &one_byte, 1)));
}
static int pwrite_socket(void)
{
	int e = of(pwrite(sender, "x", 1, 0));
	return e == ESPIPE ? 0 : e;
}
static int pwritev_socket(void)
{
	int e = of(pwritev(sender, &one_byte, 1, 0));
	return e == ESPIPE ? 0 : e;
}
static int pwritev2_socket(void)
{
	return nothing_came(of(syscall(SYS_pwritev2, sender, &one_byte, 1, -1L, -1L, 0)));
}
static int send_socket(void)
{
	return nothing_came(of(send(sender, "x", 1, 0)));
}
static int sendmsg_socket(void)
{
	struct msghdr m = { .msg_iov = &one_byte, .msg_iovlen = 1 };
	return nothing_came(of(sendmsg(sender, &m, 0)));
}
static int sendmmsg_socket(void)
{
	struct {
		struct msghdr head;
		unsigned length;
	} m = { .head = { .msg_iov = &one_byte, .msg_iovlen = 1 } };
	return nothing_came(of(syscall(SYS_sendmmsg, sender, &m, 1, 0)));
}
static int sendfile_socket(void)
{
	off_t at = 0;
	return nothing_came(of(sendfile(sender, input, &at, 1)));
}
static int splice_socket(void)
{
	if (write(between[1], "x", 1) != 1)
		return errno;
	return nothing_came(of(splice(between[0], NULL, sender, NULL, 1, 0)));
}
static int tee_pipe(void)
{
	int e = of(tee(between[0], between[1], 1, SPLICE_F_NONBLOCK));
	return e == EINVAL ? 0 : e;
}
static int vmsplice_pipe(void)
{
	return of(vmsplice(between[1], &one_byte, 1, 0));
}
static int copy_range(void)
{
	return of(syscall(SYS_copy_file_range, input, NULL, output, NULL, 1, 0));
}
static int write_parent(void)
{
	return of(process_vm_writev(parent, &one_byte, 1, &one_byte, 1, 0));
}
static int aio(void)
{
	unsigned long context = 0;
	return of(syscall(SYS_io_setup, 1, &context));
}
static int aio_submit(void)
{
	return of(syscall(SYS_io_submit, 0L, 0L, NULL)) == EINVAL ? 0 : errno;
}
static int uring_enter(void)
{
	int e = of(syscall(SYS_io_uring_enter, event, 0, 0, 0, NULL, 0));
	return e == EOPNOTSUPP ? 0 : e;
}
static int get_descriptor(void)
{
	return of(syscall(SYS_pidfd_getfd, -1, 0, 0)) == EBADF ? 0 : errno;
}
static int receive_descriptor(void)
{
	struct msghdr m = { .msg_iov = &one_byte, .msg_iovlen = 1 };
	int e = of(recvmsg(receiver, &m, MSG_DONTWAIT));
	return e == EAGAIN ? 0 : e;
}
static int write_leaked(void)
{
	return of(write(leaked, "x", 1));
}
static int write_stdin(void)
{
	int e = of(write(STDIN_FILENO, "", 0));
	return e == EBADF ? 0 : e;
}
/* Ways round a number: a socket under an output's number, or one that was free. */
static int over_output(void)
{
	return of(dup2(sender, output));
}
static int over_output3(void)
{
	return of(syscall(SYS_dup3, sender, output, O_CLOEXEC));
}
static int free_number(void)
{
	return opened(fcntl(sender, F_DUPFD, 0));
}
static int free_number_closed(void)
{
	return opened(fcntl(sender, F_DUPFD_CLOEXEC, 100));
}

/* What tells of a file by its name. */
static int stat_name(void)
{
	struct stat st;
	return of(stat(other, &st));
}
static int stat_at(void)
{
	struct stat st;
	return of(syscall(SYS_newfstatat, AT_FDCWD, other, &st, 0));
}
static int stat_empty(void)
{
	struct stat st;
	return of(syscall(SYS_newfstatat, AT_FDCWD, other, &st, AT_EMPTY_PATH));
}
static int stat_empty_of(void)
{
	struct stat st;
	return of(syscall(SYS_newfstatat, event, other, &st, AT_EMPTY_PATH));
}
static int stat_link(void)
{
	struct stat st;
	return of(lstat(other, &st));
}
static int stat_more(void)
{
	char st[256];
	return of(syscall(SYS_statx, AT_FDCWD, other, 0, 0x7ff, st));
}
static int stat_more_empty(void)
{
	char st[256];
	return of(syscall(SYS_statx, AT_FDCWD, other, AT_EMPTY_PATH, 0x7ff, st));
}
static int stat_system(void)
{
	char st[256];
	return of(syscall(SYS_statfs, other, st));
}
static int may_access(void)
{
	return of(access(other, F_OK));
}
static int may_access_at(void)
{
	return of(faccessat(AT_FDCWD, other, F_OK, 0));
}
static int may_access2(void)
{
	return of(syscall(SYS_faccessat2, AT_FDCWD, other, F_OK, 0));
}
static int read_link(void)
{
	char to[64];
	return of(readlink("/proc/self/exe", to, sizeof to));
}
static int handle_of(void)
{
	struct {
		unsigned bytes;
		int type;
		unsigned char room[128];
	} h = { .bytes = 128 };
	int mount;
	return of(syscall(SYS_name_to_handle_at, AT_FDCWD, other, &h, &mount, 0));
}
static int attribute(void)
{
	char v[8];
	int e = of(syscall(SYS_getxattr, other, "user.none", v, sizeof v));
	return e == ENODATA || e == EOPNOTSUPP ? 0 : e;
}
static int watch_file(void)
{
	int e = of(syscall(SYS_inotify_add_watch, event, other, 1));
	return e == EINVAL ? 0 : e;
}
static int open_path(void)
{
	return opened(open(other, O_PATH));
}
static int open2(void)
{
	uint64_t how[3] = { O_RDONLY, 0, 0 };
	return opened((int)syscall(SYS_openat2, AT_FDCWD, other, how, sizeof how));
}
static int list_files(void)
{
	char b[1024];
	int e = of(syscall(SYS_getdents64, event, b, sizeof b));
	return e == ENOTDIR ? 0 : e;
}
static int where(void)
{
	char b[1024];
	return of(syscall(SYS_getcwd, b, sizeof b));
}

/* by: who refuses it alone; since: with Landlock of that version; free: may fail unconfined, too
 * (rights, a container) */
static const struct attempt {
	const char *name;
	int (*make)(void);
	int by, since;
	bool free;
} attempts[] = {
	{ "read /etc/passwd", read_passwd, LANDLOCK, 1, false },
	{ "read another directory's file", read_other, LANDLOCK, 1, false },
	{ "read /proc", read_proc, LANDLOCK, 1, false },
	{ "write a file that may be read", write_own, BOTH, 1, false },
	{ "append to it", append_own, BOTH, 1, false },
	{ "create a file", create, BOTH, 1, false },
	{ "create one to read", create_to_read, BOTH, 1, false },
	{ "truncate", cut, BOTH, 3, false },
	{ "unlink", remove_own, BOTH, 1, false },
	{ "mkdir", make_directory, BOTH, 1, false },
	{ "symlink", make_link, BOTH, 1, false },
	{ "rename", rename_own, BOTH, 1, false },
	{ "chmod", change_mode, SECCOMP, 0, false },
	{ "chdir", change_directory, SECCOMP, 0, false },
	{ "execve", run, BOTH, 1, false },
	{ "execveat", run_descriptor, BOTH, 1, false },
	{ "fork", forked, SECCOMP, 0, false },
	{ "a TCP socket", socket_inet, SECCOMP, 0, false },
	{ "a UDP socket", socket_udp6, SECCOMP, 0, true },
	{ "a Unix socket", socket_unix, SECCOMP, 0, false },
	{ "a netlink socket", socket_netlink, SECCOMP, 0, false },
	{ "sendto", send_somewhere, SECCOMP, 0, false },
	{ "connect", connect_udp, SECCOMP, 0, false },
	{ "listen", listens, SECCOMP, 0, false },
	{ "accept", accepts, SECCOMP, 0, false },
	{ "connect by TCP", connect_tcp, BOTH, 4, false },
	{ "connect to an abstract socket", abstract_socket, BOTH, 6, false },
	{ "a signal to another process", kill_parent, BOTH, 6, false },
	{ "a signal to another's thread", kill_thread, BOTH, 6, false },
	{ "trace another process", trace_parent, BOTH, 1, true },
	{ "be traced", trace_me, SECCOMP, 0, false },
	{ "read another's memory", read_parent, BOTH, 1, true },
	{ "a pidfd", pidfd, SECCOMP, 0, true },
	{ "map code", map_code, SECCOMP, 0, false },
	{ "make code", make_code, SECCOMP, 0, false },
	{ "become dumpable", dumpable, SECCOMP, 0, false },
	{ "setuid", user, SECCOMP, 0, false },
	{ "setrlimit", limits, SECCOMP, 0, true },
	{ "memfd_create", memory_file, SECCOMP, 0, true },
	{ "io_uring", uring, SECCOMP, 0, true },
	{ "bpf", bpf_call, SECCOMP, 0, true },
	{ "dup", duplicate, SECCOMP, 0, false },
	{ "setpriority", nice_all, SECCOMP, 0, false },
	{ "TIOCSTI", inject, SECCOMP, 0, false },
	{ "set a terminal", set_terminal, SECCOMP, 0, false },
	{ "F_SETOWN", own_signals, SECCOMP, 0, false },
	{ "setsockopt beside filters", mark, SECCOMP, 0, false },
#define REFUSED(name, make) { name, make, SECCOMP, 0, false }
#define REFUSED_FREE(name, make) { name, make, SECCOMP, 0, true }
	REFUSED("write to a socket", write_socket),
	REFUSED("write to a socket, upper bits set", write_high),
	REFUSED("writev to a socket", writev_socket),
	REFUSED("pwrite to a socket", pwrite_socket),
	REFUSED("pwritev to a socket", pwritev_socket),
	REFUSED_FREE("pwritev2 to a socket", pwritev2_socket),
	REFUSED("send", send_socket),
	REFUSED("sendmsg", sendmsg_socket),
	REFUSED("sendmmsg", sendmmsg_socket),
	REFUSED("sendfile to a socket", sendfile_socket),
	REFUSED("splice to a socket", splice_socket),
	REFUSED("tee", tee_pipe),
	REFUSED("vmsplice", vmsplice_pipe),
	REFUSED_FREE("copy_file_range", copy_range),
	REFUSED_FREE("write another's memory", write_parent),
	REFUSED_FREE("io_setup", aio),
	REFUSED_FREE("io_submit", aio_submit),
	REFUSED_FREE("io_uring_enter", uring_enter),
	REFUSED_FREE("pidfd_getfd", get_descriptor),
	REFUSED("recvmsg", receive_descriptor),
	REFUSED("write to what was inherited", write_leaked),
	REFUSED("write to the standard input", write_stdin),
	REFUSED("a socket over an output", over_output),
	REFUSED("a socket over an output by dup3", over_output3),
	REFUSED("a socket under a free number", free_number),
	REFUSED("a socket under a number from 100 on", free_number_closed),
	REFUSED("stat", stat_name),
	REFUSED("newfstatat", stat_at),
	REFUSED("newfstatat with AT_EMPTY_PATH and a name", stat_empty),
	REFUSED("the same with a descriptor", stat_empty_of),
	REFUSED("lstat", stat_link),
	REFUSED_FREE("statx", stat_more),
	REFUSED_FREE("statx with AT_EMPTY_PATH and a name", stat_more_empty),
	REFUSED("statfs", stat_system),
	REFUSED("access", may_access),
	REFUSED("faccessat", may_access_at),
	REFUSED_FREE("faccessat2", may_access2),
	REFUSED_FREE("readlink", read_link),
	REFUSED_FREE("name_to_handle_at", handle_of),
	REFUSED_FREE("getxattr", attribute),
	REFUSED_FREE("inotify_add_watch", watch_file),
	REFUSED("open with O_PATH", open_path),
	REFUSED_FREE("openat2", open2),
	REFUSED("getdents", list_files),
	REFUSED("getcwd", where),
};

/* ---- What must go on: an errno or -1, 0 if it was done ---- */

static volatile sig_atomic_t signalled;
static void on_signal(int signal)
{
	(void)signal, signalled = 1;
}
static void *thread(void *p)
{
	pthread_setname_np(pthread_self(), "inside");
	sched_yield();
	*(int *)p = 1;
	return malloc(100000);
}

static int ok_thread(void)
{
	int ran = 0;
	void *got = NULL;
	pthread_t t;
	int e = pthread_create(&t, NULL, thread, &ran);
	if (!e)
		e = pthread_join(t, &got);
	free(got);
	return e ? e : ran ? 0 : -1;
}
static int ok_read_own(void)
{
	char b[8];
	int fd = open(own, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, b, sizeof b);
	int e = fd < 0 ? errno : n == 4 ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return e;
}
static int ok_stdio(void)
{
	FILE *f = fopen(own, "re");
	char b[8];
	int e = !f ? errno : fgets(b, sizeof b, f) && !strcmp(b, "own\n") ? 0 : -1;
	if (f)
		fclose(f);
	return e;
}
static int ok_memory(void)
{
	char *p = malloc(64u << 20);
	if (!p)
		return errno;
	memset(p, 1, 64u << 20);
	char *q = realloc(p, 96u << 20);
	free(q ? q : p);
	return q ? 0 : errno;
}
static int ok_event(void)
{
	uint64_t one = 1, got = 0;
	struct pollfd p = { .fd = event, .events = POLLIN };
	if (write(event, &one, 8) != 8 || poll(&p, 1, 1000) != 1 || read(event, &got, 8) != 8)
		return errno;
	return got == 1 ? 0 : -1;
}
static int ok_time(void)
{
	struct timespec t, ms = { 0, 1000000 };
	return clock_gettime(CLOCK_MONOTONIC, &t) || nanosleep(&ms, NULL) ||
			       clock_nanosleep(CLOCK_MONOTONIC, 0, &ms, NULL)
		       ? errno
		       : 0;
}
static int ok_signal(void)
{
	struct sigaction a;
	memset(&a, 0, sizeof a);
	a.sa_handler = on_signal;
	signalled = 0;
	if (sigaction(SIGUSR1, &a, NULL) || raise(SIGUSR1))
		return errno;
	return signalled ? 0 : -1;
}
static int ok_filter(void)
{
	struct sock_filter all = { 0x06, 0, 0, 0xffff };
	struct sock_fprog p = { 1, &all };
	int off = 0, e = 0;
	socklen_t size = sizeof e;
	return setsockopt(udp, SOL_SOCKET, SO_ATTACH_FILTER, &p, sizeof p) ||
			       setsockopt(udp, SOL_SOCKET, SO_DETACH_FILTER, &off, sizeof off) ||
			       getsockopt(udp, SOL_SOCKET, SO_ERROR, &e, &size)
		       ? errno
		       : 0;
}
static int ok_interface(void)
{
	struct ifreq r;
	memset(&r, 0, sizeof r);
	r.ifr_ifindex = 1;
	return ioctl(udp, SIOCGIFNAME, &r) || ioctl(udp, SIOCGIFFLAGS, &r) ? errno : 0;
}
static int ok_flags(void)
{
	int flags = fcntl(udp, F_GETFL);
	return flags < 0 || fcntl(udp, F_SETFL, flags | O_NONBLOCK) ? errno : 0;
}
static int ok_names(void)
{
	if (access("/etc/services", R_OK) && errno == ENOENT)
		return 0;
	const struct servent *s = getservbyname("domain", "udp");
	return s && s->s_port == htons(53) ? 0 : -1;
}
static int ok_hosts(void)
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
static int ok_outputs(void)
{
	char c;
	if (write(output, "x", 1) != 1 || writev(output, &one_byte, 1) != 1)
		return errno;
	return write(between[1], "x", 1) != 1 || read(between[0], &c, 1) != 1 ||
			       write(STDOUT_FILENO, "", 0) || write(STDERR_FILENO, "", 0)
		       ? errno
		       : 0;
}
static int ok_fstat(void)
{
	struct stat st;
	return fstat(output, &st)                                                        ? errno
	       : S_ISREG(st.st_mode) && st.st_blksize > 0 && (st.st_mode & 0777) == 0600 ? 0
											 : -1;
}
/* The flows' file is opened anew, under another number, before the old one is closed. */
static int ok_anew(void)
{
	int fd = openat(opened_directory, "made",
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	return fd < 0 || write(fd, "x", 1) != 1 || close(output) || write(fd, "x", 1) != 1 ? errno
											   : 0;
}
static int ok_later_call(void)
{
	return syscall(999) < 0 && errno == ENOSYS ? 0 : -1;
}
static int ok_clone3(void)
{
	return syscall(SYS_clone3, NULL, 0) < 0 && (errno == ENOSYS || errno == EINVAL) ? 0 : -1;
}

/* no_seccomp_alone: glibc's resolver asks fstat(2) for its file in its own way, which is refused;
 * Landlock hides that file from it */
static const struct {
	const char *name;
	int (*make)(void);
	bool no_seccomp_alone;
} goods[] = {
	{ "threads", ok_thread, false },
	{ "read a file of the filter", ok_read_own, false },
	{ "read it by stdio", ok_stdio, false },
	{ "memory", ok_memory, false },
	{ "descriptors that are open", ok_event, false },
	{ "time", ok_time, false },
	{ "signals", ok_signal, false },
	{ "another filter for the socket", ok_filter, false },
	{ "the interface's state", ok_interface, false },
	{ "descriptor flags", ok_flags, false },
	{ "outputs", ok_outputs, false },
	{ "fstat", ok_fstat, false },
	{ "an output opened anew", ok_anew, false },
	{ "names of services", ok_names, false },
	{ "names of hosts", ok_hosts, true },
	{ "a call of a later kernel is ENOSYS", ok_later_call, false },
	{ "clone3 is ENOSYS", ok_clone3, false },
};

/* ---- Running them ---- */

static unsigned passed, failed, skipped;
static void expect(bool good, const char *how, const char *what, int got)
{
	if (good)
		passed++;
	else
		failed++, printf("FAILED %s: %s: %s\n", how, what,
				  got ? strerror(got > 0 ? got : EINVAL) : "was done");
}

static int confine(int halves, bool filter)
{
	const char *const files[] = { own };
	const struct cli_confinement how = { .files = files,
		.file_count = filter,
		.filter = filter,
		.live = true,
		.terminal = terminal,
		.output = filter ? ours : NULL,
		.output_directory = opened_directory };
	struct cli_confined done;
	unsigned calls;
	int v, e = 0;
	if (halves == BOTH) {
		cli_confine(&how, &done);
		return done.failed[0] || !strstr(done.holds, "Landlock") ||
		       !strstr(done.holds, "seccomp");
	}
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (halves & LANDLOCK)
		e = cli_landlock(&how, &v);
	return halves & SECCOMP ? cli_seccomp(&how, &calls) : e;
}

/* In a child of its own: what is done by one must not be there for the next.  Its errno, or -2 if
 * it died. */
static int in_child(int halves, bool filter, int (*make)(void))
{
	int *result = mmap(NULL, sizeof *result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0),
	    status = 0, got;
	*result = -3;
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		alarm(20);
		if (confine(halves, filter))
			_exit(3);
		*result = 0; /* stays so where the attempt, an exec, does not return */
		*result = make();
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		continue;
	got = WIFSIGNALED(status) ? -2 : *result;
	munmap(result, sizeof *result);
	return got;
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (!f || fputs(text, f) < 0 || fclose(f))
		perror(path), exit(1);
}

static void prepare(void)
{
	socklen_t size = sizeof listening;
	if (!mkdtemp(directory))
		perror(directory), exit(1);
	snprintf(own, sizeof own, "%s/in", directory), mkdir(own, 0700);
	snprintf(own, sizeof own, "%s/in/own", directory),
		snprintf(other, sizeof other, "%s/other", directory),
		snprintf(made, sizeof made, "%s/in/made", directory);
	put(other, "other\n");
	udp = socket(AF_INET, SOCK_DGRAM, 0), event = eventfd(0, EFD_CLOEXEC),
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	listening = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (bind(listener, (struct sockaddr *)&listening, sizeof listening) ||
		listen(listener, 8) || getsockname(listener, (struct sockaddr *)&listening, &size))
		perror("listen"), exit(1);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(abstract.sun_path + 1, sizeof abstract.sun_path - 1, "%s", directory);
	if (bind(s, (struct sockaddr *)&abstract, sizeof abstract) || listen(s, 8))
		perror("abstract socket"), exit(1);
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) || pipe2(between, O_CLOEXEC))
		perror("socketpair, pipe"), exit(1);
	sender = pair[0], receiver = pair[1];
	snprintf(ours, sizeof ours, "%s/out", directory);
	mkdir(ours, 0700);
	opened_directory = open(ours, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(ours, sizeof ours, "%s/out/ours", directory);
	output = open(ours, O_RDWR | O_CREAT | O_CLOEXEC, 0600), leaked = open(ours, O_WRONLY),
	input = open(other, O_RDONLY | O_CLOEXEC);
	if (output < 0 || leaked < 0 || input < 0 || opened_directory < 0)
		perror(ours), exit(1);
	parent = getpid();
}

static void fresh(void)
{
	remove(made);
	put(own, "own\n");
	chmod(own, 0600);
}

static int no(void)
{
	return 0;
}

#if defined(__x86_64__)
static int foreign(void)
{
	long r;
	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L));
	return (int)(r < 0);
} /* i386's getpid */
static int x32(void)
{
	return syscall(0x40000000 + SYS_getpid) < 0 && errno == ENOSYS ? ENOSYS : 0;
}
#endif

int main(void)
{
	prepare();
	if (in_child(LANDLOCK, false, no) == 0) {
		long v = syscall(444, NULL, 0, 1u);
		version = v > 0 ? (int)v : 0;
	}
	bool seccomp = in_child(SECCOMP, false, no) == 0;
	if (!version)
		printf("SKIP: Landlock: this kernel has none\n"), skipped++;
	if (!seccomp)
		printf("SKIP: seccomp: not to be had here\n"), skipped++;
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts && (version || seccomp); i++) {
		const struct attempt *a = &attempts[i];
		int got;
		fresh();
		got = in_child(NONE, true, a->make);
		expect(!got || a->free, "unconfined", a->name, got);
		if (version >= a->since && a->by & LANDLOCK)
			fresh(), got = in_child(LANDLOCK, true, a->make),
				 expect(got > 0, "Landlock alone", a->name, got);
		if (seccomp && a->by & SECCOMP)
			fresh(), got = in_child(SECCOMP, true, a->make),
				 expect(got == EPERM, "seccomp alone", a->name, got);
		if (seccomp && version)
			fresh(), got = in_child(BOTH, true, a->make),
				 expect(got == EPERM || got == EACCES, "both", a->name, got);
		if (seccomp)
			fresh(), got = in_child(SECCOMP, false, a->make),
				 expect(got == EPERM, "seccomp alone, no filter", a->name, got);
	}
	for (size_t i = 0; i < sizeof goods / sizeof *goods && (version || seccomp); i++) {
		fresh();
		for (int halves = NONE; halves <= BOTH; halves++) {
			if ((halves & LANDLOCK && !version) || (halves & SECCOMP && !seccomp))
				continue;
			if (goods[i].no_seccomp_alone && halves == SECCOMP)
				continue;
			int got = in_child(halves, true, goods[i].make);
			expect(!got,
				halves == BOTH      ? "both"
				: halves == SECCOMP ? "seccomp alone"
				: halves            ? "Landlock alone"
						    : "unconfined",
				goods[i].name, got);
		}
	}
	terminal = true;
	for (int halves = SECCOMP; halves <= BOTH && seccomp; halves++) {
		if (halves == BOTH && !version)
			continue;
		int got = in_child(halves, false, set_terminal);
		expect(!got, halves == BOTH ? "both, live view" : "seccomp alone, live view",
			"set a terminal", got);
		got = in_child(halves, false, inject);
		expect(got == EPERM, "live view", "TIOCSTI", got);
	}
	terminal = false;
#if defined(__x86_64__)
	if (seccomp) {
		int got = in_child(SECCOMP, true, foreign);
		expect(got == -2, "seccomp alone", "a call of i386 ends the process", got);
		got = in_child(SECCOMP, true, x32);
		expect(got == ENOSYS, "seccomp alone", "a call of x32", got);
	}
#endif
	remove(made), remove(own), remove(other), remove(ours);
	unlinkat(opened_directory, "made", 0);
	*strrchr(ours, '/') = 0;
	rmdir(ours);
	*strrchr(own, '/') = 0;
	rmdir(own), rmdir(directory);
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : passed ? 0 : 77;
}
