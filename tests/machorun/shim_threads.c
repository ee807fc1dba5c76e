/* SPDX-License-Identifier: MIT */
/* Shims of signals and threads, in Darwin's numbers and layouts. */
#define _GNU_SOURCE
#include "macho.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define LINUX_INFO (SIGRTMIN + 1) /* stands for SIGINFO here */
static const struct {
	int here, there;
} signals[] = { { SIGHUP, 1 }, { SIGINT, 2 }, { SIGQUIT, 3 }, { SIGILL, 4 }, { SIGTRAP, 5 },
	{ SIGABRT, 6 }, { SIGFPE, 8 }, { SIGKILL, 9 }, { SIGBUS, 10 }, { SIGSEGV, 11 },
	{ SIGSYS, 12 }, { SIGPIPE, 13 }, { SIGALRM, 14 }, { SIGTERM, 15 }, { SIGURG, 16 },
	{ SIGSTOP, 17 }, { SIGTSTP, 18 }, { SIGCONT, 19 }, { SIGCHLD, 20 }, { SIGTTIN, 21 },
	{ SIGTTOU, 22 }, { SIGIO, 23 }, { SIGXCPU, 24 }, { SIGXFSZ, 25 }, { SIGVTALRM, 26 },
	{ SIGPROF, 27 }, { SIGWINCH, 28 }, { SIGUSR1, 30 }, { SIGUSR2, 31 } };
static void (*handlers[32])(int);
struct darwin_sigaction {
	void (*handler)(int);
	uint32_t mask;
	int flags;
};
_Static_assert(sizeof(struct darwin_sigaction) == 16, "struct sigaction");

static int signal_here(int there)
{
	if (there == 29)
		return LINUX_INFO;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signals[i].there == there)
			return signals[i].here;
	return 0;
}

static int signal_there(int here)
{
	if (here == LINUX_INFO)
		return 29;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signals[i].here == here)
			return signals[i].there;
	return 0;
}

static void mask_here(uint32_t m, sigset_t *s)
{
	sigemptyset(s);
	for (int i = 1; i < 32; i++)
		if (m >> (i - 1) & 1 && signal_here(i))
			sigaddset(s, signal_here(i));
}

static void deliver_signal(int here)
{
	int there = signal_there(here);
	int linux_errno = errno;
	int darwin = darwin_errno;
	note("signal %d", there);
	if (handlers[there])
		handlers[there](there);
	errno = linux_errno;
	darwin_errno = darwin;
}

static int signal_flags_here(int there)
{
	int here = 0;
	if (there & 2)
		here |= SA_RESTART;
	if (there & 4)
		here |= (int)SA_RESETHAND;
	if (there & 8)
		here |= SA_NOCLDSTOP;
	if (there & 0x10)
		here |= SA_NODEFER;
	return here;
}

static int s_sigaction(int there, const struct darwin_sigaction *d, struct darwin_sigaction *old)
{
	int here = signal_here(there);
	if (!here || there == 9 || there == 17)
		return fail_as(22);
	if (old)
		*old = (struct darwin_sigaction){ .handler = handlers[there] };
	if (!d)
		return 0;
	struct sigaction a = { .sa_flags = signal_flags_here(d->flags) };
	if (d->flags & 0x40)
		note("SA_SIGINFO: not written");
	mask_here(d->mask, &a.sa_mask);
	a.sa_handler = (uintptr_t)d->handler <= 1 ? d->handler : deliver_signal;
	handlers[there] = d->handler;
	note("sigaction %d: %p", there, (void *)(uintptr_t)d->handler);
	return sigaction(here, &a, NULL);
}

static int s_pthread_sigmask(int how, const uint32_t *set, uint32_t *old)
{
	sigset_t s, o;
	if (set)
		mask_here(*set, &s);
	int r = pthread_sigmask(how - 1, set ? &s : NULL, &o);
	if (old) {
		*old = 0;
		for (int i = 1; i < 32; i++)
			if (signal_here(i) && sigismember(&o, signal_here(i)) == 1)
				*old |= 1u << (i - 1);
	}
	return to_darwin_errno(r);
}

