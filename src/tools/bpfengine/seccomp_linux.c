/* SPDX-License-Identifier: MIT */
/* System calls of a running capture (seccomp(2)), on x86-64 and arm64, with glibc and with musl.
 * The filter program is made here from the kernel's headers alone.  State: the program, used once.
 *
 * A call which is not on the list fails with EPERM, or with ENOSYS if the call is newer than the
 * list; nothing is killed.  A C library of another year, or a preloaded library, tries a call and
 * falls back on another, which must not cost a capture.  An intruder gets the call in neither way.
 * Only outputs are written to, and no call asks for a file by its name.  clone3 fails with ENOSYS,
 * too: its flags lie in memory, where a filter cannot see them.  Every C library then uses clone,
 * which may make threads here, not processes.  Only a call of another machine's ABI ends the
 * process. */
#include "confine_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netdb.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifndef ARCH

int cli_confine_owners(void)
{
	return ENOTSUP;
}

int cli_seccomp(const struct cli_confinement *how, unsigned *calls)
{
	(void)how;
	(void)calls;
	return ENOTSUP;
}

#else

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4u /* Linux 4.17 */
#endif
#ifndef SYS_rseq
/* musl has no name for the call, and does not use it */
#define SYS_rseq (ARCH == AUDIT_ARCH_X86_64 ? 334 : 293)
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#define NEWEST 470u     /* calls with higher numbers are newer than this list */
#define X32 0x40000000u /* x86-64: calls of the x32 ABI */
#define ROOM 4096u      /* BPF_MAXINSNS */
#define RANGES 1200u    /* each of SOURCES_MOST savefiles has a pipe between files to read */

/* When a rule is needed.  write and writev are not in the list: see add_write_rules. */
enum when { ALWAYS, FILTER, LIVE, WAITS, BPF, TUNED, TERMINAL, OUTPUT, WRITER, FILES, COMMAND };

/* Allows a call if (argument & mask) == value; mask 0: with any arguments.  A call with several
 * rules needs to satisfy one. */
struct rule {
	int call;
	enum when when;
	int argument;
	uint32_t mask, value;
};

#ifndef O_PATH
#define O_PATH 010000000
#endif
/* Flags which are no part of opening to read.  O_PATH is among them: such a descriptor needs no
 * right and then describes the file by fstat. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY) | O_PATH)

/* Flags which do not change which file may be opened: musl's O_LARGEFILE, and root's O_NOFOLLOW. */
#define ANYWAY ((uint32_t)(0100000 | 0400000 | O_NOFOLLOW))

