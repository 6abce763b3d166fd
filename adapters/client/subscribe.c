#include "adapters/client/subscribe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/os/clock.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/vocabulary/obligation.h"

enum { FILE_MAX = 64 * 1024, PROMISES_MAX = 32, ARGS_MAX = 4 };
enum { START_STATE = 1 };

// What the gate accepted, and what was signed and not yet answered: a refusal
// must not take the place of the one that holds.
static const char accepted[] = "", asked[] = ".asked";

static bool
kept_path(const struct sg_home *home, const char *name, const char *state,
          char path[SG_OS_PATH])
{
    return sg_home_path_named(home, "subscriptions", name, state, path);
}

static enum sg_err
read_kept(struct statgate *handle, const char *name, const char *state,
          struct sg_subscribe_kept *kept)
{
    char path[SG_OS_PATH];
    uint8_t *bytes;
    size_t len;
    void *outer = NULL, *doc = NULL;

    if (!kept_path(&handle->home, name, state, path))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read_own(path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        return err;
    kept->document = sg_arena_copy(handle->arena, sg_slice_of(bytes, len));
    free(bytes);
    if (kept->document.ptr == NULL ||
        sg_codec_unpack(&sgpb__signed__descriptor, kept->document,
                        handle->arena, &outer) != SG_OK ||
        sg_codec_unpack(&sgpb__subscription__descriptor,
                        sg_codec_slice(((Sgpb__Signed *)outer)->body),
                        handle->arena, &doc) != SG_OK)
        return SG_ERR_CORRUPT;
    kept->doc = doc;
    sg_crypto_sha256(((Sgpb__Signed *)outer)->body.data,
                     ((Sgpb__Signed *)outer)->body.len, kept->sha256);
    (void)snprintf(kept->id, sizeof kept->id, "%s/%s", kept->doc->subscriber,
                   kept->doc->name);
    return SG_OK;
}

enum sg_err
sg_subscribe_read(struct statgate *handle, const char *name,
                  struct sg_subscribe_kept *kept)
{
    return read_kept(handle, name, accepted, kept);
}

// ---- promises: "delete_after_days(30)" -------------------------------------------

static Sgpb__Subscription__Obligation *
promise(struct sg_arena *arena, const char *text)
{
    Sgpb__Subscription__Obligation *out = sg_arena_take(arena, sizeof *out);
    struct sg_slice whole = sg_arena_copy(arena, sg_slice_text(text));
    char **args = sg_arena_take(arena, ARGS_MAX * sizeof *args);
    struct sg_slice slices[ARGS_MAX];
    struct sg_obligation checked;

    if (out == NULL || whole.ptr == NULL || args == NULL)
        return NULL;
    *out = (Sgpb__Subscription__Obligation)SGPB__SUBSCRIPTION__OBLIGATION__INIT;
    out->name = sg_arena_printf(arena, "%s", text);
    out->args = args;
    char *open = out->name == NULL ? NULL : strchr(out->name, '(');
    if (open != NULL) {
        char *close = strchr(open, ')');
        if (close == NULL || close[1] != '\0')
            return NULL;
        *open = *close = '\0';
        for (char *at = open + 1; at != NULL && *at != '\0';) {
            char *comma = strchr(at, ',');
            if (comma != NULL)
                *comma = '\0';
            if (out->n_args == ARGS_MAX)
                return NULL;
            while (*at == ' ')
                at++;
            slices[out->n_args] = sg_slice_text(at);
            args[out->n_args++] = at;
            at = comma == NULL ? NULL : comma + 1;
        }
    }
    return sg_obligation_parse(sg_slice_text(out->name), slices, out->n_args,
                               &checked)
               ? out
               : NULL;
}

static const char *
fill_promises(struct statgate *handle, const char *const *promises,
              Sgpb__Subscription *doc)
{
    doc->promises =
        sg_arena_take(handle->arena, PROMISES_MAX * sizeof *doc->promises);
    for (size_t i = 0; promises != NULL && promises[i] != NULL; i++) {
        if (i == PROMISES_MAX || doc->promises == NULL ||
            (doc->promises[i] = promise(handle->arena, promises[i])) == NULL)
            return promises[i];
        doc->n_promises++;
    }
    return NULL;
}

static char *
copy(struct sg_arena *arena, const char *text)
{
    return sg_arena_printf(arena, "%s", text == NULL ? "" : text);
}

// ---- subscribing -----------------------------------------------------------------

static bool
same(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b) == 0;
}

