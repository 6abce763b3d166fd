#!/bin/sh
# Who may do what at a real gate: two persons for terms that loosen, somebody
# who joins later, a key that ends, a flow that closes; and what holds of a
# release: rehearsed, sent again, proven by its receipt.
#   rights.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: rights.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office deputy
person=office
gate_people twin
person=
gate_people norway
gate_open
gate_structure office norway
gate_laws hub export-ke import-default
gate_sdg_flow office LARGE row
gate_subscribe norway LARGE
for n in 1 2 3; do rows "$work/$n.csv" 2 $n; done

# ---- rehearsed, published, sent again --------------------------------------------------
ends 0 'a release is rehearsed' office publish "$work/1.csv" --flow LARGE --rehearse
said 'and the gate says that nothing was published' 'nothing was published'
ends 0 'and rehearsed again, for a program' \
    office publish "$work/1.csv" --flow LARGE --rehearse --json
said 'which learns the same' '"code":"publisher.rehearsed"'
sed 's/,IX,G$/,PERCENT,G/' "$work/1.csv" >"$work/wrong.csv"
ends 65 'a wrong one is refused in rehearsal' \
    office publish "$work/wrong.csv" --flow LARGE --rehearse
said 'as it would be' 'publisher.data'
ends 65 'and in earnest' office publish "$work/wrong.csv" --flow LARGE
report=$(sed -n 's/.*statgate why \([0-9a-f]\{64\}\).*/\1/p' "$work/said")
ends 0 'the report says where' office why --json "${report:-none}"
said 'each fault with its place' '"code":"CODE","component":"UNIT_MEASURE","row":1'
ends 0 'nothing of this took a number' office publish "$work/1.csv" --flow LARGE \
    --receipt "$work/receipt"
said 'the first release is number 1' '^LARGE@1 accepted: 100 observations'
ends 65 'the same content is no new release' office publish "$work/1.csv" --flow LARGE
said 'which is said' 'publisher.unchanged'
ends 0 'unless it is wished' office publish "$work/1.csv" --flow LARGE --again
said 'then it has the next number' '^LARGE@2 accepted'

# ---- what a receipt proves -------------------------------------------------------------
ends 0 'its receipt verifies' office verify --receipt "$work/receipt"
said 'in words' 'the gate HUB states in entry [0-9]*: accepted, LARGE@1 of KE_OFFICE'
ends 65 'not for somebody else' norway verify --receipt "$work/receipt"
# One byte in the middle becomes another.
middle=$(($(wc -c <"$work/receipt") / 2))
{
    head -c $middle "$work/receipt"
    tail -c +$((middle + 1)) "$work/receipt" | head -c 1 | tr '\000-\377' '\001-\377\000'
    tail -c +$((middle + 2)) "$work/receipt"
} >"$work/forged"
ends 65 'and not when a byte of it is another' office verify --receipt "$work/forged"
said 'which is said' INVALID
ends 65 'a file that is no receipt is none' office verify --receipt "$work/1.csv"
said 'which is said' 'it is not a receipt'
ends 0 'the log holds what the receipt says' \
    desk log verify "$work/HUB/store/evidence" --against "$work/receipt"

# ---- terms that loosen -----------------------------------------------------------------
sed 's/^onward allowed/onward forbidden/' "$work/LARGE.terms" >"$work/tight.terms"
ends 0 'one person may tighten terms' office flow new "$work/tight.terms"
said 'as their next version' 'LARGE: terms version 2'
ends 77 'one person may not loosen them' office flow new "$work/LARGE.terms"
said 'since it takes two' 'publisher.terms_two_persons'
ends 77 'nor may the same person with another key' \
    office flow new "$work/LARGE.terms" --second "$work/twin"
said 'since it takes two persons' 'publisher.terms_two_persons'
ends 77 'nor somebody of another house' \
    office flow new "$work/LARGE.terms" --second "$work/norway"
ends 0 'two persons may' office flow new "$work/LARGE.terms" --second "$work/deputy"
said 'as their next version' 'LARGE: terms version 3'
ends 0 'what is published next stands under them' \
    office publish "$work/2.csv" --flow LARGE
said 'with the next number' '^LARGE@3 accepted'

# ---- who joins a gate that runs --------------------------------------------------------
as late join --gate "$work/HUB/gate.public" --id SE_AGENCY --jurisdiction SE --class nso \
    --role data_consumer --person late --key-role subscriber --purpose sdg_reporting \
    -o "$work/requests/late" || die 'join late'