static const struct rule rules[] = {
	{ SYS_read, ALWAYS, 0, 0, 0 }, { SYS_ppoll, ALWAYS, 0, 0, 0 },
	{ SYS_futex, ALWAYS, 0, 0, 0 },
#ifdef SYS_poll
	{ SYS_poll, ALWAYS, 0, 0, 0 },
#endif
	{ SYS_readv, ALWAYS, 0, 0, 0 }, { SYS_pread64, ALWAYS, 0, 0, 0 },
	{ SYS_lseek, ALWAYS, 0, 0, 0 }, { SYS_close, ALWAYS, 0, 0, 0 },
	{ SYS_fstat, ALWAYS, 0, 0, 0 },
	/* time and signals; restart_syscall goes on after SIGSTOP */
	{ SYS_clock_gettime, ALWAYS, 0, 0, 0 }, { SYS_clock_getres, ALWAYS, 0, 0, 0 },
	{ SYS_gettimeofday, ALWAYS, 0, 0, 0 }, { SYS_nanosleep, ALWAYS, 0, 0, 0 },
	{ SYS_clock_nanosleep, ALWAYS, 0, 0, 0 }, { SYS_restart_syscall, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigaction, ALWAYS, 0, 0, 0 }, { SYS_rt_sigprocmask, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigreturn, ALWAYS, 0, 0, 0 }, { SYS_sigaltstack, ALWAYS, 0, 0, 0 },
	/* memory, not executable */
	{ SYS_mmap, ALWAYS, 2, PROT_EXEC, 0 }, { SYS_mprotect, ALWAYS, 2, PROT_EXEC, 0 },
	{ SYS_munmap, ALWAYS, 0, 0, 0 }, { SYS_mremap, ALWAYS, 0, 0, 0 },
	{ SYS_madvise, ALWAYS, 0, 0, 0 }, { SYS_brk, ALWAYS, 0, 0, 0 },
	{ SYS_getrandom, ALWAYS, 0, 0, 0 },
	/* threads, no processes */
	{ SYS_clone, ALWAYS, 0, CLONE_THREAD, CLONE_THREAD },
	{ SYS_set_robust_list, ALWAYS, 0, 0, 0 }, { SYS_rseq, ALWAYS, 0, 0, 0 },
	{ SYS_prctl, ALWAYS, 0, UINT32_MAX, PR_SET_NAME }, { SYS_sched_yield, ALWAYS, 0, 0, 0 },
	{ SYS_sched_getaffinity, ALWAYS, 0, 0, 0 }, { SYS_gettid, ALWAYS, 0, 0, 0 },
	{ SYS_getpid, ALWAYS, 0, 0, 0 }, { SYS_exit, ALWAYS, 0, 0, 0 },
	{ SYS_exit_group, ALWAYS, 0, 0, 0 }, { SYS_sched_setaffinity, TUNED, 0, 0, 0 },
	{ SYS_sched_setscheduler, TUNED, 0, 0, 0 }, { SYS_setpriority, TUNED, 0, 0, 0 },
	{ SYS_sched_get_priority_min, TUNED, 0, 0, 0 },
	{ SYS_sched_get_priority_max, TUNED, 0, 0, 0 },
	/* descriptors: their flags, the terminal, the packet socket */
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_GETFL },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_SETFL },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_GETFD },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_SETFD }, { SYS_ioctl, ALWAYS, 1, UINT32_MAX, TCGETS },
	{ SYS_ioctl, ALWAYS, 1, UINT32_MAX, TIOCGWINSZ },
	{ SYS_ioctl, TERMINAL, 1, UINT32_MAX, TCSETS },
	{ SYS_ioctl, TERMINAL, 1, UINT32_MAX, TCSETSW },
	{ SYS_ioctl, TERMINAL, 1, UINT32_MAX, TCSETSF },
	{ SYS_ioctl, LIVE, 1, UINT32_MAX, SIOCGIFFLAGS },
	{ SYS_ioctl, LIVE, 1, UINT32_MAX, SIOCGIFNAME }, { SYS_getsockopt, LIVE, 0, 0, 0 },
	{ SYS_setsockopt, LIVE, 2, UINT32_MAX, SO_ATTACH_FILTER },
	{ SYS_setsockopt, LIVE, 2, UINT32_MAX, SO_DETACH_FILTER },
	/* binds the packet socket to an interface that came back; no call makes another socket */
	{ SYS_ioctl, WAITS, 1, UINT32_MAX, SIOCGIFINDEX },
	{ SYS_ioctl, WAITS, 1, UINT32_MAX, SIOCGIFHWADDR },
	{ SYS_setsockopt, WAITS, 2, UINT32_MAX, PACKET_ADD_MEMBERSHIP },
	{ SYS_bind, WAITS, 0, 0, 0 }, { SYS_ioctl, BPF, 1, 0xff00, 'B' << 8 },
	{ SYS_ioctl, BPF, 1, UINT32_MAX, FIONBIO },
	/* reads the filter's files, and the tables with the filter's names */
	{ SYS_openat, FILTER, 2, WRITES, O_RDONLY },
#ifdef SYS_open
	{ SYS_open, FILTER, 1, WRITES, O_RDONLY },
