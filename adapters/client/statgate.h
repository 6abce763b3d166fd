/* statgate - publish, subscribe and verify through a StatGate gate.
 *
 * The whole public interface of libstatgate. A home folder (STATGATE_HOME)
 * holds the keys, the pinned roster, the outbox and the newest checkpoint of
 * one participant at one gate; `statgate join` makes it. All calls are blocking
 * with a time limit and may be used from one thread at a time for each handle.
 * Strings are UTF-8, NUL-terminated; pointers that a call returns belong to the
 * handle and live until the next call on it, unless said otherwise. Nothing is
 * given to the application before it is verified, and then all of it.
 */
#ifndef STATGATE_H
#define STATGATE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define STATGATE_API __attribute__((visibility("default")))
#else
#define STATGATE_API
#endif

/* What came of a call. Every refusal of the gate has a stable code, a sentence
 * and the cure; `exit` is the command line's exit status for it (0 done, 1
 * failed, 65 bad data, 69 unreachable, 75 try again, 77 refused). */
struct statgate_result {
    int exit;
    char code[64];
    char sentence[256];
    char cure[1024];    /* may be a command */
    char component[65]; /* where in the data or request; "" if it is no place */
    uint64_t row, line;
    uint64_t seq; /* evidence entry; 0: not recorded */
    uint32_t retry_after_ms;
};

struct statgate; /* a connection to a gate with a home */

STATGATE_API const char *statgate_version(void);

/* Opens home and connects; the gate's transport key is the pinned one. The
 * first call that needs an answer waits for it. gate_address NULL: those in the
 * home; "CONTROL,DATA", or the data address alone. timeout_ms bounds every later call. */
STATGATE_API int statgate_open(const char *home, const char *gate_address,
                               uint32_t timeout_ms, struct statgate **handle,
                               struct statgate_result *result);
STATGATE_API void statgate_close(struct statgate **handle);
/* What its users must know of this gate, in words: that it was brought back from
 * a copy and has lost what this home had seen. NULL: nothing. Lives until the
 * next call. */
STATGATE_API const char *statgate_notice(const struct statgate *handle);
/* Gives such a gate the receipts of entries that it has lost, which become
 * entries of its log: those that this home keeps of its releases, or one.
 * handed: how many its log holds so. had: the gate has the entry, nothing was done. */
STATGATE_API int statgate_testify(struct statgate *handle, uint64_t *handed,
                                  struct statgate_result *result);
STATGATE_API int statgate_testify_receipt(struct statgate *handle,
                                          const uint8_t *receipt, size_t len,
                                          int *had,
                                          struct statgate_result *result);
/* From here on what the gate shows is checked as ever, and nothing of it is
 * written into the home: no roster, no checkpoint. For statgate_call that asks,
 * statgate_object and statgate_sign; the other calls keep what they need. */
STATGATE_API void statgate_look_only(struct statgate *handle);

/* ---- publishing ---------------------------------------------------------- */
struct statgate_release {
    const char *flow;
    const char *file;         /* path; "-": standard input is spooled first */
    const char *release_kind; /* NULL: "first" or "scheduled_revision" */
    uint64_t embargo_us;      /* 0: none but the EmbargoDate of the file */
    int rehearse;             /* check and decide, publish nothing: the cure of
                                 the result says for whom, a line each */
    int again;                /* also when the content is unchanged */
    int alone;                /* a signature of its own, in publish_many */
    const char *origin_label; /* "observed" "estimated" "modelled"
                                 "machine_generated"; NULL: not said */
};
struct statgate_receipt {
    uint8_t manifest_sha256[32];
    uint64_t revision, entry, observations; /* as the gate counted them */
    int duplicate;
    const uint8_t *bytes; /* SGRC1 receipt */
    size_t len;
};
/* Signs, stores in the outbox (synced), sends, waits for the verdict. Returns
 * result->exit. Resumes an upload that was cut; sends the same signed bytes
 * however often it is called for one outbox item. progress may be NULL. */
typedef void statgate_progress(void *context, const char *state, uint64_t done,
                               uint64_t total);
STATGATE_API int statgate_publish(struct statgate *handle,
                                  const struct statgate_release *release,
                                  statgate_progress *progress, void *context,
                                  struct statgate_receipt *receipt,
                                  struct statgate_result *result);
/* Many small releases at once: signatures are shared by up to 64 releases, and
 * several groups are on their way before the first is answered. A release that
 * is refused takes those after it of the same flow with it, since revisions have
 * no gap. receipts and results have count items. Called again with the same
 * releases after a crash within the call, those that were accepted get their
 * receipt (duplicate), and no second release. */
STATGATE_API int statgate_publish_many(struct statgate *handle,
                                       const struct statgate_release *releases,
                                       size_t count,
                                       struct statgate_receipt *receipts,
                                       struct statgate_result *results);
/* The fault report of an own release as JSON (shape of `check --json`). */
STATGATE_API int statgate_report(struct statgate *handle,
                                 const uint8_t manifest_sha256[32],
                                 const char **json,
                                 struct statgate_result *result);

/* ---- subscribing --------------------------------------------------------- */
struct statgate_subscription {
    const char *name; /* unique for this participant */
    const char *flow;
    const char *key_filter; /* NULL: all */
    const char *period;     /* NULL: all */
    const char *purpose, *basis;
    const char *format; /* NULL: as published; "csv10" "csv20" "ml21" */
    const char *const
        *promises; /* "no_onward", "delete_after_days(30)"; NULL end */
};
STATGATE_API int statgate_subscribe(struct statgate *handle,
                                    const struct statgate_subscription *wanted,
                                    struct statgate_result *result);
