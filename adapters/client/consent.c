// Consent given and taken back; the gate's statement on what had left by then.
//
// The signed event lies in HOME/consents from before it is sent until its
// answer was kept, so that a withdrawal that was cut off is the same one when
// it is sent again. Statements stay in HOME/statements. One on many deliveries
// has pages, of which the last is heard and fixes all others: they are read from
// the gate's log backwards, each by the hash that the one after it states.
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/session.h"
#include "broker/base/encode.h"
#include "broker/base/utc.h"
#include "broker/os/clock.h"
#include "broker/os/random.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/proof/entry.h"

enum { STATE_GIVEN = 2, STATE_WITHDRAWN = 4 }; // of policy/consent.h
enum { EVENT_MAX = 64 * 1024, AGAIN_MS = 5000, SLICE_MS = 200, TRIES = 2 };
enum { TEXT_MAX = 2 * 1024 * 1024, FATES_TOLD = 10000, CALL_FATES = 1000000 };

struct asking {
    struct statgate *handle;
    const struct statgate_consent *wanted;
    struct statgate_statement *out;
    struct statgate_result *result;
    char kept[SG_OS_PATH]; // the signed event
    const Sgpb__Signed *event;
    uint8_t sha256[32];
    uint64_t first;        // number of its first request
    struct sg_slice heard; // packed StatementIs; not looked at yet
    struct sg_page {       // of the statement, to be read next
        uint64_t entry, named, event;
        uint8_t sha256[32];
        uint32_t left; // pages
    } page;
    struct statgate_fate *fates; // of all pages
};

// ---- the event ---------------------------------------------------------------------

static bool
place(struct asking *a)
{
    char record[33];
    uint8_t name[32];

    sg_encode_hex(a->wanted->record, 16, record);
    struct sg_slice parts[] = {sg_slice_text(a->wanted->agreement),
                               SG_SLICE("\n"), sg_slice_text(record),
                               a->wanted->withdraw ? SG_SLICE("\nwithdraw")
                                                   : SG_SLICE("\ngive")};
    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), name);
    return sg_home_path(&a->handle->home, "consents", sg_slice_of(name, 32), "",
                        a->kept);
}

static enum sg_err
folder(const struct sg_home *home, const char *name)
{
    char path[SG_OS_PATH];

    return sg_os_file_path(path, "%s/%s", home->path, name)
               ? sg_os_file_make_dirs(path)
               : SG_ERR_FULL;
}

static int
ask_agreement(struct asking *a, char *id, struct sg_slice *revision)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentGet get = SGPB__CONSENT_GET__INIT;
    const Sgpb__Envelope *answer;

    get.agreement = id;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_GET;
    envelope.consent_get = &get;
    if (sg_session_ask(
            a->handle, SG_WIRE_DATA, &envelope, (struct sg_slice){NULL, 0},
            SGPB__ENVELOPE__BODY_CONSENT_IS, &answer, a->result) == 0)
        *revision = sg_codec_slice(answer->consent_is->revision_sha256);
    if (a->result->exit == 0 && revision->len != 32)
        return sg_session_fail(a->result, SG_ERR_PEER_MALFORMED, "answer");
    return a->result->exit;
}

static int
ask_record(struct asking *a, char *id, const Sgpb__ConsentRecordIs **record)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__ConsentRecordGet get = SGPB__CONSENT_RECORD_GET__INIT;
    const Sgpb__Envelope *answer;

    get.agreement = id;
    get.record_id = sg_codec_bytes(a->wanted->record, 16);
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT_RECORD_GET;
    envelope.consent_record_get = &get;
    if (sg_session_ask(
            a->handle, SG_WIRE_DATA, &envelope, (struct sg_slice){NULL, 0},
            SGPB__ENVELOPE__BODY_CONSENT_RECORD, &answer, a->result) == 0)
        *record = answer->consent_record;
    return a->result->exit;
}

