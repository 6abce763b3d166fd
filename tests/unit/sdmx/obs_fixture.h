// obs_fixture - a small structure, and messages read into faults and bytes.
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "broker/base/limits.h"
#include "schemas/sdmx/canonical.h"
#include "schemas/sdmx/check.h"
#include "schemas/sdmx/obs.h"
#include "tests/unit/sdmx/structure_fixture.h"

// Dimensions FREQ, AREA, TIME_PERIOD; OBS_VALUE; attributes STATUS (mandatory,
// observation), UNIT (mandatory, series), TITLE (group of AREA), SOURCE (data
// set), NOTE (observation, text of 5 characters at most).
static const char obs_fixture_dsd[] =
    "<m:Structure xmlns:m='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "message' xmlns:s='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "structure' xmlns:c='http://www.sdmx.org/resources/sdmxml/schemas/v2_1/"
    "common'><m:Structures><s:Codelists>"
    "<s:Codelist agencyID='T' id='CL_FREQ' version='1.0'><c:Name>f</c:Name>"
    "<s:Code id='A'><c:Name>Annual</c:Name></s:Code>"
    "<s:Code id='Q'><c:Name>Quarterly</c:Name></s:Code></s:Codelist>"
    "<s:Codelist agencyID='T' id='CL_AREA' version='1.0'><c:Name>a</c:Name>"
    "<s:Code id='KE'><c:Name>Kenya</c:Name></s:Code>"
    "<s:Code id='UG'><c:Name>Uganda</c:Name></s:Code>"
    "<s:Code id='TZ'><c:Name>Tanzania</c:Name></s:Code></s:Codelist>"
    "<s:Codelist agencyID='T' id='CL_STATUS' version='1.0'><c:Name>s</c:Name>"
    "<s:Code id='N'><c:Name>Normal</c:Name></s:Code>"
    "<s:Code id='E'><c:Name>Estimate</c:Name></s:Code></s:Codelist>"
    "</s:Codelists><s:DataStructures>"
    "<s:DataStructure agencyID='T' id='DSD' version='1.0'><c:Name>d</c:Name>"
    "<s:DataStructureComponents><s:DimensionList>"
    "<s:Dimension id='FREQ' position='1'><s:LocalRepresentation>"
    "<s:Enumeration><Ref agencyID='T' id='CL_FREQ' version='1.0'/>"
    "</s:Enumeration></s:LocalRepresentation></s:Dimension>"
    "<s:Dimension id='AREA' position='2'><s:LocalRepresentation>"
    "<s:Enumeration><Ref agencyID='T' id='CL_AREA' version='1.0'/>"
    "</s:Enumeration></s:LocalRepresentation></s:Dimension>"
    "<s:TimeDimension id='TIME_PERIOD'><s:LocalRepresentation><s:TextFormat "
    "textType='ObservationalTimePeriod'/></s:LocalRepresentation>"
    "</s:TimeDimension></s:DimensionList>"
    "<s:Group id='Sibling'><s:GroupDimension><s:DimensionReference>"
    "<Ref id='AREA'/></s:DimensionReference></s:GroupDimension></s:Group>"
    "<s:AttributeList>"
    "<s:Attribute id='STATUS' assignmentStatus='Mandatory'>"
    "<s:LocalRepresentation><s:Enumeration><Ref agencyID='T' id='CL_STATUS' "
    "version='1.0'/></s:Enumeration></s:LocalRepresentation>"
    "<s:AttributeRelationship><s:PrimaryMeasure><Ref id='OBS_VALUE'/>"
    "</s:PrimaryMeasure></s:AttributeRelationship></s:Attribute>"
    "<s:Attribute id='UNIT' assignmentStatus='Mandatory'>"
    "<s:AttributeRelationship><s:Dimension><Ref id='FREQ'/></s:Dimension>"
    "<s:Dimension><Ref id='AREA'/></s:Dimension></s:AttributeRelationship>"
    "</s:Attribute>"
    "<s:Attribute id='TITLE' assignmentStatus='Conditional'>"
    "<s:AttributeRelationship><s:Group><Ref id='Sibling'/></s:Group>"
    "</s:AttributeRelationship></s:Attribute>"
    "<s:Attribute id='SOURCE' assignmentStatus='Conditional'>"
    "<s:AttributeRelationship><s:None/></s:AttributeRelationship>"
    "</s:Attribute>"
    "<s:Attribute id='NOTE' assignmentStatus='Conditional'>"
    "<s:LocalRepresentation><s:TextFormat textType='String' maxLength='5'/>"
    "</s:LocalRepresentation><s:AttributeRelationship><s:PrimaryMeasure>"
    "<Ref id='OBS_VALUE'/></s:PrimaryMeasure></s:AttributeRelationship>"
    "</s:Attribute></s:AttributeList>"
    "<s:MeasureList><s:PrimaryMeasure id='OBS_VALUE'><s:LocalRepresentation>"
    "<s:TextFormat textType='Double'/></s:LocalRepresentation>"
    "</s:PrimaryMeasure></s:MeasureList></s:DataStructureComponents>"
    "</s:DataStructure></s:DataStructures></m:Structures></m:Structure>";

