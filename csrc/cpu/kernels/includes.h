#pragma once

// What the kernels need of others, included before a target region opens: the standard library's
// functions must not be compiled for the region's instruction set.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <tuple>
#include <utility>

#include "cpu/kernels/kernels.h"
#include "format/codec.h"
#include "format/lanes.h"
#include "format/packing.h"
