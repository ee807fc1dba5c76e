#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""levels.py objects BUILD OBJDUMP: disassembles each object of the library and the programs in a
build directory, and names every instruction above the level of the object's folder.  Objects of
a kernel's level define no symbol that a linker could choose for others.
levels.py single HEADER OBJDUMP COMPILER STANDARD [FLAG...]: the same for the functions of
bpfengine_single.h, by the level in their names.
levels.py self OBJDUMP COMPILER: plants instructions of each kind and the faults that the checks
are for, and demands that they are found.
Levels are x86-64's: the baseline, SSE4.2, AVX2, AVX-512.  What arch/x86_64/cpu.c asks the CPU
for is what ALLOWED has.
Exit code 77: skipped, with the reason."""

import glob, json, os, re, shutil, subprocess, sys, tempfile

SSE42 = {"sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"}
AVX2 = SSE42 | {"avx", "bmi1", "bmi2"}
ALLOWED = {
    "baseline": set(),
    "cpu": {"xgetbv"},
    "sse42": SSE42,
    "avx2": AVX2,
    "avx512": AVX2 | {"avx512", "fma", "f16c"},
}
TYPICAL = {
    "sse42": "sse4.1",
    "avx2": "avx",
    "avx512": "avx512",
}  # an object of the level without it was compiled wrongly

PREFIXES = {0x66, 0xF2, 0xF3, 0x2E, 0x36, 0x3E, 0x26, 0x64, 0x65, 0x67, 0xF0}
BMI1 = re.compile(r"(andn|bextr|blsi|blsmsk|blsr)[lq]?$")
BMI2 = re.compile(r"(bzhi|mulx|pdep|pext|rorx|sarx|shlx|shrx)[lq]?$")
VEX = (
    ("avx512", re.compile(r"k[a-z]+[bwdq]{1,2}$")),
    ("bmi1", BMI1),
    ("bmi2", BMI2),
    ("fma", re.compile(r"vfn?m(add|sub)")),
    ("f16c", re.compile(r"vcvt(ph2ps|ps2ph)")),
    ("vaes, vpclmulqdq", re.compile(r"vaes|vpclmul")),
    ("gfni", re.compile(r"vgf2p8")),
    (
        "avx-vnni and later",
        re.compile(r"vpdp|vpmadd52|vsm|vsha|vbcst|vcvtne|t[dil][a-z]+|cmp[a-z]+xadd"),
    ),
)
# Extensions of AVX-512 beside F, BW, DQ, VL and VBMI, which are all that is asked for.
EVEX_MORE = re.compile(
    r"vpdp|vpmadd52|vpopcnt|vpshld|vpshrd|vpcompress[bw]|vpexpand[bw]|vgf2p8|vpclmul|vaes"
    r"|vpconflict|vplzcnt|vp2intersect|vpbroadcastm|vpshufbitqmb|vcvtne|vdpbf16"
    r"|v[a-z0-9]+(ph|sh)$|vexp2|vrcp28|vrsqrt28|v[a-z]*pf[01]|v4|vp4"
)
NAMED = {
    "fisttp": "sse3",
    "monitor": "sse3",
    "mwait": "sse3",
    "lddqu": "sse3",
    "xgetbv": "xgetbv",
    "rdtscp": "rdtscp",
    "cmpxchg16b": "cx16",
    "rdrand": "rdrand",
    "rdseed": "rdseed",
    "rdpid": "rdpid",
    "clflushopt": "clflushopt",
    "clwb": "clwb",
    "xbegin": "rtm",
    "xend": "rtm",
    "xtest": "rtm",
    "xabort": "rtm",
    "prefetchw": "prefetchw",
    "prefetchwt1": "prefetchw",
    "rdfsbase": "fsgsbase",
    "rdgsbase": "fsgsbase",
    "wrfsbase": "fsgsbase",
    "wrgsbase": "fsgsbase",
    "tpause": "waitpkg",
    "umonitor": "waitpkg",
    "umwait": "waitpkg",
    "serialize": "serialize",
    "(bad)": "no instruction known to objdump",
}


def legacy_0f(prefixes, code):
    """The extension of an instruction whose first bytes are 0f and code."""
    at = code[0]
    if at == 0x38:
        op = code[1]
        if op in (0xF0, 0xF1):
            return "sse4.2" if 0xF2 in prefixes else "movbe"
        if op == 0xF6:
            return "adx"
        if 0xC8 <= op <= 0xCD:
            return "sha"
        if 0xDB <= op <= 0xDF:
            return "aes"
        if op == 0xCF:
            return "gfni"
        if op > 0x41:
            return "after sse4.2"
        if op <= 0x0B or 0x1C <= op <= 0x1E:
            return "ssse3"
        return "sse4.2" if op == 0x37 else "sse4.1"
    if at == 0x3A:
        op = code[1]
        if op == 0x0F:
            return "ssse3"
        if 0x60 <= op <= 0x63:
            return "sse4.2"
        return {0x44: "pclmulqdq", 0xCC: "sha", 0xCE: "gfni", 0xCF: "gfni", 0xDF: "aes"}.get(
            op, "sse4.1"
        )
    if 0xF3 in prefixes and at == 0xB8:
        return "popcnt"
    if 0xF3 in prefixes and at == 0xBD:
        return "lzcnt"
    # f3 0f bc is bsf on CPUs without tzcnt.  Compilers write it for inputs that are not 0,
    # where both answer alike.
    if at == 0x12 and prefixes & {0xF2, 0xF3} or at == 0x16 and 0xF3 in prefixes:
        return "sse3"
    if at in (0xD0, 0x7C, 0x7D) and prefixes & {0x66, 0xF2}:
        return "sse3"
    return ""


def extension(code, text):
    """The extension that an instruction needs; "" for x86-64's baseline."""
    word = (
        re.sub(
            r"^((lock|rep[a-z]*|bnd|notrack|data16|[cdefgs]s|addr32|rex(\.[A-Z]+)?|\{\w+\}) +)+",
            "",
            text,
        )
        .split(" ")[0]
        .split("\t")[0]
    )
    prefixes, at = set(), 0
    while at < len(code) and code[at] in PREFIXES:
        prefixes.add(code[at])
        at += 1
    vex = at < len(code) and code[at] in (0xC4, 0xC5)
    if at < len(code) and 0x40 <= code[at] <= 0x4F:
        at += 1
    code = code[at:]
    if not code:
        return ""
    if code[0] == 0x62:
        return "a further avx512" if EVEX_MORE.match(word) else "avx512"
    if vex:
        return next((name for name, pattern in VEX if pattern.match(word)), "avx")
    if code[0] == 0x8F and len(code) > 1 and code[1] & 0x38:
        return "xop"
    named = (
        NAMED.get(word)
        or NAMED.get(re.sub(r"[lqs]l?$", "", word))
        or ("xsave" if re.match(r"xsave|xrstor", word) else "")
    )
    return named or (legacy_0f(prefixes, code[1:]) if code[0] == 0x0F else "")


