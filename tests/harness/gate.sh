# A gate on loopback with its participants, founded by the verbs as people do
# it. Sourced; wants $here (top of the tree), $statgate (statgated lies beside
# it) and $work, an empty folder. Everything that goes wrong ends the script
# through die. Most gates of figures are founded by
#   gate_found
#   gate_people office norway
#   gate_open
#   gate_structure office norway
#   gate_laws hub export-ke import-default
#   gate_sdg_flow office FLOW row
#   gate_subscribe norway FLOW
# shellcheck shell=sh disable=SC2154

gate_pid=
die() { # die SENTENCE: with what the verb said
    echo "FAIL $1"
    if [ -s "$work/said" ]; then tail -n 5 "$work/said"; fi
    exit 1
}

# as HOME VERB ...: what it says is in $work/said.
as() {
    as_home=$1
    shift
    STATGATE_HOME=$work/$as_home "$statgate" "$@" >"$work/said" 2>&1 </dev/null
}

# person: whose keys they are, if not those of somebody called HOME.
member() { # member HOME ID JURISDICTION CLASS ROLE KEY_ROLES PURPOSES
    set -f
    words=
    for word in $(echo "$6" | tr , ' '); do words="$words --key-role $word"; done
    for word in $(echo "$7" | tr , ' '); do words="$words --purpose $word"; done
    # shellcheck disable=SC2086
    as "$1" join --gate "$work/HUB/gate.public" --id "$2" --name "$2" \
        --jurisdiction "$3" --class "$4" --role "$5" --person "${person:-$1}" $words \
        -o "$work/requests/$1" || die "join $1"
    set +f
    as HUB admit "$work/requests/$1" --roster "$work/roster" \
        --gate-home "$work/HUB" -o "$work/roster" || die "admit $1"
    members="$members $1"
}

# Who takes part in most gates, by the name of his home: as for member.
people='desk HUB_DESK INTL regional_org operator operator,policy_admin administrative,audit
board HUB_DESK INTL regional_org operator policy_admin administrative,audit
court AUDIT_COURT INTL regional_org auditor auditor audit
office KE_OFFICE KE nso data_provider publisher,consent official_statistics,sdg_reporting
deputy KE_OFFICE KE nso data_provider publisher official_statistics,sdg_reporting
twin KE_OFFICE KE nso data_provider publisher official_statistics,sdg_reporting
rwanda RW_OFFICE RW nso data_provider publisher,consent official_statistics,sdg_reporting
norway NO_OFFICE NO nso data_consumer subscriber official_statistics,sdg_reporting
agency FR_AGENCY FR intl_org data_consumer subscriber official_statistics,sdg_reporting
research UG_RESEARCH UG research_body data_consumer subscriber scientific_research,official_statistics'
gate_people() { # gate_people HOME...: they join
    for who in "$@"; do
        row=$(echo "$people" | grep "^$who ") || die "nobody is called $who"
        # shellcheck disable=SC2086
        member $row
    done
}

gate_start() {
    rm -f "$work/HUB/endpoints"
    "${statgate%/*}/statgated" "$work/HUB" 2>>"$work/gate.log" </dev/null &
    gate_pid=$!
    tries=0
    while [ ! -s "$work/HUB/endpoints" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ] || ! kill -0 "$gate_pid" 2>/dev/null; then
            cp "$work/gate.log" "$work/said"
            die 'statgated does not start'
        fi
        sleep 0.05
    done
}

gate_stop() {
    if [ -n "$gate_pid" ]; then
        kill "$gate_pid" 2>/dev/null || true
        wait "$gate_pid" 2>/dev/null || true
        gate_pid=
    fi
}

gate_found() { # after this, people join; then gate_open
    members=
    mkdir -p "$work/requests"
    as HUB init "$work/HUB" --gate HUB --control 'tcp://127.0.0.1:*' \
        --data 'tcp://127.0.0.1:*' || die init
    as HUB root new one -o "$work/one.key" || die 'root new'
    as HUB root new two -o "$work/two.key" || die 'root new'
    as HUB roster new --gate "$work/HUB/gate.public" \
        --root "$work/one.key.pub" --root "$work/two.key.pub" \
        -o "$work/roster" || die 'roster new'
    gate_people desk board
}

gate_open() {
    for key in one two; do
        as HUB roster sign "$work/roster" --key "$work/$key.key" || die 'roster sign'
    done
    as HUB init "$work/HUB" --roster "$work/roster" || die 'init --roster'
    gate_again
}

gate_again() { # starts it, and tells everybody where it is now
    gate_start
    control=$(sed -n 's/^control //p' "$work/HUB/endpoints")
    data=$(sed -n 's/^data //p' "$work/HUB/endpoints")
    for name in $members; do
        as "$name" join --control "$control" --data "$data" \
            --roster "$work/roster" || die "join $name"
    done
}

# gate_law FILE...: desk proposes, board approves.
gate_law() {
    as desk policy propose "$@" || die 'policy propose'
    law=$(sed -n 's/^proposed \([0-9a-f]*\).*/\1/p' "$work/said")
    as board policy approve "$law" || die 'policy approve'
}

gate_laws() { # gate_laws NAME...: of policy/examples, in force
    for law in "$@"; do
        shift
        set -- "$@" "$here/policy/examples/$law.policy"
    done
    gate_law "$@"
}

gate_structure() { # gate_structure HOME...: each has that of the SDG figures
    for who in "$@"; do
        as "$who" structure import "$here/schemas/sdg/sdg.xml" || die 'structure import'
    done
}

gate_sdg_flow() { # gate_sdg_flow HOME FLOW COMMIT: of SDG figures
    gate_flow "$1" "$2" 'STATGATE:SDG(1.0)' 'STATGATE:DF_SDG(1.0)' "$3"
}

# gate_flow HOME FLOW STRUCTURE DATAFLOW COMMIT: public figures.
gate_flow() {
    cat >"$work/$2.terms" <<END
flow $2
structure $3
dataflow $4
licence cc_by
classification public
data_kind aggregate
unit person
identifiability anonymous
sensitive none
lawful_basis statistics_law
special_condition none
onward allowed
purposes official_statistics sdg_reporting
commit $5
localisation none
geo_detail country
validation not_needed
emergency none
community_consent not_concerned
quality complete
sdc_state none
END
    as "$1" flow new "$work/$2.terms" || die "flow new $2"
}

# gate_subscribe HOME FLOW [WORD...]
gate_subscribe() {
    sub_home=$1 sub_flow=$2
    shift 2
    as "$sub_home" subscribe "$sub_flow" --purpose sdg_reporting \
        --promise attribute_source --promise keep_licence \
        --promise no_onward "$@" ||
        die "subscribe $sub_home to $sub_flow"
}
