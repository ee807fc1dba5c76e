/* SPDX-License-Identifier: MIT */
/* Tests which x86-64 backends this CPU and the system can run.  Pure; compiled without flags of a
 * backend. Sources: Intel SDM volume 2, CPUID and XGETBV. */
#include "arch/arch.h"

#include <cpuid.h>

/* The bits of all extensions that the compilers' flags enable.  -msse4.2 enables POPCNT, Clang's
 * -mavx512f FMA and F16C. */
#define ECX1_SSSE3 (1u << 0 | 1u << 9)                           /* SSE3, SSSE3 */
#define ECX1_SSE42 (ECX1_SSSE3 | 1u << 19 | 1u << 20 | 1u << 23) /* SSE4.1, SSE4.2, POPCNT */
#define ECX1_AVX (1u << 27 | 1u << 28)                           /* OSXSAVE, AVX */
#define ECX1_AVX512 (ECX1_AVX | 1u << 12 | 1u << 29)             /* and FMA, F16C */
#define EBX7_AVX2 (1u << 3 | 1u << 5 | 1u << 8)                  /* BMI1, AVX2, BMI2 */
#define EBX7_AVX512 (1u << 16 | 1u << 17 | 1u << 30 | 1u << 31)  /* F, DQ, BW, VL */
#define ECX7_AVX512 (1u << 1)                                    /* VBMI */
#define XCR0_AVX512 0xe6u                                        /* and its masks and registers */
#define XCR0_AVX 6u /* the system keeps SSE's and AVX's registers */

static unsigned leaf1_ecx(void)
{
	unsigned a, b, c, d;
	return __get_cpuid(1, &a, &b, &c, &d) ? c : 0;
}

int bpei_cpu_fits_sse42(void)
{
	return (leaf1_ecx() & ECX1_SSE42) == ECX1_SSE42;
}

/* Returns whether the CPU has these bits of leaf 1 and leaf 7, and the system keeps the registers.
 * tests/levels/levels.py allows XGETBV in this function alone. */
static __attribute__((noinline)) int cpu_has_leaf7(
	unsigned ecx1, unsigned ebx, unsigned ecx, unsigned xcr0)
{
	unsigned a, b, c, d;
	if (!bpei_cpu_fits_sse42() || (leaf1_ecx() & ecx1) != ecx1)
		return 0;
	__asm__("xgetbv" : "=a"(a), "=d"(d) : "c"(0));
	if ((a & xcr0) != xcr0)
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & ebx) == ebx && (c & ecx) == ecx;
}

int bpei_cpu_fits_avx2(void)
{
	return cpu_has_leaf7(ECX1_AVX, EBX7_AVX2, 0, XCR0_AVX);
}

int bpei_cpu_fits_avx512(void)
{
	return cpu_has_leaf7(ECX1_AVX512, EBX7_AVX2 | EBX7_AVX512, ECX7_AVX512, XCR0_AVX512);
}
