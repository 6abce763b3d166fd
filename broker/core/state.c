#include "broker/core/state.h"

#include "broker/core/cold.h"

// BLOCK: a release, a rendition or a subscription unpacks to a few hundred bytes
// more than it is long.
enum { RECORDS_DEFAULT = 1000000, BLOCK = 512 };

static uint32_t
cap_of(uint32_t wanted, uint32_t limit)
{
    return wanted != 0 ? wanted : limit;
}

static bool
open_pools(struct sg_state *state, const struct sg_core_caps *caps)
{
    state->flows = sg_pool_new(cap_of(caps->flows, SG_LIMIT_FLOWS),
                               sizeof(struct sg_flow));
    state->structures =
        sg_pool_new(SG_LIMIT_STRUCTURES, sizeof(struct sg_structure));
    state->releases =
        sg_pool_new(cap_of(caps->releases, SG_LIMIT_RELEASES_OPEN),
                    sizeof(struct sg_release));
    state->renditions =
        sg_pool_new(cap_of(caps->renditions, SG_LIMIT_RENDITIONS),
                    sizeof(struct sg_rendition));
    state->subscriptions =
        sg_pool_new(cap_of(caps->subscriptions, SG_LIMIT_SUBSCRIPTIONS),
                    sizeof(struct sg_subscription));
    state->deliveries =
        sg_pool_new(cap_of(caps->deliveries, SG_LIMIT_DELIVERIES),
                    sizeof(struct sg_delivery));
    state->agreements =
        sg_pool_new(cap_of(caps->agreements, SG_LIMIT_AGREEMENTS),
                    sizeof(struct sg_agreement));
    state->records = sg_pool_new(cap_of(caps->records, RECORDS_DEFAULT),
                                 sizeof(struct sg_consented));
    state->heard = sg_pool_new(SG_LIMIT_PARTICIPANTS, sizeof(struct sg_heard));
    return state->flows != NULL && state->structures != NULL &&
           state->releases != NULL && state->renditions != NULL &&
           state->subscriptions != NULL && state->deliveries != NULL &&
           state->agreements != NULL && state->records != NULL &&
           state->heard != NULL;
}

static bool
open_tables(struct sg_state *state, const struct sg_core_caps *caps,
            const uint8_t key[16])
{
    uint32_t releases = cap_of(caps->releases, SG_LIMIT_RELEASES_OPEN);

    state->known_keys = sg_table_new_own(4 * SG_LIMIT_KEYS);
    state->revoked = sg_table_new_own(4 * SG_LIMIT_KEYS);
    state->flow_of = sg_table_new(cap_of(caps->flows, SG_LIMIT_FLOWS), key);
    state->structure_of = sg_table_new_own(SG_LIMIT_STRUCTURES);
    state->release_of = sg_table_new_own(releases);
    state->release_at = sg_table_new_own(releases);
    state->release_by = sg_table_new_own(releases);
    state->seeds = sg_table_new(releases, key);
    state->rendition_of =
        sg_table_new_own(cap_of(caps->renditions, SG_LIMIT_RENDITIONS));
    state->rendition_object =
        sg_table_new_own(cap_of(caps->renditions, SG_LIMIT_RENDITIONS));
    state->rendition_at =
        sg_table_new_own(cap_of(caps->renditions, SG_LIMIT_RENDITIONS));
    state->subscription_of =
        sg_table_new(cap_of(caps->subscriptions, SG_LIMIT_SUBSCRIPTIONS), key);
    state->delivery_of =
        sg_table_new_own(cap_of(caps->deliveries, SG_LIMIT_DELIVERIES));
    state->agreement_of =
        sg_table_new(cap_of(caps->agreements, SG_LIMIT_AGREEMENTS), key);
    state->record_of =
        sg_table_new(cap_of(caps->records, RECORDS_DEFAULT), key);
    state->heard_of = sg_table_new_own(SG_LIMIT_PARTICIPANTS);
    state->testified = sg_table_new_own(SG_LIMIT_TESTIMONIES);
    state->consent =
        sg_consent_new(cap_of(caps->agreements, SG_LIMIT_AGREEMENTS),
                       cap_of(caps->records, RECORDS_DEFAULT), key);
    return state->known_keys != NULL && state->revoked != NULL &&
           state->flow_of != NULL && state->structure_of != NULL &&
           state->release_of != NULL && state->release_at != NULL &&
           state->release_by != NULL && state->seeds != NULL &&
           state->cold != NULL && state->rendition_at != NULL &&
           state->rendition_object != NULL && state->rendition_of != NULL &&
           state->subscription_of != NULL && state->delivery_of != NULL &&
           state->agreement_of != NULL && state->record_of != NULL &&
           state->heard_of != NULL && state->testified != NULL &&
           state->consent != NULL;
}

