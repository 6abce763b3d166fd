// Publishers that lie: each lie gets its code, is in the log where it concerns
// a participant, and the next honest release is accepted.
#include "tests/e2e/world.h"

#include "schemas/proof/batch.h"

enum { COLUMNS = 1000000, DEEP = 200000, CSV10 = 1, CSV21 = 3, ML21 = 4 };

// Another office is served as if nothing had been.
static void
rwanda_is_served(struct world *world)
{
    struct statgate *rwanda = world_connect(world, "rwanda");
    assert_string_equal(world_good(world, rwanda, "RW_SDG", WORLD_RWANDA), "");
    statgate_close(&rwanda);
}

// The entry that the answer names says the same.
static void
is_recorded(struct world *world, const char *type)
{
    char line[32];
    assert_int_not_equal(world->seq, 0);
    (void)snprintf(line, sizeof line, "%8llu ", (unsigned long long)world->seq);
    world_do(world, "desk", "log", "show",
             world_path(world, "HUB/store/evidence"), NULL);
    char *at = strstr(world->said, line);
    assert_non_null(at);
    at[strcspn(at, "\n")] = '\0';
    assert_non_null(strstr(at, type));
    assert_non_null(strstr(at, world->code));
    // Ten refusals a second are recorded one by one: the next one finds room.
    world->faults->passed_us += 1000000;
}

// ---- the manifest ----------------------------------------------------------------

static void
a_manifest_for_another_gate_or_flow_is_refused_and_recorded(void **state)
{
    struct world *world = *state;
    static uint8_t other[32] = {1};
    struct statgate *kenya = world_connect(world, "kenya");
#define ROW(change, code, component)                                           \
    do {                                                                       \
        struct world_offer offer;                                              \
        world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);              \
        change;                                                                \
        (void)world_publish(world, kenya, &offer);                             \
        world_refused(world, code, component);                                 \
        is_recorded(world, "refused");                                         \
    } while (0)
    ROW(offer.m.gate = (char *)(uintptr_t) "HUC", "publisher.audience", "gate");
    ROW(offer.m.log_genesis = sg_codec_bytes(other, 32), "publisher.audience",
        "log_genesis");
    ROW(offer.m.roster_sha256 = sg_codec_bytes(other, 32), "gate.roster_old",
        "roster_sha256");
    ROW(offer.m.flow = (char *)(uintptr_t) "RW_SDG", "publisher.flow", NULL);
    ROW(offer.m.publisher = (char *)(uintptr_t) "RW_NISR", "publisher.owner",
        NULL);
    ROW(offer.m.revision += 1, "publisher.revision", NULL);
    ROW(offer.m.expires = offer.m.created - 1, "publisher.expired", "expires");
#undef ROW
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// S14: who does not own a flow learns the same whether it is there or not.
static void
a_foreign_flow_and_none_at_all_are_answered_alike(void **state)
{
    struct world *world = *state;
    static const char *const flows[] = {"RW_SDG", "RW_SDX"};
    struct statgate *kenya = world_connect(world, "kenya");
    uint64_t seq[2];
    for (int i = 0; i < 2; i++) {
        struct world_offer offer;
        world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
        offer.m.flow = (char *)(uintptr_t)flows[i];
        (void)world_publish(world, kenya, &offer);
        world_refused(world, "publisher.flow", "publisher");
        is_recorded(world, "refused");
        seq[i] = world->seq;
    }
    assert_int_equal(seq[1], seq[0] + 1);
    statgate_close(&kenya);
}

