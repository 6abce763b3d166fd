#include "adapters/cli/structure_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/crypto.h"
#include "broker/base/encode.h"
#include "broker/base/limits.h"
#include "broker/os/file.h"
#include "broker/os/random.h"
#include "schemas/sdmx/structure_compile.h"
#include "schemas/sdmx/structure_ml21.h"

#define STORE_ARENA (256u * 1024 * 1024)
#define FIELDS      12u

struct sg_structure_store {
    char folder[SG_OS_PATH];
    struct sg_arena *arena;
    struct sg_store_entry *entries, *last;
    struct sg_model shipped; // of all shipped messages
    int lock;                // -1: opened for reading
};

static const char *const kind_words[] = {
    [SG_STORE_ANY] = "",
    [SG_STORE_STRUCTURE] = "structure",
    [SG_STORE_FLOW] = "dataflow",
    [SG_STORE_AGREEMENT] = "agreement",
    [SG_STORE_PROVIDER] = "provider",
};

static struct sg_slice
keep(struct sg_structure_store *store, struct sg_slice text)
{
    return text.len == 0 ? text : sg_arena_copy(store->arena, text);
}

static struct sg_model_ref
keep_ref(struct sg_structure_store *store, const struct sg_model_ref *ref)
{
    return (struct sg_model_ref){
        .agency = keep(store, ref->agency),
        .id = keep(store, ref->id),
        .version = keep(store, ref->version),
        .item = keep(store, ref->item),
    };
}

// Nothing that would break a line of the index: ids of SDMX have letters,
// digits and a few signs (sdmx-facts 1.8).
static bool
is_plain(const struct sg_model_ref *ref)
{
    const struct sg_slice parts[] = {ref->agency, ref->id, ref->version,
                                     ref->item};
    for (size_t p = 0; p < SG_COUNT_OF(parts); p++) {
        for (size_t i = 0; i < parts[p].len; i++) {
            if (parts[p].ptr[i] <= ' ')
                return false;
        }
    }
    return true;
}

static bool
same_thing(const struct sg_model_ref *a, const struct sg_model_ref *b)
{
    return sg_slice_eq(a->id, b->id) && sg_slice_eq(a->agency, b->agency) &&
           sg_slice_eq(a->version, b->version) && sg_slice_eq(a->item, b->item);
}

// The entry of the same thing in home, or a new one; NULL: no memory.
static struct sg_store_entry *
entry_for(struct sg_structure_store *store, enum sg_store_kind kind,
          const struct sg_model_ref *self, bool shipped)
{
    for (struct sg_store_entry *at = store->entries; at; at = at->next) {
        if (at->kind == kind && at->shipped == shipped &&
            same_thing(&at->self, self))
            return at;
    }
    struct sg_store_entry *entry =
        sg_arena_take(store->arena, sizeof(struct sg_store_entry));
    if (entry == NULL)
        return NULL;
    entry->kind = kind;
    entry->self = keep_ref(store, self);
    entry->shipped = shipped;
    if (store->last == NULL)
        store->entries = entry;
    else
        store->last->next = entry;
    store->last = entry;
    return entry;
}

// ---- the index -------------------------------------------------------------
// Fields between tabs: kind, then agency, id, version, item of self and of to,
// then the two hashes. Every field stands, if empty.