/* Writes the signals of the set in Darwin's numbers. */
static void mask_there(const sigset_t *here, uint32_t *there)
{
	*there = 0;
	for (int i = 1; i < 32; i++)
		if (signal_here(i) && sigismember(here, signal_here(i)) == 1)
			*there |= 1u << (i - 1);
}

static int s_sigpending(uint32_t *set)
{
	sigset_t pending;
	if (sigpending(&pending))
		return -1;
	mask_there(&pending, set);
	return 0;
}

static int s_sigwait(const uint32_t *set, int *there)
{
	sigset_t s;
	int here = 0;
	mask_here(*set, &s);
	int r = sigwait(&s, &here);
	*there = signal_there(here);
	return to_darwin_errno(r);
}

typedef void (*handler_fn)(int);

static handler_fn s_signal(int there, handler_fn handler)
{
	struct darwin_sigaction d = { .handler = handler, .flags = 2 };
	struct darwin_sigaction old = { .handler = SIG_ERR };
	return s_sigaction(there, &d, &old) ? SIG_ERR : old.handler;
}

static int s_sigprocmask(int how, const uint32_t *set, uint32_t *old)
{
	int failed = s_pthread_sigmask(how, set, old);
	return failed ? fail_as(failed) : 0;
}

/* Threads.  The Linux mutex lies in Darwin's opaque part; zero is unlocked on both systems.  The
 * condition is a counter in the opaque part. */
struct darwin_mutex {
	long sig;
	union {
		char opaque[56];
		pthread_mutex_t m;
	} u;
};
struct darwin_cond {
	long sig;
	union {
		char opaque[40];
		uint32_t seq;
	} u;
};
_Static_assert(
	sizeof(struct darwin_mutex) == 64 && sizeof(struct darwin_cond) == 48, "pthread objects");

