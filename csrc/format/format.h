#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#ifdef __CUDACC__
#define MINIFLOAT_HD __host__ __device__
#else
#define MINIFLOAT_HD
#endif

namespace minifloat {

// What a format spends its top codes on.
enum class Specials : std::uint8_t {
  kIeee,  // the all-ones exponent is infinity and NaN
  kNan,   // only the all-ones code is NaN
  kNone,  // every code is a number
};

constexpr std::string_view name_of(Specials specials) {
  constexpr std::string_view kNames[] = {"ieee", "nan", "none"};
  return kNames[static_cast<int>(specials)];
}

// A format is three facts; everything else about it follows.
struct Format {
  int exponent_bits;
  int mantissa_bits;
  Specials specials;

  bool operator==(const Format&) const = default;

  MINIFLOAT_HD constexpr int bits() const { return 1 + exponent_bits + mantissa_bits; }
  MINIFLOAT_HD constexpr int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  MINIFLOAT_HD constexpr unsigned sign_bit() const { return 1u << (bits() - 1); }

  // The code of infinity where specials is kIeee.
  MINIFLOAT_HD constexpr unsigned infinity() const {
    return ((1u << exponent_bits) - 1) << mantissa_bits;
  }

  // The code of the largest finite value.
  MINIFLOAT_HD constexpr unsigned max_code() const {
    return specials == Specials::kIeee  ? infinity() - 1
           : specials == Specials::kNan ? sign_bit() - 2
                                        : sign_bit() - 1;
  }

  // The code that a positive NaN becomes: the quiet NaN, or -0 where there is none.
  MINIFLOAT_HD constexpr unsigned nan_code() const {
    return specials == Specials::kIeee  ? infinity() + (1u << (mantissa_bits - 1))
           : specials == Specials::kNan ? max_code() + 1
                                        : sign_bit();
  }
};

struct NamedFormat {
  std::string_view name;
  Format format;
};

inline constexpr std::array kFormats{
    NamedFormat{"e5m2", {5, 2, Specials::kIeee}}, NamedFormat{"e4m3", {4, 3, Specials::kNan}},
    NamedFormat{"e3m4", {3, 4, Specials::kIeee}}, NamedFormat{"e3m2", {3, 2, Specials::kNone}},
    NamedFormat{"e2m3", {2, 3, Specials::kNone}}, NamedFormat{"e2m1", {2, 1, Specials::kNone}},
};

}  // namespace minifloat
