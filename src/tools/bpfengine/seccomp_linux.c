/* SPDX-License-Identifier: MIT */
/* The system calls that a running capture makes (seccomp(2)), on x86-64 and arm64, of glibc and of
 * musl; the program that judges them is made here, by the kernel's headers alone.
 *
 * What is not on the list fails with EPERM, or with ENOSYS where it is newer than the list; nothing
 * is killed.  A C library of another year, or what is preloaded, tries a call and falls back on
 * another: that must not cost a capture, and whoever broke in gets the call in neither way.  What
 * is written goes to outputs alone; nothing is told of a file by its name.  clone3 is ENOSYS, too:
 * its flags lie in memory, where they cannot be judged, and every C library then takes clone, which
 * may make threads here, not processes.  Only a call of another machine's ABI ends the process. */
#include "confine_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
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

int cli_seccomp(const struct cli_confinement *how, unsigned *calls)
{
	return (void)how, (void)calls, ENOTSUP;
}

#else

#ifndef SECCOMP_FILTER_FLAG_SPEC_ALLOW
#define SECCOMP_FILTER_FLAG_SPEC_ALLOW 4u /* Linux 4.17 */
#endif
#ifndef SYS_rseq
#define SYS_rseq                                                                                   \
	(ARCH == AUDIT_ARCH_X86_64 ? 334                                                           \
				   : 293) /* musl has no name for it, and makes no use of it */
#endif
#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#define NEWEST 470u     /* calls with higher numbers are later than this list */
#define X32 0x40000000u /* x86-64: calls of the x32 ABI */
#define ROOM 1024u
#define RANGES 128u

enum when {
	ALWAYS,
	FILTER,
	LIVE,
	BPF,
	TUNED,
	TERMINAL,
	OUTPUT
}; /* write and writev: see add_writes */

/* Allowed if (argument & mask) == value; mask 0: whatever the arguments.  Of a call's lines one is
 * enough. */
struct rule {
	int call;
	enum when when;
	int argument;
	uint32_t mask, value;
};

#ifndef O_PATH
#define O_PATH 010000000
#endif
/* What opening to read leaves out; O_PATH, too, which is not asked for a right and then tells of
 * the file by fstat. */
#define WRITES (O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY) | O_PATH)

/* Flags that make no difference to what may be opened: musl's O_LARGEFILE, and root's O_NOFOLLOW.
 */
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
	/* time and signals; restart_syscall goes on with what SIGSTOP broke off */
	{ SYS_clock_gettime, ALWAYS, 0, 0, 0 }, { SYS_clock_getres, ALWAYS, 0, 0, 0 },
	{ SYS_gettimeofday, ALWAYS, 0, 0, 0 }, { SYS_nanosleep, ALWAYS, 0, 0, 0 },
	{ SYS_clock_nanosleep, ALWAYS, 0, 0, 0 }, { SYS_restart_syscall, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigaction, ALWAYS, 0, 0, 0 }, { SYS_rt_sigprocmask, ALWAYS, 0, 0, 0 },
	{ SYS_rt_sigreturn, ALWAYS, 0, 0, 0 }, { SYS_sigaltstack, ALWAYS, 0, 0, 0 },
	/* memory: none that can be run */
	{ SYS_mmap, ALWAYS, 2, PROT_EXEC, 0 }, { SYS_mprotect, ALWAYS, 2, PROT_EXEC, 0 },
	{ SYS_munmap, ALWAYS, 0, 0, 0 }, { SYS_mremap, ALWAYS, 0, 0, 0 },
	{ SYS_madvise, ALWAYS, 0, 0, 0 }, { SYS_brk, ALWAYS, 0, 0, 0 },
	{ SYS_getrandom, ALWAYS, 0, 0, 0 },
	/* threads: no processes */
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
	{ SYS_ioctl, BPF, 1, 0xff00, 'B' << 8 }, { SYS_ioctl, BPF, 1, UINT32_MAX, FIONBIO },
	/* reading the filter's files, and the tables that its names are from */
	{ SYS_openat, FILTER, 2, WRITES, O_RDONLY },
#ifdef SYS_open
	{ SYS_open, FILTER, 1, WRITES, O_RDONLY },
#endif
	/* opening the flows' file anew, for appending alone; where it may be is Landlock's and the
	   user's rights' to say */
	{ SYS_openat, OUTPUT, 2, ~ANYWAY,
		O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK },
	{ SYS_ftruncate, OUTPUT, 0, 0, 0 }, /* a line that a full disk tore */
};

struct program {
	struct sock_filter code[ROOM];
	unsigned length;
};

