#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs test guests in the lab, on a KVM like that of hardware. Where this computer's own /dev/kvm is like that, the suite
# kvm has run them on it already, and nothing is done here.
# Usage: test_lab.sh BUILD-FOLDER GUEST:MEMORY-MIB:CPUS...
set -euo pipefail
folder=$(cd "$(dirname "$0")" && pwd)

if [ "$1" != --inside ]; then
    build=$(realpath "$1")
    if measured=$("$build/tests/lab/host-kvm"); then
        echo "1..0 # SKIP $measured"
        exit 0
    fi
    echo "# $measured; in the lab"
    exec "$folder/../lab/lab" -t 1500 "'$folder/test_lab.sh' --inside '$build' ${*:2}"
fi

build=$2
shift 2
echo "1..$#"
number=0
for run; do
    IFS=: read -r guest memory cpus <<<"$run"
    number=$((number + 1))
    if report=$("$folder/run-guest" "$build/tests/guests/$guest.bin" --memory "$memory" --cpus "$cpus" \
        --engine "$build/engine/oriel-engine" 2>&1); then
        echo "ok $number - $guest with $memory MiB and $cpus processors"
    else
        printf '%s\n' "$report" | sed 's/^/# /'
        echo "not ok $number - $guest with $memory MiB and $cpus processors"
    fi
done
