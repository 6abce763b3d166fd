#!/bin/sh
# Publishing at a real gate when programs die, and consent taken back: what the
# office is told.
#   office.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: office.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office deputy norway rwanda research
as HUB roster instrument "$work/roster" --kind treaty --from RW --to UG \
    -o "$work/roster" || die 'roster instrument'
gate_open
gate_structure office norway rwanda research
gate_laws hub export-ke export-rw import-default
gate_sdg_flow office LARGE row
gate_sdg_flow office FILE file
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

# ---- what is shown of long work ---------------------------------------------------------
if command -v script >/dev/null; then
    rows "$work/shown.csv" 220 3
    script -qec "'$statgate' publish '$work/shown.csv' --flow LARGE --home '$work/office'" \
        "$work/terminal" >/dev/null 2>&1 </dev/null || die 'publish on a terminal'
    cp "$work/terminal" "$work/said"
    said 'on a terminal an upload shows bytes, percent and rate' \
        'uploading [0-9.]* MiB of [0-9.]* MiB, [0-9]* %, [0-9.]* MiB/s'
    script -qec "'$statgate' check '$work/shown.csv'" "$work/terminal" \
        >/dev/null 2>&1 </dev/null || die 'check on a terminal'
    cp "$work/terminal" "$work/said"
    said 'so does a check' 'checking [0-9.]* MiB of [0-9.]* MiB, [0-9]* %'
else
    echo 'skipped: needs script(1) for a terminal'
fi
"$statgate" check "$work/large.csv" >"$work/out" 2>"$work/said" || die check
is 'elsewhere nothing of it' '' "$(cat "$work/said")"

# ---- a flow that commits to bytes ------------------------------------------------------
rows "$work/file.csv" 200 2
ends 0 'a release with commitment to its bytes is accepted' \
    office publish "$work/file.csv" --flow FILE
said 'and its observations were counted' 'FILE@1 accepted: 10000 observations'
ends 0 'it is delivered' norway receive FILE --once --wait 20 --json
said 'and nothing is said of rows that nobody counted' '"observations":null'

# ---- consent taken back: what had left by then -----------------------------------------
cat >"$work/agreement" <<END
id PANEL_CONSENT
revision 1
purpose scientific_research
recipients research_body
lawful_basis consent
onward forbidden
valid_days 365
END
cat >"$work/PANEL.terms" <<END
flow PANEL
structure STATGATE:SDG(1.0)
dataflow STATGATE:DF_SDG(1.0)
licence custom
classification restricted
data_kind scientific_use_file
unit household
identifiability pseudonymised
sensitive none
lawful_basis consent
special_condition none
onward forbidden
purposes scientific_research official_statistics
commit row
agreements PANEL_CONSENT
localisation none
geo_detail country
validation not_needed
emergency none
community_consent not_concerned
quality complete
sdc_state none
END
first=6c1f0a52b7de4d0e9a3358e21b84c701 second=0be97fd2437a4c118d7e5596ac20f302
ends 0 'a consent agreement is signed' rwanda consent agreement "$work/agreement"
ends 0 'a household consents' rwanda consent give PANEL_CONSENT $first
ends 0 'another one consents' rwanda consent give PANEL_CONSENT $second --json
said 'which is one object for programs' \
    '^{"exit":0,"code":"ok","agreement":"PANEL_CONSENT","state":"given","entry":[0-9]*,"statement":null}$'
ends 0 'a flow rests on it' rwanda flow new "$work/PANEL.terms"
for name in TAKEN FAILED WAITS; do
    as research subscribe PANEL --purpose scientific_research --name $name \
        --promise 'delete_after_days(365)' --promise no_onward \
        --promise notify_origin || die "subscribe $name"
done
ends 0 'answers are published' rwanda publish \
    "$here/schemas/sdg/data/rwanda.csv" --flow PANEL
ends 0 'one delivery is received' \
    research receive TAKEN --once --wait 20 --out "$work/taken"
: >"$work/file"
ends 65 'another one has its key, but no folder to lie in' \
    research receive FAILED --once --wait 20 --out "$work/file"
ends 75 'of a third one the ciphertext is fetched' research receive WAITS --once --wait 0
until_logged 4 'delivery statement' # one was of FILE
ends 0 'a household takes its consent back' \
    rwanda consent withdraw PANEL_CONSENT $first
said 'the gate says so' '^PANEL_CONSENT: withdrawn$'
said 'and states what had left and was receipted' \
    'delivery [0-9a-f]* had left before, and the receiver signed that it has it'
said 'what had left and was not' \
    'delivery [0-9a-f]* had left before, and the receiver has not signed'
said 'what is ciphertext that nobody can read' 'delivery [0-9a-f]* is there as ciphertext only'
said 'and how many of each' \
    '^1 left and receipted, 1 left without receipt, 0 cancelled, 1 only ciphertext$'
kept=$(sed -n 's/^kept in //p' "$work/said")
is 'the signed statement is kept' yes "$([ -s "$kept" ] && echo yes || echo no)"
ends 77 'the third one gets no key' research receive WAITS --once --wait 20
said 'and is told why' 'consent.withdrawn\|policy.content\|delivery.stopped'
ends 0 'another household does so, said to a program' \
    rwanda consent withdraw PANEL_CONSENT $second --json
said 'with the same in an object' \
    '"statement":{"entry":[0-9]*,"time":"[0-9TZ:.-]*","left_receipted":\[{"delivery":"[0-9a-f]\{32\}","entry":[0-9]*}\],"left_unreceipted":'
ends 65 'what was withdrawn is not withdrawn again' \
    rwanda consent withdraw PANEL_CONSENT $second
is 'no event is left over' '' "$(ls "$work/rwanda/consents")"

finish
