/* SPDX-License-Identifier: MIT */
/* Shims without system calls: text, memory, stdio (Linux's FILE passes through), options, the errno
 * numbers. */
#define _GNU_SOURCE
#include "macho.h"
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>

/* ---- errno: Darwin's numbers by <sys/errno.h>, and the texts of Darwin's strerror(3) ---- */
static const struct {
	short here, there;
	const char *words;
} numbers[] = {
	{ EPERM, 1, "Operation not permitted" },
	{ ENOENT, 2, "No such file or directory" },
	{ ESRCH, 3, "No such process" },
	{ EINTR, 4, "Interrupted system call" },
	{ EIO, 5, "Input/output error" },
	{ ENXIO, 6, "Device not configured" },
	{ E2BIG, 7, "Argument list too long" },
	{ ENOEXEC, 8, "Exec format error" },
	{ EBADF, 9, "Bad file descriptor" },
	{ ECHILD, 10, "No child processes" },
	{ EDEADLK, 11, "Resource deadlock avoided" },
	{ ENOMEM, 12, "Cannot allocate memory" },
	{ EACCES, 13, "Permission denied" },
	{ EFAULT, 14, "Bad address" },
	{ EBUSY, 16, "Resource busy" },
	{ EEXIST, 17, "File exists" },
	{ EXDEV, 18, "Cross-device link" },
	{ ENODEV, 19, "Operation not supported by device" },
	{ ENOTDIR, 20, "Not a directory" },
	{ EISDIR, 21, "Is a directory" },
	{ EINVAL, 22, "Invalid argument" },
	{ ENFILE, 23, "Too many open files in system" },
	{ EMFILE, 24, "Too many open files" },
	{ ENOTTY, 25, "Inappropriate ioctl for device" },
	{ ETXTBSY, 26, "Text file busy" },
	{ EFBIG, 27, "File too large" },
	{ ENOSPC, 28, "No space left on device" },
	{ ESPIPE, 29, "Illegal seek" },
	{ EROFS, 30, "Read-only file system" },
	{ EMLINK, 31, "Too many links" },
	{ EPIPE, 32, "Broken pipe" },
	{ EDOM, 33, "Numerical argument out of domain" },
	{ ERANGE, 34, "Result too large" },
	{ EAGAIN, 35, "Resource temporarily unavailable" },
	{ EINPROGRESS, 36, "Operation now in progress" },
	{ EALREADY, 37, "Operation already in progress" },
	{ ENOTSOCK, 38, "Socket operation on non-socket" },
	{ EMSGSIZE, 40, "Message too long" },
	{ ENOPROTOOPT, 42, "Protocol not available" },
	{ EPROTONOSUPPORT, 43, "Protocol not supported" },
	{ ENOTSUP, 45, "Operation not supported" },
	{ EAFNOSUPPORT, 47, "Address family not supported by protocol family" },
	{ EADDRINUSE, 48, "Address already in use" },
	{ EADDRNOTAVAIL, 49, "Can't assign requested address" },
	{ ENETDOWN, 50, "Network is down" },
	{ ENETUNREACH, 51, "Network is unreachable" },
	{ ECONNABORTED, 53, "Software caused connection abort" },
	{ ECONNRESET, 54, "Connection reset by peer" },
	{ ENOBUFS, 55, "No buffer space available" },
	{ EISCONN, 56, "Socket is already connected" },
	{ ENOTCONN, 57, "Socket is not connected" },
	{ ETIMEDOUT, 60, "Operation timed out" },
	{ ECONNREFUSED, 61, "Connection refused" },
	{ ELOOP, 62, "Too many levels of symbolic links" },
	{ ENAMETOOLONG, 63, "File name too long" },
	{ EHOSTUNREACH, 65, "No route to host" },
	{ ENOTEMPTY, 66, "Directory not empty" },
	{ EDQUOT, 69, "Disc quota exceeded" },
	{ ESTALE, 70, "Stale NFS file handle" },
	{ ENOLCK, 77, "No locks available" },
	{ ENOSYS, 78, "Function not implemented" },
	{ EOVERFLOW, 84, "Value too large to be stored in data type" },
	{ ECANCELED, 89, "Operation canceled" },
	{ EILSEQ, 92, "Illegal byte sequence" },
	{ EBADMSG, 94, "Bad message" },
	{ EPROTO, 100, "Protocol error" },
};

