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

bool
sg_fault_named(struct sg_slice name, enum sg_fault_code *code)
{
    for (size_t i = 0; i < SG_FAULT_TABLE_END; i++) {
        if (sg_slice_eq(name, sg_slice_text(faults[i].name))) {
            *code = (enum sg_fault_code)i;
            return true;
        }
    }
    return false;
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
