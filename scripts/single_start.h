/* SPDX-License-Identifier: MIT */
/* The start of the implementation in bpfengine_single.h: differences of C11 and C++17. */

#if defined(BPFENGINE_IMPLEMENTATION) && !defined(BPEI_IMPLEMENTED)
#define BPEI_IMPLEMENTED
#pragma GCC system_header
#pragma GCC diagnostic push
#if !defined(__clang__)		/* in GCC's headers for AVX-512: GCC bug 105593 */
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#if !defined(__GNUC__)
#error "bpfengine needs GCC or Clang"
#endif

@FEATURES@

#ifdef __cplusplus
#define BPEI_STATIC_ASSERT static_assert
#define BPEI_NO_LABEL_VALUES
#define BPEI_ANY(x) (bpei_any(x))
/* A void pointer that converts to any other pointer, as in C. */
struct bpei_any {
	void *p;
	explicit bpei_any(void *from) : p(from) {}
	explicit bpei_any(const void *from) : p(const_cast<void *>(from)) {}
	template <class T> operator T *() const { return static_cast<T *>(p); }
	explicit operator bool() const { return p != nullptr; }
};
#define BPEI_ADDRESS(T, ...) (bpei_argument<T>{ { __VA_ARGS__ } }.address())
/* The counterpart of C's &(T){ ... }, as an argument; lives until the call has returned. */
template <class T> struct bpei_argument {
	T value;
	T *address() { return &value; }
};
#else
#define BPEI_STATIC_ASSERT _Static_assert
#define BPEI_ANY(x) (x)
#define BPEI_ADDRESS(T, ...) (&(T){ __VA_ARGS__ })
#endif
#define BPEI_ALIGNAS(bytes) __attribute__((aligned(bytes)))

/* C and C++17 have different atomics; the compilers' builtins are in both. */
#define BPEI_ATOMIC_LOAD(p, order) __atomic_load_n(p, order)
#define BPEI_ATOMIC_STORE(p, v, order) __atomic_store_n(p, v, order)
#define BPEI_ATOMIC_INIT(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

#define BPEI_ARCH all
@BACKENDS@

#pragma GCC visibility push(hidden)
