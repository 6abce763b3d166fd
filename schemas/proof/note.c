#include "schemas/proof/note.h"

#include <stdio.h>

#include "broker/base/encode.h"

enum {
    HASH_LEN = 4,
    PAYLOAD_MAX = HASH_LEN + 72, // of a signature line, before base64
    BASE64_MAX = 4 * ((PAYLOAD_MAX + 2) / 3) + 1,
    DECIMAL_MAX = 21, // of a u64, with NUL
};

static const char dash[] = "\xe2\x80\x94 "; // U+2014, space

// ---- origin ----------------------------------------------------------------

enum sg_err
sg_note_origin(struct sg_slice gate, const uint8_t genesis[32], uint64_t epoch,
               char out[SG_NOTE_ORIGIN_MAX])
{
    char front[17];

    out[0] = '\0';
    if (!sg_slice_is_id(gate))
        return SG_ERR_FORMAT;
    sg_encode_hex(genesis, 8, front);
    int len =
        snprintf(out, SG_NOTE_ORIGIN_MAX, "statgate/" SG_SLICE_FMT "/%s/%llu",
                 SG_SLICE_ARG(gate), front, (unsigned long long)epoch);
    SG_ASSERT(len > 0 && len < SG_NOTE_ORIGIN_MAX);
    return SG_OK;
}

// Takes what stands before the next `end`; false: there is none.
static bool
take_until(struct sg_slice *text, char end, struct sg_slice *part)
{
    const uint8_t *at =
        text->len == 0 ? NULL : memchr(text->ptr, end, text->len);

    if (at == NULL)
        return false;
    *part = sg_slice_of(text->ptr, (size_t)(at - text->ptr));
    text->ptr = at + 1;
    text->len -= part->len + 1;
    return true;
}

// Decimal as it is written: no sign, no leading zero.
static bool
canonical_u64(struct sg_slice text, uint64_t *value)
{
    return sg_slice_u64(text, value) && (text.len == 1 || text.ptr[0] != '0');
}

bool
sg_note_origin_parse(struct sg_slice origin, struct sg_slice *gate,
                     uint8_t genesis_front[8], uint64_t *epoch)
{
    struct sg_slice word, hex;

    return take_until(&origin, '/', &word) &&
           sg_slice_eq(word, SG_SLICE("statgate")) &&
           take_until(&origin, '/', gate) && sg_slice_is_id(*gate) &&
           take_until(&origin, '/', &hex) &&
           sg_encode_unhex(hex, genesis_front, 8) &&
           canonical_u64(origin, epoch);
}

void
sg_note_key_hash(struct sg_slice name, enum sg_note_type type,
                 const uint8_t public_key[32], uint8_t out[4])
{
    const uint8_t middle[2] = {'\n', (uint8_t)type};
    const struct sg_slice parts[] = {name, {middle, 2}, {public_key, 32}};
    uint8_t hash[32];

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
    memcpy(out, hash, HASH_LEN);
}

// ---- writing ---------------------------------------------------------------

// A name of a signature line: no space, no plus, no control characters.
static bool
name_fits(struct sg_slice name)
{
    if (name.len == 0 || name.len > SG_NOTE_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] <= ' ' || name.ptr[i] == '+' || name.ptr[i] >= 0x7f)
            return false;
    }
    return true;
}

// "U+2014 SP name SP base64(key hash | payload) LF"
static void
put_line(struct sg_slice name, const uint8_t key_hash[HASH_LEN],
         struct sg_slice payload, struct sg_writer *out)
{
    uint8_t bytes[PAYLOAD_MAX];
    char base64[BASE64_MAX];

    SG_ASSERT(payload.len <= PAYLOAD_MAX - HASH_LEN);
    memcpy(bytes, key_hash, HASH_LEN);
    memcpy(bytes + HASH_LEN, payload.ptr, payload.len);
    sg_encode_base64(bytes, HASH_LEN + payload.len, base64);
    sg_bytes_put(out, dash, sizeof dash - 1);
    sg_bytes_put(out, name.ptr, name.len);
    sg_bytes_put_u8(out, ' ');
    sg_bytes_put(out, base64, strlen(base64));
    sg_bytes_put_u8(out, '\n');
}

