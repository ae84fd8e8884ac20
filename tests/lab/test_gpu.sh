#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The virtio display adapter under Debian's kernel: the guest follows the sizes of two monitors that come and go, and every
# pixel is the right one; the cursor; the picture after saving; and the firmware's and boot loader's screens, by BIOS and
# by UEFI. The same under Xorg in an installed Debian.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux debian-full

# picture_is DISPLAY WIDTH HEIGHT: what the guest has drawn there, pixel by pixel. The line on the serial port comes after
# the guest's flush.
picture_is() {
    local file=$work/$machine-$1.png
    oriel screenshot "$machine" "$file" --display "$1" || return
    [ "$(identify -format '%wx%h' "$file")" = "$2x$3" ] || { identify "$file"; return 1; }
    "$small_linux/kms-pattern" expect "$@" >"$file.expected" || return
    convert "$file" -depth 8 rgb:- | cmp - "$file.expected"
}

# follows DISPLAY WIDTH HEIGHT: the guest shows its picture in this size.
follows() {
    step "display $1 is to be $2x$3" oriel display "$machine" "$1" "$2x$3"
    step 'the guest follows' wait_serial "^gpu: display $1 shows $2x$3"
    step 'every pixel is right' picture_is "$@"
}

two_monitors() {
    machine gpu --kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz" --memory 512M \
        --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=gpu' \
        -- video.model=virtio-gpu video.displays=2
    step 'the guest shows its picture' wait_serial '^gpu: ready'
    step 'every pixel is right' picture_is 1 1280 800
    follows 1 1024 768
    follows 1 1920 1080
    follows 1 801 601
    follows 1 640 480
    follows 1 1366 768
    follows 2 800 600
    follows 2 1280 720
    step 'the first display is as before' picture_is 1 1366 768
    screenshot first
    oriel screenshot gpu "$LAB_ARTIFACTS/gpu-second.png" --display 2
    step 'the machine is saved' oriel save gpu
    step 'and goes on' oriel start gpu
    step 'the first picture is there again' picture_is 1 1366 768
    step 'the second, too' picture_is 2 1280 720
    follows 1 1440 900
    step 'the second monitor is unplugged' oriel display gpu 2 off
    step 'the guest turns it off' wait_serial '^gpu: display 2 is off'
    follows 2 1024 600
}

# More than one colour.
screen_is_not_empty() {
    oriel screenshot "$machine" "$work/$machine.png" && [ "$(identify -format %k "$work/$machine.png")" -gt 1 ]
}

# The adapter is a VGA until a driver comes.
bios_menu() {
    machine gpu-bios --cdrom "$small_linux/small-linux.iso" --disk 64M --memory 512M -- video.model=virtio-gpu
    step "GRUB's menu is on the screen" wait_text 'executed automatically'
    screenshot menu
    step 'the third entry is chosen' keys down down enter
    step 'the kernel runs' wait_serial '^report: '
}

uefi_menu() {
    machine gpu-uefi --cdrom "$small_linux/small-linux.iso" --disk 64M --memory 512M --firmware uefi -- video.model=virtio-gpu
    step "GRUB's menu is there" wait_serial 'executed automatically'
    step 'and on the screen' screen_is_not_empty
    screenshot menu
}

# x_picture_is DISPLAY WIDTH HEIGHT: becomes so; Xorg draws when it has nothing else to do.
x_picture_is() {
    local end=$((SECONDS + patience)) file=$work/$machine-$1.png
    "$debian_full/x-pattern" expect "$@" >"$file.expected" || return
    while oriel screenshot "$machine" "$file" --display "$1"; do
        [ "$(identify -format '%wx%h' "$file")" != "$2x$3" ] || ! convert "$file" -depth 8 rgb:- | cmp - "$file.expected" ||
            return 0
        [ $SECONDS -lt $end ] || break
        sleep 1
    done
    return 1
}

# x_follows DISPLAY WIDTH HEIGHT: Xorg shows its picture in this size.
x_follows() {
    step "display $1 is to be $2x$3" oriel display "$machine" "$1" "$2x$3"
    step 'Xorg follows' wait_serial "^x: display $1 shows $2x$3"
    step 'every pixel is right' x_picture_is "$@"
}

xorg() {
    cp --sparse=always "$debian_full/debian.img" "$work/debian.img"
    machine xorg --disk "$work/debian.img" --controller virtio --memory 512M -- video.model=virtio-gpu video.displays=2
    rm "$work/debian.img"
    step 'a login prompt on the serial port' wait_serial 'oriel-debian login:'
    step 'the name is typed' serial_type root
    step 'it asks for the password' wait_serial 'Password:'
    step 'the password is typed' serial_type oriel
    step 'a shell starts' wait_serial 'root@oriel-debian'
    step 'Xorg is started' serial_type 'x-pattern'
    step 'it shows its picture' wait_serial '^x: ready'
    step 'every pixel is right' x_picture_is 1 1280 800
    x_follows 1 1024 768
    x_follows 1 1920 1080
    x_follows 1 801 601
    x_follows 1 640 480
    x_follows 1 1366 768
    x_follows 2 800 600
    x_follows 2 1280 720
    step 'the first display is as before' x_picture_is 1 1366 768
    screenshot xorg
    x_follows 1 1440 900
    step 'the second display is as before' x_picture_is 2 1280 720
    step 'the second monitor is unplugged' oriel display xorg 2 off
    step 'Xorg turns it off' wait_serial '^x: display 2 is off'
    step 'the power button is pressed' oriel shutdown xorg
    step 'the machine is off' wait_state stopped
}

stories xorg two_monitors bios_menu uefi_menu
