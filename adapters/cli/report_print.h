// report_print - a gate's fault report for people, as `check` says its own.
//
// Owns nothing. What the gate knows and this version does not is said with the
// gate's word and without a cure; nothing is left out.
#pragma once

// path: what the file is called. json: of statgate_report. To stdout.
void sg_report_print(const char *path, const char *json);
