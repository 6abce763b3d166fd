#include "adapters/client/content.h"

#include <stdlib.h>
#include <string.h>

#include "broker/base/utc.h"
#include "broker/os/file.h"
#include "broker/os/random.h"
#include "schemas/sdmx/canonical.h"

enum { READ_BYTES = 256 * 1024, DETECT = 4096 };
enum { STREAM_ARENA = 64 * 1024 * 1024, STREAM_BLOCK = 256 * 1024 };
#define SORT_ARENA (4ull * 1024 * 1024 * 1024)

// ---- reading -------------------------------------------------------------------

// Gives the file piece by piece. *bytes: READ_BYTES of room.
static enum sg_err
each_piece(const char *path, uint8_t *bytes, void *context,
           enum sg_err (*piece)(void *context, struct sg_slice bytes))
{
    int fd = -1;
    size_t got = 1;

    enum sg_err err = sg_os_file_open(path, SG_OS_OPEN_READ, &fd);
    while (err == SG_OK && got > 0) {
        err = sg_os_file_read_some(fd, bytes, READ_BYTES, &got);
        if (err == SG_OK && got > 0)
            err = piece(context, sg_slice_of(bytes, got));
    }
    sg_os_file_close(&fd);
    return err;
}

struct looking {
    struct sg_content_file *file;
    struct sg_sha256 *hash;
};

static enum sg_err
look_piece(void *context, struct sg_slice bytes)
{
    struct looking *looking = (struct looking *)context;

    if (looking->file->size == 0 && looking->file->media == SG_MEDIA_UNKNOWN) {
        struct sg_slice head =
            sg_slice_of(bytes.ptr, bytes.len < DETECT ? bytes.len : DETECT);
        looking->file->media = sg_obs_media_detect(head);
        looking->file->foreign = sg_obs_foreign(head);
    }
    looking->file->size += bytes.len;
    sg_crypto_sha256_add(looking->hash, bytes.ptr, bytes.len);
    return SG_OK;
}

enum sg_err
sg_content_look(struct sg_content_file *file)
{
    struct looking looking = {file, sg_crypto_sha256_new()};
    uint8_t *bytes = malloc(READ_BYTES);
    enum sg_err err = SG_ERR_MEMORY;

    file->size = 0;
    if (looking.hash != NULL && bytes != NULL) {
        sg_crypto_sha256_init(looking.hash);
        err = each_piece(file->path, bytes, &looking, look_piece);
        sg_crypto_sha256_final(looking.hash, file->sha256);
    }
    free(bytes);
    sg_crypto_sha256_free(&looking.hash);
    return err;
}

// ---- rows ----------------------------------------------------------------------

struct pass {
    struct sg_content_file *file;
    const struct sg_content_walk *walk;
    struct sg_obs_reader *reader;
    struct sg_canonical_writer *writer;
    struct sg_canonical_reader *rows;
    enum sg_err fault; // the message is damaged
};

static bool
same_name(const struct sg_obs_ref *ref, struct sg_slice agency,
          struct sg_slice id)
{
    return sg_slice_eq(ref->agency, agency) && sg_slice_eq(ref->id, id);
}

// As the gate's reader has it: dataflow of the terms, of the structure, or the
// structure itself.
static const struct sg_structure *
on_structure(void *context, const struct sg_obs_ref *ref)
{
    struct pass *pass = (struct pass *)context;
    const struct sg_structure *s = pass->file->structure;
    const char *flow = pass->file->dataflow;
    const char *equals = flow == NULL ? NULL : strchr(flow, '=');
    struct sg_obs_ref terms;

    if (s == NULL)
        return NULL; // nothing but the bytes is wanted
    bool fits =
        pass->file->any_flow || (ref->kind == SG_OBS_REF_DATASTRUCTURE &&
                                 same_name(ref, s->agency, s->id));

    for (uint32_t i = 0; i < s->flow_count && !fits; i++)
        fits = ref->kind != SG_OBS_REF_DATASTRUCTURE &&
               same_name(ref, s->flows[i].agency, s->flows[i].id);
    if (!fits && flow != NULL &&
        sg_obs_ref_parse(sg_slice_text(equals == NULL ? flow : equals + 1),
                         &terms))
        fits = same_name(ref, terms.agency, terms.id);
    pass->file->unknown_structure |= !fits;
    return fits ? s : NULL;
}

