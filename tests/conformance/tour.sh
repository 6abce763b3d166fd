#!/bin/sh
# The tour of README.md, as it stands there: every command of the part between
# the two marks must do its work.
# usage: tour.sh STATGATE
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
statgate=${1:?usage: tour.sh STATGATE}
programs=$(cd "$(dirname "$statgate")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/tree/build" "$work/share"
ln -s "$here/schemas" "$work/tree/schemas"
ln -s "$here/policy" "$work/tree/policy"
ln -s "$here/schemas/sdg" "$work/share/sdg"
sed -n '/^<!-- tour: begin -->/,/^<!-- tour: end -->/p' "$here/README.md" |
    grep -v -e '^<!--' -e '^```' >"$work/tour.sh"
[ -s "$work/tour.sh" ] || { echo "FAIL the README has no tour"; exit 1; }
# What must be seen in what it prints, in this order.
cat >"$work/wanted" <<'END'
accepted
FR_INSEE
signed
permit
entries
END
status=0
(
    cd "$work/tree"
    PATH=$programs:$PATH STATGATE_SHARE=$work/share STATGATE_HOME=$work/none
    export PATH STATGATE_SHARE STATGATE_HOME
    timeout 120 sh -eu "$work/tour.sh"
) >"$work/out" 2>&1 || status=$?
if [ "$status" = 0 ]; then
    echo "ok   every command of the tour does its work"
else
    echo "FAIL a command of the tour ended with $status"
fi
failed=$status
while read -r word; do
    if grep -qi "$word" "$work/out"; then
        echo "ok   the tour shows \"$word\""
    else
        echo "FAIL the tour does not show \"$word\""
        failed=1
    fi
done <"$work/wanted"
[ "$failed" = 0 ] || { cat "$work/out"; exit 1; }