// Asked for again in the same words: the same signed bytes.
static bool
unchanged(const Sgpb__Subscription *doc, const Sgpb__Subscription *now)
{
    bool equal =
        same(doc->flow, now->flow) && same(doc->key_filter, now->key_filter) &&
        same(doc->period, now->period) && same(doc->purpose, now->purpose) &&
        same(doc->basis, now->basis) && same(doc->format, now->format) &&
        doc->n_promises == now->n_promises;

    for (size_t i = 0; i < doc->n_promises && equal; i++) {
        equal = same(doc->promises[i]->name, now->promises[i]->name) &&
                doc->promises[i]->n_args == now->promises[i]->n_args;
        for (size_t k = 0; k < doc->promises[i]->n_args && equal; k++)
            equal = same(doc->promises[i]->args[k], now->promises[i]->args[k]);
    }
    return equal;
}

static int
write_document(struct statgate *handle, const char *name,
               Sgpb__Subscription *doc, Sgpb__Signed *out,
               struct statgate_result *result)
{
    char path[SG_OS_PATH], folder[SG_OS_PATH];
    struct sg_slice body, packed;
    uint8_t nonce[16];

    sg_os_random_fill(nonce, sizeof nonce);
    doc->nonce = sg_codec_bytes(nonce, sizeof nonce);
    enum sg_err err = sg_codec_pack(&doc->base, handle->arena, &body);
    if (err == SG_OK)
        err = sg_session_sign(handle, SG_SIGN_SUBSCRIPTION, body, out);
    if (err == SG_OK)
        err = sg_codec_pack(&out->base, handle->arena, &packed);
    if (err == SG_OK &&
        (!sg_os_file_path(folder, "%s/subscriptions", handle->home.path) ||
         !kept_path(&handle->home, name, asked, path)))
        err = SG_ERR_FULL;
    if (err == SG_OK)
        err = sg_os_file_make_dirs(folder);
    if (err == SG_OK)
        err = sg_os_file_replace(path, packed, true);
    return err == SG_OK ? sg_session_done(result)
                        : sg_session_fail(result, err, "subscriptions");
}

static enum sg_err
fill(struct statgate *handle, const struct statgate_subscription *wanted,
     Sgpb__Subscription *doc)
{
    struct sg_arena *arena = handle->arena;

    *doc = (Sgpb__Subscription)SGPB__SUBSCRIPTION__INIT;
    doc->gate = handle->home.gate;
    doc->subscriber = handle->home.participant;
    doc->name = copy(arena, wanted->name);
    doc->flow = copy(arena, wanted->flow);
    doc->key_filter = copy(arena, wanted->key_filter);
    doc->period = copy(arena, wanted->period);
    doc->purpose = copy(arena, wanted->purpose);
    doc->basis = copy(arena, wanted->basis);
    doc->format = copy(arena, wanted->format);
    doc->start = START_STATE;
    doc->created = sg_os_clock_wall_us();
    return doc->name == NULL || doc->flow == NULL || doc->key_filter == NULL ||
                   doc->period == NULL || doc->purpose == NULL ||
                   doc->basis == NULL || doc->format == NULL
               ? SG_ERR_FULL
               : SG_OK;
}

// What was kept in these words, to be asked for again by the same signed bytes.
static Sgpb__Signed *
held(struct statgate *handle, const char *name, const char *state,
     const Sgpb__Subscription *doc)
{
    struct sg_subscribe_kept kept;
    void *outer = NULL;

    if (read_kept(handle, name, state, &kept) != SG_OK ||
        (doc != NULL && !unchanged(doc, kept.doc)) ||
        sg_codec_unpack(&sgpb__signed__descriptor, kept.document, handle->arena,
                        &outer) != SG_OK)
        return NULL;
    return outer;
}

