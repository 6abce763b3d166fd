#!/bin/sh
# Founds a gate with one office for test_17_outbox, which comes back with the
# office's home and a folder for files; flows A, B and LARGE are there.
#   outbox.sh STATGATE TEST
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=$1
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"
gate_found
member office KE_OFFICE KE nso data_provider publisher official_statistics
gate_open
as office structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
for flow in A B LARGE; do
    gate_flow office $flow 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' file
done
mkdir "$work/files"
"$2" "$work/office" "$work/files" || status=$?
finish
