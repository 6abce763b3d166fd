# The shape of sources: sizes, forbidden words and calls.
#   awk -f ops/lint/shape.awk FILE...         paths from the root
# Limits: a function 70 lines, a file 800, a line 100 columns without the text
# in quotes, which nobody should wrap (clang-format keeps C at 80 where it
# can). What is over a limit has two nouns in it. Tables are no logic: rows
# under "clang-format off" may be wide, rows of a constant in a function are
# not counted.
BEGIN {
    function_most = 70
    file_most = 800
    line_most = 100
    # Unbounded, stateful or locale-bound calls; each has a better one. Tests
    # may: their bytes are their own, and AddressSanitizer watches.
    banned = "strcpy strcat sprintf vsprintf strtok atoi atol atoll gets " \
        "gmtime localtime asctime ctime rand srand tmpnam mktemp alloca system popen"
}
function fail(why) {
    printf "%s:%d: shape: %s\n", FILENAME, FNR, why
    bad = 1
}
function calls(line, list,    name, n, i) {
    n = split(list, name, " ")
    for (i = 1; i <= n; i++)
        if (line ~ "(^|[^A-Za-z0-9_>.])" name[i] "[ \t]*\\(")
            fail(name[i] "() is not used here")
}
FNR == 1 {
    sub(/^\.\//, "", FILENAME)
    is_c = FILENAME ~ /\.[chy]$/ || FILENAME ~ /\.re$/
    is_code = is_c || FILENAME ~ /\.(sh|awk|proto|policy|mk|py)$/ || \
        FILENAME ~ /(^|\/)Makefile$/ || FILENAME ~ /^(ops\/[a-z-]*|\.ci\/run)$/
    named = table = wide = 0
}
is_code && FNR == file_most + 1 { fail("the file is longer than " file_most " lines") }
is_code {
    if ($0 ~ /(^|[^A-Za-z_])(TO[D]O|FIX[M]E|X[X]X|HA[C]K)([^A-Za-z_]|$)/)
        fail("a note to come back is work for now")
}
is_c {
    code = $0
    gsub(/"([^"\\]|\\.)*"/, "\"\"", code)
    columns = code
    gsub(/[\200-\277]/, "", columns) # of UTF-8 the first byte counts
    sub(/[ \t]*\\$/, "", columns)     # a table in a macro
    if (code ~ /clang-format off/)
        wide = 1
    else if (code ~ /clang-format on/)
        wide = 0
    if (!wide && length(columns) > line_most)
        fail("the line is longer than " line_most " columns")
    sub(/\/\/.*/, "", code)
    if (FILENAME !~ /^tests\//)
        calls(code, banned)
    if (code ~ /^[a-z_][A-Za-z0-9_]*\(/) {
        named = FNR
        rows = 0
        sub(/\(.*/, "", code)
        name = code
    } else if (code ~ /^}/ && named > 0) {
        if (FNR - named + 1 - rows > function_most)
            fail(name " is longer than " function_most " lines")
        named = 0
    } else if (code ~ /^    (static )?const .*= \{$/ || code ~ /^    } [a-z_]*\[\] = \{$/) {
        table = FNR
    } else if (code ~ /^    };$/ && table > 0) {
        rows += FNR - table
        table = 0
    }
}
END { exit bad }
