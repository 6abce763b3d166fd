#include "policy/build.h"

#include <stdarg.h>
#include <stdio.h>

#include "broker/base/crypto.h"
#include "broker/base/encode.h"

void
sg_build_fail(struct sg_build *b, const struct sg_token *at, const char *format,
              ...)
{
    if (b->err != SG_OK)
        return;
    char text[sizeof b->diag->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    b->err = SG_ERR_SYNTAX;
    sg_diag_set(b->diag, at->line, at->column, "%s", text);
}

void
sg_build_full(struct sg_build *b)
{
    if (b->err != SG_OK)
        return;
    b->err = SG_ERR_FULL;
    sg_diag_set(b->diag, 0, 0,
                "the policies need more memory than the gate gives them; "
                "split or shorten them");
}

void *
sg_build_take(struct sg_build *b, size_t size)
{
    if (b->err != SG_OK)
        return NULL;
    void *out = sg_arena_take(b->set->arena, size);
    if (out == NULL)
        sg_build_full(b);
    return out;
}

void
sg_build_note(struct sg_build *b, enum sg_policy_note_kind kind, uint32_t line,
              uint32_t column, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    struct sg_note_link *link = sg_build_take(b, sizeof *link);
    struct sg_slice copy = sg_arena_copy(b->set->arena, sg_slice_text(text));
    if (link == NULL || copy.ptr == NULL)
        return;
    link->note = (struct sg_policy_note){
        .file = b->file_index,
        .kind = (uint8_t)kind,
        .line = line,
        .column = column,
        .text = (const char *)copy.ptr,
    };
    *b->set->notes_end = link;
    b->set->notes_end = &link->next;
}

// ---- header -----------------------------------------------------------------
static uint32_t
number(struct sg_build *b, const struct sg_token *at)
{
    uint64_t n;
    if (sg_slice_u64(at->text, &n) && n <= INT32_MAX)
        return (uint32_t)n;
    sg_build_fail(b, at, "the number is too large; at most 2147483647");
    return 0;
}

static uint32_t
date(struct sg_build *b, const struct sg_token *at)
{
    uint32_t day;
    if (sg_policy_day_parse(at->text, &day))
        return day;
    sg_build_fail(b, at, "there is no day " SG_SLICE_FMT " in the calendar",
                  SG_SLICE_ARG(at->text));
    return 0;
}

void
sg_build_name(struct sg_build *b, const struct sg_token *name,
              const struct sg_token *version)
{
    b->file->name = name->text;
    b->file->version = number(b, version);
}

void
sg_build_layer(struct sg_build *b, enum sg_layer layer,
               const struct sg_token *at, const struct sg_token *scope)
{
    struct sg_file *file = b->file;
    if (file->layer != SG_LAYER_NONE) {
        sg_build_fail(b, at, "the header names two layers; exactly one holds");
        return;
    }
    file->layer = (uint8_t)layer;
    if (scope == NULL)
        return;
    file->layer_line = scope->line;
    file->layer_column = scope->column;
    file->scope_name = scope->text;
    uint16_t place = sg_vocabulary_code(SG_ATTR_PROVIDER_IN, scope->text);
    if (place == SG_PLACE_ANYWHERE)
        place = 0;
    file->place = place;
    if (layer != SG_LAYER_EXPORT || place != 0 || b->err != SG_OK)
        return;
    char cure[128];
    sg_cure_code(b, SG_ATTR_PROVIDER_IN, false, scope->text, cure, sizeof cure);
    sg_build_fail(b, scope, "\"" SG_SLICE_FMT "\" is not a country%s",
                  SG_SLICE_ARG(scope->text), cure);
}

void
sg_build_import_default(struct sg_build *b, const struct sg_token *at)
{
    sg_build_layer(b, SG_LAYER_IMPORT, at, NULL);
    b->file->import_default = true;
}

void
sg_build_force(struct sg_build *b, const struct sg_token *from,
               const struct sg_token *until)
{
    b->file->since = date(b, from);
    if (until != NULL)
        b->file->until = date(b, until);
    if (b->file->until <= b->file->since)
        sg_build_fail(b, until == NULL ? from : until,
                      "\"until\" must be after \"from\"");
}

void
sg_build_vocabulary(struct sg_build *b, const struct sg_token *version)
{
    if (number(b, version) != SG_VOCABULARY_VERSION)
        sg_build_fail(b, version,
                      "this gate speaks vocabulary statgate %d; write "
                      "\"vocabulary statgate %d\"",
                      SG_VOCABULARY_VERSION, SG_VOCABULARY_VERSION);
}

// Takes the bytes of a file that a policy names, if they have the hash.
static bool
fetch(struct sg_build *b, const struct sg_token *name,
      const struct sg_token *sha256, struct sg_slice *bytes)
{
    uint8_t want[SG_HASH_LEN], have[SG_HASH_LEN];
    enum sg_err err = SG_ERR_NOT_FOUND;
    if (b->err != SG_OK)
        return false;
    if (!sg_encode_unhex(sha256->text, want, sizeof want)) {
        sg_build_fail(b, sha256, "a sha256 is 64 digits 0-9 a-f");
        return false;
    }
    for (size_t i = 0; i < b->others_count && err != SG_OK; i++) {
        if (!sg_slice_eq(b->others[i].name, name->text))
            continue;
        *bytes = b->others[i].text;
        err = SG_OK;
    }
    if (err != SG_OK && b->loader != NULL)
        err =
            b->loader->load(b->loader->ctx, b->file->label, name->text, bytes);
    if (err != SG_OK) {
        sg_build_fail(b, name, "cannot read \"" SG_SLICE_FMT "\": %s",
                      SG_SLICE_ARG(name->text), sg_err_sentence(err));
        return false;
    }
    sg_crypto_sha256(bytes->ptr, bytes->len, have);
    if (memcmp(want, have, sizeof want) == 0)
        return true;
    sg_build_fail(b, name,
                  "\"" SG_SLICE_FMT "\" has another sha256 than written here",
                  SG_SLICE_ARG(name->text));
    return false;
}

void
sg_build_include(struct sg_build *b, const struct sg_token *name,
                 const struct sg_token *sha256)
{
    struct sg_slice bytes;
    if (!fetch(b, name, sha256, &bytes))
        return;
    if (b->depth == SG_LIMIT_POLICY_INCLUDE) {
        sg_build_fail(b, name, "includes are nested more than %u deep",
                      SG_LIMIT_POLICY_INCLUDE);
        return;
    }
    if (bytes.len > SG_LIMIT_POLICY_FILE) {
        sg_build_fail(b, name, "\"" SG_SLICE_FMT "\" is larger than 4 MiB",
                      SG_SLICE_ARG(name->text));
        return;
    }
    struct sg_slice copy = sg_arena_copy(b->set->arena, bytes);
    if (copy.ptr == NULL) {
        sg_build_full(b);
        return;
    }
    b->depth++;
    sg_grammar_run(b, copy, true);
    b->depth--;
    // The place is one of the included file; say whose line it is.
    if (b->err == SG_ERR_SYNTAX && b->diag != NULL) {
        struct sg_diag inner = *b->diag;
        sg_diag_set(b->diag, name->line, name->column,
                    "in \"" SG_SLICE_FMT "\", line %u, column %u: %s",
                    SG_SLICE_ARG(name->text), inner.line, inner.column,
                    inner.text);
    }
}

// A list is one organisation a line; # begins a comment.
static struct sg_slice
next_line(struct sg_slice *rest)
{
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != '\n')
        len++;
    struct sg_slice line = {rest->ptr, len};
    size_t used = len < rest->len ? len + 1 : len;
    rest->ptr += used;
    rest->len -= used;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '#')
            line.len = i;
    }
    while (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t')) {
        line.ptr++;
        line.len--;
    }
    while (line.len > 0 && line.ptr[line.len - 1] <= ' ')
        line.len--;
    return line;
}