struct sg_state *
sg_state_new(const struct sg_core_options *options)
{
    struct sg_arena *home = sg_arena_new(sizeof(struct sg_state) + 64, 0);
    struct sg_state *state;

    if (home == NULL)
        return NULL;
    state = sg_arena_take(home, sizeof *state);
    SG_ASSERT(state != NULL);
    state->home = home;
    SG_ASSERT(options->gate.len < sizeof state->gate);
    memcpy(state->gate, options->gate.ptr, options->gate.len);
    state->cold = sg_cold_new(&options->lookup);
    state->settle_after =
        options->settle_after != 0 ? options->settle_after : SG_LIMIT_SETTLE;
    if (!open_pools(state, &options->caps) ||
        !open_tables(state, &options->caps, options->table_key))
        sg_state_free(&state);
    return state;
}

// Frees what objects of a pool keep; kept lies at offset in each of them.
static void
drop_pool(struct sg_pool **pool, size_t offset)
{
    if (*pool != NULL && offset != SIZE_MAX)
        for (uint32_t i = sg_pool_next(*pool, 0); i != 0;
             i = sg_pool_next(*pool, i))
            sg_state_drop((void *)((uint8_t *)sg_pool_at(*pool, i) + offset));
    sg_pool_free(pool);
}

static void
free_roster(struct sg_roster *roster)
{
    sg_table_free(&roster->by_id);
    sg_table_free(&roster->by_public);
    sg_table_free(&roster->by_name);
    sg_state_drop(&roster->kept);
}

void
sg_state_free(struct sg_state **state)
{
    struct sg_state *s = *state;

    *state = NULL;
    if (s == NULL)
        return;
    free_roster(&s->roster);
    drop_pool(&s->flows, offsetof(struct sg_flow, kept));
    drop_pool(&s->structures, offsetof(struct sg_structure, kept));
    drop_pool(&s->releases, offsetof(struct sg_release, kept));
    drop_pool(&s->renditions, offsetof(struct sg_rendition, kept));
    drop_pool(&s->subscriptions, offsetof(struct sg_subscription, kept));
    drop_pool(&s->deliveries, SIZE_MAX);
    drop_pool(&s->agreements, offsetof(struct sg_agreement, kept));
    drop_pool(&s->records, SIZE_MAX);
    drop_pool(&s->heard, SIZE_MAX);
    sg_state_drop(&s->proposed.kept);
    sg_state_drop(&s->active.kept);
    struct sg_table **tables[] = {
        &s->known_keys,   &s->revoked,      &s->flow_of,
        &s->structure_of, &s->release_of,   &s->release_at,
        &s->release_by,   &s->rendition_at, &s->rendition_object,
        &s->seeds,        &s->rendition_of, &s->subscription_of,
        &s->delivery_of,  &s->agreement_of, &s->record_of,
        &s->heard_of,     &s->testified};
    for (size_t i = 0; i < SG_COUNT_OF(tables); i++)
        sg_table_free(tables[i]);
    sg_consent_free(&s->consent);
    sg_cold_free(&s->cold);
    struct sg_arena *home = s->home;
    sg_arena_free(&home);
}

bool
sg_state_keep(struct sg_kept *kept, struct sg_slice body)
{
    size_t block = body.len * 4 + BLOCK;

    *kept = (struct sg_kept){
        .mem = sg_arena_new(body.len + SG_LIMIT_PB_MEMORY * 4, block)};
    if (kept->mem == NULL)
        return false;
    kept->body = sg_arena_copy(kept->mem, body);
    return kept->body.ptr != NULL || body.len == 0;
}

void
sg_state_drop(struct sg_kept *kept)
{
    sg_arena_free(&kept->mem);
    *kept = (struct sg_kept){0};
}

uint32_t
sg_state_find(const struct sg_table *table, struct sg_slice key)
{
    uint64_t value = 0;

    return sg_table_get(table, key, &value) ? (uint32_t)value : 0;
}

uint32_t
sg_state_release_at(const struct sg_state *state, uint64_t seq)
{
    uint8_t key[8];

    sg_bytes_store_u64(key, seq);
    return sg_state_find(state->release_at, sg_slice_of(key, sizeof key));
}