static void
put_text(struct sg_slice origin, uint64_t size, const uint8_t root[32],
         struct sg_writer *out)
{
    char decimal[DECIMAL_MAX], base64[45];
    int len =
        snprintf(decimal, sizeof decimal, "%llu", (unsigned long long)size);

    SG_ASSERT(len > 0 && len < DECIMAL_MAX);
    sg_encode_base64(root, 32, base64);
    sg_bytes_put(out, origin.ptr, origin.len);
    sg_bytes_put_u8(out, '\n');
    sg_bytes_put(out, decimal, (size_t)len);
    sg_bytes_put_u8(out, '\n');
    sg_bytes_put(out, base64, strlen(base64));
    sg_bytes_put_u8(out, '\n');
}

enum sg_err
sg_note_sign(struct sg_slice origin, uint64_t size, const uint8_t root[32],
             struct sg_signer *signer, struct sg_writer *out)
{
    uint8_t front[8], public_key[32], key_hash[HASH_LEN], sig[64];
    struct sg_slice gate;
    uint64_t epoch;
    const size_t start = out->len;

    if (size == 0 || !sg_note_origin_parse(origin, &gate, front, &epoch))
        return SG_ERR_FORMAT;
    put_text(origin, size, root, out);
    if (out->full)
        return SG_ERR_FULL;
    enum sg_err err = sg_crypto_sign(
        signer, sg_slice_of(out->ptr + start, out->len - start), sig);
    if (err != SG_OK)
        return err;
    sg_crypto_signer_public(signer, public_key);
    sg_note_key_hash(origin, SG_NOTE_ED25519, public_key, key_hash);
    sg_bytes_put_u8(out, '\n');
    put_line(origin, key_hash, sg_slice_of(sig, sizeof sig), out);
    return out->full ? SG_ERR_FULL : SG_OK;
}

// What a cosignature is over: two lines, then the note's text.
static struct sg_slice
cosigned(const struct sg_note *note, uint64_t time_s, uint8_t room[SG_NOTE_MAX])
{
    char head[64];
    struct sg_writer w = sg_writer_on(room, SG_NOTE_MAX);
    int len = snprintf(head, sizeof head, "cosignature/v1\ntime %llu\n",
                       (unsigned long long)time_s);

    SG_ASSERT(len > 0 && (size_t)len < sizeof head);
    sg_bytes_put(&w, head, (size_t)len);
    sg_bytes_put(&w, note->text.ptr, note->text.len);
    SG_ASSERT(!w.full); // three lines are below 300 bytes
    return sg_writer_slice(&w);
}

enum sg_err
sg_note_cosign(const struct sg_note *note, struct sg_slice name,
               uint64_t time_s, struct sg_signer *signer, struct sg_writer *out)
{
    uint8_t room[SG_NOTE_MAX], payload[72], public_key[32], key_hash[HASH_LEN];

    if (!name_fits(name))
        return SG_ERR_FORMAT;
    sg_bytes_store_u64(payload, time_s);
    enum sg_err err =
        sg_crypto_sign(signer, cosigned(note, time_s, room), payload + 8);
    if (err != SG_OK)
        return err;
    sg_crypto_signer_public(signer, public_key);
    sg_note_key_hash(name, SG_NOTE_COSIGNATURE, public_key, key_hash);
    put_line(name, key_hash, sg_slice_of(payload, sizeof payload), out);
    return out->full ? SG_ERR_FULL : SG_OK;
}

// ---- reading ---------------------------------------------------------------

static enum sg_err
parse_text(struct sg_slice *rest, struct sg_note *note)
{
    struct sg_slice size, root, empty;
    size_t len = 0;
    const uint8_t *start = rest->ptr;

    if (!take_until(rest, '\n', &note->origin) ||
        !take_until(rest, '\n', &size) || !take_until(rest, '\n', &root))
        return SG_ERR_SHORT;
    note->text = sg_slice_of(start, (size_t)(rest->ptr - start));
    if (!sg_note_origin_parse(note->origin, &note->gate, note->genesis_front,
                              &note->epoch) ||
        !canonical_u64(size, &note->size) || note->size == 0 ||
        !sg_encode_unbase64(root, note->root, 32, &len) || len != 32)
        return SG_ERR_FORMAT;
    if (!take_until(rest, '\n', &empty))
        return SG_ERR_SHORT;
    return empty.len == 0 ? SG_OK : SG_ERR_FORMAT;
}

