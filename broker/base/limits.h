// limits - every bound on what comes from outside, each with its reason.
//
// A limit is a refusal, never a truncation. Sizes in bytes unless said.
#pragma once

// ---- wire (core-design 1, formats.md a) -----------------------------------
#define SG_LIMIT_FRAME         (256u * 1024) // items of one message in all
#define SG_LIMIT_CHUNK         (256u * 1024) // plaintext of one chunk
#define SG_LIMIT_ZMQ_MESSAGE   266240u // chunk + GCM tag + CURVE, rounded up
#define SG_LIMIT_HWM           64u     // messages a peer: pool / chunk / 2
#define SG_LIMIT_HEADER        (64u * 1024) // one Envelope
#define SG_LIMIT_ITEMS         512u // items a frame: batch 256 and their parts
#define SG_LIMIT_CREDIT_POOL   (32u * 1024 * 1024) // received, not yet durable
#define SG_LIMIT_BATCH         256u // manifests under one signature
#define SG_LIMIT_PB_DEPTH      16u  // real messages need 5
#define SG_LIMIT_PB_MEMORY     (4u * 1024 * 1024) // 64 KiB unpack to < 1 MiB
#define SG_LIMIT_ID            64u
#define SG_LIMIT_TEXT          4096u // a sentence, a filter, an address
#define SG_LIMIT_MANIFEST_DAYS 14u   // expires - created
#define SG_LIMIT_AHEAD_S       3600u // created after our clock: an office's is off
#define SG_LIMIT_LEAVES        (1ull << 40) // content-root.md 4
#define SG_LIMIT_PATH          40u          // hashes of an inclusion path
#define SG_LIMIT_HOPS          8u
#define SG_LIMIT_OBLIGATIONS   32u
#define SG_LIMIT_COMPONENTS    256u                         // content-root.md 4
#define SG_LIMIT_ACTION_PARTS  4096u                        // content-root.md 4
#define SG_LIMIT_OBJECT        (1024ull * 1024 * 1024 * 64) // one release
#define SG_LIMIT_DOCUMENT      (16u * 1024 * 1024) // structure, policy bundle

// ---- abuse (S53, S54) ------------------------------------------------------
#define SG_LIMIT_VERIFY_PER_S    64u // signature checks a participant
#define SG_LIMIT_REFUSED_PER_S   10u // refusals recorded one by one
#define SG_LIMIT_BAD_BATCH_PER_S 16u
#define SG_LIMIT_REHEARSED_PER_S 64u   // a publisher: a group of the library
#define SG_LIMIT_TOLD_PER_S      1024u // decided again for who attaches: ms
// Questions of a participant: a tenth of the loop; a long answer is several.
#define SG_LIMIT_ASKED_PER_S     1024u
#define SG_LIMIT_RSS_SOFT        (512u * 1024 * 1024) // sockets are re-bound
#define SG_LIMIT_HANDSHAKE_MS    5000
#define SG_LIMIT_FILES           65536u // RLIMIT_NOFILE wanted

// ---- core tables (core-design 3) ------------------------------------------
// None is ever lowered: a log that had more open could not be replayed.
#define SG_LIMIT_PARTICIPANTS 4096u
#define SG_LIMIT_KEYS         16384u
#define SG_LIMIT_EPOCHS       64u // a restore begins one; known by their ends
#define SG_LIMIT_TESTIMONIES                                                   \
    1048576u // receipts of lost entries, 100 bytes each
#define SG_LIMIT_ROOTS              64u // persons who vouch for one gate
#define SG_LIMIT_INSTRUMENTS        65536u
#define SG_LIMIT_STRUCTURES         4096u
#define SG_LIMIT_STRUCTURES_EACH    256u // an office has dozens; 16 fill the table
#define SG_LIMIT_FLOWS              65536u
#define SG_LIMIT_FLOWS_EACH         4096u // an office publishes hundreds
#define SG_LIMIT_UPLOADS            4096u
#define SG_LIMIT_UPLOADS_EACH       8u // a publisher, of those that send chunks
#define SG_LIMIT_UPLOADS_HELD       1024u // a publisher, small ones too: 4 batches
#define SG_LIMIT_JOBS               1024u
#define SG_LIMIT_JOBS_EACH          4u // going on: what waits longer joins a batch
#define SG_LIMIT_JOB_BATCH          64u // small releases of one publisher
#define SG_LIMIT_CHOICES            64u // subscriptions that wait for a worker's look
#define SG_LIMIT_CHOICES_EACH       4u     // a subscriber
#define SG_LIMIT_RENDERINGS         16384u // renditions being made at once
#define SG_LIMIT_RELEASES_OPEN      1000000u
#define SG_LIMIT_RENDITIONS         262144u
#define SG_LIMIT_SUBSCRIPTIONS      262144u
#define SG_LIMIT_SUBSCRIPTIONS_EACH 16384u // a hub takes thousands of flows
#define SG_LIMIT_DELIVERIES         4000000u
#define SG_LIMIT_SETTLE             8192u // entries: more than a handler writes
#define SG_LIMIT_GAP                64u // revisions asked about at a time: look-ups
#define SG_LIMIT_MATCH_TURN         1024u // look-ups and decisions: milliseconds
#define SG_LIMIT_RETURNED_PCT       50u // of open releases: new ones keep their room
#define SG_LIMIT_AGREEMENTS         65536u
#define SG_LIMIT_AGREEMENTS_EACH    4096u // a controller has one a study
#define SG_LIMIT_FATES              768u // a page of a statement: twice an Envelope
#define SG_LIMIT_OPEN_DUTIES        1000000u

