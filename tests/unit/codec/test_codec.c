// Guarded unpacking: for every message of the protocol one encoding is taken,
// and eleven ways of saying the same otherwise are refused.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "broker/base/bytes.h"
#include "broker/base/limits.h"
#include "schemas/codec/codec.h"
#include "schemas/evidence.pb-c.h"
#include "schemas/roster.pb-c.h"
#include "schemas/wire.pb-c.h"
#include "schemas/worker.pb-c.h"

#define X(name) &sgpb__##name##__descriptor
static const ProtobufCMessageDescriptor *const messages[] = {
    X(agreement_ref),
    X(claims),
    X(manifest),
    X(signed),
    X(signed_manifest),
    X(obligation),
    X(withheld),
    X(delivery),
    X(derivation),
    X(fate),
    X(statement),
    X(receipt_ack),
    X(object_ref),
    X(genesis),
    X(epoch),
    X(roster_entry),
    X(terms_entry),
    X(policy_entry),
    X(approval_entry),
    X(structure_entry),
    X(flow_closed),
    X(key_revoked),
    X(policy_active),
    X(gate_started),
    X(snapshot_entry),
    X(accepted),
    X(refused),
    X(recall_entry),
    X(destroyed),
    X(object_made),
    X(subscription_entry),
    X(part_verdict),
    X(delivery_verdict),
    X(decision),
    X(delivery_entry),
    X(key_released),
    X(key_cancelled),
    X(receipt_ack_entry),
    X(delivery_stopped),
    X(duty),
    X(agreement_entry),
    X(consent_event_entry),
    X(statement_entry),
    X(payload_read),
    X(admin_act),
    X(refused_aggregate),
    X(min_cell),
    X(flow_terms),
    X(two_signed),
    X(subscription),
    X(policy_bundle),
    X(approval),
    X(consent_agreement),
    X(consent_event),
    X(recall_order),
    X(roster_key),
    X(participant),
    X(instrument),
    X(roster),
    X(signed_roster),
    X(join_request),
    X(join_file),
    X(revocation),
    X(hello),
    X(welcome),
    X(refusal),
    X(receipt),
    X(catalogue),
    X(publish),
    X(publish_begin),
    X(result),
    X(attach),
    X(delivery_begin),
    X(delivery_receipt),
    X(consent),
    X(policy_is),
    X(entries),
    X(envelope),
    X(facts),
    X(report),
    X(job),
    X(done),
};
#undef X

enum { ROOM = 1 << 16, PIECES = 160, DEPTH = 3 };

// Where one field of the outermost message stands.
struct piece {
    const ProtobufCFieldDescriptor *field;
    size_t at, value_at, end; // tag, what follows it, one after
};

struct sample {
    uint8_t bytes[ROOM];
    struct sg_writer w;
    struct piece pieces[PIECES];
    size_t count;
};

static bool
is_packed(const ProtobufCFieldDescriptor *f)
{
    return f->label == PROTOBUF_C_LABEL_REPEATED &&
           f->type != PROTOBUF_C_TYPE_STRING &&
           f->type != PROTOBUF_C_TYPE_BYTES &&
           f->type != PROTOBUF_C_TYPE_MESSAGE;
}

static bool
is_scalar(const ProtobufCFieldDescriptor *f)
{
    return f->type != PROTOBUF_C_TYPE_STRING &&
           f->type != PROTOBUF_C_TYPE_BYTES &&
           f->type != PROTOBUF_C_TYPE_MESSAGE;
}

static void put_message(struct sg_writer *w,
                        const ProtobufCMessageDescriptor *type, int depth,
                        struct sample *sample);

