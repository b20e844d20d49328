#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Check the orderings of the library's own code: as it is, and with one relaxed at a time.

usage: orderings.py whole|sites|table BUILD_FOLDER
  whole   nothing is found in the code as it is: ThreadSanitizer (threads_test), simulated
          weak memory (weak_test), streaming stores on this machine (stream_test), the litmus
          tests, the instructions on ARMv8 and x86-64
  sites   each acquire, release and fence of lib/ is made relaxed in a copy of the sources,
          and is found by the check that orderings.txt names
  table   print the table of doc/memory-ordering.rst

Sites are found in the sources, so that a new one cannot be forgotten, and are named
FILE:FUNCTION:WORD. NHN_NIGHTLY=1 runs longer.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCUMENT = ROOT / "doc" / "memory-ordering.rst"
LAYERS = ("wire", "channel", "link")
SEARCHED = (*LAYERS, "msg")  # which stands on them and orders nothing but its streaming stores
DEMOTED = {
    "nhn_load_acquire": "nhn_load_relaxed",
    "nhn_foreign_acquire": "nhn_foreign_relaxed",
    "nhn_store_release": "nhn_store_relaxed",
    "nhn_fence_acquire": "NO_FENCE",
    "nhn_fence_release": "NO_FENCE",
    "nhn_fence_streamed": "NO_FENCE",
}
CALL = re.compile(r"(?<=[^\w\n])(" + "|".join(DEMOTED) + r")\(")
C_OPTIONS = ["clang", "-std=gnu11", "-D_GNU_SOURCE", "-DNO_FENCE()=((void)0)", "-g", "-O1"]
CXX_OPTIONS = ["clang++", "-std=gnu++17", "-w", "-O1"]
EXIT_RACE = 66
EXIT_SKIP = 77
SECONDS = 900
AT_ONCE = 2  # processors of the smallest machine this runs on

Effort = collections.namedtuple("Effort", "lives runs messages")
NIGHTLY = os.environ.get("NHN_NIGHTLY", "") not in ("", "0")
WHOLE = Effort(1500, 50000, 10**7) if NIGHTLY else Effort(200, 3000, 3 * 10**5)
FIND = Effort(1500, 100000, 10**7) if NIGHTLY else Effort(400, 30000, 10**6)  # ends when found
NOT_FOUND = Effort(100, 4000, 0) if NIGHTLY else Effort(40, 1000, 0)

Site = collections.namedtuple("Site", "path begin end relaxed")
Row = collections.namedtuple("Row", "found_by remark")


class Failure(Exception):
    """A sentence for whoever runs this."""


# ---- sites and their table ----


def first_argument(text):
    """TEXT begins after a call's opening parenthesis."""
    depth = 0
    for end, char in enumerate(text):
        if char in ")," and depth == 0:
            return text[:end]
        depth += {"(": 1, ")": -1}.get(char, 0)
    return text


def word_of(argument):
    """What a person would call the word: its last name, or the function that gives it."""
    argument = re.sub(r"\((?:const )?\w+(?: NHN_\w+)? ?\*\)", "", argument)
    call = re.match(r"\s*(\w+)\(", argument)
    names = re.findall(r"\b[a-z]\w*", argument)
    return call.group(1) if call else names[-1] if names else "fence"


def sites_of(path):
    text = (ROOT / path).read_text()
    code = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group()), text, flags=re.S)
    seen = collections.Counter()
    for call in CALL.finditer(code):
        function = re.findall(r"^(\w+)\(", code[: call.start()], flags=re.M)[-1]
        name = f"{path}:{function}:{word_of(first_argument(code[call.end():]))}"
        seen[name] += 1
        if seen[name] > 1:
            name += f"#{seen[name]}"
        yield name, Site(path, call.start(1), call.end(1), DEMOTED[call.group(1)])


def all_sites():
    sites = {}
    for layer in SEARCHED:
        for path in sorted((ROOT / "lib" / layer).glob("*.[ch]")):
            sites.update(sites_of(path.relative_to(ROOT)))
    return sites