static void
no_name_of_a_flow_is_a_path(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {
        "../../../tmp/x",
        "/etc/passwd",
        "%2e%2e%2fx",
        "A\\..\\B",
        "",
        ".",
        "..",
        "KE_SDG/../RW_SDG",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
    struct statgate *kenya = world_connect(world, "kenya");
    for (size_t i = 0; i < SG_COUNT_OF(names); i++) {
        struct world_offer offer;
        world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
        offer.m.flow = (char *)(uintptr_t)names[i];
        (void)world_publish(world, kenya, &offer);
        world_refused(world, "publisher.flow", "publisher");
        // Not even into the log: it is free text.
        if (!sg_slice_is_id(sg_slice_text(names[i])))
            assert_int_equal(world->seq, 0);
    }
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// The same fields in other bytes: another hash for one meaning (S12).
static void
a_manifest_in_other_bytes_of_the_same_meaning_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    uint8_t head[SG_BATCH_HEAD_LEN], sig[SG_SIG_LEN];
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    struct sg_slice good = world_pack(world, &offer.m.base);
    static const struct {
        const char *name, *bytes;
        size_t len, cut; // cut: bytes taken away at the front
    } rows[] = {
        {"field twice", "\x08\x01", 2, 0},
        {"long varint", "\x08\x81\x00", 3, 2},
        {"explicit default", "\x70\x00", 2, 0},
        {"unknown field", "\xf8\x3f\x01", 3, 0},
        {"broken", "\xff", 1, 0},
    };
    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        size_t len = good.len - rows[i].cut + rows[i].len;
        uint8_t *bytes = sg_arena_take(world->gate.arena, len);
        memcpy(bytes, rows[i].bytes, rows[i].len);
        memcpy(bytes + rows[i].len, good.ptr + rows[i].cut,
               good.len - rows[i].cut);
        world_sign(kenya, sg_slice_of(bytes, len), head, sig);
        (void)world_publish_signed(world, kenya, &offer,
                                   sg_slice_of(bytes, len), head, sig);
        world_refused(world, "publisher.manifest_not_canonical", NULL);
    }
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// ---- the signature ---------------------------------------------------------------

// S + L, which a lenient verifier takes for S (RFC 8032, 5.1.7).
static void
add_order(uint8_t s[32])
{
    static const uint8_t order[32] = {
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
        0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    unsigned carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += (unsigned)s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void
a_signature_that_is_wrong_or_not_canonical_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    uint8_t head[SG_BATCH_HEAD_LEN], sig[SG_SIG_LEN];
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    struct sg_slice bytes = world_pack(world, &offer.m.base);
#define ROW(change, code)                                                      \
    do {                                                                       \
        world_sign(kenya, bytes, head, sig);                                   \
        change;                                                                \
        (void)world_publish_signed(world, kenya, &offer, bytes, head, sig);    \
        world_refused(world, code, NULL);                                      \
        is_recorded(world, "refused");                                         \
    } while (0)
    ROW(sig[0] ^= 1, "peer.signature");
    ROW(sig[40] ^= 1, "peer.signature");
    ROW(add_order(sig + 32), "peer.signature");
    ROW((memset(sig, 0, 64), sig[0] = 1), "peer.signature"); // R = 1, S = 0
    ROW(memset(sig, 0xff, 64), "peer.signature");
    ROW(head[SG_BATCH_HEAD_LEN - 1] ^= 1, "peer.signature"); // another root
#undef ROW
    statgate_close(&kenya);
    rwanda_is_served(world);
}

static void
anothers_signature_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate *rwanda = world_connect(world, "rwanda");
    struct world_offer offer;
    uint8_t head[SG_BATCH_HEAD_LEN], sig[SG_SIG_LEN];
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    offer.m.key_id = sg_codec_bytes(rwanda->home.sign_id, 32);
    struct sg_slice bytes = world_pack(world, &offer.m.base);
    world_sign(rwanda, bytes, head, sig);
    (void)world_publish_signed(world, kenya, &offer, bytes, head, sig);
    world_refused(world, "peer.key_use", "key_id");
    is_recorded(world, "refused");
    // Claimed as its own, signed by another all the same.
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    bytes = world_pack(world, &offer.m.base);
    world_sign(rwanda, bytes, head, sig);
    (void)world_publish_signed(world, kenya, &offer, bytes, head, sig);
    world_refused(world, "peer.key_use", NULL);
    is_recorded(world, "refused");
    statgate_close(&kenya);
    statgate_close(&rwanda);
    rwanda_is_served(world);
}

// ---- revisions -------------------------------------------------------------------

static void
one_revision_with_two_contents_is_a_conflict_and_recorded(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    uint8_t first[32];
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    assert_string_equal(world_publish(world, kenya, &offer), "");
    memcpy(first, world->manifest, 32);
    // The same bytes again: the same answer, nothing new.
    assert_string_equal(world_publish(world, kenya, &offer), "");
    assert_memory_equal(first, world->manifest, 32);
    offer.m.nonce.data[0] ^= 1;
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "publisher.conflict", NULL);
    is_recorded(world, "conflict");
    assert_memory_not_equal(first, world->manifest, 32);
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// ---- the data --------------------------------------------------------------------

static void
a_false_number_of_leaves_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    offer.m.leaves++;
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "publisher.content_mismatch", "leaves");
    is_recorded(world, "refused");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// The manifest is in order, the bytes are these.
