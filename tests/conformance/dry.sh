#!/bin/sh
# --dry-run of every verb that changes something changes nothing: neither a home
# nor a file beside it, nor the gate's log; and what stands in the way is told
# as the verb itself would. Errors under --json are one object.
#   dry.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: dry.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office norway
gate_open
gate_structure office norway
gate_sdg_flow office F row
gate_subscribe norway F
cp "$here/policy/examples/hub.policy" "$work/"
as desk policy propose "$work/hub.policy" || die 'policy propose'
law=$(sed -n 's/^proposed \([0-9a-f]*\).*/\1/p' "$work/said")
printf 'id A\nrevision 1\npurpose sdg_reporting\nrecipients nso\nlawful_basis consent\n' >"$work/A.agreement"
as office consent agreement "$work/A.agreement" || die 'consent agreement'
given=00112233445566778899aabbccddeeff
as office consent give A $given || die 'consent give'
as HUB roster show "$work/roster" || die 'roster show'
key=$(sed -n 's/^  key \([0-9a-f]*\) sign.*/\1/p' "$work/said" | tail -n 1)
as HUB roster instrument "$work/roster" --kind treaty --from KE --to NO \
    -o "$work/next" || die 'roster instrument'
export XDG_CONFIG_HOME="$work/config"
as office context add one --home "$work/office" || die 'context add'
as new2 join --gate "$work/HUB/gate.public" --id NEW2 --jurisdiction KE --class nso \
    --person p --key-role publisher -o "$work/requests/new2" || die 'join'
"$statgate" init "$work/HUB2" --gate HUB2 >/dev/null || die init

# What is there: every file and folder with its content, but what the gate alone
# writes and what this script does; and the entries of the log.
there() {
    (cd "$work" && find . \( -path ./HUB -o -name said -o -name said.json -o \
        -name gate.log \) -prune -o -print | sort
    find . \( -path ./HUB -o -name said -o -name said.json -o -name gate.log \) \
        -prune -o -type f -exec sha256sum {} + | sort) | sha256sum
    "$statgate" log show "$work/HUB/store/evidence" | wc -l
}
# dry HOME VERB...: said as text and as one object, and nothing is changed.
dry() {
    dry_sentence=$(shift && echo "$*" | sed "s#$work/##g")
    dry_before=$(there)
    dry_found=0
    as "$@" --dry-run || dry_found=$?
    is "$dry_sentence --dry-run" 0 "$dry_found"
    said 'says what it would do' '^dry run: it would .*; nothing was changed$'
    dry_found=0
    as "$@" --dry-run --json || dry_found=$?
    is 'with --json too' 0 "$dry_found"
    is 'as one object' 1 "$(jq -c 'select(.dry_run and .exit == 0 and .would != "")' \
        "$work/said" 2>/dev/null | wc -l)"
    is 'and nothing is changed' "$dry_before" "$(there)"
}
# not STATUS CODE HOME VERB...: refused, with this code in one object; nothing is
# changed.
not() {
    not_with=$1 not_code=$2
    shift 2
    dry_sentence=$(shift && echo "$*" | sed "s#$work/##g")
    dry_before=$(there)
    dry_found=0
    as "$@" --dry-run --json || dry_found=$?
    is "$dry_sentence: refused" "$not_with" "$dry_found"
    is "with $not_code" "{\"exit\":$not_with,\"code\":\"$not_code\"}" \
        "$(jq -c '{exit,code} + (select(.sentence == "" or .cure == null or .component == null) // {})' \
            "$work/said" 2>/dev/null)"
    is 'and nothing is changed' "$dry_before" "$(there)"
}

# ---- at the root key holders' desk
dry HUB init "$work/HUB3" --gate HUB3
not 65 gate.exists HUB init "$work/HUB" --gate HUB
not 65 gate.exists HUB init "$work/HUB" --roster "$work/roster"
dry HUB root new three -o "$work/three.key"
not 65 gate.exists HUB root new one -o "$work/one.key"
dry HUB roster new --gate "$work/HUB2/gate.public" --root "$work/one.key.pub" \
    --root "$work/two.key.pub" -o "$work/roster2"
not 65 gate.not_found HUB roster new --gate "$work/HUB2/gate.public" \
    --root "$work/one.key.pub" --root "$work/absent.pub" -o "$work/roster2"
dry HUB roster sign "$work/next" --key "$work/one.key"
not 65 gate.not_found HUB roster sign "$work/next" --key "$work/absent.key"
dry HUB roster instrument "$work/roster" --kind treaty --from KE --to NO -o "$work/other"
dry HUB admit "$work/requests/new2" --roster "$work/roster" --gate-home "$work/HUB" \
    -o "$work/other"
not 77 peer.signature HUB admit "$work/requests/new2" --roster "$work/roster" \
    --gate-home "$work/HUB2" -o "$work/other"
