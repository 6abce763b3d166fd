#!/bin/bash
# What others do with the same work on this machine, where they are installed:
# Debian's libcsv, DuckDB (npm @duckdb/node-api, found by NODE_PATH or in
# the global modules), JetStream of Debian's nats-server. Beside each stands
# ours in the same run.
#   peers.sh BUILD
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:?usage: peers.sh BUILD}
work=$(mktemp -d ./bench-peers-XXXXXX) # on the disk that is measured
trap 'rm -rf "$work"' EXIT
absent() { printf '%-44s peer not installed\n' "$1"; }

# 105 series, 100 areas, 40 years: every row a key of its own.
codes() { # codes LIST: of the structure that ships
    awk -v list="$1" -F'"' '/<str:Codelist / { on = index($0, "\"" list "\"") }
        on && /<str:Code id=/ { print $2 }' "$here/schemas/sdg/sdg.xml"
}
codes CL_SERIES >"$work/series"
codes CL_AREA | grep -x '[0-9]*' | head -n 100 >"$work/areas"
awk -v areas="$work/areas" 'BEGIN {
        while ((getline line <areas) > 0) area[n++] = line
        print "DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE," \
            "URBANISATION,INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION," \
            "CUST_BREAKDOWN,COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY," \
            "PRODUCT,TIME_PERIOD,OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE"
    }
    { for (a = 0; a < n; a++) for (y = 1980; y < 2020; y++)
        printf "STATGATE:DF_SDG(1.0),A,G,%s,%s,_T,_T,_T,_T,_T,_T,_T,_T,_T,_T,_T,%d,%d.5,A,0,IX,G\n",
            $1, area[a], y, NR * y + a }' "$work/series" >"$work/file.csv"
rows=$(($(wc -l <"$work/file.csv") - 1))

speed() { # speed NAME SECONDS [OURS]: a row; OURS: seconds of statgate check
    awk -v name="$1" -v rows="$rows" -v took="$2" -v ours="${3:-}" 'BEGIN {
        printf "%-44s %8.2f M obs/s", name, rows / took / 1e6
        if (ours != "") printf "   statgate check is %.2f times as fast", took / ours
        print "" }'
}

TIMEFORMAT='%U %S'
taken=$({ time "$build/statgate" check "$work/file.csv" >"$work/said" 2>&1; } 2>&1) ||
    { tail -n 3 "$work/said"; exit 1; }
ours=$(awk '{ print $1 + $2 }' <<<"$taken")
echo "$rows observations of the SDG structure, $(($(wc -c <"$work/file.csv") / 1000000)) MB; processor time"
speed 'statgate check, the whole program' "$ours"

if [ -e /usr/include/csv.h ]; then
    cc -O2 -o "$work/libcsv" "$here/tests/bench/peers/libcsv.c" -lcsv
    read -r fields took < <("$work/libcsv" "$work/file.csv")
    speed "libcsv, $((fields / (rows + 1))) fields a row found, nothing done" "$took" "$ours"
else
    absent 'libcsv'
fi

modules=${NODE_PATH:-$(npm root -g 2>/dev/null || true)}
if NODE_PATH=$modules node -e 'require("@duckdb/node-api")' 2>/dev/null; then
    took=$(NODE_PATH=$modules node "$here/tests/bench/peers/duckdb.js" "$work/file.csv")
    speed 'DuckDB, 19 codes a row looked up, 1 thread' "$took" "$ours"
else
    absent 'DuckDB'
fi

if command -v nats-server >/dev/null && command -v python3 >/dev/null; then
    echo 'bench_publish of the same run has ours beside these:'
    for window in 1 64; do
        mkdir "$work/js$window"
        count=$((window == 1 ? 5000 : 50000))
        rate=$(python3 "$here/tests/bench/peers/jetstream.py" "$work/js$window" \
            "$count" 1100 "$window")
        printf '%-44s %8d /s, acknowledged before any sync\n' \
            "JetStream file storage, 1.1 KB, $window at a time" "$rate"
    done
else
    absent 'JetStream'
fi