static void
data_are_refused(struct world *world, struct sg_slice bytes, uint32_t media,
                 const char *code)
{
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    world_offer_bytes(&offer, bytes, media);
    (void)(bytes.len > SG_LIMIT_CHUNK ? world_upload(world, kenya, &offer)
                                      : world_publish(world, kenya, &offer));
    world_refused(world, code, NULL);
    is_recorded(world, "refused");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

static void
a_file_that_is_cut_short_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    struct sg_slice whole = offer.data;
    offer.data.len -= 1000;
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "bytes.short", NULL);
    is_recorded(world, "refused");
    statgate_close(&kenya);
    // Signed as if it were whole, in the middle of a row.
    whole.len -= 20;
    data_are_refused(world, whole, CSV10, "publisher.data");
}

static void
data_that_are_not_what_was_signed_are_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    // One figure: 0.7 becomes 0.8.
    char *at = strstr((char *)(uintptr_t)offer.data.ptr, ",0.7,");
    assert_non_null(at);
    at[3] = '8';
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "publisher.content_mismatch", NULL);
    is_recorded(world, "refused");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// The rows are those signed, the bytes are not: evidence would say for ever that
// another file was sent.
static void
a_commitment_to_another_file_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    offer.m.file_commit.data[0] ^= 1;
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "publisher.content_mismatch", "file_commit");
    is_recorded(world, "refused");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// The figures of WORLD_KENYA as SDMX-CSV 2.x, each row with this action.
static const char *
with_action(struct world *world, const char *name, char action)
{
    uint8_t *bytes;
    size_t len, at = 0;
    static char text[1 << 20];
    assert_int_equal(sg_os_file_read(WORLD_KENYA, 1 << 19, &bytes, &len),
                     SG_OK);
    struct sg_slice rest = sg_slice_of(bytes, len);
    for (bool first_line = true; rest.len > 0; first_line = false) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        assert_non_null(end);
        size_t line = (size_t)(end - rest.ptr) + 1;
        const char *comma = memchr(rest.ptr, ',', line);
        if (first_line)
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   "STRUCTURE,STRUCTURE_ID,ACTION%.*s",
                                   (int)(line - strlen("DATAFLOW")), comma);
        else
            at += (size_t)snprintf(
                text + at, sizeof text - at, "dataflow,%.*s,%c%.*s",
                (int)(comma - (const char *)rest.ptr), rest.ptr, action,
                (int)(line - (size_t)(comma - (const char *)rest.ptr)), comma);
        rest = sg_slice_of(rest.ptr + line, rest.len - line);
    }
    free(bytes);
    world_write(world, name, sg_slice_of(text, at));
    return world_path(world, "%s", name);
}

