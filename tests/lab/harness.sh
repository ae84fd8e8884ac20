# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Sourced by the lab's tests. A test is made of stories, shell functions that drive one machine each through orielctl by
# steps; every step is one line of TAP. A test reads:
#
#   . "$(dirname "$0")/harness.sh"
#   lab_enter installer-iso                  # images it boots; $installer_iso is then the folder of that image
#   boots_from_cd() {
#       machine cd --cdrom "$installer_iso/installer.iso"
#       step 'the menu appears' wait_text 'Graphical install'
#   }
#   stories boots_from_cd
#
# Where /dev/kvm is as fast as hardware the test runs right here, otherwise in the lab. Screens and logs of machines are
# left in tests/lab/artifacts of the build folder. Waits are generous: a test does not fail for being slow.
set -uo pipefail

harness=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${ORIEL_BUILD:-$harness/../../build}
test_name=$(basename "$0" .sh)
patience=1200

# lab_enter IMAGE...: build the images, then go on where guests run fast: this never returns on the slow side.
lab_enter() {
    local image folder variables=() artifacts=$build/tests/lab/artifacts/$test_name
    if [ -z "${LAB_ARTIFACTS:-}" ]; then
        for image; do
            folder=$("$harness/images/$image") || exit 1
            variables+=("${image//-/_}=$folder")
        done
        rm -rf "$artifacts"
        mkdir -p "$artifacts"
        if measured=$("$build/tests/lab/host-kvm"); then
            echo "# $measured"
            export LAB_ARTIFACTS=$artifacts "${variables[@]}"
        else
            echo "# $measured; in the lab"
            lab_run "$artifacts" \
                "export LAB_ARTIFACTS=/run/share ORIEL_BUILD='$build' ${variables[*]@Q}; exec '$(realpath "$0")'"
        fi
    fi
    work=$(mktemp -d "${TMPDIR:-/tmp}/oriel-test.XXXXXX")
    export XDG_DATA_HOME=$work/data XDG_RUNTIME_DIR=$work/run XDG_CONFIG_HOME=$work/config
    mkdir -m 700 "$XDG_DATA_HOME" "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME"
    : >"$work/steps"
    trap lab_leave EXIT
}

# lab_run SHARE COMMAND: the command in the lab, and the end of this process. A lab that itself failed is made once more,
# for it says nothing of the machines in it; what a test found there stands.
lab_run() {
    local status=0
    "$harness/lab" -t 3000 -s "$1" "$2" >"$1/tap" || status=$?
    if [ $status -eq 125 ]; then
        sed 's/^/# /' "$1/tap"
        echo '# the lab itself failed; once more'
        exec "$harness/lab" -t 3000 -s "$1" "$2"
    fi
    cat "$1/tap"
    exit $status
}

