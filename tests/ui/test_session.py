#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The window and the desktop around it, over engines that run nothing (tests/app/fake/fake_engine.c): notifications, the end
of the session, calls over D-Bus, a machine that is restarted for its settings."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "harness"))

from services_client import Services  # noqa: E402
from session import Desktop, wait_until  # noqa: E402  (it finds tests/app/oriel.py)
import oriel  # noqa: E402
from oriel import check  # noqa: E402
from tree import Tree  # noqa: E402

PROGRAM = "io.github.oriel_vm.Oriel"


def create(home, *names):
    for name in names:
        home.ok("create", name, "--disk", "64M", "--memory", "64M")


def fake(home, name, command):
    """Tells the engine what to do; it may die of it."""
    home.run("type", name, "fake:" + command)


def state(home, name):
    return home.json("show", name)["state"]


def wait_state(home, name, wanted):
    wait_until(lambda: state(home, name) == wanted, f"{name} is {wanted}, not {state(home, name)}")


def activate(desktop, action, argument):
    """Activates an action of the application as another program does."""
    desktop.run("gdbus", "call", "--session", "--dest", PROGRAM, "--object-path", "/io/github/oriel_vm/Oriel", "--method",
                "org.freedesktop.Application.ActivateAction", action, f"[<'{argument}'>]", "{}")


def keep_running(desktop, tree, name):
    """Closes the window; the machine goes on."""
    tree.act("push button", "^Close$")
    tree.act("push button", "Keep Running")
    desktop.wait_no_window(f"^{name}$")


def test_notifications(home):
    """Who does not look is told what went wrong, and led to the machine; who looks sees it once."""
    create(home, "One", "Two")
    with Desktop(home) as desktop:
        services = Services(desktop)
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        fake(home, "One", "state crashed triple-fault The guest crashed.")
        tree.wait("label", "^Crashed$")
        check(tree.names("label").count("The guest crashed.") == 1, "it is said twice")
        desktop.screenshot("session-crash-once")
        tree.act("push button", "^_Reset Reset$")
        tree.wait("label", "^Running$")
        keep_running(desktop, tree, "One")
        check(services.notifications() == [], services.notifications())
        fake(home, "One", "state crashed triple-fault The guest crashed.")
        wait_until(services.notifications, "a notification of the crash")
        shown = services.notifications()
        check([(one["summary"], one["body"]) for one in shown] == [("“One” Crashed", "The guest crashed.")], shown)
        check("default" in shown[0]["actions"], shown)
        services.invoke(shown[0]["id"])
        desktop.wait_window("^One$")
        tree = Tree(desktop)
        tree.wait("label", "^Crashed$")


def test_end_without_window(home):
    """An engine that ends while nobody looks."""
    create(home, "One")
    with Desktop(home) as desktop:
        services = Services(desktop)
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        # Another machine keeps the program there to be asked afterwards.
        create(home, "Two")
        home.ok("start", "Two")
        tree.act("push button", "^Back to the library$|^Library$")
        tree.wait("table cell", "^Two, Running$")
        tree.act("push button", "^Close$")
        tree.act("push button", "Keep Running")
        desktop.wait_no_window("^Oriel$")
        fake(home, "One", "exit 3")
        shown = wait_until(services.notifications, "a notification of the end")
        check(shown[0]["summary"] == "“One” Stopped Unexpectedly", shown)
        services.invoke(shown[0]["id"])
        desktop.wait_window("^One$")
        tree = Tree(desktop)
        tree.wait("push button", "^_Start Start$")
        desktop.screenshot("session-ended")


def test_logout(home):
    """The end of the session waits until running machines are saved."""
    create(home, "One", "Two", "Three")
    with Desktop(home) as desktop:
        services = Services(desktop)
        program = desktop.window()
        tree = Tree(desktop)
        home.ok("start", "Two")
        home.ok("pause", "Two")
        tree.wait("table cell", "^Two, Paused$")
        desktop.window("--start", "One")
        tree.wait("label", "^Running$")
        held = wait_until(services.inhibitors, "an inhibitor")
        check(held[0]["flags"] & 1 and "running" in held[0]["reason"], held)
        services.query_end()
        wait_until(lambda: services.responses(PROGRAM), "the answer to the session")
        check(services.responses(PROGRAM) == [True], services.responses(PROGRAM))
        wait_state(home, "One", "saved")
        wait_state(home, "Two", "saved")
        wait_until(lambda: not services.inhibitors(), "the inhibitor goes")
        check(state(home, "Three") == "stopped", "a machine that was off has changed")
        tree.wait("label", "^Saved")
        services.end_session()
        wait_until(lambda: program.poll() is not None, "the program ends")
        check(program.returncode == 0, f"exit code {program.returncode}")


