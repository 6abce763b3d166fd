#include "policy/consent.h"

#include "broker/base/pool.h"
#include "broker/base/table.h"
#include "broker/base/timers.h"
#include "policy/consent_set.h"

enum { ARENA_CAP = 64 * 1024 * 1024, ARENA_BLOCK = 64 * 1024 };
static const uint64_t day_us = 86400000000ull;

struct agreement {
    struct sg_slice id, controller;
    uint64_t revision, epoch;
    uint8_t sha256[32];
    uint8_t last_event[32];
    uint32_t valid_days;
    bool community;
    uint32_t records;                    // ordinals given out
    uint64_t of[SG_CONSENT_STATE_COUNT]; // records by state
    struct sg_consent_set *given;
};

struct record {
    uint32_t agreement, ordinal;
    uint8_t state;
    uint64_t expires; // 0: never
    uint8_t last_event[32];
    uint8_t revision[32];
    const struct sg_slice *collector;
};

struct sg_consent {
    struct sg_arena *arena; // texts, and this very struct
    struct sg_pool *agreements, *records;
    uint32_t agreements_most, records_most;
    struct sg_table *by_id, *by_record, *collectors;
    struct sg_timers *ends; // by record
};

const char *
sg_consent_state_text(enum sg_consent_state state)
{
    static const char *const texts[SG_CONSENT_STATE_COUNT] = {
        "none",    "requested", "given",      "refused",     "withdrawn",
        "revoked", "expired",   "superseded", "invalidated",
    };
    return (unsigned)state < SG_CONSENT_STATE_COUNT ? texts[state] : "none";
}

// ---- life ---------------------------------------------------------------------
enum { COLLECTORS_MOST = 65536 };

static bool
open_parts(struct sg_consent *l, uint32_t agreements, uint32_t records,
           const uint8_t table_key[16])
{
    l->agreements_most = agreements;
    l->records_most = records;
    l->agreements = sg_pool_new(agreements, sizeof(struct agreement));
    l->records = sg_pool_new(records, sizeof(struct record));
    l->by_id = sg_table_new(agreements, table_key);
    l->by_record = sg_table_new(records, table_key);
    l->collectors = sg_table_new(COLLECTORS_MOST, table_key);
    l->ends = sg_timers_new(records);
    return l->agreements != NULL && l->records != NULL && l->by_id != NULL &&
           l->by_record != NULL && l->collectors != NULL && l->ends != NULL;
}

struct sg_consent *
sg_consent_new(uint32_t agreements, uint32_t records,
               const uint8_t table_key[16])
{
    struct sg_arena *arena = sg_arena_new(ARENA_CAP, ARENA_BLOCK);
    struct sg_consent *ledger =
        arena == NULL ? NULL : sg_arena_take(arena, sizeof *ledger);
    if (ledger == NULL) {
        sg_arena_free(&arena);
        return NULL;
    }
    ledger->arena = arena;
    if (!open_parts(ledger, agreements, records, table_key))
        sg_consent_free(&ledger);
    return ledger;
}

void
sg_consent_free(struct sg_consent **ledger)
{
    struct sg_consent *l = *ledger;
    *ledger = NULL;
    if (l == NULL)
        return;
    for (uint32_t i = l->agreements == NULL ? 0
                                            : sg_pool_next(l->agreements, 0);
         i != 0; i = sg_pool_next(l->agreements, i)) {
        struct agreement *a = sg_pool_at(l->agreements, i);
        sg_consent_set_free(&a->given);
    }
    sg_pool_free(&l->agreements);
    sg_pool_free(&l->records);
    sg_table_free(&l->by_id);
    sg_table_free(&l->by_record);
    sg_table_free(&l->collectors);
    sg_timers_free(&l->ends);
    struct sg_arena *arena = l->arena;
    sg_arena_free(&arena);
}

// ---- looking up ---------------------------------------------------------------
static struct agreement *
find_agreement(const struct sg_consent *l, struct sg_slice id, uint32_t *index)
{
    uint64_t at;
    if (id.len == 0 || !sg_table_get(l->by_id, id, &at))
        return NULL;
    if (index != NULL)
        *index = (uint32_t)at;
    return sg_pool_at(l->agreements, (uint32_t)at);
}

