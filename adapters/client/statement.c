#include "adapters/client/statement.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/base/encode.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"
#include "schemas/proof/batch.h"
#include "schemas/proof/commit.h"

enum { MODE_FILE = 1, MODE_ROW = 3 };

static bool
is(ProtobufCBinaryData data, const void *bytes, size_t len)
{
    return data.len == len && memcmp(data.data, bytes, len) == 0;
}

static void *
open_body(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData body,
          struct sg_arena *arena)
{
    void *out = NULL;

    if (sg_codec_unpack(type, sg_codec_slice(body), arena, &out) != SG_OK)
        return NULL;
    // Lines of the words below mean something: nothing foreign ends one.
    sg_plain_message(out);
    return out;
}

// ---- the publisher's word --------------------------------------------------------

static enum sg_err
check_signature(const Sgpb__SignedManifest *document,
                const struct sg_statement_expect *expect,
                struct sg_statement *out)
{
    struct sg_slice path[SG_BATCH_PATH_MAX];
    struct sg_batch_head head;
    struct sg_batch_place place;

    if (document->n_path > SG_BATCH_PATH_MAX ||
        sg_batch_head_decode(sg_codec_slice(document->head), &head) != SG_OK)
        return SG_ERR_FORMAT;
    for (size_t i = 0; i < document->n_path; i++)
        path[i] = sg_codec_slice(document->path[i]);
    if (!sg_batch_place_of(&head, document->index, path, document->n_path,
                           &place) ||
        !sg_batch_holds(&head, sg_codec_slice(document->manifest), &place) ||
        !is(out->manifest->key_id, head.key_id, 32))
        return SG_ERR_SIGNATURE;
    const Sgpb__RosterKey *key = sg_roster_key(
        expect->roster, sg_slice_of(head.key_id, 32), &out->publisher);
    if (key == NULL ||
        strcmp(out->publisher->id, out->manifest->publisher) != 0)
        return SG_ERR_PEER_UNKNOWN;
    if (strcmp(key->use, "sign") != 0)
        return SG_ERR_PEER_KEY_USE;
    memcpy(out->key_id, head.key_id, 32);
    return sg_batch_verify(
        sg_codec_slice(document->head), (enum sg_alg)key->alg,
        sg_codec_slice(key->public_key), sg_codec_slice(document->sig));
}

static enum sg_err
check_manifest(const Sgpb__DeliveryBegin *begin,
               const struct sg_statement_expect *expect, struct sg_arena *arena,
               struct sg_statement *out, const char **why)
{
    *why = "the release has no manifest in canonical form";
    if (begin->manifest == NULL)
        return SG_ERR_FORMAT;
    out->manifest = open_body(&sgpb__manifest__descriptor,
                              begin->manifest->manifest, arena);
    if (out->manifest == NULL || out->manifest->content_root.len != 32)
        return SG_ERR_FORMAT;
    sg_crypto_sha256(begin->manifest->manifest.data,
                     begin->manifest->manifest.len, out->manifest_sha256);
    *why = "the publisher's signature over the manifest does not fit";
    enum sg_err err = check_signature(begin->manifest, expect, out);
    if (err != SG_OK)
        return err;
    *why = "the manifest is for another gate or flow";
    if (strcmp(out->manifest->gate, expect->gate) != 0 ||
        !is(out->manifest->log_genesis, expect->genesis, 32) ||
        (expect->flow != NULL &&
         strcmp(out->manifest->flow, expect->flow) != 0))
        return SG_ERR_AUDIENCE;
    return SG_OK;
}

// ---- the gate's word -------------------------------------------------------------