struct obs_fixture {
    struct sg_arena *arena;
    const struct sg_structure *structure;
    const struct sg_structure *other; // the same, and yet another
    // of the last run
    struct sg_check *check;
    struct sg_canonical_writer *canonical;
    struct sg_obs_reader *reader;
    uint64_t rows;
    enum sg_media media;
    uint64_t line;    // of the first cause
    bool again;       // the message was read twice
    char text[16384]; // "CODE component row value\n" of each cause
    uint8_t *bytes;   // the canonical stream
    size_t len, cap;
    bool whole; // as a release is checked
    bool wants_canonical;
    bool wants_hints; // text: the hint of each cause
    // the row before: `changed` must not hide what differs from it
    struct sg_value before[SG_LIMIT_COMPONENTS];
    uint8_t *kept[SG_LIMIT_COMPONENTS];
    bool has_before;
};

static inline void
obs_fixture_compare(struct obs_fixture *f, const struct sg_obs *obs)
{
    for (uint32_t i = 0; i < f->structure->component_count; i++) {
        const struct sg_value *v = &obs->values[i];
        SG_ASSERT(!f->has_before || (obs->changed[i / 64] >> i % 64 & 1) ||
                  sg_obs_value_eq(v, &f->before[i]));
        free(f->kept[i]);
        f->kept[i] = malloc(v->len + 1);
        if (v->len > 0)
            memcpy(f->kept[i], v->ptr, v->len);
        f->before[i] = (struct sg_value){f->kept[i], v->len, v->kind};
    }
    f->has_before = true;
}

static inline enum sg_err
obs_fixture_write(void *context, struct sg_slice bytes)
{
    struct obs_fixture *f = context;
    if (f->len + bytes.len > f->cap) {
        f->cap = 2 * (f->len + bytes.len);
        f->bytes = realloc(f->bytes, f->cap);
    }
    memcpy(f->bytes + f->len, bytes.ptr, bytes.len);
    f->len += bytes.len;
    return SG_OK;
}

static inline const struct sg_structure *
obs_fixture_find(void *context, const struct sg_obs_ref *ref)
{
    struct obs_fixture *f = context;
    sg_check_media(f->check, sg_obs_reader_media(f->reader));
    sg_check_named(f->check, ref, 1);
    if (sg_slice_eq(ref->agency, SG_SLICE("OTHER")))
        return f->other;
    return sg_slice_eq(ref->agency, SG_SLICE("NONE")) ||
                   sg_slice_eq(ref->id, SG_SLICE("NONE"))
               ? NULL
               : f->structure;
}

static inline void
obs_fixture_columns(void *context, const uint64_t *present, uint64_t line)
{
    sg_check_columns(((struct obs_fixture *)context)->check, present, line);
}

static inline enum sg_err
obs_fixture_obs(void *context, const struct sg_obs *obs)
{
    struct obs_fixture *f = context;
    obs_fixture_compare(f, obs);
    enum sg_err err = sg_check_obs(f->check, obs);
    if (err == SG_OK && f->wants_canonical)
        err = sg_canonical_writer_put(f->canonical, obs);
    return err;
}

static inline void
obs_fixture_fault(void *context, const struct sg_fault *fault)
{
    sg_check_fault(((struct obs_fixture *)context)->check, fault);
}

static inline void
obs_fixture_list(struct obs_fixture *f)
{
    struct sg_report *report = sg_check_report(f->check);
    size_t at = 0;
    f->text[0] = '\0';
    f->line =
        sg_report_count(report) > 0 ? sg_report_at(report, 0)->fault.line : 0;
    for (uint32_t i = 0; i < sg_report_count(report); i++) {
        const struct sg_report_cause *c = sg_report_at(report, i);
        int n = snprintf(
            f->text + at, f->wants_hints ? 0 : sizeof f->text - at,
            "%s%s %.*s %llu %.*s\n",
            c->fault.warning ? "w:" : "", sg_fault_name(c->fault.code),
            SG_SLICE_ARG(c->fault.component), (unsigned long long)c->fault.row,
            SG_SLICE_ARG(c->fault.value));
        if (f->wants_hints)
            n = snprintf(f->text + at, sizeof f->text - at, "%.*s\n",
                         SG_SLICE_ARG(c->fault.hint));
        if (n < 0 || at + (size_t)n >= sizeof f->text)
            break;
        at += (size_t)n;
    }
}

