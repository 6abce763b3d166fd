#!/bin/sh
# Content constraints: a real gate refuses what the constraint on its dataflow does
# not allow, whatever the message names; and the draft global SDG constraints, 665
# regions, over 178,563 real observations give the counts that awk finds.
#   constraints.sh STATGATE; SG_SHARED or ../shared has the data of the second.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: constraints.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

sdmx=http://www.sdmx.org/resources/sdmxml/schemas/v2_1
# constraint AGENCY ID CLASS NAME VERSION: around the regions on stdin.
constraint() {
    cat <<XML
<m:Structure xmlns:m="$sdmx/message" xmlns:s="$sdmx/structure" xmlns:c="$sdmx/common">
<m:Header><m:ID>K</m:ID><m:Test>true</m:Test><m:Prepared>2026-01-01T00:00:00Z</m:Prepared>
<m:Sender id="T"/></m:Header><m:Structures><s:Constraints>
<s:ContentConstraint agencyID="$1" id="$2" version="1.0" type="Allowed"><c:Name>$2</c:Name>
<s:ConstraintAttachment><s:$3><Ref agencyID="$1" id="$4" version="$5"/></s:$3></s:ConstraintAttachment>
XML
    cat
    echo '</s:ContentConstraint></s:Constraints></m:Structures></m:Structure>'
}

# A constraint is added to what is known, and never in vain.
echo '<s:CubeRegion><c:KeyValue id="REF_AREA"><c:Value>404</c:Value></c:KeyValue></s:CubeRegion>' |
    constraint STATGATE KENYA DataStructure SDG 1.0 >"$work/kenya.xml"
sed 's/>404</>800</' "$work/kenya.xml" >"$work/uganda.xml"
ends 65 'a constraint on what is not known is refused' \
    alone structure import "$work/kenya.xml"
said 'with the cure' 'import the data structure or dataflow'
ends 0 'the structure' alone structure import "$here/schemas/sdg/sdg.xml"
ends 0 'has it then' alone structure import "$work/kenya.xml"
said 'as one of its own' '1 constraints'
ends 65 'another content under its name is refused' \
    alone structure import "$work/uganda.xml"
said 'by name' 'STATGATE:KENYA(1.0) is there with another content'
ends 0 'the structure once more' alone structure import "$here/schemas/sdg/sdg.xml"
said 'still has it' '1 constraints'
ends 0 'Kenya is allowed' alone check "$here/schemas/sdg/data/kenya.csv"
ends 0 'another content may replace it' alone structure import --replace "$work/uganda.xml"
ends 65 'and is not' alone check "$here/schemas/sdg/data/kenya.csv"
sed '/<str:DataStructure /s/version="1.0"/version="1.1"/' "$here/schemas/sdg/sdg.xml" >"$work/sdg11.xml"
ends 0 'the next version of the structure' alone structure import "$work/sdg11.xml"
ends 65 'of which the figures are not' alone check "$here/schemas/sdg/data/kenya.csv"
said 'would take them' 'under STATGATE:SDG(1.1) all of it is accepted'
ends 65 'as JSON too' alone check --json "$here/schemas/sdg/data/kenya.csv"
said 'by name' '"accepted_under":\["STATGATE:SDG(1.1)"\]'
sed 's/-0\.1,/x,/' "$here/schemas/sdg/data/kenya.csv" >"$work/bad.csv"
ends 65 'a figure that is none' alone check --json "$work/bad.csv"
said 'is one in no version' '"accepted_under":\[\]'
ends 0 'the structure in its place' \
    alone structure import --replace "$here/schemas/sdg/sdg.xml"
said 'has none' '0 constraints'

gate_found
gate_people office norway
gate_open
# Kenya's figures of 2000 and later
echo '<s:CubeRegion><c:KeyValue id="REF_AREA"><c:Value>404</c:Value></c:KeyValue>
<c:KeyValue id="TIME_PERIOD"><c:TimeRange><c:StartPeriod>2000</c:StartPeriod></c:TimeRange></c:KeyValue></s:CubeRegion>' |
    constraint STATGATE LATE Dataflow DF_SDG 1.0 >"$work/late.xml"
