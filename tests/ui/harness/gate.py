# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on files of strangers, held up as long as a test wishes."""

import os


class Gate:
    """In front of oriel-worker: those who come while it is shut wait."""

    def __init__(self, home):
        self.path = os.path.join(home.path, "gate")
        script = os.path.join(home.path, "worker")
        with open(script, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nwhile [ ! -e '{self.path}' ]; do sleep 0.1; done\n"
                       f"exec '{os.path.join(os.environ['ORIEL_BUILD'], 'app', 'oriel-worker')}' \"$@\"\n")
        os.chmod(script, 0o755)
        home.environment["ORIEL_WORKER"] = script
        self.open()

    def open(self):
        with open(self.path, "w", encoding="utf-8"):
            pass

    def shut(self):
        os.unlink(self.path)
