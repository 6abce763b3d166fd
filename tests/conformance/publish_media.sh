#!/bin/sh
# SDMX-JSON, SDMX-ML 3.0 and generic data through a real gate: figures are
# published, and arrive as they were sent, as SDMX-ML 2.1 and 3.0 and as SDMX-JSON,
# under one signature.
#   publish_media.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: publish_media.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

# The figures of Kenya: rows of CSV to observations by indexes.
cat >"$work/to_json.jq" <<'END'
[inputs | split(",")] as $rows | $head | split(",") as $names |
($names | index("OBS_VALUE")) as $measure |
[range(1; $measure)] as $dims | [range($measure + 1; $names | length)] as $attrs |
def values($i): [$rows[][$i]] | unique;
def component($i): {id: $names[$i], values: (values($i) | map({id: .}))};
def of($row): . as $i | values($i) | index($row[$i]);
{"$schema": "https://json.sdmx.org/2.1/sdmx-json-data-schema.json",
 meta: {id: "KE", prepared: "2026-01-01", sender: {id: "KE_OFFICE"}},
 data: {
  dataSets: [{structure: 0, action: "Replace", observations: ([$rows[] | . as $row |
    {key: ($dims | map(of($row) | tostring) | join(":")),
     value: ([$row[$measure] | tonumber] + ($attrs | map(of($row))))}] | from_entries)}],
  structures: [{name: "f", links: [{rel: "dataflow", urn:
     "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=STATGATE:DF_SDG(1.0)"}],
   dimensions: {observation: ($dims | map(component(.) + {keyPosition: (. - 1)}))},
   measures: {observation: [{id: "OBS_VALUE"}]},
   attributes: {observation: ($attrs | map(component(.)))}}]}}
END
figures=$here/schemas/sdg/data/kenya.csv
head=$(head -n 1 "$figures")
tail -n +2 "$figures" | jq -nR --arg head "$head" -f "$work/to_json.jq" >"$work/kenya.json"

# message ROOT VERSION ROW FIRST: SDMX-ML of the same rows; ROW is of awk, with
# name[] and the fields.
message() {
    sdmx=http://www.sdmx.org/resources/sdmxml/schemas/$2
    if [ "$2" = v3_0 ]; then
        flow='urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=STATGATE:DF_SDG(1.0)'
    else
        flow='<Ref agencyID="STATGATE" id="DF_SDG" version="1.0"/>'
    fi
    cat <<XML
<m:$1 xmlns:m="$sdmx/message" xmlns:d="$sdmx/data/structurespecific" xmlns:g="$sdmx/data/generic" xmlns:c="$sdmx/common"><m:Header><m:ID>X</m:ID><m:Test>false</m:Test>
<m:Prepared>2026-01-01T00:00:00Z</m:Prepared><m:Sender id="KE"/><m:Structure structureID="S1" dimensionAtObservation="AllDimensions"><c:StructureUsage>$flow</c:StructureUsage></m:Structure></m:Header>
<m:DataSet $4="S1">
XML
    awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) name[i] = $i; next } '"$3" "$figures"
    echo "</m:DataSet></m:$1>"
}
message StructureSpecificData v3_0 '{
    line = "<Obs"
    for (i = 2; i <= NF; i++) if ($i != "" && name[i] != "COMMENT_OBS")
        line = line " " name[i] "=\"" $i "\""
    print line "/>" }' d:structureRef >"$work/kenya30.xml"
message GenericData v2_1 '{
    key = ""; more = ""
    for (i = 2; i <= NF; i++) {
        value = "<g:Value id=\"" name[i] "\" value=\"" $i "\"/>"
        if (name[i] == "OBS_VALUE") { measure = "<g:ObsValue value=\"" $i "\"/>"; behind = NR }
        else if (behind == NR) { if ($i != "") more = more value }
        else key = key value
    }
    print "<g:Obs><g:ObsKey>" key "</g:ObsKey>" measure "<g:Attributes>" more "</g:Attributes></g:Obs>"
}' structureRef >"$work/kenyag.xml"

