// choice: a key filter and a period -> do they fit the structure?
//
// Sees no release at all: the structure, and what a subscription asks for. What
// it says is told to the subscriber only.
#include "broker/inspect/worker/role.h"
#include "schemas/sdmx/choice.h"

enum sg_err
sg_role_choice(struct sg_role_item *item)
{
    const Sgpb__Rendition *wanted = item->of->job->rendition;
    struct sg_choice_fault fault;
    char place[SG_LIMIT_ID + 1];

    if (wanted == NULL)
        return SG_ERR_FORMAT;
    enum sg_err err =
        sg_choice_check(item->of->structure, sg_slice_text(wanted->key_filter),
                        sg_slice_text(wanted->period), &fault);
    item->done->verdict = SG_ROLE_ACCEPT;
    if (err != SG_OK) {
        sg_choice_place(err, &fault, place, sizeof place);
        sg_role_reject(item, err, sg_slice_text(place));
    }
    return SG_OK;
}
