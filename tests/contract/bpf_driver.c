/* SPDX-License-Identifier: MIT */
/* The answers of a BPF driver as a portable list of expectations, and a table of the differences.
 *
 *   contract_bpf_driver
 *       checks the model, in all four personalities
 *   contract_bpf_driver --device PATH --interface NAME [--abi NAME]
 *       checks a served node, or (with sudo) a real system
 *
 * The program needs no traffic and disturbs none: while the program reads, the kernel's filter lets
 * nothing through.  The program never writes; the refusal of a write is checked with no bytes. */
#include "bpf_double.h"

#include "base/bytes.h"
#include "filter/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static unsigned passed, failed;
static bool table;

struct driver {
	const struct bpei_bpf_abi *abi;
	struct bpei_bpf_sys sys;
	const char *path, *interface;
	int fd, other;
	uint32_t size;
};

static bool one_of(const char *observed, const char *expected) /* a | separates alternatives */
{
	size_t n = strlen(observed);
	for (const char *e = expected; e; e = strchr(e, '|') ? strchr(e, '|') + 1 : NULL)
		if (!strncmp(e, observed, n) && (!e[n] || e[n] == '|'))
			return true;
	return false;
}

/* Prints a row of the table; differs: the expected answer, or NULL. */
static void print_answer(
	const struct driver *d, const char *what, const char *observed, const char *differs)
{
	printf("%-8s %-58s %-22s ", d->abi->name, what, observed);
	if (differs)
		printf("DIFFERS, expected %s", differs);
	printf("\n");
}

static void expect_answer(const struct driver *d, const char *what, const char *expected,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
static void expect_answer(
	const struct driver *d, const char *what, const char *expected, const char *format, ...)
{
	char observed[128];
	va_list args;
	va_start(args, format);
	vsnprintf(observed, sizeof observed, format, args);
	va_end(args);
	bool same = one_of(observed, expected);
	if (same)
		passed++;
	else
		failed++;
	if (table || !same)
		print_answer(d, what, observed, same ? NULL : expected);
}

static const char *name_error(int r)
{
	static const struct {
		int number;
		const char *name;
	} names[] = { { EINVAL, "EINVAL" }, { ENXIO, "ENXIO" }, { EAGAIN, "EAGAIN" },
		{ EBUSY, "EBUSY" }, { ENOMEM, "ENOMEM" }, { EFAULT, "EFAULT" }, { EIO, "EIO" },
		{ ENOTTY, "ENOTTY" }, { EPERM, "EPERM" }, { EACCES, "EACCES" },
		{ ENOENT, "ENOENT" }, { ENODEV, "ENODEV" }, { EOPNOTSUPP, "EOPNOTSUPP" },
		{ EBADF, "EBADF" } };
	static char other[16];
	if (r >= 0)
		return "ok";
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == -r)
			return names[i].name;
	snprintf(other, sizeof other, "errno %d", -r);
	return other;
}

static int make_request(struct driver *d, uint32_t code, void *argument)
{
	int r = d->sys.ioctl(d->sys.context, d->fd, code, argument);
	return r < 0 ? -bpei_bpf_errno(d->abi, -r) : r;
}
static int call_driver(struct driver *d, enum bpei_bpf_call c, void *argument)
{
	return make_request(d, d->abi->call[c], argument);
}
static int call_u32(struct driver *d, enum bpei_bpf_call c, uint32_t v)
{
	return call_driver(d, c, &v);
}

static int open_any(struct driver *d)
{
	char path[300];
	for (int n = 0; n < 64; n++) {
		if (d->abi->numbered)
			snprintf(path, sizeof path, "%s%d", d->path, n);
		else
			snprintf(path, sizeof path, "%s", d->path);
		int fd = d->sys.open(d->sys.context, path);
		if (fd >= 0) {
			d->fd = fd;
			if (d->abi->numbered)
				expect_answer(d, "open of a node that is open", "EBUSY", "%s",
					name_error(-bpei_bpf_errno(
						d->abi, -d->sys.open(d->sys.context, path))));
			return 0;
		}
		if (fd != -EBUSY)
			return fd;
	}
	return -EBUSY;
}