static void
put_one(struct sg_writer *w, const ProtobufCFieldDescriptor *f, int depth)
{
    uint8_t room[4096];
    struct sg_writer inner = sg_writer_on(room, sizeof room);

    if (is_packed(f)) {
        sg_bytes_put_varint(w, (uint64_t)f->id << 3 | 2);
        sg_bytes_put_varint(&inner, 1);
        sg_bytes_put_varint(&inner, f->type == PROTOBUF_C_TYPE_BOOL ? 1 : 300);
        sg_bytes_put_varint(w, inner.len);
        sg_bytes_put(w, inner.ptr, inner.len);
        return;
    }
    if (is_scalar(f)) {
        sg_bytes_put_varint(w, (uint64_t)f->id << 3);
        sg_bytes_put_varint(w, 1);
        return;
    }
    sg_bytes_put_varint(w, (uint64_t)f->id << 3 | 2);
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        put_message(&inner, f->descriptor, depth + 1, NULL);
    else
        sg_bytes_put(&inner, "text", 4);
    assert_false(inner.full);
    sg_bytes_put_varint(w, inner.len);
    sg_bytes_put(w, inner.ptr, inner.len);
}

// Every field set, of a oneof the first; repeated fields twice on the top.
static void
put_message(struct sg_writer *w, const ProtobufCMessageDescriptor *type,
            int depth, struct sample *sample)
{
    bool oneof_done = false;

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        const bool oneof = (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
        if ((oneof && oneof_done) ||
            (f->type == PROTOBUF_C_TYPE_MESSAGE && depth >= DEPTH))
            continue;
        oneof_done = oneof_done || oneof;
        const unsigned times =
            f->label == PROTOBUF_C_LABEL_REPEATED && !is_packed(f) && depth == 0
                ? 2
                : 1;
        for (unsigned n = 0; n < times; n++) {
            const size_t at = w->len;
            put_one(w, f, depth);
            if (sample == NULL)
                continue;
            assert_true(sample->count < PIECES);
            sample->pieces[sample->count++] =
                (struct piece){f, at,
                               at + (f->id < 16     ? 1
                                     : f->id < 2048 ? 2
                                                    : 3),
                               w->len};
        }
    }
}

static void
make_sample(struct sample *sample, const ProtobufCMessageDescriptor *type)
{
    sample->w = sg_writer_on(sample->bytes, sizeof sample->bytes);
    sample->count = 0;
    put_message(&sample->w, type, 0, sample);
    assert_false(sample->w.full);
}

static struct sg_arena *
new_arena(void)
{
    struct sg_arena *arena = sg_arena_new(32u << 20, 1u << 16);

    assert_non_null(arena);
    return arena;
}

static enum sg_err
unpack(const ProtobufCMessageDescriptor *type, struct sg_slice bytes)
{
    struct sg_arena *arena = new_arena();
    void *out = NULL;
    enum sg_err err = sg_codec_unpack(type, bytes, arena, &out);

    assert_int_equal(out != NULL, err == SG_OK);
    sg_arena_free(&arena);
    return err;
}

// ---- the mutations: false: not applicable to this piece ------------------------

enum mutation {
    ORDER,       // the field stands at the end
    LONG_TAG,    // a varint with a zero byte too many
    LONG_LENGTH, // the same of a length or value
    DEFAULT,     // a scalar that is 0 and says so
    EMPTY,       // a string, bytes or packed run that is empty and says so
    UNPACKED,    // numbers of a repeated field one by one
    TWICE,       // a singular field again
    UNKNOWN,     // a field that does not exist
    WIRE_TYPE,   // as fixed 32
    NOT_UTF8,    // a string with a lone continuation byte
    WITH_NUL,    // a string with a NUL
    MUTATIONS,
};

static void
put_long_varint(struct sg_writer *w, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        sg_bytes_put_u8(w, (uint8_t)(value | 0x80));
    sg_bytes_put_u8(w, (uint8_t)(value | 0x80));
    sg_bytes_put_u8(w, 0);
}