struct record_key {
    uint8_t bytes[20];
};

static struct sg_slice
make_key(struct record_key *key, uint32_t agreement,
         const uint8_t record_id[16])
{
    memcpy(key->bytes, &agreement, 4);
    memcpy(key->bytes + 4, record_id, 16);
    return sg_slice_of(key->bytes, sizeof key->bytes);
}

static struct record *
find_record(const struct sg_consent *l, uint32_t agreement,
            const uint8_t record_id[16], uint32_t *index)
{
    struct record_key key;
    uint64_t at;
    if (!sg_table_get(l->by_record, make_key(&key, agreement, record_id), &at))
        return NULL;
    if (index != NULL)
        *index = (uint32_t)at;
    return sg_pool_at(l->records, (uint32_t)at);
}

// ---- agreements ---------------------------------------------------------------
enum sg_err
sg_consent_check_agreement(const struct sg_consent *ledger,
                           const struct sg_consent_agreement *agreement,
                           struct sg_diag *diag)
{
    static const uint8_t zeros[32];
    const struct agreement *a = find_agreement(ledger, agreement->id, NULL);
    uint64_t want = a == NULL ? 1 : a->revision + 1;
    if (!sg_slice_is_id(agreement->id) ||
        !sg_slice_is_id(agreement->controller)) {
        sg_diag_set(diag, 0, 0, "id or controller is no id; use A-Z 0-9 _ . -");
        return SG_ERR_CONSENT;
    }
    if (agreement->revision != want) {
        sg_diag_set(diag, 0, 0, "the next revision is %llu",
                    (unsigned long long)want);
        return SG_ERR_CONSENT;
    }
    if (memcmp(agreement->prev_sha256, a == NULL ? zeros : a->sha256, 32) !=
        0) {
        sg_diag_set(diag, 0, 0,
                    "prev_sha256 names another text than the last revision");
        return SG_ERR_CONSENT;
    }
    if (a != NULL && (a->community != agreement->community ||
                      !sg_slice_eq(a->controller, agreement->controller))) {
        sg_diag_set(diag, 0, 0,
                    "a revision keeps controller and kind; make a new "
                    "agreement");
        return SG_ERR_CONSENT;
    }
    if (a == NULL &&
        sg_pool_count(ledger->agreements) == ledger->agreements_most)
        return SG_ERR_FULL;
    return SG_OK;
}

static void
change_state(struct agreement *a, struct record *r, uint8_t state)
{
    if (r->state != SG_CONSENT_STATE_NONE)
        a->of[r->state]--;
    a->of[state]++;
    r->state = state;
    if (state == SG_CONSENT_STATE_GIVEN)
        sg_consent_set_add(a->given, r->ordinal);
    else
        sg_consent_set_remove(a->given, r->ordinal);
}

// What was agreed to is not what is asked for now.
static void
supersede_all(struct sg_consent *l, struct agreement *a, uint32_t index)
{
    for (uint32_t i = sg_pool_next(l->records, 0); i != 0;
         i = sg_pool_next(l->records, i)) {
        struct record *r = sg_pool_at(l->records, i);
        if (r->agreement != index || r->state != SG_CONSENT_STATE_GIVEN)
            continue;
        change_state(a, r, SG_CONSENT_STATE_SUPERSEDED);
        sg_timers_clear(l->ends, i);
        r->expires = 0;
    }
}

static enum sg_err
new_agreement(struct sg_consent *l, const struct sg_consent_agreement *from,
              struct agreement **out, uint32_t *index)
{
    uint32_t at = sg_pool_take(l->agreements);
    if (at == 0)
        return SG_ERR_FULL;
    struct agreement *a = sg_pool_at(l->agreements, at);
    a->id = sg_arena_copy(l->arena, from->id);
    a->controller = sg_arena_copy(l->arena, from->controller);
    a->community = from->community;
    a->given = sg_consent_set_new();
    if (a->id.ptr == NULL || a->controller.ptr == NULL || a->given == NULL) {
        sg_consent_set_free(&a->given);
        sg_pool_give(l->agreements, at);
        return SG_ERR_FULL;
    }
    enum sg_err err = sg_table_put(l->by_id, a->id, at);
    if (err != SG_OK) {
        sg_consent_set_free(&a->given);
        sg_pool_give(l->agreements, at);
        return err;
    }
    *out = a;
    *index = at;
    return SG_OK;
}