for name in office norway; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" "$work/late.xml" ||
        die 'structure import'
done
gate_laws hub export-ke import-default
gate_flow office KE_SDG 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
figures=$here/schemas/sdg/data/kenya.csv
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "TIME_PERIOD") t = i; print; next }
    $t >= 2000' "$figures" >"$work/late.csv"
ends 0 'what the constraint allows is published' \
    office publish "$work/late.csv" --flow KE_SDG
awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "TIME_PERIOD") t = i }
    NR == 3 { $t = 1999 } 1' "$work/late.csv" >"$work/early.csv"
ends 65 'what it does not allow is found before' office check "$work/early.csv" --flow KE_SDG
said 'with what it allows' 'STATGATE:LATE(1.0) allows from 2000'
ends 65 'and refused by the gate' office publish "$work/early.csv" --flow KE_SDG
said 'for that reason' CONSTRAINT
said 'at that place' 1999
sed 's/STATGATE:DF_SDG(1.0)/STATGATE:DF_SDG(7.7)/' "$work/early.csv" >"$work/other.csv"
ends 65 'under another version of the name too' \
    office publish "$work/other.csv" --flow KE_SDG
said 'for the same reason' CONSTRAINT

data=${SG_SHARED:-$here/../shared}/data/sdmx
if [ ! -d "$data/constraints" ]; then
    echo "skipped: needs ../shared"
    finish
    exit 0
fi
# Its file has one line a series: ALL, or codes with ; between. No field is quoted
# but the name, which has no part in it.
global=$data/constraints/sdmx_global_content_constraints.csv
regions='NR > 1 { sub(/"[^"]*"/, ""); n = split($0, f, ","); print "<s:CubeRegion>"
    for (i = 1; i <= n; i++) if (i != 2 && (i == 1 || f[i] != "ALL")) {
        tag = name[i] ~ /^UNIT_/ ? "Attribute" : "KeyValue"
        gsub(/;/, "</c:Value><c:Value>", f[i])
        printf "<c:%s id=\"%s\"><c:Value>%s</c:Value></c:%s>\n", tag, name[i], f[i], tag }
    print "</s:CubeRegion>" }'
tr -d '\r' <"$global" | awk 'NR == 1 { split($0, name, ",") }'"$regions" |
    constraint IAEG-SDGs GLOBAL DataStructure SDG 1.4 >"$work/global.xml"
gunzip -c "$data/large/un_sdg_2020_quarter.csv10.csv.gz" >"$work/large.csv"
as global structure import "$data/structures/IAEG-SDGs_SDG_1.4.xml" \
    "$data/structures/sdg_flows_constraints_constructed.xml" "$work/global.xml" ||
    die 'structure import'
code=0
STATGATE_HOME=$work/global "$statgate" check "$work/large.csv" --json \
    >"$work/report" 2>/dev/null || code=$?
is 'the large file is not within the global constraints' 65 "$code"
found=$(jq -r '[.faults[] | select(.code == "CONSTRAINT")] | group_by(.component)[] |
    "\(.[0].component) \(map(.count) | add)"' "$work/report")
# Every series of the file has one region, so each other component of an
# observation is held against that.
expected=$({ tr -d '\r' <"$global" | sed 's/"[^"]*"//'; echo; cat "$work/large.csv"; } |
    awk -F, '!data && NF == 0 { data = 1; next }
    !data { for (i = 1; i <= NF; i++) if (FNR == 1) name[i] = $i
        else if (i != 2 && $i != "ALL") allowed[$1, name[i]] = ";" $i ";"; next }
    !head { for (i = 1; i <= NF; i++) at[$i] = i; head = 1; next }
    { for (i in name) { c = name[i]; s = $at["SERIES"]
        if (!(c in at) || c == "SERIES" || !((s, c) in allowed)) continue
        v = $at[c]; if (v != "" && !index(allowed[s, c], ";" v ";")) n[c]++ } }
    END { for (c in n) print c, n[c] }' | sort)
is 'what it finds is what awk finds' "$expected" "$found"
is 'in number' 'ACTIVITY 4996
UNIT_MEASURE 23118
UNIT_MULT 442' "$found"
finish
