/* SPDX-License-Identifier: MIT */
/* The seed of the hash (random.h); the only caller of the system's random source; stateless.
 *
 * A kernel that has just booted may have no random numbers yet, and its plain calls wait for them
 * without an end: Linux's getrandom(2), FreeBSD's random(4).  Both are asked not to wait.  macOS
 * and OpenBSD seed their kernels before the first process, and NetBSD's urandom never waits. */
#include "base/random.h"

#include "base/clock.h"
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/auxv.h>
#include <sys/syscall.h>
#elif defined(__FreeBSD__) || defined(__APPLE__)
#include <sys/random.h>
#endif

#define LOOK_NS INT64_C(10000000)

#if !defined(__FreeBSD__) && !defined(__APPLE__) && !defined(__OpenBSD__)
static int read_urandom(void *to, size_t bytes)
{
	int fd = bpei_fd_open("/dev/urandom", O_RDONLY | O_NONBLOCK);
	if (fd < 0)
		return errno;
	ssize_t n = read(fd, to, bytes);
	int failed = n < 0 ? errno : 0;
	if (n >= 0 && n != (ssize_t)bytes)
		failed = EIO;
	close(fd);
	return failed;
}
#endif

static int draw_random(void *to, size_t bytes)
{
#if defined(__linux__) && defined(SYS_getrandom)
	enum { NONBLOCK = 1 }; /* GRND_NONBLOCK, which old headers lack */
	long n = syscall(SYS_getrandom, to, bytes, NONBLOCK);
	if (n == (long)bytes)
		return 0;
	if (n < 0 && errno != ENOSYS && errno != EPERM)
		return errno;
	return read_urandom(to, bytes);
#elif defined(__FreeBSD__)
	ssize_t n = getrandom(to, bytes, GRND_NONBLOCK);
	if (n == (ssize_t)bytes)
		return 0;
	return n < 0 ? errno : EIO;
#elif defined(__APPLE__) || defined(__OpenBSD__)
	return getentropy(to, bytes) ? errno : 0;
#else
	return read_urandom(to, bytes);
#endif
}

const struct bpei_random_sys bpei_random_sys_real = { draw_random, bpei_clock_mono_ns,
	bpei_clock_sleep_ns };

/* Mixes v into the seed, by splitmix64. */
static uint64_t mix_entropy(uint64_t seed, uint64_t v)
{
	v += seed + UINT64_C(0x9e3779b97f4a7c15);
	v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
	return v ^ v >> 31;
}

/* Returns a seed from facts which differ from start to start: clocks, the process, addresses of
 * memory, and on Linux 16 bytes from the kernel. */
static uint64_t gather_entropy(const struct bpei_random_sys *sys)
{
	uint64_t seed = mix_entropy((uint64_t)bpei_clock_wall_ns(), (uint64_t)sys->now_ns());
	seed = mix_entropy(seed, (uint64_t)getpid() << 32 ^ (uint64_t)getppid());
	seed = mix_entropy(seed, (uint64_t)(uintptr_t)&seed);
	seed = mix_entropy(seed, (uint64_t)(uintptr_t)&bpei_random_sys_real);
	seed = mix_entropy(seed, (uint64_t)(uintptr_t)(void *)&errno);
#if defined(__linux__)
	uint64_t given[2] = { 0, 0 };
	const uint8_t *at = (const uint8_t *)getauxval(AT_RANDOM);
	if (at)
		memcpy(given, at, sizeof given);
	seed = mix_entropy(mix_entropy(seed, given[0]), given[1]);
#endif
	for (int i = 0; i < 64; i++)
		seed = mix_entropy(seed, (uint64_t)bpei_clock_mono_ns()); /* the clock's jitter */
	return seed;
}

uint64_t bpei_random_seed(const struct bpei_random_sys *sys, bool *weak)
{
	uint64_t seed = 0;
	int64_t since = sys->now_ns(), failed;
	while ((failed = sys->draw(&seed, sizeof seed)) == EAGAIN || failed == EINTR) {
		if (sys->now_ns() - since >= BPEI_RANDOM_WAIT_NS)
			break;
		sys->sleep_ns(LOOK_NS);
	}
	*weak = failed;
	return failed ? gather_entropy(sys) : seed;
}
