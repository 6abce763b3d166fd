#!/bin/sh
# What a decision is made on, at a real gate: every area of a release however
# many it has, no row that a subscription did not ask for, the organisations
# that a list of recipients names, and the rendition as it was made.
#   parts.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: parts.sh STATGATE}
# shellcheck source=tests/harness/say.sh
. "$here/tests/harness/say.sh"

gate_found
member office KE_OFFICE KE nso data_provider publisher \
    official_statistics,sdg_reporting
for country in norway:NO france:FR rwanda:RW; do
    member "${country%:*}" "${country#*:}_OFFICE" "${country#*:}" nso \
        data_consumer subscriber official_statistics,sdg_reporting,policy_making
done
gate_open
# The same structure, but for its name and an attribute.
sed 's/COMMENT_TS/CONF_REDIST/g; s/STATGATE/KE_OFFICE/g' \
    "$here/schemas/sdg/sdg.xml" >"$work/redist.xml"
for name in office norway france rwanda; do
    for structure in "$here/schemas/sdg/sdg.xml" "$work/redist.xml"; do
        as "$name" structure import "$structure" || die 'structure import'
    done
done

permit='permit when availability is released and conf_status is any
 and identifiability is any and consent is any and community_consent is any
 and classification is any'
cat >"$work/ke.policy" <<END
policy "KE" version 1 layer export for KE vocabulary statgate 1 in force from 2020-01-01
rule "reports" $permit and purpose is sdg_reporting because "x"
rule "without small cells" $permit and purpose is official_statistics
 and obs_status is NORMAL oblige suppress_small_cells(5) because "x"
rule "without small cells, marked" $permit and purpose is policy_making
 and obs_status is one of NORMAL, SUPPRESSED
 oblige suppress_small_cells(5) because "x"
rule "no households of Uganda" forbid when area is UG and unit is household because "x"
END
cat >"$work/ug.policy" <<END
policy "UG" version 1 layer export for UG vocabulary statgate 1 in force from 2020-01-01
rule "not to Norway" forbid when destination is NO because "x"
rule "others" $permit because "x"
END
cat >"$work/hub.policy" <<END
policy "hub" version 1 layer hub vocabulary statgate 1 in force from 2020-01-01
rule "all" $permit because "x"
END
gate_law "$work/ke.policy" "$work/ug.policy" "$work/hub.policy"
flow() { # flow NAME LINE...: terms like those of all, but for these lines
    gate_flow office "_$1" 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' row
    sed "s/^flow .*/flow $1/" "$work/_$1.terms" >"$work/$1.terms"
    flow_name=$1
    shift
    for line in "$@"; do
        sed -i "/^${line%% *} /d" "$work/$flow_name.terms"
        echo "$line" >>"$work/$flow_name.terms"
    done
    as office flow new "$work/$flow_name.terms" || die "flow new $flow_name"
}
# decided SENTENCE VERDICT RELEASE HOME ID
decided() {
    as office why "$3" "$5_OFFICE/${3%@*}" || true
    said "$1" "^$2"
}
# got SENTENCE yes|no FLOW HOME FILE: no: a denial is what arrives
got() {
    got_file=$work/in.$4/$5 got_found=no
    if [ "$2" = yes ]; then
        STATGATE_HOME=$work/$4 "$statgate" receive "$3" --wait 30 \
            --out "$work/in.$4" >"$work/got.said" 2>&1 </dev/null &
        got_pid=$!
        while [ ! -s "$got_file" ] && kill -0 $got_pid 2>/dev/null; do
            sleep 0.05
        done
        kill $got_pid 2>/dev/null || true
        { wait $got_pid; } 2>/dev/null || true
        cp "$work/got.said" "$work/said"
    else
        ends 77 "$1: it is denied" "$4" receive "$3" --wait 5 \
            --out "$work/in.$4"
    fi
    [ ! -s "$got_file" ] || got_found=yes
    is "$1" "$2" "$got_found"
}

# ---- the law of every area ---------------------------------------------------------
rows "$work/all.csv" 250 5
grep -v ',AG_FPA_COMM,800,' "$work/all.csv" >"$work/rest.csv"
{
    head -n 1 "$work/all.csv"
    grep ',AG_FPA_COMM,800,' "$work/all.csv"
} >"$work/ug.csv"
is 'there are as many countries as there are' yes \
    "$([ "$(cut -d, -f5 "$work/all.csv" | sort -u | wc -l)" -gt 190 ] && echo yes)"