def test_logout_that_cannot_save(home):
    """A machine that cannot be saved holds the session, which is said; nothing is lost."""
    create(home, "One")
    with Desktop(home) as desktop:
        services = Services(desktop)
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        fake(home, "One", "refuse Save")
        wait_until(services.inhibitors, "an inhibitor")
        services.query_end()
        tree.wait(None, "Could Not Save “One”")
        desktop.screenshot("session-not-saved")
        check(len(services.inhibitors()) == 1, "the session may end")
        check(state(home, "One") == "running", state(home, "One"))


def test_activation(home):
    """Another program opens and starts machines over D-Bus; launchers do it by the UUID, whatever the name is."""
    create(home, "One", "Two")
    uuid = home.json("show", "Two")["uuid"]
    home.ok("rename", "Two", "Deux")
    with Desktop(home) as desktop:
        desktop.window()
        desktop.wait_window("^Oriel$")
        activate(desktop, "open-machine", home.folder("One"))
        desktop.wait_window("^One$")
        check(state(home, "One") == "stopped", "it was started")
        activate(desktop, "start-machine", home.folder("One"))
        wait_state(home, "One", "running")
        second = desktop.window("--start", uuid)
        wait_until(lambda: second.poll() is not None, "the second call ends")
        check(second.returncode == 0, f"exit code {second.returncode}")
        desktop.wait_window("^Deux$")
        wait_state(home, "Deux", "running")


def test_start_of_what_runs(home):
    """`oriel --start` of a machine that runs already shows it, with and without a program that is there before."""
    create(home, "One", "Two")
    home.ok("start", "One")
    home.ok("start", "Two")
    with Desktop(home) as desktop:
        first = desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        check(not tree.has(None, "Could Not Start"), tree.dump())
        keep_running(desktop, tree, "One")
        check(first.poll() is None, "the program ended, though machines run")
        second = desktop.window("--start", "Two")
        desktop.wait_window("^Two$")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        check(not tree.has(None, "Could Not Start"), tree.dump())
        check(second.wait(60) == 0, "the second call failed")
        check(notes(home, "One").count("PowerOff") == 0 and state(home, "One") == "running", state(home, "One"))


def test_restart(home):
    """Settings that wait are offered with a restart: shut down, and started again with them."""
    create(home, "One")
    with Desktop(home) as desktop:
        desktop.window("--start", "One")
        tree = Tree(desktop)
        tree.wait("label", "^Running$")
        home.ok("set", "One", "memory=128M")
        tree.wait("push button", "^_Restart Restart$|^Restart$")
        desktop.screenshot("session-restart")
        tree.act("push button", "^_Restart Restart$|^Restart$")
        wait_until(lambda: "PowerButton" in notes(home, "One"), "it is asked to shut down")
        tree.wait("label", "Settings were changed")
        wait_state(home, "One", "running")
        tree.wait("label", "^Running$")
        # A guest that ignores the button: the plug is offered, and the start follows.
        home.ok("set", "One", "memory=256M")
        tree.wait("label", "Settings were changed")
        fake(home, "One", "deaf PowerButton")
        tree.act("push button", "^_Restart Restart$|^Restart$")
        tree.wait("label", "is shutting down")
        desktop.screenshot("session-restart-ignored")
        tree.act("push button", "^Power _Off… Power Off…$|^Power Off…$")
        tree.wait(None, "Power Off “One”")
        tree.act("push button", "^_Power Off Power Off$|^Power Off$")
        wait_until(lambda: "PowerOff" in notes(home, "One"), "it is switched off")
        tree.wait("label", "^Running$")
        wait_state(home, "One", "running")
        check(not tree.has(None, "Could Not"), "something failed")
        check("shutting down" not in " ".join(tree.names("label")), "the strip is still there")


def notes(home, name):
    """What the engine was asked, from its first start on."""
    with open(os.path.join(home.folder(name), "fake.log"), encoding="utf-8") as file:
        return file.read()


oriel.main(test_notifications, test_end_without_window, test_logout, test_logout_that_cannot_save, test_activation,
           test_start_of_what_runs, test_restart)
