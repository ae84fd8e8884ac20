#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The network of a small Linux with a virtio card, and the same with an Intel 82574L: DHCP, names, transfers both ways with sums, IPv6, port forwards, the
# cable, the end of its oriel-net, a capture, whom it talks to; two machines on a private network. An installed Debian is
# reached by ssh through a forwarded port and installs a package from a mirror on this computer.
. "$(dirname "$0")/harness.sh"
lab_enter small-linux debian-full

kernel=(--kernel "$small_linux/vmlinuz" --initrd "$small_linux/initrd.gz")
if [ -n "${ORIEL_IN_LAB:-}" ]; then
    echo 'nameserver 127.0.0.1' >"$work/resolv.conf"
    mount --bind "$work/resolv.conf" /etc/resolv.conf
fi
"$harness/network-server.py" "$debian_full/mirror" >"$work/server" 2>&1 &
server=$!
trap 'kill $server; lab_leave' EXIT
until grep -q ready "$work/server"; do
    kill -0 $server || { cat "$work/server" >&2; exit 1; }
    sleep 0.2
done

# echoes ADDRESS PORT: what is sent there comes back.
echoes() {
    python3 - "$1" "$2" <<'CODE'
import socket, sys
data = bytes(range(256)) * 4096
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 300) as peer:
    import threading
    threading.Thread(target=peer.sendall, args=(data,), daemon=True).start()
    got = b""
    while len(got) < len(data):
        got += peer.recv(1 << 16) or sys.exit("the connection ended")
sys.exit(got != data)
CODE
}

