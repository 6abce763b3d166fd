#include "schemas/proof/content_walk.h"

static const char magic[4] = {'S', 'G', 'R', '1'};

enum { SUITE = 1, VARINT_BITS = 63 };

// ---- strict reading --------------------------------------------------------

// A cursor that keeps the first fault.
struct cursor {
    struct sg_slice left;
    enum sg_content_result failed;
};

static struct sg_slice
take(struct cursor *c, size_t len)
{
    if (c->failed == SG_CONTENT_OK && len > c->left.len)
        c->failed = SG_CONTENT_SHORT;
    if (c->failed != SG_CONTENT_OK)
        return (struct sg_slice){NULL, 0};
    struct sg_slice out = {c->left.ptr, len};
    c->left.ptr += len;
    c->left.len -= len;
    return out;
}

static uint8_t
take_byte(struct cursor *c)
{
    struct sg_slice byte = take(c, 1);

    return byte.len == 0 ? 0 : byte.ptr[0];
}

// LEB128 in its shortest form, at most limit.
static uint64_t
take_varint(struct cursor *c, uint64_t limit)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < VARINT_BITS; shift += 7) {
        const uint8_t byte = take_byte(c);
        if (c->failed != SG_CONTENT_OK)
            return 0;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) != 0)
            continue;
        if (shift > 0 && byte == 0)
            c->failed = SG_CONTENT_FORMAT;
        else if (value > limit)
            c->failed = SG_CONTENT_LIMIT;
        return c->failed == SG_CONTENT_OK ? value : 0;
    }
    c->failed = SG_CONTENT_FORMAT;
    return 0;
}

static void
wrong_unless(struct cursor *c, bool right)
{
    if (c->failed == SG_CONTENT_OK && !right)
        c->failed = SG_CONTENT_FORMAT;
}

static struct sg_content_component
take_component(struct cursor *c)
{
    struct sg_content_component component = {.kind = take_byte(c)};

    wrong_unless(c, (component.kind & 0x0f) <= SG_CONTENT_ATTRIBUTE &&
                        component.kind < 0x40);
    const uint64_t len = take_varint(c, SG_CONTENT_NAME_MAX);
    wrong_unless(c, len > 0);
    component.id = take(c, (size_t)len);
    return component;
}

static struct sg_content_part
take_part(struct cursor *c, uint64_t limit)
{
    struct sg_content_part part = {.action = take_byte(c)};

    wrong_unless(c, part.action == 'M' || part.action == 'R' ||
                        part.action == 'D');
    part.count = take_varint(c, limit);
    wrong_unless(c, part.count > 0);
    return part;
}

// From start to where the cursor stands.
static struct sg_slice
taken_since(const struct cursor *c, struct sg_slice start)
{
    return sg_slice_of(start.ptr, start.len - c->left.len);
}

static void
take_header(struct cursor *c, struct sg_content_verifier *v)
{
    const struct sg_slice start = c->left;
    uint8_t action = 0;

    wrong_unless(c, take_byte(c) == SUITE);
    v->level = take_byte(c);
    wrong_unless(c, v->level <= SG_CONTENT_ROW);
    struct sg_slice id = take(c, SG_CONTENT_ID_LEN);
    if (c->failed == SG_CONTENT_OK)
        memcpy(v->id, id.ptr, SG_CONTENT_ID_LEN);

    const uint64_t components = take_varint(c, SG_LIMIT_COMPONENTS);
    struct sg_slice from = c->left;
    for (uint64_t i = 0; i < components && c->failed == SG_CONTENT_OK; i++)
        (void)take_component(c);
    v->components = taken_since(c, from);

    const uint64_t parts = take_varint(c, SG_LIMIT_ACTION_PARTS);
    from = c->left;
    for (uint64_t i = 0; i < parts && c->failed == SG_CONTENT_OK; i++) {
        struct sg_content_part part = take_part(c, SG_LIMIT_LEAVES - v->total);
        wrong_unless(c, part.action != action); // parts are maximal runs
        action = part.action;
        v->total += part.count;
    }
    v->parts = taken_since(c, from);
    // Level file is one leaf and nothing else.
    wrong_unless(c, v->level != SG_CONTENT_FILE ||
                        (components == 0 && v->total == 1 && action == 'M'));
    v->header = taken_since(c, start);
}

static struct sg_content_run
take_run(struct cursor *c, struct sg_content_run before, uint64_t total)
{
    const bool first = before.count == 0;
    const uint64_t place = before.start + before.count;
    const uint64_t gap = take_varint(c, total - place);
    struct sg_content_run run = {place + gap, 0};

    run.count = take_varint(c, total - run.start);
    wrong_unless(c, run.count > 0 && (first || gap > 0));
    return run;
}

static void
take_runs(struct cursor *c, struct sg_content_verifier *v)
{
    struct sg_content_run run = {0, 0};
    // A run has two bytes at least; what is left bounds their number.
    const uint64_t count = take_varint(c, c->left.len / 2);
    const struct sg_slice start = c->left;

    for (uint64_t i = 0; i < count && c->failed == SG_CONTENT_OK; i++) {
        run = take_run(c, run, v->total);
        v->withheld += run.count;
    }
    v->run_bytes = v->runs = taken_since(c, start);
}

bool
sg_content_next_component(struct sg_slice *at,
                          struct sg_content_component *component)
{
    struct cursor c = {*at, SG_CONTENT_OK};

    if (at->len == 0)
        return false;
    *component = take_component(&c);
    *at = c.left;
    return c.failed == SG_CONTENT_OK;
}

bool
sg_content_next_part(struct sg_slice *at, struct sg_content_part *part)
{
    struct cursor c = {*at, SG_CONTENT_OK};

    if (at->len == 0)
        return false;
    *part = take_part(&c, SG_LIMIT_LEAVES);
    *at = c.left;
    return c.failed == SG_CONTENT_OK;
}

