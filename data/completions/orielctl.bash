# SPDX-License-Identifier: GPL-3.0-or-later
# Completion of orielctl(1) for bash. Commands and options come from orielctl itself.

# The machines whose names begin with what was typed. Names are other people's texts: nothing of them may be expanded, as
# compgen -W would do.
_orielctl_machines() {
    local name quote='' typed=$2
    case $typed in
        [\"\']*) quote=${typed:0:1}; typed=${typed:1} ;;
        *) typed=${typed//\\/} ;;
    esac
    while IFS= read -r name; do
        if [[ $name != "$typed"* ]]; then
            continue
        elif [ -z "$quote" ]; then
            COMPREPLY+=("$(printf '%q' "$name")")
        elif [[ $name != *[\"\'\`\\$!]* ]]; then
            COMPREPLY+=("$name")
        fi
    done < <("$1" list 2>/dev/null | sed -n 's/^[a-z]\{1,12\}  *//p')
}

# Files, or with -d folders, quoted for the shell by bash itself.
_orielctl_files() {
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_orielctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
    COMPREPLY=()

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')" -- "$current")
        return
    fi
    case $previous in
        --firmware) mapfile -t COMPREPLY < <(compgen -W 'bios uefi' -- "$current"); return ;;
        --profile) mapfile -t COMPREPLY < <(compgen -W 'vmware virtualbox proxmox hyper-v' -- "$current"); return ;;
        --controller) [ "$command" = export ] && mapfile -t COMPREPLY < <(compgen -W 'default scsi sata ide' -- "$current") && return
            mapfile -t COMPREPLY < <(compgen -W 'ahci virtio nvme' -- "$current"); return ;;
        --state) mapfile -t COMPREPLY < <(compgen -W 'stopped saved running paused crashed' -- "$current"); return ;;
        --from | --to) mapfile -t COMPREPLY < <(compgen -W 'raw qcow2 vmdk vdi vhd vhdx' -- "$current"); return ;;
        --cdrom | --disk | --kernel | --initrd) _orielctl_files -f "$current"; return ;;
        --dir | --disks) _orielctl_files -d "$current"; return ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" "$command" --help | grep -o -- '^  --[a-z-]*')" -- "$current")
    elif [ "$COMP_CWORD" -eq 2 ] && [[ $command == identify || $command == import || $command == try ]]; then
        _orielctl_files -f "$current"
    elif [ "$command" = disk ] && [ "$COMP_CWORD" -eq 2 ]; then
        mapfile -t COMPREPLY < <(compgen -W 'info convert check repair resize compact commit delete-snapshot' -- "$current")
    elif [ "$COMP_CWORD" -eq 2 ] && [ "$command" != create ]; then
        _orielctl_machines "$program" "$current"
    else
        case $command in
            disk | export | insert | screenshot | add-disk | add-cdrom | capture) _orielctl_files -f "$current" ;;
            forward) [ "$COMP_CWORD" -eq 3 ] && mapfile -t COMPREPLY < <(compgen -W 'add remove list' -- "$current") ;;
            convert-disk) [ "$COMP_CWORD" -eq 4 ] && mapfile -t COMPREPLY < <(compgen -W 'raw qcow2' -- "$current") ;;
            move) _orielctl_files -d "$current" ;;
        esac
    fi
}
complete -F _orielctl orielctl