static void
on_header(void *context, const struct sg_obs_header *header)
{
    struct sg_content_file *file = ((struct pass *)context)->file;

    file->embargo_us = 0;
    if (header->embargoes > 0 &&
        (header->embargoes > 1 ||
         !sg_utc_parse(header->embargo, &file->embargo_us)))
        file->embargo_us = UINT64_MAX;
}

static void
on_action(void *context, uint8_t sent, uint64_t row, uint64_t line)
{
    struct sg_content_file *file = ((struct pass *)context)->file;

    if (sg_obs_whole(sent) || file->change != 0)
        return;
    file->change = sent;
    file->change_row = row;
    file->change_line = line;
}

static enum sg_err
on_obs(void *context, const struct sg_obs *obs)
{
    return sg_canonical_writer_put(((struct pass *)context)->writer, obs);
}

static void
on_fault(void *context, const struct sg_fault *fault)
{
    (void)context; // what is wrong with the data is the gate's to say
    (void)fault;
}

static enum sg_err
on_canonical(void *context, struct sg_slice bytes)
{
    return sg_canonical_reader_feed(((struct pass *)context)->rows, bytes);
}

static enum sg_err
on_row(void *context, const struct sg_obs *obs, struct sg_slice bytes)
{
    struct pass *pass = (struct pass *)context;

    return pass->walk->row(pass->walk->context, obs->action, bytes);
}

static enum sg_err
feed(void *context, struct sg_slice bytes)
{
    return sg_obs_reader_feed(((struct pass *)context)->reader, bytes);
}

// bytes: READ_BYTES of room.
static enum sg_err
read_whole(struct pass *pass, uint8_t *bytes)
{
    enum sg_err err = each_piece(pass->file->path, bytes, pass, feed);

    return err == SG_OK ? sg_obs_reader_end(pass->reader) : err;
}

// The whole file through a reader of its own. obs: what becomes of a row.
static enum sg_err
read_file(struct pass *pass, struct sg_arena *arena,
          enum sg_err (*obs)(void *context, const struct sg_obs *obs))
{
    const struct sg_obs_sink sink = {.context = pass,
                                     .structure = on_structure,
                                     .header = on_header,
                                     .action = on_action,
                                     .obs = obs,
                                     .fault = on_fault};
    struct sg_obs_reader_options options = {.media = pass->file->media};
    uint8_t *bytes = malloc(READ_BYTES);

    sg_os_random_fill(&options.xml_salt, sizeof options.xml_salt);
    options.xml_salt |= 1;
    pass->reader = sg_obs_reader_new(arena, &sink, &options);
    enum sg_err err = bytes == NULL || pass->reader == NULL
                          ? SG_ERR_FULL
                          : read_whole(pass, bytes);
    if (err == SG_OK && sg_obs_reader_again(pass->reader))
        err = read_whole(pass, bytes);
    if (err == SG_OK)
        pass->file->observations = sg_obs_reader_rows(pass->reader);
    sg_obs_reader_fini(pass->reader);
    free(bytes);
    return err;
}

static enum sg_err
run(struct pass *pass, enum sg_canonical_mode mode, struct sg_arena *arena)
{
    const struct sg_canonical_sink rows = {.context = pass, .row = on_row};
    const struct sg_canonical_out out = {pass, on_canonical};

    pass->rows = sg_canonical_reader_new(arena, pass->file->structure, &rows);
    pass->writer =
        sg_canonical_writer_new(arena, pass->file->structure, mode, &out);
    enum sg_err err = SG_ERR_FULL;
    if (pass->rows != NULL && pass->writer != NULL)
        err = pass->walk->begin(pass->walk->context);
    if (err == SG_OK)
        err = read_file(pass, arena, on_obs);
    if (err == SG_OK)
        err = sg_canonical_writer_end(pass->writer);
    if (err == SG_OK)
        err = sg_canonical_reader_end(pass->rows);
    return err;
}