enum sg_err
sg_consent_apply_agreement(struct sg_consent *ledger,
                           const struct sg_consent_agreement *agreement)
{
    uint32_t index = 0;
    struct agreement *a = find_agreement(ledger, agreement->id, &index);
    if (a == NULL) {
        enum sg_err err = new_agreement(ledger, agreement, &a, &index);
        if (err != SG_OK)
            return err;
    } else if (!agreement->compatible_before) {
        supersede_all(ledger, a, index);
        a->epoch++;
    }
    a->revision = agreement->revision;
    a->valid_days = agreement->valid_days;
    memcpy(a->sha256, agreement->sha256, sizeof a->sha256);
    return SG_OK;
}

// ---- events -------------------------------------------------------------------
enum {
    SUBJECT = SG_CONSENT_BY_SUBJECT,
    COLLECTOR = SG_CONSENT_BY_COLLECTOR,
    CONTROLLER = SG_CONSENT_BY_CONTROLLER,
    // The person, whoever speaks for it, and who collected its answer.
    PERSON =
        SUBJECT | SG_CONSENT_BY_GUARDIAN | SG_CONSENT_BY_COMMUNITY | COLLECTOR,
};

// allowed[from][to]: who may sign. Nobody signs an expiry.
static const uint8_t allowed[SG_CONSENT_STATE_COUNT][SG_CONSENT_STATE_COUNT] = {
    [SG_CONSENT_STATE_NONE] = {[SG_CONSENT_STATE_REQUESTED] =
                                   COLLECTOR | CONTROLLER,
                               [SG_CONSENT_STATE_GIVEN] = PERSON,
                               [SG_CONSENT_STATE_REFUSED] = PERSON},
    [SG_CONSENT_STATE_REQUESTED] = {[SG_CONSENT_STATE_GIVEN] = PERSON,
                                    [SG_CONSENT_STATE_REFUSED] = PERSON},
    [SG_CONSENT_STATE_GIVEN] = {[SG_CONSENT_STATE_GIVEN] = PERSON,
                                [SG_CONSENT_STATE_WITHDRAWN] = PERSON,
                                [SG_CONSENT_STATE_SUPERSEDED] = PERSON,
                                [SG_CONSENT_STATE_REVOKED] = CONTROLLER,
                                [SG_CONSENT_STATE_INVALIDATED] = CONTROLLER},
    [SG_CONSENT_STATE_REFUSED] = {[SG_CONSENT_STATE_GIVEN] = PERSON},
    [SG_CONSENT_STATE_WITHDRAWN] = {[SG_CONSENT_STATE_GIVEN] = PERSON},
    [SG_CONSENT_STATE_REVOKED] = {[SG_CONSENT_STATE_REQUESTED] = CONTROLLER},
    [SG_CONSENT_STATE_EXPIRED] = {[SG_CONSENT_STATE_GIVEN] = PERSON,
                                  [SG_CONSENT_STATE_REFUSED] = PERSON},
    [SG_CONSENT_STATE_SUPERSEDED] = {[SG_CONSENT_STATE_GIVEN] = PERSON,
                                     [SG_CONSENT_STATE_REFUSED] = PERSON},
    [SG_CONSENT_STATE_INVALIDATED] = {0},
};

// Roles that the signer really has for this record.
static unsigned
real_roles(const struct agreement *a, const struct record *r,
           const struct sg_consent_event *event, unsigned roles)
{
    if (r != NULL && !sg_slice_eq(*r->collector, event->collector))
        roles &= ~(unsigned)COLLECTOR;
    if (!sg_slice_eq(a->controller, event->collector))
        roles &= ~(unsigned)CONTROLLER;
    // A community speaks for itself, and for nobody else.
    if (a->community)
        roles &= ~(unsigned)(SUBJECT | SG_CONSENT_BY_GUARDIAN);
    else
        roles &= ~(unsigned)SG_CONSENT_BY_COMMUNITY;
    return roles;
}

static enum sg_err
refuse(struct sg_diag *diag, const char *sentence)
{
    sg_diag_set(diag, 0, 0, "%s", sentence);
    return SG_ERR_CONSENT;
}

