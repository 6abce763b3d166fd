// Flows and their terms: what each office promises to publish, and how.
#include <stdio.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"
#include "broker/base/check.h"

struct flow {
    const char *home, *name, *terms, *what;
};

// What every set of terms says of the attributes without a field of their own.
#define SPOKEN                                                                 \
    "localisation none\ngeo_detail country\nvalidation not_needed\n"           \
    "emergency none\ncommunity_consent not_concerned\nquality complete\n"      \
    "sdc_state none\n"
#define OPEN                                                                   \
    "classification public\ndata_kind aggregate\nunit person\n"                \
    "identifiability anonymous\nsensitive none\n"                              \
    "lawful_basis statistics_law\nspecial_condition none\nonward allowed\n"    \
    "purposes official_statistics sdg_reporting scientific_research "          \
    "commercial\ncommit row\n" SPOKEN
#define SDG "structure STATGATE:SDG(1.0)\ndataflow STATGATE:DF_SDG(1.0)\n"

static const struct flow flows[] = {
    {"kenya", "KE_SDG", "flow KE_SDG\n" SDG "licence cc_by\n" OPEN,
     "Kenya: SDG figures, public"},
    {"kenya", "KE_COUNTS",
     "flow KE_COUNTS\n" SDG
     "classification limited\ndata_kind aggregate\nunit person\n"
     "identifiability anonymous\nsensitive none\n"
     "lawful_basis statistics_law\nspecial_condition none\nonward forbidden\n"
     "licence custom\npurposes official_statistics sdg_reporting\n"
     "commit row\nmin_cell 5\ncount_component OBS_VALUE\n"
     "when_component UNIT_MEASURE\nwhen_code NUMBER\n" SPOKEN,
     "Kenya: detailed counts, not public, cells below 5 are small"},
    {"rwanda", "RW_SDG", "flow RW_SDG\n" SDG "licence cc_by\n" OPEN,
     "Rwanda: SDG figures, public"},
    {"rwanda", "RW_PANEL",
     "flow RW_PANEL\n" SDG
     "classification restricted\ndata_kind scientific_use_file\n"
     "unit household\nidentifiability pseudonymised\nsensitive none\n"
     "lawful_basis consent\nspecial_condition none\nonward forbidden\n"
     "licence custom\npurposes scientific_research official_statistics\n"
     "commit row\nagreements RW_PANEL_CONSENT\n" SPOKEN,
     "Rwanda: answers of a household panel, on consent"},
    {"kyrgyzstan", "KG_SDG",
     "flow KG_SDG\nstructure EXAMPLE_KG:SDG(1.0)\n"
     "dataflow EXAMPLE_KG:DF_SDG(1.0)\nlicence national_open\n" OPEN,
     "Kyrgyzstan: SDG figures in its own national structure"},
};

static bool
import(struct sg_demo *demo, const char *home)
{
    char path[SG_OS_PATH];

    return sg_os_file_path(path, "%s/national_example.xml", demo->sdg) &&
           sg_demo_verb(demo, home, sg_verb_structure, "structure", "import",
                        path, NULL) == 0;
}

static bool
open_flow(struct sg_demo *demo, const struct flow *flow)
{
    char name[SG_OS_PATH];

    return sg_os_file_path(name, "terms/%s", flow->name) &&
           sg_demo_write(demo, name, flow->terms) &&
           sg_demo_verb(demo, flow->home, sg_verb_flow, "flow", "new",
                        sg_demo_path(demo, "%s", name), NULL) == 0;
}

void
sg_demo_flows(struct sg_demo *demo)
{
    sg_demo_chapter(demo, "Flows and their terms");
    bool ok = sg_os_file_make_dirs(sg_demo_path(demo, "terms")) == SG_OK &&
              sg_os_file_make_dirs(sg_demo_path(demo, "data")) == SG_OK &&
              import(demo, "kyrgyzstan") && import(demo, "custodian") &&
              import(demo, "norway") && import(demo, "firm");
    sg_demo_must(demo, ok,
                 "Kyrgyzstan's national structure is imported by the office "
                 "and by who wants its figures.");
    for (size_t i = 0; i < SG_COUNT_OF(flows) && !demo->broken; i++)
        sg_demo_must(demo, open_flow(demo, &flows[i]), "%s: %s.", flows[i].name,
                     flows[i].what);
    if (demo->broken)
        return;
    ok = sg_demo_verb(demo, "norway", sg_verb_flow, "flow", "list", NULL) == 0;
    for (size_t i = 0; i < SG_COUNT_OF(flows); i++)
        ok = ok && sg_demo_has(demo->said, flows[i].name);
    sg_demo_step(demo, ok, "Every participant sees the catalogue of %zu flows.",
                 SG_COUNT_OF(flows));
}
