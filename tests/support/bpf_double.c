/* SPDX-License-Identifier: MIT */
#include "bpf_double.h"

#include "base/bytes.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bpf_double *double_of(void *context)
{
	return context;
}

void double_bytes(uint8_t *to, uint32_t number, uint32_t size)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 0, 0,
		0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0x10, 0x01, 0x20, 0x02, 0, 0, 0,
		0 };
	memcpy(to, head, sizeof head);
	bpei_put_be16(to + 16, (uint16_t)(size - 14));
	bpei_put_be16(to + 38, (uint16_t)(size - 34));
	bpei_put_be32(to + 42, number);
	for (uint32_t i = 46; i < size; i++)
		to[i] = (uint8_t)(number * 7 + i * 13);
}

static void tap_event(struct bpf_double *d, const struct double_event *e)
{
	uint8_t bytes[DOUBLE_MOST];
	if (!d->interface->here)
		return;
	double_bytes(bytes, e->number, e->size);
	struct model_packet p = { .data = bytes,
		.caplen = e->size,
		.wirelen = e->size,
		.time_ns = d->wall_ns + e->at_ns,
		.outgoing = e->outgoing };
	if (e->pid) {
		p.pid = e->pid;
		p.comm = "daemon";
		p.service_class = 600;
	}
	model_tap(&d->model, d->interface, &p, e->at_ns);
	d->tapped++;
}

static void happen_event(struct bpf_double *d, const struct double_event *e)
{
	switch (e->kind) {
	case DOUBLE_PACKET:
		tap_event(d, e);
		return;
	case DOUBLE_REMOVE:
		model_remove(&d->model, d->interface);
		return;
	case DOUBLE_RETURN:
		d->interface->here = true;
		return;
	case DOUBLE_SIGNAL:
		d->signalled = true;
		return;
	}
}

/* Moves the clock to `to`, or to the first event before `to`. */
static void advance_double(struct bpf_double *d, int64_t to)
{
	if (d->next < d->events && d->event[d->next].at_ns <= to) {
		const struct double_event *e = &d->event[d->next++];
		if (e->at_ns > d->now_ns)
			d->now_ns = e->at_ns;
		happen_event(d, e);
		return;
	}
	if (to > d->now_ns)
		d->now_ns = to;
}

static void catch_up(struct bpf_double *d)
{
	while (d->next < d->events && d->event[d->next].at_ns <= d->now_ns)
		happen_event(d, &d->event[d->next++]);
}

static bool take_fault(struct bpf_double *d)
{
	return ++d->calls == d->fault_at;
}

static void at_call(struct bpf_double *d)
{
	if (d->at_call)
		d->at_call(d);
}

static int double_open(void *c, const char *path)
{
	struct bpf_double *d = double_of(c);
	const struct bpei_bpf_abi *abi = d->model.abi;
	size_t n = strlen(abi->device);
	if (take_fault(d))
		return -d->fault_errno;
	if (strncmp(path, abi->device, n))
		return -ENOENT;
	if (!abi->numbered && path[n])
		return -ENOENT;
	int number = abi->numbered ? atoi(path + n) : -1;
	if (abi->numbered && (uint32_t)number >= d->denied_from && (uint32_t)number < d->model.made)
		return -EACCES;
	int r = model_open(&d->model, number, 4242);
	if (r < 0)
		return r;
	d->open_descriptors++;
	return DOUBLE_FD + r;
}

static int double_close(void *c, int fd)
{
	double_of(c)->open_descriptors--;
	model_close(&double_of(c)->model, fd - DOUBLE_FD);
	return 0;
}

