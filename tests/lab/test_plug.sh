#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Disks and network cards that come and go under Debian's kernel while it works: native PCI Express hot plug on the
# root ports, with BIOS and UEFI; a machine that is saved with a disk in a slot.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

complaint='detected stall|lockup|hung|nobody cared|BUG:|WARNING:|Oops|failed to assign|no space for|Call Trace'
rounds=10

# guest WORD COMMAND: the guest does it and says whether it went well.
guest() {
    serial_type "{ $2; } && echo $1 ''good || echo $1 ''bad" && wait_serial "$1 (good|bad)" && serial_says "$1 good"
}

# What the guest does to what comes. Its first card, eth0, is fixed. The disk is written to through a node of our own:
# that of the kernel goes with the disk, and dd would make a file of its name.
words='
disk_waits() { until [ -b /dev/nvme0n1 ]; do sleep 0.1; done; rm -f /disk; mknod /disk b $(tr : " " </sys/block/nvme0n1/dev); }
disk_holds() { dd if=/dev/urandom of=/pattern bs=64k count=16; dd if=/pattern of=/disk bs=64k conv=fsync; echo 3 >/proc/sys/vm/drop_caches; dd if=/disk bs=64k count=16 | cmp - /pattern; }
disk_works() { (while dd if=/dev/zero of=/disk bs=64k count=64 conv=fsync; do :; done) 2>/dev/null & }
card_waits() { until [ -e /sys/class/net/eth1 ]; do sleep 0.1; done; }
card_works() { ifconfig eth1 10.0.2.15 up; until ping -c 1 -W 1 10.0.2.2; do :; done; { ping -A -q 10.0.2.2 >/dev/null 2>&1 & }; }
nothing_left() { [ ! -b /dev/nvme0n1 ] && [ ! -e /sys/class/net/eth1 ]; }
'

shell_starts() {
    machine "$@" --memory 512M --cpus 2 --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell' -- hotplug=true
    step 'a shell is there' wait_serial 'shell: ready'
    step 'it learns its words' serial_type "$words"
    step 'the slots are the kernel'"'"'s, and what it said of its start is forgotten' guest slots 'dmesg -c | grep -c "pciehp: Slot #[1-8] .*HotPlug+" | grep -x 8'
}

ends_without_complaint() {
    step 'the kernel is asked for complaints' guest asked "dmesg -c | grep -E '$complaint'; true"
    step 'it has none' serial_lacks "^\[.*($complaint)"
    step 'it is told to power off' serial_type 'poweroff -f'
    step 'and does' wait_state stopped
}

# A disk comes, holds what is written to it, and goes, and so does a card; both are at work when they shall go, and the
# kernel is asked for both at once, because it takes five seconds for each.
round() {
    local n=$1 disk card taking
    disk=$(oriel add-disk "$machine" 32M) && card=$(oriel add-network "$machine") || return
    guest "disk $n" 'disk_waits && disk_holds' && guest "card $n" 'card_waits && card_works && disk_works' || return
    oriel remove-network "$machine" "$card" &
    taking=$!
    oriel remove-drive "$machine" "$disk" && wait $taking || return
    guest "gone $n" nothing_left
}

comes_and_goes() {
    local n
    shell_starts plug --disk 64M
    step 'the first disk is written to all the time' serial_type 'while :; do dd if=/dev/zero of=/dev/sda bs=64k count=16 conv=fsync 2>/dev/null; sleep 1; done &'
    for n in $(seq $rounds); do
        step "round $n" round "$n"
    done
    ends_without_complaint
}

saved_in_between() {
    shell_starts plug-saved
    step 'a disk comes' oriel add-disk plug-saved 32M
    step 'and holds words' guest words 'disk_waits; echo words kept >/words; dd if=/words of=/disk conv=fsync'
    step 'it is saved' oriel save plug-saved
    step 'it goes on' oriel start plug-saved
    step 'the disk is there' guest there 'echo 3 >/proc/sys/vm/drop_caches; head -c 10 /disk | grep "words kept"'
    step 'and goes' oriel remove-drive plug-saved disk0
    step 'for the guest, too' guest gone nothing_left
    step 'another one comes' oriel add-disk plug-saved 32M
    step 'for the guest, too' guest again disk_waits
    ends_without_complaint
}

uefi() {
    shell_starts plug-uefi --firmware uefi
    step 'a disk and a card come and go' round 1
    ends_without_complaint
}

stories comes_and_goes saved_in_between uefi
