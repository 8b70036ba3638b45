// All kernels of one instruction set. A set.cpp includes this, after it has said by kWays in which
// ways the set multiplies.

#include "cpu/kernels/quantize.inl.h"

#include "cpu/kernels/sums.inl.h"

#include "cpu/kernels/fit.inl.h"

#include "cpu/kernels/prepare.inl.h"

#include "cpu/kernels/project.inl.h"

#include "cpu/kernels/feedback.inl.h"

template <Format F>
inline constexpr Kernels kKernelsOf = [] {
  const auto encodes = []<class Value>(Value) {
    return std::array<Encode, 2>{encode_run<F, Value, Overflow::kSaturate>,
                                 encode_run<F, Value, Overflow::kSpecial>};
  };
  const auto encode_packs = []<class Value>(Value) {
    return std::array<Encode, 2>{encode_pack_run<F, Value, Overflow::kSaturate>,
                                 encode_pack_run<F, Value, Overflow::kSpecial>};
  };
  const auto quantizes = []<class Value>(Value) {
    return std::array<Quantize, 2>{quantize_rows<F, Value, Overflow::kSaturate>,
                                   quantize_rows<F, Value, Overflow::kSpecial>};
  };
  const auto by_source = [](auto of) {
    return std::apply(
        [&](auto... source) { return std::array{of(typename decltype(source)::Type{})...}; },
        kSources);
  };
  return Kernels{
      .encode = by_source(encodes),
      .encode_pack = by_source(encode_packs),
      .decode = decode_run<F>,
      .pack = pack_run<F.bits()>,
      .unpack = unpack_run<F.bits()>,
      .quantize = by_source(quantizes),
      .fit = {fit_rows<F, Overflow::kSaturate>, fit_rows<F, Overflow::kSpecial>},
      .fit_fed_back = fit_fed_back<F>,
      .reciprocal_norm = row_reciprocal_norm<F>,
      .row_to_elements = row_to_elements<F>,
      .ways = kWays<F>,
  };
}();

inline constexpr auto kKernels = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
  return std::array{kKernelsOf<kFormats[kIndex].format>...};
}(std::make_index_sequence<kFormats.size()>());

constexpr Isa isa(const char* name) {
  return {.name = name,
          .kernels = kKernels.data(),
          .multiply = kMultiply.data(),
          .find_above = find_above,
          .project = std::apply(
              [](auto... source) {
                return std::array<Project, kSourceCount>{
                    project_rows<typename decltype(source)::Type>...};
              },
              kSources),
          .to_lane = std::apply(
              [](auto... source) {
                return ToLaneBy{std::array<ToLane, 2>{
                    values_to_lane<std::int16_t, typename decltype(source)::Type>,
                    values_to_lane<float, typename decltype(source)::Type>}...};
              },
              kSources)};
}
