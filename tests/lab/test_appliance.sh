#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Appliances: a machine that was exported as an OVA is imported again and boots from its disk to GRUB, and is tried
# straight from the archive.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux

# The CD of small Linux boots from a disk, too.
ova=$work/small.ova
{
    oriel create source --disk "$small_linux/small-linux.iso" --memory 512M --cpus 1 --firmware bios &&
        oriel export source "$ova" && oriel delete source --permanently
} >"$work/export.log" 2>&1 || { sed 's/^/# /' "$work/export.log"; exit 1; }

boots() {
    step "GRUB's menu is read as text" wait_text 'disk,report,button'
    step 'its command line is opened' keys c
    step 'it is there' wait_text 'grub>'
}

imported() {
    step 'import' oriel import "$ova" --name imported
    machine=imported
    step 'start' oriel start imported
    boots
}

has_ended() {
    while [ -e "/proc/$1" ] && ! grep -q ') Z' "/proc/$1/stat"; do
        sleep 1
    done
}

is_gone() {
    ! ls -d "$XDG_DATA_HOME"/oriel/machines/.oriel-unfinished-* 2>/dev/null
}

tried() {
    local try
    oriel try "$ova" --json >"$work/try.json" 2>"$work/try.errors" &
    try=$!
    until grep -q '^}' "$work/try.json" || ! kill -0 $try; do
        sleep 1
    done
    machine=$(sed -n 's/.*"folder" *: *"\([^"]*\)".*/\1/p' "$work/try.json")
    [ -n "$machine" ] || sed 's/^/# /' "$work/try.errors"
    step 'it runs' test -n "$machine"
    boots
    step 'it is stopped' oriel stop "$machine"
    step 'the command ends with the machine' has_ended $try
    step 'nothing is left of it' is_gone
}

stories imported tried
