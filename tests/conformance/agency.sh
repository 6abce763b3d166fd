#!/bin/sh
# Receiving at a real gate when the subscriber dies in the middle, or its disk
# is full: nothing half, nothing twice, and it goes on.
#   agency.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: agency.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office norway
gate_open
gate_structure office norway
gate_laws hub export-ke import-default
gate_sdg_flow office LARGE row
gate_subscribe norway LARGE
rows "$work/first.csv" 200 1
rows "$work/second.csv" 200 2
rows "$work/third.csv" 200 3

# As `as`, and what the verb takes for standard error is a terminal.
on_terminal() { # on_terminal HOME VERB ...
    terminal_home=$1
    shift
    STATGATE_HOME=$work/$terminal_home script -qec "$statgate $*" /dev/null \
        >"$work/said" 2>&1 </dev/null
}

# ---- killed in the middle --------------------------------------------------------------
ends 0 'a large release is published' office publish "$work/first.csv" --flow LARGE
# By the system, when a file of its grows beyond 300 KiB: always in the middle.
found=0
(
    # shellcheck disable=SC3045 # dash has it
    ulimit -c 0
    ulimit -f 600
    STATGATE_HOME=$work/norway exec "$statgate" receive LARGE --once --wait 60 \
        --out "$work/received"
) >"$work/said" 2>&1 </dev/null || found=$?
is 'a subscriber is killed in the middle of a file' 153 "$found" # SIGXFSZ
is 'of which a part is there' 1 "$(find "$work/norway/inbox" -name '*.part' | wc -l)"
is 'a subscriber that is killed in the middle shows nothing' '' \
    "$(ls "$work/received" 2>/dev/null || true)"
found=0
on_terminal norway receive LARGE --once --wait 60 --out "$work/received" || found=$?
is 'started again, it receives the release' 0 "$found"
said 'and shows on a terminal how far it is' 'receiving [0-9.]* MiB of [0-9.]* MiB'
is 'whole' yes "$(cmp -s "$work/first.csv" "$work/received/LARGE@1.csv" && echo yes || echo no)"
is 'once, with its sidecar' 'LARGE@1.csv LARGE@1.csv.sgv' \
    "$(cd "$work/received" && echo *)"
is 'and nothing stays in the inbox' '' "$(ls "$work/norway/inbox")"
ends 75 'it does not come twice' \
    norway receive LARGE --once --wait 1 --out "$work/received"
said 'which is said' 'gate.idle'
ends 0 'what was received verifies' norway verify "$work/received/LARGE@1.csv"
said 'in words' 'signed by KE_OFFICE'

# ---- no room ---------------------------------------------------------------------------
# small BYTES VERB...: norway's verb where OUT and the inbox have so much room.
small() {
    small_bytes=$1
    shift
    # shellcheck disable=SC2016
    STATGATE_HOME=$work/norway unshare -rm sh -c '
        mount -t tmpfs -o "size=$1" tmpfs "$2" || exit 99
        mounted=$2
        shift 2
        status=0
        "$@" || status=$?
        echo "left: $(cd "$mounted" && echo *)"
        exit $status' sh "$small_bytes" "$small_on" "$statgate" "$@" \
        >"$work/said" 2>&1 </dev/null
}
ends 0 'another one is published' office publish "$work/second.csv" --flow LARGE
mkdir -p "$work/norway/inbox" "$work/small"
small_on=$work/small found=0
small 256k receive LARGE --once --wait 60 --out "$work/small" || found=$?
if [ "$found" = 99 ] || ! command -v unshare >/dev/null; then
    echo 'skipped: needs the right to mount a small disk (unshare -rm)'
else
    is 'a full folder is an error that may be tried again' 75 "$found"
    said 'where nothing half stays' 'left: \*'
    said 'and says whose disk it is' 'the disk of this computer is full.*home.disk'
    small_on=$work/norway/inbox found=0
    small 256k receive LARGE --once --wait 60 --out "$work/received" || found=$?
    is 'so is a full inbox' 75 "$found"
    said 'which says the same' 'the disk of this computer is full.*home.disk'
    is 'nothing of it is visible' 'LARGE@1.csv LARGE@1.csv.sgv' \
        "$(cd "$work/received" && echo *)"
fi
ends 0 'with room again it is received' \
    norway receive LARGE --once --wait 60 --out "$work/received"
is 'elsewhere nothing is shown' 0 "$(grep -c receiving "$work/said")"
is 'whole' yes "$(cmp -s "$work/second.csv" "$work/received/LARGE@2.csv" && echo yes || echo no)"

# ---- without its structure -------------------------------------------------------------
mv "$work/norway/structures" "$work/away"
ends 0 'a third one is published' office publish "$work/third.csv" --flow LARGE
ends 0 'without its structure at hand the release is received all the same' \
    norway receive LARGE --once --wait 60 --out "$work/received"
is 'since the gate has it, pinned by its hash' \
    "$(find "$work/away" -type f -printf '%f\n' | grep -x '[0-9a-f]\{64\}')" \
    "$(ls "$work/norway/structures" 2>/dev/null || true)"
rm -rf "$work/norway/structures"
mv "$work/away" "$work/norway/structures"

# ---- the end of a subscription ---------------------------------------------------------
ends 0 'a subscription ends' norway unsubscribe LARGE
ends 65 'and is not there any more' norway receive LARGE --once --wait 1
said 'which is said' 'LARGE'
ends 0 'ended once more it is still ended' norway unsubscribe LARGE
ends 65 'one that never was cannot end' norway unsubscribe NEVER
gate_subscribe norway LARGE --name AGAIN
ends 0 'a new one begins with what is there now' \
    norway receive AGAIN --once --wait 60 --out "$work/again"
is 'which is the newest' 'LARGE@3.csv LARGE@3.csv.sgv' "$(cd "$work/again" && echo *)"

# ---- the log of all this ---------------------------------------------------------------
found=0
on_terminal HUB log verify "$work/HUB/store/evidence" || found=$?
is 'the log is whole' 0 "$found"
said 'which is shown while it is looked at' 'verifying [0-9.]* MiB of [0-9.]* MiB'

finish
