#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A language for tests, in which every text that is translated stands in [brackets]: what a program says without them
was not translated.

usage: brackets.py TREE PROGRAM [ARGUMENT...]

Runs the program in that language."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

LANGUAGE = "xx"
# As the preset "glib" of Meson's module i18n.
KEYWORDS = ("_", "N_", "C_:1c,2", "NC_:1c,2", "g_dcgettext:2", "g_dngettext:2,3", "g_dpgettext2:2c,3")
HEADER = ('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n'
          '"Plural-Forms: nplurals=2; plural=n != 1;\\n"\n')
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def missing():
    """A program that this needs and that is not installed, or None."""
    return next((program for program in ("xgettext", "msgfmt") if not shutil.which(program)), None)


def template(tree):
    """All texts of the tree, as its translators get them."""
    return subprocess.run(
        ["xgettext", "--from-code=UTF-8", *(f"--keyword={keyword}" for keyword in KEYWORDS), "--output=-",
         "--directory", tree, "--files-from", os.path.join(tree, "po", "POTFILES.in")],
        check=True, capture_output=True, text=True).stdout


def bracketed(text):
    """The inside of a string; a line break at its end stays there."""
    end = "\\n" if text.endswith("\\n") else ""
    return f'"[{text[:len(text) - len(end)]}]{end}"'


def translated(entry):
    """One entry of the template with its translations."""
    lines = [line for line in entry.splitlines() if line.startswith("#, ")]
    fields, name = {}, None
    for line in entry.splitlines():
        if line.startswith("#"):
            continue
        if not line.startswith('"'):
            name = line.split(" ", 1)[0]
        fields[name] = fields.get(name, "") + "".join(STRING.findall(line))
    for name in ("msgctxt", "msgid", "msgid_plural"):
        if name in fields:
            lines.append(f'{name} "{fields[name]}"')
    if "msgid_plural" in fields:
        lines.append(f"msgstr[0] {bracketed(fields['msgid'])}")
        lines.append(f"msgstr[1] {bracketed(fields['msgid_plural'])}")
    else:
        lines.append(f"msgstr {bracketed(fields['msgid'])}")
    return "\n".join(lines)


def catalogue(tree, folder):
    """Makes the catalogue below the folder; what programs need in their environment to speak that language."""
    place = os.path.join(folder, LANGUAGE, "LC_MESSAGES")
    os.makedirs(place)
    entries = [translated(entry) for entry in template(tree).split("\n\n")[1:] if entry.strip()]
    subprocess.run(["msgfmt", "--output-file", os.path.join(place, "oriel.mo"), "-"], check=True, text=True,
                   input="\n\n".join([HEADER, *entries]) + "\n")
    return {"ORIEL_LOCALE_DIR": folder, "LANGUAGE": LANGUAGE, "LC_ALL": "C.UTF-8"}


def outside(text):
    """What stands in no brackets."""
    depth, found = 0, []
    for character in text:
        if character == "[":
            depth += 1
        elif character == "]":
            depth = max(depth - 1, 0)
        elif depth == 0:
            found.append(character)
    return "".join(found)


def main():
    if missing():
        print(f"1..0 # SKIP {missing()} is not installed")
        return 0
    with tempfile.TemporaryDirectory(prefix="oriel-words-") as folder:
        environment = dict(os.environ, **catalogue(sys.argv[1], folder))
        return subprocess.run(sys.argv[2:], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