// The field's new bytes in place of the old ones.
static bool
mutate_piece(struct sg_writer *w, const struct sample *s,
             const struct piece *piece, enum mutation mutation)
{
    const ProtobufCFieldDescriptor *f = piece->field;
    const uint8_t *old = s->bytes + piece->at;
    const size_t len = piece->end - piece->at;
    const bool varint = is_scalar(f) && !is_packed(f);
    const uint64_t tag = (uint64_t)f->id << 3 | (varint ? 0 : 2);
    struct sg_reader value = sg_reader_on(
        sg_slice_of(s->bytes + piece->value_at, piece->end - piece->value_at));

    switch (mutation) {
    case LONG_TAG:
        put_long_varint(w, tag);
        sg_bytes_put(w, value.ptr, value.len);
        return true;
    case LONG_LENGTH:
        sg_bytes_put_varint(w, tag);
        put_long_varint(w, sg_bytes_varint(&value));
        sg_bytes_put(w, value.ptr, value.len);
        return true;
    case DEFAULT:
        sg_bytes_put_varint(w, tag);
        sg_bytes_put_u8(w, 0);
        return varint && (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0;
    case EMPTY:
        sg_bytes_put_varint(w, tag);
        sg_bytes_put_u8(w, 0);
        return !varint && f->type != PROTOBUF_C_TYPE_MESSAGE &&
               (is_packed(f) || f->label != PROTOBUF_C_LABEL_REPEATED);
    case UNPACKED:
        (void)sg_bytes_varint(&value);
        while (is_packed(f) && value.len > 0) {
            sg_bytes_put_varint(w, (uint64_t)f->id << 3);
            sg_bytes_put_varint(w, sg_bytes_varint(&value));
        }
        return is_packed(f);
    case TWICE:
        sg_bytes_put(w, old, len);
        sg_bytes_put(w, old, len);
        return is_packed(f) || f->label != PROTOBUF_C_LABEL_REPEATED;
    case WIRE_TYPE:
        sg_bytes_put_varint(w, (uint64_t)f->id << 3 | 5);
        sg_bytes_put(w, "1234", 4);
        return true;
    case NOT_UTF8:
    case WITH_NUL:
        sg_bytes_put_varint(w, tag);
        sg_bytes_put_u8(w, 3);
        sg_bytes_put(w, mutation == WITH_NUL ? "a\0b" : "a\x80z", 3);
        return f->type == PROTOBUF_C_TYPE_STRING;
    case UNKNOWN:
        sg_bytes_put(w, old, len);
        sg_bytes_put_varint(w, UINT64_C(15000) << 3);
        sg_bytes_put_u8(w, 1);
        return piece == &s->pieces[s->count - 1];
    case ORDER:
        return piece->end != s->w.len; // put at the end by the caller
    case MUTATIONS:
        break;
    }
    return false;
}

static bool
mutate(struct sg_writer *w, const struct sample *s, size_t number,
       enum mutation mutation)
{
    const struct piece *piece = &s->pieces[number];

    sg_bytes_put(w, s->bytes, piece->at);
    if (!mutate_piece(w, s, piece, mutation))
        return false;
    sg_bytes_put(w, s->bytes + piece->end, s->w.len - piece->end);
    if (mutation == ORDER)
        sg_bytes_put(w, s->bytes + piece->at, piece->end - piece->at);
    assert_false(w->full);
    // Two equal elements of one repeated field have no order.
    return mutation != ORDER || memcmp(w->ptr, s->bytes, w->len) != 0;
}

static void
every_message_has_one_encoding(void **state)
{
    static struct sample sample;
    static uint8_t room[ROOM];
    unsigned refused[MUTATIONS] = {0}, total = 0;

    (void)state;
    for (size_t m = 0; m < SG_COUNT_OF(messages); m++) {
        make_sample(&sample, messages[m]);
        if (unpack(messages[m], sg_writer_slice(&sample.w)) != SG_OK)
            fail_msg("%s is not taken", messages[m]->name);
        for (size_t i = 0; i < sample.count; i++) {
            for (unsigned k = 0; k < MUTATIONS; k++) {
                struct sg_writer w = sg_writer_on(room, sizeof room);
                if (!mutate(&w, &sample, i, (enum mutation)k))
                    continue;
                if (unpack(messages[m], sg_writer_slice(&w)) != SG_ERR_FORMAT)
                    fail_msg("%s.%s, mutation %u, is taken", messages[m]->name,
                             sample.pieces[i].field->name, k);
                // The guard sees it before protobuf-c does, but for what only
                // a value that is there and empty tells.
                if (k != DEFAULT && k != EMPTY)
                    assert_int_equal(
                        sg_codec_guard(messages[m], sg_writer_slice(&w), NULL),
                        SG_ERR_FORMAT);
                refused[k]++;
                total++;
            }
        }
    }
    for (unsigned k = 0; k < MUTATIONS; k++)
        assert_true(refused[k] >= 3);
    assert_true(total >= 400);
}

static void
a_message_cut_anywhere_is_refused_or_shorter(void **state)
{
    static struct sample sample;

    (void)state;
    make_sample(&sample, &sgpb__accepted__descriptor);
    for (size_t len = 0; len < sample.w.len; len++) {
        bool between = len == 0;
        for (size_t i = 0; i < sample.count; i++)
            between = between || sample.pieces[i].end == len;
        assert_int_equal(
            unpack(&sgpb__accepted__descriptor, sg_slice_of(sample.bytes, len)),
            between ? SG_OK : SG_ERR_FORMAT);
    }
}

static void
field_0_groups_and_tags_of_64_bits_are_refused(void **state)
{
    static const struct {
        uint8_t bytes[12];
        size_t len;
    } cases[] = {
        {{0x00, 0x01}, 2},                               // field 0
        {{0x0b, 0x0c}, 2},                               // group
        {{0x0e, 0x01}, 2},                               // wire type 6
        {{0x80}, 1},                                     // no end of a tag
        {{0x88, 0x80, 0x80, 0x80, 0x80, 0x01, 0x01}, 7}, // tag over 32 bits
        {{0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 1},
         12}, // eleven bytes
        {{0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
         11},
        {{0x08}, 1},
    };

    (void)state;
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_int_equal(unpack(&sgpb__envelope__descriptor,
                                sg_slice_of(cases[i].bytes, cases[i].len)),
                         SG_ERR_FORMAT);
}

// A value of 64 bits in a field of 32 would be cut without a word.
static void
numbers_that_do_not_fit_their_field_are_refused(void **state)
{
    static const uint8_t over[] = {0x08, 0x80, 0x80, 0x80, 0x80, 0x10}; // 2^32
    static const uint8_t most[] = {0x08, 0xff, 0xff, 0xff, 0xff, 0x0f};
    static const uint8_t yes[] = {0x10, 0x02}; // a bool of 2

    (void)state;
    assert_int_equal(
        unpack(&sgpb__envelope__descriptor, sg_slice_of(most, sizeof most)),
        SG_OK);
    assert_int_equal(
        unpack(&sgpb__envelope__descriptor, sg_slice_of(over, sizeof over)),
        SG_ERR_FORMAT);
    assert_int_equal(
        unpack(&sgpb__receipt__descriptor, sg_slice_of(yes, sizeof yes)),
        SG_ERR_FORMAT);
}

// Of two bodies of one oneof the later would win.
static void
two_bodies_of_an_envelope_are_refused(void **state)
{
    static const uint8_t two[] = {0x72, 0x00, 0xd2, 0x05,
                                  0x00}; // grant, status

    (void)state;
    assert_int_equal(unpack(&sgpb__envelope__descriptor, sg_slice_of(two, 2)),
                     SG_OK);
    assert_int_equal(
        unpack(&sgpb__envelope__descriptor, sg_slice_of(two + 2, 3)), SG_OK);
    assert_int_equal(
        unpack(&sgpb__envelope__descriptor, sg_slice_of(two, sizeof two)),
        SG_ERR_FORMAT);
}

// 64 KiB of empty messages would unpack to megabytes.
static void
a_header_cannot_be_blown_up(void **state)
{
    static uint8_t bytes[SG_LIMIT_HEADER];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
    size_t memory = 0;

    (void)state;
    while (w.len + 2 <= sizeof bytes) { // Job.items, each empty
        sg_bytes_put_u8(&w, 6 << 3 | 2);
        sg_bytes_put_u8(&w, 0);
    }
    assert_int_equal(
        unpack(&sgpb__job__descriptor, sg_slice_of(bytes, sizeof bytes)),
        SG_ERR_FULL);
    assert_int_equal(sg_codec_guard(&sgpb__job__descriptor,
                                    sg_slice_of(bytes, 2000), &memory),
                     SG_OK);
    assert_true(memory > 1000 * sizeof(Sgpb__JobItem));
    w = sg_writer_on(bytes, sizeof bytes);
    sg_bytes_put_u8(&w, 5 << 3 | 2); // Publish.lengths, a byte each
    sg_bytes_put_varint(&w, 60000);
    memset(bytes + w.len, 1, 60000);
    assert_int_equal(sg_codec_guard(&sgpb__publish__descriptor,
                                    sg_slice_of(bytes, w.len + 60000), &memory),
                     SG_OK);
    assert_true(memory > 60000 * sizeof(uint32_t));
}

static void
a_full_arena_is_said_to_be_full(void **state)
{
    struct sg_arena *arena = sg_arena_new(256, 0);
    static uint8_t bytes[1000];
    struct sg_writer w = sg_writer_on(bytes, sizeof bytes);
    void *out;

    (void)state;
    assert_non_null(arena);
    sg_bytes_put_u8(&w, 1 << 3 | 2); // Receipt.receipt
    sg_bytes_put_varint(&w, 900);
    w.len += 900;
    assert_int_equal(sg_codec_unpack(&sgpb__receipt__descriptor,
                                     sg_writer_slice(&w), arena, &out),
                     SG_ERR_FULL);
    assert_null(out);
    Sgpb__Receipt receipt = SGPB__RECEIPT__INIT;
    struct sg_slice packed;
    receipt.receipt = sg_codec_bytes(bytes, sizeof bytes);
    assert_int_equal(sg_codec_pack(&receipt.base, arena, &packed), SG_ERR_FULL);
    sg_arena_free(&arena);
}

static void
what_is_packed_unpacks_to_the_same(void **state)
{
    struct sg_arena *arena = new_arena();
    Sgpb__Claims claims = SGPB__CLAIMS__INIT;
    Sgpb__Manifest manifest = SGPB__MANIFEST__INIT;
    char purpose[] = "official_statistics", flow[] = "KE_KNBS.POP";
    char *purposes[] = {purpose};
    struct sg_slice bytes;
    void *out = NULL;

    (void)state;
    claims.purposes = purposes;
    claims.n_purposes = 1;
    manifest.format = 1;
    manifest.flow = flow;
    manifest.revision = UINT64_MAX;
    manifest.nonce = sg_codec_bytes("0123456789abcdef", 16);
    manifest.claims = &claims;
    assert_int_equal(sg_codec_pack(&manifest.base, arena, &bytes), SG_OK);
    assert_int_equal(
        sg_codec_unpack(&sgpb__manifest__descriptor, bytes, arena, &out),
        SG_OK);
    const Sgpb__Manifest *again = out;
    assert_string_equal(again->flow, flow);
    assert_true(again->revision == UINT64_MAX);
    assert_true(sg_slice_eq(sg_codec_slice(again->nonce),
                            SG_SLICE("0123456789abcdef")));
    assert_int_equal(again->claims->n_purposes, 1);
    assert_string_equal(again->claims->purposes[0], purpose);
    // Nothing at all is a message too.
    assert_int_equal(sg_codec_unpack(&sgpb__manifest__descriptor,
                                     (struct sg_slice){NULL, 0}, arena, &out),
                     SG_OK);
    const Sgpb__Grant grant = SGPB__GRANT__INIT;
    assert_int_equal(sg_codec_pack(&grant.base, arena, &bytes), SG_OK);
    assert_int_equal(bytes.len, 0);
    assert_non_null(bytes.ptr);
    sg_arena_free(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_has_one_encoding),
        cmocka_unit_test(a_message_cut_anywhere_is_refused_or_shorter),
        cmocka_unit_test(field_0_groups_and_tags_of_64_bits_are_refused),
        cmocka_unit_test(numbers_that_do_not_fit_their_field_are_refused),
        cmocka_unit_test(two_bodies_of_an_envelope_are_refused),
        cmocka_unit_test(a_header_cannot_be_blown_up),
        cmocka_unit_test(a_full_arena_is_said_to_be_full),
        cmocka_unit_test(what_is_packed_unpacks_to_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
