#!/bin/sh
# What people mistype, forget or may not do: each is told with the place, the
# fault and the cure, and with the exit status that the manual promises.
#   mistakes.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: mistakes.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
gate_people office norway
gate_open
gate_structure office norway
gate_sdg_flow office F row
kenya=$here/schemas/sdg/data/kenya.csv
: >"$work/empty.csv"

# A gate that is down: asked in the background, since it is waited for.
cp -R "$work/office" "$work/lost"
sed -i 's/^\(control\|data\) .*/\1 tcp:\/\/127.0.0.1:1/' "$work/lost/home.conf"
STATGATE_HOME=$work/lost "$statgate" flow list >"$work/down.list" 2>&1 &
down_list=$!
STATGATE_HOME=$work/lost "$statgate" publish "$kenya" --flow F >"$work/down.publish" 2>&1 &
down_publish=$!

# told STATUS WORDS HOME VERB...: ends with it and says the words.
told() {
    told_with=$1 told_words=$2 told_found=0
    shift 2
    as "$@" || told_found=$?
    sentence=$(echo "$*" | sed "s#$work/##g; s#$here/##g")
    if [ "$told_found" = "$told_with" ] && grep -q -e "$told_words" "$work/said"; then
        echo "ok   $sentence: $told_with, $told_words"
    else
        echo "FAIL $sentence: $told_found, not $told_with with \"$told_words\""
        sed 's/^/     /' "$work/said"
        status=1
    fi
}
# The command itself.
told 2 'there is no verb "pubish"; did you mean "publish"' office pubish
told 2 'there is no option --flwo; did you mean --flow' office publish "$kenya" --flwo F
told 2 '--flow needs a value' office publish "$kenya" --flow
told 2 'usage: statgate publish' office publish --flow F
told 2 '"publish" needs FILE|- --flow FLOW' office publish "$kenya"
told 2 'there is no "flow lsit"' office flow lsit
told 2 'did you mean "list"? it is one of: new, list, show, close' office flow lsit
told 2 '"flow show" needs FLOW (' office flow show
told 2 '"log show" needs DIR... | FILE (' office log show
told 2 'policy needs one more word' office policy
told 2 '"policy explain" needs FILE|DIR... --given' office policy explain "$here/policy/examples"
told 2 '"sentence":"\\"subscribe\\" needs FLOW' office subscribe --json
told 2 'yesterday is no date' office policy check "$here/policy/examples" --day yesterday
told 2 '12 is no hash' office log verify "$work/HUB/store/evidence" --genesis 12
told 2 'no pseudonym of a person' office consent give A 12
told 0 'usage: statgate publish' office publish --help
told 2 'no time; write it as in 2027' office publish "$kenya" --flow F --embargo tomorrow
told 2 'major_revision correction' office publish "$kenya" --flow F --kind corection
told 2 'sdg_reporting' norway subscribe F --purpose sdg_reprting
told 2 'delete_after_days(30)' norway subscribe F --purpose sdg_reporting --promise nothing
told 2 'it is one of' new join --gate "$work/HUB/gate.public" --id X --jurisdiction KE \
    --class office --person p --key-role publisher
told 2 'a country as in KE, or INTL; perhaps KE' new join --gate "$work/HUB/gate.public" \
    --id X --jurisdiction Kenya --class nso --person p --key-role publisher
told 2 'publisher subscriber' new join --gate "$work/HUB/gate.public" --id X \
    --jurisdiction KE --class nso --person p --key-role editor
# What would be signed, or written into a home, and found out much later.
told 2 'foo is no address of a gate' new init "$work/gate2" --gate X --control foo
told 2 'tcp://gate.example:7171' office join --data tcp://gate.example
told 2 'treaty' HUB roster instrument "$work/roster" --kind pact --from KE --to NO -o "$work/next"
told 2 '--from KE_OFICE is not known' HUB roster instrument "$work/roster" --kind treaty \
    --from KE_OFICE --to NO -o "$work/next"
told 2 'no time at all' HUB roster instrument "$work/roster" --kind treaty \
    --from KE_OFFICE --to NO --days 0 -o "$work/next"
ends 0 'what fits is written' HUB roster instrument "$work/roster" --kind treaty --from KE_OFFICE --to NO \
    -o "$work/next"
told 65 'not the public half' HUB roster new --gate "$work/HUB/gate.public" \
    --root "$work/one.key" --root "$work/two.key" -o "$work/next"
