#!/bin/sh
# Decisions and proofs equal to the reference interpreter, on random requests.
#   tests/conformance/policy.sh [STATGATE] [REQUESTS]
# Needs ../shared (or SG_SHARED), python3 and jq; says so and passes without.
set -eu
cd "$(dirname "$0")/../.."
statgate=${1:-build/release/statgate}
total=${2:-10000}
shared=${SG_SHARED:-../shared}
reference=$shared/examples/policy/pol.py
policies=$shared/design/policies
if [ ! -f "$reference" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
for tool in python3 jq; do
    command -v "$tool" >/dev/null || { echo "skipped: needs $tool"; exit 0; }
done
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# What both say of a request, in one form.
want='.decision | {verdict, why, rules,
  attributes: ((.attributes // []) | sort),
  waiting_for: (if .verdict == "hold" then .waiting_for | sort else [] end),
  deadline_days: (.deadline_days // 0),
  obligations: (if .verdict == "permit" then [.obligations[] | .[0] +
    (if (.[1] | length) > 0 then "(" + (.[1] | map(tostring) | join(",")) + ")"
     else "" end)] | sort else [] end)}'
have='{verdict, why, rules, attributes: (.attributes | sort),
  waiting_for: (.waiting_for | sort), deadline_days,
  obligations: (.obligations | sort)}'

right=0
compare() { # compare COUNT SEED ALONE FILE...
    count=$1 seed=$2 alone=$3
    shift 3
    # shellcheck disable=SC2086
    python3 "$reference" random "$count" "$seed" $alone "$@" >"$scratch/said"
    jq -c '.request + {on: (.request.on // .on)}' "$scratch/said" >"$scratch/asked"
    # shellcheck disable=SC2086
    "$statgate" policy decide "$@" $alone <"$scratch/asked" >"$scratch/answered"
    jq -cS "$want" "$scratch/said" >"$scratch/want"
    jq -cS "$have" "$scratch/answered" >"$scratch/have"
    same=$(paste -d '\n' "$scratch/want" "$scratch/have" |
        awk 'NR % 2 { a = $0; next } a == $0 { n++ } END { print n + 0 }')
    right=$((right + same))
    [ "$same" -eq "$count" ] || diff "$scratch/want" "$scratch/have" | head -6
}

set -- "$policies"/*.policy
part=$((total / 10))
compare $((total - 6 * part)) 1 "" "$@"
compare "$part" 2 "" "$policies/no-ssb-export.policy" "$policies/asean-hub.policy"
seed=3
for file in "$@"; do
    compare "$part" "$seed" --alone "$file"
    seed=$((seed + 1))
done
echo "policy decisions equal to the reference: $right of $total"

# The same nevers, proved in the same way; the same tests: one case a file.
for file in "$@"; do
    python3 "$reference" check "$file" |
        grep -v -e 'note:' -e ' rules, ' -e 'warning: review date' >"$scratch/want" || true
    "$statgate" policy check "$file" |
        grep -v -e ' nevers: ' -e 'warning: review date' >"$scratch/have" || true
    total=$((total + 1))
    if diff "$scratch/want" "$scratch/have"; then right=$((right + 1)); fi
done
echo "$right of $total"
[ "$right" -eq "$total" ]
