// Verifying offline: data with its sidecar, or a receipt alone.
//
// No handle and no gate: text lives until the next call in this program.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "adapters/client/session.h"
#include "adapters/client/statement.h"
#include "broker/base/bytes.h"
#include "schemas/codec/codec.h"
#include "schemas/codec/plain.h"
#include "schemas/evidence.pb-c.h"

enum {
    ARENA = 64 * 1024 * 1024,
    BLOCK = 64 * 1024,
    FILE_MAX = 48 * 1024 * 1024
};
enum { TEXT_MAX = SG_STATEMENT_WORDS + 64 };

static const char FORKED[] =
    "two signed histories of the gate disagree: keep both notes";

struct checking {
    struct sg_home *home;
    struct sg_arena *arena;
    char *text; // TEXT_MAX
    struct statgate_result *result;
};

static int
invalid(struct checking *c, enum sg_err err, const char *why)
{
    (void)sg_session_fail(c->result, err, NULL);
    c->result->exit = 65; // whatever is wrong: these are not the data
    (void)snprintf(c->result->sentence, sizeof c->result->sentence, "%s", why);
    (void)snprintf(c->text, TEXT_MAX, "INVALID: %s\n", why);
    return c->result->exit;
}

// ---- data with its sidecar --------------------------------------------------------

// The roster in the sidecar counts only if it follows the one in the home, or
// is it; an older one of the same gate is not needed.
static enum sg_err
link_roster(struct checking *c, struct sg_slice bytes)
{
    struct sg_roster next;

    enum sg_err err = sg_roster_read(bytes, &next);
    if (err != SG_OK)
        return err;
    err = c->home->roster.doc == NULL
              ? (c->home->has_pin && memcmp(next.sha256, c->home->pin, 32) == 0
                     ? SG_OK
                     : SG_ERR_ROSTER)
              : sg_roster_follows(&c->home->roster, &next);
    if (err == SG_OK) {
        sg_roster_drop(&c->home->roster); // of this look only, not of the home
        c->home->roster = next;
        return SG_OK;
    }
    sg_roster_drop(&next);
    return err == SG_ERR_ROSTER_OLD ? SG_OK : err;
}

// The statement stands in the gate's log: the receipt says so.
static enum sg_err
statement_receipt(struct checking *c, const Sgpb__DeliveryBegin *begin,
                  const struct sg_statement *statement, const char **why)
{
    struct sg_receipt_expect expect = {
        .kind = SG_ENTRY_DELIVERY,
        .manifest_sha256 = sg_slice_of(statement->manifest_sha256, 32),
        .participant = sg_slice_text(statement->delivery->subscriber),
        .delivery_id = sg_codec_slice(statement->delivery->delivery_id)};
    struct sg_receipt_result found;

    enum sg_err err = sg_home_receipt(c->home, sg_codec_slice(begin->receipt),
                                      &expect, c->arena, &found);
    *why = err == SG_ERR_FORK
               ? FORKED
               : "the receipt of the gate's statement does not verify";
    return err;
}

static int
verify_begin(struct checking *c, struct sg_slice genesis,
             struct sg_slice begin_bytes, struct sg_slice proof,
             const char *data_path)
{
    const struct sg_statement_expect expect = {.roster = &c->home->roster,
                                               .gate = c->home->gate,
                                               .genesis = genesis.ptr};
    struct sg_content_file file = {
        .path = data_path, .dataflow = "", .any_flow = true};
    struct sg_content_found found = {0};
    struct sg_statement statement;
    const char *why = "the sidecar is not of its form";
    void *begin = NULL;

    enum sg_err err = sg_codec_unpack(&sgpb__delivery_begin__descriptor,
                                      begin_bytes, c->arena, &begin);
    if (err == SG_OK)
        err = sg_statement_check(begin, &expect, c->arena, &statement, &why);
    if (err == SG_OK)
        err = statement_receipt(c, begin, &statement, &why);
    if (err == SG_OK && statement.level == SG_CONTENT_ROW) {
        why = "the structure is not in the home; import it: "
              "statgate structure import";
        err = sg_home_structure(
            c->home, sg_codec_slice(statement.manifest->structure_sha256),
            &file.structure);
    }
    if (err == SG_OK)
        err = sg_statement_data(&statement, &file, proof, &found, &why);
    if (err != SG_OK)
        return invalid(c, err, why);
    uint64_t rows = statement.level == SG_CONTENT_ROW ? file.observations : 0;
    const char *words = sg_statement_words(&statement, &found, rows, c->arena);
    if (words == NULL)
        return sg_session_fail(c->result, SG_ERR_FULL, NULL);
    (void)snprintf(c->text, TEXT_MAX, "VALID\n%s", words);
    return sg_session_done(c->result);
}