told 2 'is not the id of a key' desk revoke 1234 --root "$work/one.key" --gate HUB
told 65 'is not a roster' HUB init "$work/HUB" --roster "$here/README.md"
told 65 'is not a roster' office join --roster "$here/README.md"
# Files that are not there, or are something else.
told 65 'there is no .*absent.csv' office check "$work/absent.csv"
told 65 'absent.csv' office publish "$work/absent.csv" --flow F
told 1 'Is a directory' office check "$work"
told 1 'Is a directory' office publish "$work" --flow F
told 65 'the file is empty' office publish "$work/empty.csv" --flow F
told 65 'no SDMX data message' office publish "$here/README.md" --flow F
head -n 1 "$kenya" >"$work/none.csv"
told 0 'warning: NO_OBSERVATIONS' office check "$work/none.csv"
told 65 'NO_OBSERVATIONS: the message holds no observation' office check "$work/none.csv" --flow F
told 65 'none.csv: NO_OBSERVATIONS: the message holds no observation' \
    office publish "$work/none.csv" --flow F
said 'with the code of the refusal' publisher.data
sed 's/,PT,/,PERCENT,/' "$kenya" >"$work/percent.csv"
told 65 'percent.csv:8: CODE UNIT_MEASURE "PERCENT": .* - 87 times in all' \
    office publish "$work/percent.csv" --flow F
said 'with the cure of each' 'perhaps "PT"'
as office publish "$work/percent.csv" --flow F --json || true
said 'programs get the code alone' '"code":"publisher.data"'
as office publish "$work/none.csv" --flow F || true
why=$(sed -n 's/.*statgate why \([0-9a-f]*\).*/\1/p' "$work/said")
told 0 'NO_OBSERVATIONS' office why "$why"
gzip -c "$kenya" >"$work/kenya.csv.gz"
iconv -t UTF-16 "$kenya" >"$work/wide.csv"
printf 'PK\003\004workbook' >"$work/kenya.xlsx"
for verb in check 'publish --flow F'; do
    # shellcheck disable=SC2086
    told 65 'packed by gzip: unpack it' office $verb "$work/kenya.csv.gz"
    # shellcheck disable=SC2086
    told 65 'UTF-16: save it again as UTF-8' office $verb "$work/wide.csv"
    # shellcheck disable=SC2086
    told 65 'Excel workbook or a zip' office $verb "$work/kenya.xlsx"
    # shellcheck disable=SC2086
    told 65 'statgate structure import reads it' office $verb "$here/schemas/sdg/sdg.xml"
done
told 65 '"hint":"the file is packed by gzip' office check --json "$work/kenya.csv.gz"
told 65 'the structure A:B(1.0) is not known here' office check --structure 'A:B(1.0)' "$kenya"
told 65 'is not a roster' HUB roster show "$here/README.md"
told 77 'is not a root key file' HUB roster sign "$work/roster" --key "$here/README.md"
told 65 'is not a request to join' HUB admit "$here/README.md" --roster "$work/roster" \
    --gate-home "$work/HUB" -o "$work/next"
told 65 'there is no evidence log' office log verify "$work"
told 65 'README.md.sgv' office verify "$here/README.md"
told 65 'it is not a receipt' office verify --receipt "$here/README.md"
echo "nonsense words" >"$work/nonsense.terms"
told 65 'there is no setting "nonsense"' office flow new "$work/nonsense.terms"
{ grep -v '^purposes' "$work/F.terms" && printf 'purposes' && seq -s ' ' 65 | sed 's/^/ /'; } \
    >"$work/many.terms"
told 65 'purposes: at most 64 words' office flow new "$work/many.terms"
{ grep -v '^require_label' "$work/F.terms" && echo 'require_label ja'; } >"$work/loose.terms"
told 65 'require_label: ja' office flow new "$work/loose.terms"
agreed='id A\nrevision 1\npurpose sdg_reporting\nrecipients nso\nlawful_basis consent\n'
# shellcheck disable=SC2059
printf "${agreed}community Yes\n" >"$work/community.agreement"
told 2 'community: Yes' office consent agreement "$work/community.agreement"
# shellcheck disable=SC2059
printf "${agreed}prev 12\n" >"$work/prev.agreement"
told 2 'prev is not 64 hexadecimal digits: 12' office consent agreement "$work/prev.agreement"
told 65 'statgate: A:B is not known here; import it' office structure show A:B
# Policies, and requests of them.
laws=$here/policy/examples
told 65 'there is no file NAME.policy in' office policy check "$work/requests"
told 65 'there is no .*absent.policy' office policy check "$work/absent.policy"
{ printf '\357\273\277' && cat "$laws/hub.policy"; } >"$work/mark.policy"
told 65 'mark.policy:1:1: .*byte order mark' office policy check "$work/mark.policy"
echo '{"provider_in": "KE", "purpos": "audit"}' >"$work/request.json"
told 65 'unknown attribute "purpos"; did you mean "purpose"' office policy explain "$laws" \
    --request "$work/request.json"