static bool
parse_line(struct sg_structure_store *store, struct sg_slice line)
{
    struct sg_slice fields[FIELDS] = {0};
    uint32_t n = 0;
    while (n < FIELDS) {
        const uint8_t *tab =
            line.len == 0 ? NULL : memchr(line.ptr, '\t', line.len);
        size_t len = tab == NULL ? line.len : (size_t)(tab - line.ptr);
        fields[n++] = sg_slice_of(line.ptr, len);
        if (tab == NULL)
            break;
        line = sg_slice_of(tab + 1, line.len - len - 1);
    }
    if (n != FIELDS - 1)
        return false;
    struct sg_model_ref self = {.agency = fields[1],
                                .id = fields[2],
                                .version = fields[3],
                                .item = fields[4]};
    struct sg_model_ref to = {.agency = fields[5],
                              .id = fields[6],
                              .version = fields[7],
                              .item = fields[8]};
    for (int k = SG_STORE_STRUCTURE; k <= SG_STORE_PROVIDER; k++) {
        if (!sg_slice_eq(fields[0], sg_slice_text(kind_words[k])))
            continue;
        struct sg_store_entry *entry =
            entry_for(store, (enum sg_store_kind)k, &self, false);
        if (entry == NULL)
            return false;
        entry->to = keep_ref(store, &to);
        return k != SG_STORE_STRUCTURE ||
               (sg_encode_unhex(fields[9], entry->sha256, 32) &&
                sg_encode_unhex(fields[10], entry->source_sha256, 32));
    }
    return false;
}

static enum sg_err
load_index(struct sg_structure_store *store)
{
    char path[SG_OS_PATH];
    uint8_t *bytes = NULL;
    size_t len = 0;
    if (!sg_os_file_path(path, "%s/index", store->folder))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read(path, SG_LIMIT_DOCUMENT, &bytes, &len);
    if (err == SG_ERR_NOT_FOUND)
        return SG_OK;
    struct sg_slice rest = sg_slice_of(bytes, len);
    while (err == SG_OK && rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        if (end == NULL) {
            err = SG_ERR_FORMAT; // every line ends
            break;
        }
        size_t line = (size_t)(end - rest.ptr);
        if (!parse_line(store, sg_slice_of(rest.ptr, line)))
            err = SG_ERR_FORMAT;
        rest = sg_slice_of(end + 1, rest.len - line - 1);
    }
    free(bytes);
    return err;
}

static void
print_ref(FILE *out, const struct sg_model_ref *ref)
{
    fprintf(out, "\t%.*s\t%.*s\t%.*s\t%.*s", SG_SLICE_ARG(ref->agency),
            SG_SLICE_ARG(ref->id), SG_SLICE_ARG(ref->version),
            SG_SLICE_ARG(ref->item));
}

enum sg_err
sg_structure_store_save(struct sg_structure_store *store)
{
    char path[SG_OS_PATH];
    char *text = NULL;
    size_t len = 0;
    if (!sg_os_file_path(path, "%s/index", store->folder))
        return SG_ERR_FULL;
    FILE *out = open_memstream(&text, &len);
    if (out == NULL)
        return SG_ERR_MEMORY;
    for (const struct sg_store_entry *at = store->entries; at; at = at->next) {
        char hex[65] = "";
        char source[65] = "";
        if (at->shipped)
            continue;
        if (at->kind == SG_STORE_STRUCTURE) {
            sg_encode_hex(at->sha256, 32, hex);
            sg_encode_hex(at->source_sha256, 32, source);
        }
        fprintf(out, "%s", kind_words[at->kind]);
        print_ref(out, &at->self);
        print_ref(out, &at->to);
        fprintf(out, "\t%s\t%s\n", hex, source);
    }
    enum sg_err err = fclose(out) == 0 ? SG_OK : SG_ERR_MEMORY;
    if (err == SG_OK)
        err = sg_os_file_make_dirs(store->folder);
    if (err == SG_OK)
        err = sg_os_file_replace(path, sg_slice_of(text, len), false);
    free(text);
    return err;
}

// ---- shipped ---------------------------------------------------------------

// The folder of shipped structures; false: there is none.
static bool
find_shipped(char out[SG_OS_PATH])
{
    const char *share = getenv("STATGATE_SHARE");
    if (share != NULL)
        return sg_os_file_path(out, "%s/sdg", share) && sg_os_file_exists(out);
    char exe[SG_OS_PATH];
    ssize_t len = readlink("/proc/self/exe", exe, sizeof exe - 1);
    if (len <= 0)
        return false;
    exe[len] = '\0';
    char *slash = strrchr(exe, '/');
    if (slash == NULL)
        return false;
    *slash = '\0';
    return (sg_os_file_path(out, "%s/../../schemas/sdg", exe) &&
            sg_os_file_exists(out)) ||
           (sg_os_file_path(out, "%s/../share/statgate/sdg", exe) &&
            sg_os_file_exists(out));
}

