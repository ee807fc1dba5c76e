/* SPDX-License-Identifier: MIT */
/* Counts the live allocations, mappings and threads of the library, and lets an allocation fail.
 * The linker puts these functions in front of the C library's (--wrap), for one plain program. */
#ifndef ALLOC_COUNT_H
#define ALLOC_COUNT_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

enum { ALLOC_MOST = 65536 };

static pthread_mutex_t alloc_mutex = PTHREAD_MUTEX_INITIALIZER;
static void *alloc_live[ALLOC_MOST];
static size_t alloc_count;      /* of alloc_live */
static size_t alloc_mapped;     /* bytes */
static uint64_t alloc_asked;    /* allocations, mappings and threads asked for */
static uint64_t alloc_fails_at; /* number of alloc_asked that fails; 0: none */

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__real_realloc(void *p, size_t bytes);
void __real_free(void *p);
int __real_posix_memalign(void **p, size_t alignment, size_t bytes);
char *__real_strdup(const char *text);
void *__real_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *p, size_t bytes);
int __real_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);
void *__wrap_realloc(void *p, size_t bytes);
void __wrap_free(void *p);
int __wrap_posix_memalign(void **p, size_t alignment, size_t bytes);
char *__wrap_strdup(const char *text);
void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset);
int __wrap_munmap(void *p, size_t bytes);
int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

/* Counts a request.  Returns true if the request is to fail. */
static bool ask_for_memory(void)
{
	pthread_mutex_lock(&alloc_mutex);
	const bool fails = ++alloc_asked == alloc_fails_at;

	pthread_mutex_unlock(&alloc_mutex);
	if (fails)
		errno = ENOMEM;
	return fails;
}

static void *note_alive(void *p)
{
	if (!p)
		return p;
	pthread_mutex_lock(&alloc_mutex);
	if (alloc_count == ALLOC_MOST) {
		fputs("too many allocations are alive\n", stderr);
		abort();
	}
	alloc_live[alloc_count++] = p;
	pthread_mutex_unlock(&alloc_mutex);
	return p;
}

/* Forgets an allocation.  Memory of the C library's own functions is unknown. */
static void note_dead(const void *p)
{
	pthread_mutex_lock(&alloc_mutex);
	for (size_t k = alloc_count; p && k-- > 0;)
		if (alloc_live[k] == p) {
			alloc_live[k] = alloc_live[--alloc_count];
			break;
		}
	pthread_mutex_unlock(&alloc_mutex);
}

static void note_mapped(size_t bytes, bool mapped)
{
	pthread_mutex_lock(&alloc_mutex);
	alloc_mapped += mapped ? bytes : 0 - bytes;
	pthread_mutex_unlock(&alloc_mutex);
}

void *__wrap_malloc(size_t bytes)
{
	return ask_for_memory() ? NULL : note_alive(__real_malloc(bytes));
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return ask_for_memory() ? NULL : note_alive(__real_calloc(n, bytes));
}

void *__wrap_realloc(void *p, size_t bytes)
{
	if (ask_for_memory())
		return NULL;
	note_dead(p);
	return note_alive(__real_realloc(p, bytes));
}

void __wrap_free(void *p)
{
	note_dead(p);
	__real_free(p);
}

int __wrap_posix_memalign(void **p, size_t alignment, size_t bytes)
{
	if (ask_for_memory())
		return ENOMEM;
	const int failed = __real_posix_memalign(p, alignment, bytes);

	if (!failed)
		note_alive(*p);
	return failed;
}

char *__wrap_strdup(const char *text)
{
	return ask_for_memory() ? NULL : note_alive(__real_strdup(text));
}

void *__wrap_mmap(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	void *const failed = (void *)-1;
	void *p = failed;

	if (!ask_for_memory())
		p = __real_mmap(at, bytes, protection, flags, fd, offset);
	if (p != failed)
		note_mapped(bytes, true);
	return p;
}

/* Maps as mmap does: on 64-bit systems both names have the same parameters. */
void *__wrap_mmap64(void *at, size_t bytes, int protection, int flags, int fd, off_t offset)
{
	return __wrap_mmap(at, bytes, protection, flags, fd, offset);
}

int __wrap_munmap(void *p, size_t bytes)
{
	note_mapped(bytes, false);
	return __real_munmap(p, bytes);
}

int __wrap_pthread_create(
	pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
	if (ask_for_memory())
		return EAGAIN;
	return __real_pthread_create(thread, attributes, run, argument);
}

#endif
