# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper behind tree.py: commands as lines of JSON on standard input, answers on standard output. Its argument is a
part of the program's name, if it is not ours."""

import json
import re
import sys
import warnings

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib  # noqa: E402

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "oriel"
DEPTH_MAX = 60
TIMEOUT_MS = 60000  # the program may be slow on a loaded machine; libatspi's own limit takes it for hung

warnings.simplefilter("ignore", DeprecationWarning)


def children(node):
    for index in range(node.get_child_count()):
        child = node.get_child_at_index(index)
        if child:
            yield child


def is_showing(node):
    """GTK 4.8 says nothing of what is mapped, but what never was has no size. Windows are told by their titles."""
    if node.get_role() in (Atspi.Role.FRAME, Atspi.Role.DIALOG):
        return node.get_state_set().contains(Atspi.StateType.SHOWING)
    component = node.get_component_iface()
    extents = component.get_extents(Atspi.CoordType.WINDOW) if component else None
    return extents is not None and extents.width > 0 and extents.height > 0


def walk(node, depth=0):
    """Every node below, parents first. Nodes may vanish on the way."""
    if depth > DEPTH_MAX:
        return
    yield node, depth
    try:
        below = list(children(node))
    except GLib.Error:
        return
    for child in below:
        yield from walk(child, depth + 1)


def everything(window=None):
    """All of the program, or what is in windows with that title, a regular expression."""
    desktop = Atspi.get_desktop(0)
    for application in children(desktop):
        if PROGRAM in (application.get_name() or ""):
            if window is None:
                yield from walk(application)
            else:
                for child in children(application):
                    if re.search(window, child.get_name() or ""):
                        yield from walk(child)


def text_of(node):
    """The name; GTK gives the name of the class where there is none, which helps nobody."""
    name = node.get_name() or ""
    return "" if re.fullmatch(r"(Gtk|Adw|Oriel)\w+", name) else name


def matching(role, name, showing, window=None):
    pattern = re.compile(name) if name is not None else None
    for node, _ in everything(window):
        try:
            if role and not re.fullmatch(role, node.get_role_name()):
                continue
            if pattern and not pattern.search(text_of(node)):
                continue
            if showing and not is_showing(node):
                continue
        except GLib.Error:
            continue
        yield node


def first(request):
    for node in matching(request.get("role"), request.get("name"), request.get("showing", True)):
        return node
    return None


def needed(request):
    node = first(request)
    if not node:
        raise LookupError(f"no {request.get('role')} “{request.get('name')}”")
    return node


def act(request):
    """Of several nodes with the name (a button and its label, say) the one that can be acted on; false while there is
    none: acting on what is insensitive does nothing, and says nothing."""
    for node in matching(request.get("role"), request.get("name"), request.get("showing", True), request.get("window")):
        action = node.get_action_iface()
        for index in range(action.get_n_actions() if action else 0):
            if (request.get("action") in (None, action.get_action_name(index))
                    and node.get_state_set().contains(Atspi.StateType.SENSITIVE)):
                return action.do_action(index)
    return False


def extents(request):
    """Where the node is in its window, as [x, y, width, height]."""
    box = needed(request).get_component_iface().get_extents(Atspi.CoordType.WINDOW)
    return [box.x, box.y, box.width, box.height]


def value(request):
    """Of a progress bar, say; None while there is none."""
    node = first(request)
    found = node.get_value_iface() if node else None
    return found.get_current_value() if found else None


def set_text(request):
    return needed(request).get_editable_text_iface().set_text_contents(request["text"])


def dump(_):
    lines = []
    for node, depth in everything():
        try:
            states = [s.value_nick for s in node.get_state_set().get_states()
                      if s in (Atspi.StateType.FOCUSED, Atspi.StateType.SHOWING, Atspi.StateType.FOCUSABLE,
                               Atspi.StateType.CHECKED, Atspi.StateType.SENSITIVE)]
            lines.append(f"{'  ' * depth}{node.get_role_name()} “{text_of(node)}” {' '.join(states)}")
        except GLib.Error:
            continue
    return "\n".join(lines)


def names(request):
    return [text_of(node) for node in matching(request["role"], None, True)]


def nameless(_):
    """Scrolled windows and lists inside libadwaita's pages are left out: nobody can give them a name."""
    found = []
    for node, _ in everything():
        try:
            states = node.get_state_set()
            if node.get_role() in (Atspi.Role.SCROLL_PANE, Atspi.Role.LIST):
                continue
            if (states.contains(Atspi.StateType.FOCUSABLE) and is_showing(node) and not text_of(node).strip()
                    and states.contains(Atspi.StateType.SENSITIVE)):
                parent = node.get_parent()
                found.append(f"{node.get_role_name()} in {parent.get_role_name()} “{parent.get_name()}”")
        except GLib.Error:
            continue
    return found


def focused(_):
    """The name of what has the keyboard."""
    for node, _ in everything():
        if node.get_state_set().contains(Atspi.StateType.FOCUSED):
            return text_of(node)
    return None


COMMANDS = {
    "find": lambda request: first(request) is not None,
    "act": act,
    "extents": extents,
    "set_text": set_text,
    "value": value,
    "names": names,
    "nameless": nameless,
    "focused": focused,
    "dump": dump,
}


def main():
    Atspi.init()
    Atspi.set_timeout(TIMEOUT_MS, TIMEOUT_MS)
    for line in sys.stdin:
        request = json.loads(line)
        Atspi.get_desktop(0).clear_cache()
        try:
            answer = {"result": COMMANDS[request["command"]](request)}
        except (LookupError, GLib.Error, AttributeError) as reason:
            answer = {"error": str(reason)}
        print(json.dumps(answer), flush=True)


main()
