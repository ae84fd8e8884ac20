#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian's kernel with an initramfs of ours: what it finds, its disk, UEFI variables, reboots, the power button.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

iso=$small_linux/small-linux.iso

# The steps that both firmwares share: two processors, every device, no complaint in the kernel's log.
report_is_good() {
    local device
    step 'the report is complete' wait_serial '^report: complaints [0-9]'
    step 'two processors are online' serial_says '^report: processors online 2'
    for device in 8086:29c0 8086:2918 8086:2922 8086:2930 1234:1111; do
        step "lspci lists $device" serial_says "^lspci: .*$device"
    done
    step 'the disk controller interrupts' serial_says '^interrupts: .* [1-9].*ahci'
    step 'the kernel log has no ACPI, PCI, IRQ or ATA trouble' serial_lacks '^report: complaint '
}

bios() {
    # Once partitioned, the disk looks bootable to a BIOS, so the CD comes first.
    machine bios --cdrom "$iso" --disk 256M --memory 512M --cpus 2 --firmware bios -- boot-order=cdrom0,disk0
    # Enter, because GRUB's seconds are long ones when the host is busy while it measures its clock.
    step "GRUB's menu is read as text" wait_text 'disk,report,button'
    step 'its first entry is chosen' keys enter
    step 'the guest partitions, formats and fills its disk' wait_serial '^disk: written'
    step "a reboot leads to GRUB's menu" wait_text 'disk,report,button'
    step 'its first entry is chosen again' keys enter
    step 'all is intact after a reboot' wait_serial '^disk: intact'
    step 'the firmware is BIOS' wait_serial '^report: firmware bios'
    report_is_good
    step 'the guest waits for its power button' wait_serial '^button: waiting'
    step 'shutdown presses it' oriel shutdown bios
    step 'the guest sees that' wait_serial '^button: pressed'
    step 'the guest powers itself off' wait_state stopped
}

uefi() {
    local log=$XDG_DATA_HOME/oriel/machines/uefi.oriel/log/serial0.log
    machine uefi --cdrom "$iso" --disk 256M --memory 512M --cpus 2 --firmware uefi
    step "GRUB's menu is on the serial port" wait_serial 'executed automatically'
    step 'its second entry is chosen' keys down enter
    step 'a boot entry and a variable are made' wait_serial '^efi: entry made'
    step 'a reboot goes through the entry' wait_serial '^efi: entry survived'
    step 'the firmware is UEFI' wait_serial '^report: firmware uefi'
    report_is_good
    step 'the guest powers itself off' wait_state stopped
    step 'the CD is taken out' oriel eject uefi
    cp "$log" "$LAB_ARTIFACTS/uefi-first-run.log"
    step 'a new engine starts the machine' oriel start uefi
    step 'it boots from the entry alone' wait_serial '^efi: entry survived'
    step 'the guest powers itself off again' wait_state stopped
}

reboots() {
    machine reboots --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" --memory 512M --disk 16M \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=reboots'
    step '20 reboots in a row' wait_serial '^reboots: all 20 reboots done'
    step 'the guest powers itself off' wait_state stopped
}

stories reboots uefi bios