// Signs what follows the record's last event, and keeps it.
static int
make_event(struct asking *a)
{
    static const uint8_t zeros[32];
    struct sg_arena *arena = a->handle->arena;
    Sgpb__ConsentEvent doc = SGPB__CONSENT_EVENT__INIT;
    Sgpb__Signed *event = sg_arena_take(arena, sizeof *event);
    const Sgpb__ConsentRecordIs *now = NULL;
    struct sg_slice revision = {NULL, 0}, body, packed;
    uint8_t nonce[16];

    doc.agreement = sg_arena_printf(arena, "%s", a->wanted->agreement);
    if (event == NULL || doc.agreement == NULL)
        return sg_session_fail(a->result, SG_ERR_FULL, NULL);
    if (ask_agreement(a, doc.agreement, &revision) != 0 ||
        ask_record(a, doc.agreement, &now) != 0 || now == NULL)
        return a->result->exit;
    sg_os_random_fill(nonce, sizeof nonce);
    doc.revision_sha256 = sg_codec_bytes(revision.ptr, revision.len);
    doc.record_id = sg_codec_bytes(a->wanted->record, 16);
    doc.from = now->state;
    doc.to = a->wanted->withdraw ? STATE_WITHDRAWN : STATE_GIVEN;
    doc.prev_event_sha256 = now->last_event_sha256.len == 32
                                ? now->last_event_sha256
                                : sg_codec_bytes(zeros, 32);
    doc.at = sg_os_clock_wall_us();
    doc.nonce = sg_codec_bytes(nonce, sizeof nonce);
    enum sg_err err = sg_codec_pack(&doc.base, arena, &body);
    if (err == SG_OK)
        err = sg_session_sign(a->handle, SG_SIGN_CONSENT_EVENT, body, event);
    if (err == SG_OK)
        err = sg_codec_pack(&event->base, arena, &packed);
    if (err == SG_OK)
        err = folder(&a->handle->home, "consents");
    if (err == SG_OK)
        err = sg_os_file_replace(a->kept, packed, true);
    a->event = event;
    return err == SG_OK ? sg_session_done(a->result)
                        : sg_session_fail(a->result, err, "consents");
}

// false: none was left over.
static bool
read_event(struct asking *a)
{
    void *event = NULL;
    uint8_t *bytes;
    size_t len;

    if (sg_os_file_read_own(a->kept, EVENT_MAX, &bytes, &len) != SG_OK)
        return false;
    struct sg_slice packed =
        sg_arena_copy(a->handle->arena, sg_slice_of(bytes, len));
    free(bytes);
    if (packed.ptr == NULL ||
        sg_codec_unpack(&sgpb__signed__descriptor, packed, a->handle->arena,
                        &event) != SG_OK)
        return false;
    a->event = event;
    return true;
}

// ---- sending -----------------------------------------------------------------------

static void
on_message(void *context, const Sgpb__Envelope *envelope,
           struct sg_slice payload)
{
    struct asking *a = (struct asking *)context;

    (void)payload;
    // What an earlier call asked for may be about another agreement.
    if (envelope->body_case == SGPB__ENVELOPE__BODY_STATEMENT &&
        envelope->request >= a->first && a->heard.ptr == NULL &&
        sg_codec_pack(&envelope->statement->base, a->handle->arena,
                      &a->heard) != SG_OK)
        a->heard = (struct sg_slice){NULL, 0};
}

// The event, and the receipt that it is in the log.
static int
send_event(struct asking *a)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__Consent consent = SGPB__CONSENT__INIT;
    const Sgpb__Envelope *answer;
    union {
        const Sgpb__Signed *borrowed;
        Sgpb__Signed *as_field; // packed only
    } pointer = {a->event};

    sg_crypto_sha256(a->event->body.data, a->event->body.len, a->sha256);
    consent.events = &pointer.as_field;
    consent.n_events = 1;
    envelope.body_case = SGPB__ENVELOPE__BODY_CONSENT;
    envelope.consent = &consent;
    if (sg_session_ask(a->handle, SG_WIRE_CONTROL, &envelope,
                       (struct sg_slice){NULL, 0}, SGPB__ENVELOPE__BODY_RECEIPT,
                       &answer, a->result) != 0)
        return a->result->exit;
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_CONSENT_EVENT,
        .manifest_sha256 = sg_slice_of(a->sha256, 32),
        .participant = sg_slice_text(a->handle->home.participant)};
    enum sg_err err =
        sg_session_receipt(a->handle, sg_codec_slice(answer->receipt->receipt),
                           &expect, &a->out->event);
    return err == SG_OK ? sg_session_done(a->result)
                        : sg_session_fail(a->result, err, "receipt");
}