#endif
	/* opens the flow file anew, only for appending; Landlock and the user's rights decide
	   where */
	{ SYS_openat, OUTPUT, 2, ~ANYWAY,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK },
	{ SYS_ftruncate, OUTPUT, 0, 0, 0 }, /* cuts off a line which a full disk tore */
	/* the writer: cuts a file back, forces bytes to the disk, minds SIGPIPE */
	{ SYS_ftruncate, WRITER, 0, 0, 0 }, { SYS_fsync, WRITER, 0, 0, 0 },
	{ SYS_sync_file_range, WRITER, 0, 0, 0 }, { SYS_fadvise64, WRITER, 0, 0, 0 },
	{ SYS_rt_sigpending, WRITER, 0, 0, 0 }, { SYS_rt_sigtimedwait, WRITER, 0, 0, 0 },
	/* ... makes, names and removes files in its directory; Landlock decides where */
	{ SYS_openat, FILES, 2, ~ANYWAY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC },
	{ SYS_openat, FILES, 2, ~ANYWAY, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC },
	{ SYS_openat, FILES, 2, ~ANYWAY,
		O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC },
	{ SYS_openat, FILES, 2, ~ANYWAY, O_RDONLY | O_DIRECTORY | O_CLOEXEC },
	{ SYS_renameat, FILES, 0, 0, 0 }, { SYS_renameat2, FILES, 0, 0, 0 },
	{ SYS_linkat, FILES, 0, 0, 0 }, { SYS_unlinkat, FILES, 0, 0, 0 },
	{ SYS_newfstatat, FILES, 0, 0, 0 }, { SYS_fchmod, FILES, 0, 0, 0 },
	{ SYS_fstatfs, FILES, 0, 0, 0 }, { SYS_flock, FILES, 0, 0, 0 },
	{ SYS_wait4, COMMAND, 0, 0, 0 }, /* for the helper of -z */
};

/* Calls of the helper that asks for owners: reads /proc, and makes no socket but netlink's.  No
 * Landlock, which would hide the descriptors of all other processes. */
static const struct rule owner_rules[] = {
	{ SYS_read, ALWAYS, 0, 0, 0 },
	{ SYS_write, ALWAYS, 0, 0, 0 },
	{ SYS_ppoll, ALWAYS, 0, 0, 0 },
#ifdef SYS_poll
	{ SYS_poll, ALWAYS, 0, 0, 0 },
	{ SYS_readlink, ALWAYS, 0, 0, 0 },
#endif
	{ SYS_openat, ALWAYS, 2, WRITES, O_RDONLY },
	{ SYS_readlinkat, ALWAYS, 0, 0, 0 },
	{ SYS_getdents64, ALWAYS, 0, 0, 0 },
	{ SYS_newfstatat, ALWAYS, 0, 0, 0 },
	{ SYS_fstat, ALWAYS, 0, 0, 0 },
	{ SYS_lseek, ALWAYS, 0, 0, 0 },
	{ SYS_close, ALWAYS, 0, 0, 0 },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_GETFL },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_GETFD },
	{ SYS_fcntl, ALWAYS, 1, UINT32_MAX, F_SETFD },
	{ SYS_socket, ALWAYS, 0, UINT32_MAX, AF_NETLINK },
	{ SYS_bind, ALWAYS, 0, 0, 0 },
	{ SYS_getsockname, ALWAYS, 0, 0, 0 },
	{ SYS_sendto, ALWAYS, 0, 0, 0 },
	{ SYS_recvfrom, ALWAYS, 0, 0, 0 },
	{ SYS_recvmsg, ALWAYS, 0, 0, 0 },
	{ SYS_mmap, ALWAYS, 2, PROT_EXEC, 0 },
	{ SYS_munmap, ALWAYS, 0, 0, 0 },
	{ SYS_mremap, ALWAYS, 0, 0, 0 },
	{ SYS_madvise, ALWAYS, 0, 0, 0 },
	{ SYS_brk, ALWAYS, 0, 0, 0 },
	{ SYS_futex, ALWAYS, 0, 0, 0 },
	{ SYS_clock_gettime, ALWAYS, 0, 0, 0 },
	{ SYS_clock_nanosleep, ALWAYS, 0, 0, 0 },
	{ SYS_nanosleep, ALWAYS, 0, 0, 0 },
	{ SYS_restart_syscall, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigprocmask, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigreturn, ALWAYS, 0, 0, 0 },
	{ SYS_getpid, ALWAYS, 0, 0, 0 },
	{ SYS_gettid, ALWAYS, 0, 0, 0 },
	{ SYS_exit, ALWAYS, 0, 0, 0 },
	{ SYS_exit_group, ALWAYS, 0, 0, 0 },
};

