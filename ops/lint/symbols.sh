#!/bin/sh
# Purity, naming and linking, read from what was compiled, so that no macro
# can hide them.
#   ops/lint/symbols.sh BUILD/MODE
# 1. Pure folders call nothing but what is listed here.
# 2. x_y.c exports only sg_x_*: one module, one prefix.
# 3. A program holds nothing of the layers it must not have.
# 4. Only the object that defines sg_release_key can unwrap a content key.
# 5. A release build kept its hardening.
set -eu
build=$1
bad=0
refuse() {
    echo "symbols: $*"
    bad=1
}
objects() { # objects FOLDER...: objects of ours, without generated ones
    for folder in "$@"; do
        if [ -d "$build/$folder" ]; then
            find "$build/$folder" -name '*.o' ! -path '*/tests/*'
        fi
    done
}
names() { # names NM-FLAGS FILE...: "file name" a line
    flags=$1
    shift
    # $flags is a list of words on purpose.
    # shellcheck disable=SC2086
    if [ $# -gt 0 ]; then nm -A $flags "$@" 2>/dev/null; fi |
        sed -e 's/@.*//' -e 's/^\([^:]*\):.* \([^ ]*\)$/\1 \2/'
}

# ---- 1. purity ---------------------------------------------------------------
# Generated code of the pure folders is held to the same list. From
# __*_chk on: what compilers put there by themselves (clang makes bcmp of
# memcmp). protobuf_c_empty_string is a constant in the INIT of a message.
# shellcheck disable=SC2046
names -u $(objects broker/base schemas policy broker/core gen) | awk -v root="$build/" '
BEGIN {
    every = "^(sg_.*|sgpb_.*|mem(cpy|move|set|cmp|chr)|str(len|cmp|ncmp|chr)|v?snprintf" \
        "|__[a-z]*_chk|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|bcmp|__tls_get_addr|protobuf_c_empty_string" \
        "|__(asan|ubsan|tsan|gcov|llvm|sanitizer)_.*" \
        "|__cpu_(model|indicator_init|features2?)|__(popcount|clz|ctz|ffs|bswap|mul|div|udiv|mod|umod)[a-z]*[0-9])$"
    heap = "calloc|malloc|realloc|free"
    # What one object may have besides: its door, or the one duty of base.
    also["broker/base/arena.o"] = heap
    also["broker/base/pool.o"] = heap
    also["broker/base/table.o"] = heap "|XXH.*"
    also["broker/base/timers.o"] = heap
    also["broker/base/check.o"] = "abort|stderr|fflush|fputs|fprintf" # a bug stops
    crypto = heap "|EVP_.*|BN_.*|EC_.*|OSSL_.*|OPENSSL_.*|CRYPTO_.*|ERR_.*|RAND_.*|crypto_.*|sodium_.*"
    also["schemas/sdmx/xml.o"] = "XML_.*"
    also["schemas/sdmx/json_structure.o"] = "json_.*"
    also["schemas/codec/zstd.o"] = "ZSTD_.*"
    also["policy/consent_set.o"] = "roaring_.*|__assert_fail" # in its header
}
{
    object = $1
    if (index(object, root) == 1)
        object = substr(object, length(root) + 1)
    if ($2 ~ /^sg_os_/ || $2 ~ /^sg_log(_|$)/)
        ;
    else if ($2 ~ every)
        next
    else if (object in also && $2 ~ "^(" also[object] ")$")
        next
    else if (object ~ /^broker\/base\/crypto_[a-z_]*\.o$/ && $2 ~ "^(" crypto ")$")
        next
    else if (object ~ /^(schemas\/codec\/|gen\/schemas\/)/ && $2 ~ /^protobuf_c_/)
        next
    print "symbols: " object " calls " $2 ", but its folder is pure"
    bad = 1
}
END { exit bad }' || bad=1

# ---- 2. one module, one prefix -----------------------------------------------
# broker/os is one module in many files; statgate_* is the public face.
# shellcheck disable=SC2046
names '-g --defined-only' $(objects broker schemas policy adapters) | awk -v root="$build/" '
{
    object = $1
    if (index(object, root) == 1)
        object = substr(object, length(root) + 1)
    module = object
    sub(/.*\//, "", module)
    sub(/\.o$/, "", module)
    sub(/_.*/, "", module)
    if ($2 == "main" && module == "main")
        next
    if ($2 ~ /^__(odr_asan|asan|gcov|llvm)/ || $2 ~ /^DW\.ref\./)
        next
    want = "sg_" module
    if (object ~ /^broker\/os\// && module != "log")
        want = "sg_os_" module
    if ($2 == want || index($2, want "_") == 1)
        next
    if (object ~ /^adapters\/client\// && $2 ~ /^statgate_/)
        next
    print "symbols: " object " exports " $2 ", expected " want "_*"
    bad = 1
}
END { exit bad }' || bad=1

# ---- 3. what a program must not hold -----------------------------------------
holds_not() { # holds_not PROGRAM PATTERN WHY
    if [ ! -e "$build/$1" ]; then return 0; fi
    found=$(nm "$build/$1" 2>/dev/null | awk '{ print $NF }' | sed 's/@.*//' | grep -E "^($2)" | head -n 3 | tr '\n' ' ')
    if [ -n "$found" ]; then refuse "$1 holds ${found% }: $3"; fi
}
defined_in() { # defined_in ARCHIVE...: an alternation of its own global names
    for archive in "$@"; do
        if [ -e "$build/lib$archive.a" ]; then nm -g --defined-only "$build/lib$archive.a" 2>/dev/null; fi
    done | awk 'NF == 3 && $3 ~ /^sg_/ { printf "%s%s$", sep, $3; sep = "|" }'
}
holds_not statgated 'sg_csv_|sg_xml_|sg_ml[0-9]|sg_json_|XML_' 'the gate parses no SDMX'
holds_not statgate-inspect 'zmq_|mdb_|PQ' 'a worker has no network and no store'
holds_not statgate 'zmq_' 'the command line reaches a gate through libstatgate.so only'
foreign=$(defined_in policy evidence)
if [ -n "$foreign" ]; then
    holds_not libstatgate.so "$foreign" 'the library has no policy and no evidence'
fi
if [ -e "$build/libstatgate.so" ]; then
    stray=$(nm -D --defined-only "$build/libstatgate.so" | awk '{ print $NF }' | sed 's/@.*//' |
        grep -vE '^(statgate_.*|STATGATE_[0-9.]*)$' | head -n 3 | tr '\n' ' ')
    if [ -n "$stray" ]; then refuse "libstatgate.so exports $stray: only statgate_* is public"; fi
fi

# ---- 4. one place that yields a key ------------------------------------------
# shellcheck disable=SC2046
yields=$(names '-g --defined-only' $(objects broker adapters) | awk '$2 == "sg_release_key" { print $1 }')
# shellcheck disable=SC2086
if [ "$(echo $yields | wc -w)" -gt 1 ]; then refuse "sg_release_key is defined more than once:" $yields; fi
# shellcheck disable=SC2046
for object in $(names -u $(objects broker adapters) | awk '$2 == "sg_keys_unwrap" { print $1 }'); do
    if [ "$object" != "$yields" ]; then
        refuse "${object#"$build/"} calls sg_keys_unwrap: only sg_release_key yields a content key"
    fi
done

# ---- 5. hardening ------------------------------------------------------------
case $build in
*/release)
    for program in statgated statgate-inspect statgate libstatgate.so; do
        if [ ! -e "$build/$program" ]; then continue; fi
        told=$(readelf -hldW "$build/$program")
        case $told in *GNU_RELRO*) ;; *) refuse "$program: no RELRO" ;; esac
        case $told in *BIND_NOW* | *"Flags: NOW"*) ;; *) refuse "$program: not bound at start" ;; esac
        case $told in *"Type:"*"DYN ("*) ;; *) refuse "$program: not position independent" ;; esac
        if echo "$told" | grep -q 'GNU_STACK.* RWE '; then refuse "$program: executable stack"; fi
    done
    ;;
esac
exit $bad