// Norway has subscribed for SDG reporting, which the terms allow.
static void
a_release_for_fewer_purposes_serves_no_other(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    char *purposes[] = {(char *)(uintptr_t) "official_statistics"};
    char name[64];
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    offer.claims.purposes = purposes;
    offer.claims.n_purposes = 1;
    assert_string_equal(world_publish(world, kenya, &offer), "");
    (void)snprintf(name, sizeof name, "KE_SDG@%llu",
                   (unsigned long long)offer.m.revision);
    world_do(world, "kenya", "why", name, "NO_OFFICE/KE_SDG", NULL);
    assert_non_null(strstr(world->said, "purpose"));
    assert_non_null(strstr(world->said, "DENIED"));
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// A library that forgets the embargo which the header states is refused; ours
// claims it.
static void
an_embargo_that_is_not_claimed_is_refused(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    static const char message[] =
        "<m:StructureSpecificData xmlns:m='http://www.sdmx.org/resources/"
        "sdmxml/schemas/v2_1/message' xmlns:c='http://www.sdmx.org/resources/"
        "sdmxml/schemas/v2_1/common'><m:Header><m:ID>X</m:ID><m:Structure "
        "structureID='S'><c:StructureUsage><Ref agencyID='STATGATE' "
        "id='DF_SDG' version='1.0'/></c:StructureUsage></m:Structure>"
        "<m:EmbargoDate>2035-01-01T00:00:00Z</m:EmbargoDate></m:Header>"
        "</m:StructureSpecificData>";
    world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
    assert_int_equal(offer.claims.embargo_us, 0);
    world_offer_bytes(&offer, SG_SLICE(message), ML21);
    (void)world_publish(world, kenya, &offer);
    world_refused(world, "publisher.embargo", "EmbargoDate");
    is_recorded(world, "refused");
    world_write(world, "embargo.xml", SG_SLICE(message));
    world_offer(world, kenya, "KE_SDG", world_path(world, "embargo.xml"),
                &offer);
    assert_int_equal(offer.claims.embargo_us, 2051222400000000);
    statgate_close(&kenya);
    rwanda_is_served(world);
}

static void
a_change_is_refused_by_the_library_and_by_the_gate(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct statgate_receipt receipt;
    struct statgate_result result;
    struct world_offer offer;
    static const char actions[] = "AMD";
    for (size_t i = 0; i < sizeof actions - 1; i++) {
        const char *file = with_action(world, "change.csv", actions[i]);
        struct statgate_release release = {.flow = "KE_SDG", .file = file};
        assert_int_equal(
            statgate_publish(kenya, &release, NULL, NULL, &receipt, &result),
            65);
        assert_string_equal(result.code, "publisher.action");
        assert_string_equal(result.component, "ACTION");
        assert_int_equal(result.line, 2);
        assert_int_equal(result.seq, 0); // nothing was sent
        // A library that lies gets no further.
        world_offer(world, kenya, "KE_SDG", WORLD_KENYA, &offer);
        uint8_t *bytes;
        size_t len;
        assert_int_equal(sg_os_file_read(file, 1 << 20, &bytes, &len), SG_OK);
        world_offer_bytes(&offer, sg_slice_of(bytes, len), CSV21);
        (void)world_publish(world, kenya, &offer);
        free(bytes);
        world_refused(world, "publisher.action", "ACTION");
        is_recorded(world, "refused");
    }
    statgate_close(&kenya); // it believes that its lies were accepted
    kenya = world_connect(world, "kenya");
    assert_string_equal(world_good(world, kenya, "KE_SDG",
                                   with_action(world, "whole.csv", 'R')),
                        "");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

#define DATA_XML                                                               \
    "<mes:StructureSpecificData xmlns:mes=\"http://www.sdmx.org/resources/"    \
    "sdmxml/schemas/v2_1/message\">"

static void
bombs_in_xml_are_refused(void **state)
{
    static const char entities[] =
        "<?xml version=\"1.0\"?>\n<!DOCTYPE x [<!ENTITY a \"ha\">"
        "<!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">"
        "<!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">"
        "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">"
        "<!ENTITY e \"&d;&d;&d;&d;&d;&d;&d;&d;\">"
        "<!ENTITY f SYSTEM \"file:///etc/passwd\">]>\n" DATA_XML
        "&e;&f;</mes:StructureSpecificData>\n";
    struct world *world = *state;
    data_are_refused(world, SG_SLICE(entities), ML21, "publisher.data");
    // Elements in elements.
    char *deep = sg_arena_take(world->gate.arena, DEEP + sizeof DATA_XML);
    memcpy(deep, DATA_XML, sizeof DATA_XML - 1);
    for (size_t i = 0; i + 3 <= DEEP; i += 3)
        memcpy(deep + sizeof DATA_XML - 1 + i, "<a>", 3);
    data_are_refused(world, sg_slice_of(deep, DEEP), ML21, "publisher.data");
}

static void
csv_out_of_all_bounds_is_refused(void **state)
{
    struct world *world = *state;
    static char wide[COLUMNS];
    static const char nul[] = "DATAFLOW,FREQ\0,OBS_VALUE\nX,A\0,1\n";
    static const char bad[] = "DATAFLOW,FREQ\n\xff\xfe,\xc3\x28\n";
    data_are_refused(world, SG_SLICE(nul), CSV10, "publisher.data");
    data_are_refused(world, SG_SLICE(bad), CSV10, "publisher.data");
    memset(wide, ',', sizeof wide);
    data_are_refused(world, sg_slice_of(wide, sizeof wide), CSV10,
                     "publisher.data");
    memset(wide, '"', 1);
    memset(wide + 1, 'x', sizeof wide - 1); // a quote that never closes
    data_are_refused(world, sg_slice_of(wide, sizeof wide), CSV10,
                     "publisher.data");
}

// ---- other bytes for a chunk (S32) -------------------------------------------------

// The only object of a file of its own: what lies on the disk of it.
static size_t
stored(struct world *world, uint8_t *bytes, size_t cap)
{
    char path[SG_OS_PATH], command[2 * SG_OS_PATH], *end;
    uint8_t *got;
    size_t len;
    (void)snprintf(command, sizeof command,
                   "find %s/HUB/store/payload -type f -size +200k -name "
                   "'[0-9a-f]*' -printf '%%T@ %%p\\n' | sort -n | tail -1 | "
                   "cut -d' ' -f2",
                   world->dir);
    FILE *found = popen(command, "r");
    assert_non_null(found);
    assert_non_null(fgets(path, sizeof path, found));
    assert_int_equal(pclose(found), 0);
    end = strchr(path, '\n');
    assert_non_null(end);
    *end = '\0';
    assert_int_equal(sg_os_file_read(path, 64 << 20, &got, &len), SG_OK);
    assert_true(len <= cap);
    memcpy(bytes, got, len);
    free(got);
    return len;
}

static uint8_t first[4 * SG_LIMIT_CHUNK], second[sizeof first];

static void
other_bytes_for_a_chunk_never_reach_the_disk(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    uint64_t upload, next;
    const char *file =
        world_figures(world, "large.csv", 404, 2 * SG_LIMIT_CHUNK + 4000);
    static uint8_t other[SG_LIMIT_CHUNK];
    world_offer(world, kenya, "KE_SDG", file, &offer);
    assert_int_equal(offer.m.chunks, 3);
    struct sg_slice one = sg_slice_of(offer.data.ptr, SG_LIMIT_CHUNK);
    struct sg_slice two = sg_slice_of(one.ptr + one.len, SG_LIMIT_CHUNK);
    struct sg_slice last =
        sg_slice_of(two.ptr + two.len, offer.data.len - 2 * SG_LIMIT_CHUNK);
    assert_string_equal(world_begin(world, kenya, &offer, &upload, &next), "");
    world_chunk(kenya, upload, 0, one);
    world_chunk(kenya, upload, 1, two); // credit comes when one is stored
    assert_string_equal(world_begin(world, kenya, &offer, &upload, &next), "");
    assert_int_equal(next, 2);
    (void)stored(world, first, sizeof first);
    memset(other, 'A', sizeof other);
    world_chunk(kenya, upload, 0, sg_slice_of(other, sizeof other));
    world_chunk(kenya, upload, 1, sg_slice_of(other, sizeof other));
    assert_string_equal(world_begin(world, kenya, &offer, &upload, &next), "");
    assert_int_equal(next, 2);
    (void)stored(world, second, sizeof second);
    assert_memory_equal(first, second, SG_LIMIT_CHUNK + 16);
    world_chunk(kenya, upload, 2, last);
    assert_string_equal(world_result(world, kenya), "");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

// A gate that was killed begins a new attempt: the same plaintext under the
// same release key and number is other ciphertext, all of it.
static void
after_a_crash_no_nonce_is_used_again(void **state)
{
    struct world *world = *state;
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    uint64_t upload, next;
    unsigned equal = 0;
    const char *file =
        world_figures(world, "large.csv", 404, 2 * SG_LIMIT_CHUNK + 4000);
    world_offer(world, kenya, "KE_SDG", file, &offer);
    struct sg_slice one = sg_slice_of(offer.data.ptr, SG_LIMIT_CHUNK);
    for (int i = 0; i < 2; i++) {
        assert_string_equal(world_begin(world, kenya, &offer, &upload, &next),
                            "");
        assert_int_equal(next, 0);
        world_chunk(kenya, upload, 0, one);
        world_chunk(kenya, upload, 1,
                    sg_slice_of(one.ptr + one.len, SG_LIMIT_CHUNK));
        assert_string_equal(world_begin(world, kenya, &offer, &upload, &next),
                            "");
        assert_int_equal(next, 2);
        (void)stored(world, i == 0 ? first : second, sizeof first);
        statgate_close(&kenya);
        assert_int_equal(raw_gate_end(&world->gate, true), 137);
        world_start(world);
        kenya = world_connect(world, "kenya");
    }
    for (size_t i = 0; i < SG_LIMIT_CHUNK; i++)
        equal += first[i] == second[i];
    assert_true(equal < SG_LIMIT_CHUNK / 128); // 1/256 by chance
    assert_string_equal(world_upload(world, kenya, &offer), "");
    statgate_close(&kenya);
    rwanda_is_served(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_manifest_for_another_gate_or_flow_is_refused_and_recorded),
        cmocka_unit_test(a_foreign_flow_and_none_at_all_are_answered_alike),
        cmocka_unit_test(no_name_of_a_flow_is_a_path),
        cmocka_unit_test(
            a_manifest_in_other_bytes_of_the_same_meaning_is_refused),
        cmocka_unit_test(a_signature_that_is_wrong_or_not_canonical_is_refused),
        cmocka_unit_test(anothers_signature_is_refused),
        cmocka_unit_test(
            one_revision_with_two_contents_is_a_conflict_and_recorded),
        cmocka_unit_test(a_false_number_of_leaves_is_refused),
        cmocka_unit_test(a_file_that_is_cut_short_is_refused),
        cmocka_unit_test(data_that_are_not_what_was_signed_are_refused),
        cmocka_unit_test(a_commitment_to_another_file_is_refused),
        cmocka_unit_test(a_release_for_fewer_purposes_serves_no_other),
        cmocka_unit_test(an_embargo_that_is_not_claimed_is_refused),
        cmocka_unit_test(a_change_is_refused_by_the_library_and_by_the_gate),
        cmocka_unit_test(bombs_in_xml_are_refused),
        cmocka_unit_test(csv_out_of_all_bounds_is_refused),
        cmocka_unit_test(other_bytes_for_a_chunk_never_reach_the_disk),
        cmocka_unit_test(after_a_crash_no_nonce_is_used_again),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
