// verb_structure - statgate structure import | list | show | get.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/structure_get.h"
#include "adapters/cli/structure_store.h"
#include "broker/base/encode.h"
#include "schemas/sdmx/structure_compile.h"

#define IMPORT_ARENA (256u * 1024 * 1024)
#define FILES_MAX    64

struct options {
    const char *files[FILES_MAX];
    int count;
    const char *codes;
    bool json, dry_run, replace;
};

static int
usage(FILE *out)
{
    return sg_cli_usage(
        out,
        "usage: statgate structure import FILE... [--replace] [--dry-run] "
        "[--json]\n"
        "       statgate structure list [--json]\n"
        "       statgate structure show NAME [--codes COMPONENT] [--json]\n"
        "       statgate structure get FLOW|SHA256 [--replace] [--dry-run]\n"
        "         [--json] [--home DIR]\n"
        "\n"
        "import reads SDMX-ML 2.1 structure messages; several files are read "
        "as one, so\n"
        "code lists may stand in another file than the data structure. "
        "Constraints are added\n"
        "to the structures that are known. NAME is a URN or\n"
        "AGENCY:ID(VERSION) of a data structure, dataflow or provision "
        "agreement. get\n"
        "takes the structure of a flow from the gate.\n");
}

static bool
parse_options(int argc, char **argv, struct options *o)
{
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            o->json = true;
        else if (strcmp(argv[i], "--dry-run") == 0)
            o->dry_run = true;
        else if (strcmp(argv[i], "--replace") == 0)
            o->replace = true;
        else if (strcmp(argv[i], "--codes") == 0 && i + 1 < argc)
            o->codes = argv[++i];
        else if (strncmp(argv[i], "--", 2) == 0 || o->count == FILES_MAX)
            return false;
        else
            o->files[o->count++] = argv[i];
    }
    return true;
}

static json_t *
text_of(struct sg_slice text)
{
    return json_stringn(text.len == 0 ? "" : (const char *)text.ptr, text.len);
}

static int
print_json(json_t *object)
{
    int bad = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
    (void)putchar('\n');
    json_decref(object);
    return bad == 0 ? 0 : sg_cli_fail(SG_ERR_IO, "stdout");
}

static uint32_t
codes_of(const struct sg_structure *s)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < s->list_count; i++)
        sum += s->lists[i].count;
    return sum;
}

// ---- import ----------------------------------------------------------------

struct import {
    const struct options *options;
    struct sg_arena *arena;
    struct sg_model model;
    struct sg_structure_store *store;
    uint8_t sources[FILES_MAX][32];
    bool *holds;    // of each constraint of the model, whether it does
    json_t *report; // NULL: text
    uint32_t refused;
};

static const char *
file_of(const struct import *im, const struct sg_model_dsd *dsd)
{
    for (int i = 0; i < im->options->count; i++) {
        if (memcmp(im->sources[i], dsd->source_sha256, 32) == 0)
            return im->options->files[i];
    }
    return "?";
}

static void
report_structure(struct import *im, const struct sg_structure *s)
{
    uint8_t sha256[32];
    char hex[65];
    sg_structure_sha256(s, sha256);
    sg_encode_hex(sha256, 32, hex);
    if (im->report == NULL) {
        printf("%.*s\n  sha256 %s\n  %u components, %u code lists, %u codes, "
               "%u constraints\n",
               SG_SLICE_ARG(s->urn), hex, s->component_count, s->list_count,
               codes_of(s), s->constraint_count);
        return;
    }
    json_t *one = json_pack(
        "{s:o, s:s, s:i, s:i, s:i, s:i}", "urn", text_of(s->urn), "sha256", hex,
        "components", (int)s->component_count, "code_lists", (int)s->list_count,
        "codes", (int)codes_of(s), "constraints", (int)s->constraint_count);
    (void)json_array_append_new(json_object_get(im->report, "structures"), one);
}

static void
report_refusal(struct import *im, const char *file, enum sg_err err,
               const struct sg_diag *diag)
{
    im->refused++;
    if (im->report == NULL) {
        (void)sg_cli_fail_at(err, file, diag);
        return;
    }
    json_t *one =
        json_pack("{s:s, s:i, s:s, s:s}", "file", file, "line", (int)diag->line,
                  "code", sg_err_code(err), "text", diag->text);
    (void)json_array_append_new(json_object_get(im->report, "refused"), one);
}