// What was kept may have been overtaken: then a fresh one is signed.
static int
give_event(struct asking *a)
{
    if (read_event(a) && (send_event(a) == 0 || a->result->exit == 69))
        return a->result->exit;
    if (make_event(a) != 0)
        return a->result->exit;
    (void)send_event(a);
    enum sg_err code = sg_err_by_code(a->result->code);
    if (a->result->exit != 0 && (code == SG_ERR_COUNT || !sg_err_retry(code)))
        (void)!sg_os_file_remove(a->kept); // refused for good
    return a->result->exit;
}

// ---- the statement ------------------------------------------------------------------

static void add(char *text, size_t *len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
add(char *text, size_t *len, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int put = vsnprintf(text + *len, TEXT_MAX - *len, format, args);
    va_end(args);
    if (put > 0)
        *len +=
            (size_t)put < TEXT_MAX - *len ? (size_t)put : TEXT_MAX - *len - 1;
}

static const char *const fates[STATGATE_FATE_COUNT] = {
    [STATGATE_LEFT_RECEIPTED] =
        "had left before, and the receiver signed that it has it",
    [STATGATE_LEFT_UNRECEIPTED] =
        "had left before, and the receiver has not signed that it has it",
    [STATGATE_CANCELLED] = "was cancelled, and its key never left",
    [STATGATE_CIPHERTEXT_ONLY] =
        "is there as ciphertext only, which nobody can read"};

static const char *
words(struct asking *a)
{
    const struct statgate_statement *s = a->out;
    char *text = sg_arena_take(a->handle->arena, TEXT_MAX);
    char hex[33], time[SG_UTC_TEXT];
    size_t len = 0;

    if (text == NULL)
        return NULL;
    sg_utc_format(s->answered_us, time);
    add(text, &len, "withdrawn in entry %" PRIu64 " of the gate's log\n",
        s->event);
    add(text, &len, "the gate %s states in entry %" PRIu64 ", signed, at %s:\n",
        a->handle->home.gate, s->entry, time);
    if (s->fates_count == 0)
        add(text, &len, "  nothing that rests on this consent was delivered\n");
    for (size_t i = 0; i < s->fates_count && i < FATES_TOLD; i++) {
        const struct statgate_fate *one = &s->fates[i];
        sg_encode_hex(one->delivery_id, 16, hex);
        add(text, &len, "  delivery %s %s (entry %" PRIu64 ")\n", hex,
            fates[one->what], one->entry);
    }
    if (s->fates_count > FATES_TOLD)
        add(text, &len, "  and %zu deliveries more, which --json names\n",
            s->fates_count - FATES_TOLD);
    add(text, &len,
        "%zu left and receipted, %zu left without receipt, %zu cancelled, "
        "%zu only ciphertext\n",
        s->count[STATGATE_LEFT_RECEIPTED], s->count[STATGATE_LEFT_UNRECEIPTED],
        s->count[STATGATE_CANCELLED], s->count[STATGATE_CIPHERTEXT_ONLY]);
    return text;
}

// The fates of one page, behind those of the pages before it.
static enum sg_err
put_fates(struct asking *a, const Sgpb__Statement *page)
{
    struct statgate_statement *s = a->out;
    uint64_t end = page->page == 0 ? page->n_fates : page->named;

    if ((page->named != 0 && page->named != end) || end > s->fates_count ||
        page->n_fates > end || (page->page != 0 && page->n_fates == 0))
        return SG_ERR_FORMAT;
    struct statgate_fate *list = a->fates + (end - page->n_fates);
    for (size_t i = 0; i < page->n_fates; i++) {
        const Sgpb__Fate *one = page->fates[i];
        if (one->delivery_id.len != 16 || one->fate == 0 ||
            one->fate >= STATGATE_FATE_COUNT)
            return SG_ERR_FORMAT;
        memcpy(list[i].delivery_id, one->delivery_id.data, 16);
        list[i].what = (enum statgate_fate_is)one->fate;
        list[i].entry = one->entry;
        s->count[one->fate]++;
    }
    a->page.named = end - page->n_fates;
    a->page.left = page->page;
    if (page->page == 0)
        return a->page.named == 0 ? SG_OK : SG_ERR_FORMAT;
    if (page->previous_sha256.len != 32)
        return SG_ERR_FORMAT;
    memcpy(a->page.sha256, page->previous_sha256.data, 32);
    a->page.entry = page->previous_entry;
    return SG_OK;
}

// The last page, which says how many deliveries all of them name.
static enum sg_err
take_fates(struct asking *a, const Sgpb__Statement *said)
{
    struct statgate_statement *s = a->out;
    uint64_t count = said->page == 0 ? said->n_fates : said->named;

    if (said->more)
        return SG_ERR_FORMAT;
    a->fates =
        count > CALL_FATES
            ? NULL
            : sg_arena_take(a->handle->arena, (count + 1) * sizeof *a->fates);
    if (a->fates == NULL)
        return SG_ERR_FULL;
    s->fates = a->fates;
    s->fates_count = count;
    s->answered_us = said->answered;
    s->last_key = said->last_key_released;
    a->page.event = said->event_index;
    return put_fates(a, said);
}

// Into HOME/statements. path: where it lies, in the arena.
static enum sg_err
keep(struct asking *a, const uint8_t name[32], const char *suffix,
     struct sg_slice bytes, char **path)
{
    *path = sg_arena_take(a->handle->arena, SG_OS_PATH);
    if (*path == NULL || !sg_home_path(&a->handle->home, "statements",
                                       sg_slice_of(name, 32), suffix, *path))
        return SG_ERR_FULL;
    enum sg_err err = folder(&a->handle->home, "statements");
    return err == SG_OK ? sg_os_file_replace(*path, bytes, true) : err;
}

// Is what was heard the gate's word on this withdrawal? *ours false: it is
// about an earlier one.
static enum sg_err
check_statement(struct asking *a, bool *ours)
{
    struct statgate *handle = a->handle;
    void *outer = NULL, *doc = NULL;
    uint8_t sha256[32];

    enum sg_err err = sg_codec_unpack(&sgpb__statement_is__descriptor, a->heard,
                                      handle->arena, &outer);
    const Sgpb__StatementIs *is = outer;
    if (err != SG_OK || is->statement == NULL)
        return SG_ERR_FORMAT;
    if (!sg_roster_gate_signed(&handle->home.roster, is->statement,
                               SG_SIGN_STATEMENT))
        return SG_ERR_SIGNATURE;
    err = sg_codec_unpack(&sgpb__statement__descriptor,
                          sg_codec_slice(is->statement->body), handle->arena,
                          &doc);
    const Sgpb__Statement *said = doc;
    if (err != SG_OK)
        return err;
    if (strcmp(said->gate, handle->home.gate) != 0)
        return SG_ERR_AUDIENCE;
    // One about a later withdrawal under the same agreement tells of all that
    // had left by then, and so of ours.
    *ours = said->event_index >= a->out->event;
    if (!*ours)
        return SG_OK;
    if (said->event_index == a->out->event &&
        !sg_slice_eq(sg_codec_slice(said->event_sha256),
                     sg_slice_of(a->sha256, 32)))
        return SG_ERR_CONSENT;
    sg_crypto_sha256(is->statement->body.data, is->statement->body.len, sha256);
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_STATEMENT, .manifest_sha256 = sg_slice_of(sha256, 32)};
    err = sg_session_receipt(handle, sg_codec_slice(is->receipt), &expect,
                             &a->out->entry);
    return err == SG_OK ? take_fates(a, said) : err;
}

