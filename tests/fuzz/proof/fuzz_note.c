// Signed notes: a note that is taken has the one text that its fields give.
#include <stdio.h>

#include "broker/base/encode.h"
#include "schemas/proof/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[32] = {1};
    struct sg_note note;
    char root[45], text[256];

    SG_ASSERT(sg_crypto_start() == SG_OK);
    if (sg_note_parse(sg_slice_of(data, size), &note) != SG_OK)
        return 0;
    sg_encode_base64(note.root, 32, root);
    int len = snprintf(text, sizeof text, SG_SLICE_FMT "\n%llu\n%s\n",
                       SG_SLICE_ARG(note.origin), (unsigned long long)note.size,
                       root);
    SG_ASSERT(len > 0 && (size_t)len < sizeof text);
    SG_ASSERT(sg_slice_eq(note.text, sg_slice_text(text)));
    SG_ASSERT(note.size > 0 && note.count > 0);
    for (uint32_t i = 0; i < note.count; i++)
        (void)sg_note_verify_cosignature(&note, note.signatures[i].name, key,
                                         NULL);
    SG_ASSERT(!sg_note_verify(&note, key));
    return 0;
}
