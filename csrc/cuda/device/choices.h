#pragma once

// Run-time choices that become template arguments: use(std::integral_constant) is called with the
// one that is chosen.

#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "format/format.h"

namespace minifloat {

template <int I>
using Index = std::integral_constant<int, I>;

template <int kCount, class Use>
void choose(int index, Use use) {
  [&]<int... kI>(std::integer_sequence<int, kI...>) {
    if (!((index == kI && (use(Index<kI>{}), true)) || ...)) {
      throw std::invalid_argument("no such choice");
    }
  }(std::make_integer_sequence<int, kCount>{});
}

template <class Use>
void choose_format(int format, Use use) {
  choose<static_cast<int>(kFormats.size())>(format, use);
}

template <class Use>
void choose_bool(bool which, Use use) {
  which ? use(std::true_type{}) : use(std::false_type{});
}

// Kernels get a format as its index: nvcc has no template arguments of class type for them.
template <int kFormat>
inline constexpr Format kFormatOf = kFormats[kFormat].format;

}  // namespace minifloat