// A page as the log has it: is it the one that the page after it names?
static enum sg_err
check_page(struct asking *a, struct sg_slice bytes)
{
    struct sg_arena *arena = a->handle->scratch;
    void *outer = NULL, *doc = NULL;
    struct sg_entry entry;
    uint8_t sha256[32];

    if (sg_entry_decode(bytes, &entry) != SG_OK ||
        entry.type != SG_ENTRY_STATEMENT || entry.sequence != a->page.entry ||
        sg_codec_unpack(&sgpb__statement_entry__descriptor, entry.body, arena,
                        &outer) != SG_OK)
        return SG_ERR_FORMAT;
    Sgpb__Signed *one = ((Sgpb__StatementEntry *)outer)->statement;
    if (one == NULL)
        return SG_ERR_FORMAT;
    sg_crypto_sha256(one->body.data, one->body.len, sha256);
    if (memcmp(sha256, a->page.sha256, 32) != 0)
        return SG_ERR_RECEIPT;
    enum sg_err err = sg_codec_unpack(&sgpb__statement__descriptor,
                                      sg_codec_slice(one->body), arena, &doc);
    if (err != SG_OK)
        return err;
    const Sgpb__Statement *page = doc;
    if (page->page + 1 != a->page.left || !page->more ||
        page->event_index != a->page.event || page->named != a->page.named)
        return SG_ERR_FORMAT;
    return put_fates(a, page);
}

