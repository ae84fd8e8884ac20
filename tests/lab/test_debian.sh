#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# An installed Debian: to its login prompt by BIOS and by UEFI, a command over the serial port, a clean end.
. "$(dirname "$0")/harness.sh"
lab_enter debian-disk

# A copy whose holes can be seen, which those of the lab's shared folder cannot.
image=$work/debian.img
cp --sparse=always "$debian_disk/debian.img" "$image"
root_offset=$((69632 * 512))

file_system_is_clean() {
    local disk
    disk=$(find "$XDG_DATA_HOME/oriel/machines/$machine.oriel/disks" -type f | head -n 1)
    [ "$(dumpe2fs -h "$disk?offset=$root_offset" 2>/dev/null | sed -n 's/^Filesystem state: *//p')" = clean ] || return
    e2fsck -f -n "$disk?offset=$root_offset"
}

logs_in() {
    step 'a login prompt on the serial port' wait_serial 'oriel-debian login:'
    step 'the name is typed' serial_type root
    step 'it asks for the password' wait_serial 'Password:'
    step 'the password is typed' serial_type oriel
    step 'a shell starts' wait_serial 'root@oriel-debian'
    step 'a command is typed' serial_type 'echo answer $((6 * 7)); uname -s; systemctl is-system-running --wait'
    step 'the command runs' wait_serial '^answer 42'
    step 'the system says it is up' wait_serial '^(running|degraded)'
    step 'no unit has failed' serial_says '^running'
}

bios() {
    machine debian-bios --disk "$image" --memory 1G --cpus 2 --firmware bios
    logs_in
    step 'the power button is pressed' oriel shutdown debian-bios
    step 'the machine is off' wait_state stopped
    step 'systemd ended in order' serial_says 'reboot: Power down'
    step 'the file system is clean' file_system_is_clean
}

uefi() {
    machine debian-uefi --disk "$image" --memory 1G --firmware uefi
    logs_in
    step 'poweroff is typed' serial_type poweroff
    step 'the machine is off' wait_state stopped
    step 'systemd ended in order' serial_says 'reboot: Power down'
    step 'the file system is clean' file_system_is_clean
}

stories bios uefi