static int double_ioctl(void *c, int fd, unsigned long request, void *argument)
{
	struct bpf_double *d = double_of(c);
	if (request > UINT32_MAX)
		abort(); /* sign-extended on the way */
	if (take_fault(d))
		return -d->fault_errno;
	if (d->pledged_errno && request != d->model.abi->call[BPEI_BIOCGSTATS])
		return -d->pledged_errno;
	d->ioctls++;
	if (d->said_ready && !d->model.node[fd - DOUBLE_FD].zero_copy)
		d->broke_rule = true; /* zero-copy has no read */
	catch_up(d);
	at_call(d);
	int r = model_ioctl(&d->model, fd - DOUBLE_FD, (uint32_t)request,
		(uint64_t)(uintptr_t)argument, d->now_ns);
	at_call(d);
	return r;
}

static ssize_t double_read(void *c, int fd, void *buffer, size_t bytes)
{
	struct bpf_double *d = double_of(c);
	int64_t began, deadline;
	if (take_fault(d))
		return -d->fault_errno;
	d->reads++;
	d->said_ready = false;
	if (d->read_most && bytes > d->read_most)
		return -EINVAL;
	d->now_ns += d->read_cost_ns;
	catch_up(d);
	began = d->now_ns;
	for (;;) {
		const struct model_moment moment = { began, d->now_ns, d->signalled };
		int64_t r =
			model_read(&d->model, fd - DOUBLE_FD, buffer, bytes, &moment, &deadline);
		if (r != MODEL_SLEEP) {
			if (r != 0)
				d->signalled = false;
			if (r > 0)
				d->now_ns += r * d->byte_cost_ps / 1000;
			return (ssize_t)r;
		}
		if (deadline == INT64_MAX && d->next == d->events)
			return -EDEADLK; /* no event is left: the test would hang */
		advance_double(d, deadline);
	}
}

static int double_nonblocking(void *c, int fd, bool on)
{
	if (take_fault(double_of(c)))
		return -double_of(c)->fault_errno;
	double_of(c)->model.node[fd - DOUBLE_FD].nonblocking = on;
	return 0;
}

/* Returns whether a wait learns of the device, which depends on the knotes of macOS.  A new knote
 * looks at the device at once.  An old knote learns by the flag shared by all knotes; the removal
 * of any knote clears the flag. */
static bool knote_tells(struct bpf_double *d, struct bpei_bpf_waiter *w, int fd, size_t low_water)
{
	if (d->model.abi->system != BPEI_MACOS || fd < 0)
		return true;
	if (w->queue < 0) {
		w->queue = 1;
		d->calls++;
		d->queues++;
		d->queues_made++;
	}
	bool there = w->fd == fd;
	int plan = bpei_bpf_waiter_plan(w, fd, low_water);
	if (plan & BPEI_QUEUE_FORGET) {
		d->knotes_removed++;
		d->knote_flag = false;
		there = false;
	}
	if (!(plan & BPEI_QUEUE_ADD) || there)
		return d->knote_flag;
	d->knotes_added++;
	return d->knote_flag = true;
}

static void double_wait_end(void *c, struct bpei_bpf_waiter *w)
{
	if (w->queue >= 0)
		double_of(c)->queues--;
	bpei_bpf_waiter_init(w);
}

static int double_wait(
	void *c, struct bpei_bpf_waiter *w, int fd, int wake, size_t low_water, int64_t timeout_ns)
{
	struct bpf_double *d = double_of(c);
	const bool told = knote_tells(d, w, fd, low_water);
	w->quiet = false;
	if (low_water && d->model.abi->system != BPEI_MACOS)
		fd = -1;
	struct pollfd p = { .fd = wake, .events = POLLIN };
	int64_t deadline = timeout_ns < 0 ? INT64_MAX : d->now_ns + timeout_ns;
	int64_t again = INT64_MAX;
	if (take_fault(d))
		return -d->fault_errno;
	d->waits++;
	at_call(d);
	bool attached = fd >= 0 && d->model.node[fd - DOUBLE_FD].on;
	for (;;) {
		catch_up(d);
		if (poll(&p, 1, 0) > 0)
			return BPEI_WAIT_WAKE;
		/* A macOS poll which began with the interface does not learn of the removal. */
		bool silent = attached && !d->model.node[fd - DOUBLE_FD].on &&
			      d->model.abi->system == BPEI_MACOS;
		silent |= !told;
		bool enough = fd >= 0 && model_low_water(&d->model, fd - DOUBLE_FD, low_water);
		if (fd >= 0 && !silent &&
			model_ready(&d->model, fd - DOUBLE_FD, d->now_ns, &again) && enough) {
			d->said_ready = true;
			return BPEI_WAIT_DEVICE;
		}
		if (d->signalled) {
			d->signalled = false;
			return -EINTR;
		}
		if (d->now_ns >= deadline) {
			w->quiet = !low_water && fd >= 0;
			return 0;
		}
		if (deadline == INT64_MAX && again == INT64_MAX && d->next == d->events)
			return -EDEADLK;
		advance_double(d, again < deadline ? again : deadline);
	}
}