LINE = re.compile(r"\s*[0-9a-f]+:\s+((?:[0-9a-f]{2} )+)\s*(\S.*)?$")


def instructions(objdump, path):
    """(function, bytes, text) of each instruction of an object."""
    out = subprocess.run([objdump, "-dw", path], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"levels: {objdump} {path}: {out.stderr}")
    function = ""
    for line in out.stdout.split("\n"):
        head = re.match(r"[0-9a-f]+ <(.*)>:$", line)
        if head:
            function = head.group(1)
        m = None if head else LINE.match(line)
        if m:
            yield function, [int(b, 16) for b in m.group(1).split()], (m.group(2) or "").strip()


def judge(objdump, path, level_of):
    """(violations, {level: extensions seen}, instructions) of an object.
    level_of(function) is a key of ALLOWED."""
    bad, seen, count = {}, {}, 0
    for function, code, text in instructions(objdump, path):
        count += 1
        level, needs = level_of(function), extension(code, text)
        if needs:
            seen.setdefault(level, set()).add(needs)
        if needs and needs not in ALLOWED[level]:
            bad.setdefault((function, level, needs), text)
    return (
        [
            f"{path}: {f}, whose level is {level}: needs {needs}: {text}"
            for (f, level, needs), text in bad.items()
        ],
        seen,
        count,
    )