def read_table():
    rows = {}
    for line in (HERE / "orderings.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, found_by, remark = line.split(maxsplit=2)
            rows[name] = Row(found_by, remark)
    return rows


def check_table(sites, rows):
    """Sentences about rows and sites that do not fit each other."""
    for name in sites.keys() - rows.keys():
        yield f"{name}: a new ordering: find out what catches it and add it to orderings.txt"
    for name in rows.keys() - sites.keys():
        yield f"{name}: no such ordering in the sources: remove it from orderings.txt"
    for name, row in rows.items():
        if row.found_by not in ("threads", "weak", "stream", "-"):
            yield f"{name}: '{row.found_by}' in orderings.txt, expected threads, weak, stream or -"
    if table_text(rows) not in DOCUMENT.read_text():
        yield f"{DOCUMENT.name} has another table: put the output of 'orderings.py table' there"


def table_text(rows):
    lines = [".. list-table::", "   :header-rows: 1", "   :widths: 42 12 46", "",
             "   * - site", "     - found by", "     - "]
    for name, row in rows.items():
        lines += [f"   * - ``{name.removeprefix('lib/')}``", f"     - {row.found_by}",
                  f"     - {row.remark}"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


# ---- building and running ----


def run(command):
    environment = dict(os.environ, TSAN_OPTIONS=f"halt_on_error=1 exitcode={EXIT_RACE}")
    command = [str(part) for part in command]
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=SECONDS, check=False, env=environment)
    except subprocess.TimeoutExpired:
        raise Failure(f"no end within {SECONDS} s: {' '.join(command)}") from None


def compile_to(output, command):
    done = run([*command, "-o", output])
    if done.returncode != 0:
        raise Failure(f"{output} does not compile:\n{done.stdout}")
    return output


def includes(tree):
    folders = [tree / "lib" / layer for layer in SEARCHED] + [ROOT / "test" / "unit", HERE]
    return [f"-I{folder}" for folder in folders]


def c_files(tree):
    """The sources of the three layers that a link is made of, and a side of it."""
    files = [path for layer in LAYERS for path in sorted((tree / "lib" / layer).glob("*.c"))]
    return [path for path in files if not path.stem.endswith("_text")] + [
        HERE / "side.c", HERE / "side_memory.c"]


def run_threads(tree, effort):
    """@return what ThreadSanitizer or a check found, or None"""
    program = compile_to(tree / "threads_test", [
        *C_OPTIONS, "-fsanitize=thread", *includes(tree), *c_files(tree),
        HERE / "threads_test.c", "-lpthread"])
    # Its shadow memory has no place where addresses are drawn from 32 bits at random.
    fixed = ["setarch", "-R"] if run(["setarch", "-R", "true"]).returncode == 0 else []
    return first_found([[*fixed, program, effort.lives, seed, layouts]
                        for seed, layouts in ((1, "other"), (2, "same"))])


def run_weak(tree, effort):
    """@return what went wrong in simulated weak memory, or None"""
    objects = [compile_to(tree / f"{path.stem}.o", [
        *C_OPTIONS, "-include", "weak_words.h", *includes(tree), "-c", path])
        for path in c_files(tree)]
    program = compile_to(tree / "weak_test", ["clang++", *objects, tree.parent / "weak_test.o"])
    return first_found([[program, effort.runs, layouts] for layouts in ("other", "same")])


def can_stream():
    """Whether this machine has streaming stores and a second processor to look at them."""
    return os.uname().machine == "x86_64" and len(os.sched_getaffinity(0)) >= 2


def run_stream(tree, effort):
    """@return what a reader found that streaming stores had not yet reached, or None"""
    files = [path for path in c_files(tree) if path.parent != HERE]
    program = compile_to(tree / "stream_test", [
        *C_OPTIONS, "-O2", *includes(tree), *files, *sorted((tree / "lib" / "msg").glob("*.c")),
        HERE / "stream_test.c", "-lpthread"])
    return first_found([[program, effort.messages]])


def first_found(commands):
    for command in commands:
        done = run(command)
        if done.returncode != 0:
            return done.stdout.strip() or f"{command[0]} ended with {done.returncode}"
    return None


def run_litmus(folder):
    program = compile_to(folder / "litmus", [*CXX_OPTIONS, HERE / "litmus.cc"])
    done = run([program])
    print(done.stdout, end="")
    if done.returncode != 0:
        raise Failure("litmus: a verdict is not the expected one")
    return set(re.findall(r"^holds +([^:]+):", done.stdout, flags=re.M))


def run_instructions(folder):
    """Each accessor is the instruction that doc/memory-ordering.rst says, and no other."""
    expected = {
        "aarch64": {"load_acquire": "ldar", "load_relaxed": "ldr", "store_release": "stlr",
                    "store_relaxed": "str", "fence": "dmb ishld", "fence_streamed": None},
        "x86_64": {"load_acquire": "movl", "load_relaxed": "movl", "store_release": "movl",
                   "store_relaxed": "movl", "fence": None, "fence_streamed": "sfence"},
    }
    # No other machine's C library is needed: freestanding, and memcpy is what it is anywhere.
    (folder / "string.h").write_text("void *memcpy(void *, const void *, __SIZE_TYPE__);\n")
    for machine, table in expected.items():
        text = compile_to(folder / f"{machine}.s", [
            *C_OPTIONS, "-g0", "-O2", f"--target={machine}-linux-gnu", "-S", "-ffreestanding",
            f"-I{folder}", f"-I{ROOT / 'lib' / 'wire'}", HERE / "instructions.c"]).read_text()
        for name, instruction in table.items():
            body = re.search(rf"^{name}:(.*?)^\.Lfunc_end", text, flags=re.M | re.S).group(1)
            found = re.findall(r"^\t(dmb\s+\w+|(?:ld|st|mov|xchg|.fence|lock)\w*)", body, flags=re.M)
            found = [" ".join(instruction.split()) for instruction in found]
            if found != ([instruction] if instruction else []):
                raise Failure(f"{name} on {machine} is {found}, expected {instruction}")
    print("instructions: as expected on " + " and ".join(expected))


# ---- what may be asked for ----


def demote(folder, number, site):
    tree = folder / f"site-{number}"
    for layer in SEARCHED:
        shutil.copytree(ROOT / "lib" / layer, tree / "lib" / layer)
    text = (ROOT / site.path).read_text()
    (tree / site.path).write_text(text[: site.begin] + site.relaxed + text[site.end:])
    return tree


RUNNERS = {"threads": run_threads, "weak": run_weak, "stream": run_stream}


def try_site(folder, number, name, site, row):
    """@return (what was found, a complaint or None)"""
    tree = demote(folder, number, site)
    if row.found_by == "-":
        found = run_weak(tree, NOT_FOUND) or run_threads(tree, NOT_FOUND)
        complaint = f"{name}: found after all: correct orderings.txt" if found else None
    else:
        found = RUNNERS[row.found_by](tree, FIND)
        complaint = None if found else f"{name}: relaxed, and {row.found_by} found nothing"
    shutil.rmtree(tree)
    return found, complaint


def short(found):
    lines = [line for line in (found or "").splitlines() if re.match("SUMMARY|.*_test: ", line)]
    return re.sub(r" \(.*?\)+", "", lines[0]).replace("SUMMARY: ", "") if lines else "nothing"


def check_sites(folder):
    sites, rows = all_sites(), read_table()
    complaints = list(check_table(sites, rows))
    known = [name for name in sites if name in rows]
    if not can_stream():
        print("stream: not tried: needs x86-64 and two processors")
        known = [name for name in known if rows[name].found_by != "stream"]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        tries = [pool.submit(try_site, folder, number, name, sites[name], rows[name])
                 for number, name in enumerate(known)]
        for name, done in zip(known, tries):
            found, complaint = done.result()
            print(f"{name}: {rows[name].found_by}: {short(found)}", flush=True)
            complaints += [complaint] if complaint else []
    return complaints


def check_whole(folder):
    complaints = []
    litmus = run_litmus(folder)
    run_instructions(folder)
    for name, row in read_table().items():
        for named in re.findall(r"litmus ([\w-]+)", row.remark):
            if named not in litmus:
                complaints.append(f"{name}: orderings.txt names a litmus {named}: there is none")
    tree = folder / "whole"
    for layer in SEARCHED:
        shutil.copytree(ROOT / "lib" / layer, tree / "lib" / layer)
    for name, runner in RUNNERS.items():
        if name == "stream" and not can_stream():
            print("stream: not tried: needs x86-64 and two processors")
            continue
        found = runner(tree, WHOLE)
        print(f"{name}: {short(found)}")
        complaints += [found] if found else []
    return complaints


def missing(folder):
    """What this machine lacks, a sentence, or None."""
    probe = folder / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    if shutil.which("clang") is None or shutil.which("clang++") is None:
        return "no clang: run devtools/setup"
    if run(["clang", "-fsanitize=thread", probe, "-o", folder / "probe"]).returncode != 0:
        return "clang has no ThreadSanitizer: run devtools/setup (libclang-rt-dev)"
    probe = folder / "probe.cc"
    probe.write_text("#include <relacy/relacy.hpp>\n")
    if run([*CXX_OPTIONS, "-fsyntax-only", probe]).returncode != 0:
        return "no relacy: run devtools/setup (relacy-dev)"
    return None


def main(arguments):
    if arguments == ["table"]:
        print(table_text(read_table()), end="")
        return 0
    if len(arguments) != 2 or arguments[0] not in ("whole", "sites"):
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(arguments[1]).resolve() / f"orderings-{arguments[0]}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    lack = missing(folder)
    if lack:
        print(f"orderings: skipped: {lack}")
        return EXIT_SKIP
    try:
        compile_to(folder / "weak_test.o", [*CXX_OPTIONS, *includes(ROOT), "-c",
                                            HERE / "weak_test.cc"])
        complaints = (check_whole if arguments[0] == "whole" else check_sites)(folder)
    except Failure as failure:
        complaints = [str(failure)]
    for complaint in complaints:
        print(f"orderings: {complaint}", file=sys.stderr)
    shutil.rmtree(folder)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