lab_leave() {
    local folder
    for folder in "$XDG_DATA_HOME"/oriel/machines/*.oriel; do
        [ ! -e "$folder" ] || oriel stop "$(basename "$folder" .oriel)" >/dev/null 2>&1
    done
    rm -rf "$work"
}

oriel() {
    "$build/app/orielctl" "$@"
}

# machine NAME CREATE-OPTION... [-- KEY=VALUE...]: a new machine with these settings, started; the story's other words
# are about it.
machine() {
    local options=()
    machine=$1
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    step 'create' oriel create "$machine" "${options[@]}"
    [ $# -eq 0 ] || step 'set' oriel set "$machine" "${@:2}"
    step 'start' oriel start "$machine"
}

# step DESCRIPTION COMMAND...: one line of TAP; when COMMAND fails, what it said, what the machine shows, and the end
# of the story.
step() {
    local description=$1 began=$SECONDS output
    shift
    echo "$description" >>"$work/steps"
    # For a look at a test that still runs.
    echo "$(date +%T) $(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo) MiB free, $story: $description" \
        >>"$LAB_ARTIFACTS/progress"
    if output=$("$@" 2>&1 </dev/null); then
        echo "ok - $story: $description ($((SECONDS - began)) s)"
        return
    fi
    echo "not ok - $story: $description ($((SECONDS - began)) s)"
    printf '%s\n' "$output" | tail -n 40 | sed 's/^/# /'
    evidence
    exit 1
}

# What the story's machine looks like: a few lines here, the rest among the artifacts.
evidence() {
    local logs=$XDG_DATA_HOME/oriel/machines/$machine.oriel/log
    echo "# $machine is $(oriel show "$machine" 2>&1 | head -n 30 | tr '\n' ';')"
    oriel text "$machine" 2>/dev/null | grep -v '^ *$' | sed 's/^/# screen: /'
    tail -n 15 "$logs/serial0.log" 2>/dev/null | tr -dc '\t\n -~' | sed 's/^/# serial: /'
    tail -n 10 "$logs/engine.log" 2>/dev/null | sed 's/^/# engine: /'
    screenshot failed
    cp -r "$logs" "$LAB_ARTIFACTS/$machine-log" 2>/dev/null
}

# screenshot NAME: keep a picture of the story's screen among the artifacts.
screenshot() {
    oriel screenshot "$machine" "$LAB_ARTIFACTS/$machine-$1.png" >/dev/null 2>&1
}

wait_text() {
    oriel wait "$machine" --text "$1" --timeout $patience
}

wait_serial() {
    oriel wait "$machine" --serial "$1" --timeout $patience
}

wait_state() {
    oriel wait "$machine" --state "$1" --timeout $patience
}

# keys CHORD...: press keys one after the other.
keys() {
    local chord
    for chord; do
        oriel key "$machine" "$chord" || return
    done
}

# serial_says RE / serial_lacks RE: what the serial log holds by now.
serial_says() {
    grep -aqE "$1" "$XDG_DATA_HOME/oriel/machines/$machine.oriel/log/serial0.log" ||
        { echo "the serial port never said: $1"; return 1; }
}

serial_lacks() {
    ! grep -aE "$1" "$XDG_DATA_HOME/oriel/machines/$machine.oriel/log/serial0.log"
}

# serial_type TEXT: send a line over the serial port.
serial_type() {
    printf '%s\n' "$1" | oriel serial "$machine" >/dev/null
}

# colour_share FILE COLOUR: percent of a picture's pixels that are close to a colour, rounded down.
colour_share() {
    convert "$1" -fuzz 4% -fill '#010203' -opaque "$2" -fuzz 0 -fill black +opaque '#010203' \
        -fill white -opaque '#010203' -format '%[fx:int(100*mean)]' info:
}

# wait_colours COLOUR PERCENT...: until the screen has at least so much of each colour.
wait_colours() {
    local end=$((SECONDS + patience)) file=$work/$machine.png colour share seen
    while [ $SECONDS -lt $end ]; do
        sleep 2
        oriel screenshot "$machine" "$file" || return
        seen=
        set -- "$@" end
        while [ "$1" != end ]; do
            colour=$1 share=$(colour_share "$file" "$1")
            [ "${share:-0}" -ge "$2" ] || seen+="$colour is $share % of the screen, not $2; "
            set -- "${@:3}" "$1" "$2"
        done
        shift
        [ -n "$seen" ] || return 0
    done
    echo "$seen"
    return 1
}

# A machine that is left running would take the time of the next story.
story_leave() {
    oriel stop "$machine" >/dev/null 2>&1
}

# stories FUNCTION...: run stories, two at a time where there are processors for that, then the plan; the exit status tells
# whether all went well.
stories() {
    local name failed=0 running=0 width=2
    [ "$(nproc)" -ge 4 ] || width=1
    for name; do
        if [ $running -eq $width ]; then
            wait -n || failed=1
            running=$((running - 1))
        fi
        (story=$name machine=none && trap story_leave EXIT && "$name") &
        running=$((running + 1))
    done
    while [ $running -gt 0 ]; do
        wait -n || failed=1
        running=$((running - 1))
    done
    echo "1..$(wc -l <"$work/steps")"
    exit $failed
}
