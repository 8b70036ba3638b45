#pragma once

// What table.inl.h needs, included before a target region opens so that the standard library's
// functions are not compiled for the region's instruction set.

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <utility>

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include "cpu/kernels/kernels.h"
#include "format/codec.h"
#include "format/lanes.h"
#include "format/packing.h"
