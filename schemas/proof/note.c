#include "schemas/proof/note.h"

#include <stdio.h>

#include "broker/base/bytes.h"
#include "broker/base/encode.h"

enum {
    TYPE_ED25519 = 0x01,
    TYPE_COSIGNATURE = 0x04,
    HASH_LEN = 4,
    BLOB_MAX = HASH_LEN + 8 + SG_SIG_LEN,
    BASE64_MAX = 4 * ((BLOB_MAX + 2) / 3) + 1,
};

static const char dash[] = "\xe2\x80\x94 "; // U+2014 and a blank

void
sg_note_origin(struct sg_slice gate, const uint8_t genesis[32], uint64_t epoch,
               char out[SG_NOTE_ORIGIN_MAX])
{
    char hex[17];

    SG_ASSERT(sg_slice_is_id(gate));
    sg_encode_hex(genesis, 8, hex);
    int len = snprintf(out, SG_NOTE_ORIGIN_MAX, "statgate/%.*s/%s/%llu",
                       SG_SLICE_ARG(gate), hex, (unsigned long long)epoch);
    SG_ASSERT(len > 0 && len < SG_NOTE_ORIGIN_MAX);
}

// H(name, 0A, type, public key)[0..4)
static void
key_hash(struct sg_slice name, uint8_t type, const uint8_t key[32],
         uint8_t out[HASH_LEN])
{
    uint8_t middle[2] = {0x0a, type};
    uint8_t hash[32];
    struct sg_slice parts[] = {name, {middle, 2}, {key, 32}};

    sg_crypto_sha256v(parts, SG_COUNT_OF(parts), hash);
    memcpy(out, hash, HASH_LEN);
}

enum sg_err
sg_note_sign(const char *origin, uint64_t size, const uint8_t root[32],
             struct sg_signer *log_key, char out[SG_NOTE_MAX], size_t *len)
{
    uint8_t blob[HASH_LEN + SG_SIG_LEN], key[32];
    char base64[BASE64_MAX];

    SG_ASSERT(size > 0);
    sg_encode_base64(root, 32, base64);
    int text = snprintf(out, SG_NOTE_MAX, "%s\n%llu\n%s\n", origin,
                        (unsigned long long)size, base64);
    SG_ASSERT(text > 0 && text < SG_NOTE_MAX);
    enum sg_err err = sg_crypto_sign(log_key, sg_slice_of(out, (size_t)text),
                                     blob + HASH_LEN);
    if (err != SG_OK)
        return err;
    sg_crypto_signer_public(log_key, key);
    key_hash(sg_slice_text(origin), TYPE_ED25519, key, blob);
    sg_encode_base64(blob, sizeof blob, base64);
    size_t left = SG_NOTE_MAX - (size_t)text;
    int line = snprintf(out + text, left, "\n%s%s %s\n", dash, origin, base64);
    SG_ASSERT(line > 0 && (size_t)line < left);
    *len = (size_t)text + (size_t)line;
    return SG_OK;
}

// Takes a line off the front, without its line end. false: no line end.
static bool
take_line(struct sg_slice *bytes, struct sg_slice *line)
{
    const uint8_t *end =
        bytes->len == 0 ? NULL : memchr(bytes->ptr, '\n', bytes->len);

    if (end == NULL)
        return false;
    *line = sg_slice_of(bytes->ptr, (size_t)(end - bytes->ptr));
    bytes->ptr += line->len + 1;
    bytes->len -= line->len + 1;
    return true;
}

static bool
plain(struct sg_slice line) // printable ASCII, no blank
{
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] <= ' ' || line.ptr[i] > '~')
            return false;
    }
    return line.len > 0;
}

enum sg_err
sg_note_parse(struct sg_slice bytes, struct sg_note *note)
{
    struct sg_slice rest = bytes, origin, size, root, blank, line;
    size_t root_len;

    memset(note, 0, sizeof *note);
    if (bytes.len > SG_NOTE_MAX || !take_line(&rest, &origin) ||
        !take_line(&rest, &size) || !take_line(&rest, &root))
        return SG_ERR_FORMAT;
    note->text = sg_slice_of(bytes.ptr, bytes.len - rest.len);
    if (!take_line(&rest, &blank) || blank.len != 0 || rest.len == 0)
        return SG_ERR_FORMAT;
    note->lines = rest;
    while (rest.len > 0) {
        if (!take_line(&rest, &line) || line.len < sizeof dash ||
            memcmp(line.ptr, dash, sizeof dash - 1) != 0)
            return SG_ERR_FORMAT;
    }
    if (!plain(origin) || origin.len >= sizeof note->origin ||
        !sg_slice_u64(size, &note->size) || note->size == 0 ||
        (size.len > 1 && size.ptr[0] == '0') ||
        !sg_encode_unbase64(root, note->root, 32, &root_len) || root_len != 32)
        return SG_ERR_FORMAT;
    memcpy(note->origin, origin.ptr, origin.len);
    return SG_OK;
}

