#!/bin/sh
# Every data message of the SDMX-CSV samples: the verdict of INDEX.csv, or the fault
# that deviations.md says it has. Their structures are nowhere to be had: each gets
# one with the columns that the sample has, all of them text and attributes with
# several values, so that what is tested is the reading.
# usage: csv.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SG_SHARED:-$here/../shared}
data=$shared/data/sdmx
statgate=${1:?usage: csv.sh STATGATE}
if [ ! -d "$data/csv" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
STATGATE_HOME=$(mktemp -d)
export STATGATE_HOME
trap 'rm -rf "$STATGATE_HOME"' EXIT
# shellcheck source=tests/conformance/expect
. "$here/tests/conformance/expect"

sdmx=http://www.sdmx.org/resources/sdmxml/schemas/v3_0
class=urn:sdmx:org.sdmx.infomodel
# structure AGENCY ID VERSION DIMENSIONS MEASURES ATTRIBUTES: a data structure, and a
# dataflow and a provision agreement of the same name. An attribute is of
# observations, or of the dimensions behind its @.
structure() {
    {
        echo "<m:Structure xmlns:m=\"$sdmx/message\" xmlns:s=\"$sdmx/structure\" xmlns:c=\"$sdmx/common\"><m:Structures><s:Dataflows>
<s:Dataflow agencyID=\"$1\" id=\"$2\" version=\"$3\"><c:Name>f</c:Name><s:Structure>$class.datastructure.DataStructure=$1:$2($3)</s:Structure></s:Dataflow></s:Dataflows>
<s:DataStructures><s:DataStructure agencyID=\"$1\" id=\"$2\" version=\"$3\"><c:Name>d</c:Name><s:DataStructureComponents><s:DimensionList>"
        n=0
        for id in $4; do
            n=$((n + 1))
            if [ "$id" = TIME_PERIOD ]; then
                echo '<s:TimeDimension id="TIME_PERIOD"><s:LocalRepresentation><s:TextFormat textType="ObservationalTimePeriod"/></s:LocalRepresentation></s:TimeDimension>'
            else
                echo "<s:Dimension id=\"$id\" position=\"$n\"/>"
            fi
        done
        echo '</s:DimensionList><s:AttributeList>'
        for id in $6; do
            of='<s:Observation/>'
            case $id in
            *@*) of="<s:Dimension>$(echo "${id#*@}" | sed 's|,|</s:Dimension><s:Dimension>|g')</s:Dimension>" ;;
            esac
            echo "<s:Attribute id=\"${id%@*}\" usage=\"optional\"><s:LocalRepresentation maxOccurs=\"unbounded\"><s:TextFormat textType=\"String\" isMultiLingual=\"${languages:-false}\"/></s:LocalRepresentation><s:AttributeRelationship>$of</s:AttributeRelationship></s:Attribute>"
        done
        echo '</s:AttributeList><s:MeasureList>'
        for id in $5; do
            echo "<s:Measure id=\"$id\"><s:LocalRepresentation><s:TextFormat textType=\"String\"/></s:LocalRepresentation></s:Measure>"
        done
        echo "</s:MeasureList></s:DataStructureComponents></s:DataStructure></s:DataStructures>
<s:ProvisionAgreements><s:ProvisionAgreement agencyID=\"$1\" id=\"$2\" version=\"$3\"><c:Name>p</c:Name><s:Dataflow>$class.datastructure.Dataflow=$1:$2($3)</s:Dataflow><s:DataProvider>$class.base.DataProvider=$1:DP(1.0).X</s:DataProvider></s:ProvisionAgreement></s:ProvisionAgreements></m:Structures></m:Structure>"
    } >"$STATGATE_HOME/told.xml"
    "$statgate" structure import --replace "$STATGATE_HOME/told.xml" >/dev/null
}

structure ESTAT NA_MAIN 1.6.0 'DIM_1 DIM_2 DIM_3' OBS_VALUE 'ATTR_1 ATTR_2 ATTR_3'
for i in 01 03 05 07 15 17; do
    expect "csv/khaeru_v3_example-$i.csv" 'accept;2'
done
structure ESTAT DSD_NA_MAIN 1.6.0 'DIM_1 DIM_2 DIM_3' OBS_VALUE ATTR_1
for i in 19A 19B; do
    expect "csv/khaeru_v3_example-$i.csv" 'accept;1'
done
structure AGENCY DF_ID 1.0.0 'DIM_1 DIM_2 DIM_3' 'OBS_VALUE MEAS_1' 'ATTR_1 ATTR_2@DIM_2'
for i in 11 13; do
    expect "csv/khaeru_v3_example-$i.csv" 'accept;2'
done
# Of three structures one is there: the rows of the others are counted.
languages=true
structure ESTAT DF_NA_MAIN 1.6.0 'DIM_1 DIM_2 DIM_3' OBS_VALUE ATTR_1
languages=false
expect csv/khaeru_v3_example-09A.csv \
    'reject;3;STRUCTURE_UNKNOWN STRUCTURE_ID;STRUCTURE_UNKNOWN STRUCTURE_ID'
structure ESTAT DF_A 1.6.0 'DIM_A1B1 DIM_A2 DIM_A3C2' MEAS_A1B1C1 ATTR_A1
expect csv/khaeru_v3_example-09B.csv \
    'reject;3;STRUCTURE_UNKNOWN STRUCTURE_ID;STRUCTURE_UNKNOWN STRUCTURE_ID'

structure MD MD_TEST 1.0 'DIM1 DIM2 TIME_PERIOD' OBS_VALUE 'ATT1@DIM1,DIM2 ATT2'
for form in sdmx10__reader__csv_labels_both sdmx10__writer__csv_labels_id \
    sdmx20__reader__csv_labels_both sdmx20__reader__csv_labels_name \
    sdmx20__writer__csv_keys_both sdmx20__writer__csv_keys_obs \
    sdmx20__writer__csv_keys_series sdmx21__writer__csv_keys_both \
    sdmx21__writer__csv_labels_both sdmx21__writer__csv_labels_name \
    sdmx21__writer__csv_time_format_original; do
    expect "csv/pysdmx_csv__$form.csv" 'accept;1'
done
expect csv/pysdmx_csv__sdmx20__writer__reference_partial_keys.csv 'accept;3'
der='FREQ DER_TYPE DER_INSTR DER_RISK DER_REP_CTY DER_SECTOR_CPY DER_CPC DER_SECTOR_UDL
DER_CURR_LEG1 DER_CURR_LEG2 DER_ISSUE_MAT DER_RATING DER_EX_METHOD DER_BASIS TIME_PERIOD'
attributes='AVAILABILITY COLLECTION OBS_STATUS OBS_CONF DECIMALS UNIT_MULT UNIT_MEASURE'
structure MD MD_TEST 1.0 "$der" OBS_VALUE "$attributes"
for form in sdmx10__writer__reference_attch_atts sdmx20__writer__reference \
    sdmx21__writer__reference sdmx21__writer__reference_attch_atts \
    sdmx21__writer__reference_with_append_action; do
    expect "csv/pysdmx_csv__$form.csv" 'accept;1'
done
structure BIS WEBSTATS_DER_DATAFLOW 1.0 "$der" OBS_VALUE "$attributes"
expect csv/pysdmx_samples__data_v1_attached.csv 'accept;14'
expect csv/pysdmx_samples__data_v1_missing_one_attached.csv 'accept;14'
structure BIS BIS_DER 1.0 "$der" OBS_VALUE "$attributes"
for form in sdmx20__reader__data_v2_action_col sdmx21__reader__data_v21_action_col; do
    expect "csv/pysdmx_csv__$form.csv" 'reject;20;ROW_WIDTH null'
done
structure BMS DF_EXR 1.0 'FREQ TIME_PERIOD' OBS_VALUE EMBARGO_TIME
expect csv/pysdmx_csv__sdmx10__reader__data_v1_datetime.csv 'accept;1'
expect csv/pysdmx_csv__sdmx20__reader__data_v2_datetime.csv 'accept;1'
structure WB GCI 1.0 'REF_AREA INDICATOR SUB_INDICATOR FREQ TIME_PERIOD' OBS_VALUE ''
expect csv/pysdmx_csv__sdmx20__reader__data_v2_no_freq_cols.csv 'accept;7'
structure TEST TEST_MD 1.0 'Id_1 Id_2' Me_1 ''
expect csv/pysdmx_csv__sdmx20__reader__data_v2_merge_action.csv 'accept;1'
expect csv/pysdmx_csv__sdmx20__reader__data_v2_two_actions.csv 'accept;3'
expect csv/pysdmx_csv__sdmx21__reader__data_v21_two_actions.csv 'accept;3'
expect csv/pysdmx_csv__sdmx20__reader__data_v2_three_actions.csv 'accept;4'
expect invalid/pysdmx_csv__sdmx20__reader__data_v2_invalid_action.csv \
    'reject;1;ACTION ACTION'
structure MD_TEST TEST 1.0 TEST_DIMENSION TEST_MEASURE TEST_ATTRIBUTE
for order in after first; do
    expect "csv/two_actions_delete_$order.csv" 'reject;2;ROW_WIDTH null'
done
eurostat='freq unit s_adj sector10 sectpart partner stk_flow bop_item geo TIME_PERIOD'
structure ESTAT 'EI_BPM6CA_Q$DEFAULTVIEW' 1.0 "$eurostat" OBS_VALUE 'OBS_FLAG CONF_STATUS'
expect csv/pysdmx_samples__large_csv_1.csv 'accept;19'
expect csv/pysdmx_samples__large_csv_2.csv 'accept;19'
cpi='DATA_DOMAIN REF_AREA INDICATOR COUNTERPART_AREA FREQ TIME_PERIOD'
structure QUANTHUB CPI 1.0 "$cpi" OBS_VALUE 'COMMENT BASE_PER UNIT_MULT OBS_STATUS TIME_FORMAT'
expect csv/sdmxsource_CsvCPI1.csv 'accept;51'
expect invalid/sdmxsource_CsvCPI.csv 'accept;51'
structure AGENCY FLOW_ID 1.0 'FREQ ADJUSTMENT STS_ACTIVITY TIME_PERIOD' OBS_VALUE 'DECIMALS OBS_ATTRIBUTE'
expect csv/sdmxsource_CsvTest01.csv 'accept;10'

# All samples of CSV were looked at.
for file in "$data"/csv/*.csv; do
    if ! grep -qF "$(basename "$file" .csv)" "$STATGATE_HOME/seen"; then
        total=$((total + 1))
        echo "FAILED $(basename "$file"): not looked at"
    fi
done
echo "$passed of $total"
[ "$passed" = "$total" ]
