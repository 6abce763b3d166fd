#!/bin/bash
# The options that each verb takes are those that its --help, the manual and
# so the completion tell of: all of them, and no other.
#   options.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: options.sh STATGATE}
page=$here/ops/man/statgate.1.scd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export STATGATE_HOME=$work/none
status=0
same() { # same SENTENCE WANTED FOUND: lists of words
    if [ "$2" = "$3" ]; then
        echo "ok   $1"
        return
    fi
    echo "FAIL $1"
    diff <(tr ' ' '\n' <<<"$2") <(tr ' ' '\n' <<<"$3") | sed -n 's/^[<>]/     &/p'
    status=1
}
words() { sort -u | tr '\n' ' '; }
# "-" stands in front of a letter or two dashes in front of a word.
find_options() { grep -oE -e '(^|[^a-z-])(--[a-z][a-z-]*|-[a-z])\b' | grep -oE -e '-[a-z-]+'; }

mapfile -t verbs < <("$statgate" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
declare -A helped
for verb in "${verbs[@]}"; do
    helped[$verb]=$("$statgate" "$verb" --help </dev/null)
    # "flow list | show FLOW | close FLOW" has three.
    mapfile -t subs < <(grep -E "statgate $verb [a-z]" <<<"${helped[$verb]}" |
        sed "s/.*statgate $verb //" | tr '|' '\n' | grep -oE '^ *[a-z][a-z-]+' |
        tr -d ' ' | sort -u)
    if [ ${#subs[@]} -eq 0 ]; then subs=(''); fi
    # Verbs that read their words in another way list none.
    real='' asked=yes
    for sub in "${subs[@]}"; do
        list=$("$statgate" "$verb" ${sub:+"$sub"} --options 2>/dev/null </dev/null || true)
        if ! grep -q '^-' <<<"$list"; then asked=no; fi
        real="$real $list"
    done
    real=$(find_options <<<"$real" | grep -vx -e --help | words || true)
    told=$(find_options <<<"${helped[$verb]}" | grep -vx -e --help | words || true)
    if [ "$asked" = yes ]; then same "$verb --help tells its options" "$real" "$told"; fi
    manual=$(grep -E "^\*statgate ${verb}( |\*)" "$page" | find_options | words || true)
    same "the manual tells those of $verb" "$told" "$manual"
done

# Whoever changes something takes --dry-run, and --json for what he says.
for words in init 'root new' 'roster new' 'roster sign' 'roster instrument' \
    'roster put' join admit revoke 'flow new' 'flow close' subscribe unsubscribe \
    receive publish 'policy propose' 'policy approve' 'policy export' \
    'consent agreement' 'consent give' 'consent withdraw' 'context add' \
    'context use' 'structure get' 'log export'; do
    # shellcheck disable=SC2086
    same "$words takes --dry-run and --json" '--dry-run --json ' \
        "$("$statgate" $words --options 2>/dev/null </dev/null |
            grep -xE -e '--dry-run|--json' | words)"
done

# Completion offers what --help says.
# shellcheck source=ops/completion/statgate.bash
. "$here/ops/completion/statgate.bash"
for verb in "${verbs[@]}"; do
    COMP_WORDS=("$statgate" "$verb" '' -) COMP_CWORD=3 COMPREPLY=()
    _statgate
    same "completion offers those of $verb" \
        "$( (find_options <<<"${helped[$verb]}" && echo --help) | grep -e -- | words)" \
        "$(printf '%s\n' "${COMPREPLY[@]}" | words)"
done
exit $status
