# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced behind common.sh by the builders of disks with an installed Debian 12 that boots by BIOS and by UEFI through GRUB
# to a login prompt on ttyS0 and on the screen; user root, password oriel. A builder adds to `packages` and names the
# function that finishes the root folder before it becomes a file system:
#
#   debian_build NAME [FUNCTION]
#
# Made with no loop device and no mount of the image: the file systems are filled while they are made, and GRUB's boot
# sector and core image are written where grub-install would put them. debootstrap wants root, so a builder does too.

needs debootstrap debootstrap
needs sgdisk gdisk
needs mkfs.ext4 e2fsprogs
needs mformat mtools
needs grub-mkimage grub-common
key_package debootstrap grub-pc-bin grub-efi-amd64-bin
key_file "${BASH_SOURCE[0]}"
key "$(package_candidate linux-image-amd64) $(package_candidate systemd)"

release=bookworm
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' "Codename: $release" 2>/dev/null | grep -v security |
    head -n 1)
mirror=${mirror:-http://deb.debian.org/debian}
packages=systemd-sysv,dbus,udev,kmod,linux-image-amd64,initramfs-tools,e2fsprogs,login,pciutils

# Sectors of 512 bytes.
core_start=2048 esp_start=4096 esp_sectors=65536 root_start=69632 disk_sectors=$((2 * 1024 * 1024 * 2))

# Files that are in place before debootstrap, so that packages are unpacked and configured the small way.
prepare_root() {
    mkdir -p root/etc/dpkg/dpkg.cfg.d root/etc/initramfs-tools/conf.d root/etc/initramfs-tools/hooks
    {
        printf 'path-exclude=/usr/share/%s/*\n' doc man locale info
        printf 'path-exclude=/lib/modules/*/%s/*\n' sound kernel/sound kernel/drivers/media kernel/drivers/net/wireless \
            kernel/drivers/infiniband kernel/drivers/staging kernel/drivers/gpu/drm/{amd,nouveau,radeon,i915}
    } >root/etc/dpkg/dpkg.cfg.d/small
    echo 'MODULES=list' >root/etc/initramfs-tools/conf.d/small
    cat >root/etc/initramfs-tools/hooks/small <<'H'
#!/bin/sh
[ "$1" = prereqs ] && exit 0
. /usr/share/initramfs-tools/hook-functions
manual_add_modules ahci sd_mod nvme virtio_pci virtio_blk ext4 crc32c_generic
H
    chmod +x root/etc/initramfs-tools/hooks/small
}

configure_root() {
    echo oriel-debian >root/etc/hostname
    echo '127.0.0.1 localhost oriel-debian' >root/etc/hosts
    echo 'LABEL=oriel-root / ext4 errors=remount-ro 0 1' >root/etc/fstab
    echo root:oriel | chroot root chpasswd
    # On a busy host a start takes minutes: systemd would give up the serial port, and with it the login prompt, after
    # 90 seconds, and login would end a minute after the name.
    mkdir -p root/etc/systemd/system.conf.d
    printf '%s=1h\n' DefaultTimeoutStartSec DefaultTimeoutStopSec DefaultDeviceTimeoutSec |
        sed '1i [Manager]' >root/etc/systemd/system.conf.d/patient.conf
    sed -i 's/^LOGIN_TIMEOUT.*/LOGIN_TIMEOUT 3600/' root/etc/login.defs
    (cd root/boot && ln -sf vmlinuz-* vmlinuz && ln -sf initrd.img-* initrd.img)
    mkdir -p root/boot/grub
    cat >root/boot/grub/grub.cfg <<'G'
set timeout=0
if [ "$grub_platform" = efi ]; then
    insmod efi_gop
fi
menuentry "Debian" {
    linux /boot/vmlinuz root=LABEL=oriel-root ro console=tty0 console=ttyS0 tsc=reliable loglevel=4
    initrd /boot/initrd.img
}
G
    rm -rf root/var/cache/apt/archives/*.deb root/var/lib/apt/lists/* root/var/log/*.log
}

# little_endian BYTES NUMBER: the number as bytes.
little_endian() {
    local bytes=$1 number=$2
    while [ "$bytes" -gt 0 ]; do
        # shellcheck disable=SC2059
        printf "\\x$(printf %02x $((number & 255)))"
        number=$((number >> 8)) bytes=$((bytes - 1))
    done
}

# write_at FILE OFFSET: overwrite bytes of a file with standard input.
write_at() {
    dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# GRUB for BIOS: the boot sector loads the first sector of the core image, whose last twelve bytes say where the rest is.
install_grub_bios() {
    cp /usr/lib/grub/i386-pc/boot.img boot.img
    grub-mkimage -O i386-pc -o core.img -p '(,gpt3)/boot/grub' biosdisk part_gpt ext2 normal linux test boot
    little_endian 8 $core_start | write_at boot.img 92
    little_endian 8 $((core_start + 1)) | write_at core.img 500
    dd if=boot.img of=debian.img bs=440 count=1 conv=notrunc status=none
    dd if=core.img of=debian.img bs=512 seek=$core_start conv=notrunc status=none
    [ "$(stat -c %s core.img)" -le $(((esp_start - core_start) * 512)) ] || die 'GRUB does not fit its partition'
}

install_grub_efi() {
    local esp=debian.img@@$((esp_start * 512))
    echo 'search --label oriel-root --set root
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg' >early.cfg
    grub-mkimage -O x86_64-efi -o bootx64.efi -c early.cfg -p /boot/grub part_gpt fat ext2 normal linux test boot \
        search search_label configfile efi_gop
    mformat -i "$esp" -T $esp_sectors -h 64 -s 32 ::
    mmd -i "$esp" ::/EFI ::/EFI/BOOT
    mcopy -i "$esp" bootx64.efi ::/EFI/BOOT/BOOTX64.EFI
}

build() {
    prepare_root
    debootstrap --variant=minbase --include=$packages $release root "$mirror"
    configure_root
    $finish_root
    truncate -s $((disk_sectors * 512)) debian.img
    sgdisk -a 1 -n 1:$core_start:$((esp_start - 1)) -t 1:ef02 \
        -n 2:$esp_start:$((esp_start + esp_sectors - 1)) -t 2:ef00 -n 3:$root_start:0 -t 3:8304 debian.img
    # The backup of the partition table takes the last 33 sectors.
    mkfs.ext4 -q -F -b 4096 -L oriel-root -d root -E offset=$((root_start * 512)) debian.img \
        $(((disk_sectors - root_start - 40) / 8))
    install_grub_bios
    install_grub_efi
    rm -rf --one-file-system root boot.img core.img early.cfg bootx64.efi
}

debian_build() {
    finish_root=${2:-:}
    [ "$(id -u)" -eq 0 ] || exec sudo -n env ORIEL_CACHE="$cache" "$0"
    image_build "$1" build
}
