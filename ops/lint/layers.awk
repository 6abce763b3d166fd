# Who may include whom, and which header has which door.
#   awk -f ops/lint/layers.awk FILE...        paths from the root
# A file belongs to the longest folder below that starts its path. What is not
# named here is refused: a new folder, or a new foreign header, needs a row.
BEGIN {
    # A word allows that folder and those in it, or, ending in .h, that file;
    # "!" takes away again.
    row("broker/base", "broker/base")
    row("broker/os", "broker/base broker/os")
    row("schemas", "broker/base schemas")
    row("schemas/vocabulary", "broker/base schemas/vocabulary")
    row("schemas/codec", "broker/base schemas")
    row("schemas/sdmx", "broker/base schemas")
    row("schemas/proof", "broker/base schemas")
    # Workers link disclosure without the language.
    row("policy/disclosure", "broker/base schemas policy/disclosure")
    row("policy", "broker/base schemas policy")
    # The gate parses no SDMX: neither the core nor the rest of statgated.
    row("broker/core", "broker/base schemas !schemas/sdmx policy broker/core")
    row("broker/evidence", "broker/base broker/os schemas !schemas/sdmx " \
        "broker/evidence")
    row("broker/inspect/worker", "broker/base broker/os schemas " \
        "policy/disclosure broker/inspect/worker")
    gate = "broker/base broker/os schemas !schemas/sdmx policy broker " \
        "!broker/inspect/worker"
    row("broker/inspect", gate)
    row("broker", gate)
    row("adapters/client", "broker/base broker/os schemas adapters/client")
    # Evidence: `statgate log verify` reads a folder of segments with no gate.
    row("adapters/cli", "broker/base broker/os schemas policy adapters/cli " \
        "adapters/client/statgate.h broker/evidence")
    row("adapters/edge", "broker/base broker/os schemas adapters/edge " \
        "adapters/client/statgate.h")
    row("adapters/folder", "broker/base broker/os schemas adapters/folder " \
        "adapters/client/statgate.h")
    row("adapters", "broker/base broker/os schemas adapters/client/statgate.h")
    row("ops", "broker schemas policy adapters ops")
    row("tests", "broker schemas policy adapters ops tests")

    # ---- headers in angle brackets ------------------------------------------
    # Free everywhere: no effects. stdio.h is for snprintf; what a pure folder
    # really calls is read from its objects by ops/lint/symbols.sh.
    n = split("stdbool.h stddef.h stdint.h stdarg.h stdalign.h stdnoreturn.h " \
        "limits.h inttypes.h string.h stdio.h", word, " ")
    for (i = 1; i <= n; i++)
        free[word[i]] = 1
    # Vector instructions of the compiler.
    door("[a-z]*mmintrin.h", "^(broker/base|schemas|policy)/")
    door("immintrin.h", "^(broker/base|schemas|policy)/")

    # Foreign libraries.
    door("zmq.h", "^(broker/(wire_zmq|zap)|adapters/client/wire_zmq)\\.c$")
    door("openssl/.*", "^broker/base/crypto_[a-z_]*\\.[ch]$")
    door("sodium.h", "^broker/base/crypto_[a-z_]*\\.[ch]$")
    door("xxhash.h", "^broker/base/table\\.c$")
    door("protobuf-c/.*", "^schemas/codec/")
    door("expat.h", "^schemas/sdmx/xml\\.c$")
    door("jansson.h", "^(schemas/sdmx/json_structure\\.c$|adapters/)")
    door("zstd.h", "^schemas/codec/zstd\\.c$")
    door("roaring/.*", "^policy/consent_set\\.c$")
    door("lmdb.h", "^broker/evidence/index\\.c$")
    door("microhttpd.h", "^adapters/edge/http\\.c$")
    door("libpq-fe.h", "^(broker/engine_postgres|adapters/sink_postgres)\\.c$")

    # The system. Clock, files, sockets and processes live in broker/os; the
    # loosest doors are those whose calls change nothing by themselves.
    shell = "broker/os/|broker/evidence/|broker/inspect/|adapters/"
    sandbox = "broker/inspect/worker/sandbox\\.c$"
    door("stdlib.h", "^(broker/base/|broker/[a-z_]*\\.[ch]$|" shell "|ops/)")
    door("errno.h", "^(broker/[a-z_]*\\.c$|" shell ")")
    door("unistd.h", "^(broker/[a-z_]*\\.c$|" shell ")")
    door("stdatomic.h", "^(broker/[a-z_]*\\.[ch]$|" shell ")")
    door("malloc.h", "^broker/(wire_guard|wire_zmq|os/.*)\\.c$") # malloc_trim, usable
    door("pthread.h", "^broker/(env_local|zap|evidence/writer)\\.c$")
    door("dirent.h", "^broker/(os|evidence)/")
    door("sys/(stat|statvfs|uio).h", "^broker/(os|evidence)/")
    door("sys/(mman|prctl|resource).h", "^(broker/os/|" sandbox ")")
    door("sys/syscall.h", "^" sandbox)
    door("linux/.*", "^" sandbox)
    door("(fcntl|time|poll|signal|spawn|ftw|sched).h", "^broker/os/")
    door("sys/(socket|un|file|random|types|wait|time|select|epoll).h", \
        "^broker/os/")
    # The writer wakes the loop with it.
    door("sys/eventfd.h", "^broker/(os/|evidence/writer\\.c$)")
}
function row(folder, words) { may[folder] = words }
function door(header, files) {
    gsub(/\./, "\\.", header)
    gsub(/\/\\\.\*/, "/.*", header) # "openssl/.*" keeps its pattern
    of["^" header "$"] = files
}
function folder_of(path,    f, best) {
    for (f in may)
        if (index(path, f "/") == 1 && length(f) > length(best))
            best = f
    return best
}
function covers(word, path) {
    return word == path || index(path, word "/") == 1
}
function allowed(words, path,    word, i, n, yes) {
    n = split(words, word, " ")
    for (i = 1; i <= n; i++) {
        if (substr(word[i], 1, 1) != "!")
            yes = yes || covers(word[i], path)
        else if (covers(substr(word[i], 2), path))
            return 0
    }
    return yes
}
function fail(why) {
    printf "%s:%d: layers: %s\n", FILENAME, FNR, why
    bad = 1
}
FNR == 1 {
    sub(/^\.\//, "", FILENAME)
    mine = folder_of(FILENAME)
    if (mine == "")
        fail("lies in no folder of the table")
}
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, part, "\"")
    to = folder_of(part[2])
    if (to == "")
        fail("include \"" part[2] "\" by its path from the root")
    else if (!allowed(may[mine], part[2]))
        fail(mine "/ may not include \"" part[2] "\"")
}
/^[ \t]*#[ \t]*include[ \t]*</ && mine != "tests" && mine != "ops" {
    split($0, part, /[<>]/)
    if (part[2] in free)
        next
    known = 0
    for (header in of)
        if (part[2] ~ header) {
            known = 1
            if (FILENAME !~ of[header])
                fail("<" part[2] "> has its door elsewhere: " of[header])
        }
    if (!known)
        fail("<" part[2] "> has no door")
}
END { exit bad }
