// Any text as a time period, a value of any type, and a pattern.
#include "broker/base/check.h"
#include "schemas/sdmx/pattern.h"
#include "schemas/sdmx/timeperiod.h"
#include "schemas/sdmx/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sg_slice text = sg_slice_of(data, size);
    struct sg_timeperiod period;
    if (sg_timeperiod_parse(text, &period)) {
        SG_ASSERT(period.kind >= SG_TIMEPERIOD_YEAR &&
                  period.kind <= SG_TIMEPERIOD_RANGE && period.year > 0);
        SG_ASSERT(sg_timeperiod_fits(period.kind, SG_TYPE_OBSERVATIONAL_TIME));
    }
    if (size == 0)
        return 0;
    for (unsigned t = 0; t < SG_TYPE_TABLE_END; t++)
        (void)sg_value_has_type((enum sg_type)t, text);
    size_t cut = data[0] % size;
    struct sg_slice left = sg_slice_of(data, cut);
    struct sg_slice right = sg_slice_of(data + cut, size - cut);
    if (sg_value_is_number(left) && sg_value_is_number(right)) {
        int a = sg_value_compare(left, right),
            b = sg_value_compare(right, left);
        SG_ASSERT((a < 0) == (b > 0) && (a == 0) == (b == 0));
    }
    if (size < 512)
        (void)sg_pattern_match(left, right);
    return 0;
}