def shared_symbols(objdump, path, level):
    """Symbols of a level's object that a linker may choose for code of another level."""
    out = subprocess.run([objdump, "-t", path], capture_output=True, text=True).stdout
    bad = []
    for line in out.split("\n"):
        m = re.match(r"[0-9a-f]+ (.)(.)....(.) (\S+)\s+[0-9a-f]+\s+(?:\.\w+\s+)?(\S+)$", line)
        if not m or m.group(4) in ("*UND*", "*ABS*") or m.group(1) == "l" and m.group(2) != "w":
            continue
        if (
            m.group(1) in "gu!"
            and m.group(2) == " "
            and m.group(1) != "u"
            and m.group(5).endswith("_" + level)
        ):
            continue
        bad.append(
            f"{path}: {m.group(5)} could be taken for code of any level: make it static, "
            f"or end its name with _{level}"
        )
    return bad


def skip(why):
    print("SKIP:", why)
    sys.exit(77)


def report(bad, told):
    for line in bad[:40]:
        print(line)
    print(told)
    print(f"{0 if bad else 1} passed, {len(bad)} failed")
    sys.exit(1 if bad else 0)


def above_baseline(command, flags):
    """The macros by which a compiler tells that its own target is above the baseline."""
    out = subprocess.run(
        [*command, *flags, "-dM", "-E", "-x", "c", os.devnull], capture_output=True, text=True
    ).stdout
    return re.findall(r"#define (__(?:SSE3|SSSE3|SSE4_1|SSE4_2|POPCNT|AVX|BMI)__)", out)


def objects(build, objdump):
    commands = json.load(open(f"{build}/compile_commands.json"))
    first = next(c["command"].split() for c in commands if c["file"].endswith("src/base/clock.c"))
    own = above_baseline(first[:1], [w for w in first if w.startswith("-m")])
    if own:
        skip(f"this build's own flags are above x86-64's baseline ({', '.join(own)})")
    bad, typical, files, total = [], {}, 0, 0
    places = ("arch/*.p", "src/*.p")
    for path in sorted(p for place in places for p in glob.glob(f"{build}/{place}/*.o")):
        m = re.search(r"/arch/libbpfengine_(\w+)\.a\.p/", path)
        level = m.group(1) if m and m.group(1) in ALLOWED else "baseline"
        found, seen, count = judge(objdump, path, lambda function: level)
        bad += found
        if level in TYPICAL:
            bad += shared_symbols(objdump, path, level)
        typical.setdefault(level, set()).update(seen.get(level, ()))
        files, total = files + 1, total + count
    levels = sorted(set(typical) & set(TYPICAL))
    for level in levels:
        if TYPICAL[level] not in typical[level]:
            bad.append(
                f"level {level} has no instruction of {TYPICAL[level]}: nothing was looked at"
            )
    if files < 80 or total < 50000:
        bad.append(f"only {files} objects with {total} instructions in {build}: build first")
    report(bad, f"{files} objects, {total} instructions, levels {', '.join(['baseline'] + levels)}")


def level_by_name(function):
    if "_cpu_" in function:
        return "cpu"
    m = re.search(r"_(sse42|avx2|avx512)(?![0-9])", function)
    return m.group(1) if m else "baseline"


def compile_to(where, name, source, command):
    with open(f"{where}/{name}", "w") as f:
        f.write(source)
    out = f"{where}/{name}.o"
    c = subprocess.run(
        [*command, "-c", f"{where}/{name}", "-o", out], capture_output=True, text=True
    )
    if c.returncode:
        sys.exit(f"levels: {' '.join(command)}: {c.stderr[-2000:]}")
    return out


