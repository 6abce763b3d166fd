# A gate with offices and agencies, and how a script tells what it saw.
# Sourced; wants $here (top of the tree) and $statgate; $work is made, and goes
# away at the end unless KEEP is set. Ends with: finish
# shellcheck shell=sh disable=SC2154
work=$(mktemp -d)
gate_pid= # of gate.sh
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
# expect SENTENCE COMMAND...: it must succeed; a function or a program.
expect() {
    expect_sentence=$1 expect_found=0
    shift
    "$@" || expect_found=$?
    is "$expect_sentence" 0 "$expect_found"
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
# until_logged N WORDS: waits until N entries of the log are called so.
until_logged() {
    tries=0
    until as desk log show "$work/HUB/store/evidence" &&
        [ "$(grep -c " $2 " "$work/said")" -ge "$1" ]; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || die "the log has not $1 entries \"$2\""
        sleep 0.05
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
finish() {
    gate_stop
    exit $status
}
