// check_constraint - do the values of a row lie within the constraints?
//
// Owns, for each content constraint of the structure that says what is allowed
// (sdmx-facts 1.7), which of its regions and keys still hold for the row: one
// bit each, one set of bits for each value that it names, so that a row costs
// one AND a component, however many regions there are.
// Semantics: all constraints hold together. Of one constraint, a row lies in
// one included region (if it has any), has one included key (if it has any) and
// lies in nothing that is excluded. A component that the row lacks is not
// constrained.
#pragma once

#include "schemas/sdmx/check.h"

// Lays out all constraints of the structure that allow; those on the structure
// itself hold from now on. SG_ERR_FULL: arena, or SG_LIMIT_CONSTRAINT_STEPS.
SG_MUST_CHECK enum sg_err sg_check_constraint_plan(struct sg_check *check);
// A row was passed over: what the next one has not changed was not looked at.
void sg_check_constraint_forget(struct sg_check *check);
// Looks at one row and says what is not allowed in it.
void sg_check_constraint_row(struct sg_check *check, const struct sg_obs *obs);