def single(header, objdump, compiler, standard, flags):
    if not shutil.which(compiler):
        skip(f"{compiler} is not installed")
    if above_baseline([compiler], flags):
        skip(f"{compiler}'s own target is above x86-64's baseline")
    language = "c++" if "++" in standard else "c"
    with tempfile.TemporaryDirectory() as where:
        path = compile_to(
            where,
            "i.c",
            '#define BPFENGINE_IMPLEMENTATION\n#include "bpfengine_single.h"\n',
            [
                compiler,
                "-x",
                language,
                f"-std={standard}",
                "-I",
                os.path.dirname(os.path.abspath(header)),
                "-pthread",
                *flags,
            ],
        )
        bad, seen, count = judge(objdump, path, level_by_name)
    for level, typical in TYPICAL.items():
        if typical not in seen.get(level, ()):
            bad.append(f"no function of level {level} has an instruction of {typical}")
    report(bad, f"{compiler} -std={standard} {' '.join(flags)}: {count} instructions")


PLANTED = {
    "addps %xmm1, %xmm0": "",
    "cvttsd2si %xmm0, %rax": "",
    "pmuludq %xmm1, %xmm0": "",
    "rdtsc": "",
    "rep bsf %eax, %ecx": "",
    "endbr64": "",
    "lock cmpxchg %rax, (%rdi)": "",
    "mfence": "",
    "pause": "",
    "prefetcht0 (%rdi)": "",
    "movnti %rax, (%rdi)": "",
    "rep stosb": "",
    "haddps %xmm1, %xmm0": "sse3",
    "movddup %xmm1, %xmm0": "sse3",
    "lddqu (%rdi), %xmm0": "sse3",
    "fisttpll (%rdi)": "sse3",
    "pshufb %xmm1, %xmm0": "ssse3",
    "palignr $4, %xmm1, %xmm0": "ssse3",
    "pabsd %xmm1, %xmm0": "ssse3",
    "pminud %xmm1, %xmm0": "sse4.1",
    "pextrd $1, %xmm0, %eax": "sse4.1",
    "ptest %xmm1, %xmm0": "sse4.1",
    "pcmpgtq %xmm1, %xmm0": "sse4.2",
    "crc32l %eax, %ecx": "sse4.2",
    "pcmpistri $0, %xmm1, %xmm0": "sse4.2",
    "popcnt %rax, %rcx": "popcnt",
    "lzcnt %eax, %ecx": "lzcnt",
    "movbe (%rdi), %eax": "movbe",
    "pclmulqdq $0, %xmm1, %xmm0": "pclmulqdq",
    "aesenc %xmm1, %xmm0": "aes",
    "sha1nexte %xmm1, %xmm0": "sha",
    "adcx %rax, %rcx": "adx",
    "vaddps %xmm1, %xmm2, %xmm0": "avx",
    "vpaddd %ymm1, %ymm2, %ymm0": "avx",
    "vzeroupper": "avx",
    "vmovdqu (%rdi), %ymm9": "avx",
    "andn %rax, %rcx, %rdx": "bmi1",
    "blsr %eax, %ecx": "bmi1",
    "bextr %rax, %rcx, %rdx": "bmi1",
    "mulx %rax, %rcx, %rdx": "bmi2",
    "shlx %rax, %rcx, %rdx": "bmi2",
    "pext (%rdi), %rcx, %rdx": "bmi2",
    "rorx $3, %rax, %rcx": "bmi2",
    "vfmadd231ps %ymm1, %ymm2, %ymm0": "fma",
    "vcvtph2ps %xmm1, %ymm0": "f16c",
    "vpaddd %zmm1, %zmm2, %zmm0": "avx512",
    "vmovdqu32 %ymm17, %ymm0": "avx512",
    "kmovw %eax, %k1": "avx512",
    "kortestb %k1, %k1": "avx512",
    "vpermb %zmm1, %zmm2, %zmm0": "avx512",
    "vpaddd %xmm1, %xmm2, %xmm0{%k1}": "avx512",
    "vpdpbusd %zmm1, %zmm2, %zmm0": "a further avx512",
    "vpopcntd %zmm1, %zmm0": "a further avx512",
    "cmpxchg16b (%rdi)": "cx16",
    "xgetbv": "xgetbv",
    "rdrand %eax": "rdrand",
    "rdtscp": "rdtscp",
    "prefetchw (%rdi)": "prefetchw",
    "clflushopt (%rdi)": "clflushopt",
    "vpmadd52luq %zmm1, %zmm2, %zmm0": "a further avx512",
    "gf2p8mulb %xmm1, %xmm0": "gfni",
}
# A guarded header's only copy, compiled for the target that came first and called by another.
ONE_COPY = """typedef unsigned wide __attribute__((vector_size(32)));
#define FOR(level) __attribute__((target(level)))
FOR("avx512f,avx512vl") __attribute__((noinline))
static unsigned bpei_probe_256(const wide *p) { wide x = *p * 3 + (*p >> 3); return x[0] ^ x[5]; }
FOR("avx512f,avx512vl") unsigned bpei_probe_avx512(const wide *p) { return bpei_probe_256(p); }
FOR("avx2") unsigned bpei_probe_avx2(const wide *p) { return bpei_probe_256(p); }
"""