# The process behind the card of the story's machine: the engine's child.
kill_network() {
    local folder=$XDG_DATA_HOME/oriel/machines/$machine.oriel process engine=
    for process in /proc/[0-9]*; do
        if tr '\0' ' ' <"$process/cmdline" 2>/dev/null | grep -q "oriel-engine .*$folder"; then
            engine=${process#/proc/}
        fi
    done
    for process in /proc/[0-9]*; do
        if [ "$(sed -n 's/^PPid:\t//p' "$process/status" 2>/dev/null)" = "$engine" ]; then
            kill -KILL "${process#/proc/}"
            return
        fi
    done
    return 1
}

nobody_at() {
    ! echoes "$@"
}

talks_to() {
    oriel connections "$machine" | grep -E "$1"
}

# user_story MODEL PORT: all of it with this card; PORT and the next one of this computer are forwarded.
user_story() {
    local name=$1-user forward="tcp:[::1]:$(($2 + 1)):7"
    machine "$name" "${kernel[@]}" --memory 256M --append 'console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=network size=8' -- \
        net0.model="$1" net0.host-access=true net0.forwards="tcp:$2:7"
    step 'a capture begins' oriel capture "$name" "$work/$name.pcapng"
    step 'an address comes by DHCP' wait_serial '^network: address 10\.0\.2\.15/24, nameserver 10\.0\.2\.3'
    [ -z "${ORIEL_IN_LAB:-}" ] || step 'a name is found' wait_serial '^network: name found'
    step 'the host is loaded from' wait_serial '^network: loaded'
    step 'and sent to' wait_serial '^network: sent'
    step 'the same by IPv6' wait_serial '^network: loaded by IPv6'
    step 'both ways' wait_serial '^network: sent by IPv6'
    step 'the guest listens' wait_serial '^network: listens'
    step 'its port is reached through this computer' echoes 127.0.0.1 "$2"
    step 'another forward is added' oriel forward "$name" add "$forward"
    step 'which is reached by IPv6' echoes ::1 $(($2 + 1))
    step 'and removed' oriel forward "$name" remove "$forward"
    step 'so nobody is there' nobody_at ::1 $(($2 + 1))
    step 'the list of whom it talks to has the server' talks_to '10\.0\.2\.2:8080'
    step 'by IPv6, too' talks_to '\[fd6f:7269:656c::2\]:8081'
    step 'the capture ends' oriel capture "$name" --stop
    step 'it holds what was loaded' test "$(stat -c %s "$work/$name.pcapng")" -gt $((24 << 20))
    step 'the cable is pulled' oriel set "$name" net0.link=down
    step 'the guest sees that' wait_serial '^network: cable out'
    step 'the cable is put in' oriel set "$name" net0.link=up
    step 'the guest sees that, too' wait_serial '^network: cable in'
    step 'and loads again' wait_serial '^network: loaded again'
    step 'its oriel-net is killed' kill_network
    step 'the guest sees the cable go' wait_serial '^network: cable out again'
    step 'and loads through another one' wait_serial '^network: loaded once more'
    step 'the guest powers itself off' wait_state stopped
}

virtio() {
    user_story virtio 2207
}

e1000e() {
    user_story e1000e 2217
}

# pair_story MODEL: two machines with such cards.
pair_story() {
    local name one=$1-one two=$1-two
    for name in "$one" "$two"; do
        step "create $name" oriel create "$name" "${kernel[@]}" --memory 256M \
            --append "console=ttyS0 quiet tsc=reliable rcupdate.rcu_cpu_stall_timeout=300 job=private address=192.168.7.$([ "$name" = "$one" ] && echo 1 peer=192.168.7.2 || echo 2 peer=192.168.7.1)"
        step "$name is on the private network" oriel set "$name" net0.model="$1" net0.mode=private net0.network="$1"
    done
    machine=$one
    step 'one starts' oriel start "$one"
    step 'two starts' oriel start "$two"
    step 'one meets two' wait_serial '^private: meets its peer'
    step 'and loads from it' wait_serial '^private: loaded'
    machine=$two
    step 'two loads from one' wait_serial '^private: loaded'
    step 'two is turned off' oriel stop "$two"
    machine=$one
}

virtio_pair() {
    pair_story virtio
}

e1000e_pair() {
    pair_story e1000e
}

guest_ssh() {
    ssh -q -i "$work/key" -p 2227 -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o BatchMode=yes \
        -o ConnectTimeout=300 root@127.0.0.1 "$@"
}

# A server that is still starting is asked again.
ssh_login() {
    local end=$((SECONDS + patience))
    until [ "$(guest_ssh uname -n)" = oriel-debian ]; do
        [ $SECONDS -lt $end ] || return
        sleep 1
    done
}

ssh_carries() {
    head -c 1M /dev/urandom >"$work/random"
    [ "$(guest_ssh 'tee random | sha256sum' <"$work/random")" = "$(sha256sum <"$work/random")" ] &&
        guest_ssh cat random | cmp - "$work/random"
}

calculates() {
    [ "$(guest_ssh 'echo 6*7 | bc')" = 42 ]
}

lacks_bc() {
    [ "$(guest_ssh 'command -v bc || echo none')" = none ]
}

debian() {
    cp --sparse=always "$debian_full/debian.img" "$work/debian.img"
    step 'a key is made' ssh-keygen -q -N '' -t ed25519 -f "$work/key"
    machine debian --disk "$work/debian.img" --controller virtio --memory 512M -- \
        net0.model=virtio net0.host-access=true net0.forwards=tcp:2227:22
    rm "$work/debian.img"
    step 'a login prompt on the serial port' wait_serial 'oriel-debian login:'
    step 'the name is typed' serial_type root
    step 'it asks for the password' wait_serial 'Password:'
    step 'the password is typed' serial_type oriel
    step 'a shell starts' wait_serial 'root@oriel-debian'
    step 'the key is typed' serial_type "mkdir .ssh; echo '$(cat "$work/key.pub")' >.ssh/authorized_keys; echo keys \$((6 * 7))"
    step 'it is there' wait_serial '^keys 42'
    step 'a login by ssh through the forwarded port' ssh_login
    step 'data goes both ways' ssh_carries
    step 'a program is not installed' lacks_bc
    step 'apt reads the list of a mirror' guest_ssh apt-get -q update
    step 'and installs the program' guest_ssh DEBIAN_FRONTEND=noninteractive apt-get -q -y install bc
    step 'which works' calculates
    step 'the power button is pressed' oriel shutdown debian
    step 'the machine is off' wait_state stopped
}

stories debian virtio e1000e virtio_pair e1000e_pair
