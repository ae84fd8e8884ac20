#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Disks and network cards that come and go under Debian's kernel while it works: native PCI Express hot plug on the
# root ports, with BIOS and UEFI; a machine that is saved with a disk in a slot.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

complaint='detected stall|lockup|hung|nobody cared|BUG:|WARNING:|Oops|failed to assign|no space for|Call Trace'
rounds=10

# guest WORD COMMAND: the guest does it and says WORD when it went well.
guest() {
    serial_type "$2 && echo $1 ''good" && wait_serial "^$1 good"
}

shell_starts() {
    local name=$1
    shift
    machine "$name" "$@" --memory 512M --cpus 2 -- hotplug=true
}

# A disk comes, holds what is written to it, and goes; a card does the same. Meanwhile the first disk is written to.
round() {
    local n=$1 disk card
    disk=$(oriel add-disk "$machine" 32M) || return
    guest "disk $n" "until [ -b /dev/nvme0n1 ]; do sleep 0.2; done; dd if=/dev/urandom of=/pattern bs=64k count=16; dd if=/pattern of=/dev/nvme0n1 bs=64k conv=fsync; echo 3 >/proc/sys/vm/drop_caches; [ \"\$(dd if=/dev/nvme0n1 bs=64k count=16 | md5sum)\" = \"\$(md5sum </pattern)\" ]" || return
    card=$(oriel add-network "$machine") || return
    guest "card $n" "until [ -e /sys/class/net/eth0 ]; do sleep 0.2; done; ifconfig eth0 up" || return
    oriel remove-drive "$machine" "$disk" && oriel remove-network "$machine" "$card" || return
    guest "gone $n" "[ ! -b /dev/nvme0n1 ] && [ ! -e /sys/class/net/eth0 ]"
}

comes_and_goes() {
    local n
    shell_starts plug --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" --disk 64M \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell'
    step 'a shell is there' wait_serial '^shell: ready'
    step 'the slots are the kernel'"'"'s' guest ports 'dmesg | grep pciehp; [ $(dmesg | grep -c "pciehp.*Slot") -ge 8 ]'
    step 'the first disk is written to all the time' serial_type 'while :; do dd if=/dev/zero of=/dev/sda bs=64k count=16 conv=fsync 2>/dev/null; sleep 1; done &'
    for n in $(seq $rounds); do
        step "round $n" round "$n"
    done
    step 'a disk comes once more' oriel add-disk plug 32M
    step 'it is written to' guest load 'until [ -b /dev/nvme0n1 ]; do sleep 0.2; done; (while dd if=/dev/zero of=/dev/nvme0n1 bs=64k count=64 conv=fsync; do :; done) & sleep 1'
    step 'it goes all the same' oriel remove-drive plug disk1
    step 'the guest goes on' guest after '[ ! -b /dev/nvme0n1 ]; kill %1'
    step 'the kernel is asked for complaints' serial_type "dmesg | grep -E '$complaint'; echo asked"
    step 'and answers' wait_serial '^asked'
    step 'it has none' serial_lacks "^\[.*($complaint)"
    step 'it is told to power off' serial_type 'poweroff -f'
    step 'and does' wait_state stopped
}

saved_in_between() {
    shell_starts plug-saved --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell'
    step 'a shell is there' wait_serial '^shell: ready'
    step 'a disk comes' oriel add-disk plug-saved 32M
    step 'and holds words' guest words 'until [ -b /dev/nvme0n1 ]; do sleep 0.2; done; echo words kept >/words; dd if=/words of=/dev/nvme0n1 conv=fsync 2>/dev/null'
    step 'it is saved' oriel save plug-saved
    step 'it goes on' oriel start plug-saved
    step 'the disk is there' guest there 'echo 3 >/proc/sys/vm/drop_caches; head -c 10 /dev/nvme0n1 | grep "words kept"'
    step 'and goes' oriel remove-drive plug-saved disk0
    step 'for the guest, too' guest gone '[ ! -b /dev/nvme0n1 ]'
    step 'another one comes' oriel add-disk plug-saved 32M
    step 'for the guest, too' guest again 'until [ -b /dev/nvme0n1 ]; do sleep 0.2; done'
    step 'it is told to power off' serial_type 'poweroff -f'
    step 'and does' wait_state stopped
}

uefi() {
    shell_starts plug-uefi --firmware uefi --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell'
    step 'a shell is there' wait_serial '^shell: ready'
    step 'a disk and a card come and go' round 1
    step 'the kernel is asked for complaints' serial_type "dmesg | grep -E '$complaint'; echo asked"
    step 'and answers' wait_serial '^asked'
    step 'it has none' serial_lacks "^\[.*($complaint)"
    step 'it is told to power off' serial_type 'poweroff -f'
    step 'and does' wait_state stopped
}

stories comes_and_goes saved_in_between uefi
