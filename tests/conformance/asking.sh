#!/bin/sh
# What a gate tells of itself over the wire: its log, to whom it may be shown;
# structures and policies by their hash.
#   asking.sh STATGATE
# shellcheck disable=SC2317 # expect calls them
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: asking.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office norway court
gate_open
gate_structure office
gate_laws hub export-ke import-default
gate_sdg_flow office FIGURES row
alone() { # alone HOME VERB ...: without what is shipped
    shipped=$STATGATE_SHARE
    STATGATE_SHARE=$work/none
    as "$@" && done=0 || done=$?
    STATGATE_SHARE=$shipped
    return "$done"
}
alone norway subscribe FIGURES --purpose sdg_reporting \
    --promise attribute_source --promise keep_licence --promise no_onward ||
    die subscribe
as office publish "$here/schemas/sdg/data/kenya.csv" --flow FIGURES || die publish
mkdir "$work/received"

# ---- structures and policies ---------------------------------------------------
same() { # the blob that the office published is in norway's home
    for blob in "$work/office/structures"/*[0-9a-f][0-9a-f]; do
        name=${blob##*/}
        [ ${#name} -eq 64 ] && cmp "$blob" "$work/norway/structures/$name" || return 1
    done
}
expect 'who subscribes has the structure, from the gate by its hash' same
expect 'and check finds it' \
    alone norway check "$here/schemas/sdg/data/kenya.csv"
rm -r "$work/norway/structures"
expect 'a delivery whose structure is missing fetches it' \
    alone norway receive FIGURES --once --wait 60 --out "$work/received"
expect 'the same' same
rm -r "$work/norway/structures"
expect 'a structure is taken by the name of a flow' alone norway structure get FIGURES
expect 'the same again' same
refused() { # refused STATUS HOME VERB ...
    wanted=$1
    shift
    as "$@" && return 1
    [ $? -eq "$wanted" ]
}
zeros=$(printf '%064d' 0)
expect 'a hash that is not there is not found' \
    refused 65 norway structure get "$zeros"
texts() {
    as court policy export -o "$work/law" && for law in hub export-ke import-default; do
        cmp "$here/policy/examples/$law.policy" "$work/law/$law.policy" || return 1
    done
}
expect 'an auditor reads the policies in force' texts
expect 'a subscriber does not' refused 77 norway policy export -o "$work/law2"

# ---- promises that are wanting ---------------------------------------------------
as norway subscribe FIGURES --name BARE --purpose sdg_reporting || die subscribe
denied() {
    refused 77 norway receive BARE --once --wait 30 --json --out "$work/received" &&
        grep -q '"policy.content"' "$work/said"
}
expect 'who does not promise what the law asks for is denied' denied
cure=$(sed -n 's/.*"cure":"[^"]*: statgate \(subscribe[^"]*\)".*/\1/p' "$work/said")
expect 'and told which promises, with the command' \
    test "$cure" = "subscribe FIGURES --name BARE --purpose sdg_reporting --promise 'attribute_source' --promise 'keep_licence' --promise 'no_onward'"
why_too() {
    as norway why FIGURES@1 NO_OFFICE/BARE && grep -q "promise 'no_onward'" "$work/said"
}
expect 'why tells him the same' why_too
told() { eval "as norway $cure"; }
expect 'the command works' told
# The words of a refusal were signed too: they must not be taken for what holds.
expect 'what is refused does not take the place of a subscription' \
    refused 77 norway subscribe FIGURES --name BARE --purpose commercial
expect 'and then the release comes' \
    as norway receive BARE --once --wait 30 --out "$work/received"

# ---- the log -----------------------------------------------------------------
# fetched HOME [WORD...]: the export, and its entries one a line in $work/HOME.log
fetched() {
    who=$1
    shift
    rm -f "$work/$who.entries"
    as "$who" log export -o "$work/$who.entries" "$@" &&
        as "$who" log show "$work/$who.entries" --json &&
        cp "$work/said" "$work/$who.log"
}
words() { jq -r .word "$work/$1.log" | sort -u; }
whole() { # every entry of the gate's own folder, in order, the same leaves
    "$statgate" log show "$work/HUB/store/evidence" --json >"$work/own.log"
    lines=$(wc -l <"$work/court.log")
    head -n "$lines" "$work/own.log" | cmp - "$work/court.log" && [ "$lines" -gt 14 ]
}
expect 'an auditor fetches the log' fetched court
expect 'what he has is the log, entry by entry' whole
expect 'an office fetches what names it' fetched office
expect 'its release and the decision are there' \
    grep -q '"word":"decision"' "$work/office.log"
expect 'a subscriber fetches what names it' fetched norway
words norway >"$work/norway.words"
printf '%s\n' 'delivery statement' 'key released' receipt-ack refused roster subscription \
    >"$work/wanted"
cp "$work/norway.words" "$work/said"
expect 'which is its roster, request, delivery, key and receipt' \
    cmp "$work/wanted" "$work/norway.words"
some() { fetched court --from 5 --count 3 &&
    [ "$(jq -r .sequence "$work/court.log" | tr '\n' ' ')" = '5 6 7 ' ]; }
expect 'a part of it, by number' some
flipped() { # a byte in the middle is found
    printf '\377' | dd of="$work/court.entries" bs=1 seek=200 conv=notrunc 2>"$work/said"
    ! as court log show "$work/court.entries"
}
expect 'a changed byte is found' flipped

# ---- status --------------------------------------------------------------------
figures() { # each is there and not 0; a gate of this size takes no GiB
    as desk status --json && jq -e '[.peak_bytes, .worker_peak_bytes,
        .evidence_bytes, .disk_free_bytes] | all(. > 0)
        and .[0] < 1073741824 and .[1] < 1073741824' "$work/said" >/dev/null
}
expect 'an operator sees the peaks of memory, the evidence and the free disk' figures
words_too() { as court status && grep -q '^peak memory  *[0-9.]* MiB' "$work/said"; }
expect 'an auditor too, in words' words_too
expect 'a subscriber does not' refused 77 norway status

