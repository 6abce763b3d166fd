// check - assertions that stay on in production.
//
// SG_ASSERT states what THIS program guarantees. A false one means our code is
// wrong, and the only safe thing left is to stop. Never assert anything about
// bytes from a peer, a disk or an operator: that is an enum sg_err.
#pragma once

_Noreturn void sg_check_failed(const char *file, int line, const char *expr);

#define SG_ASSERT(expr)                                                        \
    ((expr) ? (void)0 : sg_check_failed(__FILE__, __LINE__, #expr))
#define SG_UNREACHABLE()   sg_check_failed(__FILE__, __LINE__, "unreachable")
#define SG_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define SG_MUST_CHECK      __attribute__((warn_unused_result))
