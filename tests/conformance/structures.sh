#!/bin/sh
# Every SDMX-ML structure message of the samples is imported, but for those that
# deviations.md lists, which are refused with the words that stand there.
#   structures.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
data=${SG_SHARED:-$here/../shared}/data/sdmx
statgate=${1:?usage: structures.sh STATGATE}
if [ ! -r "$data/INDEX.csv" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
STATGATE_HOME=$(mktemp -d)
export STATGATE_HOME
trap 'rm -rf "$STATGATE_HOME"' EXIT
list=$here/tests/conformance/deviations.md
passed=0
total=0
# No field before the format is quoted.
awk -F, '$4 == "SDMX-ML Structure" { print $2 }' "$data/INDEX.csv" >"$STATGATE_HOME/files"
while read -r file; do
    total=$((total + 1))
    rm -rf "$STATGATE_HOME/structures"
    status=0
    "$statgate" structure import "$data/$file" >"$STATGATE_HOME/out" 2>&1 || status=$?
    words=$(sed -n "s|^- \`$file\`: \`\(.*\)\`\$|\1|p" "$list")
    if [ -z "$words" ] && [ "$status" = 0 ]; then
        passed=$((passed + 1))
    elif [ -n "$words" ] && [ "$status" = 65 ] && grep -qF "$words" "$STATGATE_HOME/out"; then
        passed=$((passed + 1))
    else
        printf 'FAILED %s (exit %s), expected %s\n' "$file" "$status" "${words:-nothing}"
        tail -n 3 "$STATGATE_HOME/out"
    fi
done <"$STATGATE_HOME/files"

# What is listed is a sample.
for file in $(sed -n 's/^- `\([^`]*\)`: .*/\1/p' "$list"); do
    if [ ! -e "$data/$file" ]; then
        total=$((total + 1))
        echo "FAILED $file: is listed, and no sample"
    fi
done
echo "$passed of $total"
[ "$passed" = "$total" ]
