# SPDX-License-Identifier: GPL-3.0-or-later
"""What a test asks of services.py, the desktop's services on its bus. To be started before the program."""

import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


class Services:
    def __init__(self, desktop):
        self.helper = desktop.spawn_helper([sys.executable, os.path.join(HERE, "services.py")])
        for _ in range(2):  # names, each told when it is owned
            self.helper.stdout.readline()

    def call(self, command, **arguments):
        self.helper.stdin.write(json.dumps(dict(arguments, command=command)) + "\n")
        self.helper.stdin.flush()
        return json.loads(self.helper.stdout.readline())

    def notifications(self):
        """Those that are shown: id, summary, body, actions."""
        return self.call("notifications")

    def inhibitors(self):
        """What holds the session: reason, flags."""
        return self.call("inhibitors")

    def invoke(self, number, action="default"):
        self.call("invoke", number=number, action=action)

    def responses(self, program):
        """What this program has answered; others are there, too, such as the registry of AT-SPI."""
        return [agreed for name, agreed in self.call("responses") if name == program]

    def query_end(self):
        """The session asks whether it may end."""
        self.call("session", signal="QueryEndSession")

    def end_session(self):
        self.call("session", signal="EndSession")
