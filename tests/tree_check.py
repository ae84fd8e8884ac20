# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of check-docs and check-dependencies share: small trees to check, and TAP."""

import os
import subprocess
import sys
import tempfile

_tests = []


def run_check(program, *arguments):
    """Its status and all that it said."""
    result = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def write(tree, files):
    """Files with their text, below a folder."""
    for name, text in files.items():
        path = os.path.join(tree, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def test(name):
    """A function that gets an empty folder."""
    def register(function):
        _tests.append((name, function))
        return function

    return register


def main():
    """Runs the tests and ends the program."""
    print(f"1..{len(_tests)}")
    failures = 0
    for number, (name, function) in enumerate(_tests, 1):
        with tempfile.TemporaryDirectory() as scratch:
            try:
                function(scratch)
                print(f"ok {number} - {name}")
            except (AssertionError, OSError, subprocess.CalledProcessError) as error:
                failures += 1
                print("# " + str(error).replace("\n", "\n# "))
                print(f"not ok {number} - {name}")
    sys.exit(failures > 0)
