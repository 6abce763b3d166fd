#include "schemas/proof/content.h"

#include "schemas/proof/content_walk.h"

enum { SUITE = 1, TAG_ROOT = 0x12, FILE_HEADER_LEN = 18 + 2 + 2 };

struct result_row {
    const char *name, *sentence;
};

static const struct result_row *
row_of(enum sg_content_result result)
{
    static const struct result_row rows[] = {
#define X(name, word, sentence) [SG_CONTENT_##name] = {word, sentence},
        SG_CONTENT_RESULTS(X)
#undef X
    };

    SG_ASSERT((unsigned)result < SG_COUNT_OF(rows));
    return &rows[result];
}

const char *
sg_content_result_name(enum sg_content_result result)
{
    return row_of(result)->name;
}

const char *
sg_content_result_sentence(enum sg_content_result result)
{
    return row_of(result)->sentence;
}

enum sg_err
sg_content_result_err(enum sg_content_result result)
{
    switch (result) {
    case SG_CONTENT_OK:
        return SG_OK;
    case SG_CONTENT_SHORT:
        return SG_ERR_SHORT;
    case SG_CONTENT_LIMIT:
        return SG_ERR_FULL;
    case SG_CONTENT_COUNT:
    case SG_CONTENT_MISMATCH:
        return SG_ERR_CONTENT;
    case SG_CONTENT_LONG:
    case SG_CONTENT_FORMAT:
        break;
    }
    return SG_ERR_FORMAT;
}

// ---- header ----------------------------------------------------------------

static bool
is_action(uint8_t action)
{
    return action == 'M' || action == 'R' || action == 'D';
}

static enum sg_err
components_fit(const struct sg_content_header *header)
{
    if (header->component_count > SG_LIMIT_COMPONENTS)
        return SG_ERR_FULL;
    for (size_t i = 0; i < header->component_count; i++) {
        const struct sg_content_component *c = &header->components[i];
        if ((c->kind & 0x0f) > SG_CONTENT_ATTRIBUTE || c->kind >= 0x40 ||
            c->id.len == 0 || c->id.len > SG_CONTENT_NAME_MAX)
            return SG_ERR_FORMAT;
    }
    return SG_OK;
}

static enum sg_err
parts_fit(const struct sg_content_header *header)
{
    uint64_t total = 0;

    if (header->part_count > SG_LIMIT_ACTION_PARTS)
        return SG_ERR_FULL;
    for (size_t i = 0; i < header->part_count; i++) {
        const struct sg_content_part *part = &header->parts[i];
        if (!is_action(part->action) || part->count == 0 ||
            (i > 0 && part->action == part[-1].action))
            return SG_ERR_FORMAT;
        if (part->count > SG_LIMIT_LEAVES - total)
            return SG_ERR_FULL;
        total += part->count;
    }
    return SG_OK;
}

enum sg_err
sg_content_header_encode(const struct sg_content_header *header,
                         struct sg_writer *out)
{
    enum sg_err err = components_fit(header);
    if (err == SG_OK)
        err = parts_fit(header);
    if (err == SG_OK && header->level > SG_CONTENT_ROW)
        err = SG_ERR_FORMAT;
    if (err != SG_OK)
        return err;
    sg_bytes_put_u8(out, SUITE);
    sg_bytes_put_u8(out, header->level);
    sg_bytes_put(out, header->id, SG_CONTENT_ID_LEN);
    sg_bytes_put_varint(out, header->component_count);
    for (size_t i = 0; i < header->component_count; i++) {
        sg_bytes_put_u8(out, header->components[i].kind);
        sg_bytes_put_varint(out, header->components[i].id.len);
        sg_bytes_put(out, header->components[i].id.ptr,
                     header->components[i].id.len);
    }
    sg_bytes_put_varint(out, header->part_count);
    for (size_t i = 0; i < header->part_count; i++) {
        sg_bytes_put_u8(out, header->parts[i].action);
        sg_bytes_put_varint(out, header->parts[i].count);
    }
    return SG_OK;
}

size_t
sg_content_header_len(const struct sg_content_header *header)
{
    size_t len = 2 + SG_CONTENT_ID_LEN +
                 sg_content_walk_varint_len(header->component_count) +
                 sg_content_walk_varint_len(header->part_count);

    for (size_t i = 0; i < header->component_count; i++) {
        const size_t id_len = header->components[i].id.len;
        len += 1 + sg_content_walk_varint_len(id_len) + id_len;
    }
    for (size_t i = 0; i < header->part_count; i++)
        len += 1 + sg_content_walk_varint_len(header->parts[i].count);
    return len;
}

void
sg_content_seal(struct sg_slice header, const uint8_t tree[32],
                uint8_t root[32])
{
    const uint8_t tag = TAG_ROOT;
    const struct sg_slice parts[] = {{&tag, 1}, header, {tree, 32}};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), root);
}

// ---- building --------------------------------------------------------------

static void
seeds_at_leaf_0(struct sg_content_seeds *seeds,
                const uint8_t id[SG_CONTENT_ID_LEN],
                const uint8_t seed[SG_CONTENT_SEED_LEN])
{
    memcpy(seeds->id, id, SG_CONTENT_ID_LEN);
    memcpy(seeds->at[SG_MERKLE_DEPTH], seed, SG_CONTENT_SEED_LEN);
    sg_content_walk_descend(seeds, SG_MERKLE_DEPTH, 0, 0);
}

