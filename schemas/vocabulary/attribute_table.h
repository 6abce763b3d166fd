// attribute_table - vocabulary 1: attributes and their codes as one table.
//
// The source is the vocabulary paper. Numbers are positions: they stand in the
// packed requests of evidence, so a row is added at the end and never moved,
// removed or given another meaning. Code 0 is always "unknown".
#pragma once

// clang-format off
// name, text, level, source, required, ordered, type
#define SG_ATTR_TABLE(X) \
    X(PROVIDER_IN, "provider_in", SG_LEVEL_R, SG_SOURCE_V, 1, 0, JURISDICTION) \
    X(AREA, "area", SG_LEVEL_P, SG_SOURCE_D, 0, 0, AREA) \
    X(COUNTERPART, "counterpart", SG_LEVEL_P, SG_SOURCE_D, 0, 0, AREA) \
    X(DESTINATION, "destination", SG_LEVEL_S, SG_SOURCE_V, 1, 0, JURISDICTION) \
    X(STORED_IN, "stored_in", SG_LEVEL_S, SG_SOURCE_V, 0, 0, JURISDICTION) \
    X(RECIPIENT, "recipient", SG_LEVEL_S, SG_SOURCE_V, 1, 0, CODES) \
    X(PARTY, "party", SG_LEVEL_S, SG_SOURCE_V, 0, 0, PARTY) \
    X(CLASSIFICATION, "classification", SG_LEVEL_R, SG_SOURCE_C, 1, 1, CODES) \
    X(DATA_KIND, "data_kind", SG_LEVEL_R, SG_SOURCE_C | SG_SOURCE_D, 1, 0, CODES) \
    X(GEO_DETAIL, "geo_detail", SG_LEVEL_P, SG_SOURCE_D, 0, 0, CODES) \
    X(UNIT, "unit", SG_LEVEL_R, SG_SOURCE_C, 0, 0, CODES) \
    X(IDENTIFIABILITY, "identifiability", SG_LEVEL_R, SG_SOURCE_C | SG_SOURCE_D, 1, 1, CODES) \
    X(SENSITIVE, "sensitive", SG_LEVEL_R, SG_SOURCE_C, 0, 0, CODES) \
    X(CONF_STATUS, "conf_status", SG_LEVEL_P, SG_SOURCE_D, 1, 0, CODES) \
    X(CONF_REDIST, "conf_redist", SG_LEVEL_P, SG_SOURCE_D, 1, 0, CODES) \
    X(OBS_STATUS, "obs_status", SG_LEVEL_P, SG_SOURCE_D, 0, 0, CODES) \
    X(NATURE, "nature", SG_LEVEL_P, SG_SOURCE_D, 0, 0, CODES) \
    X(VALIDATION, "validation", SG_LEVEL_P, SG_SOURCE_V, 0, 0, CODES) \
    X(AVAILABILITY, "availability", SG_LEVEL_R | SG_LEVEL_P, SG_SOURCE_D, 1, 0, CODES) \
    X(RELEASE_KIND, "release_kind", SG_LEVEL_R, SG_SOURCE_C, 0, 0, CODES) \
    X(PURPOSE, "purpose", SG_LEVEL_S, SG_SOURCE_C, 1, 0, CODES) \
    X(LAWFUL_BASIS, "lawful_basis", SG_LEVEL_R, SG_SOURCE_C, 1, 0, CODES) \
    X(SPECIAL_CONDITION, "special_condition", SG_LEVEL_R, SG_SOURCE_C, 1, 0, CODES) \
    X(INSTRUMENT, "instrument", SG_LEVEL_S, SG_SOURCE_V, 0, 0, CODES) \
    X(CONSENT, "consent", SG_LEVEL_R, SG_SOURCE_D, 0, 0, CODES) \
    X(COMMUNITY_CONSENT, "community_consent", SG_LEVEL_R, SG_SOURCE_D, 0, 0, CODES) \
    X(ONWARD, "onward", SG_LEVEL_R, SG_SOURCE_C, 1, 1, CODES) \
    X(LOCALISATION, "localisation", SG_LEVEL_R, SG_SOURCE_V, 1, 0, CODES) \
    X(EMERGENCY, "emergency", SG_LEVEL_R, SG_SOURCE_V, 0, 0, CODES) \
    X(RETENTION, "retention", SG_LEVEL_S, SG_SOURCE_V, 0, 0, CODES) \
    X(LICENCE, "licence", SG_LEVEL_R, SG_SOURCE_C, 0, 0, CODES) \
    X(QUALITY, "quality", SG_LEVEL_R, SG_SOURCE_D, 0, 0, CODES) \
    X(SDC_STATE, "sdc_state", SG_LEVEL_P, SG_SOURCE_D, 0, 0, CODES)