def self_test(objdump, compiler):
    bad = []
    with tempfile.TemporaryDirectory() as where:
        text = "".join(f".globl f{i}\nf{i}:\n\t{line}\n" for i, line in enumerate(PLANTED))
        path = compile_to(where, "planted.s", text, [compiler])
        got = {
            function: extension(code, line) for function, code, line in instructions(objdump, path)
        }
        for i, (line, right) in enumerate(PLANTED.items()):
            if got.get(f"f{i}") != right:
                bad.append(f"{line}: told {got.get(f'f{i}')!r}, right {right!r}")
        for level, allowed in ALLOWED.items():
            found, _, _ = judge(objdump, path, lambda function: level)
            for i, (line, needs) in enumerate(PLANTED.items()):
                told = any(f": f{i}, " in v and f" {level}: " in v for v in found)
                if told != bool(needs and needs not in allowed):
                    bad.append(f"{line} at level {level}: told {told}")
        found, _, _ = judge(
            objdump, compile_to(where, "one_copy.c", ONE_COPY, [compiler, "-O2"]), level_by_name
        )
        if not any("bpei_probe_256, whose level is baseline: needs avx" in v for v in found):
            bad.append(f"one copy for two targets: {found}")
        shared = (
            "int bpei_all(int x) { return x; }\n"
            "__attribute__((weak)) int bpei_some_avx2(int x) { return x; }\n"
            "int bpei_parse_avx2(int x) { return x; }\n"
        )
        told = " ".join(
            shared_symbols(
                objdump, compile_to(where, "shared.c", shared, [compiler, "-O1"]), "avx2"
            )
        )
        for name, wrong in (
            ("bpei_all", True),
            ("bpei_some_avx2", True),
            ("bpei_parse_avx2", False),
        ):
            if (f" {name} " in told) != wrong:
                bad.append(f"symbol {name}: told {not wrong}")
    report(bad, f"{len(PLANTED)} instructions planted, at {len(ALLOWED)} levels")


def main():
    if sys.argv[1:2] == ["objects"] and len(sys.argv) == 4:
        objects(*sys.argv[2:])
    if sys.argv[1:2] == ["single"] and len(sys.argv) >= 6:
        single(*sys.argv[2:6], sys.argv[6:])
    if sys.argv[1:2] == ["self"] and len(sys.argv) == 4:
        self_test(*sys.argv[2:])
    sys.exit(__doc__)


main()
