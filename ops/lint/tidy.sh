#!/bin/sh
# clang-tidy over what changed, two at a time.
#   ops/lint/tidy.sh "FLAGS" FILE...
# Changed: since the last tag (or 20 commits), newest first, and not yet
# committed. At most TIDY_MOST files (default 40, about two minutes), the rest
# is for TIDY_ALL=1 as in ops/campaign. A file that passed with the same text
# (after its includes) and the same checks is not looked at again.
set -eu
flags=$1
shift
most=${TIDY_MOST:-40}
cache=${BUILD:-build}/tidy
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s\n' "$@" | sort -u >"$work/all"
if [ "${TIDY_ALL:-}" = 1 ] || ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
    cp "$work/all" "$work/these"
    most=1000000
else
    since=$(git describe --tags --abbrev=0 2>/dev/null || git rev-parse -q --verify HEAD~20 || true)
    {
        git ls-files -mo --exclude-standard
        git log --name-only --pretty=format: "${since:+$since..}HEAD"
    } | awk 'NF && !seen[$0]++' >"$work/changed"
    awk 'NR == FNR { ours[$0]; next } $0 in ours' "$work/all" "$work/changed" >"$work/these"
fi
if [ "$(wc -l <"$work/these")" -gt "$most" ]; then
    echo "tidy: $most of $(wc -l <"$work/these") changed files; TIDY_ALL=1 takes all"
fi
checks=$(sha256sum <.clang-tidy)
# One file: nothing said and remembered, or its findings.
cat >"$work/one" <<'ONE'
#!/bin/sh
set -eu
cache=$1 checks=$2 flags=$3 file=$4
# $flags is a list of words on purpose.
# shellcheck disable=SC2086
name=$({ echo "$checks $file"; clang $flags -E "$file" 2>/dev/null; } | sha256sum | cut -c 1-40)
if [ -e "$cache/$name" ]; then exit 0; fi
# shellcheck disable=SC2086
if ! told=$(clang-tidy --quiet "$file" -- $flags 2>/dev/null); then
    printf '%s\n' "$told"
    exit 1
fi
: >"$cache/$name"
ONE
head -n "$most" "$work/these" | tr '\n' '\0' |
    xargs -0 -r -n 1 -P 2 sh "$work/one" "$cache" "$checks" "$flags"
