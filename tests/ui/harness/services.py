# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop's services on a test's bus: org.freedesktop.Notifications and org.gnome.SessionManager. They keep what they
are told, and do what desktop.py asks in lines of JSON on standard input; answers go to standard output."""

import json
import sys

from gi.repository import Gio, GLib

XML = """
<node>
  <interface name='org.freedesktop.Notifications'>
    <method name='Notify'>
      <arg type='s' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>
      <arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='as' direction='in'/>
      <arg type='a{sv}' direction='in'/><arg type='i' direction='in'/><arg type='u' direction='out'/>
    </method>
    <method name='CloseNotification'><arg type='u' direction='in'/></method>
    <method name='GetCapabilities'><arg type='as' direction='out'/></method>
    <method name='GetServerInformation'>
      <arg type='s' direction='out'/><arg type='s' direction='out'/><arg type='s' direction='out'/>
      <arg type='s' direction='out'/>
    </method>
    <signal name='ActionInvoked'><arg type='u'/><arg type='s'/></signal>
  </interface>
  <interface name='org.gnome.SessionManager'>
    <method name='RegisterClient'>
      <arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='o' direction='out'/>
    </method>
    <method name='UnregisterClient'><arg type='o' direction='in'/></method>
    <method name='Inhibit'>
      <arg type='s' direction='in'/><arg type='u' direction='in'/><arg type='s' direction='in'/>
      <arg type='u' direction='in'/><arg type='u' direction='out'/>
    </method>
    <method name='Uninhibit'><arg type='u' direction='in'/></method>
  </interface>
  <interface name='org.gnome.SessionManager.ClientPrivate'>
    <method name='EndSessionResponse'><arg type='b' direction='in'/><arg type='s' direction='in'/></method>
    <signal name='QueryEndSession'><arg type='u'/></signal>
    <signal name='EndSession'><arg type='u'/></signal>
  </interface>
</node>
"""
NOTIFICATIONS = ("org.freedesktop.Notifications", "/org/freedesktop/Notifications")
SESSION = ("org.gnome.SessionManager", "/org/gnome/SessionManager")
CLIENT = "org.gnome.SessionManager.ClientPrivate"


class Services:
    def __init__(self, connection):
        self.connection = connection
        self.number = 0
        self.notifications = {}
        self.inhibitors = {}
        self.clients = {}  # path -> (unique name, program)
        self.responses = []  # [program, whether it agrees]

    def next(self):
        self.number += 1
        return self.number

    def called(self, _connection, sender, path, _interface, method, arguments, invocation):
        invocation.return_value(getattr(self, method)(sender, path, *arguments.unpack()))

    def Notify(self, _sender, _path, _program, replaced, _icon, summary, body, actions, _hints, _timeout):
        number = replaced or self.next()
        self.notifications[number] = {"id": number, "summary": summary, "body": body, "actions": actions}
        return GLib.Variant("(u)", (number,))

    def CloseNotification(self, _sender, _path, number):
        self.notifications.pop(number, None)

    def GetCapabilities(self, _sender, _path):
        return GLib.Variant("(as)", (["actions", "body"],))

    def GetServerInformation(self, _sender, _path):
        return GLib.Variant("(ssss)", ("test", "test", "1", "1.2"))

    def RegisterClient(self, sender, _path, program, _startup):
        path = f"/org/gnome/SessionManager/Client{self.next()}"
        self.connection.register_object(path, INFO.lookup_interface(CLIENT), self.called, None, None)
        self.clients[path] = (sender, program)
        return GLib.Variant("(o)", (path,))

    def UnregisterClient(self, _sender, _path, path):
        self.clients.pop(path, None)

    def Inhibit(self, _sender, _path, _program, _window, reason, flags):
        cookie = self.next()
        self.inhibitors[cookie] = {"reason": reason, "flags": flags}
        return GLib.Variant("(u)", (cookie,))

    def Uninhibit(self, _sender, _path, cookie):
        self.inhibitors.pop(cookie, None)

    def EndSessionResponse(self, _sender, path, agreed, _reason):
        self.responses.append([self.clients[path][1], agreed])

    def invoke(self, number, action):
        """As if the user had clicked the notification, which goes with that."""
        self.connection.emit_signal(None, NOTIFICATIONS[1], NOTIFICATIONS[0], "ActionInvoked",
                                    GLib.Variant("(us)", (number, action)))
        self.notifications.pop(number, None)

    def session(self, signal):
        """QueryEndSession or EndSession, to all clients."""
        for path, (sender, _program) in self.clients.items():
            self.connection.emit_signal(sender, path, CLIENT, signal, GLib.Variant("(u)", (0,)))

    def answer(self, request):
        command = request["command"]
        if command == "invoke":
            return self.invoke(request["number"], request["action"])
        if command == "session":
            return self.session(request["signal"])
        return {"notifications": list(self.notifications.values()), "inhibitors": list(self.inhibitors.values()),
                "responses": self.responses}[command]


def heard(stream, _condition, services, loop):
    line = stream.readline()
    if not line:
        loop.quit()
        return False
    print(json.dumps(services.answer(json.loads(line))), flush=True)
    return True


def main():
    loop = GLib.MainLoop()
    connection = Gio.bus_get_sync(Gio.BusType.SESSION, None)
    services = Services(connection)
    for name, path in (NOTIFICATIONS, SESSION):
        connection.register_object(path, INFO.lookup_interface(name), services.called, None, None)
        Gio.bus_own_name_on_connection(connection, name, Gio.BusNameOwnerFlags.NONE, lambda *_: print("[]", flush=True),
                                       None)
    GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT, GLib.IOCondition.IN | GLib.IOCondition.HUP, heard, services, loop)
    loop.run()


INFO = Gio.DBusNodeInfo.new_for_xml(XML)
main()
