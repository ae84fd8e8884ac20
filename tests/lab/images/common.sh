# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash disable=SC2034
# Sourced by the image builders beside this file and by ../lab: one cache for everything that is built from packages.
#
# A builder names what goes into its image (needs, key), then calls image_build NAME FUNCTION. FUNCTION runs in an empty
# folder and leaves the image's files there; the folder appears in the cache under its final name only when FUNCTION has
# succeeded. The last line a builder prints on standard output is that folder; progress and errors go to standard error.
# The name holds a hash of the builder's own text, of this file and of every key, so a new package version or an edited
# builder makes a new image; one not used for two weeks is removed. Two builders of one image wait for each other.
set -euo pipefail

images=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
builder=$(basename "$0")
cache=${ORIEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/oriel-tests}
image_key=$(cat "$0" "${BASH_SOURCE[0]}")

say() {
    echo "$builder: $*" >&2
}

die() {
    say "$*"
    exit 1
}

# needs PROGRAM PACKAGE: stop with a clear sentence when PROGRAM is not installed.
needs() {
    PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null ||
        die "the program $1 is missing; install the Debian package $2 (./test does it)"
}

# key STRING...: something the image depends on.
key() {
    image_key+=$'\n'"$*"
}

# key_file FILE...: the image depends on the contents of these files.
key_file() {
    key "$(sha256sum "$@" | cut -d ' ' -f 1)"
}

# key_package PACKAGE...: installed packages the image is made of.
key_package() {
    local package version
    for package; do
        version=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null) || version=
        [ -n "$version" ] || die "the Debian package $package is missing; install it (./test does it)"
        key "$package $version"
    done
}

# The newest version of PACKAGE that apt knows, without installing it.
package_candidate() {
    apt-cache policy "$1" | sed -n 's/^ *Candidate: //p'
}

# copy_program ROOT PROGRAM...: copy programs and the shared libraries they load into the folder ROOT.
copy_program() {
    local root=$1 program file
    shift
    for program; do
        program=$(PATH=$PATH:/usr/sbin:/sbin command -v "$program")
        install -D "$program" "$root/bin/$(basename "$program")"
        { ldd "$program" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r file; do
            [ -e "$root$file" ] || install -D "$file" "$root$file"
        done
    done
}

# image_build NAME FUNCTION: print the folder of the image, after building it when the cache does not have it.
image_build() {
    local name=$1 function=$2 folder work log
    mkdir -p "$cache" || die "cannot make the cache folder $cache; set ORIEL_CACHE to one that can be written"
    folder=$cache/$name-$(sha256sum <<<"$image_key" | cut -c 1-12)
    exec 8>"$cache/$name.lock"
    flock 8
    if [ ! -e "$folder" ]; then
        say "building $folder"
        find "$cache" -maxdepth 1 -name "$name-*" -mtime +14 -exec rm -rf {} +
        log=$cache/$name.log
        work=$folder.new
        rm -rf "$work"
        mkdir "$work"
        # A subshell of its own, not in a condition, so that set -e holds inside the function.
        set +e
        (set -e && cd "$work" && "$function") </dev/null >"$log" 2>&1 8>&-
        local status=$?
        set -e
        if [ $status -ne 0 ]; then
            rm -rf "$work"
            tail -n 20 "$log" >&2
            die "building $name failed with status $status; the whole log is $log"
        fi
        mv "$work" "$folder"
    fi
    touch "$folder"
    exec 8>&-
    echo "$folder"
}
