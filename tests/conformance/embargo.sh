#!/bin/sh
# Nothing leaves before its time: the EmbargoDate of a message, and CONF_STATUS E
# with EMBARGO_TIME, at a real gate whose law opens what is free (F) and released.
#   embargo.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: embargo.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
member office KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting
gate_open

# ---- a structure with flags, and a law that looks at them -------------------------------
coded() { # coded ELEMENT ID MORE LIST: opens it
    echo "<s:$1 id=\"$2\" $3><s:LocalRepresentation><s:Enumeration><Ref agencyID=\"T\" id=\"$4\" version=\"1.0\"/></s:Enumeration></s:LocalRepresentation>"
}
of_observation='<s:AttributeRelationship><s:PrimaryMeasure><Ref id="OBS_VALUE"/></s:PrimaryMeasure></s:AttributeRelationship></s:Attribute>'
list() { # list ID CODE...
    echo "<s:Codelist agencyID=\"T\" id=\"$1\" version=\"1.0\"><c:Name>$1</c:Name>"
    shift
    for code in "$@"; do echo "<s:Code id=\"$code\"><c:Name>$code</c:Name></s:Code>"; done
    echo '</s:Codelist>'
}
sdmx=http://www.sdmx.org/resources/sdmxml/schemas/v2_1
{
    echo "<m:Structure xmlns:m=\"$sdmx/message\" xmlns:s=\"$sdmx/structure\" xmlns:c=\"$sdmx/common\"><m:Structures><s:Codelists>"
    list CL_FREQ A
    list CL_AREA 404
    list CL_CONF_STATUS F N E
    echo '</s:Codelists><s:DataStructures><s:DataStructure agencyID="T" id="FLAGS" version="1.0"><c:Name>f</c:Name><s:DataStructureComponents><s:DimensionList>'
    coded Dimension FREQ 'position="1"' CL_FREQ
    echo '</s:Dimension>'
    coded Dimension REF_AREA 'position="2"' CL_AREA
    echo '</s:Dimension><s:TimeDimension id="TIME_PERIOD"><s:LocalRepresentation><s:TextFormat textType="ObservationalTimePeriod"/></s:LocalRepresentation></s:TimeDimension></s:DimensionList><s:AttributeList>'
    coded Attribute CONF_STATUS 'assignmentStatus="Conditional"' CL_CONF_STATUS
    echo "$of_observation<s:Attribute id=\"EMBARGO_TIME\" assignmentStatus=\"Conditional\">$of_observation"
    echo '</s:AttributeList><s:MeasureList><s:PrimaryMeasure id="OBS_VALUE"><s:LocalRepresentation><s:TextFormat textType="Double"/></s:LocalRepresentation></s:PrimaryMeasure></s:MeasureList></s:DataStructureComponents></s:DataStructure></s:DataStructures></m:Structures></m:Structure>'
} >"$work/flags.xml"
for name in office norway; do
    as "$name" structure import "$work/flags.xml" || die 'structure import'
done
for layer in 'export for KE' hub; do
    cat >"$work/${layer%% *}.policy" <<END
policy "$layer" version 1 layer $layer vocabulary statgate 1 in force from 2020-01-01
rule "what is free and released" permit when destination is any and availability is released
   and conf_status is F and identifiability is any and consent is any
   and community_consent is any and classification is any because "free"
rule "flags are no matter" permit when destination is any and availability is released
   and conf_status is any and identifiability is any and consent is any
   and community_consent is any and classification is limited because "partners"