// To agree, or to refuse, is to answer the newest text; to take back, the text
// that was agreed to will do.
static bool
names_revision(const struct agreement *a, const struct record *r,
               const struct sg_consent_event *event)
{
    bool answers = event->to == SG_CONSENT_STATE_GIVEN ||
                   event->to == SG_CONSENT_STATE_REQUESTED ||
                   event->to == SG_CONSENT_STATE_REFUSED;
    if (memcmp(event->revision_sha256, a->sha256, 32) == 0)
        return true;
    return !answers && r != NULL &&
           memcmp(event->revision_sha256, r->revision, 32) == 0;
}

enum sg_err
sg_consent_check_event(const struct sg_consent *ledger,
                       const struct sg_consent_event *event, unsigned roles,
                       struct sg_diag *diag)
{
    static const uint8_t zeros[32];
    uint32_t index = 0;
    const struct agreement *a =
        find_agreement(ledger, event->agreement, &index);
    if (a == NULL) {
        sg_diag_set(diag, 0, 0, "there is no such consent agreement");
        return SG_ERR_NOT_FOUND;
    }
    const struct record *r = find_record(ledger, index, event->record_id, NULL);
    uint8_t state = r == NULL ? SG_CONSENT_STATE_NONE : r->state;
    if (event->from >= SG_CONSENT_STATE_COUNT ||
        event->to >= SG_CONSENT_STATE_COUNT)
        return refuse(diag, "from or to is no state");
    if (memcmp(event->prev_event_sha256, r == NULL ? zeros : r->last_event,
               32) != 0)
        return refuse(diag, "the event does not follow the last one of this "
                            "record; fetch the record and sign again");
    if (event->from != state)
        return refuse(diag, "the record is in another state than \"from\"");
    if (!names_revision(a, r, event))
        return refuse(diag, "the event names another text of the agreement");
    if (allowed[state][event->to] == 0)
        return refuse(diag, "a record in this state cannot become that");
    if ((real_roles(a, r, event, roles) & allowed[state][event->to]) == 0)
        return refuse(diag, "the signer may not do that for this record");
    if (r == NULL && sg_pool_count(ledger->records) == ledger->records_most)
        return SG_ERR_FULL;
    return SG_OK;
}

static const struct sg_slice *
intern_collector(struct sg_consent *l, struct sg_slice id)
{
    uint64_t at;
    if (sg_table_get(l->collectors, id, &at))
        return (const struct sg_slice *)(uintptr_t)at;
    struct sg_slice *copy = sg_arena_take(l->arena, sizeof *copy);
    if (copy == NULL)
        return NULL;
    *copy = sg_arena_copy(l->arena, id);
    if (copy->ptr == NULL ||
        sg_table_put(l->collectors, *copy, (uint64_t)(uintptr_t)copy) != SG_OK)
        return NULL;
    return copy;
}

static enum sg_err
new_record(struct sg_consent *l, struct agreement *a, uint32_t agreement,
           const struct sg_consent_event *event, uint32_t *out)
{
    struct record_key key;
    const struct sg_slice *collector = intern_collector(l, event->collector);
    uint32_t at = collector == NULL ? 0 : sg_pool_take(l->records);
    if (at == 0)
        return SG_ERR_FULL;
    struct record *r = sg_pool_at(l->records, at);
    enum sg_err err = sg_table_put(
        l->by_record, make_key(&key, agreement, event->record_id), at);
    if (err != SG_OK) {
        sg_pool_give(l->records, at);
        return err;
    }
    r->agreement = agreement;
    r->ordinal = a->records++;
    r->collector = collector;
    *out = at;
    return SG_OK;
}

// expires 0: never. Only what is given can end.
static enum sg_err
set_end(struct sg_consent *l, struct record *r, uint32_t at, uint64_t expires)
{
    sg_timers_clear(l->ends, at);
    r->expires = r->state == SG_CONSENT_STATE_GIVEN ? expires : 0;
    return r->expires == 0 ? SG_OK : sg_timers_set(l->ends, at, r->expires);
}

static uint64_t
end_of(const struct agreement *a, uint64_t given_at)
{
    if (a->valid_days == 0)
        return 0;
    return a->valid_days > (UINT64_MAX - given_at) / day_us
               ? UINT64_MAX
               : given_at + a->valid_days * day_us;
}

