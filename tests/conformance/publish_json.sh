#!/bin/sh
# SDMX-JSON through a real gate: figures whose structure stands behind them are
# published, and arrive as they were sent and as SDMX-ML, under one signature.
#   publish_json.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: publish_json.sh STATGATE}
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

gate_found
member office KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
member sweden SE_OFFICE SE nso data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open
for name in office norway sweden; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
done
for law in hub export-ke import-default; do
    cp "$here/policy/examples/$law.policy" "$work/"
done
gate_law "$work"/*.policy
gate_flow office KE_SDG 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
gate_subscribe norway KE_SDG
gate_subscribe sweden KE_SDG --format ml21

ends 0 'the figures are what their structure says' office check "$work/kenya.json"
ends 0 'they are published' office publish "$work/kenya.json" --flow KE_SDG
ends 0 'one receives them as published' \
    norway receive KE_SDG --once --wait 60 --out "$work/norway.got"
is 'to the byte' yes "$(cmp -s "$work/kenya.json" "$work/norway.got/KE_SDG@1.json" && echo yes || echo no)"
ends 0 'and verifies them' norway verify "$work/norway.got/KE_SDG@1.json"
said 'all of them' '197 observations'
ends 0 'another receives them as SDMX-ML' \
    sweden receive KE_SDG --once --wait 60 --out "$work/sweden.got"
ends 0 'under the same signature' sweden verify "$work/sweden.got/KE_SDG@1.xml"
said 'of the office' 'signed by KE_OFFICE'

sed 's/-0\.1,/-0.2,/' "$work/kenya.json" >"$work/norway.got/KE_SDG@1.json"
if cmp -s "$work/kenya.json" "$work/norway.got/KE_SDG@1.json"; then die 'nothing was changed'; fi
ends 65 'one figure changed is found' norway verify "$work/norway.got/KE_SDG@1.json"

sed 's/"structures"/"structure"/' "$work/kenya.json" >"$work/bad.json"
ends 65 'what is no SDMX-JSON is refused' office publish "$work/bad.json" --flow KE_SDG
finish