static void put(
	struct program *p, unsigned code, uint32_t k, unsigned jump_true, unsigned jump_false)
{
	if (p->length < ROOM)
		p->code[p->length] = (struct sock_filter){ (unsigned short)code,
			(unsigned char)jump_true, (unsigned char)jump_false, k };
	p->length++;
}

static void load(struct program *p, size_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}
static void answer(struct program *p, uint32_t what)
{
	put(p, BPF_RET | BPF_K, what, 0, 0);
}

/* An argument's lower half is all that the kernel looks at in those that are judged here, so what
 * the upper half holds says nothing and hides nothing: both machines are little-endian. */
static void add(struct program *p, const struct rule *r)
{
	if (!r->mask) {
		put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 1);
		answer(p, SECCOMP_RET_ALLOW);
		return;
	}
	put(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)r->call, 0, 5);
	load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)r->argument);
	put(p, BPF_ALU | BPF_AND | BPF_K, r->mask, 0, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, r->value, 0, 1);
	answer(p, SECCOMP_RET_ALLOW);
	load(p, offsetof(struct seccomp_data, nr));
}

static void add_ranges(
	struct program *p, const struct cli_range *ranges, size_t count, uint32_t what)
{
	for (size_t i = 0; i < count; i++) {
		put(p, BPF_JMP | BPF_JGE | BPF_K, ranges[i].first, 0, 2);
		put(p, BPF_JMP | BPF_JGT | BPF_K, ranges[i].last, 1, 0);
		answer(p, what);
	}
}

/* write(2) and writev(2), on outputs alone: a packet socket would send what is written to it. Where
 * the descriptors that are no outputs lie too scattered, those that are outputs are listed instead.
 */
static void add_writes(struct program *p)
{
	struct cli_range ranges[RANGES];
	size_t count = cli_unwritten(ranges, RANGES);
	const bool outputs = count == SIZE_MAX;
	if (outputs)
		count = cli_written(ranges, RANGES);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 2, 0);
	put(p, BPF_JMP | BPF_JEQ | BPF_K, SYS_writev, 1, 0);
	put(p, BPF_JMP | BPF_JA, 2 + 3 * (uint32_t)count, 0, 0);
	load(p, offsetof(struct seccomp_data, args));
	add_ranges(p, ranges, count, outputs ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | EPERM);
	answer(p, outputs ? SECCOMP_RET_ERRNO | EPERM : SECCOMP_RET_ALLOW);
}

static bool is_wanted(enum when when, const struct cli_confinement *how)
{
	switch (when) {
	case FILTER:
		return how->filter || how->file_count;
	case LIVE:
		return how->live;
	case BPF:
		return how->bpf;
	case TUNED:
		return how->tuned;
	case TERMINAL:
		return how->terminal;
	case OUTPUT:
		return how->output;
	default:
		return true;
	}
}

/* glibc looks at its table of name services by stat(2) whenever a name is asked for.  Where that is
 * refused it goes on with what it read before, so it has to have read it. */
static void read_name_services(void)
{
	getservbyname("domain", "udp");
}

int cli_seccomp(const struct cli_confinement *how, unsigned *calls)
{
	static struct program p;
	int last = -1;
	if (is_wanted(FILTER, how))
		read_name_services();
	p.length = *calls = 0;
	load(&p, offsetof(struct seccomp_data, arch));
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	answer(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, offsetof(struct seccomp_data, nr));
	put(&p, BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1);
	answer(&p, SECCOMP_RET_ERRNO | ENOSYS);
	add_writes(&p);
	*calls += 2;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		if (!is_wanted(rules[i].when, how))
			continue;
		add(&p, &rules[i]);
		*calls += rules[i].call != last;
		last = rules[i].call;
	}
	/* Signals for ourselves: abort(3).  musl's, which names the thread alone, from the first
	 * thread; from others it crashes instead. */
	const struct rule self[] = { { SYS_tgkill, ALWAYS, 0, UINT32_MAX, (uint32_t)getpid() },
		{ SYS_tkill, ALWAYS, 0, UINT32_MAX, (uint32_t)getpid() } };
	for (int i = 0; i < 2; i++, ++*calls)
		add(&p, &self[i]);
	put(&p, BPF_JMP | BPF_JGT | BPF_K, NEWEST, 1, 0);
	put(&p, BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
	answer(&p, SECCOMP_RET_ERRNO | ENOSYS);
	answer(&p, SECCOMP_RET_ERRNO | EPERM);
	if (p.length > ROOM)
		return E2BIG;
	struct sock_fprog program = { .len = (unsigned short)p.length, .filter = p.code };
	/* Before Linux 5.16 a filter also switches speculation off, which costs packets: it is not
	 * what holds us. */
	if (!syscall(
		    SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program))
		return 0;
	if (errno != EINVAL)
		return errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) ? errno : 0;
}

#endif
