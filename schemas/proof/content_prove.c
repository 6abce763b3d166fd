#include "schemas/proof/content_walk.h"

static const char magic[4] = {'S', 'G', 'R', '1'};

// ---- what goes in ----------------------------------------------------------

static enum sg_err
total_of(const struct sg_content_header *header, uint64_t *total)
{
    *total = 0;
    if (header->part_count > SG_LIMIT_ACTION_PARTS)
        return SG_ERR_FULL;
    for (size_t i = 0; i < header->part_count; i++) {
        if (header->parts[i].count > SG_LIMIT_LEAVES - *total)
            return SG_ERR_FULL;
        *total += header->parts[i].count;
    }
    return SG_OK;
}

// Ascending, not touching, not empty, inside.
static bool
runs_fit(const struct sg_content_run *runs, size_t count, uint64_t total)
{
    uint64_t place = 0;

    for (size_t i = 0; i < count; i++) {
        if (runs[i].count == 0 || runs[i].start < place + (i > 0) ||
            runs[i].start >= total || runs[i].count > total - runs[i].start)
            return false;
        place = runs[i].start + runs[i].count;
    }
    return true;
}

// No run at all may be NULL, to which nothing can be added.
static const struct sg_content_run *
end_of(const struct sg_content_run *runs, size_t count)
{
    return count == 0 ? runs : runs + count;
}

static struct sg_content_run
run_at(const struct sg_content_run *run, const struct sg_content_run *end)
{
    return run == end ? (struct sg_content_run){0, 0} : *run;
}

enum sg_err
sg_content_proof_len(const struct sg_content_header *header,
                     const struct sg_content_run *runs, size_t run_count,
                     uint64_t *len)
{
    const struct sg_content_run *run = runs, *end = end_of(runs, run_count);
    uint64_t total, place = 0;

    enum sg_err err = total_of(header, &total);
    if (err != SG_OK)
        return err;
    if (!runs_fit(runs, run_count, total))
        return SG_ERR_FORMAT;
    *len = sizeof magic + sg_content_header_len(header) +
           sg_content_walk_varint_len(run_count);
    for (size_t i = 0; i < run_count; i++) {
        *len += sg_content_walk_varint_len(runs[i].start - place) +
                sg_content_walk_varint_len(runs[i].count);
        place = runs[i].start + runs[i].count;
    }
    for (place = 0; place < total;) {
        const struct sg_content_span span =
            sg_content_walk_span(place, total, run_at(run, end));
        *len += span.withheld ? 32 : SG_CONTENT_SEED_LEN;
        place = span.last;
        if (run != end && place >= run->start + run->count)
            run++;
    }
    return SG_OK;
}

// ---- proving ---------------------------------------------------------------

// Nodes from place on, up to a withheld span, whose leaves are wanted first. The
// seed of the node that begins at place stands at level up.
static void
advance(struct sg_content_prover *p, unsigned up)
{
    p->span_last = 0;
    while (p->place < p->total) {
        while (p->run != p->run_end &&
               p->place >= p->run->start + p->run->count)
            p->run++;
        const struct sg_content_span span = sg_content_walk_span(
            p->place, p->total, run_at(p->run, p->run_end));
        sg_content_walk_descend(&p->seeds, up, span.level, p->place);
        if (span.withheld) {
            sg_content_walk_descend(&p->seeds, span.level, 0, p->place);
            sg_merkle_init(&p->span, SG_MERKLE_CONTENT);
            p->span_last = span.last;
            return;
        }
        sg_bytes_put(p->out, p->seeds.at[span.level], SG_CONTENT_SEED_LEN);
        p->place = span.last;
        if (p->place < p->total)
            up = sg_content_walk_next(&p->seeds, p->place);
    }
}

enum sg_err
sg_content_prove_begin(struct sg_content_prover *prover,
                       const struct sg_content_header *header,
                       const uint8_t seed[SG_CONTENT_SEED_LEN],
                       const struct sg_content_run *runs, size_t run_count,
                       struct sg_writer *out)
{
    uint64_t place = 0;

    *prover = (struct sg_content_prover){
        .run = runs, .run_end = end_of(runs, run_count), .out = out};
    enum sg_err err = total_of(header, &prover->total);
    if (err != SG_OK)
        return err;
    if (!runs_fit(runs, run_count, prover->total))
        return SG_ERR_FORMAT;
    sg_bytes_put(out, magic, sizeof magic);
    err = sg_content_header_encode(header, out);
    if (err != SG_OK)
        return err;
    sg_bytes_put_varint(out, run_count);
    for (size_t i = 0; i < run_count; i++) {
        sg_bytes_put_varint(out, runs[i].start - place);
        sg_bytes_put_varint(out, runs[i].count);
        place = runs[i].start + runs[i].count;
    }
    memcpy(prover->seeds.id, header->id, SG_CONTENT_ID_LEN);
    memcpy(prover->seeds.at[SG_MERKLE_DEPTH], seed, SG_CONTENT_SEED_LEN);
    const unsigned top = sg_content_walk_top(prover->total);
    sg_content_walk_descend(&prover->seeds, SG_MERKLE_DEPTH, top, 0);
    advance(prover, top);
    return SG_OK;
}

bool
sg_content_prove_next(const struct sg_content_prover *prover, uint64_t *number)
{
    *number = prover->place;
    return prover->span_last != 0;
}