as HUB admit "$work/requests/late" --roster "$work/roster" --gate-home "$work/HUB" \
    -o "$work/next" || die 'admit late'
as late join --control "$control" --data "$data" --roster "$work/roster" || die 'join late'
ends 77 'who is in no roster is not let in' late flow list
said 'which is said' 'peer.unknown'
as HUB roster sign "$work/next" --key "$work/one.key" || die 'roster sign'
ends 65 'a roster that one person has signed is none' desk roster put "$work/next"
said 'which is said' 'gate.roster'
as HUB roster sign "$work/next" --key "$work/two.key" || die 'roster sign'
ends 77 'a publisher puts none' office roster put "$work/next"
ends 0 'an operator puts what two have signed' desk roster put "$work/next"
ends 0 'put again it is still there' desk roster put "$work/next"
ends 1 'the one before it does not come back' desk roster put "$work/roster"
said 'which is said' 'gate.roster_old'
ends 0 'who was admitted is let in, and reads the terms' late flow show LARGE
said 'of their newest version' '^onward allowed'
gate_subscribe late LARGE
ends 0 'and receives' late receive LARGE --once --wait 60 --out "$work/late.in"
is 'the newest release' 'LARGE@3.csv LARGE@3.csv.sgv' \
    "$(cd "$work/late.in" 2>/dev/null && echo *)"
ends 0 'who was there before is still let in' norway flow list

# ---- a key that ends -------------------------------------------------------------------
# key HOME USE: its id in the roster.
key() {
    as desk roster show "$work/roster" --json || die 'roster show'
    jq -r ".participants[].keys[] | select(.person == \"$1\" and .use == \"$2\").id" \
        <"$work/said" | head -n 1
}
ends 77 'a key that nobody has cannot end' desk revoke \
    0000000000000000000000000000000000000000000000000000000000000000 \
    --root "$work/one.key" --gate HUB
STATGATE_HOME=$work/norway "$statgate" receive LARGE --wait 60 \
    --out "$work/received" >"$work/received.said" 2>&1 </dev/null &
subscriber=$!
until_there "$work/received/LARGE@3.csv"
norway=$(key norway transport)
ends 0 'one root key holder ends the key of a subscriber whose connection is open' \
    desk revoke "$norway" --root "$work/one.key" --gate HUB --reason stolen
ends 0 'the office goes on' office publish "$work/3.csv" --flow LARGE
found=0
wait "$subscriber" || found=$?
cp "$work/received.said" "$work/said"
is 'the open connection ends' 77 "$found"
said 'with the reason' 'peer.key_revoked'
is 'and what came after the revocation is not there' no \
    "$([ -e "$work/received/LARGE@4.csv" ] && echo yes || echo no)"
begun=$(date +%s)
ends 77 'nor is the key let in again' norway flow list
said 'with the reason' 'does not let the keys of this home in.*peer.unknown'
is 'within seconds' yes "$([ $(($(date +%s) - begun)) -lt 20 ] && echo yes || echo no)"
sign=$(key office sign)
ends 0 'the other root key holder ends the key of a publisher' \
    desk revoke "$sign" --root "$work/two.key" --gate HUB --reason left
ends 77 'who publishes no more' office publish "$work/1.csv" --flow LARGE
said 'with the reason' 'peer.key_revoked'
gate_structure deputy
ends 0 'a colleague does' deputy flow new "$work/LARGE.terms"
ends 0 'with keys of his own' deputy publish "$work/1.csv" --flow LARGE
ends 65 'a publisher is no root key holder' desk revoke "$sign" \
    --root "$work/deputy/keys/sign.key" --gate HUB
said 'which is said' 'is not a root key file'
as HUB root new three -o "$work/three.key" || die 'root new'
ends 65 'nor is who made himself a root key' desk revoke "$sign" \
    --root "$work/three.key" --gate HUB

# ---- a flow that closes ----------------------------------------------------------------
ends 77 'nobody else closes a flow' desk flow close LARGE
ends 0 'its office does' deputy flow close LARGE --reason replaced
ends 65 'once' deputy flow close LARGE
ends 65 'and publishes nothing in it' deputy publish "$work/2.csv" --flow LARGE
said 'which is said' 'publisher.flow'

finish