// Which constraints of the model hold for s?
static void
see_constraints(struct import *im, const struct sg_structure *s)
{
    size_t at = 0;
    for (const struct sg_model_constraint *k = im->model.constraints; k;
         k = k->next, at++)
        for (uint32_t i = 0; i < s->constraint_count; i++)
            if (sg_slice_eq(s->constraints[i].agency, k->self.agency) &&
                sg_slice_eq(s->constraints[i].id, k->self.id) &&
                sg_slice_eq(s->constraints[i].version, k->self.version))
                im->holds[at] = true;
}

// The structure of this name as it is known; NULL: it is not.
static enum sg_err
known(struct import *im, const struct sg_model_ref *self,
      const struct sg_structure **out, struct sg_diag *diag)
{
    char name[512];
    int len = snprintf(name, sizeof name, "%.*s:%.*s(%.*s)",
                       SG_SLICE_ARG(self->agency), SG_SLICE_ARG(self->id),
                       SG_SLICE_ARG(self->version));
    *out = NULL;
    if (len < 0 || (size_t)len >= sizeof name)
        return SG_ERR_FULL;
    enum sg_err err = sg_structure_store_find(im->store, SG_STORE_STRUCTURE,
                                              sg_slice_of(name, (size_t)len),
                                              im->arena, out, diag);
    return err == SG_ERR_NOT_FOUND ? SG_OK : err;
}

// base with the constraints of the import and those of old, into the store. In a
// dry run it only says whether it would. When old has all of it: nothing.
static enum sg_err
put_structure(struct import *im, const struct sg_structure *base,
              const struct sg_structure *old, bool replace,
              struct sg_diag *diag)
{
    struct sg_slice blob = base->blob;
    const struct sg_structure *s = base;
    enum sg_err err = old == NULL
                          ? SG_OK
                          : sg_structure_constrain(base, old, &im->model,
                                                   im->options->replace,
                                                   im->arena, &blob, diag);
    if (err == SG_OK && old != NULL)
        err = sg_structure_open(blob, im->arena, &s);
    if (err != SG_OK)
        return err;
    see_constraints(im, s);
    if (base == old && sg_slice_eq(blob, old->blob))
        return SG_OK;
    err = sg_structure_store_add(im->store, s, replace, diag);
    if (err == SG_OK)
        report_structure(im, s);
    return err;
}

// The constraints that were imported before stay, unless all is replaced.
static enum sg_err
import_structure(struct import *im, const struct sg_model_dsd *dsd,
                 struct sg_diag *diag)
{
    struct sg_slice blob;
    const struct sg_structure *base = NULL;
    const struct sg_structure *old = NULL;
    enum sg_err err =
        sg_structure_compile(&im->model, dsd, im->arena, &blob, diag);
    if (err == SG_OK)
        err = sg_structure_open(blob, im->arena, &base);
    if (err == SG_OK && !im->options->replace)
        err = known(im, &dsd->self, &old, diag);
    return err == SG_OK
               ? put_structure(im, base, old, im->options->replace, diag)
               : err;
}

static enum sg_err
import_structures(struct import *im)
{
    enum sg_err first = SG_OK;
    for (const struct sg_model_dsd *d = im->model.dsds; d; d = d->next) {
        struct sg_diag diag = {0};
        if (d->stub)
            continue;
        enum sg_err err = import_structure(im, d, &diag);
        if (err != SG_OK)
            report_refusal(im, file_of(im, d), err, &diag);
        if (first == SG_OK)
            first = err;
    }
    return first;
}

static bool
imports(const struct import *im, const struct sg_model_ref *self)
{
    const struct sg_model_dsd *dsd = sg_structure_model_dsd(&im->model, self);
    return dsd != NULL && !dsd->stub;
}

// Constraints on what was imported earlier are added to it. In a dry run what is
// imported now is not there to be opened.
static enum sg_err
import_constraints(struct import *im)
{
    enum sg_err first = SG_OK;
    for (const struct sg_store_entry *at =
             sg_structure_store_entries(im->store);
         at != NULL && im->model.constraints != NULL; at = at->next) {
        struct sg_diag diag = {0};
        const struct sg_structure *old = NULL;
        if (at->kind != SG_STORE_STRUCTURE ||
            (im->options->dry_run && imports(im, &at->self)))
            continue;
        enum sg_err err = known(im, &at->self, &old, &diag);
        if (err == SG_OK && old != NULL)
            err = put_structure(im, old, old, true, &diag);
        if (err != SG_OK)
            report_refusal(im, im->options->files[0], err, &diag);
        if (first == SG_OK)
            first = err;
    }
    return first;
}