as HUB roster new --gate "$work/HUB2/gate.public" --root "$work/one.key.pub" \
    --root "$work/two.key.pub" -o "$work/roster2" || die 'roster new'
for name in one two; do
    as HUB roster sign "$work/roster2" --key "$work/$name.key" || die 'roster sign'
done
dry HUB init "$work/HUB2" --roster "$work/roster2"
# ---- a participant
dry new join --gate "$work/HUB/gate.public" --id NEW --jurisdiction KE --class nso \
    --person p --key-role publisher -o "$work/requests/new"
not 65 gate.exists office join --gate "$work/HUB/gate.public" --id NEW \
    --jurisdiction KE --class nso --person p --key-role publisher -o "$work/requests/new"
dry office join --control tcp://127.0.0.1:1 --roster "$work/roster"
dry office context add two --home "$work/norway"
dry office context use one
not 65 gate.not_found office context use rome
# ---- operators and officers of policy
for name in one two; do
    as HUB roster sign "$work/next" --key "$work/$name.key" || die 'roster sign'
done
dry desk roster put "$work/next"
not 77 peer.rights office roster put "$work/next"
dry office revoke "$key" --root "$work/one.key" --gate HUB
not 77 peer.unknown office revoke "$given$given" --root "$work/one.key" --gate HUB
dry desk policy propose "$work/hub.policy"
not 77 peer.rights norway policy propose "$work/hub.policy"
dry board policy approve "$law"
not 65 policy.base board policy approve "$given$given"
as board policy approve "$law" || die 'policy approve'
dry board policy export -o "$work/law"
# ---- providers
dry office flow new "$work/F.terms"
not 77 peer.rights norway flow new "$work/F.terms"
as norway flow new "$work/F.terms" --dry-run || true
said 'as the gate would say it' 'publisher is needed, it has subscriber'
dry office flow close F
not 65 publisher.flow office flow close G
not 77 peer.rights norway flow close F
dry office consent agreement "$work/A.agreement"
dry office consent give A ffeeddccbbaa99887766554433221100
dry office consent withdraw A $given
not 65 consent.event office consent withdraw A ffeeddccbbaa99887766554433221100
not 77 peer.rights norway consent withdraw A $given
as office consent withdraw A $given --wait 0 || die 'consent withdraw'
not 65 consent.event office consent withdraw A $given
kept=$(printf 'A\n%s\nwithdraw' $given | sha256sum | cut -c 1-64)
mkdir -p "$work/office/consents"
: >"$work/office/consents/$kept" # as if the statement had not come yet
dry office consent withdraw A $given
rm "$work/office/consents/$kept"
not 65 gate.not_found office consent give NONE $given
# ---- subscribers and auditors
dry norway subscribe F --purpose sdg_reporting --name AGAIN
not 77 subscriber.purpose norway subscribe F --purpose commercial
not 65 publisher.flow norway subscribe G --purpose sdg_reporting
dry norway unsubscribe F
not 65 gate.not_found norway unsubscribe G
dry norway receive F --out "$work/taken"
not 65 gate.not_found norway receive G
dry norway structure get F
dry norway log export -o "$work/entries"
dry norway log export -o -
not 65 gate.exists norway log export -o "$work/hub.policy"
# ---- publish: as --rehearse
log_before=$("$statgate" log show "$work/HUB/store/evidence" | wc -l)
ends 0 'publish --dry-run' office publish "$here/schemas/sdg/data/kenya.csv" --flow F --dry-run
said 'is a rehearsal' 'rehearsed: it would be accepted; nothing was published'
is 'of which the log says that it was, and nothing else' $((log_before + 1)) \
    "$("$statgate" log show "$work/HUB/store/evidence" | wc -l)"

# ---- errors under --json: one object on standard output, nothing beside it
object() { # object STATUS CODE HOME VERB...
    object_with=$1 object_code=$2 object_home=$3 object_found=0
    shift 3
    STATGATE_HOME=$work/$object_home "$statgate" "$@" >"$work/said" \
        2>"$work/said.json" </dev/null || object_found=$?
    is "$(echo "$*" | sed "s#$work/##g"): one object" \
        "$object_with {\"exit\":$object_with,\"code\":\"$object_code\"} 0" \
        "$object_found $(jq -c '{exit,code}' "$work/said" 2>/dev/null) $(wc -c <"$work/said.json")"
}
object 2 usage office pubish --json
object 2 usage office publish --json
object 2 usage office publish x --flwo F --json
object 2 usage norway subscribe F --purpose sdg_reprting --json
object 65 gate.not_found office check "$work/absent.csv" --json
object 65 gate.not_found office flow new "$work/absent.terms" --json
object 65 gate.not_found office log verify "$work/requests" --json
object 65 gate.not_found office policy check "$work/absent.policy" --json
object 65 gate.not_found nobody flow list --json
object 65 gate.not_found office flow new "$work/F.terms" --second "$work/nobody" --json
finish