void
sg_content_prove_add(struct sg_content_prover *prover, struct sg_slice leaf)
{
    uint8_t hash[32];
    unsigned up = 0;

    SG_ASSERT(prover->span_last != 0);
    sg_content_walk_leaf(prover->seeds.at[0], leaf, hash);
    enum sg_err err = sg_merkle_add(&prover->span, hash);
    SG_ASSERT(err == SG_OK); // a span has at most 2^40 leaves
    prover->place++;
    if (prover->place < prover->total)
        up = sg_content_walk_next(&prover->seeds, prover->place);
    if (prover->place < prover->span_last) {
        sg_content_walk_descend(&prover->seeds, up, 0, prover->place);
        return;
    }
    sg_merkle_root(&prover->span, hash);
    sg_bytes_put(prover->out, hash, sizeof hash);
    advance(prover, up);
}

enum sg_err
sg_content_prove_end(struct sg_content_prover *prover)
{
    sg_crypto_wipe(&prover->seeds, sizeof prover->seeds);
    if (prover->span_last != 0)
        return SG_ERR_SHORT;
    return prover->out->full ? SG_ERR_FULL : SG_OK;
}

// ---- the second look -------------------------------------------------------

struct look {
    const uint8_t *id;
    const struct sg_content_run *runs;
    size_t run_count;
    uint64_t total;
    struct sg_reader nodes;
};

// Withheld leaves among [first, last).
static uint64_t
hidden(const struct look *look, uint64_t first, uint64_t last)
{
    size_t low = 0, high = look->run_count;
    uint64_t count = 0;

    while (low < high) { // the first run that ends behind first
        const size_t middle = low + (high - low) / 2;
        const struct sg_content_run *run = &look->runs[middle];
        if (run->start + run->count <= first)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < look->run_count && look->runs[low].start < last; low++) {
        const struct sg_content_run *run = &look->runs[low];
        const uint64_t from = run->start > first ? run->start : first;
        const uint64_t end = run->start + run->count;
        count += (end < last ? end : last) - from;
    }
    return count;
}

// Half of a node of 32 bytes is a seed of this place or of one below it.
static bool
is_seed(const uint8_t *half, const uint8_t seed[SG_CONTENT_SEED_LEN],
        const uint8_t pair[2 * SG_CONTENT_SEED_LEN])
{
    return memcmp(half, seed, SG_CONTENT_SEED_LEN) == 0 ||
           memcmp(half, pair, SG_CONTENT_SEED_LEN) == 0 ||
           memcmp(half, pair + SG_CONTENT_SEED_LEN, SG_CONTENT_SEED_LEN) == 0;
}

static bool
look_at(struct look *look, unsigned level, uint64_t index,
        const uint8_t seed[SG_CONTENT_SEED_LEN])
{
    const uint64_t first = index << level;
    uint64_t last = first + (UINT64_C(1) << level);
    uint8_t pair[2 * SG_CONTENT_SEED_LEN] = {0};

    if (last > look->total)
        last = look->total;
    const uint64_t count = hidden(look, first, last);
    if (count == 0) {
        struct sg_slice node = sg_bytes_take(&look->nodes, SG_CONTENT_SEED_LEN);
        return !look->nodes.failed &&
               memcmp(node.ptr, seed, SG_CONTENT_SEED_LEN) == 0;
    }
    if (level > 0)
        sg_content_walk_split(look->id, level, index, seed, pair);
    if (count == last - first) {
        struct sg_slice node = sg_bytes_take(&look->nodes, 32);
        return !look->nodes.failed && !is_seed(node.ptr, seed, pair) &&
               !is_seed(node.ptr + SG_CONTENT_SEED_LEN, seed, pair);
    }
    if (!look_at(look, level - 1, 2 * index, pair))
        return false;
    return (2 * index + 1) << (level - 1) >= look->total ||
           look_at(look, level - 1, 2 * index + 1, pair + SG_CONTENT_SEED_LEN);
}

enum sg_err
sg_content_proof_check(struct sg_slice proof,
                       const uint8_t seed[SG_CONTENT_SEED_LEN],
                       const struct sg_content_run *runs, size_t run_count)
{
    static const uint8_t no_root[32];
    struct sg_content_verifier parsed;
    struct sg_content_run run = {0, 0};
    uint8_t at[2 * SG_CONTENT_SEED_LEN];

    if (sg_content_verify_begin(&parsed, no_root, proof) != SG_CONTENT_OK)
        return SG_ERR_CORRUPT;
    struct sg_slice rest = parsed.run_bytes;
    for (size_t i = 0; i < run_count; i++) {
        if (!sg_content_next_run(&rest, &run) || run.start != runs[i].start ||
            run.count != runs[i].count)
            return SG_ERR_CORRUPT;
    }
    if (sg_content_next_run(&rest, &run))
        return SG_ERR_CORRUPT;
    struct look look = {parsed.id, runs, run_count, parsed.total,
                        sg_reader_on(parsed.nodes)};
    bool fine = true;
    if (look.total > 0) {
        const unsigned top = sg_content_walk_top(look.total);
        memcpy(at, seed, SG_CONTENT_SEED_LEN);
        for (unsigned level = SG_MERKLE_DEPTH; level > top; level--)
            sg_content_walk_split(look.id, level, 0, at, at);
        fine = look_at(&look, top, 0, at);
        sg_crypto_wipe(at, sizeof at);
    }
    return fine && sg_bytes_end(&look.nodes) ? SG_OK : SG_ERR_CORRUPT;
}
