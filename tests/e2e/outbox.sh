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
gate_people office
gate_open
gate_structure office
for flow in A B LARGE; do
    gate_sdg_flow office $flow file
done
mkdir "$work/files"
"$2" "$work/office" "$work/files" || status=$?
finish
