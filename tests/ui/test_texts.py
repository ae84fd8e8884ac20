#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts, as GNOME's guidelines want them: every item of a menu has a mnemonic of its own, quotes and ellipses are
typographic (in sentences of the library and the command line, too), buttons that show only an icon have a tooltip and a
name, Escape closes modal windows, and what is a text can be translated: labels and the like, and whole sentences.

usage: test_texts.py TREE
"""
import os
import re
import sys
from xml.etree import ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from tree_check import main, test, write  # noqa: E402

TREE = sys.argv[1]
BUTTONS = ("GtkButton", "GtkToggleButton", "GtkMenuButton")
TEXT_IN_C = re.compile(r'\b(?:_|N_|C_|ngettext)\(((?:\s*"(?:[^"\\]|\\.)*"\s*,?)+)')
TYPEWRITTEN = re.compile(r"[a-z]'|\\\"|\.\.\.|(?<![\w:/])--(?![a-z%])")


UI_TEXTS = ("label", "title", "subtitle", "description", "tooltip-text", "placeholder-text")
COMMENT = re.compile(r'/\*.*?\*/|("(?:[^"\\]|\\.)*")', re.S)
# A literal, in as many pieces as it has, with what stands before it.
LITERAL = re.compile(r'([\w\s(,]*?)((?:"(?:[^"\\]|\\.)*"\s*(?:PRI\w+\s*)?)+)')
PLURAL = re.compile(r'ngettext\(\s*(?:"(?:[^"\\]|\\.)*"\s*)+,\s*(?:"(?:[^"\\]|\\.)*"\s*)+')
SENTENCE = re.compile(r"[A-Z“][^\\]* [^\\]*[\w”)][.?!]")
TRANSLATED = ("_(", "g_dgettext(GETTEXT_PACKAGE,")
# What developers read, and what no user can bring about.
NOT_FOR_USERS = ("g_warning(", "g_message(", "g_critical(", "g_error(", "g_debug(", "error")
NOT_REACHED = ("The worker has its work already.", "The worker has nowhere to write.", "The worker cannot do “%s”.",
               "Nobody follows the machine.")


def files(tree, ending, *tops):
    for top in tops:
        for folder, _, names in sorted(os.walk(os.path.join(tree, top))):
            for name in sorted(names):
                if name.endswith(ending):
                    yield os.path.join(folder, name)


def roots(tree):
    for path in files(tree, ".ui", "ui"):
        yield os.path.relpath(path, tree), ElementTree.parse(path).getroot()


def label(item):
    return next((part.text for part in item.findall("attribute") if part.get("name") == "label"), "")


def items_of(menu):
    """What is shown together: items and submenus, in sections or not, but not what is inside submenus."""
    for child in menu:
        if child.tag == "section":
            yield from items_of(child)
        elif child.tag in ("item", "submenu"):
            yield child


def mnemonic(text):
    found = re.search(r"_(\w)", text)
    return found.group(1).lower() if found else None


def equal_mnemonics(tree):
    for path, root in roots(tree):
        for menu in list(root.iter("menu")) + list(root.iter("submenu")):
            seen = {}
            for item in items_of(menu):
                key = mnemonic(label(item))
                if key and key in seen:
                    yield f"{path}: “{seen[key]}” and “{label(item)}”"
                seen.setdefault(key, label(item))


def typewritten(tree):
    for path, root in roots(tree):
        for node in root.iter():
            if node.get("translatable") == "yes" and TYPEWRITTEN.search(node.text.replace('"', '\\"')):
                yield f"{path}: {node.text}"
    for path in files(tree, ".c", "app", "engine", "ui"):
        with open(path, encoding="utf-8") as source:
            for texts in TEXT_IN_C.findall(source.read()):
                if TYPEWRITTEN.search(texts):
                    yield f"{os.path.relpath(path, tree)}: {texts}"


def unnamed_buttons(tree):
    for path, root in roots(tree):
        for button in root.iter("object"):
            own = {part.get("name") for part in button.findall("property")}
            if button.get("class") in BUTTONS and "icon-name" in own:
                named = {part.get("name") for part in button.findall("accessibility/property")}
                if "tooltip-text" not in own or "label" not in named:
                    yield f"{path}: {button.get('id') or button.get('class')}"


def without_escape(tree):
    """Modal windows that are no class; classes may look after it themselves."""
    for path, root in roots(tree):
        for window in root.findall("object[@class='AdwWindow']"):
            if not any(node.text == "Escape" for node in window.iter("property")):
                yield f"{path}: {window.get('id')}"


def untranslatable(tree):
    """Texts in .ui files that translators do not get; names of formats and the like are no words."""
    for path, root in roots(tree):
        for node in root.iter():
            is_text = node.get("name") in UI_TEXTS or node.tag == "item"
            if is_text and node.get("translatable") != "yes" and re.search("[A-Z][a-z]", node.text or ""):
                yield f"{path}: {node.text}"


def untranslated_sentences(tree):
    """Whole sentences in the sources of what users see, but those of the engine itself."""
    for path in files(tree, ".c", "app", os.path.join("engine", "config"), os.path.join("engine", "block"), "ui"):
        if os.path.join("block", "drive") in path:
            continue
        with open(path, encoding="utf-8") as source:
            text = PLURAL.sub("", COMMENT.sub(lambda found: found.group(1) or "", source.read()))
        for before, literal in LITERAL.findall(text):
            sentence = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', literal))
            called = before.rstrip()
            if (SENTENCE.fullmatch(sentence) and sentence not in NOT_REACHED
                    and not called.endswith(TRANSLATED + NOT_FOR_USERS)):
                yield f"{os.path.relpath(path, tree)}: {sentence}"


@test("the tree's texts are in order")
def _(_scratch):
    for check in (equal_mnemonics, typewritten, unnamed_buttons, without_escape, untranslatable, untranslated_sentences):
        found = list(check(TREE))
        assert not found, f"{check.__name__}:\n" + "\n".join(found)


@test("each flaw is found")
def _(scratch):
    write(scratch, {
        "ui/a.ui": """<interface><menu><section>
            <item><attribute name="label">_Open</attribute></item></section>
            <item><attribute name="label">Power _Off…</attribute></item>
            <submenu><attribute name="label">_Go</attribute><item><attribute name="label">_On</attribute></item></submenu>
            </menu><object class="GtkButton" id="bare"><property name="icon-name">x</property></object>
            <object class="AdwWindow" id="trap"/>
            <property translatable="yes">It's…</property><property translatable="yes">It’s</property>
            <property name="title">Hello</property><property name="title">QED</property></interface>""",
        os.path.join("engine", "block", "c.c"): 'f(_("It is “%s”.")); f(x, /* why */ "All "\n "is well."); f("Well."); f("Oh, no"); '
                                                'g_warning("It was so.");',
        os.path.join("ui", "b.c"): 'puts(_("Wait...")); puts("it\'s"); puts(_("Wait…"));',
    })
    assert list(equal_mnemonics(scratch)) == ["ui/a.ui: “_Open” and “Power _Off…”"]
    assert list(typewritten(scratch)) == ["ui/a.ui: It's…", os.path.join("ui", "b.c") + ': "Wait..."']
    assert list(unnamed_buttons(scratch)) == ["ui/a.ui: bare"]
    assert list(without_escape(scratch)) == ["ui/a.ui: trap"]
    assert "ui/a.ui: Hello" in untranslatable(scratch) and "ui/a.ui: QED" not in untranslatable(scratch)
    assert list(untranslated_sentences(scratch)) == [os.path.join("engine", "block", "c.c") + ": All is well."]


main()