static enum sg_err
load_shipped(struct sg_structure_store *store, const char *folder)
{
    char **names = NULL;
    size_t count = 0;
    enum sg_err err = sg_os_file_list(folder, &names, &count);
    for (size_t i = 0; i < count && err == SG_OK; i++) {
        char path[SG_OS_PATH];
        uint8_t source[32];
        size_t len = strlen(names[i]);
        if (len < 4 || strcmp(names[i] + len - 4, ".xml") != 0)
            continue;
        err = sg_os_file_path(path, "%s/%s", folder, names[i])
                  ? sg_structure_store_read(path, &store->shipped, source, NULL)
                  : SG_ERR_FULL;
    }
    free(names);
    for (struct sg_model_dsd *d = store->shipped.dsds; d && err == SG_OK;
         d = d->next) {
        struct sg_store_entry *entry =
            entry_for(store, SG_STORE_STRUCTURE, &d->self, true);
        if (entry == NULL)
            return SG_ERR_FULL;
        memcpy(entry->source_sha256, d->source_sha256, 32);
    }
    for (struct sg_model_flow *f = store->shipped.flows; f && err == SG_OK;
         f = f->next) {
        struct sg_store_entry *entry =
            entry_for(store, SG_STORE_FLOW, &f->self, true);
        if (entry == NULL)
            return SG_ERR_FULL;
        entry->to = keep_ref(store, &f->structure);
    }
    return err;
}

// ---- opening ---------------------------------------------------------------

static enum sg_err
take_lock(struct sg_structure_store *store)
{
    char path[SG_OS_PATH];
    if (!sg_os_file_path(path, "%s/lock", store->folder))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_make_dirs(store->folder);
    if (err == SG_OK)
        err = sg_os_file_lock(path, &store->lock);
    return err == SG_ERR_EXISTS ? SG_ERR_BUSY : err;
}

static enum sg_err
open_store(const char *home, const char *shipped, bool writing,
           struct sg_structure_store **out)
{
    struct sg_structure_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return SG_ERR_MEMORY;
    char found[SG_OS_PATH];
    enum sg_err err = SG_OK;
    store->lock = -1;
    store->arena = sg_arena_new(STORE_ARENA, 1u << 20);
    store->shipped.arena = store->arena;
    if (store->arena == NULL)
        err = SG_ERR_MEMORY;
    else if (!sg_os_file_path(store->folder, "%s/structures", home))
        err = SG_ERR_FULL;
    if (err == SG_OK && writing)
        err = take_lock(store);
    if (err == SG_OK)
        err = load_index(store);
    if (err == SG_OK && shipped == NULL && find_shipped(found))
        shipped = found;
    if (err == SG_OK && shipped != NULL && shipped[0] != '\0')
        err = load_shipped(store, shipped);
    if (err != SG_OK)
        sg_structure_store_close(&store);
    *out = store;
    return err;
}

enum sg_err
sg_structure_store_open(const char *home, const char *shipped,
                        struct sg_structure_store **out)
{
    return open_store(home, shipped, false, out);
}

enum sg_err
sg_structure_store_open_to_add(const char *home,
                               struct sg_structure_store **out)
{
    return open_store(home, "", true, out);
}

void
sg_structure_store_close(struct sg_structure_store **store)
{
    if (store == NULL || *store == NULL)
        return;
    sg_os_file_close(&(*store)->lock);
    sg_arena_free(&(*store)->arena);
    free(*store);
    *store = NULL;
}

const struct sg_store_entry *
sg_structure_store_entries(const struct sg_structure_store *store)
{
    return store->entries;
}

