# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced: kernel modules for an initramfs, from the folder that the builder `kernel` prints.

# module_file MODULES NAME: the file of a module; its name may be spelled with - or _.
module_file() {
    find "$1" -name "${2//_/-}.ko" -o -name "${2//-/_}.ko" -o -name "$2.ko" | head -n 1
}

# module_closure MODULES NAME...: files of the modules and of what they depend on, in an order that loads.
module_closure() {
    local modules=$1 name file
    shift
    for name; do
        file=$(module_file "$modules" "$name")
        [ -n "$file" ] || die "this kernel has no module $name"
        # shellcheck disable=SC2046
        module_closure "$modules" $(modinfo -F depends "$file" | tr , ' ')
        echo "$file"
    done
}

# modules_install KERNEL ROOT NAME...: copy the modules and what they need to ROOT/modules, numbered in load order.
modules_install() {
    local kernel=$1 root=$2 number=100 file files
    shift 2
    mkdir -p "$root/modules"
    files=$(module_closure "$kernel/modules" "$@" | awk '!seen[$0]++')
    for file in $files; do
        number=$((number + 1))
        cp "$file" "$root/modules/$number-$(basename "$file")"
    done
}