// The codes of each attribute of type CODES: attribute, name, text. Ordered
// attributes list them from the mildest (onward: from the strictest).
#define SG_CODES_RECIPIENT(X) \
    X(RECIPIENT, NSO, "nso") \
    X(RECIPIENT, OTHER_NATIONAL_AUTHORITY, "other_national_authority") \
    X(RECIPIENT, ESS_COMMISSION, "ess_commission") \
    X(RECIPIENT, CENTRAL_BANK, "central_bank") \
    X(RECIPIENT, CUSTODIAN_AGENCY, "custodian_agency") \
    X(RECIPIENT, INTL_ORG, "intl_org") \
    X(RECIPIENT, REGIONAL_ORG, "regional_org") \
    X(RECIPIENT, RECOGNISED_RESEARCH_ENTITY, "recognised_research_entity") \
    X(RECIPIENT, RESEARCH_BODY, "research_body") \
    X(RECIPIENT, GOV_AGENCY, "gov_agency") \
    X(RECIPIENT, COMMUNITY_BODY, "community_body") \
    X(RECIPIENT, NGO, "ngo") \
    X(RECIPIENT, PRIVATE, "private") \
    X(RECIPIENT, PUBLIC, "public")
#define SG_CODES_CLASSIFICATION(X) \
    X(CLASSIFICATION, PUBLIC, "public") \
    X(CLASSIFICATION, LIMITED, "limited") \
    X(CLASSIFICATION, RESTRICTED, "restricted") \
    X(CLASSIFICATION, SECRET, "secret")
#define SG_CODES_DATA_KIND(X) \
    X(DATA_KIND, AGGREGATE, "aggregate") \
    X(DATA_KIND, STRUCTURAL_METADATA, "structural_metadata") \
    X(DATA_KIND, REFERENCE_METADATA, "reference_metadata") \
    X(DATA_KIND, PUBLIC_USE_FILE, "public_use_file") \
    X(DATA_KIND, SCIENTIFIC_USE_FILE, "scientific_use_file") \
    X(DATA_KIND, SECURE_USE_FILE, "secure_use_file") \
    X(DATA_KIND, REGISTER_EXTRACT, "register_extract")
#define SG_CODES_GEO_DETAIL(X) \
    X(GEO_DETAIL, NONE, "none") \
    X(GEO_DETAIL, COUNTRY, "country") \
    X(GEO_DETAIL, ADMIN1, "admin1") \
    X(GEO_DETAIL, ADMIN2, "admin2") \
    X(GEO_DETAIL, ADMIN3, "admin3") \
    X(GEO_DETAIL, GRID, "grid") \
    X(GEO_DETAIL, POINT, "point")
#define SG_CODES_UNIT(X) \
    X(UNIT, PERSON, "person") \
    X(UNIT, HOUSEHOLD, "household") \
    X(UNIT, ENTERPRISE, "enterprise") \
    X(UNIT, ESTABLISHMENT, "establishment") \
    X(UNIT, HOLDING, "holding") \
    X(UNIT, OTHER, "other")
