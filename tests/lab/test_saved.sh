#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian's kernel on two processors, saved while it works and resumed: all that it was doing goes on, its own time goes
# on from where it was, and its real-time clock shows the present. The same for a pause, and, in the lab, when the
# host's clock is set.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

away=20 # seconds between save and start, and in a pause

# The number that the guest says for COMMAND, as $answer. (Steps run in shells of their own: what one leaves to another
# goes through a file.)
ask() {
    local word=$1-$RANDOM command=$2 # no answer to an earlier question
    serial_type "echo $word \$($command)" && wait_serial "^$word [0-9]+\r?$" &&
        answer=$(grep -aoE "^$word [0-9]+" "$XDG_DATA_HOME/oriel/machines/$machine.oriel/log/serial0.log" | tail -n 1 | sed 's,.* ,,')
}

uptime_before() {
    local began
    began=$(date +%s) && ask before 'cut -d. -f1 /proc/uptime' && echo "$began $answer" >"$work/before"
}

# What passed for the guest is at most what passed for us, less the time it was away.
uptime_after() {
    local began before passed
    read -r began before <"$work/before" && ask after 'cut -d. -f1 /proc/uptime' || return
    passed=$(($(date +%s) - began - away + 2))
    echo "uptime $before, then $answer; at most $passed s have passed"
    [ "$answer" -ge "$before" ] && [ $((answer - before)) -le $passed ]
}

# What passed for the guest in a pause of $away seconds, by its own clocks: nothing.
pause_passes_unnoticed() {
    uptime_before && oriel pause "$machine" && sleep $away && oriel resume "$machine" && uptime_after
}

# The guest's real-time clock follows the host's when that is set, its own time does not. Only the lab's may be set.
host_clock_set() {
    local wrong=0 earlier later
    [ -n "${ORIEL_IN_LAB:-}" ] || return 0
    ask earlier 'cut -d. -f1 /proc/uptime' && earlier=$answer && date -s "@$(($(date +%s) + 7200))" || return
    rtc_is_right || wrong=1
    ask later 'cut -d. -f1 /proc/uptime' && later=$answer || wrong=1
    date -s "@$(($(date +%s) - 7200))" && rtc_is_right || wrong=1
    [ $wrong -eq 0 ] && [ "$later" -ge "$earlier" ] && [ $((later - earlier)) -lt 3600 ]
}

rtc_is_right() {
    local from
    from=$(date +%s)
    ask rtc 'cat /sys/class/rtc/rtc0/since_epoch' || return
    echo "the clock shows $answer; it is between $from and $(date +%s)"
    [ "$answer" -ge $((from - 2)) ] && [ "$answer" -le $(($(date +%s) + 2)) ]
}

saved() {
    machine saved --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" --memory 512M --disk 64M --cpus 2 \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=shell'
    step 'a shell is there' wait_serial '^shell: ready'
    step 'the disk is formatted' serial_type 'mkdir /mnt; mkfs.ext4 -q -F /dev/sda; mount -t ext4 /dev/sda /mnt && echo disk mounted'
    step 'and mounted' wait_serial '^disk mounted'
    step 'one program writes to it' serial_type '(while :; do date >>/mnt/log; sync; done) &'
    step 'another one computes' serial_type 'md5sum /dev/zero & kept=variable'
    step 'the guest says how long it has run' uptime_before
    step 'it is saved' oriel save saved
    step 'it is a saved machine' wait_state saved
    step 'time passes' sleep $away
    step 'it goes on' oriel start saved
    step 'the state is used up' test ! -e "$XDG_DATA_HOME/oriel/machines/saved.oriel/saved"
    step 'its shell is asked' serial_type 'echo the $kept is here'
    step 'and knows what it knew' wait_serial '^the variable is here'
    step 'its time goes on from where it was' uptime_after
    step 'its real-time clock is right' rtc_is_right
    step 'a pause passes unnoticed' pause_passes_unnoticed
    step 'its real-time clock has gone on' rtc_is_right
    step 'the host'"'"'s clock is set forward and back' host_clock_set
    step 'both processors are asked' serial_type 'for m in 1 2; do taskset $m sh -c "echo mask $m runs"; done'
    step 'the first runs' wait_serial '^mask 1 runs'
    step 'the second runs' wait_serial '^mask 2 runs'
    step 'the programs are ended' serial_type 'kill %1 %2; wait; umount /mnt && fsck.ext4 -f -n /dev/sda && echo disk sound'
    step 'the file system is sound' wait_serial '^disk sound'
    step 'the kernel is asked for complaints' \
        serial_type 'dmesg | grep -iE "detected stall|unstable|lockup|hung|nobody cared|exception" ; echo asked'
    step 'and answers' wait_serial '^asked'
    step 'it has none' serial_lacks '^\[.*(detected stall|unstable|lockup|hung|nobody cared|exception)'
    step 'it is told to power off' serial_type 'poweroff -f'
    step 'and does' wait_state stopped
}

stories saved