static int is_mutex(struct darwin_mutex *m)
{
	if (m->sig == 0x32AAABA7 || m->sig == 0x4D555458)
		return 1;
	fprintf(stderr, "machorun: a mutex that was never initialised: %p sig 0x%lx\n", (void *)m,
		(unsigned long)m->sig);
	return 0;
}
static int is_cond(struct darwin_cond *c)
{
	if (c->sig == 0x3CB0B1BB || c->sig == 0x434F4E44)
		return 1;
	fprintf(stderr, "machorun: a condition that was never initialised: %p sig 0x%lx\n",
		(void *)c, (unsigned long)c->sig);
	return 0;
}
static int s_mutex_init(struct darwin_mutex *m, const void *attr)
{
	if (attr)
		note("mutex attributes: not written");
	memset(m, 0, sizeof *m);
	m->sig = 0x4D555458;
	return 0;
}
static int s_mutex_destroy(struct darwin_mutex *m)
{
	if (!is_mutex(m))
		return 22;
	int r = pthread_mutex_destroy(&m->u.m);
	if (!r)
		m->sig = 0;
	return to_darwin_errno(r);
}
static int s_mutex_lock(struct darwin_mutex *m)
{
	return is_mutex(m) ? to_darwin_errno(pthread_mutex_lock(&m->u.m)) : 22;
}
static int s_mutex_trylock(struct darwin_mutex *m)
{
	return is_mutex(m) ? to_darwin_errno(pthread_mutex_trylock(&m->u.m)) : 22;
}
static int s_mutex_unlock(struct darwin_mutex *m)
{
	return is_mutex(m) ? to_darwin_errno(pthread_mutex_unlock(&m->u.m)) : 22;
}
static int s_cond_init(struct darwin_cond *c, const void *attr)
{
	if (attr)
		note("condition attributes: not written");
	memset(c, 0, sizeof *c);
	c->sig = 0x434F4E44;
	return 0;
}
static int s_cond_destroy(struct darwin_cond *c)
{
	if (!is_cond(c))
		return 22;
	c->sig = 0;
	return 0;
}
static int s_cond_wait(struct darwin_cond *c, struct darwin_mutex *m)
{
	if (!is_cond(c) || !is_mutex(m))
		return 22;
	uint32_t seen = __atomic_load_n(&c->u.seq, __ATOMIC_ACQUIRE);
	pthread_mutex_unlock(&m->u.m);
	syscall(SYS_futex, &c->u.seq, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
	pthread_mutex_lock(&m->u.m);
	return 0;
}
static int s_cond_timedwait_relative(
	struct darwin_cond *c, struct darwin_mutex *m, const struct timespec *time)
{
	if (!is_cond(c) || !is_mutex(m))
		return 22;
	uint32_t seen = __atomic_load_n(&c->u.seq, __ATOMIC_ACQUIRE);
	pthread_mutex_unlock(&m->u.m);
	long r = syscall(SYS_futex, &c->u.seq, FUTEX_WAIT_PRIVATE, seen, time, NULL, 0);
	int is_late = r < 0 && errno == ETIMEDOUT;
	pthread_mutex_lock(&m->u.m);
	return is_late ? to_darwin_errno(ETIMEDOUT) : 0;
}
static int s_cond_signal(struct darwin_cond *c)
{
	if (!is_cond(c))
		return 22;
	__atomic_add_fetch(&c->u.seq, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &c->u.seq, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	return 0;
}
static int s_cond_broadcast(struct darwin_cond *c)
{
	if (!is_cond(c))
		return 22;
	__atomic_add_fetch(&c->u.seq, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, &c->u.seq, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
	return 0;
}

static int s_pthread_create(pthread_t *t, const void *attr, void *(*f)(void *), void *argument)
{
	pthread_attr_t a;
	if (attr)
		note("thread attributes: not written");
	pthread_attr_init(&a);
	pthread_attr_setstacksize(&a, 512 << 10); /* the stack of a second thread on macOS */
	int r = pthread_create(t, &a, f, argument);
	pthread_attr_destroy(&a);
	note("pthread_create: %d", r);
	return to_darwin_errno(r);
}
static int s_pthread_join(pthread_t t, void **r)
{
	return to_darwin_errno(pthread_join(t, r));
}
static int s_pthread_setname(const char *name)
{
	if (strlen(name) > 63)
		return 63;
	char cut[16];
	snprintf(cut, sizeof cut, "%s", name);
	return to_darwin_errno(pthread_setname_np(pthread_self(), cut));
}
static uint32_t s_mach_thread(pthread_t t)
{
	(void)t;
	return 0x103;
}
static int s_qos(unsigned class, int relative)
{
	note("QoS class 0x%x %d", class, relative);
	return class == 0x21 || class == 0x19 || class == 0x15 || class == 0x11 || class == 9 ? 0
											      : 22;
}
static int s_thread_policy_set(uint32_t thread, uint32_t flavour, const int *policy, uint32_t count)
{
	note("thread_policy_set thread 0x%x flavour %u count %u tag %d", thread, flavour, count,
		policy[0]);
	if (flavour != 4 || count != 1)
		return 4;
	return getenv("MACHO_SILICON") ? 46 : 0;
}

const struct shim shims_threads[] = {
	{ "_pthread_cond_broadcast", s_cond_broadcast },
	{ "_pthread_cond_destroy", s_cond_destroy },
	{ "_pthread_cond_init", s_cond_init },
	{ "_pthread_cond_signal", s_cond_signal },
	{ "_pthread_cond_timedwait_relative_np", s_cond_timedwait_relative },
	{ "_pthread_cond_wait", s_cond_wait },
	{ "_pthread_create", s_pthread_create },
	{ "_pthread_join", s_pthread_join },
	{ "_pthread_mach_thread_np", s_mach_thread },
	{ "_pthread_mutex_destroy", s_mutex_destroy },
	{ "_pthread_mutex_init", s_mutex_init },
	{ "_pthread_mutex_lock", s_mutex_lock },
	{ "_pthread_mutex_trylock", s_mutex_trylock },
	{ "_pthread_mutex_unlock", s_mutex_unlock },
	{ "_pthread_set_qos_class_self_np", s_qos },
	{ "_pthread_setname_np", s_pthread_setname },
	{ "_pthread_sigmask", s_pthread_sigmask },
	{ "_signal", s_signal },
	{ "_sigpending", s_sigpending },
	{ "_sigwait", s_sigwait },
	{ "_sigaction", s_sigaction },
	{ "_thread_policy_set", s_thread_policy_set },
	{ "_sigprocmask", s_sigprocmask },
	{ NULL, NULL },
};