#define SG_CODES_IDENTIFIABILITY(X) \
    X(IDENTIFIABILITY, ANONYMOUS, "anonymous") \
    X(IDENTIFIABILITY, PSEUDONYMISED, "pseudonymised") \
    X(IDENTIFIABILITY, INDIRECTLY_IDENTIFIABLE, "indirectly_identifiable") \
    X(IDENTIFIABILITY, DIRECT_IDENTIFIERS, "direct_identifiers")
#define SG_CODES_SENSITIVE(X) \
    X(SENSITIVE, NONE, "none") \
    X(SENSITIVE, SPECIAL_CATEGORY, "special_category") \
    X(SENSITIVE, CRIMINAL, "criminal") \
    X(SENSITIVE, CHILD, "child") \
    X(SENSITIVE, COMMUNITY, "community")
#define SG_CODES_CONF_STATUS(X) \
    X(CONF_STATUS, F, "F") \
    X(CONF_STATUS, N, "N") \
    X(CONF_STATUS, C, "C") \
    X(CONF_STATUS, A, "A") \
    X(CONF_STATUS, O, "O") \
    X(CONF_STATUS, T, "T") \
    X(CONF_STATUS, G, "G") \
    X(CONF_STATUS, M, "M") \
    X(CONF_STATUS, D, "D") \
    X(CONF_STATUS, S, "S") \
    X(CONF_STATUS, E, "E")
#define SG_CODES_CONF_REDIST(X) \
    X(CONF_REDIST, NOT_LIMITED, "not_limited") \
    X(CONF_REDIST, NOBODY, "nobody") \
    X(CONF_REDIST, RECIPIENT_NAMED, "recipient_named") \
    X(CONF_REDIST, RECIPIENT_NOT_NAMED, "recipient_not_named")
#define SG_CODES_OBS_STATUS(X) \
    X(OBS_STATUS, NORMAL, "NORMAL") \
    X(OBS_STATUS, PROVISIONAL, "PROVISIONAL") \
    X(OBS_STATUS, ESTIMATED, "ESTIMATED") \
    X(OBS_STATUS, MISSING, "MISSING") \
    X(OBS_STATUS, SUPPRESSED, "SUPPRESSED") \
    X(OBS_STATUS, UNVALIDATED, "UNVALIDATED")
#define SG_CODES_NATURE(X) \
    X(NATURE, C, "C") \
    X(NATURE, CA, "CA") \
    X(NATURE, E, "E") \
    X(NATURE, G, "G") \
    X(NATURE, M, "M") \
    X(NATURE, N, "N") \
    X(NATURE, NOT_APPLICABLE, "_X") \
    X(NATURE, MACHINE_GENERATED, "machine_generated")
#define SG_CODES_VALIDATION(X) \
    X(VALIDATION, NOT_NEEDED, "not_needed") \
    X(VALIDATION, IN_CONSULTATION, "in_consultation") \
    X(VALIDATION, VALIDATED, "validated") \
    X(VALIDATION, VALIDATED_WITH_COMMENT, "validated_with_comment") \
    X(VALIDATION, DISPUTED, "disputed") \
    X(VALIDATION, NO_REPLY, "no_reply")
#define SG_CODES_AVAILABILITY(X) \
    X(AVAILABILITY, SCHEDULED, "scheduled") \
    X(AVAILABILITY, PRE_RELEASE, "pre_release") \
    X(AVAILABILITY, RELEASED, "released") \
    X(AVAILABILITY, WITHDRAWN, "withdrawn")
#define SG_CODES_RELEASE_KIND(X) \
    X(RELEASE_KIND, FIRST, "first") \
    X(RELEASE_KIND, SCHEDULED_REVISION, "scheduled_revision") \
    X(RELEASE_KIND, MAJOR_REVISION, "major_revision") \
    X(RELEASE_KIND, CORRECTION, "correction") \
    X(RELEASE_KIND, RESEND, "resend")