enum sg_err
sg_content_walk(struct sg_content_file *file,
                const struct sg_content_walk *walk)
{
    static const struct {
        enum sg_canonical_mode mode;
        size_t arena;
    } ways[] = {{SG_CANONICAL_MODE_STREAM, STREAM_ARENA},
                {SG_CANONICAL_MODE_SORT, SORT_ARENA}};
    enum sg_err err = SG_ERR_ORDER;

    for (size_t i = 0; i < SG_COUNT_OF(ways) && err == SG_ERR_ORDER; i++) {
        struct pass pass = {.file = file, .walk = walk};
        struct sg_arena *arena = sg_arena_new(ways[i].arena, STREAM_BLOCK);
        if (arena == NULL)
            return SG_ERR_MEMORY;
        err = run(&pass, ways[i].mode, arena);
        sg_arena_free(&arena);
    }
    return err;
}

// ---- building ------------------------------------------------------------------

struct building {
    const struct sg_secret *secret;
    struct sg_content_builder builder;
    struct sg_content_part *parts;
};

static enum sg_err
build_begin(void *context)
{
    struct building *building = (struct building *)context;

    sg_content_begin(&building->builder, building->secret->id,
                     building->secret->seed, building->parts,
                     SG_LIMIT_ACTION_PARTS);
    return SG_OK;
}

static enum sg_err
build_row(void *context, uint8_t action, struct sg_slice bytes)
{
    return sg_content_add(&((struct building *)context)->builder, action,
                          bytes);
}

static void
name_components(const struct sg_structure *structure,
                struct sg_content_component out[SG_LIMIT_COMPONENTS])
{
    for (uint32_t i = 0; i < structure->component_count; i++) {
        out[i].kind = sg_canonical_row_kind(&structure->components[i]);
        out[i].id = structure->components[i].id;
    }
}

enum sg_err
sg_content_rows(struct sg_content_file *file, const struct sg_secret *secret,
                uint8_t root[32], uint64_t *leaves)
{
    struct sg_content_component components[SG_LIMIT_COMPONENTS];
    struct building building = {.secret = secret};
    const struct sg_content_walk walk = {&building, build_begin, build_row};
    struct sg_arena *arena = sg_arena_new(STREAM_BLOCK, 0);

    building.parts = calloc(SG_LIMIT_ACTION_PARTS, sizeof *building.parts);
    enum sg_err err = arena == NULL || building.parts == NULL
                          ? SG_ERR_MEMORY
                          : sg_content_walk(file, &walk);
    if (err == SG_OK) {
        name_components(file->structure, components);
        err = sg_content_root(&building.builder, SG_CONTENT_ROW, components,
                              file->structure->component_count, arena, root);
        *leaves = building.builder.tree.count;
    }
    sg_content_end(&building.builder);
    free(building.parts);
    sg_arena_free(&arena);
    return err;
}

static enum sg_err
hash_piece(void *context, struct sg_slice bytes)
{
    sg_crypto_sha256_add((struct sg_sha256 *)context, bytes.ptr, bytes.len);
    return SG_OK;
}

// shown: seed is that of the leaf, out of a proof; else that of the release.
static enum sg_err
file_root(const char *path, const uint8_t id[16], const uint8_t seed[16],
          bool shown, uint8_t root[32])
{
    struct sg_sha256 *hash = sg_crypto_sha256_new();
    uint8_t *bytes = malloc(READ_BYTES);
    enum sg_err err = SG_ERR_MEMORY;

    if (hash != NULL && bytes != NULL) {
        if (shown)
            sg_content_file_begin_shown(hash, seed);
        else
            sg_content_file_begin(hash, id, seed);
        err = each_piece(path, bytes, hash, hash_piece);
        sg_content_file_end(hash, id, root);
    }
    free(bytes);
    sg_crypto_sha256_free(&hash);
    return err;
}

static enum sg_err
pass_over(void *context, const struct sg_obs *obs)
{
    (void)context;
    (void)obs;
    return SG_OK;
}

// What the message says of itself, where nothing else asks for its rows.
static void
look_inside(struct sg_content_file *file)
{
    struct pass pass = {.file = file};
    struct sg_arena *arena = sg_arena_new(STREAM_ARENA, STREAM_BLOCK);

    if (arena != NULL)
        (void)!read_file(&pass, arena, pass_over);
    sg_arena_free(&arena);
}

enum sg_err
sg_content_bytes(struct sg_content_file *file, const struct sg_secret *secret,
                 uint8_t root[32])
{
    look_inside(file);
    return file_root(file->path, secret->id, secret->seed, false, root);
}

