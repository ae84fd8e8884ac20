#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Debian's installer from a CD: BIOS and UEFI, text and graphical, VGA and virtio display, to the first dialog.
. "$(dirname "$0")/harness.sh"
lab_enter installer-iso

iso=$installer_iso/installer.iso
# The installer's blue and grey in text, on a text screen or a frame buffer.
blue='#0000aa' grey='#aaaaaa'

bios_text() {
    machine bios-text --cdrom "$iso" --memory 1G --cpus 2 --firmware bios
    step "GRUB's menu is read as text" wait_text 'Graphical install'
    step 'the first entry is chosen' keys enter
    step 'the first dialog is read as text' wait_text 'Select a language'
    screenshot dialog
    step 'the dialog has its colours' wait_colours $blue 3 $grey 50
    step 'Enter leads to the next dialog' keys enter
    step 'the next dialog is read as text' wait_text 'Select your location'
    step 'Alt+F2 shows another console' keys alt+f2
    step 'that console asks for Enter' wait_text 'Please press Enter'
    step 'Enter opens a shell' keys enter
    step 'the shell has a prompt' wait_text '~ #'
    step 'a command is typed' oriel type bios-text $'echo $((41 + 1)) of $(grep -c ^processor /proc/cpuinfo)\n'
    step 'the shell runs it and sees two processors' wait_text '^42 of 2'
    screenshot shell
}

bios_graphical() {
    machine bios-graphical --cdrom "$iso" --memory 1G --firmware bios -- video.model=virtio-gpu
    step "GRUB's menu is read as text" wait_text 'Graphical install'
    step 'the second entry is chosen' keys down enter
    step 'the list of languages is drawn' wait_colours white 40 '#05475c' 1
    screenshot dialog
}

uefi_text() {
    machine uefi-text --cdrom "$iso" --memory 1G --cpus 2 --firmware uefi -- video.model=virtio-gpu
    step "GRUB's menu is on the serial port" wait_serial 'Graphical install'
    screenshot menu
    step 'the first entry is chosen' keys enter
    step 'the first dialog is drawn' wait_colours $blue 3 $grey 50
    screenshot dialog
}

uefi_graphical() {
    machine uefi-graphical --cdrom "$iso" --memory 1G --firmware uefi
    step "GRUB's menu is on the serial port" wait_serial 'Graphical install'
    step 'the second entry is chosen' keys down enter
    step 'the list of languages is drawn' wait_colours white 40 '#05475c' 1
    screenshot dialog
}

stories bios_text uefi_text bios_graphical uefi_graphical
