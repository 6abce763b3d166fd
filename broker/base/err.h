// err - every way something can fail or be refused, in one table.
//
// An error says that work could not be done, and by whom it can be mended. A
// verdict (deny, hold, permit) is work done well: it is a value, never an
// error. A bug is SG_ASSERT. Codes are stable: programs and people quote them;
// a row is added, never renamed or given another meaning.
#pragma once

#include <stdbool.h>

#include "broker/base/check.h"

// name, stable code, sentence, cure, exit status of the command line, may the
// same request be sent again unchanged
// clang-format off
#define SG_ERR_TABLE(X)                                                        \
    X(OK,        "ok", "done", "", 0, 0)                                       \
    /* ours: memory, disk, bytes */                                            \
    X(MEMORY,    "gate.memory", "out of memory", "try again later", 75, 1)     \
    X(IO,        "gate.io", "reading or writing failed", "see the log of the program for the file and the system's reason", 1, 1) \
    X(FULL,      "gate.limit", "a limit is reached", "send less at a time; limits are listed in limits.h and in the welcome message", 65, 0) \
    X(SYNTAX,    "text.syntax", "the text does not follow its grammar", "correct the place named", 65, 0) \
    X(FORMAT,    "bytes.format", "the bytes do not follow their format", "send them as the format paper says", 65, 0) \
    X(SHORT,     "bytes.short", "bytes are missing at the end", "send the whole", 65, 0) \
    X(CORRUPT,   "bytes.corrupt", "stored or sealed bytes fail their check", "do not use them; restore or fetch them again", 1, 0) \
    X(CRYPTO,    "gate.crypto", "the crypto library refused to work", "check the OpenSSL installation", 1, 0) \
    X(NOT_FOUND, "gate.not_found", "there is no such thing", "check the name", 65, 0) \
    X(EXISTS,    "gate.exists", "it exists already", "use another name, or the one that is there", 65, 0) \
    X(USAGE,     "usage", "the command was not understood", "see --help", 2, 0) \
    X(DAMAGE,    "gate.damage", "the evidence is shorter or other than what was signed", "stop; restore from a copy; tell the auditors", 1, 0) \
    X(FORK,      "gate.fork", "two signed histories of one gate disagree", "keep both notes and tell the auditors", 1, 0) \
    /* the gate's state */                                                     \
    X(GAP,       "gate.gap", "a revision is missing, and the gate does not show what became of it", "ask the operator, and have an auditor compare it with the log; what comes after it is not given out before", 1, 0) \
    X(BUSY,      "gate.busy", "the gate has no room for more at the moment", "try again later", 75, 1) \
    X(DISK,      "gate.disk", "the gate's disk is nearly full", "try again later; the operator must make room", 75, 1) \
    X(STOPPING,  "gate.stopping", "the gate is stopping", "try again later", 75, 1) \
    X(RESTORED,  "gate.restored", "the gate was brought back from a copy and delivers nothing until every participant has said hello", "wait, and try again later; the operator sees with statgate status for whom the gate waits", 75, 1) \
    X(UNREACHABLE, "gate.unreachable", "the gate does not answer", "check address, network and the gate's key", 69, 1) \
    X(ROSTER_OLD, "gate.roster_old", "the roster shown is older than one already seen", "fetch the newest roster; if it stays old, tell the auditors", 1, 0) \
    X(ROSTER,    "gate.roster", "the roster is not acceptable", "it must follow the current one and carry k signatures of distinct persons", 65, 0) \
    X(ROSTER_EXPIRED, "gate.roster_expired", "the roster has expired", "the root key holders must sign a new one", 77, 0) \
    X(UNSUPPORTED, "gate.unsupported", "this version does not know that", "see the version notes", 65, 0) \
    /* the peer as such */                                                     \
    X(PEER_UNKNOWN, "peer.unknown", "the key is not in the roster", "join first: statgate join", 77, 0) \
    X(PEER_REVOKED, "peer.key_revoked", "the key was revoked", "ask the root key holders for a new one", 77, 0) \
    X(PEER_KEY_USE, "peer.key_use", "the key has another role", "sign with the key that the roster names for this use", 77, 0) \
    X(PEER_MALFORMED, "peer.malformed", "the message is malformed", "use a current libstatgate", 65, 0) \
    X(PEER_RIGHTS, "peer.rights", "the role of this key does not allow that", "use a key with the role named; who has none asks for one: statgate join --key-role, and a roster that admits it", 77, 0) \
    X(PEER_RATE, "peer.rate", "too many requests", "wait for the time given", 75, 1) \
    X(PEER_CREDIT, "peer.credit", "more was sent than was granted", "send within the credit", 65, 0) \
    X(PEER_PROTO, "peer.protocol", "no common protocol version", "update the older side", 65, 0) \
    X(SIGNATURE, "peer.signature", "the signature does not fit", "sign with the key named, over the bytes sent", 77, 0) \
    /* publishing */                                                           \
    X(MANIFEST_CANONICAL, "publisher.manifest_not_canonical", "the manifest is not in canonical form", "use a current libstatgate", 65, 0) \
    X(MANIFEST_FIELD, "publisher.manifest_field", "a field of the manifest is missing or out of range", "see the component named", 65, 0) \
    X(AUDIENCE,  "publisher.audience", "the manifest is for another gate", "sign it for this gate", 65, 0) \
    X(OWNER,     "publisher.owner", "this participant does not own the flow", "publish under your own flows", 77, 0) \
    X(FLOW,      "publisher.flow", "the flow does not exist or is closed", "check the name: statgate flow list; its provider makes it with statgate flow new", 65, 0) \
    X(TERMS_CHANGED, "publisher.terms_changed", "the terms of the flow have changed", "read the new terms and sign again", 65, 0) \
    X(TERMS,     "publisher.terms", "the terms are incomplete or contradict themselves", "see the field named", 65, 0) \
    X(TERMS_TWO, "publisher.terms_two_persons", "loosening terms needs a second person", "have another officer sign too", 77, 0) \
    X(STRUCTURE, "publisher.structure", "the structure is not known here or has another hash", "statgate structure import, then publish it", 65, 0) \
    X(REVISION,  "publisher.revision", "the revision does not follow the last one", "use the number after the head named", 65, 0) \
    X(CONFLICT,  "publisher.conflict", "this revision exists with another content", "publish a new revision", 65, 0) \
    X(EXPIRED,   "publisher.expired", "the manifest has expired", "sign a new manifest", 65, 0) \
    X(CLAIM,     "publisher.claim_outside_terms", "a claim lies outside the terms of the flow", "claim what the terms allow, or amend the terms", 65, 0) \
    X(ACTION,    "publisher.action", "changes are not published here yet", "send the whole flow, with action I or R or with none", 65, 0) \
    X(EMBARGO,   "publisher.embargo", "the embargo that the file states is not held", "write EmbargoDate with its zone, as in 2027-03-01T09:00:00Z; a current libstatgate claims it", 65, 0) \
    X(MODE,      "publisher.mode", "the content commitment is weaker than the terms ask, or not built yet", "use the commitment of the terms: row, or file for public and anonymous flows", 65, 0) \
    X(SEED_REUSED, "publisher.seed_reused", "the seed of this release was used before", "use a fresh seed", 65, 0) \
    X(SECRET,    "publisher.secret_block", "the secret block does not fit the manifest", "resend the block from the outbox", 65, 0) \
    X(CHUNK_ORDER, "publisher.chunk_order", "a chunk is missing before this one", "resume at the chunk named", 65, 1) \
    X(CHUNK_CHANGED, "publisher.chunk_changed", "a chunk was sent again with other bytes", "start again with publish begin", 65, 0) \
    X(UNCHANGED, "publisher.unchanged", "the content equals the last release", "nothing to do; --again publishes it all the same", 65, 0) \
    X(DATA,      "publisher.data", "the data do not conform", "see the report: statgate why RELEASE", 65, 0) \
    X(CONTENT,   "publisher.content_mismatch", "the data are not what the manifest signs", "sign and send the same file", 65, 0) \
    X(INSPECTION, "publisher.inspection", "the data could not be inspected", "the file broke a worker; check it with statgate check", 65, 0) \
    X(REHEARSED, "publisher.rehearsed", "rehearsal: nothing was published", "publish without --rehearse", 0, 0) \
    X(ORDER,     "data.order", "the rows are not in the order of their keys", "sort them by key, or let the reader sort", 65, 0) \
    /* receiving */                                                            \
    X(SUBSCRIPTION, "subscriber.subscription", "the subscription is not acceptable", "see the field named", 65, 0) \
    X(KEY_FIELDS, "subscriber.key", "the key filter has more fields than the structure has dimensions", "one field a dimension in the order of the structure, without time, dots between, + between codes, nothing for any: statgate structure show", 65, 0) \
    X(KEY_CODE,  "subscriber.key_code", "the key filter names a code that the dimension does not have", "use codes of its list: statgate structure show STRUCTURE --codes DIMENSION; leave the field empty for any", 65, 0) \
    X(PERIOD,    "subscriber.period", "the period is not START/END in time periods of SDMX", "write it as in 2015/2020, 2020-Q1/2020-Q4 or 2015/; leave it out for all, and where the structure has no time", 65, 0) \
    X(PERIOD_ORDER, "subscriber.period_order", "the period starts after it ends", "put the earlier time first, both in one form, as in 2020-Q1/2020-Q4", 65, 0) \
    X(PURPOSE,   "subscriber.purpose", "the purpose is not one of those admitted for this participant, or not one of the flow", "subscribe for a purpose of both: statgate flow show FLOW", 77, 0) \
    X(RECEIPT,   "subscriber.receipt", "the receipt does not fit the delivery", "send the receipt for the delivery named", 65, 0) \
    X(DENIED,    "policy.denied", "the law does not permit this transfer", "see the rule named", 77, 0) \
    X(HELD,      "policy.held", "the transfer waits", "see what it waits for", 75, 1) \
    X(POLICY_CONTENT, "policy.content", "this content is not available to you", "ask the provider", 77, 0) \
    X(POLICY_NONE, "policy.none", "there is no valid policy, so nothing is permitted", "propose and approve a policy", 77, 0) \
    X(POLICY_TWO, "policy.two_persons", "a second person must approve", "have another officer approve", 77, 0) \
    X(POLICY_CLAIM, "policy.claims", "a test of the policy fails, or a never statement is not proved", "correct the rule or the statement; statgate policy check FILE... tells them all", 65, 0) \
    X(POLICY_BASE, "policy.base", "the approval names another text or another base", "approve what is proposed now", 65, 0) \
    X(CONSENT,   "consent.event", "the consent event is not acceptable", "see the field named", 65, 0) \
    X(CONSENT_STOP, "consent.withdrawn", "consent was withdrawn", "the delivery ends here", 77, 0) \
    X(DISK_HERE, "home.disk", "the disk of this computer is full", "make room there, then give the same command again", 75, 1) \
    X(STATEMENT, "consent.statement", "consent is withdrawn; the gate has not yet stated what had left before", "give the same command again", 75, 1) \
    X(LOST,      "gate.object_lost", "the gate's copy of this release is damaged", "the operator puts it back from a copy; then it comes", 75, 1) \
    X(STOPPED,   "delivery.stopped", "the delivery was stopped", "see the code named", 77, 0)
// clang-format on

enum sg_err {
#define X(name, code, sentence, cure, exit, retry) SG_ERR_##name,
    SG_ERR_TABLE(X)
#undef X
        SG_ERR_COUNT,
};
#define SG_OK SG_ERR_OK

// All static text, never NULL; outside the table: that of a bug.
const char *sg_err_code(enum sg_err err);
const char *sg_err_sentence(enum sg_err err);
const char *sg_err_cure(enum sg_err err);
int sg_err_exit(enum sg_err err);
bool sg_err_retry(enum sg_err err);
// The row with this code; SG_ERR_COUNT: none.
enum sg_err sg_err_by_code(const char *code);