STATGATE_API int statgate_unsubscribe(struct statgate *handle, const char *name,
                                      struct statgate_result *result);

/* One delivery, verified whole: publisher's signature, commitment or the
 * gate's derivation, delivery statement, key commitment, chunks. */
struct statgate_delivery {
    char flow[65], publisher[65], subscription[130];
    uint64_t revision, offset;
    uint64_t observations; /* 0: the whole file was verified, not its rows */
    uint8_t manifest_sha256[32], delivery_id[16];
    const char *media;        /* "csv10" ... */
    const char *data_path;    /* file with the data, 0600, in the inbox */
    const char *sidecar_path; /* what `statgate verify` needs, beside it */
    const char *statement;    /* in words: who signed what, what was withheld */
    int stopped;              /* no data: result says why (law, withdrawal) */
};
/* Waits for the next delivery of the subscription. 0: delivery is filled;
 * acknowledge it with statgate_keep or statgate_refuse: it is then never given
 * out again, and the gate is told, which moves the cursor, when the next call
 * has nothing more to give out, after 64 of them, or at the latest when the
 * handle is closed. By then data and receipt are on disk; after a power cut
 * before it, the gate delivers once more.
 * A delivery that was refused, held or withdrawn is told once for each decision
 * on it (stopped, and result says why); the next call goes on behind it.
 * What follows a gap in the revisions is given out when the gate has shown, signed,
 * what became of each of them (kept in HOME/gaps): code "gate.gap" until then.
 * exit 75 with code "gate.idle": nothing within timeout_ms. */
STATGATE_API int statgate_next(struct statgate *handle, const char *name,
                               uint32_t timeout_ms,
                               struct statgate_delivery *delivery,
                               struct statgate_result *result);
/* From here on progress hears of deliveries on their way, with state "receiving"
 * and chunks of one delivery; called within statgate_next. NULL: nobody. */
STATGATE_API void statgate_watch(struct statgate *handle,
                                 statgate_progress *progress, void *context);
STATGATE_API int statgate_keep(struct statgate *handle,
                               const struct statgate_delivery *delivery,
                               struct statgate_result *result);
STATGATE_API int statgate_refuse(struct statgate *handle,
                                 const struct statgate_delivery *delivery,
                                 const char *code,
                                 struct statgate_result *result);

/* ---- consent -------------------------------------------------------------- */
struct statgate_consent {
    const char *agreement;
    uint8_t record[16]; /* keyed pseudonym of a person, never a raw id */
    int withdraw;       /* 0: give */
    uint32_t wait_ms;   /* for the statement on a withdrawal; 0: do not wait */
};
enum statgate_fate_is {
    STATGATE_LEFT_RECEIPTED = 1,
    STATGATE_LEFT_UNRECEIPTED,
    STATGATE_CANCELLED,
    STATGATE_CIPHERTEXT_ONLY,
    STATGATE_FATE_COUNT
};
struct statgate_fate {
    uint8_t delivery_id[16];
    enum statgate_fate_is what;
    uint64_t entry;
};
/* What the gate states, signed and in its log, of every delivery under the
 * agreement at the time of the withdrawal. fates: at most a million; text names
 * the first 10,000. */
struct statgate_statement {
    uint64_t event;                    /* entry of the consent event */
    uint64_t entry;                    /* of the statement; 0: none came */
    uint64_t answered_us, last_key;    /* last_key: entry of the last one */
    size_t count[STATGATE_FATE_COUNT]; /* by enum statgate_fate_is */
    const struct statgate_fate *fates;
    size_t fates_count;
    const char *text; /* the same in words; NULL: none came */
    const char *path; /* where it is kept in the home */
};
/* Signs a consent event, keeps it, sends it and verifies its receipt. After a
 * withdrawal waits for the gate's statement, verifies signature and receipt,
 * and keeps it. exit 75 with code "consent.statement": consent is withdrawn,
 * the statement did not come in time; the same call asks for it again. */
STATGATE_API int statgate_consent(struct statgate *handle,
                                  const struct statgate_consent *event,
                                  struct statgate_statement *statement,
                                  struct statgate_result *result);

/* ---- verifying, offline -------------------------------------------------- */
/* data with its sidecar (or a receipt file alone: data_path NULL). text: what
 * was found, in words, for people. Returns result->exit: 0 valid. */
STATGATE_API int statgate_verify(const char *home, const char *data_path,
                                 const char *sidecar_path, const char **text,
                                 struct statgate_result *result);

/* ---- everything else the command line does through the gate --------------- */
/* Sends one request of wire.proto as the packed body of an Envelope and returns
 * the packed Envelope of the answer; for tools that come with the product. */
STATGATE_API int statgate_call(struct statgate *handle, const uint8_t *envelope,
                               size_t len, const uint8_t *payload,
                               size_t payload_len, const uint8_t **answer,
                               size_t *answer_len,
                               struct statgate_result *result);
/* A document that the gate holds: "structure" (compiled, as it is published by
 * its hash), "policy" (a bundle; officers of policy and auditors), "roster"
 * (sha256 NULL: the newest). It is checked against sha256 before it is given. */
STATGATE_API int statgate_object(struct statgate *handle, const char *kind,
                                 const uint8_t sha256[32],
                                 const uint8_t **bytes, size_t *len,
                                 struct statgate_result *result);
/* Signs a document with the home's key of this use ("sign", "approve") under a
 * purpose of formats.md 0. sig 64 bytes, key_id 32. */
STATGATE_API int statgate_sign(struct statgate *handle, const char *use,
                               const char *purpose, const uint8_t *body,
                               size_t len, uint8_t sig[64], uint8_t key_id[32],
                               struct statgate_result *result);

#ifdef __cplusplus
}
#endif
#endif