struct program {
	struct sock_filter code[ROOM];
	unsigned length; /* above ROOM: the program did not fit */
};

static void emit_seccomp(
	struct program *p, unsigned code, uint32_t k, unsigned jump_true, unsigned jump_false)
{
	if (p->length < ROOM)
		p->code[p->length] = (struct sock_filter){ (unsigned short)code,
			(unsigned char)jump_true, (unsigned char)jump_false, k };
	p->length++;
}

/* Loads a word of struct seccomp_data. */
static void emit_load(struct program *p, size_t offset)
{
	emit_seccomp(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_answer(struct program *p, uint32_t answer)
{
	emit_seccomp(p, BPF_RET | BPF_K, answer, 0, 0);
}

/* Adds a rule; the accumulator has the call's number before and after.  The kernel uses only the
 * lower half of the arguments which are tested here, so the upper half can hide nothing.  Both
 * machines are little-endian. */
static void add_rule(struct program *p, const struct rule *r)
{
	if (!r->mask) {
		emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 1);
		emit_answer(p, SECCOMP_RET_ALLOW);
		return;
	}
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 5);
	emit_load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)r->argument);
	emit_seccomp(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1);
	emit_answer(p, SECCOMP_RET_ALLOW);
	emit_load(p, offsetof(struct seccomp_data, nr));
}

/* Answers for descriptors in the ranges; the accumulator has the descriptor. */
static void add_range_rules(
	struct program *p, const struct cli_range *ranges, size_t count, uint32_t answer)
{
	for (size_t i = 0; i < count; i++) {
		emit_seccomp(p, BPF_JMP | BPF_JGE | BPF_K, ranges[i].first, 0, 2);
		emit_seccomp(p, BPF_JMP | BPF_JGT | BPF_K, ranges[i].last, 1, 0);
		emit_answer(p, answer);
	}
}

/* Allows write(2) and writev(2) on outputs alone, since a packet socket would send the bytes. Lists
 * the descriptors which are no outputs, or the outputs if the others are too scattered. */
static void add_write_rules(struct program *p)
{
	struct cli_range ranges[RANGES];
	size_t count = cli_unwritten(ranges, RANGES);
	uint32_t in_range = SECCOMP_RET_ERRNO | EPERM;
	uint32_t otherwise = SECCOMP_RET_ALLOW;

	if (count == SIZE_MAX) {
		count = cli_written(ranges, RANGES);
		in_range = SECCOMP_RET_ALLOW;
		otherwise = SECCOMP_RET_ERRNO | EPERM;
	}
	if (count == SIZE_MAX) { /* a list that leaves out an output would lose what is written */
		p->length = ROOM + 1;
		return;
	}
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0);
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 1, 0);
	emit_seccomp(p, BPF_JMP | BPF_JA, 2 + 3 * (uint32_t)count, 0, 0);
	emit_load(p, offsetof(struct seccomp_data, args));
	add_range_rules(p, ranges, count, in_range);
	emit_answer(p, otherwise);
}

static bool is_needed(enum when when, const struct cli_confinement *how)
{
	switch (when) {
	case FILTER:
		return how->filter || how->file_count;
	case LIVE:
		return how->live;
	case WAITS:
		return how->live && how->waits;
	case BPF:
		return how->bpf;
	case TUNED:
		return how->tuned;
	case TERMINAL:
		return how->terminal;
	case OUTPUT:
		return how->output;
	case WRITER:
		return how->writes;
	case FILES:
		return how->write_folder;
	case COMMAND:
		return how->command;
	default:
		return true;
	}
}

