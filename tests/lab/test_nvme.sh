#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The NVMe controller under Debian's kernel: what small Linux finds and does with its disk, a shutdown and a second
# look, and whether UEFI starts from such a disk's place in the boot order.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

# Without shadow doorbells each request would be two writes to the controller's registers. The machine goes on with its
# report meanwhile.
few_register_writes() {
    oriel stats nvme | python3 -c '
import json, sys
stats = json.load(sys.stdin)
written = stats["devices"]["disk0"]["registers"]["writes"]
drive = stats["drives"]["disk0"]
requests = sum(drive[what] for what in ("reads", "writes", "flushes", "discards"))
heard = stats["interrupts"]["doorbells"]
print(f"{written} register writes, {heard} doorbells heard, {requests} requests")
sys.exit(written >= requests or heard == 0)'
}

disk_works() {
    machine nvme --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" --disk 64M --controller nvme \
        --memory 512M --cpus 2 --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=nvme,report'
    step 'the disk is written, flushed, trimmed, zeroed and read' wait_serial '^nvme: disk good'
    step 'most of its doorbells cost no exit' few_register_writes
    step 'the guest powers itself off' wait_state stopped
    step 'lspci lists the controller' serial_says '^lspci: .*0108.*1b36:0010'
    step 'its queues have messages' serial_says '^interrupts: .*MSI.*nvme0q2'
    step 'it has its serial number' serial_says '^nvme: serial OR[0-9a-f]{16}'
    step 'it has a queue for each processor' serial_says '^nvme: queues 2'
    step 'it has a cache' serial_says '^nvme: cache write back'
    step 'the kernel log has no trouble with it' serial_lacks '^report: complaint .*(nvme|pci|BAR|irq)'
}

# Boots the same kernel again by UEFI, from the CD, and its own entry on the NVMe disk.
uefi_entry() {
    machine nvme-uefi --cdrom "$small_linux/small-linux.iso" --disk 128M --controller nvme --memory 512M --firmware uefi
    step "GRUB's menu is on the serial port" wait_serial 'executed automatically'
    step 'its second entry is chosen' keys down enter
    step 'the boot entry is made' wait_serial '^efi: entry made'
    step 'the firmware starts from the disk' wait_serial '^efi: entry survived'
    step 'the guest powers itself off' wait_state stopped
    step 'the CD is taken out' oriel eject nvme-uefi
    step 'a new engine starts the machine' oriel start nvme-uefi
    step 'it boots from the disk alone' wait_serial '^efi: entry survived'
    step 'the guest powers itself off again' wait_state stopped
}

stories disk_works uefi_entry
