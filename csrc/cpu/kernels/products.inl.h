// The kernels that multiply. A set.cpp includes this inside the set's own namespace and target
// region, so that the same source becomes different machine code in each.

// Each group needs those before it.
#include "cpu/kernels/lane.inl.h"
#include "cpu/kernels/peak.inl.h"

#include "cpu/kernels/rows.inl.h"

#include "cpu/kernels/queries.inl.h"

#include "cpu/kernels/dots.inl.h"
#include "cpu/kernels/panel.inl.h"
#include "cpu/kernels/scan.inl.h"