static inline struct obs_fixture *
obs_fixture_new(struct sg_slice dsd)
{
    struct obs_fixture *f = calloc(1, sizeof *f);
    struct sg_diag diag = {0};
    f->arena = sg_arena_new(FIXTURE_ARENA, 1u << 20);
    if (fixture_open(f->arena, dsd, &f->structure, &diag) != SG_OK) {
        printf("%u: %s\n", diag.line, diag.text);
        abort();
    }
    SG_ASSERT(sg_structure_open(f->structure->blob, f->arena, &f->other) ==
              SG_OK);
    f->wants_canonical = true;
    return f;
}

static inline void
obs_fixture_free(struct obs_fixture *f)
{
    for (size_t i = 0; i < SG_LIMIT_COMPONENTS; i++)
        free(f->kept[i]);
    sg_arena_free(&f->arena);
    free(f->bytes);
    free(f);
}

static inline enum sg_err
obs_fixture_feed(struct sg_obs_reader *reader, struct sg_slice message,
                 size_t chunk)
{
    enum sg_err err = SG_OK;
    for (size_t at = 0; err == SG_OK && at < message.len; at += chunk) {
        // A copy of its own, so that reading beyond it is seen.
        size_t n = message.len - at < chunk ? message.len - at : chunk;
        uint8_t *piece = malloc(n);
        memcpy(piece, message.ptr + at, n);
        err = sg_obs_reader_feed(reader, sg_slice_of(piece, n));
        free(piece);
    }
    return err == SG_OK ? sg_obs_reader_end(reader) : err;
}

// Reads message in pieces of chunk bytes. Fills text, bytes, rows, again.
static inline enum sg_err
obs_fixture_run(struct obs_fixture *f, struct sg_slice message, size_t chunk,
                bool portable)
{
    struct sg_arena *arena = sg_arena_new((size_t)1 << 30, 1u << 18);
    struct sg_arena *keep = sg_arena_new((size_t)1 << 30, 1u << 18);
    const struct sg_check_options options = {.key = {1, 2}, .whole = f->whole};
    const struct sg_canonical_out out = {f, obs_fixture_write};
    const struct sg_obs_sink sink = {.context = f,
                                     .structure = obs_fixture_find,
                                     .columns = obs_fixture_columns,
                                     .obs = obs_fixture_obs,
                                     .fault = obs_fixture_fault};
    const struct sg_obs_reader_options reading = {.xml_salt = 7,
                                                  .portable = portable};
    f->len = 0;
    f->has_before = false;
    f->check = sg_check_new(keep, &options);
    f->canonical = sg_canonical_writer_new(keep, f->structure,
                                           SG_CANONICAL_MODE_SORT, &out);
    struct sg_obs_reader *reader = sg_obs_reader_new(arena, &sink, &reading);
    f->reader = reader;
    enum sg_err err = sg_check_begin(f->check, f->structure);
    if (err == SG_OK)
        err = obs_fixture_feed(reader, message, chunk);
    f->again = err == SG_OK && sg_obs_reader_again(reader);
    if (f->again)
        err = obs_fixture_feed(reader, message, chunk);
    if (err == SG_OK)
        err = sg_check_end(f->check);
    if (err == SG_OK && f->wants_canonical)
        err = sg_canonical_writer_end(f->canonical);
    f->rows = sg_obs_reader_rows(reader);
    f->media = sg_obs_reader_media(reader);
    obs_fixture_list(f);
    sg_obs_reader_fini(reader);
    sg_arena_free(&arena);
    sg_arena_free(&keep);
    return err;
}

// The file below ../shared/data/sdmx, to be freed; ptr NULL: not there.
static inline struct sg_slice
obs_fixture_shared(const char *name)
{
    const char *dir = getenv("SG_SHARED");
    char path[1024];
    snprintf(path, sizeof path, "%s/data/sdmx/%s",
             dir != NULL ? dir : "../shared", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct sg_slice){NULL, 0};
    fseek(file, 0, SEEK_END);
    size_t len = (size_t)ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(len + 1);
    len = fread(bytes, 1, len, file);
    fclose(file);
    return sg_slice_of(bytes, len);
}

static inline void
obs_fixture_drop(struct sg_slice bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}
