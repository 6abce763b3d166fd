#!/bin/sh
# What an office and an agency meet at a real gate when programs die, keys end
# and people mistype: statgate(1) from end to end.
#   client.sh STATGATE     KEEP=1 leaves everything in the folder it names
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: client.sh STATGATE}
work=$(mktemp -d)
# shellcheck source=tests/harness/gate.sh
. "$here/tests/harness/gate.sh"
trap 'gate_stop; if [ -n "${KEEP:-}" ]; then echo "$work"; else rm -rf "$work"; fi' EXIT
mkdir "$work/share"
ln -s "$here/schemas/sdg" "$work/share/sdg"
STATGATE_SHARE=${STATGATE_SHARE:-$work/share}
export STATGATE_SHARE
status=0
is() { # is SENTENCE WANTED FOUND
    if [ "$2" = "$3" ]; then echo "ok   $1"; else
        echo "FAIL $1: expected $2, found $3"
        tail -n 5 "$work/said" | sed 's/^/     /'
        status=1
    fi
}
# ends STATUS SENTENCE HOME VERB...: the verb ends with it.
ends() {
    ends_with=$1 ends_sentence=$2 ends_found=0
    shift 2
    as "$@" || ends_found=$?
    is "$ends_sentence" "$ends_with" "$ends_found"
}
said() { # said SENTENCE WORDS: the last verb said them
    if grep -q -e "$2" "$work/said"; then echo "ok   $1"; else
        echo "FAIL $1: nothing says \"$2\""
        tail -n 5 "$work/said" | sed 's/^/     /'
        status=1
    fi
}
# until_there PATTERN: waits for a file; dies after ten seconds.
until_there() {
    tries=0
    # shellcheck disable=SC2086
    until ls $1 >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 1000 ] || die "no $1 within ten seconds"
        sleep 0.01
    done
}
rows() { # rows FILE AREAS FIGURE: 50 years each; all figures are FIGURE
    head -n 1 "$here/schemas/sdg/data/kenya.csv" >"$1"
    awk -F, -v most="$2" -v figure="$3" '/^[0-9][0-9][0-9],/ && n++ < most {
        for (year = 1970; year < 2020; year++)
            printf "STATGATE:DF_SDG(1.0),A,G,AG_FPA_COMM,%s,_T,_T,_T,_T,_T,_T," \
                "_T,_T,_T,_T,CPC2_1_112,%d,%s,A,0,IX,G\n", $1, year, figure
    }' "$here/schemas/sdg/areas.csv" >>"$1"
}

gate_found
member office KE_OFFICE KE nso data_provider publisher,consent \
    official_statistics,sdg_reporting
member deputy KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open
for name in office norway; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
done
for law in hub export-ke import-default; do
    cp "$here/policy/examples/$law.policy" "$work/"
done
gate_law "$work"/*.policy
gate_flow office LARGE 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
gate_flow office FILE 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' file
gate_subscribe norway LARGE
gate_subscribe norway FILE

# ---- a publisher that dies in the middle of a large upload ---------------------------
rows "$work/large.csv" 200 1
STATGATE_HOME=$work/office "$statgate" publish "$work/large.csv" --flow LARGE \
    >"$work/said" 2>&1 </dev/null &
publisher=$!
until_there "$work/office/outbox/*.item"
kill -STOP "$gate_pid"
kill -KILL "$publisher" 2>/dev/null || die 'it was published before it could be killed'
wait "$publisher" 2>/dev/null || true
kill -CONT "$gate_pid"
ends 0 'published again after the publisher was killed, it is accepted' \
    office publish "$work/large.csv" --flow LARGE --receipt "$work/large.receipt"
said 'with its 10,000 observations' 'LARGE@1 accepted: 10000 observations'

# ---- a flow that commits to bytes ------------------------------------------------------
rows "$work/file.csv" 200 2
ends 0 'a release with commitment to its bytes is accepted' \
    office publish "$work/file.csv" --flow FILE
said 'and its observations were counted' 'FILE@1 accepted: 10000 observations'
ends 0 'it is delivered' norway receive FILE --once --wait 20 --json
said 'and nothing is said of rows that nobody counted' '"observations":null'

gate_stop
exit $status
