#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Virtio devices: what a small Linux finds and does with them, booted from its disk by BIOS and by UEFI; an installed
# Debian with its root on a virtio disk; a kill of the engine right after a flush.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux debian-disk

kernel=(--kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz")
image=$work/debian.img
cp --sparse=always "$debian_disk/debian.img" "$image"

# pointer_to_the_middle: as a VNC viewer would.
pointer_to_the_middle() {
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$harness/../app python3 -c '
import sys
from rfb import Client
client = Client(sys.argv[1])
width, height, _ = client.picture()
client.pointer(width // 2, height // 2)
client.picture()
client.close()' "$(oriel vnc "$machine" | head -n 1)"
}

console_says() {
    local end=$((SECONDS + patience)) log=$XDG_DATA_HOME/oriel/machines/$machine.oriel/log/console0.log
    while ! grep -aq "$1" "$log" && [ $SECONDS -lt $end ]; do
        sleep 1
    done
    grep -aq "$1" "$log"
}

console_is_whole() {
    seq 2000 >"$work/numbers"
    tr -d '\r' <"$XDG_DATA_HOME/oriel/machines/$machine.oriel/log/console0.log" | sed '/^hvc0/,$d' | cmp - "$work/numbers"
}

# The console is the port behind the serial ports.
console_type() {
    printf '%s\n' "$1" | oriel serial "$machine" --port 1 >/dev/null
}

# guest_memory KEY NUMBER-RE: until the guest tells that of its memory; every look asks it for newer numbers.
guest_memory() {
    local end=$((SECONDS + patience))
    while [ $SECONDS -lt $end ]; do
        oriel stats "$machine" --json | grep -A 14 '"guest-memory"' | grep -qE "\"$1\" *: *$2\b" && return
        sleep 1
    done
    oriel stats "$machine" --json | grep -A 14 '"guest-memory"'
    return 1
}

devices() {
    local device
    machine devices "${kernel[@]}" --disk 64M --controller virtio --memory 512M --cpus 2 \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=report,virtio' -- console=true
    step 'the report is complete' wait_serial '^report: complaints [0-9]'
    for device in 1af4:1042 1af4:1043 1af4:1044 1af4:1045 1af4:1052; do
        step "lspci lists $device" serial_says "^lspci: .*$device"
    done
    step 'both queues of the disk have messages' serial_says '^interrupts: .*MSI.*virtio[0-9]-req.1'
    step 'the kernel log has no trouble with them' serial_lacks '^report: complaint .*(virtio|vd[a-z]|pci|BAR|irq)'
    step 'the disk is written, trimmed, zeroed and read' wait_serial '^virtio: disk good'
    step 'it has its serial number' serial_says '^virtio: serial OR[0-9a-f]{16}'
    step 'it has a queue for each processor' serial_says '^virtio: queues 2'
    step 'it has a cache' serial_says '^virtio: cache write back'
    step 'random bytes come' wait_serial '^virtio: random good'
    step 'the console is heard' console_says 'hvc0: ready'
    step 'every byte of it' console_is_whole
    step 'it hears' console_type 'to the guest'
    step 'what was typed' wait_serial '^virtio: console good'
    step 'statistics and free page reports are negotiated' wait_serial '^virtio: balloon .11..1'
    step 'the guest tells of its memory' guest_memory total '[1-9][0-9]{8}'
    step 'some is taken from it' oriel balloon devices 64M
    step 'it gives that' guest_memory balloon 67108864
    step 'and is given it back' oriel balloon devices 0
    step 'which it takes' guest_memory balloon 0
    step 'the tablet waits' wait_serial '^virtio: tablet waits'
    step 'it is moved' pointer_to_the_middle
    step 'the guest sees that' wait_serial '^virtio: tablet moved'
    step 'where to, across' serial_says '^event: .* 0003 0000 40.. 0000'
    step 'and down' serial_says '^event: .* 0003 0001 40.. 0000'
    step 'the guest powers itself off' wait_state stopped
}

# Partitions, file systems and many files, looked at again after a reboot.
disk_job() {
    machine disk "${kernel[@]}" --disk 256M --controller virtio --memory 512M \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 panic=-1 job=disk'
    step 'the guest partitions, formats and fills its disk' wait_serial '^disk: written'
    step 'all is intact after a reboot' wait_serial '^disk: intact'
    step 'the guest powers itself off' wait_state stopped
}

kill_engine() {
    local folder=$XDG_DATA_HOME/oriel/machines/$machine.oriel process
    sed -n 's/^sum \([0-9a-f]*\).*/\1/p' "$folder/log/serial0.log" | tr -d '\r' >"$work/sum"
    [ -s "$work/sum" ] || return
    for process in /proc/[0-9]*; do
        if tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "oriel-engine .*$folder"; then
            kill -KILL "${process#/proc/}"
        fi
    done
    wait_state stopped
}

# What a guest has flushed stays, whatever happens to the engine.
flushed_stays() {
    machine flushed "${kernel[@]}" --disk 64M --controller virtio --memory 512M --cpus 2 \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell'
    step 'a shell is there' wait_serial '^shell: ready'
    step 'a file system is made' serial_type 'mkdir /mnt; mkfs.ext4 -q -F /dev/vda; mount -t ext4 /dev/vda /mnt && echo mounted $((6 * 7))'
    step 'it is mounted' wait_serial '^mounted 42'
    step 'a file is written and flushed' serial_type \
        'dd if=/dev/urandom of=/mnt/kept bs=64k count=64 conv=fsync; sync; echo sum $(sha256sum </mnt/kept)'
    step 'its sum is told' wait_serial '^sum [0-9a-f]{64}'
    step 'the engine is killed' kill_engine
    step 'and started again' oriel start flushed
    step 'a shell is there again' wait_serial '^shell: ready'
    step 'the sum is asked for' serial_type 'mkdir /mnt; mount -t ext4 /dev/vda /mnt; echo sum $(sha256sum </mnt/kept)'
    step 'the file is whole' wait_serial "^sum $(cat "$work/sum")"
}

root_is_virtio() {
    step 'a login prompt on the serial port' wait_serial 'oriel-debian login:'
    step 'the name is typed' serial_type root
    step 'it asks for the password' wait_serial 'Password:'
    step 'the password is typed' serial_type oriel
    step 'a shell starts' wait_serial 'root@oriel-debian'
    step 'a command is typed' serial_type 'echo root $(findmnt -n -o SOURCE /); systemctl is-system-running --wait'
    step 'its root is on the virtio disk' wait_serial '^root /dev/vda3'
    step 'the system says it is up' wait_serial '^(running|degraded)'
    step 'no unit has failed' serial_says '^running'
}

debian_bios() {
    machine debian-bios --disk "$image" --controller virtio --memory 1G --cpus 2 --firmware bios
    root_is_virtio
    step 'trimming is typed' serial_type 'fstrim -v /'
    step 'the file system is trimmed' wait_serial '^/: .*trimmed'
    step 'poweroff is typed' serial_type poweroff
    step 'the machine is off' wait_state stopped
}

debian_uefi() {
    machine debian-uefi --disk "$image" --controller virtio --memory 1G --firmware uefi
    root_is_virtio
    step 'poweroff is typed' serial_type poweroff
    step 'the machine is off' wait_state stopped
}

stories debian_bios debian_uefi devices disk_job flushed_stays