// ---- checking ------------------------------------------------------------------

struct checking {
    struct sg_content_file *file;
    const uint8_t *root;
    struct sg_slice proof;
    struct sg_content_verifier verifier;
    struct sg_slice parts;
    struct sg_content_part part;
    enum sg_content_result result;
};

// Do the components under the root stand where ours do?
static bool
same_components(const struct sg_content_verifier *verifier,
                const struct sg_structure *structure)
{
    struct sg_slice at = verifier->components;
    struct sg_content_component one;
    uint32_t count = 0;

    for (; sg_content_next_component(&at, &one); count++) {
        if (count >= structure->component_count ||
            one.kind != sg_canonical_row_kind(&structure->components[count]) ||
            !sg_slice_eq(one.id, structure->components[count].id))
            return false;
    }
    return count == structure->component_count;
}

static enum sg_err
check_begin(void *context)
{
    struct checking *c = (struct checking *)context;

    c->result = sg_content_verify_begin(&c->verifier, c->root, c->proof);
    if (c->result == SG_CONTENT_OK &&
        (c->verifier.level != SG_CONTENT_ROW ||
         !same_components(&c->verifier, c->file->structure)))
        c->result = SG_CONTENT_FORMAT;
    c->parts = c->verifier.parts;
    c->part = (struct sg_content_part){0};
    return sg_content_result_err(c->result);
}

// SDMX-CSV 1.0 has no actions; what the header says of them is signed all the
// same. With rows withheld, parts are told apart by the tree alone.
static bool
action_fits(struct checking *c, uint8_t action)
{
    if (c->file->media == SG_MEDIA_CSV10 || c->verifier.withheld > 0)
        return true;
    if (c->part.count == 0 && !sg_content_next_part(&c->parts, &c->part))
        return false;
    c->part.count--;
    return c->part.action == action;
}

static enum sg_err
check_row(void *context, uint8_t action, struct sg_slice bytes)
{
    struct checking *c = (struct checking *)context;

    c->result = action_fits(c, action)
                    ? sg_content_verify_add(&c->verifier, bytes)
                    : SG_CONTENT_MISMATCH;
    return sg_content_result_err(c->result);
}

static enum sg_err
check_file(struct checking *c)
{
    uint8_t root[32];

    c->result = sg_content_verify_begin(&c->verifier, c->root, c->proof);
    if (c->result == SG_CONTENT_OK &&
        (c->verifier.level != SG_CONTENT_FILE || c->verifier.total != 1 ||
         c->verifier.withheld != 0 ||
         c->verifier.nodes.len != SG_CONTENT_SEED_LEN))
        c->result = SG_CONTENT_FORMAT;
    if (c->result != SG_CONTENT_OK)
        return sg_content_result_err(c->result);
    enum sg_err err = file_root(c->file->path, c->verifier.id,
                                c->verifier.nodes.ptr, true, root);
    if (err == SG_OK && memcmp(root, c->root, 32) != 0) {
        c->result = SG_CONTENT_MISMATCH;
        err = SG_ERR_CONTENT;
    }
    return err;
}

enum sg_err
sg_content_check(struct sg_content_file *file, enum sg_content_level level,
                 const uint8_t root[32], struct sg_slice proof,
                 struct sg_content_found *found)
{
    struct checking c = {.file = file, .root = root, .proof = proof};
    const struct sg_content_walk walk = {&c, check_begin, check_row};
    enum sg_err err;

    if (level == SG_CONTENT_FILE) {
        err = check_file(&c);
    } else if (level == SG_CONTENT_ROW) {
        err = sg_content_walk(file, &walk);
        if (err == SG_OK) {
            c.result = sg_content_verify_end(&c.verifier);
            err = sg_content_result_err(c.result);
        }
        // A message that names another structure gave no rows at all.
        if (err == SG_OK && file->unknown_structure)
            err = SG_ERR_STRUCTURE;
    } else {
        err = SG_ERR_MODE;
    }
    found->total = c.verifier.total;
    found->withheld = c.verifier.withheld;
    found->why = c.result == SG_CONTENT_OK
                     ? sg_err_sentence(err)
                     : sg_content_result_sentence(c.result);
    return err;
}