# ---- what a crash leaves over -----------------------------------------------------
as office publish "$here/schemas/sdg/data/rwanda.csv" --flow FIGURES --rehearse || die rehearse
kill -9 "$gate_pid"
wait "$gate_pid" 2>/dev/null || true
gate_again
swept() { # the key of the rehearsed release is destroyed, and the log says so
    tries=0
    until fetched court && grep -q '"word":"destroyed".*left_over' "$work/court.log"; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || return 1
        sleep 0.05
    done
    grep -q '"event":"store.swept"' "$work/gate.log"
}
expect 'a key that a crash left over is destroyed at the next start' swept
still() { as norway subscribe FIGURES --name AGAIN --purpose sdg_reporting \
    --promise attribute_source --promise keep_licence --promise no_onward &&
    as norway receive AGAIN --once --wait 30 --out "$work/received"; }
expect 'and nothing else is' still

# ---- behind a refusal --------------------------------------------------------------
laws=$here/policy/examples
cat "$laws/hub.policy" - >"$work/hub.policy" <<'END'

rule "not yet"
  forbid
  when area is RW and purpose is sdg_reporting
  because "a trial"
END
gate_law "$work/hub.policy" "$laws/export-ke.policy" "$laws/import-default.policy"
for country in rwanda kenya; do
    as office publish "$here/schemas/sdg/data/$country.csv" --flow FIGURES || die publish
done
behind() {
    as norway receive AGAIN --once --wait 60 --out "$work/received" &&
        grep -q 'policy.content' "$work/said" && [ -e "$work/received/FIGURES@3.csv" ] &&
        [ ! -e "$work/received/FIGURES@2.csv" ]
}
expect 'a refused release is told, and the one behind it comes' behind
expect 'nobody is told twice' refused 75 norway receive AGAIN --wait 1
expect 'what came verifies' as norway verify "$work/received/FIGURES@3.csv"
at=$(grep -abo SGRC1 "$work/received/FIGURES@3.csv.sgv" | head -n 1)
printf X | dd of="$work/received/FIGURES@3.csv.sgv" bs=1 conv=notrunc \
    seek=$((${at%%:*} + 40)) 2>/dev/null
expect 'but not with another receipt' \
    refused 65 norway verify "$work/received/FIGURES@3.csv"

# ---- a policy that does not hold what it says ------------------------------------------
unsound() { # unsound LINES WORD: added to a law that holds
    printf '%s\n' "$1" | cat "$laws/import-default.policy" - >"$work/unsound.policy"
    refused 65 desk policy propose "$work/hub.policy" "$laws/export-ke.policy" \
        "$work/unsound.policy" && grep -q "policy.claims" "$work/said" &&
        grep -q "unsound.policy:$(grep -n "^$2" "$work/unsound.policy" | tail -n 1 |
            cut -d: -f1):1: .*$3" "$work/said"
}
expect 'with a test that fails is not proposed' unsound 'test "nothing arrives"
  given example arriving
  expect deny' test 'nothing arrives'
expect 'nor with a never that is broken' unsound 'never "anything arrives"
  permit when purpose is sdg_reporting' never 'BROKEN'

finish
