// lies - what the inspector of liar.c, which is no part of the product, says as
// a reader instead of the truth. `lie` of struct faults holds the number.
#pragma once

enum lie {
    LIE_NONE,
    // Rows as well-formed as the true ones.
    LIE_VALUE,    // another figure
    LIE_DIGITS,   // the same figure, another text
    LIE_WITHHELD, // no figure
    LIE_FLAG,
    LIE_AREA,
    LIE_YEAR,
    LIE_ROW_LESS,
    LIE_ROW_MORE,
    LIE_NO_ROWS,
    // What it wrote.
    LIE_STREAM, // sealed as it should be, and no rows
    LIE_SEALED, // other bytes over what was sealed
    LIE_CUT,    // not all of it is there
    // What it says of what it wrote.
    LIE_SHORTER,
    LIE_LONGER,
    LIE_ENDLESS,
    LIE_CHUNKS,
    LIE_NOTHING_MADE,
    LIE_REPORT_ENDLESS,
    // The answer.
    LIE_OTHER_JOB,
    LIE_NO_ITEM,
    LIE_TWO_ITEMS,
    LIE_BOTH,    // accepted, and failed
    LIE_VERDICT, // one that there is not
    LIE_REJECTS, // faults that there are not, in letters that steer a screen
    LIE_GARBAGE,
    LIE_HALF,
    LIE_EMPTY,
    LIE_OVERSIZE, // the largest that the kernel carries
    LIE_DESCRIPTORS,
    // The process.
    LIE_CRASH,
    LIE_LEAVES,  // ends, and has said nothing
    LIE_ESCAPES, // opens what is not its own
    LIE_LATE,    // answers when the gate waits no longer
    LIES,
    // Counts and facts of its own: not looked at, the judge counts.
    LIE_FACTS = LIES,
};