static int
verify_data(struct checking *c, const char *data_path, struct sg_slice bytes)
{
    struct sg_reader r = sg_reader_on(bytes);
    struct sg_slice magic = sg_bytes_take(&r, 5);
    struct sg_slice genesis = sg_bytes_take(&r, 32);
    struct sg_slice begin = sg_bytes_blob(&r);
    struct sg_slice proof = sg_bytes_blob(&r);
    struct sg_slice roster = sg_bytes_blob(&r);

    if (!sg_bytes_end(&r) || !sg_slice_eq(magic, SG_SLICE("SGSV1")))
        return invalid(c, SG_ERR_FORMAT, "the sidecar is not of its form");
    if (c->home->has_genesis && memcmp(genesis.ptr, c->home->genesis, 32) != 0)
        return invalid(c, SG_ERR_FORK,
                       "it comes from another history of the "
                       "gate");
    memcpy(c->home->genesis, genesis.ptr, 32); // of this look only, if none
    enum sg_err err = link_roster(c, roster);
    if (err != SG_OK || c->home->roster.doc == NULL)
        return invalid(c, SG_ERR_ROSTER,
                       "its roster does not follow the one in the home");
    return verify_begin(c, genesis, begin, proof, data_path);
}

// ---- receipts ----------------------------------------------------------------------

// What a receipt of this home's participant can be about; from its own body,
// and compared with what the home stands for. One whose names could not be shown
// as they are differs from it.
static enum sg_err
expect_of(struct checking *c, const struct sg_entry *entry,
          struct sg_receipt_expect *expect)
{
    void *body = NULL;

    expect->kind = (enum sg_entry_type)entry->type;
    expect->participant = sg_slice_text(c->home->participant);
    if (entry->type == SG_ENTRY_ACCEPTED) {
        if (sg_codec_unpack(&sgpb__accepted__descriptor, entry->body, c->arena,
                            &body) != SG_OK)
            return SG_ERR_FORMAT;
        sg_plain_message(body);
        const Sgpb__Accepted *said = body;
        expect->manifest_sha256 = sg_codec_slice(said->manifest_sha256);
        expect->flow = sg_slice_text(said->flow);
        expect->revision = said->revision;
        expect->request_id = sg_codec_slice(said->request_id);
        return SG_OK;
    }
    if (entry->type == SG_ENTRY_REFUSED || entry->type == SG_ENTRY_CONFLICT) {
        if (sg_codec_unpack(&sgpb__refused__descriptor, entry->body, c->arena,
                            &body) != SG_OK)
            return SG_ERR_FORMAT;
        sg_plain_message(body);
        const Sgpb__Refused *said = body;
        expect->manifest_sha256 = sg_codec_slice(said->manifest_sha256);
        expect->flow = sg_slice_text(said->flow);
        expect->revision = said->revision;
        expect->request_id = sg_codec_slice(said->request_id);
        return SG_OK;
    }
    return SG_ERR_UNSUPPORTED;
}

static int
verify_receipt(struct checking *c, struct sg_slice bytes)
{
    struct sg_receipt_expect expect = {0};
    struct sg_receipt_result found;
    struct sg_receipt parts;
    struct sg_entry entry;

    if (c->home->roster.doc == NULL ||
        c->home->roster.doc->gate_log_key.len != 32 || !c->home->has_genesis)
        return invalid(c, SG_ERR_ROSTER,
                       "the home holds no roster and "
                       "genesis of the gate yet");
    if (sg_receipt_decode(bytes, &parts) != SG_OK ||
        sg_entry_decode(parts.entry, &entry) != SG_OK)
        return invalid(c, SG_ERR_FORMAT, "it is not a receipt");
    enum sg_err err = expect_of(c, &entry, &expect);
    if (err != SG_OK)
        return invalid(c, err,
                       "a receipt of this kind is verified by the "
                       "call that asked for it");
    err = sg_home_receipt(c->home, bytes, &expect, c->arena, &found);
    if (err == SG_ERR_FORK)
        return invalid(c, err, FORKED);
    if (err != SG_OK)
        return invalid(c, err, "the receipt does not verify");
    (void)snprintf(c->text, TEXT_MAX,
                   "VALID%s\nthe gate %s states in entry %" PRIu64
                   ": %s, " SG_SLICE_FMT "@%" PRIu64 " of %s\n",
                   found.answer == SG_RECEIPT_VALID ? "" : ", not witnessed",
                   c->home->gate, found.sequence,
                   sg_entry_type_name(entry.type), SG_SLICE_ARG(expect.flow),
                   expect.revision, c->home->participant);
    return sg_session_done(c->result);
}

int
statgate_verify(const char *home, const char *data_path,
                const char *sidecar_path, const char **text,
                struct statgate_result *result)
{
    static char words[TEXT_MAX];
    struct sg_home opened;
    struct checking c = {.home = &opened, .text = words, .result = result};
    struct sg_diag diag;
    uint8_t *bytes = NULL;
    size_t len;

    words[0] = '\0';
    *text = words;
    enum sg_err err = sg_crypto_start();
    if (err != SG_OK)
        return sg_session_fail(result, err, NULL);
    if ((err = sg_home_open(home, &opened, &diag)) != SG_OK)
        return sg_session_fail_at(result, err, &diag);
    c.arena = sg_arena_new(ARENA, BLOCK);
    err = c.arena == NULL
              ? SG_ERR_MEMORY
              : sg_os_file_read(sidecar_path, FILE_MAX, &bytes, &len);
    if (err != SG_OK)
        (void)sg_session_fail(result, err, sidecar_path);
    else if (data_path == NULL)
        (void)verify_receipt(&c, sg_slice_of(bytes, len));
    else
        (void)verify_data(&c, data_path, sg_slice_of(bytes, len));
    free(bytes);
    sg_arena_free(&c.arena);
    sg_home_close(&opened);
    return result->exit;
}
