#include "schemas/sdmx/fault.h"

#include "broker/base/check.h"

static const struct {
    const char *name, *sentence, *cure;
} faults[] = {
#define X(name, sentence, cure) {#name, sentence, cure},
    SG_FAULT_TABLE(X)
#undef X
};

const char *
sg_fault_name(enum sg_fault_code code)
{
    SG_ASSERT(code < SG_FAULT_TABLE_END);
    return faults[code].name;
}

const char *
sg_fault_sentence(enum sg_fault_code code)
{
    SG_ASSERT(code < SG_FAULT_TABLE_END);
    return faults[code].sentence;
}

const char *
sg_fault_cure(enum sg_fault_code code)
{
    SG_ASSERT(code < SG_FAULT_TABLE_END);
    return faults[code].cure;
}