// A constraint that nobody applies must not be taken for one that holds.
static enum sg_err
refuse_idle(struct import *im)
{
    enum sg_err first = SG_OK;
    size_t at = 0;
    for (const struct sg_model_constraint *k = im->model.constraints; k;
         k = k->next, at++) {
        struct sg_diag diag = {0};
        if (!k->allowed || im->holds[at])
            continue;
        sg_diag_set(&diag, k->self.line, 0,
                    "constraint %.*s:%.*s(%.*s) stands on nothing that is "
                    "known here (those on a data provider are not applied); "
                    "import the data structure or dataflow that it names "
                    "first, or together with it",
                    SG_SLICE_ARG(k->self.agency), SG_SLICE_ARG(k->self.id),
                    SG_SLICE_ARG(k->self.version));
        first = SG_ERR_NOT_FOUND;
        report_refusal(im, im->options->files[0], first, &diag);
    }
    return first;
}

// Everything that can be imported is; the first error.
static enum sg_err
import_all(struct import *im)
{
    size_t count = 1;
    for (const struct sg_model_constraint *k = im->model.constraints; k;
         k = k->next)
        count++;
    im->holds = sg_arena_take(im->arena, count * sizeof *im->holds);
    if (im->holds == NULL)
        return SG_ERR_FULL;
    enum sg_err first = import_structures(im);
    // Names of earlier imports, only to be found by constraints.
    struct sg_model own = im->model;
    enum sg_err err = sg_structure_store_extend(im->store, &im->model);
    if (err == SG_OK)
        err = import_constraints(im);
    first = first == SG_OK ? err : first;
    if (first == SG_OK)
        first = refuse_idle(im);
    im->model = own;
    return first;
}

static enum sg_err
read_files(struct import *im)
{
    for (int i = 0; i < im->options->count; i++) {
        struct sg_diag diag = {0};
        const char *file = im->options->files[i];
        enum sg_err err =
            sg_structure_store_read(file, &im->model, im->sources[i], &diag);
        if (err == SG_OK)
            continue;
        report_refusal(im, file, err, &diag);
        return err;
    }
    return SG_OK;
}

static void
report_rest(struct import *im)
{
    int flows = 0;
    int agreements = 0;
    int providers = 0;
    int constraints = 0;
    for (const struct sg_model_flow *at = im->model.flows; at; at = at->next)
        flows++;
    for (const struct sg_model_agreement *at = im->model.agreements; at;
         at = at->next)
        agreements++;
    for (const struct sg_model_provider *at = im->model.providers; at;
         at = at->next)
        providers++;
    for (const struct sg_model_constraint *at = im->model.constraints; at;
         at = at->next)
        constraints++;
    if (im->report != NULL) {
        (void)json_object_set_new(im->report, "dataflows", json_integer(flows));
        (void)json_object_set_new(im->report, "agreements",
                                  json_integer(agreements));
        (void)json_object_set_new(im->report, "providers",
                                  json_integer(providers));
        (void)json_object_set_new(im->report, "constraints",
                                  json_integer(constraints));
        return;
    }
    printf("%d dataflows, %d provision agreements, %d data providers, %d "
           "constraints\n",
           flows, agreements, providers, constraints);
}

// Everything that can be imported is; the status tells whether all was.
static int
run_import(const struct options *options)
{
    struct import im = {.options = options};
    if (options->count == 0)
        return usage(stderr);
    if (options->json)
        im.report = json_pack("{s:[], s:[]}", "structures", "refused");
    im.arena = sg_arena_new(IMPORT_ARENA, 1u << 20);
    im.model.arena = im.arena;
    enum sg_err err = im.arena == NULL ? SG_ERR_MEMORY : SG_OK;
    bool told = false;
    if (err == SG_OK)
        err = options->dry_run
                  ? sg_structure_store_open(sg_cli_home(), "", &im.store)
                  : sg_structure_store_open_to_add(sg_cli_home(), &im.store);
    if (err == SG_OK) {
        err = read_files(&im);
        told = err != SG_OK;
    }
    if (!told && err == SG_OK) {
        enum sg_err refusal = import_all(&im);
        told = refusal != SG_OK;
        if (!options->dry_run) {
            err = sg_structure_store_add_model(im.store, &im.model);
            if (err == SG_OK)
                err = sg_structure_store_save(im.store);
        }
        if (err == SG_OK) {
            report_rest(&im);
            err = refusal;
        }
    }
    sg_structure_store_close(&im.store);
    sg_arena_free(&im.arena);
    if (err != SG_OK && !told)
        json_decref(im.report);
    else if (im.report != NULL)
        (void)print_json(im.report);
    if (err != SG_OK && !told)
        return sg_cli_fail(err, sg_cli_home());
    return sg_err_exit(err);
}

