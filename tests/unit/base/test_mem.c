/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <unistd.h>

Test(mem, mapped_memory_is_zero_aligned_and_writable)
{
	for (int huge = 0; huge < 2; huge++) {
		const size_t bytes = (size_t)3 << 20;
		uint8_t *p = bpei_mem_map(bytes, huge);

		cr_assert_not_null(p);
		cr_expect_eq((uintptr_t)p % (uintptr_t)sysconf(_SC_PAGESIZE), 0);
		cr_expect(p[0] == 0 && p[bytes - 1] == 0);
		p[bytes - 1] = 1;
		bpei_mem_unmap(p, bytes);
	}
	bpei_mem_unmap(NULL, 4096);
}

Test(mem, untouched_memory_costs_nothing_and_too_much_is_refused)
{
	void *p = bpei_mem_map((size_t)1 << 36, 0);

	bpei_mem_unmap(p, (size_t)1 << 36);
	cr_expect_null(bpei_mem_map(SIZE_MAX / 2, 0));
}
