#!/bin/sh
# Every data message of the SDMX-JSON samples: the verdict of INDEX.csv, which
# says what readers in the field take, or the fault that the sample has. Most
# samples follow a data structure that is nowhere to be had: there one is made
# of what the message tells of itself, so that what is tested is the reading.
# usage: json.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SG_SHARED:-$here/../shared}
data=$shared/data/sdmx
statgate=${1:?usage: json.sh STATGATE}
if [ ! -d "$data/json20" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
STATGATE_HOME=$(mktemp -d)
export STATGATE_HOME
trap 'rm -rf "$STATGATE_HOME"' EXIT
. "$here/tests/conformance/expect"

# The message's own structure as SDMX-ML 2.1: whose ids are codes is coded.
cat >"$STATGATE_HOME/told.jq" <<'END'
def told: (.data.structures[0]? // .data.structure? // .structure);
def all(a): [a // {} | to_entries[].value[]];
def coded: (.values // []) | map(select(. != null and .id != null)) | length > 0;
def kind(format): if coded
    then "<s:Enumeration><Ref agencyID=\"X\" id=\"CL_\(.id)\" version=\"1.0\"/></s:Enumeration>"
    else "<s:TextFormat textType=\"\(format)\"/>" end
    | "<s:LocalRepresentation>\(.)</s:LocalRepresentation>";
def relation: if (.relationship.dimensions? // [] | length) > 0
    then .relationship.dimensions | map("<s:Dimension><Ref id=\"\(.)\"/></s:Dimension>") | join("")
    elif .relationship.dataflow? != null then "<s:None/>"
    else "<s:PrimaryMeasure><Ref id=\"OBS_VALUE\"/></s:PrimaryMeasure>" end
    | "<s:AttributeRelationship>\(.)</s:AttributeRelationship>";
told as $t | all($t.dimensions) as $dims | all($t.attributes) as $attrs |
($dims | map(select(.id != "TIME_PERIOD"))) as $plain |
"<m:Structure xmlns:m=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message\" xmlns:s=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure\" xmlns:c=\"http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common\"><m:Structures><s:Dataflows>",
"<s:Dataflow agencyID=\"\($agency)\" id=\"\($flow)\" version=\"1.0\"><c:Name>f</c:Name><s:Structure><Ref agencyID=\"\($agency)\" id=\"\($dsd)\" version=\"1.0\"/></s:Structure></s:Dataflow></s:Dataflows><s:Codelists>",
($plain + $attrs | unique_by(.id)[] | select(coded) |
 "<s:Codelist agencyID=\"X\" id=\"CL_\(.id)\" version=\"1.0\"><c:Name>l</c:Name>",
 (.values | map(.id? // empty) | unique[] | "<s:Code id=\"\(.)\"><c:Name>c</c:Name></s:Code>"),
 "</s:Codelist>"),
"</s:Codelists><s:DataStructures><s:DataStructure agencyID=\"\($agency)\" id=\"\($dsd)\" version=\"1.0\"><c:Name>d</c:Name><s:DataStructureComponents><s:DimensionList>",
($plain | sort_by(.keyPosition) | to_entries[] | .key as $at | .value |
 "<s:Dimension id=\"\(.id)\" position=\"\($at + 1)\">\(kind("String"))</s:Dimension>"),
($dims[] | select(.id == "TIME_PERIOD") |
 "<s:TimeDimension id=\"TIME_PERIOD\"><s:LocalRepresentation><s:TextFormat textType=\"ObservationalTimePeriod\"/></s:LocalRepresentation></s:TimeDimension>"),
"</s:DimensionList>",
(if ($attrs | length) == 0 then empty else
 "<s:AttributeList>",
 ($attrs | unique_by(.id)[] |
  "<s:Attribute id=\"\(.id)\" assignmentStatus=\"Conditional\">\(kind("String"))\(relation)</s:Attribute>"),
 "</s:AttributeList>" end),
"<s:MeasureList><s:PrimaryMeasure id=\"OBS_VALUE\"><s:LocalRepresentation><s:TextFormat textType=\"Double\"/></s:LocalRepresentation></s:PrimaryMeasure></s:MeasureList></s:DataStructureComponents></s:DataStructure></s:DataStructures></m:Structures></m:Structure>"
END

# told FOLDER NAME AGENCY FLOW DSD WANTED [WORD...]: by its own structure.
told() {
    jq -r --arg agency "$3" --arg flow "$4" --arg dsd "$5" \
        -f "$STATGATE_HOME/told.jq" "$data/$1/$2.json" >"$STATGATE_HOME/told.xml"
    rm -rf "$STATGATE_HOME/structures"
    "$statgate" structure import "$STATGATE_HOME/told.xml" >/dev/null
    folder=$1 name=$2 expected=$6
    shift 6
    expect "$folder/$name.json" "$expected" "$@"
}

told json10 ECB_EXR__ts ECB EXR D 'accept;4'
told json10 ECB_EXR__xs ECB EXR D 'accept;4'
told json10 ECB_EXR__action-delete ECB EXR D 'accept;3'
told json10 sdmxsource_Json_ts_empty T F D 'accept;2' --structure 'T:F(1.0)'
told json20 v3__json__data__exr-flat ECB EXR D 'accept;4'
told json20 twg_data-message__samples__exr__exr-time-series ECB EXR D 'accept;4'
# Sixteen dimensions in the keys, eight in the structure.
told json10 pysdmx_samples__one_line_jsondata T F D 'reject;8;JSON key' \
    --structure 'T:F(1.0)'
# An index of the second of one value.
told json20 v3__json__data__exr-action-delete ECB EXR D 'reject;3;JSON OBS_STATUS'
told json20 twg_data-message__samples__exr__exr-action-delete ECB EXR D \
    'reject;3;JSON OBS_STATUS'
# SOURCE has several values, which no structure of SDMX-ML 2.1 can allow.
told json20 twg_data-message__samples__agri MA_545 MILLED_RICE AGRI_DSD \
    'reject;12;OCCURS SOURCE'
# The same of DESCRIPTION; and its last data set has no measures where the
# structure has one.
told json20 v3__json__data__constructed-sample-full ECB EXR ECB_EXR1 \
    'reject;20;OCCURS DESCRIPTION;TYPE OBS_VALUE;TYPE OBS_VALUE'
# Made by chance: no link that names a structure, no ids that are ids.
for sample in v3__json__data__generated-sample \
    twg_data-message__samples__generated-sample; do
    rm -rf "$STATGATE_HOME/structures"
    expect "json20/$sample.json" \
        'reject;4;STRUCTURE_UNKNOWN structure'
done

# The one structure of a sample that is to be had. These samples lack mandatory
# attributes on purpose (sdmx-json issue 28); one merges, and need not have them.
rm -rf "$STATGATE_HOME/structures"
"$statgate" structure import "$data/ml21/ECB_EXR__1__structure-full.xml" >/dev/null
lacks='ATTR_MANDATORY DECIMALS;ATTR_MANDATORY TITLE_COMPL;ATTR_MANDATORY UNIT;ATTR_MANDATORY UNIT_MULT'
expect json10/ECB_EXR__ts.json \
    "reject;4;ATTR_MANDATORY TIME_FORMAT;ATTR_MANDATORY COLLECTION;$lacks"
expect json20/v3__json__data__exr-flat.json \
    "reject;4;ATTR_MANDATORY COLLECTION;$lacks"
expect "json20/twg_data-message__samples__exr__exr-time-series.json" 'accept;4'

# From standard input too, whose data cannot be read again from their place.
total=$((total + 1))
told=$("$statgate" check - --json --structure 'ECB:EXR(1.0)' \
    <"$data/json10/pysdmx_samples__one_line_jsondata.json" |
    jq -r '[.verdict, (.observations | tostring)] | join(";")')
if [ "$told" = 'reject;8' ]; then
    passed=$((passed + 1))
else
    echo "FAILED standard input: $told"
fi

# What is no data message is not taken for one.
for file in "$data"/json10/*.json "$data"/json20/*.json "$data"/invalid/*.json; do
    if jq -e 'type == "object" and (has("dataSets") or (.data | type == "object"
        and has("dataSets")))' "$file" >/dev/null; then
        continue
    fi
    total=$((total + 1))
    code=0
    "$statgate" check "$file" >"$STATGATE_HOME/out" 2>&1 || code=$?
    if [ "$code" = 65 ] && grep -qE 'HEADER|UNKNOWN|gate.unsupported' "$STATGATE_HOME/out"; then
        passed=$((passed + 1))
    else
        echo "FAILED $(basename "$file"): exit $code, $(head -n 1 "$STATGATE_HOME/out")"
    fi
done
echo "$passed of $total"
[ "$passed" = "$total" ]