enum sg_err
sg_consent_apply_event(struct sg_consent *ledger,
                       const struct sg_consent_event *event, uint64_t *epoch)
{
    uint32_t index = 0, at = 0;
    struct agreement *a = find_agreement(ledger, event->agreement, &index);
    *epoch = 0;
    if (a == NULL)
        return SG_ERR_NOT_FOUND;
    if (event->to == SG_CONSENT_STATE_NONE ||
        event->to >= SG_CONSENT_STATE_COUNT)
        return SG_ERR_CONSENT;
    struct record *r = find_record(ledger, index, event->record_id, &at);
    if (r == NULL) {
        enum sg_err err = new_record(ledger, a, index, event, &at);
        if (err != SG_OK)
            return err;
        r = sg_pool_at(ledger->records, at);
    }
    change_state(a, r, event->to);
    memcpy(r->last_event, event->sha256, sizeof r->last_event);
    memcpy(a->last_event, event->sha256, sizeof a->last_event);
    memcpy(r->revision, event->revision_sha256, sizeof r->revision);
    *epoch = ++a->epoch;
    return set_end(ledger, r, at, end_of(a, event->at));
}

enum sg_err
sg_consent_restore_end(struct sg_consent *ledger, struct sg_slice agreement,
                       const uint8_t record_id[16], uint64_t expires)
{
    uint32_t index = 0, at = 0;
    const struct agreement *a = find_agreement(ledger, agreement, &index);
    struct record *r =
        a == NULL ? NULL : find_record(ledger, index, record_id, &at);

    return r == NULL ? SG_ERR_NOT_FOUND : set_end(ledger, r, at, expires);
}

bool
sg_consent_expire(struct sg_consent *ledger, uint64_t now_us)
{
    uint64_t at;
    bool any = false;
    while (sg_timers_pop(ledger->ends, now_us, &at)) {
        struct record *r = sg_pool_at(ledger->records, (uint32_t)at);
        struct agreement *a = sg_pool_at(ledger->agreements, r->agreement);
        change_state(a, r, SG_CONSENT_STATE_EXPIRED);
        r->expires = 0;
        a->epoch++;
        any = true;
    }
    return any;
}

uint64_t
sg_consent_next_expiry(const struct sg_consent *ledger)
{
    uint64_t id, due;
    return sg_timers_peek(ledger->ends, &id, &due) ? due : 0;
}

// ---- what it says ---------------------------------------------------------------
static uint64_t
ended(const struct agreement *a)
{
    return a->of[SG_CONSENT_STATE_WITHDRAWN] + a->of[SG_CONSENT_STATE_REVOKED] +
           a->of[SG_CONSENT_STATE_EXPIRED] +
           a->of[SG_CONSENT_STATE_SUPERSEDED] +
           a->of[SG_CONSENT_STATE_INVALIDATED];
}

struct sg_consent_summary
sg_consent_summary_of(const struct sg_consent *ledger,
                      struct sg_slice agreement)
{
    struct sg_consent_summary out = {0};
    const struct agreement *a = find_agreement(ledger, agreement, NULL);
    if (a == NULL)
        return out;
    out.known = true;
    out.community = a->community;
    out.revision = a->revision;
    out.epoch = a->epoch;
    out.given = sg_consent_set_count(a->given);
    out.ended = ended(a);
    out.controller = a->controller;
    memcpy(out.revision_sha256, a->sha256, sizeof out.revision_sha256);
    memcpy(out.last_event_sha256, a->last_event, sizeof out.last_event_sha256);
    return out;
}

struct sg_consent_record
sg_consent_record_of(const struct sg_consent *ledger, struct sg_slice agreement,
                     const uint8_t record_id[16])
{
    struct sg_consent_record out = {0};
    uint32_t index = 0;
    const struct agreement *a = find_agreement(ledger, agreement, &index);
    const struct record *r =
        a == NULL ? NULL : find_record(ledger, index, record_id, NULL);
    if (r == NULL)
        return out;
    out.state = r->state;
    out.expires = r->expires;
    out.collector = *r->collector;
    memcpy(out.last_event_sha256, r->last_event, sizeof out.last_event_sha256);
    memcpy(out.revision_sha256, r->revision, sizeof out.revision_sha256);
    return out;
}