// ---- evidence and payload --------------------------------------------------
#define SG_LIMIT_SEGMENT       67108864u // formats.md (c)
#define SG_LIMIT_SNAPSHOT      131072u // entries between two: a second of replay
#define SG_LIMIT_ENTRY         (4u * 1024 * 1024) // roster entries are largest
#define SG_LIMIT_SMALL_OBJECT  (64u * 1024)       // larger ones are files
#define SG_LIMIT_DISK_KEEP_PCT 5u                 // free space that stays free
#define SG_LIMIT_KEYS_KEPT     1000000u // wrapping rows, 108 bytes of memory each
#define SG_LIMIT_OBJECTS_KEPT  4000000u // payload objects, 16 bytes and an id
#define SG_LIMIT_WRAPS         0xffffffffull // GCM nonces under one W

#define SG_LIMIT_REPORT_DAYS 90u // reports of what was refused (S23)

// ---- data messages (content-root.md, sdmx-facts) ---------------------------
#define SG_LIMIT_COLUMNS          1024u          // a CSV header; SDG has 33
#define SG_LIMIT_CELL             (1024u * 1024) // one value; XHTML notes
#define SG_LIMIT_ROW              (4u * 1024 * 1024)
#define SG_LIMIT_XML_DEPTH        64u
#define SG_LIMIT_XML_ATTRS        512u
#define SG_LIMIT_XML_NAMES        4096u // different names; SG_LIMIT_COLUMNS and some
#define SG_LIMIT_JSON_DEPTH       64u   // SDMX-JSON needs 12; at most 127
#define SG_LIMIT_JSON_NAME        4096u // of a member; keys of 256 dimensions
#define SG_LIMIT_JSON_NUMBER      256u  // characters; a double needs 24
#define SG_LIMIT_JSON_SERIES      (1024u * 1024) // waiting for their attributes
#define SG_LIMIT_JSON_AHEAD       (64u * 1024 * 1024) // attributes of a data set
// Steps to lay out the constraints of a structure: a second or two. 20,000 keys
// over lists of 20,000 codes take most of it; one that was made to keep a worker
// busy takes more.
#define SG_LIMIT_CONSTRAINT_STEPS (1ull << 29)
#define SG_LIMIT_CODES            2000000u // all code lists of one structure
#define SG_LIMIT_FAULT_GROUPS     10000u   // distinct causes kept in a report
#define SG_LIMIT_ROWS             (1ull << 32)
#define SG_LIMIT_PARTIAL_KEYS     4096u // rows of attributes alone: each is tried

// ---- workers (core-design 4) -----------------------------------------------
#define SG_LIMIT_WORKER_MEMORY (1024u * 1024 * 1024)
#define SG_LIMIT_WORKER_CPU_S  600u
#define SG_LIMIT_WORKER_WALL_S 1200u // a job that hangs
#define SG_LIMIT_WORKER_FILES  32u

// ---- policy (policy-language 5.3) ------------------------------------------
#define SG_LIMIT_POLICY_FILE    (4u * 1024 * 1024)
#define SG_LIMIT_POLICY_RULES   65536u
#define SG_LIMIT_POLICY_BOXES   64u    // a rule, after either/unless expansion
#define SG_LIMIT_POLICY_INCLUDE 4u     // deep
#define SG_LIMIT_POLICY_GROUPS  1024u  // a file; they are searched one by one
#define SG_LIMIT_POLICY_FILES   1024u  // of a set
#define SG_LIMIT_POLICY_LAYERS  8u     // hubs, or files of one place and layer
#define SG_LIMIT_PARTIES        65533u // listed organisations; a u16 with 0, 1

// ---- time ------------------------------------------------------------------
#define SG_LIMIT_CLOCK_AHEAD_US 2000000ull // a second of boot time (S50)
