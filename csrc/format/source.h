#pragma once

// The types that values come as.

#include <array>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace minifloat {

// Those that C++ has no name for, as their bits.
struct Float16 {
  std::uint16_t bits;
};
struct Bfloat16 {
  std::uint16_t bits;
};

template <class T>
struct Source {
  using Type = T;
  std::string_view name;  // torch's and NumPy's
};

// Callers know a type by its index here.
inline constexpr std::tuple kSources{Source<Float16>{"float16"}, Source<Bfloat16>{"bfloat16"},
                                     Source<float>{"float32"}, Source<double>{"float64"}};

inline constexpr int kSourceCount = std::tuple_size_v<decltype(kSources)>;

inline constexpr auto kSourceBytes = std::apply(
    [](auto... source) {
      return std::array<std::int64_t, kSourceCount>{sizeof(typename decltype(source)::Type)...};
    },
    kSources);

// By which callers know a type.
template <class T>
constexpr int index_of_source() {
  int index = 0;
  std::apply(
      [&](auto... source) {
        static_cast<void>(
            ((std::is_same_v<typename decltype(source)::Type, T> || (++index, false)) || ...));
      },
      kSources);
  return index;
}

template <int kIndex>
using SourceAt = typename std::tuple_element_t<kIndex, decltype(kSources)>::Type;

}  // namespace minifloat
