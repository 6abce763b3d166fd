#!/bin/sh
# The shape of the tree: ops/lint/shape.awk, and what concerns more than one
# line or file. Run in the root: ops/lint/shape.sh
set -eu
bad=0
refuse() {
    echo "shape: $*"
    bad=1
}
list=$(mktemp)
trap 'rm -f "$list"' EXIT
# What is, or would be, committed.
if [ -e .git ]; then
    git ls-files -co --exclude-standard | sort -u
else
    find . -type f ! -path './build*' | sed 's,^\./,,' | sort
fi | while read -r file; do if [ -f "$file" ]; then printf '%s\n' "$file"; fi; done >"$list"
in_tree() { # in_tree PATTERN: files whose path matches
    grep -E "$1" "$list" || true
}
each() { # each COMMAND...: over the paths on stdin; silent on none
    tr '\n' '\0' | xargs -0 -r "$@"
}

each awk -f ops/lint/shape.awk <"$list" || bad=1

# The identity of a peer is looked up in one place, under one name.
asked=$(in_tree '^(broker|adapters)/.*\.[ch]$' | each grep -n 'zmq_msg_gets *(' /dev/null || true)
if [ "$(printf '%s' "$asked" | grep -c .)" -gt 1 ]; then refuse "zmq_msg_gets is called more than once: $asked"; fi
if [ -n "$asked" ] && ! printf '%s' "$asked" | grep -q '"User-Id"'; then
    refuse "zmq_msg_gets must ask for \"User-Id\", nothing else is authenticated: $asked"
fi

# A test is skipped for one reason only, and says so.
for file in $(in_tree '^tests/.*\.c$' | each grep -lE '(^|[^a-z_])skip\(\)' || true); do
    if ! grep -q 'skipped: needs \.\./shared' "$file" && ! grep -lq 'skipped: needs \.\./shared' "$(dirname "$file")"/*.h tests/harness/*.[ch] 2>/dev/null; then
        refuse "$file: skip() without the line 'skipped: needs ../shared'"
    fi
done

# Nothing of one machine, nothing secret, nothing built.
found=$(in_tree . | each grep -InE '(^|[^A-Za-z0-9_.*/:-])/(home|root|work|workspace|Users|mnt)/' /dev/null |
    grep -v '^ops/lint/shape\.sh:' || true)
if [ -n "$found" ]; then refuse "path of a machine: $found"; fi
found=$(in_tree . | each grep -IlE -e '-----BEGIN [A-Z ]*PRIVATE KEY|(AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}' /dev/null |
    grep -v '^ops/lint/shape\.sh$' || true)
if [ -n "$found" ]; then refuse "looks like a secret: $found"; fi
found=$(in_tree . | grep -v '^tests/.*seeds/' | each grep -LI '' || true)
for file in $found; do
    if [ -s "$file" ]; then refuse "$file is binary"; fi
done
for file in $(in_tree .); do
    if [ "$(wc -c <"$file")" -gt 2097152 ]; then refuse "$file is larger than 2 MiB"; fi
done
found=$(in_tree '\.(o|a|so|pb-c\.[ch])$')
if [ -n "$found" ]; then refuse "built files: $found"; fi
exit $bad