static enum sg_err
check_delivery(const Sgpb__DeliveryBegin *begin,
               const struct sg_statement_expect *expect, struct sg_arena *arena,
               struct sg_statement *out, const char **why)
{
    *why = "the delivery statement is not signed by the gate";
    if (!sg_roster_gate_signed(expect->roster, begin->delivery,
                               SG_SIGN_DELIVERY))
        return SG_ERR_SIGNATURE;
    out->delivery =
        open_body(&sgpb__delivery__descriptor, begin->delivery->body, arena);
    const Sgpb__Delivery *d = out->delivery;
    *why = "the delivery statement is not of its form";
    if (d == NULL || d->delivery_id.len != 16 || d->attempt.len != 16 ||
        d->chunk_root.len != 32 || d->key_commit.len != 32 || d->chunks == 0)
        return SG_ERR_FORMAT;
    *why = "the delivery statement is for somebody else";
    if (strcmp(d->gate, expect->gate) != 0 ||
        (expect->subscriber != NULL &&
         strcmp(d->subscriber, expect->subscriber) != 0) ||
        (expect->subscription_sha256 != NULL &&
         !is(d->subscription_sha256, expect->subscription_sha256, 32)))
        return SG_ERR_AUDIENCE;
    *why = "the delivery statement is about another manifest";
    if (!is(d->manifest_sha256, out->manifest_sha256, 32))
        return SG_ERR_CONTENT;
    out->media = (enum sg_media)d->media;
    return SG_OK;
}

static enum sg_err
check_derivation(const Sgpb__DeliveryBegin *begin,
                 const struct sg_statement_expect *expect,
                 struct sg_arena *arena, struct sg_statement *out,
                 const char **why)
{
    *why = "the derivation is not signed by the gate";
    if (!sg_roster_gate_signed(expect->roster, begin->derivation,
                               SG_SIGN_DERIVATION))
        return SG_ERR_SIGNATURE;
    out->derivation = open_body(&sgpb__derivation__descriptor,
                                begin->derivation->body, arena);
    *why = "the derivation is not of its form";
    if (out->derivation == NULL || out->derivation->content.len != 32 ||
        out->derivation->n_kinds == 0)
        return SG_ERR_FORMAT;
    *why = "the derivation is about another release";
    if (!is(out->derivation->manifest_sha256, out->manifest_sha256, 32))
        return SG_ERR_CONTENT;
    out->root = out->derivation->content.data;
    out->level = SG_CONTENT_ROW; // rows that a gate made are always rows
    return SG_OK;
}

enum sg_err
sg_statement_check(const Sgpb__DeliveryBegin *begin,
                   const struct sg_statement_expect *expect,
                   struct sg_arena *arena, struct sg_statement *out,
                   const char **why)
{
    memset(out, 0, sizeof *out);
    enum sg_err err = check_manifest(begin, expect, arena, out, why);
    if (err == SG_OK)
        err = check_delivery(begin, expect, arena, out, why);
    if (err != SG_OK)
        return err;
    if (begin->derivation != NULL)
        return check_derivation(begin, expect, arena, out, why);
    *why = "this way of committing to content is not known here";
    if (out->manifest->mode != MODE_FILE && out->manifest->mode != MODE_ROW)
        return SG_ERR_MODE;
    *why = "delivered bytes are of another format than the signed ones";
    if (out->manifest->mode == MODE_FILE &&
        out->manifest->media != out->delivery->media)
        return SG_ERR_CONTENT;
    out->level =
        out->manifest->mode == MODE_FILE ? SG_CONTENT_FILE : SG_CONTENT_ROW;
    out->root = out->manifest->content_root.data;
    return SG_OK;
}

enum sg_err
sg_statement_data(const struct sg_statement *statement,
                  struct sg_content_file *file, struct sg_slice proof,
                  struct sg_content_found *found, const char **why)
{
    const Sgpb__Delivery *d = statement->delivery;
    uint8_t commit[32];
    uint64_t stated = 0;

    *why = "the proof is not the one that the gate stated";
    sg_commit_shared_proof(d->attempt.data, proof, commit);
    if (!is(d->shared_proof_commit, commit, 32))
        return SG_ERR_CONTENT;
    if (d->proof_commit.len != 0) { // of a gate that knows the proof
        sg_commit_proof(d->delivery_id.data, proof, commit);
        if (!is(d->proof_commit, commit, 32))
            return SG_ERR_CONTENT;
    }
    file->media = statement->media;
    enum sg_err err =
        sg_content_check(file, statement->level, statement->root, proof, found);
    *why = found->why;
    if (err != SG_OK)
        return err;
    *why = "more or fewer rows than the publisher signed";
    if (statement->derivation == NULL &&
        found->total != statement->manifest->leaves)
        return SG_ERR_CONTENT;
    *why = "more or fewer rows than the gate's derivation says";
    if (statement->derivation != NULL &&
        found->total != statement->derivation->rows_out)
        return SG_ERR_CONTENT;
    *why = "the rows withheld are not those that the gate states rules for";
    for (size_t i = 0; i < d->n_withheld; i++) {
        if (d->withheld[i]->count > found->withheld - stated)
            return SG_ERR_CONTENT;
        stated += d->withheld[i]->count;
    }
    if (stated != found->withheld)
        return SG_ERR_CONTENT;
    *why = "";
    return SG_OK;
}