static enum sg_err
parse_line(struct sg_slice line, struct sg_note_signature *signature)
{
    uint8_t payload[3 * (SG_NOTE_MAX / 4)];
    size_t len = 0;

    *signature = (struct sg_note_signature){0};
    if (line.len < sizeof dash - 1 ||
        memcmp(line.ptr, dash, sizeof dash - 1) != 0)
        return SG_ERR_FORMAT;
    line.ptr += sizeof dash - 1;
    line.len -= sizeof dash - 1;
    if (!take_until(&line, ' ', &signature->name) ||
        !name_fits(signature->name) ||
        !sg_encode_unbase64(line, payload, sizeof payload, &len) ||
        len <= HASH_LEN)
        return SG_ERR_FORMAT;
    memcpy(signature->key_hash, payload, HASH_LEN);
    len -= HASH_LEN;
    if (len == 64 || len == 72) {
        memcpy(signature->bytes, payload + HASH_LEN, len);
        signature->len = (uint8_t)len;
    }
    return SG_OK;
}

enum sg_err
sg_note_parse(struct sg_slice bytes, struct sg_note *note)
{
    struct sg_slice rest = bytes, line;

    *note = (struct sg_note){0};
    if (bytes.len > SG_NOTE_MAX)
        return SG_ERR_FULL;
    enum sg_err err = parse_text(&rest, note);
    if (err != SG_OK)
        return err;
    while (rest.len > 0) {
        if (note->count == SG_NOTE_SIGNATURES)
            return SG_ERR_FULL;
        if (!take_until(&rest, '\n', &line))
            return SG_ERR_SHORT;
        err = parse_line(line, &note->signatures[note->count++]);
        if (err != SG_OK)
            return err;
    }
    return note->count == 0 ? SG_ERR_SHORT : SG_OK;
}

// Line by that key under that name; NULL: none.
static const struct sg_note_signature *
line_of(const struct sg_note *note, struct sg_slice name,
        enum sg_note_type type, const uint8_t public_key[32], uint8_t len)
{
    uint8_t key_hash[HASH_LEN];

    sg_note_key_hash(name, type, public_key, key_hash);
    for (uint32_t i = 0; i < note->count; i++) {
        const struct sg_note_signature *line = &note->signatures[i];
        if (line->len == len && sg_slice_eq(line->name, name) &&
            memcmp(line->key_hash, key_hash, HASH_LEN) == 0)
            return line;
    }
    return NULL;
}

bool
sg_note_is_of(const struct sg_note *note, struct sg_slice gate,
              const uint8_t genesis[32])
{
    return sg_slice_eq(note->gate, gate) &&
           memcmp(note->genesis_front, genesis, sizeof note->genesis_front) ==
               0;
}

bool
sg_note_verify(const struct sg_note *note, const uint8_t public_key[32])
{
    const struct sg_note_signature *line =
        line_of(note, note->origin, SG_NOTE_ED25519, public_key, 64);

    return line != NULL &&
           sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(public_key, 32),
                            note->text, sg_slice_of(line->bytes, 64));
}

bool
sg_note_verify_cosignature(const struct sg_note *note, struct sg_slice name,
                           const uint8_t public_key[32], uint64_t *time_s)
{
    const struct sg_note_signature *line =
        line_of(note, name, SG_NOTE_COSIGNATURE, public_key, 72);
    uint8_t room[SG_NOTE_MAX];

    if (time_s != NULL)
        *time_s = 0;
    if (line == NULL)
        return false;
    const uint64_t time = sg_bytes_load_u64(line->bytes);
    if (!sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(public_key, 32),
                          cosigned(note, time, room),
                          sg_slice_of(line->bytes + 8, 64)))
        return false;
    if (time_s != NULL)
        *time_s = time;
    return true;
}
