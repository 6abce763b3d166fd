#!/bin/sh
# statgate convert: every value byte for byte after any round trip, what a format
# cannot carry is named, and nothing is written of what is not accepted.
#   convert.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: convert.sh STATGATE}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STATGATE_HOME="$work/home"
formats='csv10 csv20 csv21 ml21 ml30 json20 json21'
passed=0 total=0
# ends STATUS SENTENCE WORD...: statgate with these words; what it says is kept.
ends() {
    wanted=$1 sentence=$2
    shift 2
    total=$((total + 1)) found=0
    "$statgate" "$@" >"$work/said" 2>&1 || found=$?
    if [ "$found" = "$wanted" ]; then passed=$((passed + 1)); else
        echo "FAILED $sentence: expected $wanted, found $found: $(cat "$work/said")"
    fi
}
is() { # is SENTENCE COMMAND...
    sentence=$1
    shift
    total=$((total + 1))
    if "$@"; then passed=$((passed + 1)); else echo "FAILED $sentence"; fi
}

# ---- round trips ------------------------------------------------------------------------
for country in kenya kyrgyzstan_national; do
    file=$here/schemas/sdg/data/$country.csv
    ends 0 "$country in the form of the writer" convert "$file" --to csv10 -o "$work/first"
    for one in $formats; do
        ends 0 "$country to $one" convert "$work/first" --to "$one" -o "$work/$one"
        ends 0 "$country as $one is accepted" check "$work/$one"
        for two in $formats; do
            ends 0 "$country from $one to $two" convert "$work/$one" --to "$two" -o "$work/two"
            ends 0 "$country from $two back" convert "$work/two" --to csv10 -o "$work/back"
            is "$country, $one, $two: every byte" cmp -s "$work/first" "$work/back"
        done
    done
done

# ---- what cannot be carried -------------------------------------------------------------
sdmx=http://www.sdmx.org/resources/sdmxml/schemas/v3_0
cat >"$work/dsd.xml" <<END
<m:Structure xmlns:m="$sdmx/message" xmlns:s="$sdmx/structure" xmlns:c="$sdmx/common"><m:Structures><s:Dataflows><s:Dataflow agencyID="T" id="FLOW" version="1.0"><c:Name>f</c:Name><s:Structure>urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure=T:WORDS(1.0)</s:Structure></s:Dataflow></s:Dataflows><s:DataStructures><s:DataStructure agencyID="T" id="WORDS" version="1.0"><c:Name>w</c:Name><s:DataStructureComponents><s:DimensionList><s:Dimension id="AREA" position="1"/><s:TimeDimension id="TIME_PERIOD"><s:LocalRepresentation><s:TextFormat textType="ObservationalTimePeriod"/></s:LocalRepresentation></s:TimeDimension></s:DimensionList><s:AttributeList><s:Attribute id="NOTE" usage="optional"><s:LocalRepresentation maxOccurs="unbounded"><s:TextFormat isMultiLingual="true"/></s:LocalRepresentation><s:AttributeRelationship><s:Observation/></s:AttributeRelationship></s:Attribute></s:AttributeList><s:MeasureList><s:Measure id="OBS_VALUE"/></s:MeasureList></s:DataStructureComponents></s:DataStructure></s:DataStructures></m:Structures></m:Structure>
END
"$statgate" structure import "$work/dsd.xml" >/dev/null
printf 'STRUCTURE[;],STRUCTURE_ID,AREA,TIME_PERIOD,OBS_VALUE,"NOTE[][en;fr]"\ndatastructure,T:WORDS(1.0),KE,2020,1.50,"""en:one;fr:un"";""en:two"""\ndatastructure,T:WORDS(1.0),UG,2020,2,\n' >"$work/words.csv"
for one in csv21 ml30 json20 json21; do
    ends 0 "lists to $one" convert "$work/words.csv" --to "$one" -o "$work/words"
    ends 0 "and back from $one" convert "$work/words" --to csv21 -o "$work/back"
    is "$one: both texts" grep -q '"""en:one;fr:un"";""en:two"""' "$work/back"
done
for one in csv10 ml21; do
    rm -f "$work/words"
    ends 65 "lists to $one" convert "$work/words.csv" --to "$one" -o "$work/words"
    is "$one: named" grep -q 'observation 1: NOTE: ' "$work/said"
    is "$one: with the cure" grep -q -- --lossy "$work/said"
    is "$one: nothing is written" test ! -e "$work/words" -a ! -e "$work/words.part"
    ends 0 "lossy to $one" convert "$work/words.csv" --to "$one" -o "$work/words" --lossy --json
    is "$one: counted" grep -q '"left_out":\[{"component":"NOTE","count":1}\]' "$work/said"
    ends 0 "and accepted as $one" check "$work/words"
done

# ---- mistakes ---------------------------------------------------------------------------
cp "$work/words.csv" "$work/kept"
sed 's/,2020,2/,20x0,2/' "$work/words.csv" >"$work/bad.csv"
ends 65 'what is not accepted' convert "$work/bad.csv" --to ml30 -o "$work/kept"
is 'is told' grep -q 'statgate check' "$work/said"
is 'and the file that was there stays' cmp -s "$work/words.csv" "$work/kept"
ends 2 'a format that is not written' convert "$work/words.csv" --to ml20 -o "$work/kept"
ends 2 'no place to write to' convert "$work/words.csv" --to ml30
ends 65 'a folder that is not there' convert "$work/words.csv" --to ml30 -o "$work/none/x"
ends 0 'a dry run' convert "$work/words.csv" --to ml30 -o "$work/dry" --dry-run
is 'writes nothing' test ! -e "$work/dry" -a ! -e "$work/dry.part"
ends 0 'from standard input' convert - --to csv10 -o "$work/piped" <"$work/first"
is 'the same' cmp -s "$work/first" "$work/piped"

echo "$passed of $total"
[ "$passed" = "$total" ]