static ssize_t read_n(struct driver *d, size_t n)
{
	uint8_t *buffer = malloc(n ? n : 1);
	ssize_t r = buffer ? d->sys.read(d->sys.context, d->fd, buffer, n) : -ENOMEM;
	free(buffer);
	return r < 0 ? -bpei_bpf_errno(d->abi, (int)-r) : r;
}

static int attach_driver(struct driver *d, const char *name)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	snprintf((char *)ifreq, 16, "%s", name);
	return call_driver(d, BPEI_BIOCSETIF, ifreq);
}

static void before_attaching(struct driver *d)
{
	uint32_t v = 0;
	uint16_t version[2] = { 0, 0 };
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 }, list[16] = { 0 };
	int r = call_driver(d, BPEI_BIOCVERSION, version);
	expect_answer(
		d, "BIOCVERSION", "ok 1.1", "%s %u.%u", name_error(r), version[0], version[1]);
	expect_answer(d, "BIOCGDLT before BIOCSETIF", "EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCGDLT, &v)));
	expect_answer(d, "BIOCGETIF before BIOCSETIF", "EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCGETIF, ifreq)));
	expect_answer(d, "BIOCGDLTLIST before BIOCSETIF", "EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCGDLTLIST, list)));
	expect_answer(d, "BIOCPROMISC before BIOCSETIF", "EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCPROMISC, NULL)));
	expect_answer(d, "BIOCSDLT before BIOCSETIF", "EINVAL", "%s",
		name_error(call_u32(d, BPEI_BIOCSDLT, 1)));
	expect_answer(d, "BIOCFLUSH before BIOCSETIF", "ok", "%s",
		name_error(call_driver(d, BPEI_BIOCFLUSH, NULL)));
	expect_answer(d, "BIOCIMMEDIATE before BIOCSETIF", "ok", "%s",
		name_error(call_u32(d, BPEI_BIOCIMMEDIATE, 0)));
	expect_answer(d, "a request that nobody knows", "EINVAL|ENOTTY", "%s",
		name_error(make_request(d, 0x400442c8u, &v)));
	static const uint32_t sizes[][2] = { { 0, 32 }, { 31, 32 }, { 32, 32 }, { 33, 33 },
		{ 4096, 4096 }, { 32768, 32768 } };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		char what[64], want[32];
		v = sizes[i][0];
		r = call_driver(d, BPEI_BIOCSBLEN, &v);
		snprintf(what, sizeof what, "BIOCSBLEN %u gives", sizes[i][0]);
		snprintf(want, sizeof want, "ok %u", sizes[i][1]);
		expect_answer(d, what, want, "%s %u", name_error(r), v);
	}
	v = 0xffffffffu;
	r = call_driver(d, BPEI_BIOCSBLEN, &v);
	expect_answer(d, "BIOCSBLEN of 4 GiB is cut to the limit", "ok, cut", "%s%s", name_error(r),
		v < 1u << 31 && v >= 32768 ? ", cut" : ", not cut");
	v = 32768;
	call_driver(d, BPEI_BIOCSBLEN, &v);
	d->size = v;
	d->sys.nonblocking(d->sys.context, d->fd, true);
	bool netbsd = d->abi->system == BPEI_NETBSD;
	if (d->abi->system != BPEI_FREEBSD)
		expect_answer(d, "read before BIOCSETIF, without blocking",
			netbsd ? "EAGAIN" : "ENXIO", "%s", name_error((int)read_n(d, d->size)));
	if (d->abi->system ==
		BPEI_MACOS) { /* before BIOCSETIF: afterwards plain records may be in the buffers */
		expect_answer(
			d, "BIOCSEXTHDR", "ok", "%s", name_error(call_u32(d, BPEI_BIOCSEXTHDR, 1)));
		call_u32(d, BPEI_BIOCSEXTHDR, 0);
	}
	expect_answer(d, "BIOCSETIF of no interface", "ENXIO", "%s",
		name_error(attach_driver(d, "nosuch0")));
}

static void check_attached(struct driver *d)
{
	uint32_t v = 8192;
	uint32_t dlt = 0;
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 }, list[16] = { 0 };
	expect_answer(d, "BIOCSETIF", "ok", "%s", name_error(attach_driver(d, d->interface)));
	int r = call_driver(d, BPEI_BIOCGETIF, ifreq);
	expect_answer(d, "BIOCGETIF gives it back", "ok, same", "%s%s", name_error(r),
		strcmp((char *)ifreq, d->interface) ? ", another" : ", same");
	expect_answer(d, "BIOCSBLEN after BIOCSETIF", "EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCSBLEN, &v)));
	call_driver(d, BPEI_BIOCGBLEN, &v);
	expect_answer(d, "... and the length stays", "32768", "%u", v);
	expect_answer(d, "BIOCGDLT", "ok", "%s", name_error(call_driver(d, BPEI_BIOCGDLT, &dlt)));
	expect_answer(
		d, "BIOCSDLT of the same", "ok", "%s", name_error(call_u32(d, BPEI_BIOCSDLT, dlt)));
	expect_answer(d, "BIOCSDLT of one that it has not", "EINVAL", "%s",
		name_error(call_u32(d, BPEI_BIOCSDLT, 250)));
	r = call_driver(d, BPEI_BIOCGDLTLIST, list);
	expect_answer(d, "BIOCGDLTLIST without a list counts", "ok, some", "%s, %s", name_error(r),
		bpei_load32(list) ? "some" : "none");
	uint32_t none;
	void *at = &none;
	memset(list, 0, sizeof list);
	memcpy(list + d->abi->dltlist_pointer, &at, sizeof at);
	expect_answer(d, "BIOCGDLTLIST with a list of 0", "ENOMEM", "%s",
		name_error(call_driver(d, BPEI_BIOCGDLTLIST, list)));
	expect_answer(
		d, "BIOCPROMISC", "ok", "%s", name_error(call_driver(d, BPEI_BIOCPROMISC, NULL)));
	expect_answer(d, "BIOCPROMISC again", "ok", "%s",
		name_error(call_driver(d, BPEI_BIOCPROMISC, NULL)));
	expect_answer(d, "BIOCSETIF again", "ok", "%s", name_error(attach_driver(d, d->interface)));
}

static int install_program(struct driver *d, const struct bpe_insn *insns, uint32_t n)
{
	struct {
		uint32_t length;
		const struct bpe_insn *insns;
	} program = { n, insns };
	return call_driver(d, BPEI_BIOCSETF, &program);
}

#define NOTHING { 0x06, 0, 0, 0 }
static void check_filters(struct driver *d)
{
	static struct bpe_insn long_one[513];
	static const struct bpe_insn nothing = NOTHING;
	static const struct bpe_insn no_return = { 0x00, 0, 0, 0 };
	static const struct bpe_insn far[] = { { 0x15, 5, 0, 0 }, NOTHING };
	static const struct bpe_insn back[] = { { 0x05, 0, 0, 0xffffffff }, NOTHING };
	static const struct bpe_insn zero[] = { { 0x34, 0, 0, 0 }, NOTHING };
	static const struct bpe_insn mod[] = { { 0x94, 0, 0, 3 }, NOTHING };
	static const struct bpe_insn by_xor[] = { { 0xa4, 0, 0, 3 }, NOTHING };
	static const struct bpe_insn memory[] = { { 0x02, 0, 0, 16 }, NOTHING };
	static const struct bpe_insn unset[] = { { 0x60, 0, 0, 3 }, NOTHING };
	static const struct bpe_insn beyond[] = { { 0x20, 0, 0, 0x80000 }, NOTHING };
	static const struct bpe_insn return_x = { 0x0e, 0, 0, 0 };
	static const char *const of_x[BPEI_SYSTEMS] = { [BPEI_MACOS] = "ok",
		[BPEI_FREEBSD] = "EINVAL",
		[BPEI_NETBSD] = "EINVAL",
		[BPEI_OPENBSD] = "ok|EINVAL" };
	for (int i = 0; i < 513; i++)
		long_one[i] = nothing;
	expect_answer(d, "RET X", of_x[d->abi->system], "%s",
		name_error(install_program(d, &return_x, 1)));
	const char *only_some = bpei_kernels[d->abi->system].mod_xor ? "ok" : "EINVAL";
	expect_answer(d, "a filter without a return", "EINVAL", "%s",
		name_error(install_program(d, &no_return, 1)));
	expect_answer(
		d, "a jump past the end", "EINVAL", "%s", name_error(install_program(d, far, 2)));
	expect_answer(d, "a jump back", "EINVAL", "%s", name_error(install_program(d, back, 2)));
	expect_answer(
		d, "a division by 0", "EINVAL", "%s", name_error(install_program(d, zero, 2)));
	expect_answer(d, "M[16]", "EINVAL", "%s", name_error(install_program(d, memory, 2)));
	expect_answer(d, "MOD", only_some, "%s", name_error(install_program(d, mod, 2)));
	expect_answer(d, "XOR", only_some, "%s", name_error(install_program(d, by_xor, 2)));
	expect_answer(d, "a word that was not stored",
		bpei_kernels[d->abi->system].words_checked ? "EINVAL" : "ok", "%s",
		name_error(install_program(d, unset, 2)));
	expect_answer(d, "ld [0x80000]", bpei_kernels[d->abi->system].offsets ? "EINVAL" : "ok",
		"%s", name_error(install_program(d, beyond, 2)));
	expect_answer(
		d, "512 instructions", "ok", "%s", name_error(install_program(d, long_one, 512)));
	expect_answer(d, "513 instructions", "EINVAL", "%s",
		name_error(install_program(d, long_one, 513)));
	expect_answer(d, "a filter that lets nothing through", "ok", "%s",
		name_error(install_program(d, &nothing, 1)));
}

static void put_us(const struct driver *d, uint8_t t[16], uint32_t us)
{
	if (d->abi->microsecond_bytes == 4)
		bpei_store32(t + 8, us);
	else
		bpei_store64(t + 8, us);
}

static uint32_t get_us(const struct driver *d, const uint8_t t[16])
{
	return d->abi->microsecond_bytes == 4 ? bpei_load32(t + 8) : (uint32_t)bpei_load64(t + 8);
}

static void check_reading(struct driver *d) /* without traffic */
{
	uint8_t t[16] = { 0 };
	uint32_t v = 1;
	expect_answer(d, "read of one byte less than the buffer", "EINVAL", "%s",
		name_error((int)read_n(d, d->size - 1)));
	expect_answer(d, "read of one byte more", "EINVAL", "%s",
		name_error((int)read_n(d, d->size + 1)));
	ssize_t n = read_n(d, d->size);
	const char *empty = d->abi->empty_is_zero ? "0" : "EAGAIN";
	expect_answer(d, "read with nothing there, without blocking", empty, "%s",
		n ? name_error((int)n) : "0");
	int r = call_driver(d, BPEI_FIONREAD, &v);
	expect_answer(d, "FIONREAD with nothing there", "ok 0", "%s %u", name_error(r), v);
	call_u32(d, BPEI_BIOCIMMEDIATE, 1);
	struct bpei_bpf_waiter waiter;
	bpei_bpf_waiter_init(&waiter);
	int w = d->sys.wait(d->sys.context, &waiter, d->fd, d->other, 0, 0);
	d->sys.wait_end(d->sys.context, &waiter);
	expect_answer(d, "poll in immediate mode with nothing there", "not ready", "%s",
		w == 0 ? "not ready" : "ready");
	put_us(d, t, 100000);
	expect_answer(d, "BIOCSRTIMEOUT of 100 ms", "ok", "%s",
		name_error(call_driver(d, BPEI_BIOCSRTIMEOUT, t)));
	memset(t, 0, sizeof t);
	r = call_driver(d, BPEI_BIOCGRTIMEOUT, t);
	expect_answer(d, "BIOCGRTIMEOUT gives it back", "ok 100000", "%s %u", name_error(r),
		get_us(d, t));
	call_u32(d, BPEI_BIOCIMMEDIATE, 0);
	d->sys.nonblocking(d->sys.context, d->fd, false);
	int64_t start = d->sys.now(d->sys.context);
	n = read_n(d, d->size);
	int64_t ms = (d->sys.now(d->sys.context) - start) / 1000000;
	const char *after = ms >= 85 && ms < 400 ? "100 ms" : "another time";
	expect_answer(d, "a blocking read then gives", "0 after 100 ms", "%s after %s",
		n ? name_error((int)n) : "0", after);
	memset(t, 0, sizeof t);
	put_us(d, t, 15000);
	call_driver(d, BPEI_BIOCSRTIMEOUT, t);
	memset(t, 0, sizeof t);
	call_driver(d, BPEI_BIOCGRTIMEOUT, t);
	static const char *const rounded[BPEI_SYSTEMS] = { [BPEI_MACOS] = "20000",
		[BPEI_FREEBSD] = "15000",
		[BPEI_NETBSD] = "10000|15000",
		[BPEI_OPENBSD] = "15000" };
	expect_answer(d, "BIOCSRTIMEOUT of 15 ms becomes (us)", rounded[d->abi->system], "%u",
		get_us(d, t));
	memset(t, 0, sizeof t);
	put_us(d, t, 1000000);
	if (d->abi->system != BPEI_NETBSD)
		expect_answer(d, "BIOCSRTIMEOUT of 1000000 us", "EINVAL", "%s",
			name_error(call_driver(d, BPEI_BIOCSRTIMEOUT, t)));
}

/* Checks a request which returns a number: "ok 1", or the error alone. */
static void expect_word(struct driver *d, enum bpei_bpf_call c, const char *expected)
{
	uint32_t v = 0xdead;
	int r = call_driver(d, c, &v);
	if (r < 0)
		expect_answer(d, bpei_bpf_call_name(c), expected, "%s", name_error(r));
	else
		expect_answer(d, bpei_bpf_call_name(c), expected, "ok %u", v);
}

/* Checks macOS's getters; getters unknown to a release answer EINVAL. */
static void told_by_macos(struct driver *d)
{
	uint64_t stats[7];
	expect_word(d, BPEI_BIOCGSEESENT, "ok 1");
	expect_word(d, BPEI_BIOCGDIRECTION, "ok 3|EINVAL");
	expect_word(d, BPEI_BIOCGWANTPKTAP, "ok 0");
	expect_word(d, BPEI_BIOCGNOTSTAMP, "ok 0|EINVAL");
	expect_answer(d, "BIOCSNOTSTAMP", "ok|EINVAL", "%s",
		name_error(call_u32(d, BPEI_BIOCSNOTSTAMP, 0)));
	expect_answer(
		d, "BIOCSPKTHDRV2", "ok", "%s", name_error(call_u32(d, BPEI_BIOCSPKTHDRV2, 0)));
	expect_answer(d, "BIOCGHDRCOMPSTATS", "ok|EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCGHDRCOMPSTATS, stats)));
}

static void check_own_requests(struct driver *d)
{
	uint8_t stat[128] = { 0 };
	uint32_t v = 0;
	expect_answer(
		d, "BIOCGSTATS", "ok", "%s", name_error(call_driver(d, BPEI_BIOCGSTATS, stat)));
	expect_word(d, BPEI_BIOCGHDRCMPLT, "ok 0");
	if (d->abi->call[BPEI_BIOCGDIRECTION] && d->abi->system != BPEI_MACOS)
		expect_word(d, BPEI_BIOCGDIRECTION, "ok 1");
	if (d->abi->system != BPEI_MACOS)
		return;
	told_by_macos(d);
	static const enum bpei_bpf_call private[] = { BPEI_BIOCSWANTPKTAP, BPEI_BIOCSTRUNCATE };
	for (size_t i = 0; i < sizeof private / sizeof *private; i++)
		expect_answer(d, bpei_bpf_call_name(private[i]), "ok", "%s",
			name_error(call_u32(d, private[i], 1)));
	expect_answer(
		d, "BIOCSHEADDROP", "ok", "%s", name_error(call_u32(d, BPEI_BIOCSHEADDROP, 1)));
	int r = call_driver(d, BPEI_BIOCGHEADDROP, &v);
	expect_answer(d, "BIOCGHEADDROP", "ok 1", "%s %u", name_error(r), v);
	expect_answer(d, "BIOCGHDRCOMP (macOS 13)", "ok|EINVAL", "%s",
		name_error(call_driver(d, BPEI_BIOCGHDRCOMP, &v)));
	expect_answer(d, "BIOCSHDRCOMP 1 after BIOCSETIF", "EINVAL", "%s",
		name_error(call_u32(d, BPEI_BIOCSHDRCOMP, 1)));
}

/* Checks that the engine opens a node for reading only: a hijacked process cannot send packets. */
static void is_read_only(struct driver *d)
{
	int flags = fcntl(d->fd, F_GETFL);
	expect_answer(d, "the node is open for", "reading", "%s",
		flags >= 0 && (flags & O_ACCMODE) == O_RDONLY ? "reading" : "more");
	expect_answer(
		d, "write on it", "EBADF", "%s", name_error(write(d->fd, "", 0) < 0 ? -errno : 0));
}

static int run_driver(struct driver *d)
{
	int r = open_any(d);
	if (r < 0) {
		printf("%s: cannot open %s: %s\n", d->abi->name, d->path, name_error(r));
		failed++;
		return 1;
	}
	before_attaching(d);
	check_attached(d);
	check_filters(d);
	check_reading(d);
	check_own_requests(d);
	if (d->fd < DOUBLE_FD)
		is_read_only(d); /* a double's descriptors are numbers only */
	d->sys.close(d->sys.context, d->fd);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option longs[] = { { "abi", 1, 0, 'a' }, { "device", 1, 0, 'd' },
		{ "interface", 1, 0, 'i' }, { NULL, 0, 0, 0 } };
	struct driver d = { .abi = bpei_bpf_abi_native(), .sys = bpei_bpf_sys_real, .fd = -1 };
	int o, wake[2];
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == 'a')
			d.abi = bpei_bpf_abi_find(optarg);
		else if (o == 'd')
			d.path = optarg;
		else if (o == 'i')
			d.interface = optarg;
		else
			return 2;
		if (!d.abi)
			return 2;
	}
	if (pipe(wake))
		return 2;
	d.other = wake[0];
	if (d.interface) {
		if (!d.path)
			d.path = d.abi->device;
		table = true;
		run_driver(&d);
	} else {
		for (int s = 0; s < BPEI_SYSTEMS; s++) {
			static struct bpf_double twin;
			double_init(&twin, &bpei_bpf_abis[s]);
			d = (struct driver){ .abi = &bpei_bpf_abis[s],
				.sys = twin.sys,
				.path = bpei_bpf_abis[s].device,
				.interface = "en0",
				.fd = -1,
				.other = wake[0] };
			run_driver(&d);
			double_free(&twin);
		}
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0;
}
