#!/bin/sh
# A flow is used for its purposes and for no other, whatever the law permits and
# whatever the recipient is admitted for.
#   purposes.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: purposes.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
member office KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
member norway NO_OFFICE NO nso data_consumer subscriber \
    official_statistics,sdg_reporting,ai_training
gate_open
for name in office norway; do
    as "$name" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
done
for layer in 'export for KE' hub; do
    cat >"$work/${layer%% *}.policy" <<END
policy "$layer" version 1 layer $layer vocabulary statgate 1 in force from 2020-01-01
rule "for everything" permit when destination is any and availability is released
   and conf_status is any and identifiability is any and consent is any
   and community_consent is any and classification is any because "open"
END
done
cp "$here/policy/examples/import-default.policy" "$work/"
gate_law "$work"/*.policy
gate_flow office OPEN 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
for n in 1 2; do rows "$work/$n.csv" 2 $n; done

ends 77 'a purpose that the flow does not serve is refused' \
    norway subscribe OPEN --purpose ai_training
said 'by its code' subscriber.purpose
ends 77 'and so it is when nothing is sent' \
    norway subscribe OPEN --purpose ai_training --dry-run
ends 0 'one that it serves is not' norway subscribe OPEN --purpose sdg_reporting
ends 0 'a release comes' office publish "$work/1.csv" --flow OPEN
ends 0 'and is delivered' norway receive OPEN --once --wait 10 --out "$work/in"

sed 's/^purposes .*/purposes official_statistics/' "$work/OPEN.terms" >"$work/fewer"
ends 0 'the office takes that purpose back' office flow new "$work/fewer"
ends 0 'and publishes again' office publish "$work/2.csv" --flow OPEN
ends 77 'which is not for the old subscription' \
    norway receive OPEN --once --wait 10 --out "$work/in"
said 'whose purpose is at fault' policy.incomplete
ends 0 'and is, when it is made for the purpose that is left' \
    norway subscribe OPEN --purpose official_statistics
ends 0 'delivered' norway receive OPEN --once --wait 10 --out "$work/in"

# ---- whence the figures come ------------------------------------------------------------
(sed 's/^flow .*/flow LABELLED/' "$work/OPEN.terms" && echo 'require_label yes') >"$work/terms"
ends 0 'terms may ask for a label' office flow new "$work/terms"
ends 65 'and refuse a release that has none' office publish "$work/1.csv" --flow LABELLED
said 'naming it' claims.origin_label
ends 2 'a word that is none is told at once' \
    office publish "$work/1.csv" --flow LABELLED --label guessed
ends 0 'and accept what says it' \
    office publish "$work/1.csv" --flow LABELLED --label estimated

finish