/* Makes glibc read its table of name services.  glibc later asks for the table by stat(2) at each
 * name; if the call is refused, glibc goes on with the table which it has read. */
static void read_name_services(void)
{
	getservbyname("domain", "udp");
}

/* Adds all rules of the table which are needed.  Returns the number of calls which they allow. */
static unsigned add_needed_rules(struct program *p, const struct cli_confinement *how)
{
	unsigned calls = 0;
	int last = -1;

	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (!is_needed(rules[i].when, how))
			continue;
		add_rule(p, &rules[i]);
		calls += rules[i].call != last;
		last = rules[i].call;
	}
	return calls;
}

/* Allows signals to this process: abort(3).  musl's abort names the thread alone, which is the
 * process's number on the first thread; on others abort crashes instead.  Returns the number of
 * calls. */
static unsigned add_self_signal_rules(struct program *p)
{
	const uint32_t self = (uint32_t)getpid();
	const struct rule tgkill = { SYS_tgkill, ALWAYS, 0, UINT32_MAX, self };
	const struct rule tkill = { SYS_tkill, ALWAYS, 0, UINT32_MAX, self };

	add_rule(p, &tgkill);
	add_rule(p, &tkill);
	return 2;
}

/* Allows all of fcntl(2) on the descriptor that the writer got: the writer makes a copy.  The
 * descriptor is an output, and so is the copy. */
static void add_copy_rule(struct program *p, const struct cli_confinement *how)
{
	const struct rule copy = { SYS_fcntl, ALWAYS, 0, UINT32_MAX, (uint32_t)how->write_fd };

	if (how->writes && how->write_fd >= 0)
		add_rule(p, &copy);
}

/* Begins a program: no other machine's calls; the accumulator has the call's number then. */
static void begin_program(struct program *p)
{
	p->length = 0;
	emit_load(p, offsetof(struct seccomp_data, arch));
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit_answer(p, SECCOMP_RET_KILL_PROCESS);
	emit_load(p, offsetof(struct seccomp_data, nr));
	emit_seccomp(p, BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1);
	emit_answer(p, SECCOMP_RET_ERRNO | ENOSYS);
}

/* Builds the filter program.  Returns the number of calls which the program allows. */
static unsigned build_program(struct program *p, const struct cli_confinement *how)
{
	unsigned calls = 2; /* write and writev */

	begin_program(p);
	add_write_rules(p);
	calls += add_needed_rules(p, how);
	add_copy_rule(p, how);
	calls += add_self_signal_rules(p);
	emit_seccomp(p, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 1, 0);
	emit_seccomp(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	emit_answer(p, SECCOMP_RET_ERRNO | ENOSYS);
	emit_answer(p, SECCOMP_RET_ERRNO | EPERM);
	return calls;
}

/* Installs a filter program.  Returns 0 or an errno. */
static int install_calls(struct program *p)
{
	struct sock_fprog program = { .len = (unsigned short)p->length, .filter = p->code };

	if (p->length > ROOM)
		return E2BIG;
	/* Before Linux 5.16 a filter also switches speculation off, which costs packets and is no
	 * part of the confinement */
	if (!syscall(
		    SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program))
		return 0;
	if (errno != EINVAL)
		return errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? errno : 0;
}

int cli_seccomp(const struct cli_confinement *how, unsigned *calls)
{
	static struct program p;

	if (is_needed(FILTER, how))
		read_name_services();
	*calls = build_program(&p, how);
	return install_calls(&p);
}

int cli_confine_owners(void)
{
	static struct program p;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return errno;
	begin_program(&p);
	for (size_t i = 0; i < sizeof owner_rules / sizeof *owner_rules; i++)
		add_rule(&p, &owner_rules[i]);
	add_self_signal_rules(&p);
	emit_answer(&p, SECCOMP_RET_ERRNO | EPERM);
	return install_calls(&p);
}

#endif