__thread int darwin_errno;

int to_darwin_errno(int e)
{
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i].here == e)
			return numbers[i].there;
	if (e)
		note("errno %d has no number on Darwin here", e);
	return e ? 5 : 0;
}

int fail_as(int darwin)
{
	errno = 0;
	darwin_errno = darwin;
	return -1;
}

int *shim_error(void)
{
	if (errno) {
		darwin_errno = to_darwin_errno(errno);
		errno = 0;
	}
	return &darwin_errno;
}

const char *darwin_strerror(int e)
{
	static __thread char unknown[40];
	if (!e)
		return "Undefined error: 0";
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (numbers[i].there == e)
			return numbers[i].words;
	snprintf(unknown, sizeof unknown, "Unknown error: %d", e);
	return unknown;
}

/* ---- <ctype.h>: the table for Darwin's inline functions (runetype.h) ---- */
static struct {
	char magic[8], encoding[32];
	void *get, *put;
	int invalid;
	uint32_t type[256];
	int lower[256], upper[256];
	char rest[160];
} runes = { .magic = "RuneMagA", .encoding = "NONE" };

static void make_runes(void)
{
	for (int c = 0; c < 256; c++) {
		uint32_t t = 0;
		if (c < 128) {
			if (isalpha(c))
				t |= 0x100;
			if (iscntrl(c))
				t |= 0x200;
			if (isdigit(c))
				t |= 0x400;
			if (isgraph(c))
				t |= 0x800;
			if (islower(c))
				t |= 0x1000;
			if (ispunct(c))
				t |= 0x2000;
			if (isspace(c))
				t |= 0x4000;
			if (isupper(c))
				t |= 0x8000;
			if (isxdigit(c))
				t |= 0x10000 |
				     (uint32_t)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
			if (c == ' ' || c == '\t')
				t |= 0x20000;
			if (isprint(c))
				t |= 0x40000;
		}
		runes.type[c] = t;
		runes.lower[c] = c < 128 ? tolower(c) : c;
		runes.upper[c] = c < 128 ? toupper(c) : c;
	}
}

static int s_maskrune(int c, unsigned long mask)
{
	return c >= 0 && c < 256 ? (int)(runes.type[c] & mask) : 0;
}
static int s_tolower(int c)
{
	return c >= 0 && c < 256 ? runes.lower[c] : c;
}
static int s_toupper(int c)
{
	return c >= 0 && c < 256 ? runes.upper[c] : c;
}

/* Ends the program as Darwin's _chk functions do. */
_Noreturn static void abort_overflow(const char *where)
{
	fprintf(stderr, "machorun: %s would write past its object\n", where);
	abort();
}

static void report_overlap(const char *where, const void *a, const void *b, size_t n)
{
	if (n && a != b && (const char *)a < (const char *)b + n &&
		(const char *)b < (const char *)a + n) {
		note("%s: source and target overlap", where);
		fprintf(stderr, "machorun: %s: overlap\n", where);
	}
}

static void *s_memcpy(void *a, const void *b, size_t n)
{
	report_overlap("memcpy", a, b, n);
	return memcpy(a, b, n);
}

static void *s_memcpy_chk(void *a, const void *b, size_t n, size_t room)
{
	if (n > room)
		abort_overflow("memcpy");
	report_overlap("memcpy", a, b, n);
	return memcpy(a, b, n);
}

static void *s_memset_chk(void *a, int c, size_t n, size_t room)
{
	if (n > room)
		abort_overflow("memset");
	return memset(a, c, n);
}

static char *s_strcpy_chk(char *a, const char *b, size_t room)
{
	if (strlen(b) >= room)
		abort_overflow("strcpy");
	return strcpy(a, b);
}

static char *s_strcat_chk(char *a, const char *b, size_t room)
{
	if (strlen(a) + strlen(b) >= room)
		abort_overflow("strcat");
	return strcat(a, b);
}

static void s_bzero(void *a, size_t n)
{
	memset(a, 0, n);
}

static int scribble; /* $MACHO_SCRIBBLE: MallocScribble and MallocPreScribble of macOS */
static void *s_malloc(size_t n)
{
	void *p = malloc(n);
	if (p && scribble)
		memset(p, 0xaa, n);
	return p;
}

static void *s_realloc(void *p, size_t n)
{
	return realloc(p, n ? n : 1); /* Darwin's realloc keeps a small object */
}

