/* SPDX-License-Identifier: MIT */
/* Requests to an open BPF node, by the tables of the system's ABI; stateless. */
#include "device/bpf.h"

#include <errno.h>

int bpei_bpf_call(struct bpei_bpf *b, enum bpei_bpf_call call, void *argument)
{
	int r;

	if (!b->abi->call[call])
		return -EINVAL;
	do
		r = b->sys.ioctl(b->sys.context, b->fd, b->abi->call[call], argument);
	while (r == -EINTR);
	return r < 0 ? -bpei_bpf_errno(b->abi, -r) : r;
}

int bpei_bpf_call_u32(struct bpei_bpf *b, enum bpei_bpf_call call, uint32_t *value)
{
	return bpei_bpf_call(b, call, value);
}

int bpei_bpf_nonblocking(struct bpei_bpf *b, bool on)
{
	uint32_t value = on;
	int r = b->sys.nonblocking(b->sys.context, b->fd, on);

	if (r < 0)
		return r;
	/* A served node may know the device's own request only; the descriptor layer of the real
	 * systems has done the same already. */
	if (b->options.bpf_device)
		bpei_bpf_call_u32(b, BPEI_FIONBIO, &value);
	b->can_nonblocking = on;
	return 0;
}

bool bpei_bpf_is_there(struct bpei_bpf *b)
{
	uint8_t ifreq[BPEI_IFREQ_MOST] = { 0 };
	int r = bpei_bpf_call(b, BPEI_BIOCGETIF, ifreq);
	/* OpenBSD's pledge(2) forbids the request: the reads will tell. */
	bool forbidden = r == -EPERM || r == -ENOSYS;

	return r >= 0 || forbidden;
}