void
sg_content_begin(struct sg_content_builder *builder,
                 const uint8_t id[SG_CONTENT_ID_LEN],
                 const uint8_t seed[SG_CONTENT_SEED_LEN],
                 struct sg_content_part *parts, size_t part_cap)
{
    *builder = (struct sg_content_builder){.parts = parts};
    builder->part_cap =
        part_cap < SG_LIMIT_ACTION_PARTS ? part_cap : SG_LIMIT_ACTION_PARTS;
    sg_merkle_init(&builder->tree, SG_MERKLE_CONTENT);
    seeds_at_leaf_0(&builder->seeds, id, seed);
}

// Counts the next leaf into the part of its action.
static enum sg_err
count_part(struct sg_content_builder *b, uint8_t action)
{
    if (!is_action(action))
        return SG_ERR_FORMAT;
    if (b->part_count == 0 || b->parts[b->part_count - 1].action != action) {
        if (b->part_count == b->part_cap)
            return SG_ERR_FULL;
        b->parts[b->part_count++] = (struct sg_content_part){action, 0};
    }
    b->parts[b->part_count - 1].count++;
    return SG_OK;
}

enum sg_err
sg_content_add(struct sg_content_builder *builder, uint8_t action,
               struct sg_slice leaf)
{
    uint8_t hash[32];

    if (builder->tree.count == SG_LIMIT_LEAVES)
        return SG_ERR_FULL;
    enum sg_err err = count_part(builder, action);
    if (err != SG_OK)
        return err;
    sg_content_walk_leaf(builder->seeds.at[0], leaf, hash);
    err = sg_merkle_add(&builder->tree, hash);
    if (err == SG_OK && builder->tree.count < SG_LIMIT_LEAVES) {
        const uint64_t next = builder->tree.count;
        const unsigned up = sg_content_walk_next(&builder->seeds, next);
        sg_content_walk_descend(&builder->seeds, up, 0, next);
    }
    return err;
}

enum sg_err
sg_content_root(const struct sg_content_builder *builder,
                enum sg_content_level level,
                const struct sg_content_component *components,
                size_t component_count, struct sg_arena *arena,
                uint8_t root[32])
{
    struct sg_content_header header = {.level = (uint8_t)level,
                                       .components = components,
                                       .component_count = component_count,
                                       .parts = builder->parts,
                                       .part_count = builder->part_count};
    uint8_t tree[32];

    if (component_count > SG_LIMIT_COMPONENTS)
        return SG_ERR_FULL;
    memcpy(header.id, builder->seeds.id, SG_CONTENT_ID_LEN);
    const size_t len = sg_content_header_len(&header);
    uint8_t *bytes = sg_arena_take(arena, len);
    if (bytes == NULL)
        return SG_ERR_FULL;
    struct sg_writer w = sg_writer_on(bytes, len);
    enum sg_err err = sg_content_header_encode(&header, &w);
    if (err != SG_OK)
        return err;
    SG_ASSERT(!w.full && w.len == len);
    sg_merkle_root(&builder->tree, tree);
    sg_content_seal(sg_writer_slice(&w), tree, root);
    return SG_OK;
}

void
sg_content_end(struct sg_content_builder *builder)
{
    sg_crypto_wipe(&builder->seeds, sizeof builder->seeds);
}

// ---- level file ------------------------------------------------------------

void
sg_content_file_begin_shown(struct sg_sha256 *hash,
                            const uint8_t leaf_seed[SG_CONTENT_SEED_LEN])
{
    static const uint8_t tag = SG_MERKLE_CONTENT;

    sg_crypto_sha256_init(hash);
    sg_crypto_sha256_add(hash, &tag, 1);
    sg_crypto_sha256_add(hash, leaf_seed, SG_CONTENT_SEED_LEN);
}

void
sg_content_file_begin(struct sg_sha256 *hash,
                      const uint8_t id[SG_CONTENT_ID_LEN],
                      const uint8_t seed[SG_CONTENT_SEED_LEN])
{
    struct sg_content_seeds seeds;

    seeds_at_leaf_0(&seeds, id, seed);
    sg_content_file_begin_shown(hash, seeds.at[0]);
    sg_crypto_wipe(&seeds, sizeof seeds);
}

void
sg_content_file_end(struct sg_sha256 *hash, const uint8_t id[SG_CONTENT_ID_LEN],
                    uint8_t root[32])
{
    static const struct sg_content_part whole = {'M', 1};
    struct sg_content_header header = {
        .level = SG_CONTENT_FILE, .parts = &whole, .part_count = 1};
    uint8_t bytes[FILE_HEADER_LEN], leaf[32];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);

    memcpy(header.id, id, SG_CONTENT_ID_LEN);
    enum sg_err err = sg_content_header_encode(&header, &w);
    SG_ASSERT(err == SG_OK && !w.full);
    sg_crypto_sha256_final(hash, leaf);
    sg_content_seal(sg_writer_slice(&w), leaf, root);
}