// ---- list ------------------------------------------------------------------

static const char *const kinds[] = {"", "structure", "dataflow", "agreement",
                                    "provider"};

static void
list_entry(const struct sg_store_entry *at, json_t *all)
{
    static const uint8_t none[32] = {0};
    char name[512];
    char hex[65] = "";
    (void)snprintf(name, sizeof name, "%.*s:%.*s(%.*s)%s%.*s",
                   SG_SLICE_ARG(at->self.agency), SG_SLICE_ARG(at->self.id),
                   SG_SLICE_ARG(at->self.version),
                   at->self.item.len == 0 ? "" : ".",
                   SG_SLICE_ARG(at->self.item));
    if (memcmp(at->sha256, none, 32) != 0)
        sg_encode_hex(at->sha256, 32, hex);
    if (all == NULL) {
        printf("%-10s %-40s %.12s%s\n", kinds[at->kind], name, hex,
               at->shipped ? "(shipped)" : "");
        return;
    }
    json_t *one = json_pack("{s:s, s:s, s:b}", "kind", kinds[at->kind], "name",
                            name, "shipped", (int)at->shipped);
    if (hex[0] != '\0')
        (void)json_object_set_new(one, "sha256", json_string(hex));
    (void)json_array_append_new(all, one);
}

static int
run_list(const struct options *options)
{
    struct sg_structure_store *store = NULL;
    if (options->count != 0)
        return usage(stderr);
    enum sg_err err = sg_structure_store_open(sg_cli_home(), NULL, &store);
    if (err != SG_OK)
        return sg_cli_fail(err, sg_cli_home());
    json_t *all = options->json ? json_array() : NULL;
    for (const struct sg_store_entry *at = sg_structure_store_entries(store);
         at != NULL; at = at->next)
        list_entry(at, all);
    sg_structure_store_close(&store);
    return all == NULL ? 0 : print_json(all);
}

// ---- show ------------------------------------------------------------------

static const char *
attachment(const struct sg_component *c)
{
    static const char *const words[] = {"", "data set", "dimensions", "group",
                                        "observation"};
    return words[c->attach];
}

static const char *const component_kinds[] = {"dimension", "time", "measure",
                                              "attribute"};

static void
show_component(const struct sg_structure *s, const struct sg_component *c,
               json_t *all)
{
    char list[256] = "";
    if (c->list >= 0)
        (void)snprintf(list, sizeof list, "%.*s:%.*s(%.*s)",
                       SG_SLICE_ARG(s->lists[c->list].agency),
                       SG_SLICE_ARG(s->lists[c->list].id),
                       SG_SLICE_ARG(s->lists[c->list].version));
    const char *type = sg_structure_type_name(c->type);
    if (all == NULL) {
        printf("  %-24.*s %-10s %-36s %-9s %s\n", SG_SLICE_ARG(c->id),
               component_kinds[c->kind], list[0] != '\0' ? list : type,
               c->mandatory ? "mandatory" : "", attachment(c));
        return;
    }
    json_t *one = json_pack("{s:o, s:s, s:b, s:b}", "id", text_of(c->id),
                            "kind", component_kinds[c->kind], "mandatory",
                            (int)c->mandatory, "several", (int)c->several);
    (void)json_object_set_new(one, list[0] != '\0' ? "code_list" : "type",
                              json_string(list[0] != '\0' ? list : type));
    if (c->attach != SG_ATTACH_NONE)
        (void)json_object_set_new(one, "attachment",
                                  json_string(attachment(c)));
    (void)json_array_append_new(all, one);
}

static void
show_constraint(const struct sg_constraint *k, json_t *all)
{
    if (all == NULL) {
        printf("constraint %.*s:%.*s(%.*s) on %.*s: %s, %u parts\n",
               SG_SLICE_ARG(k->agency), SG_SLICE_ARG(k->id),
               SG_SLICE_ARG(k->version), SG_SLICE_ARG(k->target),
               k->allowed ? "allowed" : "actual", k->parts);
        return;
    }
    json_t *one = json_pack("{s:o, s:o, s:b, s:i}", "id", text_of(k->id),
                            "target", text_of(k->target), "allowed",
                            (int)k->allowed, "parts", (int)k->parts);
    (void)json_array_append_new(all, one);
}