static char *s_strerror(int e)
{
	return (char *)(uintptr_t)darwin_strerror(e);
}

/* ---- getopt_long of the BSDs (getopt_long(3) of macOS): permutes, and reports a missing value by
 * optopt ---- */
struct longopt {
	const char *name;
	int has_arg, *flag, val;
};
static char *o_arg;
static int o_ind = 1, o_err = 1, o_opt = '?';
static const char *o_place = "";

static int answer_missing(const char *o)
{
	return *o == ':' ? ':' : '?';
}

/* Moves operands behind the options that follow: [first, middle) and [middle, end) change places.
 */
static void exchange_operands(char **v, int first, int middle, int end)
{
	for (int i = middle; i < end; i++) {
		char *one = v[i];
		for (int k = i; k > first; k--)
			v[k] = v[k - 1];
		v[first++] = one;
	}
}

static int take_long(char **v, const char *o, const struct longopt *longs, int *which)
{
	const char *name = o_place;
	size_t length = strcspn(name, "=");
	const char *equal = name[length] ? name + length + 1 : NULL;
	int found = -1;
	int ambiguous = 0;
	o_ind++;
	o_place = "";
	for (int i = 0; longs[i].name; i++) {
		if (strncmp(longs[i].name, name, length))
			continue;
		if (strlen(longs[i].name) == length) {
			found = i;
			ambiguous = 0;
			break;
		}
		if (found < 0)
			found = i;
		else if (longs[i].has_arg != longs[found].has_arg ||
			 longs[i].flag != longs[found].flag || longs[i].val != longs[found].val)
			ambiguous = 1;
	}
	if (ambiguous || found < 0) {
		o_opt = 0;
		return '?';
	}
	const struct longopt *l = &longs[found];
	if (!l->has_arg && equal) {
		o_opt = l->flag ? 0 : l->val;
		return '?';
	}
	if (l->has_arg) {
		if (equal)
			o_arg = (char *)(uintptr_t)equal;
		else if (l->has_arg == 1)
			o_arg = v[o_ind++];
		if (l->has_arg == 1 && !o_arg) {
			o_opt = l->flag ? 0 : l->val;
			o_ind--;
			return answer_missing(o);
		}
	}
	if (which)
		*which = found;
	if (!l->flag)
		return l->val;
	*l->flag = l->val;
	return 0;
}

/* The operands passed over, [first_plain, after_plain); -1 if absent. */
static int first_plain = -1, after_plain = -1;

/* Ends the options: operands passed over move behind the options. */
static int end_options(char **v, int n)
{
	if (first_plain >= 0) {
		if (after_plain >= 0) {
			exchange_operands(v, first_plain, after_plain, n);
			o_ind = n - (after_plain - first_plain);
		} else
			o_ind = first_plain;
	}
	first_plain = -1;
	after_plain = -1;
	return -1;
}

/* Moves o_ind to the next option.  Returns 0, or -1 if no option follows. */
static int find_option(int n, char **v, int permute)
{
	for (;;) {
		if (o_ind >= n)
			return end_options(v, n);
		if (v[o_ind][0] == '-' && v[o_ind][1])
			break;
		if (!permute)
			return -1;
		if (first_plain < 0)
			first_plain = o_ind;
		else if (after_plain >= 0) {
			exchange_operands(v, first_plain, after_plain, o_ind);
			first_plain = o_ind - (after_plain - first_plain);
			after_plain = -1;
		}
		o_ind++;
	}
	if (first_plain >= 0 && after_plain < 0)
		after_plain = o_ind;
	return 0;
}

/* Ends the options at "--". */
static int end_at_dashes(char **v)
{
	o_ind++;
	o_place = "";
	if (first_plain >= 0) {
		exchange_operands(v, first_plain, after_plain, o_ind);
		o_ind -= after_plain - first_plain;
	}
	first_plain = -1;
	after_plain = -1;
	return -1;
}

static int take_short(int n, char **v, const char *letters)
{
	int letter = *o_place++;
	const char *at = letter == ':' ? NULL : strchr(letters + (*letters == ':'), letter);
	if (!at) {
		if (!*o_place)
			o_ind++;
		o_opt = letter;
		return '?';
	}
	if (at[1] != ':') {
		if (!*o_place)
			o_ind++;
		return letter;
	}
	if (*o_place)
		o_arg = (char *)(uintptr_t)o_place;
	else if (at[2] != ':') {
		if (++o_ind >= n) {
			o_place = "";
			o_opt = letter;
			return answer_missing(letters);
		}
		o_arg = v[o_ind];
	}
	o_place = "";
	o_ind++;
	return letter;
}