enum sg_err
sg_structure_store_read(const char *path, struct sg_model *model,
                        uint8_t source_sha256[32], struct sg_diag *diag)
{
    struct sg_structure_ml21 *reader = NULL;
    uint8_t *bytes = NULL;
    size_t len = 0;
    uint64_t salt = 0;
    struct sg_diag dropped;
    if (diag == NULL)
        diag = &dropped;
    enum sg_err err =
        strcmp(path, "-") == 0
            ? sg_os_file_read_fd(STDIN_FILENO, SG_LIMIT_DOCUMENT, &bytes, &len)
            : sg_os_file_read(path, SG_LIMIT_DOCUMENT, &bytes, &len);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "the file cannot be read: %s; %s",
                    err == SG_ERR_IO && sg_os_file_reason()[0] != '\0'
                        ? sg_os_file_reason()
                        : sg_err_sentence(err),
                    err == SG_ERR_IO ? "name the files themselves"
                                     : sg_err_cure(err));
        return err;
    }
    sg_crypto_sha256(bytes, len, source_sha256);
    sg_os_random_fill(&salt, sizeof salt);
    err = sg_structure_ml21_open(model, salt | 1, source_sha256, &reader);
    if (err != SG_OK)
        sg_diag_set(diag, 0, 0, "%s", sg_err_sentence(err));
    else
        err = sg_structure_ml21_feed(reader, sg_slice_of(bytes, len), diag);
    if (err == SG_OK)
        err = sg_structure_ml21_finish(reader, diag);
    sg_structure_ml21_close(&reader);
    free(bytes);
    return err;
}

// ---- adding ----------------------------------------------------------------

enum sg_err
sg_structure_store_add(struct sg_structure_store *store,
                       const struct sg_structure *structure, bool replace,
                       struct sg_diag *diag)
{
    static const uint8_t none[32] = {0};
    struct sg_model_ref self = {.agency = structure->agency,
                                .id = structure->id,
                                .version = structure->version};
    char path[SG_OS_PATH];
    char hex[65];
    uint8_t sha256[32];
    sg_structure_sha256(structure, sha256);
    sg_encode_hex(sha256, 32, hex);
    struct sg_store_entry *entry =
        entry_for(store, SG_STORE_STRUCTURE, &self, false);
    if (entry == NULL || !sg_os_file_path(path, "%s/%s", store->folder, hex))
        return SG_ERR_FULL;
    if (!is_plain(&self)) {
        sg_diag_set(diag, 0, 0, "white space in an id; SDMX ids have none");
        return SG_ERR_SYNTAX;
    }
    if (!replace && memcmp(entry->sha256, none, 32) != 0 &&
        memcmp(entry->sha256, sha256, 32) != 0) {
        sg_diag_set(diag, 0, 0,
                    "%.*s:%.*s(%.*s) is there with another content; give it a "
                    "new version, or replace it with --replace",
                    SG_SLICE_ARG(self.agency), SG_SLICE_ARG(self.id),
                    SG_SLICE_ARG(self.version));
        return SG_ERR_EXISTS;
    }
    enum sg_err err = SG_OK;
    if (store->lock >= 0) {
        err = sg_os_file_make_dirs(store->folder);
        if (err == SG_OK)
            err = sg_os_file_replace(path, structure->blob, false);
    }
    memcpy(entry->sha256, sha256, 32);
    memcpy(entry->source_sha256, structure->source_sha256, 32);
    return err;
}

