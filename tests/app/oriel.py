# SPDX-License-Identifier: GPL-3.0-or-later
"""Driving orielctl from tests: a private library, commands with their results, and TAP output."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ORIELCTL = os.environ["ORIELCTL"]
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Failure(Exception):
    """A command that did not do what the test needs."""


class Skip(Exception):
    """This host cannot run the test; the text says why."""


def report(text):
    """Says what led to a failure, among the results and where the runner shows it."""
    for line in text.splitlines():
        print(f"# {line}", flush=True)
        print(line, file=sys.stderr, flush=True)


class Home:
    """A library and a runtime folder of the test's own, removed at the end with all that runs there."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="oriel-test-")
        self.data = os.path.join(self.path, "data")
        self.runtime = os.path.join(self.path, "run")
        os.mkdir(self.data)
        os.mkdir(self.runtime, 0o700)
        self.environment = dict(os.environ, XDG_DATA_HOME=self.data, XDG_RUNTIME_DIR=self.runtime,
                                LC_ALL="C.UTF-8")
        # Builds with a sanitizer: reports go to files, wherever a program's messages go.
        for tool, more in (("ASAN", ""), ("LSAN", ""), ("UBSAN", ":print_stacktrace=1"),
                           ("TSAN", f":exitcode=0:report_mutex_bugs=0:suppressions={SOURCE}/tests/tsan.supp")):
            options = os.environ.get(tool + "_OPTIONS", "")
            self.environment[tool + "_OPTIONS"] = f"{options}:log_path={self.path}/sanitizer{more}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if kind not in (None, Skip):
                self.show_logs()
            for machine in self.json("list"):
                if machine["state"] not in ("stopped", "saved", "damaged", "unavailable"):
                    self.run("stop", machine["folder"])
            self.check_sanitizers()
        finally:
            shutil.rmtree(self.path, ignore_errors=True)

    def show_logs(self):
        """The end of what the engines said, for the report of a failed test."""
        for parent, _, files in os.walk(self.path):
            for name in files:
                if name == "engine.log":
                    with open(os.path.join(parent, name), encoding="utf-8", errors="replace") as file:
                        for line in file.read().splitlines()[-20:]:
                            report(f"{parent}: {line}")

    def check_sanitizers(self):
        """Fails if a program started in this home had something to report."""
        for name in os.listdir(self.path):
            if not name.startswith("sanitizer."):
                continue
            with open(os.path.join(self.path, name), encoding="utf-8", errors="replace") as file:
                report = file.read(20000)
            # Not every word is a report: a killed process leaves complaints about being killed.
            if re.search("ERROR: |WARNING: ThreadSanitizer|runtime error:", report):
                raise Failure(f"{name}: {report}")

    def run(self, *arguments, timeout=120, stdin=None):
        """Runs a command; returns (exit code, stdout, stderr)."""
        result = subprocess.run([ORIELCTL, *arguments], env=self.environment, input=stdin, text=True,
                                errors="replace", capture_output=True, timeout=timeout, check=False)
        return result.returncode, result.stdout, result.stderr

    def ok(self, *arguments, timeout=120, stdin=None):
        """Runs a command that must succeed; returns its output."""
        code, out, err = self.run(*arguments, timeout=timeout, stdin=stdin)
        if code != 0:
            raise Failure(f"orielctl {' '.join(arguments)}: exit code {code}: {out}{err}")
        return out

    def fails(self, code, *arguments, words=()):
        """Runs a command that must fail with that exit code and a sentence that has the words."""
        got, out, err = self.run(*arguments)
        if got != code:
            raise Failure(f"orielctl {' '.join(arguments)}: exit code {got}, expected {code}: {out}{err}")
        if not err.startswith("orielctl: ") or not err.rstrip().endswith((".", "”")):
            raise Failure(f"no sentence: {err!r}")
        for word in words:
            if word not in err:
                raise Failure(f"“{word}” is not in: {err}")
        return err

    def json(self, *arguments):
        return json.loads(self.ok(*arguments, "--json"))

    def folder(self, name):
        return os.path.join(self.data, "oriel", "machines", name + ".oriel")

    def file(self, name, content=b""):
        path = os.path.join(self.path, name)
        with open(path, "wb") as out:
            out.write(content)
        return path

    def tree(self):
        """Every file of the library with its content, to show that nothing changed."""
        found = {}
        for parent, folders, files in os.walk(self.data):
            for name in folders:
                found[os.path.join(parent, name)] = None
            for name in files:
                path = os.path.join(parent, name)
                if name != "lock":
                    with open(path, "rb") as content:
                        found[path] = content.read(1 << 20)
        return found


@contextlib.contextmanager
def small_file_system(folder, size):
    """One with so much room, mounted at the folder: how a full disk is. Skips the test where nothing can be mounted."""
    os.makedirs(folder, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False).returncode:
        raise Skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


def check(condition, what):
    if not condition:
        raise Failure(what)


def main(*tests):
    """Runs the tests, each in a home of its own, and prints TAP; those named on the command line, or all."""
    tests = [test for test in tests if test.__name__.removeprefix("test_") in sys.argv] or tests
    print(f"1..{len(tests)}", flush=True)
    failed = False
    for number, test in enumerate(tests, 1):
        name = test.__name__.removeprefix("test_")
        start = time.monotonic()
        try:
            with Home() as home:
                test(home)
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as error:  # a test may fail in any way; the rest still runs
            failed = True
            report(f"{name}: {traceback.format_exc()}")
            report(f"{name}: {str(error).partition(chr(10))[0]}")  # again: of a long report only the end may be shown
            print(f"not ok {number} - {name}", flush=True)
        print(f"# {name} took {time.monotonic() - start:.1f} s", flush=True)
    sys.exit(failed)
