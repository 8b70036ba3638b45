// The kernels of one instruction set. A set.cpp includes this inside the set's own namespace
// and target region, so that the same source becomes different machine code in each.

// Each group needs those before it.
#include "cpu/kernels/lane.inl.h"

#include "cpu/kernels/rows.inl.h"

#include "cpu/kernels/panel.inl.h"
#include "cpu/kernels/peak.inl.h"
#include "cpu/kernels/quantize.inl.h"
#include "cpu/kernels/queries.inl.h"
#include "cpu/kernels/scan.inl.h"

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
      .reciprocal_norm = row_reciprocal_norm<F>,
      .row_to_elements = row_to_elements<F>,
      .rows_to_lane = rows_to_lane<F>,
      .query_to_lane = query_to_lane<F>,
      .row_unit = element_unit(F) * kDecodedUnit<LaneOf<F>, F>,
      .row_size = sizeof(typename LaneOf<F>::Row),
      .query_size = sizeof(typename LaneOf<F>::Query),
      .planes = sizeof(typename LaneOf<F>::Query) < sizeof(Element<F>) ? 2 : 1,
      .scan = {scan_scores<F, 1>, scan_scores<F, 2>},
      .panel = {panel_scores<F, 1>, panel_scores<F, 2>, panel_scores<F, 4>},
  };
}();

inline constexpr auto kKernels = []<std::size_t... kIndex>(std::index_sequence<kIndex...>) {
  return std::array{kKernelsOf<kFormats[kIndex].format>...};
}(std::make_index_sequence<kFormats.size()>());