// The gate's answer decides which one holds; without one, nothing changes.
static int
answered(struct statgate *handle, const char *name, bool was_asked,
         struct statgate_result *result)
{
    char from[SG_OS_PATH], to[SG_OS_PATH];
    enum sg_err err = SG_OK;

    if (!kept_path(&handle->home, name, asked, from) ||
        !kept_path(&handle->home, name, accepted, to))
        return sg_session_fail(result, SG_ERR_FULL, "subscriptions");
    if (result->exit == 0)
        err = was_asked ? sg_os_file_rename(from, to) : sg_os_file_remove(from);
    else if (was_asked && (result->exit == sg_err_exit(SG_ERR_DATA) ||
                           result->exit == sg_err_exit(SG_ERR_DENIED)))
        err = sg_os_file_remove(from);
    return err == SG_OK ? result->exit
                        : sg_session_fail(result, err, "subscriptions");
}

static int
ask(struct statgate *handle, const char *name, Sgpb__Signed *document,
    bool was_asked, struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Subscribe subscribe = SGPB__SUBSCRIBE__INIT;
    const Sgpb__Envelope *answer;

    subscribe.subscription = document;
    envelope.body_case = SGPB__ENVELOPE__BODY_SUBSCRIBE;
    envelope.subscribe = &subscribe;
    (void)!sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                          (struct sg_slice){NULL, 0},
                          SGPB__ENVELOPE__BODY_SUBSCRIPTION, &answer, result);
    return answered(handle, name, was_asked, result);
}

void
sg_subscribe_ask_again(struct statgate *handle, const char *name)
{
    struct statgate_result result;
    Sgpb__Signed *document = held(handle, name, asked, NULL);

    if (document != NULL && !handle->home.look_only)
        (void)ask(handle, name, document, true, &result);
}

int
statgate_subscribe(struct statgate *handle,
                   const struct statgate_subscription *wanted,
                   struct statgate_result *result)
{
    Sgpb__Signed document = SGPB__SIGNED__INIT, *again;
    Sgpb__Subscription doc;

    sg_arena_reset(handle->arena);
    if (!sg_slice_is_id(sg_slice_text(wanted->name)))
        return sg_session_fail(result, SG_ERR_SUBSCRIPTION, "name");
    enum sg_err err = fill(handle, wanted, &doc);
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    if (fill_promises(handle, wanted->promises, &doc) != NULL)
        return sg_session_fail(result, SG_ERR_SUBSCRIPTION, "promises");
    if ((again = held(handle, wanted->name, accepted, &doc)) != NULL)
        return ask(handle, wanted->name, again, false, result);
    if ((again = held(handle, wanted->name, asked, &doc)) != NULL)
        return ask(handle, wanted->name, again, true, result);
    if (write_document(handle, wanted->name, &doc, &document, result) != 0)
        return result->exit;
    return ask(handle, wanted->name, &document, true, result);
}

int
statgate_unsubscribe(struct statgate *handle, const char *name,
                     struct statgate_result *result)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Unsubscribe end = SGPB__UNSUBSCRIBE__INIT;
    const Sgpb__Envelope *answer;
    char path[SG_OS_PATH];

    sg_arena_reset(handle->arena);
    end.id =
        sg_arena_printf(handle->arena, "%s/%s", handle->home.participant, name);
    if (end.id == NULL)
        return sg_session_fail(result, SG_ERR_FULL, NULL);
    envelope.body_case = SGPB__ENVELOPE__BODY_UNSUBSCRIBE;
    envelope.unsubscribe = &end;
    if (sg_session_ask(handle, SG_WIRE_DATA, &envelope,
                       (struct sg_slice){NULL, 0},
                       SGPB__ENVELOPE__BODY_SUBSCRIPTION, &answer, result) != 0)
        return result->exit;
    if (kept_path(&handle->home, name, asked, path))
        (void)!sg_os_file_remove(path);
    if (kept_path(&handle->home, name, accepted, path))
        (void)!sg_os_file_remove(path);
    return sg_session_done(result);
}
