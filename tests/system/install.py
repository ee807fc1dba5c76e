#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""install.py pkg-config|cmake BUILD PREFIX COMPILER...: tests the installed library.

Installs under a root of its own, and moves the root to another place.  Programs are built from
there by pkg-config or by CMake, shared and static, and run; the installed examples, too.  Exit
code 77: skipped, with the reason."""

import os, re, shutil, subprocess, sys, tempfile

TOP = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
WAY, BUILD, PREFIX = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3].lstrip("/")
COMPILER = sys.argv[4:]
passed = failed = 0
PROGRAM = """#include <bpfengine.h>
#include <stdio.h>
int main(void)
{
	struct bpe_options o;
	struct bpe_capture *capture;
	struct bpe_batch batch;
	struct bpe_error error;
	unsigned n = 0;
	bpe_options_init(&o);
	o.interface_name = "synth:count=1000";
	if (bpe_capture_open(&o, &capture, &error) < 0) return 1;
	while (bpe_capture_next(capture, &batch, -1, &error) > 0) n += batch.count;
	bpe_capture_close(capture);
	printf("%u packets, %s\\n", n, bpe_version());
	return 0;
}
"""
# What an installed example shows of synth; the others show a hundred characters and more.
SHOWN = {
    "dns_counter.c": r"^\d+ host\.example\.net\n",
    "own_source.c": r",10\.0\.0\.1,40000,10\.0\.0\.2,443,udp,",
    "scan_alarm.c": r"^$",  # nobody scans
    "rotating_writer.c": r"^\S*/packets_00001\.pcapng: \d+ packets, \d+ bytes\n",
}
# An Ethernet frame with UDP in IPv4, for own_source, which reads the standard input.
FRAME = bytes(12) + bytes.fromhex(
    "0800 4500001c000040004011 0000 0a000001 0a000002 9c4001bb00080000"
)
# PROGRAM for C++.
CPP_PROGRAM = """#include <bpfengine.hpp>
#include <cstdio>
int main()
{
	bpe::capture capture(bpe::options("synth:count=1000"));
	unsigned n = 0;
	for (auto batch = capture.next().value(); !batch.ended(); batch = capture.next().value())
		n += unsigned(batch.size());
	std::printf("%u packets, %s\\n", n, bpe_version());
}
"""
PROJECT = """cmake_minimum_required(VERSION 3.16)
project(user LANGUAGES C CXX)
find_package(bpfengine @VERSION@ REQUIRED)
message(STATUS "found ${bpfengine_VERSION} in ${bpfengine_DIR}")
add_executable(shared main.c)
target_link_libraries(shared PRIVATE bpfengine::bpfengine)
add_executable(static main.c)
target_link_libraries(static PRIVATE bpfengine::static)
add_executable(cxx main.cc)
target_compile_features(cxx PRIVATE cxx_std_17)
target_link_libraries(cxx PRIVATE bpfengine::bpfengine)
"""


def check(good, what):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("failed:", what)
    return good


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=600, **more)


def runs(program, libraries, version):
    e = run(
        program, env={**os.environ, "LD_LIBRARY_PATH": libraries, "DYLD_LIBRARY_PATH": libraries}
    )
    check(
        e.returncode == 0 and e.stdout == f"1000 packets, {version}\n",
        f"{program}: {e.returncode} {e.stdout}{e.stderr}",
    )


def install(where):
    """Installed under one root, then moved: (prefix, library folder, version)."""
    e = run("meson", "install", "-C", BUILD, "--no-rebuild", "--destdir", f"{where}/root")
    if e.returncode:
        sys.exit(e.stdout + e.stderr)
    os.rename(f"{where}/root/{PREFIX}", f"{where}/moved")
    pc = next(
        os.path.join(d, "bpfengine.pc")
        for d, _, fs in os.walk(f"{where}/moved")
        if "bpfengine.pc" in fs
    )
    libraries = next(d for d, _, fs in os.walk(f"{where}/moved") if "libbpfengine.a" in fs)
    return (
        f"{where}/moved",
        libraries,
        pc,
        re.search(r"^Version: (\S+)", open(pc).read(), re.M).group(1),
    )


def by_pkg_config(where):
    tool = shutil.which("pkg-config") or skip("pkg-config is not installed")
    prefix, libraries, pc, version = install(where)

    def flags(*wanted):
        out = run(
            tool,
            f"--define-variable=prefix={prefix}",
            *wanted,
            "bpfengine",
            env={**os.environ, "PKG_CONFIG_PATH": os.path.dirname(pc)},
        )
        check(out.returncode == 0, out.stderr)
        return out.stdout.split()

    with open(f"{where}/main.c", "w") as f:
        f.write(PROGRAM)
    for name, wanted in (
        ("shared", flags("--cflags", "--libs")),
        (
            "static",
            [
                f"{libraries}/libbpfengine.a" if x == "-lbpfengine" else x
                for x in flags("--cflags", "--libs", "--static")
            ],
        ),
    ):
        e = run(
            *COMPILER, "-std=c11", f"{where}/main.c", "-o", f"{where}/{name}", *wanted, "-pthread"
        )
        if check(e.returncode == 0, e.stderr):
            runs(f"{where}/{name}", libraries, version)
    linked = (
        run("readelf", "-d", f"{where}/shared").stdout
        if shutil.which("readelf") and sys.platform == "linux"
        else ""
    )
    check(not linked or "libbpfengine.so.1]" in linked, linked)
    examples = next((d for d, _, fs in os.walk(prefix) if "basic_capture.c" in fs), None)
    if not check(examples is not None, "no examples were installed"):
        return
    sources = [f for f in sorted(os.listdir(examples)) if f.endswith((".c", ".cpp"))]
    check(len(sources) > 3 and "wrapper.cpp" in sources, f"the installed examples: {sources}")
    for source in sources:
        compiler = [*COMPILER, "-std=gnu11"]
        if source.endswith(".cpp"):
            compiler = ["c++", "-std=c++17"]
        if not shutil.which(compiler[0]):
            continue
        e = run(
            *compiler,
            "-O1",
            f"{examples}/{source}",
            "-o",
            f"{where}/example",
            *flags("--cflags", "--libs"),
            "-pthread",
        )
        if check(e.returncode == 0, f"{source}: {e.stderr}"):
            e = run(
                f"{where}/example",
                "synth:count=1000",
                *([f"{where}/packets.pcapng"] if source == "rotating_writer.c" else []),
                input=FRAME.hex() + "\n" if source == "own_source.c" else "",
                env={**os.environ, "LD_LIBRARY_PATH": libraries, "DYLD_LIBRARY_PATH": libraries},
            )
            check(
                e.returncode == 0 and re.search(SHOWN.get(source, r"(?s).{100}"), e.stdout),
                f"{source}: {e.returncode} {e.stdout[:300]} {e.stderr}",
            )
    shared = next(
        (
            os.path.join(libraries, f)
            for f in sorted(os.listdir(libraries))
            if re.match(r"libbpfengine\.(so|dylib)", f)
        ),
        None,
    )
    if shared:
        e = run(
            sys.executable,
            "-B",
            f"{examples}/python/connections.py",
            "synth:count=500",
            env={**os.environ, "BPFENGINE_LIBRARY": shared, "PYTHONPATH": f"{TOP}/python"},
        )
        check(
            e.returncode == 0 and re.search(r"^\d+ flows, \d+ packets", e.stdout, re.M),
            f"connections.py: {e.stderr}",
        )


def by_cmake(where):
    tool = shutil.which("cmake") or skip("cmake is not installed")
    prefix, libraries, _, version = install(where)
    os.mkdir(f"{where}/user")
    for name, text in (("main.c", PROGRAM), ("main.cc", CPP_PROGRAM)):
        with open(f"{where}/user/{name}", "w") as f:
            f.write(text)

    def configure(asked):
        with open(f"{where}/user/CMakeLists.txt", "w") as f:
            f.write(PROJECT.replace("@VERSION@", asked))
        shutil.rmtree(f"{where}/b", ignore_errors=True)
        return run(
            tool,
            "-S",
            f"{where}/user",
            "-B",
            f"{where}/b",
            f"-DCMAKE_PREFIX_PATH={prefix}",
            "-DCMAKE_FIND_PACKAGE_NO_PACKAGE_REGISTRY=ON",
            env={**os.environ, "CC": " ".join(COMPILER)},
        )

    major, minor, _ = version.split(".")
    for asked, good in (
        ("", True),
        (version, True),
        (f"{major}.{minor}", True),
        (f"{version} EXACT", True),
        (f"{major}.{minor}.99", False),
        (f"{int(major) + 1}", False),
        (f"{major}.{int(minor) + 1}", False),
        (f"{version}.1 EXACT", False),
    ):
        e = configure(asked)
        check(
            (e.returncode == 0) == good,
            f"find_package(bpfengine {asked}): {e.stdout[-500:]}{e.stderr[-1500:]}",
        )
        if not good:
            check("bpfengine" in e.stderr and version in e.stderr, e.stderr)
    e = configure(f"{major}.{minor}")
    check(f"found {version} in {prefix}" in e.stdout, e.stdout)
    e = run(tool, "--build", f"{where}/b")
    if not check(e.returncode == 0, e.stdout[-3000:] + e.stderr[-3000:]):
        return
    for name in ("shared", "static", "cxx"):
        runs(f"{where}/b/{name}", libraries, version)
    os.remove(
        next(
            os.path.join(libraries, f)
            for f in os.listdir(libraries)
            if f in ("libbpfengine.so", "libbpfengine.dylib")
        )
    )
    for f in os.listdir(libraries):
        if f.startswith("libbpfengine.") and not f.endswith(".a"):
            os.remove(os.path.join(libraries, f))
    e, b = configure(""), run(tool, "--build", f"{where}/b", "--target", "cxx")
    if check(
        e.returncode == 0 and b.returncode == 0,
        f"with the static library alone: {e.stderr}{b.stderr}",
    ):
        runs(f"{where}/b/cxx", "/", version)


with tempfile.TemporaryDirectory() as where:
    where = os.path.realpath(where)
    by_cmake(where) if WAY == "cmake" else by_pkg_config(where)
print(f"{passed} passed, {failed} failed")
sys.exit(failed != 0)
