#include "policy/explain.h"

#include <stdio.h>

#include "broker/base/encode.h"
#include "policy/explain_json.h"
#include "policy/explain_view.h"

static void
put_key(struct sg_writer *w, const char *key)
{
    sg_explain_printf(w, ",\"%s\":", key);
}

static const char *
layer_text(uint8_t layer)
{
    static const char *const texts[] = {"", "export", "hub", "import"};
    return layer < SG_COUNT_OF(texts) ? texts[layer] : "";
}

static void
put_layer(struct sg_writer *w, const struct sg_file *f)
{
    sg_explain_put(w, layer_text(f->layer));
    if (f->import_default)
        sg_explain_put(w, " default");
    if (f->scope_name.len > 0) {
        sg_explain_put(w, " ");
        sg_explain_slice(w, f->scope_name);
    }
}

static void
put_policies(struct sg_writer *w, const struct sg_view *v)
{
    char hex[2 * 32 + 1];
    put_key(w, "policy");
    sg_explain_put(w, "[");
    for (uint8_t i = 0; i < v->decision->files_count; i++) {
        const struct sg_file *f = v->set->files[v->decision->files[i]];
        sg_encode_hex(f->digest, sizeof f->digest, hex);
        sg_explain_put(w, i == 0 ? "{\"layer\":\"" : ",{\"layer\":\"");
        put_layer(w, f);
        sg_explain_put(w, "\",\"name\":");
        sg_explain_quote(w, f->name);
        sg_explain_printf(w, ",\"version\":%u,\"sha256\":\"%s\"}", f->version,
                          hex);
    }
    sg_explain_put(w, "]");
}

static const char *
source_text(uint8_t source)
{
    if ((source & SG_SOURCE_D) != 0)
        return "derived";
    return source == SG_SOURCE_V ? "verified" : "claimed";
}

static void
put_input(struct sg_writer *w, const struct sg_view *v,
          const struct sg_request *q)
{
    char text[72];
    const char *glue = "";
    put_key(w, "input");
    sg_explain_put(w, "{");
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        uint32_t code = sg_dims_value(v->set, a, q);
        const struct sg_attr_info *info = sg_vocabulary_attr((enum sg_attr)a);
        if (code == 0 && !info->required)
            continue;
        sg_explain_printf(w, "%s\"%s\":{\"code\":", glue, info->name);
        sg_explain_quote(w, sg_slice_text(sg_dims_text(v->set, a, code, text)));
        sg_explain_printf(w, ",\"from\":\"%s\"}", source_text(info->source));
        glue = ",";
    }
    sg_explain_put(w, "}");
}

static void
put_texts(struct sg_writer *w, const struct sg_text *list)
{
    sg_explain_put(w, "[");
    for (const struct sg_text *t = list; t != NULL; t = t->next) {
        sg_explain_quote(w, t->text);
        sg_explain_put(w, t->next == NULL ? "" : ",");
    }
    sg_explain_put(w, "]");
}

static void
put_say(struct sg_writer *w, const struct sg_text *list)
{
    sg_explain_put(w, ",\"say\":{");
    for (const struct sg_text *t = list; t != NULL; t = t->next) {
        sg_explain_quote(w, t->lang);
        sg_explain_put(w, ":");
        sg_explain_quote(w, t->text);
        sg_explain_put(w, t->next == NULL ? "" : ",");
    }
    sg_explain_put(w, "}");
}

// The conditions that held, as written.
static void
put_held(struct sg_writer *w, const struct sg_rule *rule)
{
    const char *glue = "";
    sg_explain_put(w, ",\"held\":[");
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            sg_explain_put(w, glue);
            sg_explain_quote_flat(w, c->text);
            glue = ",";
        }
    }
    sg_explain_put(w, "]");
}

static void
put_rule(struct sg_writer *w, const struct sg_view *v, uint32_t i)
{
    const struct sg_rule *rule = v->rules[i];
    sg_explain_put(w, "{\"rule\":");
    sg_explain_quote(w, rule->name);
    if (v->audience == SG_AUDIENCE_PROVIDER &&
        v->refs[i].file != SG_POLICY_GUARDS) {
        char at[160];
        snprintf(at, sizeof at, SG_SLICE_FMT ":%u",
                 SG_SLICE_ARG(sg_policy_label(v->set, v->refs[i].file)),
                 rule->line);
        sg_explain_put(w, ",\"at\":");
        sg_explain_quote(w, sg_slice_text(at));
    }
    sg_explain_put(w, ",\"because\":");
    put_texts(w, rule->because);
    if (rule->say != NULL)
        put_say(w, rule->say);
    if (v->audience == SG_AUDIENCE_PROVIDER)
        put_held(w, rule);
    sg_explain_put(w, "}");
}

// Rules of one effect; guards have a list of their own.
static void
put_rules(struct sg_writer *w, const struct sg_view *v, const char *key,
          int effect)
{
    const char *glue = "";
    put_key(w, key);
    sg_explain_put(w, "[");
    for (uint32_t i = 0; i < v->rules_count; i++) {
        int is = v->refs[i].file == SG_POLICY_GUARDS ? -1 : v->rules[i]->effect;
        if (is != effect)
            continue;
        sg_explain_put(w, glue);
        put_rule(w, v, i);
        glue = ",";
    }
    sg_explain_put(w, "]");
}