static int s_getopt_long(int n, char **v, const char *o, const struct longopt *longs, int *which)
{
	int permute = *o != '+' && *o != '-' && !getenv("POSIXLY_CORRECT");
	const char *letters = *o == '+' || *o == '-' ? o + 1 : o;
	o_arg = NULL;
	if (!*o_place) {
		if (find_option(n, v, permute))
			return -1;
		o_place = v[o_ind] + 1;
		if (o_place[0] == '-' && !o_place[1])
			return end_at_dashes(v);
		if (o_place[0] == '-') {
			o_place++;
			return take_long(v, letters, longs, which);
		}
	}
	return take_short(n, v, letters);
}

static void *in_pointer, *out_pointer, *err_pointer;
void shim_text_start(void);
void shim_text_start(void)
{
	make_runes();
	in_pointer = stdin;
	out_pointer = stdout;
	err_pointer = stderr;
	scribble = getenv("MACHO_SCRIBBLE") != NULL;
}

#define PLAIN(f) { "_" #f, (void *)(uintptr_t)f }
const struct shim shims_text[] = { { "__DefaultRuneLocale", &runes }, { "___stdinp", &in_pointer },
	{ "___stdoutp", &out_pointer }, { "___stderrp", &err_pointer }, { "_optarg", &o_arg },
	{ "_optind", &o_ind }, { "_opterr", &o_err }, { "_optopt", &o_opt },
	{ "___error", shim_error }, { "___maskrune", s_maskrune }, { "___tolower", s_tolower },
	{ "___toupper", s_toupper }, { "___bzero", s_bzero }, { "___memcpy_chk", s_memcpy_chk },
	{ "___memset_chk", s_memset_chk }, { "___strcpy_chk", s_strcpy_chk },
	{ "___strcat_chk", s_strcat_chk }, { "_memcpy", s_memcpy }, { "_strerror", s_strerror },
	{ "_getopt_long", s_getopt_long }, { "_malloc", s_malloc }, { "_realloc", s_realloc },
	PLAIN(calloc), PLAIN(free), PLAIN(fclose), PLAIN(feof), PLAIN(ferror), PLAIN(fileno),
	PLAIN(getenv), PLAIN(gmtime_r), PLAIN(localtime_r), PLAIN(sscanf), PLAIN(strftime),
	PLAIN(strncasecmp), PLAIN(strtok_r), PLAIN(strtoll), PLAIN(tzset), PLAIN(fflush),
	PLAIN(fprintf), PLAIN(fputc), PLAIN(fputs), PLAIN(fread), PLAIN(fwrite), PLAIN(memcmp),
	PLAIN(memmove), PLAIN(memset), PLAIN(posix_memalign), PLAIN(printf), PLAIN(putc),
	PLAIN(putchar), PLAIN(puts), PLAIN(qsort), PLAIN(snprintf), PLAIN(sprintf),
	PLAIN(strcasecmp), PLAIN(strcat), PLAIN(strcmp), PLAIN(strcspn), PLAIN(strdup),
	PLAIN(strlen), PLAIN(strncmp), PLAIN(strncpy), PLAIN(strndup), PLAIN(strnlen),
	PLAIN(strspn), PLAIN(strtod), PLAIN(strtoul), PLAIN(strtoull), PLAIN(vfprintf),
	PLAIN(vsnprintf), PLAIN(wcwidth),
	{ "_memchr", (void *)(uintptr_t)(void *(*)(const void *, int, size_t))memchr },
	{ "_strchr", (void *)(uintptr_t)(char *(*)(const char *, int))strchr },
	{ "_strpbrk", (void *)(uintptr_t)(char *(*)(const char *, const char *))strpbrk },
	{ "_strrchr", (void *)(uintptr_t)(char *(*)(const char *, int))strrchr },
	{ "_strstr", (void *)(uintptr_t)(char *(*)(const char *, const char *))strstr },
	{ "_atoi", atoi }, { "_clearerr", clearerr }, { "_setvbuf", setvbuf }, { NULL, NULL } };
