// obligation_table - vocabulary 1: what a permit can oblige to, as one table.
//
// Kind: a check denies when it fails, a change alters the payload, a promise
// becomes a duty of the recipient. Stricter: how two of one name merge.
// Numbers are bits of masks in evidence: rows are added at the end only.
#pragma once

// clang-format off
// name, text, kind, arguments, least, most of the last number, stricter
#define SG_OBLIGATION_TABLE(X) \
    X(MINIMUM_COUNT, "minimum_count", CHECK, INT, 2, 1000, LARGER) \
    X(P_PERCENT, "p_percent", CHECK, INT, 1, 100, LARGER) \
    X(DOMINANCE, "dominance", CHECK, N_AND_K, 1, 100, EACH_N) \
    X(K_ANONYMITY, "k_anonymity", CHECK, INT, 2, 1000, LARGER) \
    X(L_DIVERSITY, "l_diversity", CHECK, INT, 2, 1000, LARGER) \
    X(WITHHOLD_CONFIDENTIAL_CELLS, "withhold_confidential_cells", CHANGE, NONE, 0, 0, SAME) \
    X(SUPPRESS_SMALL_CELLS, "suppress_small_cells", CHANGE, INT, 2, 1000, LARGER) \
    X(ROUND_BASE, "round_base", CHANGE, INT, 2, 1000, LARGER) \
    X(COARSEN_GEOGRAPHY, "coarsen_geography", CHANGE, LEVEL, 1, 4, SMALLER) \
    X(DROP_DIMENSIONS, "drop_dimensions", CHANGE, NAMES, 0, 0, UNION) \
    X(DROP_UNCONSENTED_ROWS, "drop_unconsented_rows", CHANGE, NONE, 0, 0, SAME) \
    X(ATTRIBUTE_SOURCE, "attribute_source", PROMISE, NONE, 0, 0, SAME) \
    X(KEEP_LICENCE, "keep_licence", PROMISE, NONE, 0, 0, SAME) \
    X(KEEP_FLAGS, "keep_flags", PROMISE, NONE, 0, 0, SAME) \
    X(KEEP_EMBARGO, "keep_embargo", PROMISE, NONE, 0, 0, SAME) \
    X(STATISTICAL_USE_ONLY, "statistical_use_only", PROMISE, NONE, 0, 0, SAME) \
    X(NO_ONWARD, "no_onward", PROMISE, NONE, 0, 0, SAME) \
    X(DELETE_AFTER_DAYS, "delete_after_days", PROMISE, INT, 1, 36500, SMALLER) \
    X(KEEP_AT_LEAST_DAYS, "keep_at_least_days", PROMISE, INT, 1, 36500, LARGER) \
    X(NOTIFY_ORIGIN, "notify_origin", PROMISE, NONE, 0, 0, SAME) \
    X(REPORT_USE, "report_use", PROMISE, NONE, 0, 0, SAME) \
    X(MANAGE_SECONDARY, "manage_secondary", PROMISE, NONE, 0, 0, SAME) \
    X(REPLY_WITHIN_DAYS, "reply_within_days", PROMISE, INT, 1, 365, SMALLER)
// clang-format on