bool
sg_content_next_run(struct sg_slice *at, struct sg_content_run *run)
{
    struct cursor c = {*at, SG_CONTENT_OK};

    if (at->len == 0)
        return false;
    *run = take_run(&c, *run, SG_LIMIT_LEAVES);
    *at = c.left;
    return c.failed == SG_CONTENT_OK;
}

// ---- the walk --------------------------------------------------------------

// The first withheld run that ends behind place, from bytes checked before.
static void
run_reach(struct sg_content_verifier *v)
{
    while (v->place >= v->run.start + v->run.count) {
        if (!sg_content_next_run(&v->runs, &v->run)) {
            v->run = (struct sg_content_run){0, 0};
            return;
        }
    }
}

static void
add_withheld(struct sg_content_verifier *v, struct sg_content_span span,
             struct sg_slice node)
{
    if (!span.whole) {
        memcpy(v->tail, node.ptr, sizeof v->tail);
        v->has_tail = true;
        return;
    }
    enum sg_err err = sg_merkle_add_subtree(&v->tree, span.level, node.ptr);
    SG_ASSERT(err == SG_OK); // total is within the limit
}

// Takes withheld spans, up to the next disclosed one or the end.
static enum sg_content_result
advance(struct sg_content_verifier *v)
{
    struct cursor c = {v->nodes, SG_CONTENT_OK};

    while (v->place < v->total) {
        run_reach(v);
        const struct sg_content_span span =
            sg_content_walk_span(v->place, v->total, v->run);
        struct sg_slice node =
            take(&c, span.withheld ? 32 : SG_CONTENT_SEED_LEN);
        if (c.failed != SG_CONTENT_OK)
            return c.failed;
        v->nodes = c.left;
        if (!span.withheld) {
            memcpy(v->seeds.at[span.level], node.ptr, SG_CONTENT_SEED_LEN);
            sg_content_walk_descend(&v->seeds, span.level, 0, v->place);
            v->span_last = span.last;
            return SG_CONTENT_OK;
        }
        add_withheld(v, span, node);
        v->place = span.last;
    }
    return SG_CONTENT_OK;
}

enum sg_content_result
sg_content_verify_begin(struct sg_content_verifier *verifier,
                        const uint8_t root[32], struct sg_slice proof)
{
    struct cursor c = {proof, SG_CONTENT_OK};

    *verifier = (struct sg_content_verifier){0};
    memcpy(verifier->root, root, 32);
    struct sg_slice front = take(&c, sizeof magic);
    if (c.failed == SG_CONTENT_OK)
        wrong_unless(&c, memcmp(front.ptr, magic, sizeof magic) == 0);
    take_header(&c, verifier);
    take_runs(&c, verifier);
    verifier->failed = c.failed;
    if (c.failed != SG_CONTENT_OK) {
        verifier->total = verifier->withheld = 0; // nothing of it is believed
        return c.failed;
    }
    verifier->disclosed = verifier->total - verifier->withheld;
    verifier->nodes = c.left;
    memcpy(verifier->seeds.id, verifier->id, SG_CONTENT_ID_LEN);
    sg_merkle_init(&verifier->tree, SG_MERKLE_CONTENT);
    return SG_CONTENT_OK;
}

enum sg_content_result
sg_content_verify_add(struct sg_content_verifier *verifier,
                      struct sg_slice leaf)
{
    uint8_t hash[32];

    if (verifier->failed != SG_CONTENT_OK)
        return verifier->failed;
    if (verifier->given == verifier->disclosed)
        return verifier->failed = SG_CONTENT_COUNT;
    if (verifier->place >= verifier->span_last) {
        verifier->failed = advance(verifier);
        if (verifier->failed != SG_CONTENT_OK)
            return verifier->failed;
    }
    sg_content_walk_leaf(verifier->seeds.at[0], leaf, hash);
    enum sg_err err = sg_merkle_add(&verifier->tree, hash);
    SG_ASSERT(err == SG_OK); // total is within the limit
    verifier->given++;
    verifier->place++;
    if (verifier->place < verifier->span_last) {
        const unsigned up =
            sg_content_walk_next(&verifier->seeds, verifier->place);
        sg_content_walk_descend(&verifier->seeds, up, 0, verifier->place);
    }
    return SG_CONTENT_OK;
}

// Hash of the whole tree; a tail is the rightmost subtree of all.
static void
tree_hash(const struct sg_content_verifier *v, uint8_t out[32])
{
    if (!v->has_tail) {
        sg_merkle_root(&v->tree, out);
        return;
    }
    memcpy(out, v->tail, 32);
    for (unsigned level = 0; level <= SG_MERKLE_DEPTH; level++) {
        if ((v->tree.count >> level & 1) != 0)
            sg_merkle_node(SG_MERKLE_CONTENT, v->tree.nodes[level], out, out);
    }
}

enum sg_content_result
sg_content_verify_end(struct sg_content_verifier *verifier)
{
    uint8_t hash[32];

    if (verifier->failed != SG_CONTENT_OK)
        return verifier->failed;
    if (verifier->given != verifier->disclosed)
        return verifier->failed = SG_CONTENT_COUNT;
    verifier->failed = advance(verifier); // spans withheld at the end
    if (verifier->failed != SG_CONTENT_OK)
        return verifier->failed;
    if (verifier->nodes.len > 0)
        return verifier->failed = SG_CONTENT_LONG;
    tree_hash(verifier, hash);
    sg_content_seal(verifier->header, hash, hash);
    if (memcmp(hash, verifier->root, sizeof hash) != 0)
        return verifier->failed = SG_CONTENT_MISMATCH;
    return SG_CONTENT_OK;
}