static int64_t double_now(void *c)
{
	return double_of(c)->now_ns;
}

static ssize_t double_sysctl(void *c, const char *name, void *value, size_t bytes)
{
	if (double_of(c)->model.abi->system != BPEI_MACOS || strcmp(name, "debug.bpf_stats"))
		return -ENOENT;
	return model_sysctl_stats(&double_of(c)->model, value, bytes);
}

static void double_process_name(void *c, int pid, char *name, size_t room)
{
	(void)c;
	snprintf(name, room, "%s", pid == 4242 ? "tcpdump" : "");
}

static bool double_is_up(void *c, const char *name)
{
	return model_interface_flags(&double_of(c)->model, name) != 0;
}

static int double_interface(void *c, char name[BPEI_IFREQ_NAME], bool make)
{
	struct bpf_double *d = double_of(c);
	if (make && take_fault(d))
		return -d->fault_errno;
	if (!d->is_root)
		return -EPERM;
	for (int i = 0; i < MODEL_INTERFACES; i++) {
		struct model_interface *f = &d->model.interface[i];
		if (!make && !strcmp(f->name, name)) {
			memset(f, 0, sizeof *f);
			d->made--;
			return 0;
		}
	}
	if (!make || strcmp(name, "pktap"))
		return -EINVAL;
	snprintf(name, BPEI_IFREQ_NAME, "pktap%u", d->made);
	if (!model_add(&d->model, name, 149, 0))
		return -ENOMEM;
	d->made++;
	return 0;
}

static int get_caller_bytes(void *user, void *to, uint64_t from, size_t n)
{
	(void)user;
	if (!from)
		return -EFAULT;
	memcpy(to, (const void *)(uintptr_t)from, n);
	return 0;
}

static int put_caller_bytes(void *user, uint64_t to, const void *from, size_t n)
{
	(void)user;
	if (!to)
		return -EFAULT;
	memcpy((void *)(uintptr_t)to, from, n);
	return 0;
}

void double_init(struct bpf_double *d, const struct bpei_bpf_abi *abi)
{
	memset(d, 0, sizeof *d);
	model_init(&d->model, abi);
	d->model.get = get_caller_bytes;
	d->model.put = put_caller_bytes;
	d->interface = model_add(&d->model, "en0", 1, 14);
	d->denied_from = UINT32_MAX;
	d->now_ns = 1000000000;
	d->wall_ns = 1700000000000000000;
	d->sys = (struct bpei_bpf_sys){ d, double_open, double_close, double_ioctl, double_read,
		double_nonblocking, double_wait, double_wait_end, double_now, double_sysctl,
		double_process_name, double_is_up, double_interface };
}

void double_free(struct bpf_double *d)
{
	model_free(&d->model);
}

void double_at(struct bpf_double *d, int64_t at_ns, enum double_kind kind)
{
	if (d->events == DOUBLE_EVENTS)
		abort();
	d->event[d->events++] = (struct double_event){ .at_ns = at_ns, .kind = kind };
}

void double_packet(struct bpf_double *d, int64_t at_ns, uint32_t number, uint32_t size)
{
	double_at(d, at_ns, DOUBLE_PACKET);
	d->event[d->events - 1].number = number;
	d->event[d->events - 1].size = size;
}
