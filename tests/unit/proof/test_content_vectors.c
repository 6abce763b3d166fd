// All of vectors.json: every tree, every proof, every refusal by its name.
#include "tests/unit/proof/content_tool.h"

// One line of the file; the file has one value or one proof a line.
struct line {
    const char *at;
    size_t len;
};

static bool
next_line(struct sg_slice *file, struct line *line)
{
    if (file->len == 0)
        return false;
    const uint8_t *end = memchr(file->ptr, '\n', file->len);
    line->len = end == NULL ? file->len : (size_t)(end - file->ptr);
    line->at = (const char *)file->ptr;
    const size_t used = line->len + (end != NULL);
    file->ptr += used;
    file->len -= used;
    return true;
}

// What stands behind "key": ; NULL: not on this line.
static const char *
value_of(struct line line, const char *key)
{
    char text[64];
    int len = snprintf(text, sizeof text, "\"%s\":", key);
    assert_true(len > 0 && (size_t)len < sizeof text);
    for (size_t i = 0; i + (size_t)len <= line.len; i++) {
        if (memcmp(line.at + i, text, (size_t)len) == 0)
            return line.at + i + len;
    }
    return NULL;
}

// A string at text; *text moves behind it.
static struct sg_slice
string_at(const char **text)
{
    assert_int_equal(**text, '"');
    const char *start = *text + 1, *end = strchr(start, '"');
    assert_non_null(end);
    *text = end + 1;
    return sg_slice_of(start, (size_t)(end - start));
}

static struct sg_slice
hex_of(struct sg_arena *arena, struct line line, const char *key)
{
    const char *text = value_of(line, key);
    assert_non_null(text);
    struct sg_slice digits = string_at(&text);
    return hex_len(arena, (const char *)digits.ptr, digits.len);
}

static size_t
hex_list(struct sg_arena *arena, const char *text, struct sg_slice *out,
         size_t cap)
{
    size_t n = 0;

    assert_int_equal(*text++, '[');
    while (*text == '"') {
        struct sg_slice digits = string_at(&text);
        assert_true(n < cap);
        out[n++] = hex_len(arena, (const char *)digits.ptr, digits.len);
        if (*text == ',')
            text++;
    }
    assert_int_equal(*text, ']');
    return n;
}

static struct sg_slice
read_vectors(struct sg_arena *arena)
{
    const char *shared = getenv("SG_SHARED");
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/examples/content-root/vectors.json",
                   shared == NULL ? "../shared" : shared);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        printf("skipped: needs ../shared\n");
        skip();
    }
    uint8_t *bytes = sg_arena_take(arena, 1u << 20);
    assert_non_null(bytes);
    size_t len = fread(bytes, 1, 1u << 20, file);
    fclose(file);
    assert_true(len > 1000 && len < 1u << 20);
    return sg_slice_of(bytes, len);
}

// The proofs named after a withheld set are the ones that we write.
static void
check_proof(struct tool_tree *tree, struct line line, unsigned *refused)
{
    struct sg_slice shown[64];
    const char *text = value_of(line, "disclosed"), *word;
    assert_non_null(text);
    const size_t count = hex_list(tree->arena, text, shown, 64);
    struct sg_slice proof = hex_of(tree->arena, line, "proof");
    text = value_of(line, "expect");
    assert_non_null(text);
    struct sg_slice want = string_at(&text);

    word = sg_content_result_name(tool_verify(tree->root, proof, shown, count));
    if (!sg_slice_eq(want, sg_slice_text(word)))
        fail_msg("n = %llu: %s instead of " SG_SLICE_FMT,
                 (unsigned long long)tree->count, word, SG_SLICE_ARG(want));
    if (strcmp(word, "OK") != 0) {
        (*refused)++;
        return;
    }
    bool withheld[64];
    size_t at = 0;
    for (size_t i = 0; i < tree->count; i++) {
        withheld[i] = at == count || !sg_slice_eq(tree->rows[i], shown[at]);
        at += !withheld[i];
    }
    assert_int_equal(at, count);
    struct sg_content_run runs[33];
    const size_t run_count = tool_runs(withheld, tree->count, runs);
    struct sg_slice made = tool_prove(tree, runs, run_count);
    assert_true(sg_slice_eq(made, proof));
}

static void
every_published_value_comes_out(void **state)
{
    struct sg_arena *arena = new_arena();
    struct tool_tree tree = {.arena = arena};
    struct sg_slice rows[64];
    struct line line;
    unsigned trees = 0, proofs = 0, refused = 0;
    struct sg_slice file = read_vectors(arena);

    (void)state;
    while (next_line(&file, &line)) {
        if (value_of(line, "n") != NULL && value_of(line, "seed") != NULL) {
            memcpy(tree.id, hex_of(arena, line, "id").ptr, 16);
            memcpy(tree.seed, hex_of(arena, line, "seed").ptr, 16);
        } else if (value_of(line, "tree") != NULL) {
            tool_build(&tree, NULL);
            assert_memory_equal(tree.root, hex_of(arena, line, "root").ptr, 32);
            trees++;
        } else if (value_of(line, "expect") != NULL) {
            check_proof(&tree, line, &refused);
            proofs++;
        } else if (value_of(line, "rows") != NULL && tree.seed[1] != 0) {
            tree.rows = rows;
            tree.count = hex_list(arena, value_of(line, "rows"), rows, 64);
        }
    }
    assert_int_equal(trees, 8);
    assert_int_equal(proofs, 620);
    assert_int_equal(refused, 572);
    sg_arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_published_value_comes_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
