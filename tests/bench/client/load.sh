#!/bin/sh
# Founds the gate that a measurement under load needs and gives it to the
# program, which calls this.
#   load.sh BUILD PROGRAM
set -eu
here=$(cd "$(dirname "$0")/../../.." && pwd)
build=${1:?usage: load.sh BUILD PROGRAM}
program=${2:?usage: load.sh BUILD PROGRAM}
statgate=$build/statgate
work=$(mktemp -d ./bench-gate-XXXXXX) # on the disk that is measured
work=$(cd "$work" && pwd)
# shellcheck source=tests/harness/gate.sh
. "$here/tests/harness/gate.sh"
trap 'gate_stop; [ -n "${KEEP:-}" ] || rm -rf "$work"' EXIT

case $program in
bench_fanout) subscribers='s0 s1 s2 s3 s4 s5 s6 s7 s8 s9' ;;
bench_stalled) subscribers='s0 s1' ;;
*) subscribers=s0 ;;
esac
gate_found
gate_people office
for name in $subscribers; do
    member "$name" "NO_$(echo "$name" | tr '[:lower:]' '[:upper:]')" NO nso data_consumer subscriber \
        official_statistics,sdg_reporting
done
if [ "$program" = bench_withdraw ]; then
    member rwanda RW_OFFICE RW nso data_provider publisher official_statistics
    member ledger RW_OFFICE RW nso data_provider consent official_statistics
    gate_people research
    as HUB roster instrument "$work/roster" --kind treaty --from RW --to UG \
        -o "$work/roster" || die 'roster instrument'
fi
gate_open
# shellcheck disable=SC2086
gate_structure office $subscribers
gate_laws hub export-ke export-rw import-default

flow() { # flow FLOW COMMIT SUBSCRIBER...
    flow=$1
    gate_sdg_flow office "$flow" "$2"
    shift 2
    for name in "$@"; do gate_subscribe "$name" "$flow"; done
}

panel() { # panel NUMBER: flow P, agreement A, one record, one subscription
    cat >"$work/panel.terms" <<END
flow P$1
structure STATGATE:SDG(1.0)
dataflow STATGATE:DF_SDG(1.0)
classification restricted
data_kind scientific_use_file
unit household
identifiability pseudonymised
sensitive none
lawful_basis consent
special_condition none
onward forbidden
licence custom
purposes scientific_research official_statistics
commit row
agreements A$1
localisation none
geo_detail country
validation not_needed
emergency none
community_consent not_concerned
quality complete
sdc_state none
END
    cat >"$work/agreement" <<END
id A$1
revision 1
purpose scientific_research
lawful_basis consent
onward forbidden
valid_days 365
retention_days 365
categories living_conditions
recipients research_body nso
languages en rw
END
    as rwanda flow new "$work/panel.terms" || die "flow new P$1"
    as ledger consent agreement "$work/agreement" || die "consent agreement A$1"
    as ledger consent give "A$1" 6c1f0a52b7de4d0e9a3358e21b84c701 ||
        die "consent give A$1"
    as research subscribe "P$1" --purpose scientific_research \
        --promise 'delete_after_days(365)' --promise no_onward \
        --promise notify_origin || die "subscribe P$1"
}

# In the evidence, a key says under which decision it left; none may leave for
# a flow on consent under a decision from before its agreement's withdrawal.
keys_after_withdrawal() {
    as HUB log show "$work/HUB/store/evidence" || die 'log show'
    awk '
        / consent event  / && match($0, /agreement: "A[0-9]+"/) {
            event = $1
            of = substr($0, RSTART + 13, RLENGTH - 14)
            next
        }
        / withdrawal statement  / { ended[of] = event; withdrawn++; next }
        / delivery statement  / && match($0, /subscription: "UG_RESEARCH\/P[0-9]+"/) {
            flow = substr($0, RSTART + 28, RLENGTH - 29)
            if (match($0, /delivery_id: [0-9a-f]+/))
                on[substr($0, RSTART + 13, RLENGTH - 13)] = flow
            next
        }
        / key released  / {
            decision = $0
            sub(/.*decision: /, "", decision)
            for (i = 1; i < NF; i++) {
                if ($i != "deliveries:" || !($(i + 1) in on)) continue
                keys++
                flow = on[$(i + 1)]
                if (flow in ended && decision + 0 < ended[flow] + 0) late++
            }
        }
        END {
            printf "%d keys on consent, %d withdrawals, %d keys under a consent that had ended\n",
                keys, withdrawn, late
            exit late > 0 || keys == 0 || withdrawn == 0
        }' "$work/said" || die 'a key left after a withdrawal, or none before'
}

case $program in
bench_withdraw)
    flow SMALL row s0
    as rwanda structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
    as research structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
    for number in 0 1 2 3 4 5 6 7 8 9; do panel $number; done
    ;;
bench_fanout)
    flow FILE1 file s0
    flow ROW1 row s0
    # shellcheck disable=SC2086
    flow FILE10 file $subscribers
    # shellcheck disable=SC2086
    flow ROW10 row $subscribers
    ;;
bench_idle) flow SMALL row s0 ;;
bench_stalled)
    flow GOOD file s0
    i=0
    while [ $i -lt "${SG_STALLED:-10}" ]; do
        gate_subscribe s1 GOOD --name "STALLED$i"
        i=$((i + 1))
    done
    ;;
esac

"$build/tests/bench/client/$program" - "$gate_pid" "$work" ||
    { tail -n 5 "$work/gate.log" >&2; exit 1; }
gate_stop
if [ "$program" = bench_withdraw ]; then keys_after_withdrawal; fi
