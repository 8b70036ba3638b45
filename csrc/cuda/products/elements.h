#pragma once

// Rows element by element, where speed is not at stake.

#include "cuda/codec/codes.h"
#include "format/lanes.h"
#include "format/packing.h"
#include "query.h"

namespace minifloat::cuda {

// Element i of a row that is packed, or in its lane.
template <Format F>
MINIFLOAT_DEVICE Element<F> element_at(const std::uint8_t* row, std::int64_t i) {
  return to_element<F>(code_at<F.bits()>(row, i));
}
template <Format F>
MINIFLOAT_DEVICE Element<F> element_at(const Element<F>* row, std::int64_t i) {
  return row[i];
}

// Rows that are packed, where bytes are stored, or in their lane, where elements are.
template <class Stored>
struct ElementRows {
  static constexpr bool kArePacked = std::is_same_v<Stored, std::uint8_t>;

  const Stored* data;
  std::int64_t row_length;  // in what is stored
  const float* norms;

  MINIFLOAT_DEVICE const Stored* row(std::int64_t i) const { return data + i * row_length; }
};

// Calls use(such rows) with rows from `first` on.
template <Format F, class Use>
void choose_rows(const Rows& rows, std::int64_t dim, std::int64_t first, Use use) {
  const auto choose = [&]<class Stored>(const Stored* data, std::int64_t row_length) {
    use(ElementRows<Stored>{data + first * row_length, row_length, rows.norms + first});
  };
  if (rows.is_packed) {
    choose(static_cast<const std::uint8_t*>(rows.data), row_bytes(dim, F.bits()));
  } else {
    choose(static_cast<const Element<F>*>(rows.data), dim);
  }
}

// What makes dot products of such rows' elements and those of packed rows dot products of values.
// Norms of rows in their lane are norms of elements, so that their side needs nothing.
template <Format F, class Stored>
constexpr float dot_unit() {
  return element_unit(F) * (ElementRows<Stored>::kArePacked ? element_unit(F) : 1.0f);
}

}  // namespace minifloat::cuda