END
done
cp "$here/policy/examples/import-default.policy" "$work/"
gate_law "$work"/*.policy

classified=public
flow() { # flow NAME: with a subscription
    gate_flow office "$1" 'T:FLAGS(1.0)' 'T:FLAGS(1.0)' row
    if [ $classified = limited ]; then
        sed 's/^classification public/classification limited/' "$work/$1.terms" >"$work/terms"
        as office flow new "$work/terms" || die "flow new $1"
    fi
    as norway subscribe "$1" --purpose sdg_reporting || die "subscribe $1"
}
row() { # row FILE CONF_STATUS EMBARGO_TIME
    printf 'STRUCTURE,STRUCTURE_ID,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE,CONF_STATUS,EMBARGO_TIME\ndatastructure,T:FLAGS(1.0),A,404,2020,1,%s,%s\n' \
        "$2" "$3" >"$1"
}
message() { # message FILE HEADER
    cat >"$1" <<END
<m:StructureSpecificData xmlns:m="$sdmx/message" xmlns:d="$sdmx/data/structurespecific" xmlns:c="$sdmx/common"><m:Header><m:ID>X</m:ID><m:Test>false</m:Test>
<m:Prepared>2026-01-01T00:00:00Z</m:Prepared><m:Sender id="KE"/><m:Structure structureID="S1" dimensionAtObservation="TIME_PERIOD"><c:Structure><Ref agencyID="T" id="FLAGS" version="1.0"/></c:Structure></m:Structure>$2</m:Header>
<m:DataSet d:structureRef="S1" d:action="Replace"><Obs FREQ="A" REF_AREA="404" TIME_PERIOD="2020" OBS_VALUE="1"/></m:DataSet></m:StructureSpecificData>
END
}
soon() { date -u -d "+$1 seconds" +%Y-%m-%dT%H:%M:%SZ; }
comes() { # comes SENTENCE FLOW: in the end
    tries=0
    until as norway receive "$2" --once --wait 1 --out "$work/in" || [ $tries -eq 40 ]; do
        tries=$((tries + 1))
        sleep 0.5
    done
    is "$1" 1 "$(grep -c 'signed by KE_OFFICE' "$work/said")"
}
# Held and denied read alike: what is under embargo is content.
stays() { # stays SENTENCE FLOW
    ends 77 "$1" norway receive "$2" --once --wait 10 --out "$work/in"
}

# ---- the whole message ------------------------------------------------------------------
flow WHOLE
message "$work/bare.xml" '<m:EmbargoDate>2035-01-01T00:00:00</m:EmbargoDate>'
ends 65 'an EmbargoDate without a zone is refused' office publish "$work/bare.xml" --flow WHOLE
said 'by its code' publisher.embargo
message "$work/twice.xml" '<m:EmbargoDate>2020-01-01T00:00:00Z</m:EmbargoDate><m:EmbargoDate>2035-01-01T00:00:00Z</m:EmbargoDate>'
ends 65 'so are two' office publish "$work/twice.xml" --flow WHOLE
message "$work/date.xml" "<m:EmbargoDate>$(soon 6)</m:EmbargoDate>"
ends 0 'one in the future is accepted' office publish "$work/date.xml" --flow WHOLE
stays 'and the release stays' WHOLE
comes 'until its time' WHOLE

# ---- observations -----------------------------------------------------------------------
flow LATER
row "$work/later.csv" E "$(soon 6)"
ends 0 'E with a time is accepted' office publish "$work/later.csv" --flow LATER
stays 'and stays, as N does' LATER
comes 'until its time: then it is F' LATER
flow PAST
row "$work/past.csv" E 2020-01-01T00:00:00Z
ends 0 'E whose time is over is accepted' office publish "$work/past.csv" --flow PAST
comes 'and is F' PAST
flow NEVER
row "$work/never.csv" E ''
ends 0 'E without a time is accepted' office publish "$work/never.csv" --flow NEVER
stays 'and is never F' NEVER
classified=limited
flow PARTNERS
row "$work/never.csv" E ''
ends 0 'E without a time is accepted where the law opens E' \
    office publish "$work/never.csv" --flow PARTNERS
stays 'and never leaves all the same' PARTNERS
classified=public
flow INTERNAL
row "$work/internal.csv" N 2020-01-01T00:00:00Z
ends 0 'N with a time that is over is accepted' office publish "$work/internal.csv" --flow INTERNAL
stays 'and stays, since N knows no embargo' INTERNAL

# ---- a flag on every row ----------------------------------------------------------------
gate_flow office FLAGGED 'T:FLAGS(1.0)' 'T:FLAGS(1.0)' row
(cat "$work/FLAGGED.terms" && echo 'require_conf_status maybe') >"$work/terms"
ends 65 'a choice is yes or no' office flow new "$work/terms"
(sed 's/^flow .*/flow FLAGS/' "$work/FLAGGED.terms" &&
    echo 'require_conf_status yes' && echo 'whole_or_nothing yes' &&
    echo 'area_map 404=KE') >"$work/terms"
ends 0 'terms may ask for a flag' office flow new "$work/terms"
row "$work/none.csv" '' ''
ends 65 'and refuse what has none' office publish "$work/none.csv" --flow FLAGS
said 'naming it' CONF_STATUS
ends 65 'as check says before, by the rules of the flow' \
    office check "$work/none.csv" --flow FLAGS
said 'naming it too' CONF_STATUS
row "$work/zone.csv" E 2035-01-01T00:00:00
ends 0 'a time without a zone is taken' office check "$work/zone.csv" --flow FLAGS
said 'with a warning that it never comes' 'EMBARGO EMBARGO_TIME "2035-01-01T00:00:00"'
row "$work/free.csv" F ''
ends 0 'what has a flag is right by them' office check "$work/free.csv" --flow FLAGS
ends 0 'and is accepted' office publish "$work/free.csv" --flow FLAGS

finish