// The blob of the next line of that name with that hash. false: no more.
static bool
next_signature(struct sg_slice *lines, struct sg_slice name,
               const uint8_t hash[HASH_LEN], size_t blob_len, uint8_t *blob)
{
    struct sg_slice line;
    size_t len;

    while (take_line(lines, &line)) {
        size_t skip = sizeof dash - 1 + name.len + 1;
        if (line.len <= skip ||
            memcmp(line.ptr + sizeof dash - 1, name.ptr, name.len) != 0 ||
            line.ptr[skip - 1] != ' ')
            continue;
        struct sg_slice base64 = {line.ptr + skip, line.len - skip};
        if (sg_encode_unbase64(base64, blob, blob_len, &len) &&
            len == blob_len && memcmp(blob, hash, HASH_LEN) == 0)
            return true;
    }
    return false;
}

bool
sg_note_signed_by(const struct sg_note *note, const uint8_t log_public_key[32])
{
    uint8_t hash[HASH_LEN], blob[HASH_LEN + SG_SIG_LEN];
    struct sg_slice name = sg_slice_text(note->origin);
    struct sg_slice lines = note->lines;

    key_hash(name, TYPE_ED25519, log_public_key, hash);
    while (next_signature(&lines, name, hash, sizeof blob, blob)) {
        if (sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(log_public_key, 32),
                             note->text,
                             sg_slice_of(blob + HASH_LEN, SG_SIG_LEN)))
            return true;
    }
    return false;
}

// "cosignature/v1\ntime <n>\n" and the text of the note; text fits SG_NOTE_MAX.
static struct sg_slice
cosigned(const struct sg_note *note, uint64_t time, char out[SG_NOTE_MAX + 64])
{
    int head = snprintf(out, 64, "cosignature/v1\ntime %llu\n",
                        (unsigned long long)time);

    SG_ASSERT(head > 0 && note->text.len <= SG_NOTE_MAX);
    memcpy(out + head, note->text.ptr, note->text.len);
    return sg_slice_of(out, (size_t)head + note->text.len);
}

bool
sg_note_cosigned_by(const struct sg_note *note, struct sg_slice name,
                    const uint8_t witness_key[32], uint64_t *time)
{
    uint8_t hash[HASH_LEN], blob[BLOB_MAX];
    char input[SG_NOTE_MAX + 64];
    struct sg_slice lines = note->lines;

    key_hash(name, TYPE_COSIGNATURE, witness_key, hash);
    while (next_signature(&lines, name, hash, sizeof blob, blob)) {
        *time = sg_bytes_load_u64(blob + HASH_LEN);
        if (sg_crypto_verify(SG_ALG_ED25519, sg_slice_of(witness_key, 32),
                             cosigned(note, *time, input),
                             sg_slice_of(blob + HASH_LEN + 8, SG_SIG_LEN)))
            return true;
    }
    return false;
}

enum sg_err
sg_note_cosign(const struct sg_note *note, struct sg_slice name, uint64_t time,
               struct sg_signer *witness, char *out, size_t cap, size_t *len)
{
    uint8_t blob[BLOB_MAX], key[32];
    char input[SG_NOTE_MAX + 64], base64[BASE64_MAX];

    enum sg_err err = sg_crypto_sign(witness, cosigned(note, time, input),
                                     blob + HASH_LEN + 8);
    if (err != SG_OK)
        return err;
    sg_crypto_signer_public(witness, key);
    key_hash(name, TYPE_COSIGNATURE, key, blob);
    sg_bytes_store_u64(blob + HASH_LEN, time);
    sg_encode_base64(blob, sizeof blob, base64);
    int written =
        snprintf(out, cap, "%s%.*s %s\n", dash, SG_SLICE_ARG(name), base64);
    if (written < 0 || (size_t)written >= cap)
        return SG_ERR_FULL;
    *len = (size_t)written;
    return SG_OK;
}