// Given records that have ended at now and are not yet marked so.
static uint64_t
overdue(const struct sg_consent *l, uint32_t agreement, uint64_t now_us)
{
    uint64_t next = sg_consent_next_expiry(l), n = 0;
    if (next == 0 || next > now_us)
        return 0;
    for (uint32_t i = sg_pool_next(l->records, 0); i != 0;
         i = sg_pool_next(l->records, i)) {
        const struct record *r = sg_pool_at(l->records, i);
        n += r->agreement == agreement && r->expires != 0 &&
             r->expires <= now_us;
    }
    return n;
}

// Who never agreed has nothing in the data; who agreed and took it back may.
uint16_t
sg_consent_code(const struct sg_consent *ledger, struct sg_slice agreement,
                uint64_t now_us)
{
    uint32_t index = 0;
    const struct agreement *a = find_agreement(ledger, agreement, &index);
    if (a == NULL)
        return SG_CONSENT_UNKNOWN;
    uint64_t late = overdue(ledger, index, now_us);
    uint64_t given = a->of[SG_CONSENT_STATE_GIVEN] - late;
    uint64_t gone = ended(a) + late;
    uint64_t expired = a->of[SG_CONSENT_STATE_EXPIRED] + late;
    if (given > 0)
        return gone > 0 ? SG_CONSENT_PARTIAL : SG_CONSENT_GIVEN;
    if (gone > 0)
        return gone > expired ? SG_CONSENT_WITHDRAWN : SG_CONSENT_EXPIRED;
    return a->of[SG_CONSENT_STATE_REFUSED] > 0 ? SG_CONSENT_REFUSED
                                               : SG_CONSENT_UNKNOWN;
}
_Static_assert((int)SG_CONSENT_GIVEN == (int)SG_COMMUNITY_CONSENT_GIVEN &&
                   (int)SG_CONSENT_EXPIRED == (int)SG_COMMUNITY_CONSENT_EXPIRED,
               "one code serves both attributes");

static unsigned
strictness(uint16_t code)
{
    static const uint8_t of[] = {
        [SG_CONSENT_UNKNOWN] = 6, [SG_CONSENT_NOT_RELIED_ON] = 6,
        [SG_CONSENT_GIVEN] = 1,   [SG_CONSENT_PARTIAL] = 2,
        [SG_CONSENT_REFUSED] = 5, [SG_CONSENT_WITHDRAWN] = 4,
        [SG_CONSENT_EXPIRED] = 3,
    };
    return of[code];
}

uint16_t
sg_consent_code_all(const struct sg_consent *ledger,
                    const struct sg_slice *agreements, size_t count,
                    bool community, uint64_t now_us)
{
    uint16_t worst = SG_CONSENT_UNKNOWN;
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const struct agreement *a = find_agreement(ledger, agreements[i], NULL);
        if (a != NULL && a->community != community)
            continue;
        uint16_t code = sg_consent_code(ledger, agreements[i], now_us);
        if (!any || strictness(code) > strictness(worst))
            worst = code;
        any = true;
    }
    return worst;
}

uint16_t
sg_consent_code_of_set(const struct sg_consent *ledger,
                       struct sg_slice agreement,
                       const struct sg_consent_set *cohort)
{
    const struct agreement *a = find_agreement(ledger, agreement, NULL);
    uint64_t all = sg_consent_set_count(cohort);
    if (a == NULL || all == 0)
        return SG_CONSENT_UNKNOWN;
    uint64_t missing = sg_consent_set_missing(cohort, a->given);
    if (missing == 0)
        return SG_CONSENT_GIVEN;
    return missing == all ? SG_CONSENT_WITHDRAWN : SG_CONSENT_PARTIAL;
}

bool
sg_consent_ordinal(const struct sg_consent *ledger, struct sg_slice agreement,
                   const uint8_t record_id[16], uint32_t *ordinal)
{
    uint32_t index = 0;
    if (find_agreement(ledger, agreement, &index) == NULL)
        return false;
    const struct record *r = find_record(ledger, index, record_id, NULL);
    *ordinal = r == NULL ? 0 : r->ordinal;
    return r != NULL;
}
