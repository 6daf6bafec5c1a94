/*
 * report_metrics: what `metrics` tells of the sites that clients report on.
 */
#ifndef CRIER_CONTROL_REPORT_METRICS_H
#define CRIER_CONTROL_REPORT_METRICS_H

#include "control/exposition.h"
#include "control/reports.h"

/* Nothing where nobody reports. */
void report_metrics_write(struct exposition *e, const struct reports *r);

#endif