#define SG_CODES_PURPOSE(X) \
    X(PURPOSE, OFFICIAL_STATISTICS, "official_statistics") \
    X(PURPOSE, SDG_REPORTING, "sdg_reporting") \
    X(PURPOSE, MIRROR_RECONCILIATION, "mirror_reconciliation") \
    X(PURPOSE, SCIENTIFIC_RESEARCH, "scientific_research") \
    X(PURPOSE, POLICY_MAKING, "policy_making") \
    X(PURPOSE, EARLY_WARNING, "early_warning") \
    X(PURPOSE, PUBLIC_HEALTH, "public_health") \
    X(PURPOSE, HUMANITARIAN, "humanitarian") \
    X(PURPOSE, CAPACITY_BUILDING, "capacity_building") \
    X(PURPOSE, AUDIT, "audit") \
    X(PURPOSE, ARCHIVE, "archive") \
    X(PURPOSE, ADMINISTRATIVE, "administrative") \
    X(PURPOSE, COMMERCIAL, "commercial") \
    X(PURPOSE, AI_TRAINING, "ai_training") \
    X(PURPOSE, ENFORCEMENT, "enforcement") \
    X(PURPOSE, VITAL_INTEREST, "vital_interest") \
    X(PURPOSE, ANY_REUSE, "any_reuse")
#define SG_CODES_LAWFUL_BASIS(X) \
    X(LAWFUL_BASIS, STATISTICS_LAW, "statistics_law") \
    X(LAWFUL_BASIS, CONSENT, "consent") \
    X(LAWFUL_BASIS, LEGAL_OBLIGATION, "legal_obligation") \
    X(LAWFUL_BASIS, PUBLIC_TASK, "public_task") \
    X(LAWFUL_BASIS, VITAL_INTERESTS, "vital_interests") \
    X(LAWFUL_BASIS, CONTRACT, "contract") \
    X(LAWFUL_BASIS, LEGITIMATE_INTERESTS, "legitimate_interests")
#define SG_CODES_SPECIAL_CONDITION(X) \
    X(SPECIAL_CONDITION, NONE, "none") \
    X(SPECIAL_CONDITION, EXPLICIT_CONSENT, "explicit_consent") \
    X(SPECIAL_CONDITION, VITAL_INTERESTS, "vital_interests") \
    X(SPECIAL_CONDITION, PUBLIC_HEALTH, "public_health") \
    X(SPECIAL_CONDITION, RESEARCH_STATISTICS, "research_statistics") \
    X(SPECIAL_CONDITION, OTHER_LAW, "other_law")
#define SG_CODES_INSTRUMENT(X) \
    X(INSTRUMENT, NONE, "none") \
    X(INSTRUMENT, ADEQUACY, "adequacy") \
    X(INSTRUMENT, ADEQUACY_SCOPED, "adequacy_scoped") \
    X(INSTRUMENT, LEGAL_INSTRUMENT, "legal_instrument") \
    X(INSTRUMENT, SCC, "scc") \
    X(INSTRUMENT, BCR, "bcr") \
    X(INSTRUMENT, ADMINISTRATIVE_ARRANGEMENT, "administrative_arrangement") \
    X(INSTRUMENT, AD_HOC_CLAUSES, "ad_hoc_clauses") \
    X(INSTRUMENT, CODE_OF_CONDUCT, "code_of_conduct") \
    X(INSTRUMENT, CERTIFICATION, "certification") \
    X(INSTRUMENT, DEROGATION, "derogation") \
    X(INSTRUMENT, STATISTICS_LAW, "statistics_law") \
    X(INSTRUMENT, TREATY, "treaty") \
    X(INSTRUMENT, ASEAN_MCC, "asean_mcc") \
    X(INSTRUMENT, GLOBAL_CBPR, "global_cbpr") \
    X(INSTRUMENT, MALABO, "malabo")
#define SG_CODES_CONSENT(X) \
    X(CONSENT, NOT_RELIED_ON, "not_relied_on") \
    X(CONSENT, GIVEN, "given") \
    X(CONSENT, PARTIAL, "partial") \
    X(CONSENT, REFUSED, "refused") \
    X(CONSENT, WITHDRAWN, "withdrawn") \
    X(CONSENT, EXPIRED, "expired")