static int
show_structure(const struct sg_structure *s, bool json)
{
    uint8_t sha256[32];
    char hex[65];
    char source[65];
    sg_structure_sha256(s, sha256);
    sg_encode_hex(sha256, 32, hex);
    sg_encode_hex(s->source_sha256, 32, source);
    json_t *components = json ? json_array() : NULL;
    json_t *constraints = json ? json_array() : NULL;
    if (!json)
        printf("%.*s\nsha256 %s\nsource %s\n", SG_SLICE_ARG(s->urn), hex,
               source);
    for (uint32_t i = 0; i < s->component_count; i++)
        show_component(s, &s->components[i], components);
    for (uint32_t i = 0; i < s->constraint_count; i++)
        show_constraint(&s->constraints[i], constraints);
    for (uint32_t i = 0; i < s->flow_count && !json; i++)
        printf("dataflow %.*s:%.*s(%.*s)\n", SG_SLICE_ARG(s->flows[i].agency),
               SG_SLICE_ARG(s->flows[i].id), SG_SLICE_ARG(s->flows[i].version));
    if (!json)
        return 0;
    return print_json(json_pack("{s:o, s:s, s:s, s:o, s:o}", "urn",
                                text_of(s->urn), "sha256", hex, "source_sha256",
                                source, "components", components, "constraints",
                                constraints));
}

// By component or by code list.
static int32_t
find_list(const struct sg_structure *s, const char *name)
{
    int32_t component = sg_structure_find(s, sg_slice_text(name));
    if (component >= 0)
        return s->components[component].list;
    for (uint32_t i = 0; i < s->list_count; i++) {
        if (sg_slice_eq(s->lists[i].id, sg_slice_text(name)))
            return (int32_t)i;
    }
    return -1;
}

static int
show_codes(const struct sg_structure *s, const struct options *options)
{
    int32_t found = find_list(s, options->codes);
    if (found < 0)
        return sg_cli_fail(SG_ERR_NOT_FOUND, options->codes);
    uint32_t list = (uint32_t)found;
    json_t *all = options->json ? json_array() : NULL;
    for (uint32_t i = 0; i < s->lists[list].count; i++) {
        struct sg_slice code = sg_structure_code_text(s, list, i);
        struct sg_slice name =
            sg_structure_code_name(s, list, i, SG_SLICE("en"));
        if (all == NULL)
            printf("%-20.*s %.*s\n", SG_SLICE_ARG(code), SG_SLICE_ARG(name));
        else
            (void)json_array_append_new(all, json_pack("{s:o, s:o}", "code",
                                                       text_of(code), "name",
                                                       text_of(name)));
    }
    return all == NULL ? 0 : print_json(all);
}

static int
run_show(const struct options *options)
{
    struct sg_structure_store *store = NULL;
    const struct sg_structure *s = NULL;
    struct sg_diag diag = {0};
    if (options->count != 1)
        return usage(stderr);
    struct sg_arena *arena = sg_arena_new(IMPORT_ARENA, 1u << 20);
    if (arena == NULL)
        return sg_cli_fail(SG_ERR_MEMORY, NULL);
    enum sg_err err = sg_structure_store_open(sg_cli_home(), NULL, &store);
    if (err == SG_OK)
        err = sg_structure_store_find(store, SG_STORE_ANY,
                                      sg_slice_text(options->files[0]), arena,
                                      &s, &diag);
    int status;
    if (err != SG_OK)
        status = diag.text[0] == '\0'
                     ? sg_cli_fail(err, NULL)
                     : sg_cli_say(err, "statgate structure list says which are",
                                  "%s", diag.text);
    else if (options->codes != NULL)
        status = show_codes(s, options);
    else
        status = show_structure(s, options->json);
    sg_structure_store_close(&store);
    sg_arena_free(&arena);
    return status;
}

int
sg_verb_structure(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(const struct options *options);
    } verbs[] = {
        {"import", run_import}, {"list", run_list}, {"show", run_show}};
    struct options options = {0};
    if (argc >= 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc >= 2 && strcmp(argv[1], "get") == 0)
        return sg_structure_get(argc - 1, argv + 1);
    if (argc < 2 || !parse_options(argc, argv, &options))
        return usage(stderr);
    for (size_t i = 0; i < SG_COUNT_OF(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(&options);
    }
    return usage(stderr);
}
