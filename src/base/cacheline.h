/* SPDX-License-Identifier: MIT */
/* Cache lines: words which two threads share lie on separate lines. */
#ifndef BPEI_CACHELINE_H
#define BPEI_CACHELINE_H

/* Apple's line is 128 bytes; x86 fetches lines of 64 in pairs. */
#define BPEI_LINE 128
#define BPEI_ALIGNED _Alignas(BPEI_LINE)

#define BPEI_LIKELY(x) __builtin_expect(!!(x), 1)
#define BPEI_UNLIKELY(x) __builtin_expect(!!(x), 0)

#endif
