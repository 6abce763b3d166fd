# Completion for statgate in bash. Verbs, and what a verb may be followed by,
# are asked of the program itself, so that this file cannot fall behind it.
_statgate() {
    local word=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD - 1]}
    local program=${COMP_WORDS[0]} verb=${COMP_WORDS[1]:-} help words
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words=$("$program" help 2>/dev/null | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words help --version" -- "$word")
        return
    fi
    help=$("$program" "$verb" --help 2>&1)
    # "statgate policy check FILE": the word after the verb, if it is a name.
    words=$(sed -n "s/^.*statgate $verb \([a-z][a-z|-]*\)\( .*\)*$/\1/p" <<<"$help" | tr '|' '\n')
    if [ "$COMP_CWORD" -eq 2 ] && [ -n "$words" ]; then
        mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$word")
        return
    fi
    case $last in
    --for) mapfile -t COMPREPLY < <(compgen -W recipient -- "$word") && return ;;
    --format | --to) mapfile -t COMPREPLY < <(compgen -W 'csv10 csv20 csv21 ml21 ml30 json20 json21' -- "$word") && return ;;
    esac
    case $word in
    -*)
        words=$(grep -o -e '--[a-z][a-z-]*' <<<"$help" | sort -u)
        mapfile -t COMPREPLY < <(compgen -W "$words --help" -- "$word")
        ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -o filenames -F _statgate statgate