// ---- in words --------------------------------------------------------------------

static void add(char *text, size_t cap, size_t *len, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
add(char *text, size_t cap, size_t *len, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int put = vsnprintf(text + *len, cap - *len, format, args);
    va_end(args);
    if (put > 0)
        *len += (size_t)put < cap - *len ? (size_t)put : cap - *len - 1;
}

static void
add_derivation(const struct sg_statement *s, char *text, size_t cap,
               size_t *len)
{
    for (size_t i = 0; i < s->derivation->n_kinds; i++)
        add(text, cap, len, "%s%s", i == 0 ? "" : " and ",
            s->derivation->kinds[i]);
    add(text, cap, len,
        " by gate %s, which signs it: %" PRIu64 " rows of %" PRIu64
        " as %s; the values are the gate's word, not the publisher's "
        "signature\n",
        s->delivery->gate, s->derivation->rows_out, s->derivation->rows_in,
        sg_obs_media_name(s->media));
}

static const char too_long[] = "...\n(the rest is too long to be shown)\n";

// Says that the text was cut, behind a whole character.
static void
say_cut(char *text, size_t cap)
{
    size_t at = cap - sizeof too_long;

    while (at > 0 && ((uint8_t)text[at] & 0xc0) == 0x80)
        at--;
    memcpy(text + at, too_long, sizeof too_long);
}

const char *
sg_statement_words(const struct sg_statement *s,
                   const struct sg_content_found *found, uint64_t observations,
                   struct sg_arena *arena)
{
    const size_t cap = SG_STATEMENT_WORDS;
    char *text = sg_arena_take(arena, cap);
    char key[17];
    size_t len = 0;

    if (text == NULL)
        return NULL;
    sg_encode_hex(s->key_id, 8, key);
    add(text, cap, &len, "signed by %s (key %s): %s@%" PRIu64 "\n",
        s->publisher->id, key, s->manifest->flow, s->manifest->revision);
    if (s->derivation != NULL)
        add_derivation(s, text, cap, &len);
    else if (s->level == SG_CONTENT_FILE)
        add(text, cap, &len, "the file is byte for byte the signed one\n");
    else
        add(text, cap, &len,
            "%" PRIu64 " of %" PRIu64 " signed rows withheld, %" PRIu64
            " verified one by one\n",
            found->withheld, found->total, found->total - found->withheld);
    for (size_t i = 0; i < s->delivery->n_withheld; i++)
        add(text, cap, &len,
            "the gate %s states: %" PRIu64
            " rows withheld under rule %s (decision %" PRIu64 ")\n",
            s->delivery->gate, s->delivery->withheld[i]->count,
            s->delivery->withheld[i]->rule, s->delivery->decision);
    add(text, cap, &len,
        "the gate %s states: delivered to %s under decision %" PRIu64 "\n",
        s->delivery->gate, s->delivery->subscriber, s->delivery->decision);
    for (size_t i = 0; i < s->delivery->n_obligations; i++) {
        add(text, cap, &len, "the gate %s states the duty: %s",
            s->delivery->gate, s->delivery->obligations[i]->name);
        for (size_t k = 0; k < s->delivery->obligations[i]->n_args; k++)
            add(text, cap, &len, "%s%s", k == 0 ? "(" : ", ",
                s->delivery->obligations[i]->args[k]);
        add(text, cap, &len, "%s\n",
            s->delivery->obligations[i]->n_args > 0 ? ")" : "");
    }
    if (s->level == SG_CONTENT_ROW)
        add(text, cap, &len, "%" PRIu64 " observations\n", observations);
    if (len == cap - 1)
        say_cut(text, cap);
    return text;
}