static void
put_missing(struct sg_writer *w, const struct sg_view *v,
            const struct sg_rule *rule, unsigned dim)
{
    char name[48], text[72];
    const char *glue = "";
    uint32_t code = sg_dims_value(v->set, dim, &v->request);
    sg_explain_printf(w, "{\"attr\":\"%s\",\"is\":", sg_dims_name(dim, name));
    sg_explain_quote(w, sg_slice_text(sg_dims_text(v->set, dim, code, text)));
    sg_explain_put(w, ",\"needs\":[");
    for (const struct sg_term *t = rule->when; t != NULL; t = t->next) {
        if (sg_boxes_term_holds(v->set, t, &v->request, false))
            continue;
        for (const struct sg_cond *c = t->conds; c != NULL; c = c->next) {
            if (c->dim != dim)
                continue;
            sg_explain_put(w, glue);
            sg_explain_quote_flat(w, c->text);
            glue = ",";
        }
    }
    sg_explain_put(w, "]}");
}

static void
put_near(struct sg_writer *w, const struct sg_view *v)
{
    put_key(w, "near");
    sg_explain_put(w, "[");
    for (uint32_t i = 0; i < v->near.count; i++) {
        const char *glue = "";
        sg_explain_put(w, i == 0 ? "{\"rule\":" : ",{\"rule\":");
        sg_explain_quote(w, v->near.rule[i]->name);
        sg_explain_printf(w, ",\"failed\":%u,\"unless\":%s,\"missing\":[",
                          v->near.failed[i],
                          v->near.unless[i] ? "true" : "false");
        for (unsigned d = 0; d < SG_DIM_COUNT; d++) {
            if ((v->near.attrs[i] >> d & 1) == 0)
                continue;
            sg_explain_put(w, glue);
            put_missing(w, v, v->near.rule[i], d);
            glue = ",";
        }
        sg_explain_put(w, "]}");
    }
    sg_explain_put(w, "]");
}

static void
put_attrs(struct sg_writer *w, const char *key, uint64_t bits)
{
    const char *glue = "";
    put_key(w, key);
    sg_explain_put(w, "[");
    for (unsigned a = 0; a < SG_ATTR_COUNT; a++) {
        if ((bits >> a & 1) == 0)
            continue;
        sg_explain_printf(w, "%s\"%s\"", glue,
                          sg_vocabulary_attr((enum sg_attr)a)->name);
        glue = ",";
    }
    sg_explain_put(w, "]");
}

static void
put_obligations(struct sg_writer *w, const struct sg_view *v)
{
    const char *glue = "";
    put_key(w, "obligations");
    sg_explain_put(w, "[");
    for (uint32_t i = 0; i < v->decision->obligations_count; i++) {
        bool with_args;
        const struct sg_obligation *one = &v->decision->obligations[i];
        if (!sg_explain_shows(v, one, &with_args))
            continue;
        sg_explain_printf(w, "%s\"", glue);
        sg_explain_obligation(w, v, one, with_args);
        sg_explain_put(w, "\"");
        glue = ",";
    }
    sg_explain_put(w, "]");
}

static void
put_cannot(struct sg_writer *w, uint32_t bits)
{
    const char *glue = "";
    put_key(w, "cannot");
    sg_explain_put(w, "[");
    for (unsigned i = 0; i < SG_OBLIGATION_COUNT; i++) {
        if ((bits >> i & 1) == 0)
            continue;
        sg_explain_printf(w, "%s\"%s\"", glue,
                          sg_obligation_text((enum sg_obligation_name)i));
        glue = ",";
    }
    sg_explain_put(w, "]");
}

static void
json_for_provider(struct sg_writer *w, const struct sg_view *v,
                  const struct sg_explained *what)
{
    const struct sg_decision *d = v->decision;
    sg_explain_printf(w, ",\"why\":\"%s\"", sg_decide_why((enum sg_why)d->why));
    if (d->layer != SG_LAYER_NONE) {
        sg_explain_printf(w, ",\"layer\":\"%s\"", layer_text(d->layer));
        if (d->layer_place != 0)
            sg_explain_printf(
                w, ",\"place\":\"%s\"",
                sg_vocabulary_text(SG_ATTR_PROVIDER_IN, d->layer_place));
    }
    if (v->set == NULL)
        return;
    put_policies(w, v);
    put_input(w, v, what->request);
    put_rules(w, v, "guards", -1);
    put_rules(w, v, "forbids", SG_EFFECT_FORBID);
    put_rules(w, v, "holds", SG_EFFECT_HOLD);
    put_rules(w, v, "permits", SG_EFFECT_PERMIT);
    put_near(w, v);
    put_attrs(w, "missing", d->missing);
    put_attrs(w, "waiting_for", d->waiting_for);
    if (d->deadline_days != 0)
        sg_explain_printf(w, ",\"deadline_days\":%u", d->deadline_days);
    put_obligations(w, v);
    put_cannot(w, d->cannot);
}

static void
json_for_recipient(struct sg_writer *w, const struct sg_view *v)
{
    if (v->decision->verdict == SG_VERDICT_PERMIT) {
        put_obligations(w, v);
        return;
    }
    sg_explain_printf(w, ",\"why\":\"%s\"", v->code);
    if (v->needs != 0)
        put_attrs(w, "needs", v->needs);
    const char *glue = "";
    if (v->rules_count == 0)
        return;
    put_key(w, "rules");
    sg_explain_put(w, "[");
    for (uint32_t i = 0; i < v->rules_count; i++) {
        sg_explain_put(w, glue);
        put_rule(w, v, i);
        glue = ",";
    }
    sg_explain_put(w, "]");
}

void
sg_explain_json(struct sg_writer *w, const struct sg_explained *what)
{
    struct sg_view view;
    sg_explain_look(&view, what);
    sg_explain_printf(w, "{\"v\":1,\"verdict\":\"%s\"",
                      sg_decide_verdict(view.verdict));
    if (what->audience == SG_AUDIENCE_PROVIDER)
        json_for_provider(w, &view, what);
    else
        json_for_recipient(w, &view);
    sg_explain_put(w, "}");
}
