// verb_policy_gate - the subcommands of policy that talk to a gate.
#pragma once

// argv[1] is propose, approve, status or export.
int sg_verb_policy_gate(int argc, char **argv);