gate_found
member office KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
member sweden SE_OFFICE SE nso data_consumer subscriber \
    official_statistics,sdg_reporting
member finland FI_OFFICE FI nso data_consumer subscriber \
    official_statistics,sdg_reporting
member ghana GH_OFFICE GH nso data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open
for name in office norway sweden finland ghana; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
done
for law in hub export-ke import-default; do
    cp "$here/policy/examples/$law.policy" "$work/"
done
gate_law "$work"/*.policy
gate_flow office KE_SDG 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
gate_subscribe norway KE_SDG
gate_subscribe sweden KE_SDG --format ml21
gate_subscribe finland KE_SDG --format ml30
gate_subscribe ghana KE_SDG --format json21

revision=0
# travels WORD FILE SUFFIX: to one as published, to another as SDMX-ML 2.1.
travels() {
    revision=$((revision + 1))
    ends 0 "figures as $1 are what their structure says" office check "$work/$2"
    ends 0 'they are published' office publish "$work/$2" --flow KE_SDG
    ends 0 'one receives them as published' \
        norway receive KE_SDG --once --wait 60 --out "$work/norway.got"
    got=KE_SDG@$revision
    is 'to the byte' yes "$(cmp -s "$work/$2" "$work/norway.got/$got.$3" && echo yes || echo no)"
    ends 0 'and verifies them' norway verify "$work/norway.got/$got.$3"
    said 'all of them' '197 observations'
    ends 0 'another receives them as SDMX-ML 2.1' \
        sweden receive KE_SDG --once --wait 60 --out "$work/sweden.got"
    ends 0 'under the same signature' sweden verify "$work/sweden.got/$got.xml"
    said 'of the office' 'signed by KE_OFFICE'
    ends 0 'a third as SDMX-ML 3.0' \
        finland receive KE_SDG --once --wait 60 --out "$work/finland.got"
    ends 0 'under it too' finland verify "$work/finland.got/$got.xml"
    said 'all of them as well' '197 observations'
    ends 0 'and a fourth as SDMX-JSON 2.1' \
        ghana receive KE_SDG --once --wait 60 --out "$work/ghana.got"
    ends 0 'which verifies' ghana verify "$work/ghana.got/$got.json"
    said 'with all of them' '197 observations'
    ends 0 'and is what the structure says' ghana check "$work/ghana.got/$got.json"
}
travels SDMX-JSON kenya.json json
travels 'SDMX-ML 3.0' kenya30.xml xml
travels 'generic SDMX-ML 2.1' kenyag.xml xml
cells() { grep -E '^<(Obs|Series)' "$1" | cksum; }
is 'it says that it is' 1 "$(grep -c schemas/v3_0/message "$work/finland.got/KE_SDG@1.xml")"
for i in 2 3; do
    is "release $i is what release 1 is" "$(cells "$work/sweden.got/KE_SDG@1.xml")" \
        "$(cells "$work/sweden.got/KE_SDG@$i.xml")"
done
for i in 1 3; do # the second was sent so
    is "release $i is that in SDMX-ML 3.0 too" "$(cells "$work/sweden.got/KE_SDG@1.xml")" \
        "$(cells "$work/finland.got/KE_SDG@$i.xml")"
done

sed 's/-0\.1,/-0.2,/' "$work/kenya.json" >"$work/norway.got/KE_SDG@1.json"
if cmp -s "$work/kenya.json" "$work/norway.got/KE_SDG@1.json"; then die 'nothing was changed'; fi
ends 65 'one figure changed is found' norway verify "$work/norway.got/KE_SDG@1.json"

sed 's/"structures"/"structure"/' "$work/kenya.json" >"$work/bad.json"
ends 65 'what is no SDMX-JSON is refused' office publish "$work/bad.json" --flow KE_SDG
finish
