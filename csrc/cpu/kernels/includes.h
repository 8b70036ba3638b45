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

// A target region: its functions are compiled for some features of the processor, and for vectors
// as wide as there are where it is WIDE.
#define MINIFLOAT_PRAGMA(...) _Pragma(#__VA_ARGS__)
#ifdef __clang__
#define MINIFLOAT_TARGET(features) \
  MINIFLOAT_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define MINIFLOAT_WIDE_TARGET(features) MINIFLOAT_TARGET(features)
#define MINIFLOAT_TARGET_END MINIFLOAT_PRAGMA(clang attribute pop)
#else
#define MINIFLOAT_TARGET(...) \
  MINIFLOAT_PRAGMA(GCC push_options) MINIFLOAT_PRAGMA(GCC target(__VA_ARGS__))
#define MINIFLOAT_WIDE_TARGET(features) MINIFLOAT_TARGET(features, "prefer-vector-width=512")
#define MINIFLOAT_TARGET_END MINIFLOAT_PRAGMA(GCC pop_options)
#endif