#define SG_CODES_COMMUNITY_CONSENT(X) \
    X(COMMUNITY_CONSENT, NOT_CONCERNED, "not_concerned") \
    X(COMMUNITY_CONSENT, GIVEN, "given") \
    X(COMMUNITY_CONSENT, PARTIAL, "partial") \
    X(COMMUNITY_CONSENT, REFUSED, "refused") \
    X(COMMUNITY_CONSENT, WITHDRAWN, "withdrawn") \
    X(COMMUNITY_CONSENT, EXPIRED, "expired")
#define SG_CODES_ONWARD(X) \
    X(ONWARD, FORBIDDEN, "forbidden") \
    X(ONWARD, TO_NAMED, "to_named") \
    X(ONWARD, WITH_APPROVAL, "with_approval") \
    X(ONWARD, ALLOWED, "allowed")
#define SG_CODES_LOCALISATION(X) \
    X(LOCALISATION, NONE, "none") \
    X(LOCALISATION, COPY_HOME, "copy_home") \
    X(LOCALISATION, HOME_ONLY, "home_only")
#define SG_CODES_EMERGENCY(X) \
    X(EMERGENCY, NONE, "none") \
    X(EMERGENCY, DECLARED, "declared") \
    X(EMERGENCY, ENDED, "ended")
#define SG_CODES_RETENTION(X) \
    X(RETENTION, WITHIN_LIMIT, "within_limit") \
    X(RETENTION, BEYOND_LIMIT, "beyond_limit")
#define SG_CODES_LICENCE(X) \
    X(LICENCE, CC0, "cc0") \
    X(LICENCE, CC_BY, "cc_by") \
    X(LICENCE, CC_BY_SA, "cc_by_sa") \
    X(LICENCE, CC_BY_NC, "cc_by_nc") \
    X(LICENCE, ODBL, "odbl") \
    X(LICENCE, NATIONAL_OPEN, "national_open") \
    X(LICENCE, CUSTOM, "custom") \
    X(LICENCE, NONE, "none")
#define SG_CODES_QUALITY(X) \
    X(QUALITY, COMPLETE, "complete") \
    X(QUALITY, PARTIAL, "partial") \
    X(QUALITY, NONE, "none") \
    X(QUALITY, EXPIRED, "expired")
#define SG_CODES_SDC_STATE(X) \
    X(SDC_STATE, NONE, "none") \
    X(SDC_STATE, RULES_CHECKED, "rules_checked") \
    X(SDC_STATE, SUPPRESSED, "suppressed") \
    X(SDC_STATE, ROUNDED, "rounded") \
    X(SDC_STATE, PERTURBED, "perturbed") \
    X(SDC_STATE, SIGNED_BY_PRODUCER, "signed_by_producer")
// clang-format on

// The attributes that have a list above.
// clang-format off
#define SG_CODES_LISTS(X) \
    X(RECIPIENT) \
    X(CLASSIFICATION) \
    X(DATA_KIND) \
    X(GEO_DETAIL) \
    X(UNIT) \
    X(IDENTIFIABILITY) \
    X(SENSITIVE) \
    X(CONF_STATUS) \
    X(CONF_REDIST) \
    X(OBS_STATUS) \
    X(NATURE) \
    X(VALIDATION) \
    X(AVAILABILITY) \
    X(RELEASE_KIND) \
    X(PURPOSE) \
    X(LAWFUL_BASIS) \
    X(SPECIAL_CONDITION) \
    X(INSTRUMENT) \
    X(CONSENT) \
    X(COMMUNITY_CONSENT) \
    X(ONWARD) \
    X(LOCALISATION) \
    X(EMERGENCY) \
    X(RETENTION) \
    X(LICENCE) \
    X(QUALITY) \
    X(SDC_STATE)
// clang-format on
