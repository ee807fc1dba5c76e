/* SPDX-License-Identifier: MIT */
/* Functions for all shims, and the shims of clocks, rights and frameworks.  Numbers and layouts
 * come from macOS's public headers. */
#define _GNU_SOURCE
#include "macho.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FDS 1024
static int log_fd = -1;
static uint8_t bpf_fd[FDS];

void note(const char *format, ...)
{
	if (log_fd < 0)
		return;
	char text[1024];
	int before = errno;
	va_list a;
	va_start(a, format);
	int n = vsnprintf(text, sizeof text - 1, format, a);
	va_end(a);
	if (n > (int)sizeof text - 2)
		n = sizeof text - 2;
	text[n++] = '\n';
	if (write(log_fd, text, (size_t)n) < 0)
		log_fd = -1;
	errno = before;
}

int is_bpf_fd(int fd)
{
	return fd >= 0 && fd < FDS && bpf_fd[fd];
}
void set_bpf_fd(int fd, int yes)
{
	if (fd >= 0 && fd < FDS)
		bpf_fd[fd] = (uint8_t)yes;
}

const char *here_path(const char *path, char *room, size_t bytes, int *is_bpf)
{
	const char *node = getenv("MACHO_BPF");
	*is_bpf = 0;
	if (!strncmp(path, "/dev/bpf", 8)) {
		*is_bpf = 1;
		if (node)
			snprintf(room, bytes, "%s%s", node, path + 8);
		return node ? room : path;
	}
	if (node && !strncmp(path, node, strlen(node)))
		*is_bpf = 1; /* --bpf-device names it */
	if (!strncmp(path, "/private/", 9) && access("/private", F_OK))
		return path + 8;
	return path;
}

int darwin_open_flags(int f)
{
	int l = f & 3;
	if (f & 0x4)
		l |= O_NONBLOCK;
	if (f & 0x8)
		l |= O_APPEND;
	if (f & 0x100)
		l |= O_NOFOLLOW;
	if (f & 0x200)
		l |= O_CREAT;
	if (f & 0x400)
		l |= O_TRUNC;
	if (f & 0x800)
		l |= O_EXCL;
	if (f & 0x20000)
		l |= O_NOCTTY;
	if (f & 0x100000)
		l |= O_DIRECTORY;
	if (f & 0x1000000)
		l |= O_CLOEXEC;
	if (f & ~0x1120f0f)
		note("open flags 0x%x: some are not known here", f);
	return l;
}

static int s_clock_gettime(int id, struct timespec *t)
{
	switch (id) {
	case 0:
		return clock_gettime(CLOCK_REALTIME, t);
	case 6:
		return clock_gettime(CLOCK_BOOTTIME, t); /* Darwin's runs on in sleep */
	case 4:
	case 5:
		return clock_gettime(CLOCK_MONOTONIC_RAW, t);
	case 8:
	case 9:
		return clock_gettime(CLOCK_MONOTONIC, t);
	case 12:
		return clock_gettime(CLOCK_PROCESS_CPUTIME_ID, t);
	case 16:
		return clock_gettime(CLOCK_THREAD_CPUTIME_ID, t);
	default:
		note("clock %d", id);
		return fail_as(22);
	}
}

static long s_sysconf(int name)
{
	switch (name) {
	case 4:
		return 16;
	case 29:
		return 4096;
	case 57:
		return sysconf(_SC_NPROCESSORS_CONF);
	case 58:
		return sysconf(_SC_NPROCESSORS_ONLN);
	default:
		note("sysconf %d: not known here", name);
		return fail_as(22);
	}
}

/* Rights.  Changes of user and group are only noted here, because a served node refuses another
 * user.  A child, and a program with $MACHO_REAL_IDS, makes the calls. */
static struct {
	uint32_t r, e, s;
} user, group;
static int real_ids, group_count;

static int set_id(
	uint32_t v, int effective_only, typeof(user) *o, int (*call)(uint32_t), const char *what)
{
	int root = !user.e;
	int r = 0;
	if (!root && v != o->r && v != o->s)
		r = -1;
	note("%s(%d): %s", what, (int)v, r ? "EPERM" : "done");
	if (r)
		return fail_as(1);
	if (real_ids && call(v))
		return -1;
	o->e = v;
	if (!effective_only && root)
		o->r = o->s = v;
	return 0;
}
static int s_setuid(uint32_t v)
{
	return set_id(v, 0, &user, (int (*)(uint32_t))setuid, "setuid");
}
static int s_seteuid(uint32_t v)
{
	return set_id(v, 1, &user, (int (*)(uint32_t))seteuid, "seteuid");
}
static int s_setgid(uint32_t v)
{
	return set_id(v, 0, (void *)&group, (int (*)(uint32_t))setgid, "setgid");
}
static int s_setegid(uint32_t v)
{
	return set_id(v, 1, (void *)&group, (int (*)(uint32_t))setegid, "setegid");
}
static uint32_t s_getuid(void)
{
	return user.r;
}
static int s_issetugid(void)
{
	return user.r != user.e || group.r != group.e;
}
static uint32_t s_geteuid(void)
{
	return user.e;
}
static int s_setgroups(int n, const uint32_t *g)
{
	note("setgroups(%d, %d)", n, n > 0 ? (int)g[0] : 0);
	if (user.e)
		return fail_as(1);
	if (n < 0 || n > 16)
		return fail_as(22);
	group_count = n;
	return real_ids ? setgroups((size_t)n, g) : 0;
}

static int s_fork(void)
{
	if (sandboxed && !sandbox_allows("process-fork", NULL))
		return fail_as(1);
	int child = fork();
	if (!child)
		real_ids = 1;
	return child;
}