enum sg_err
sg_structure_store_add_model(struct sg_structure_store *store,
                             const struct sg_model *model)
{
    struct sg_store_entry *entry;
    for (struct sg_model_flow *f = model->flows; f != NULL; f = f->next) {
        if (f->structure.line == 0) // says only that it lies elsewhere
            continue;
        if (!is_plain(&f->self) || !is_plain(&f->structure))
            return SG_ERR_SYNTAX;
        entry = entry_for(store, SG_STORE_FLOW, &f->self, false);
        if (entry == NULL)
            return SG_ERR_FULL;
        entry->to = keep_ref(store, &f->structure);
    }
    for (struct sg_model_agreement *a = model->agreements; a; a = a->next) {
        if (!is_plain(&a->self) || !is_plain(&a->flow) ||
            !is_plain(&a->provider))
            return SG_ERR_SYNTAX;
        entry = entry_for(store, SG_STORE_AGREEMENT, &a->self, false);
        if (entry == NULL)
            return SG_ERR_FULL;
        entry->to = keep_ref(store, &a->flow);
        entry->to.item = keep(store, a->provider.item);
    }
    for (struct sg_model_provider *p = model->providers; p; p = p->next) {
        struct sg_model_ref self = p->scheme;
        self.item = p->id;
        if (!is_plain(&self))
            return SG_ERR_SYNTAX;
        if (entry_for(store, SG_STORE_PROVIDER, &self, false) == NULL)
            return SG_ERR_FULL;
    }
    return SG_OK;
}

enum sg_err
sg_structure_store_extend(const struct sg_structure_store *store,
                          struct sg_model *model)
{
    for (const struct sg_store_entry *at = store->entries; at; at = at->next) {
        if (at->kind == SG_STORE_FLOW) {
            struct sg_model_flow *flow =
                sg_arena_take(model->arena, sizeof *flow);
            if (flow == NULL)
                return SG_ERR_FULL;
            flow->self = at->self;
            flow->structure = at->to;
            flow->next = model->flows;
            model->flows = flow;
        } else if (at->kind == SG_STORE_AGREEMENT) {
            struct sg_model_agreement *agreement =
                sg_arena_take(model->arena, sizeof *agreement);
            if (agreement == NULL)
                return SG_ERR_FULL;
            agreement->self = at->self;
            agreement->flow = at->to;
            agreement->next = model->agreements;
            model->agreements = agreement;
        }
    }
    return SG_OK;
}

// ---- finding ---------------------------------------------------------------

static bool
is_open(struct sg_slice version)
{
    return version.len > 0 && (memchr(version.ptr, '*', version.len) != NULL ||
                               memchr(version.ptr, '+', version.len) != NULL);
}

// The entry of that kind that ref names; home goes before shipped, and of
// several versions (ref leaves it open) the newest.
static const struct sg_store_entry *
look_up(const struct sg_structure_store *store, enum sg_store_kind kind,
        const struct sg_model_ref *ref)
{
    const struct sg_store_entry *best = NULL;
    for (const struct sg_store_entry *at = store->entries; at; at = at->next) {
        if (at->kind != kind || !sg_slice_eq(at->self.id, ref->id) ||
            !sg_slice_eq(at->self.agency, ref->agency))
            continue;
        if (sg_slice_eq(at->self.version, ref->version))
            return at;
        if (is_open(ref->version) &&
            (best == NULL || sg_structure_version_cmp(at->self.version,
                                                      best->self.version) > 0))
            best = at;
    }
    return best;
}

static const struct sg_store_entry *
resolve(const struct sg_structure_store *store, enum sg_store_kind kind,
        const struct sg_model_ref *ref)
{
    const struct sg_store_entry *found = NULL;
    if (kind == SG_STORE_ANY || kind == SG_STORE_STRUCTURE)
        found = look_up(store, SG_STORE_STRUCTURE, ref);
    if (found != NULL)
        return found;
    if (kind == SG_STORE_ANY || kind == SG_STORE_FLOW)
        found = look_up(store, SG_STORE_FLOW, ref);
    if (found != NULL)
        return look_up(store, SG_STORE_STRUCTURE, &found->to);
    if (kind == SG_STORE_ANY || kind == SG_STORE_AGREEMENT)
        found = look_up(store, SG_STORE_AGREEMENT, ref);
    if (found != NULL)
        found = look_up(store, SG_STORE_FLOW, &found->to);
    return found == NULL ? NULL
                         : look_up(store, SG_STORE_STRUCTURE, &found->to);
}

