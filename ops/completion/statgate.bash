# Completion for statgate in bash. The verbs are asked of the program itself,
# so that this file cannot fall behind it.
_statgate() {
    local word=${COMP_WORDS[COMP_CWORD]} verbs
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        verbs=$("${COMP_WORDS[0]}" help 2>/dev/null | sed -n 's/^  \([a-z-]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$verbs help --version" -- "$word")
        return
    fi
    case $word in
    -*) mapfile -t COMPREPLY < <(compgen -W '--json --dry-run --help' -- "$word") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    esac
}
complete -o filenames -F _statgate statgate