// The pages before the last one, from the log.
static int
fetch_pages(struct asking *a)
{
    char *path;

    while (a->page.left > 0) {
        Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
        Sgpb__EntriesGet get = SGPB__ENTRIES_GET__INIT;
        const Sgpb__Envelope *answer;
        uint8_t name[32];
        get.from = a->page.entry;
        get.count = 1;
        envelope.body_case = SGPB__ENVELOPE__BODY_ENTRIES_GET;
        envelope.entries_get = &get;
        if (sg_session_ask(
                a->handle, SG_WIRE_DATA, &envelope, (struct sg_slice){NULL, 0},
                SGPB__ENVELOPE__BODY_ENTRIES, &answer, a->result) != 0)
            return a->result->exit;
        memcpy(name, a->page.sha256, sizeof name);
        sg_arena_reset(a->handle->scratch);
        enum sg_err err = SG_ERR_FORMAT;
        if (answer->entries->n_raw == 1 && answer->entries->size == 0)
            err = check_page(a, sg_codec_slice(answer->entries->raw[0]));
        if (err == SG_OK)
            err = keep(a, name, ".page",
                       sg_codec_slice(answer->entries->raw[0]), &path);
        if (err != SG_OK)
            return sg_session_fail(a->result, err, "statement");
    }
    return sg_session_done(a->result);
}

static int
wait_statement(struct asking *a)
{
    struct statgate *handle = a->handle;
    uint64_t deadline = sg_session_deadline(a->wanted->wait_ms);
    uint64_t again = sg_session_deadline(AGAIN_MS);
    bool ours = false;
    char *path = NULL;

    while (!ours) {
        if (a->heard.ptr != NULL) {
            enum sg_err err = check_statement(a, &ours);
            if (err == SG_OK && ours)
                err = keep(a, a->sha256, ".statement", a->heard, &path);
            if (err != SG_OK)
                return sg_session_fail(a->result, err, "statement");
            if (!ours)
                a->heard = (struct sg_slice){NULL, 0};
            continue;
        }
        uint64_t now = sg_os_clock_mono_us();
        if (now >= deadline)
            return sg_session_fail(a->result, SG_ERR_STATEMENT,
                                   a->wanted->agreement);
        if (now >= again || !handle->greeted[SG_WIRE_CONTROL]) {
            again = sg_session_deadline(AGAIN_MS);
            if (send_event(a) != 0) // the same bytes: asked for once more
                return a->result->exit;
            continue;
        }
        (void)sg_session_hear(handle, SLICE_MS);
    }
    if (fetch_pages(a) != 0)
        return a->result->exit;
    a->out->path = path;
    a->out->text = words(a);
    return a->out->text == NULL
               ? sg_session_fail(a->result, SG_ERR_FULL, "statement")
               : sg_session_done(a->result);
}

int
statgate_consent(struct statgate *handle, const struct statgate_consent *event,
                 struct statgate_statement *statement,
                 struct statgate_result *result)
{
    struct asking a = {.handle = handle,
                       .wanted = event,
                       .out = statement,
                       .result = result,
                       .first = handle->requests + 1};

    memset(statement, 0, sizeof *statement);
    sg_arena_reset(handle->arena);
    if (!sg_slice_is_id(sg_slice_text(event->agreement)))
        return sg_session_fail(result, SG_ERR_CONSENT, "agreement");
    if (!place(&a))
        return sg_session_fail(result, SG_ERR_FULL, "consents");
    handle->other = on_message;
    handle->other_context = &a;
    if (give_event(&a) == 0 && event->withdraw && event->wait_ms != 0)
        (void)wait_statement(&a);
    handle->other = NULL;
    if (result->exit == 0)
        (void)!sg_os_file_remove(a.kept);
    return result->exit;
}