static void
remember_party(struct sg_build *b, struct sg_slice id)
{
    struct sg_policy_set *set = b->set;
    if (set->found_count == set->found_cap) {
        uint32_t cap = set->found_cap == 0 ? 64 : set->found_cap * 2;
        struct sg_slice *wider = sg_build_take(b, cap * sizeof *wider);
        if (wider == NULL)
            return;
        if (set->found_count > 0)
            memcpy(wider, set->found, set->found_count * sizeof *wider);
        set->found = wider;
        set->found_cap = cap;
    }
    set->found[set->found_count] = sg_arena_copy(set->arena, id);
    if (set->found[set->found_count].ptr == NULL)
        sg_build_full(b);
    else
        set->found_count++;
}

void
sg_build_group_from(struct sg_build *b, const struct sg_token *name,
                    const struct sg_token *sha256)
{
    struct sg_slice rest;
    if (b->err == SG_OK && b->dim != SG_ATTR_PARTY) {
        sg_build_fail(b, name,
                      "only a party group is read from a list; write "
                      "\"= CODE, CODE\"");
        return;
    }
    if (!fetch(b, name, sha256, &rest))
        return;
    uint64_t *codes =
        sg_build_take(b, sg_dims_words(b->set, b->dim) * sizeof *codes);
    while (rest.len > 0 && b->err == SG_OK) {
        struct sg_slice id = next_line(&rest);
        if (id.len == 0)
            continue;
        uint16_t code = sg_policy_party(b->set, id);
        if (code >= SG_PARTY_FIRST_LISTED)
            sg_ast_put(codes, code);
        else
            remember_party(b, id);
        if (b->set->found_count > 4 * SG_LIMIT_PARTIES)
            sg_build_fail(b, name, "the lists name more than %u organisations",
                          SG_LIMIT_PARTIES);
    }
    if (b->err == SG_OK)
        b->group->codes = codes;
}

void
sg_build_review(struct sg_build *b, const struct sg_token *at)
{
    struct sg_review *review = sg_build_take(b, sizeof *review);
    if (review == NULL)
        return;
    *review =
        (struct sg_review){date(b, at), at->line, at->column, b->file->reviews};
    b->file->reviews = review;
    b->has_review = true;
}

void
sg_build_rule_review(struct sg_build *b, const struct sg_token *at)
{
    if (b->err != SG_OK)
        return;
    b->rule->review = date(b, at);
    sg_build_review(b, at);
}

void
sg_build_valid(struct sg_build *b, const struct sg_token *from,
               const struct sg_token *until)
{
    if (b->err != SG_OK)
        return;
    b->rule->from = date(b, from);
    b->rule->until = until == NULL ? SG_DAY_NEVER : date(b, until);
    if (b->rule->until <= b->rule->from)
        sg_build_fail(b, until == NULL ? from : until,
                      "\"until\" must be after \"from\"");
}

void
sg_build_header_end(struct sg_build *b)
{
    static const struct sg_token begin = {.line = 1, .column = 1};
    if (b->file->layer == SG_LAYER_NONE)
        sg_build_fail(b, &begin,
                      "the header names no layer; write \"layer hub\", "
                      "\"layer export for NO\" or \"layer import for NO\"");
}