struct darwin_passwd {
	char *name, *passwd;
	uint32_t uid, gid;
	int64_t change;
	char *class, *gecos, *dir, *shell;
	int64_t expire;
};
static struct darwin_passwd *put_passwd(const struct passwd *p)
{
	static struct darwin_passwd d;
	static char empty[] = "";
	if (!p)
		return NULL;
	d = (struct darwin_passwd){ .name = p->pw_name,
		.passwd = p->pw_passwd,
		.uid = p->pw_uid,
		.gid = p->pw_gid,
		.class = empty,
		.gecos = p->pw_gecos,
		.dir = p->pw_dir,
		.shell = p->pw_shell };
	if (!strcmp(p->pw_name, "nobody"))
		d.uid = d.gid = (uint32_t)-2; /* as on every Mac */
	return &d;
}
static struct darwin_passwd *s_getpwnam(const char *name)
{
	return sandboxed && !sandbox_allows("mach-lookup", NULL) ? NULL
								 : put_passwd(getpwnam(name));
}
static struct darwin_passwd *s_getpwuid(uint32_t uid)
{
	return sandboxed && !sandbox_allows("mach-lookup", NULL) ? NULL : put_passwd(getpwuid(uid));
}
static int s_getgrouplist(const char *name, int base, int *g, int *n)
{
	if (!strcmp(name, "nobody")) { /* everyone, localaccounts */
		int all[] = { base, 12, 61 };
		int fits = *n >= 3;
		for (int i = 0; i < 3 && i < *n; i++)
			g[i] = all[i];
		*n = fits ? 3 : *n;
		return fits ? 0 : -1;
	}
	return getgrouplist(name, (gid_t)base, (gid_t *)g, n) < 0 ? -1 : 0;
}

static int s_proc_name(int pid, void *to, uint32_t room)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/comm", pid);
	FILE *f = fopen(path, "re");
	if (!f) {
		fail_as(3);
		return 0;
	}
	size_t n = fread(to, 1, room - 1, f);
	fclose(f);
	while (n && ((char *)to)[n - 1] == '\n')
		n--;
	((char *)to)[n] = 0;
	return (int)n;
}

static int s_sysctlbyname(const char *name, void *old, size_t *length, const void *new, size_t n)
{
	(void)old, (void)length, (void)new, (void)n;
	if (sandboxed && !sandbox_allows("sysctl-read", NULL))
		return fail_as(1);
	note("sysctl %s: ENOENT", name);
	return fail_as(2); /* as macOS 11 and 12 for debug.bpf_stats */
}

/* Opens a framework: $MACHO_FRAMEWORKS names a Linux library with the functions. */
static void *s_dlopen(const char *path, int how)
{
	(void)how;
	if (sandboxed && !sandbox_allows("file-read-data", path))
		return NULL;
	note("dlopen %s", path);
	const char *stand_in = getenv("MACHO_FRAMEWORKS");
	return stand_in ? dlopen(stand_in, RTLD_LAZY | RTLD_LOCAL) : NULL;
}
static void *s_dlsym(void *library, const char *name)
{
	return library ? dlsym(library, name) : NULL;
}

static void stub_binder(void)
{
	fputs("machorun: the stub binder was called\n", stderr);
	abort();
}

static void last_words(void)
{
	note("at the end: %lu kevent, %lu of them with NOTE_LOWAT, %lu kqueue", kevents,
		kevents_low, kqueues);
}

void shim_text_start(void);
void shim_start(void)
{
	const char *log = getenv("MACHO_LOG");
	if (log)
		log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	user.r = getuid();
	user.e = user.s = geteuid();
	group.r = getgid();
	group.e = group.s = getegid();
	real_ids = getenv("MACHO_REAL_IDS") != NULL;
	shim_text_start();
	if (log_fd >= 0)
		atexit(last_words);
}

void tlv_thunk(void);
const struct shim shims_system[] = {
	{ "__tlv_bootstrap", tlv_thunk },
	{ "dyld_stub_binder", stub_binder },
	{ "__exit", _exit },
	{ "_clock_gettime", s_clock_gettime },
	{ "_dlopen", s_dlopen },
	{ "_dlsym", s_dlsym },
	{ "_fork", s_fork },
	{ "_geteuid", s_geteuid },
	{ "_getgrouplist", s_getgrouplist },
	{ "_getpwnam", s_getpwnam },
	{ "_getpwuid", s_getpwuid },
	{ "_getuid", s_getuid },
	{ "_isatty", isatty },
	{ "_issetugid", s_issetugid },
	{ "_kill", kill },
	{ "_lseek", lseek },
	{ "_munmap", munmap },
	{ "_nanosleep", nanosleep },
	{ "_pipe", pipe },
	{ "_proc_name", s_proc_name },
	{ "_pthread_self", pthread_self },
	{ "_setegid", s_setegid },
	{ "_seteuid", s_seteuid },
	{ "_setgid", s_setgid },
	{ "_setgroups", s_setgroups },
	{ "_setuid", s_setuid },
	{ "_sysconf", s_sysconf },
	{ "_sysctlbyname", s_sysctlbyname },
	{ "_waitpid", waitpid },
	{ "_getentropy", getentropy },
	{ "_getpid", getpid },
	{ "_getppid", getppid },
	{ NULL, NULL },
};

void *shim_find(const char *name)
{
	const struct shim *const all[] = { shims_system, shims_sandbox, shims_files, shims_kqueue,
		shims_threads, shims_text, shims_net, shims_writer, shims_crypto, shims_socket };
	for (size_t k = 0; k < sizeof all / sizeof *all; k++)
		for (const struct shim *s = all[k]; s->name; s++)
			if (!strcmp(s->name, name))
				return s->at;
	return NULL;
}