told 65 'unable to open' office policy explain "$laws" --request "$work/absent.json"
# Homes.
told 65 'name the home with --home .*make a home with: statgate join' nobody flow list
cp -R "$work/norway" "$work/broken"
echo garbage >>"$work/broken/home.conf"
told 65 'home.conf, line [0-9]*: there is no setting "garbage"' broken flow list
cp -R "$work/norway" "$work/open"
chmod 644 "$work/open/keys/sign.key"
told 77 'owner alone may read; chmod 600' open flow list
# Which home: flag, environment, context, ~/.statgate.
plain() { # plain VERB...: nothing says which home
    env -u STATGATE_HOME HOME="$work/user" XDG_CONFIG_HOME="$work/config" \
        "$statgate" "$@" >"$work/said" 2>&1 </dev/null
}
mkdir "$work/user"
found=0
plain flow list || found=$?
is 'without a context the home is ~/.statgate' 65 "$found"
said 'which is said' 'user/.statgate/home.conf'
plain context add nairobi --home "$work/office" || die 'context add'
plain context add oslo --home "$work/norway" \
    --gate "$control,$data" || die 'context add'
plain context ls || die 'context ls'
said 'the first context is used' '^\* nairobi .*/office'
plain context use oslo || die 'context use'
plain context ls --json || die 'context ls'
said 'until another one is' '"name":"oslo","used":true'
plain flow list || die 'flow list'
said 'verbs work in it' '^F@0'
found=0
plain flow list --home "$work/user" || found=$?
is 'a flag comes before it' 65 "$found"
found=0
STATGATE_GATE=tcp://127.0.0.1:1,nonsense plain flow list || found=$?
is 'so does an address in the environment' 65 "$found"
said 'and is told when it is none' 'an address of the gate is none'
found=0
plain context use rome || found=$?
is 'a context that is none is refused' 65 "$found"
# Rights and the gate's answers.
told 77 'peer.rights' norway publish "$kenya" --flow F
told 77 'publisher is needed, it has subscriber' norway publish "$kenya" --flow F
told 77 'operator or auditor is needed, it has subscriber' norway status
told 77 'use a key that is operator or auditor' norway status
told 77 'subscriber.purpose' norway subscribe F --purpose commercial
# What is asked for, against the structure of the flow.
told 65 'FREQ "Z9" (subscriber.key_code)' norway subscribe F --purpose sdg_reporting --key Z9
told 65 'perhaps "A"' norway subscribe F --purpose sdg_reporting --key a
told 65 'subscriber.key)' norway subscribe F --purpose sdg_reporting \
    --key A...............
told 65 'subscriber.period)' norway subscribe F --purpose sdg_reporting --period 2020
told 65 'period "2021/2020"' norway subscribe F --purpose sdg_reporting \
    --period 2021/2020 --dry-run
# The gate looks itself: norway has not got this structure yet.
as office structure import "$here/schemas/sdg/national_example.xml" || die 'structure import'
gate_flow office N 'EXAMPLE_KG:SDG(1.0)' 'EXAMPLE_KG:DF_SDG(1.0)' row
told 65 'FREQ "XYZ" (subscriber.key_code)' norway subscribe N --purpose sdg_reporting \
    --key XYZ
rm -rf "$work/norway/structures"
told 65 'period "2021/2020" (subscriber.period_order)' norway subscribe N \
    --purpose sdg_reporting --period 2021/2020
rm -rf "$work/norway/structures"
told 0 'subscribed as N' norway subscribe N --purpose sdg_reporting --key A+M \
    --period 2015/2020
told 65 'publisher.flow' office publish "$kenya" --flow NONE
told 65 'publisher.flow' norway subscribe NONE --purpose sdg_reporting
told 65 '"code":"publisher.flow"' office publish "$kenya" --flow NONE --json

found=0
wait $down_list || found=$?
cp "$work/down.list" "$work/said"
is 'a gate that is down is told' 69 "$found"
said 'with what to look at' 'does not answer.*gate.unreachable'
found=0
wait $down_publish || found=$?
cp "$work/down.publish" "$work/said"
is 'before a publisher waits for half an hour' 69 "$found"
finish
