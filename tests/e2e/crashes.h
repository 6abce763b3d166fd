// crashes - the named points at which the statgated of crash.c, which is no part
// of the product, kills itself. crash_at of struct faults holds the number.
#pragma once

enum crash {
    CRASH_NONE,
    // On the way in.
    CRASH_RECEIVED, // a release is there, nobody has looked at it
    CRASH_DECODED,  // its message was read
    CRASH_READ,     // the reader has answered
    CRASH_JUDGED,   // the judge has answered
    CRASH_ACCEPTED, // applied, not yet written
    CRASH_POLICY,   // decided for a subscriber, not yet written
    CRASH_WRITE,    // before the entry goes to the log
    CRASH_WRITTEN,  // it went there and need not be on the disk
    CRASH_RECEIPT,  // it is on the disk, the receipt is not made
    CRASH_ANSWERED, // the receipt went out, nothing is forwarded
    // On the way out.
    CRASH_FORWARD,   // a delivery began, a chunk of it does not go
    CRASH_KEY,       // the key is released, not yet written
    CRASH_FORWARDED, // the key went out, nobody has said that it came
    CRASH_CURSOR,    // the subscriber has it, not yet written
    // At the next start.
    CRASH_RECOVERY,  // in the middle of the log
    CRASH_RECOVERED, // all is read, the doors are shut
    CRASH_RESUMED,   // what is owed is begun again, not yet written
    CRASHES,
};