flow LAW 'law_of_the_area yes'
for name in norway france; do gate_subscribe "$name" LAW; done
as office publish "$work/rest.csv" --flow LAW || die publish
decided 'all countries but one are decided together' PERMITTED LAW@1 norway NO
got 'and arrive' yes LAW norway LAW@1.csv
as office publish "$work/ug.csv" --flow LAW || die publish
decided 'this one forbids its figures to go there' DENIED LAW@2 norway NO
as office publish "$work/all.csv" --flow LAW || die publish
decided 'and so it does among all countries' DENIED LAW@3 norway NO
said 'by its own law' 'not to Norway'
got 'nothing of them arrives' no LAW norway LAW@3.csv
decided 'who may have them has them' PERMITTED LAW@3 france FR
got 'and they arrive' yes LAW france LAW@3.csv
flow RULE 'unit household'
gate_subscribe norway RULE
as office publish "$work/all.csv" --flow RULE || die publish
decided 'a rule about a country finds it among all' DENIED RULE@1 norway NO
said 'by that rule' 'no households of Uganda'
as office publish "$work/rest.csv" --flow RULE || die publish
decided 'and finds it nowhere else' PERMITTED RULE@2 norway NO

# ---- what the key asks for -----------------------------------------------------------
flow KEY 'unit household'
gate_subscribe norway KEY --key A.G.AG_FPA_COMM.404
gate_subscribe france KEY --key A.G.AG_FPA_COMM.404+800
gate_subscribe rwanda KEY --period 1990/1999
{
    cat "$work/ug.csv"
    grep ',AG_FPA_COMM,404,' "$work/all.csv"
} >"$work/two.csv"
as office publish "$work/two.csv" --flow KEY || die publish
decided 'rows that were not asked for deny nothing' PERMITTED KEY@1 norway NO
got 'and what was asked for arrives' yes KEY norway KEY@1.csv
is 'without them' 0 "$(grep -c ',AG_FPA_COMM,800,' "$work/in.norway/KEY@1.csv" || true)"
decided 'rows that were asked for do' DENIED KEY@1 france FR
decided 'and so do rows that perhaps were' DENIED KEY@1 rwanda RW
as office publish "$work/all.csv" --flow KEY || die publish
decided 'one area of all countries' PERMITTED KEY@2 norway NO
decided 'is another than two' DENIED KEY@2 france FR

# ---- the rendition as it was made ----------------------------------------------------
flow SMALL 'min_cell 5' 'count_component OBS_VALUE' \
    'purposes official_statistics policy_making'
for sub in norway:official_statistics france:policy_making; do
    as "${sub%:*}" subscribe SMALL --purpose "${sub#*:}" || die subscribe
done
rows "$work/large.csv" 2 7
rows "$work/small.csv" 2 3
as office publish "$work/large.csv" --flow SMALL || die publish
got 'where no cell is small, nothing becomes another' yes SMALL norway SMALL@1.csv
as office publish "$work/small.csv" --flow SMALL || die publish
got 'a suppressed cell is no normal one, which alone may go' no SMALL norway SMALL@2.csv
decided 'the rendition is decided on as it was made' DENIED SMALL@2 norway NO
as office why SMALL@2 NO_OFFICE/SMALL --json || true
said 'and why is said' no_fixpoint
got 'where suppressed cells may go, they do' yes SMALL france SMALL@2.csv
is 'marked' 100 "$(grep -c ',Q,' "$work/in.france/SMALL@2.csv" || true)"

# ---- whom a list names -----------------------------------------------------------------
sed -i 's/^structure .*/structure KE_OFFICE:SDG(1.0)/
    s/^dataflow .*/dataflow KE_OFFICE:DF_SDG(1.0)/
    s/^flow .*/flow LIST/' "$work/_KEY.terms"
as office flow new "$work/_KEY.terms" || die 'flow new LIST'
for name in norway france rwanda; do gate_subscribe "$name" LIST; done
listed() { # listed FILE LIST FIGURE
    rows "$1" 1 "$3"
    sed -i "1s/\$/,CONF_REDIST/; 2,\$s/\$/,\"$2\"/; s/STATGATE:DF/KE_OFFICE:DF/" "$1"
    as office publish "$1" --flow LIST || die "publish $2"
}
listed "$work/one.csv" 'NO_OFFICE; RW_OFFICE,SOMEBODY_ELSE' 1
decided 'who is named may have it' PERMITTED LIST@1 norway NO
got 'and it arrives' yes LIST norway LIST@1.csv
decided 'also among others' PERMITTED LIST@1 rwanda RW
decided 'who is not named may not' DENIED LIST@1 france FR
said 'as long as somebody unknown is named' 'Nobody said: conf_redist'
listed "$work/two.csv" 'NO_OFFICE' 2
decided 'of whom one can tell is said that he is not named' DENIED LIST@2 france FR
said 'by the guard' 'guard: redistribution'
listed "$work/three.csv" 'all but NO_OFFICE' 3
decided 'words are no list' DENIED LIST@3 norway NO
as desk log show "$work/HUB/store/evidence" --json || true
is 'and do not get into the log' no \
    "$(grep -q -r 'all but NO_OFFICE' "$work/HUB/store/evidence" && echo yes || echo no)"

finish
