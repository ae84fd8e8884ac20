# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper behind tree.py: commands as lines of JSON on standard input, answers on standard output. Its argument is a
part of the program's name, if it is not ours.

It speaks the D-Bus interfaces of AT-SPI itself: a level of the tree is asked for at once, where libatspi would wait for
one answer after the other, hundreds of times for a window, and remember what is no longer true."""

import json
import re
import sys

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, Gio, GLib  # noqa: E402

PROGRAM = sys.argv[1] if len(sys.argv) > 1 else "oriel"
DEPTH_MAX = 60
TIMEOUT_MS = 60000  # for one answer: the program may be slow on a loaded machine
REGISTRY = ("org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root")
ACCESSIBLE = "org.a11y.atspi.Accessible"
ACTION = "org.a11y.atspi.Action"
SHOWN_STATES = (Atspi.StateType.CHECKED, Atspi.StateType.FOCUSABLE, Atspi.StateType.FOCUSED, Atspi.StateType.SENSITIVE,
                Atspi.StateType.SHOWING)


def connect():
    """A connection to the bus of AT-SPI."""
    session = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    address = session.call_sync("org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", None, None,
                                Gio.DBusCallFlags.NONE, TIMEOUT_MS, None).unpack()[0]
    return Gio.DBusConnection.new_for_address_sync(
        address, Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)


CONNECTION = connect()


def ask(calls):
    """Makes all calls, (node's reference, interface, method, arguments), and waits for their answers: a list in the same
    order, with None for what failed, as nodes may vanish."""
    answers, waiting = [None] * len(calls), len(calls)

    def answered(connection, result, place):
        nonlocal waiting
        waiting -= 1
        try:
            answers[place] = connection.call_finish(result).unpack()
        except GLib.Error:
            pass

    for place, ((name, path), interface, method, arguments) in enumerate(calls):
        CONNECTION.call(name, path, interface, method, arguments, None, Gio.DBusCallFlags.NONE, TIMEOUT_MS, None, answered,
                        place)
    while waiting:
        GLib.MainContext.default().iteration(True)
    return answers


def get_call(reference, interface, name):
    return reference, "org.freedesktop.DBus.Properties", "Get", GLib.Variant("(ss)", (interface, name))


class Node:
    """An accessible object as it was when the tree was read."""

    def __init__(self, reference, parent=None):
        self.reference, self.parent = reference, parent
        self.depth = parent.depth + 1 if parent else 0
        self.role, self.name, self.children = None, "", []

    def call(self, interface, method, arguments=None):
        """What the method returns, or None if it fails or the node has no such interface."""
        answer = ask([(self.reference, interface, method, arguments)])[0]
        return answer[0] if answer else None

    def get(self, interface, name):
        answer = ask([get_call(self.reference, interface, name)])[0]
        return answer[0] if answer else None

    def text(self):
        """The name; GTK gives the name of the class where there is none, which helps nobody."""
        return "" if re.fullmatch(r"(Gtk|Adw|Oriel)\w+", self.name) else self.name

    def role_name(self):
        return Atspi.role_get_name(Atspi.Role(self.role))

    def has_state(self, state):
        return has_state(self.call(ACCESSIBLE, "GetState"), state)

    def extents(self):
        """Where it is in its window: (x, y, width, height)."""
        return self.call("org.a11y.atspi.Component", "GetExtents", GLib.Variant("(u)", (int(Atspi.CoordType.WINDOW),)))

    def is_showing(self):
        """GTK 4.8 says nothing of what is mapped, but what never was has no size. Windows are told by their titles."""
        if self.role in (Atspi.Role.FRAME, Atspi.Role.DIALOG):
            return self.has_state(Atspi.StateType.SHOWING)
        extents = self.extents()
        return extents is not None and extents[2] > 0 and extents[3] > 0


def has_state(states, state):
    """`states` are two words of 32 bits, or None of a node that has gone."""
    return bool(states) and bool(states[int(state) // 32] >> int(state) % 32 & 1)


def read_nodes(nodes):
    """Asks for the role, name and children of each; leaves out those that have gone."""
    answers = iter(ask([call for node in nodes for call in (
        (node.reference, ACCESSIBLE, "GetRole", None), get_call(node.reference, ACCESSIBLE, "Name"),
        (node.reference, ACCESSIBLE, "GetChildren", None))]))
    there = []
    for node in nodes:
        role, name, children = next(answers), next(answers), next(answers)
        if role and name and children:
            node.role, node.name = role[0], name[0] or ""
            node.children = [Node(child, node) for child in children[0] if child[1] != "/org/a11y/atspi/null"]
            there.append(node)
    return there


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


def everything(window=None):
    """Every node of the program, or of its windows with that title, a regular expression; parents first."""
    desktop = Node(REGISTRY)
    read_nodes([desktop])
    programs = [node for node in read_nodes(desktop.children) if PROGRAM in node.name]
    tops = programs
    if window is not None:
        tops = [node for node in read_nodes([child for program in programs for child in program.children])
                if re.search(window, node.name)]
    level = [child for node in tops for child in node.children]
    depth = 0
    while level and depth < DEPTH_MAX:
        there = read_nodes(level)
        for node in set(level) - set(there):
            node.parent.children.remove(node)
        level = [child for node in there for child in node.children]
        depth += 1
    for node in level:  # deeper than anything of ours
        node.parent.children.remove(node)
    for node in tops:
        yield from walk(node)


def matching(request, window=None):
    role, name = request.get("role"), request.get("name")
    for node in everything(window):
        if role and not re.fullmatch(role, node.role_name()):
            continue
        if name is not None and not re.search(name, node.text()):
            continue
        if request.get("showing", True) and not node.is_showing():
            continue
        yield node


def first(request):
    return next(matching(request), None)


def needed(request):
    node = first(request)
    if not node:
        raise LookupError(f"no {request.get('role')} “{request.get('name')}”")
    return node


def act(request):
    """Of several nodes with the name (a button and its label, say) the one that can be acted on; false while there is
    none: acting on what is insensitive does nothing, and says nothing."""
    for node in matching(request, request.get("window")):
        for index in range(node.get(ACTION, "NActions") or 0):
            number = GLib.Variant("(i)", (index,))
            if (request.get("action") in (None, node.call(ACTION, "GetName", number))
                    and node.has_state(Atspi.StateType.SENSITIVE)):
                return node.call(ACTION, "DoAction", number)
    return False


def extents(request):
    """Where the node is in its window, as [x, y, width, height]."""
    found = needed(request).extents()
    if not found:
        raise LookupError(f"{request.get('role')} “{request.get('name')}” is nowhere")
    return found


def value(request):
    """Of a progress bar, say; None while there is none."""
    node = first(request)
    return node.get("org.a11y.atspi.Value", "CurrentValue") if node else None


def set_text(request):
    return needed(request).call("org.a11y.atspi.EditableText", "SetTextContents", GLib.Variant("(s)", (request["text"],)))


def states_of(nodes):
    """Each node with its states."""
    nodes = list(nodes)
    answers = ask([(node.reference, ACCESSIBLE, "GetState", None) for node in nodes])
    return [(node, answer[0]) for node, answer in zip(nodes, answers) if answer]


def dump(_):
    return "\n".join(f"{'  ' * node.depth}{node.role_name()} “{node.text()}” "
                     + " ".join(state.value_nick for state in SHOWN_STATES if has_state(states, state))
                     for node, states in states_of(everything()))


def names(request):
    return [node.text() for node in matching({"role": request["role"]})]


def nameless(_):
    """Scrolled windows and lists inside libadwaita's pages are left out: nobody can give them a name."""
    return [f"{node.role_name()} in {node.parent.role_name()} “{node.parent.name}”"
            for node, states in states_of(everything())
            if (node.role not in (Atspi.Role.SCROLL_PANE, Atspi.Role.LIST) and not node.text().strip()
                and has_state(states, Atspi.StateType.FOCUSABLE) and has_state(states, Atspi.StateType.SENSITIVE)
                and node.is_showing())]


def focused(_):
    """The name of what has the keyboard."""
    return next((node.text() for node, states in states_of(everything()) if has_state(states, Atspi.StateType.FOCUSED)),
                None)


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
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": COMMANDS[request["command"]](request)}
        except LookupError as reason:
            answer = {"error": str(reason)}
        print(json.dumps(answer), flush=True)


main()
