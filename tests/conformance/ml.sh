#!/bin/sh
# The data messages of SDMX-ML among the samples whose structure is to be had:
# the verdict of INDEX.csv, which says what readers in the field take, or the
# fault that the sample has.
# usage: ml.sh STATGATE; SG_SHARED or ../shared has the data.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
shared=${SG_SHARED:-$here/../shared}
data=$shared/data/sdmx
statgate=${1:?usage: ml.sh STATGATE}
if [ ! -d "$data/ml21" ]; then
    echo "skipped: needs ../shared"
    exit 0
fi
STATGATE_HOME=$(mktemp -d)
export STATGATE_HOME
trap 'rm -rf "$STATGATE_HOME"' EXIT
. "$here/tests/conformance/expect"

# structure FILE: the one known.
structure() {
    rm -rf "$STATGATE_HOME/structures"
    "$statgate" structure import "$data/$1" >/dev/null
}

# Series, series of one currency group, series of one period, flat; its messages
# name three structures of the same components.
structure ml21/ECB_EXR__rg-structure-full.xml
cg='ECB:ECB_EXR_CG(1.0)'
for form in rg-ts rg-ts-ss rg-xs-ss rg-flat-ss; do
    expect "ml21/ECB_EXR__$form.xml" 'accept;12' --structure "$cg"
done
structure ml21/ECB_EXR__sg-structure-full.xml
expect ml21/ECB_EXR__sg-ts-gf.xml 'accept;12'
# Its third series is called 2010-08 like its first.
expect ml21/ECB_EXR__sg-xs.xml 'reject;12;DUPLICATE key'
structure ml21/ECB_EXR__1__structure-full.xml
expect ml21/ECB_EXR__1__M.USD.EUR.SP00.A.xml 'accept;252'

expect ml30/v3__xml__ECB_EXR0.xml 'accept;116'
# Its own structure allows several values, this one does not.
lists='OCCURS OBS_STATUS;OCCURS SOURCE_AGENCY;OCCURS SOURCE_PUB;OCCURS TITLE'
expect ml30/v3__xml__ECB_EXR_CA.xml "reject;3;$lists"
expect 'ml30/twg_Data_-_Complex_Data_Attributes__ECB_EXR_CA.xml' \
    "reject;3;$lists"

# Structures that are not to be had: all rows are counted.
unknown() {
    expect "$1" "reject;$2;STRUCTURE_UNKNOWN Structure"
}
unknown ml21/pysdmx_xml__sdmx21__reader__message_full_no_namespace.xml 1000
unknown ml21/pysdmx_xml__sdmx21__reader__message_str_usage_urn.xml 5
unknown ml21/sdmxsource_Generic-VersionTwoPointOne-ts.xml 2700
unknown ml30/pysdmx_xml__sdmx30__reader__data_dataflow_3.0.xml 2
unknown ml30/pysdmx_xml__sdmx30__reader__data_datastructure_3.0_series.xml 3
unknown ml30/pysdmx_xml__sdmx30__reader__data_prov_agree_3.0.xml 3
unknown ml20/rsdmx_Example_Eurostat_2.0.xml 2
unknown ml20/sdmxsource_Compact-VersionTwo.xml 2720
# It does not say whose structure it follows.
expect ml20/rsdmx_SDMXGenericDataExample_2.0.xml 'reject;18;STRUCTURE_REF null'

echo "$passed of $total"
[ "$passed" = "$total" ]