bool
sg_structure_store_flow_of(const struct sg_structure_store *store,
                           const struct sg_obs_ref *agreement,
                           struct sg_obs_ref *flow)
{
    struct sg_model_ref ref = {.agency = agreement->agency,
                               .id = agreement->id,
                               .version = agreement->version};
    if (ref.version.len == 0)
        ref.version = SG_SLICE("*");
    const struct sg_store_entry *found =
        look_up(store, SG_STORE_AGREEMENT, &ref);
    if (found == NULL)
        return false;
    *flow = (struct sg_obs_ref){SG_OBS_REF_DATAFLOW, found->to.agency,
                                found->to.id, found->to.version};
    return true;
}

static enum sg_err
open_file(const struct sg_structure_store *store,
          const struct sg_store_entry *entry, struct sg_arena *arena,
          const struct sg_structure **out, struct sg_diag *diag)
{
    char path[SG_OS_PATH];
    char hex[65];
    uint8_t sha256[32];
    uint8_t *bytes = NULL;
    size_t len = 0;
    sg_encode_hex(entry->sha256, 32, hex);
    if (!sg_os_file_path(path, "%s/%s", store->folder, hex))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read(path, STORE_ARENA, &bytes, &len);
    if (err != SG_OK) {
        sg_diag_set(diag, 0, 0, "%s cannot be read; import the structure again",
                    path);
        return err;
    }
    sg_crypto_sha256(bytes, len, sha256);
    uint8_t *copy = sg_arena_take(arena, len + 1);
    if (copy == NULL)
        err = SG_ERR_FULL;
    else if (memcmp(sha256, entry->sha256, 32) != 0)
        err = SG_ERR_CORRUPT;
    else
        memcpy(copy, bytes, len);
    free(bytes);
    if (err == SG_OK)
        err = sg_structure_open(sg_slice_of(copy, len), arena, out);
    if (err != SG_OK)
        sg_diag_set(diag, 0, 0,
                    "%s is not a structure of this version of StatGate, or was "
                    "changed; import the structure again with --replace",
                    path);
    return err;
}

static enum sg_err
open_shipped(const struct sg_structure_store *store,
             const struct sg_store_entry *entry, struct sg_arena *arena,
             const struct sg_structure **out, struct sg_diag *diag)
{
    struct sg_slice blob;
    const struct sg_model_dsd *dsd =
        sg_structure_model_dsd(&store->shipped, &entry->self);
    if (dsd == NULL)
        return SG_ERR_NOT_FOUND;
    enum sg_err err =
        sg_structure_compile(&store->shipped, dsd, arena, &blob, diag);
    return err == SG_OK ? sg_structure_open(blob, arena, out) : err;
}

enum sg_err
sg_structure_store_find(struct sg_structure_store *store,
                        enum sg_store_kind kind, struct sg_slice name,
                        struct sg_arena *arena, const struct sg_structure **out,
                        struct sg_diag *diag)
{
    struct sg_model_ref ref = {0};
    if (!sg_structure_parse_ref(name, &ref)) {
        sg_diag_set(diag, 0, 0,
                    "\"%.*s\" names no structure; write AGENCY:ID(VERSION) or "
                    "a URN",
                    SG_SLICE_ARG(name));
        return SG_ERR_SYNTAX;
    }
    if (memchr(name.ptr, '(', name.len) == NULL)
        ref.version = SG_SLICE("*");
    if (kind == SG_STORE_ANY && sg_slice_eq(ref.class, SG_SLICE("Dataflow")))
        kind = SG_STORE_FLOW;
    if (kind == SG_STORE_ANY &&
        sg_slice_eq(ref.class, SG_SLICE("DataStructure")))
        kind = SG_STORE_STRUCTURE;
    const struct sg_store_entry *entry = resolve(store, kind, &ref);
    if (entry == NULL) {
        sg_diag_set(diag, 0, 0,
                    "%.*s is not known here; import it: statgate structure "
                    "import FILE",
                    SG_SLICE_ARG(name));
        return SG_ERR_NOT_FOUND;
    }
    return entry->shipped ? open_shipped(store, entry, arena, out, diag)
                          : open_file(store, entry, arena, out, diag);
}
