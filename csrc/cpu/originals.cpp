#include "cpu/originals.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu/pages.h"
#include "cpu/pieces.h"
#include "format/codec.h"
#include "format/packing.h"
#include "format/source.h"

namespace minifloat::cpu {
namespace {

// Sums that are added up apart, and then by halves: one order on every machine.
constexpr int kApart = 8;

template <class Term>
double sum(std::int64_t count, Term term) {
  std::array<double, kApart> sums{};
  const std::int64_t whole = count / kApart * kApart;
  for (std::int64_t i = 0; i < whole; i += kApart) {
    for (int j = 0; j < kApart; ++j) sums[j] += term(i + j);
  }
  for (std::int64_t i = whole; i < count; ++i) sums[i - whole] += term(i);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

double squares(const double* x, std::int64_t count) {
  return sum(count, [&](std::int64_t i) { return x[i] * x[i]; });
}

double wide(double x) { return x; }
double wide(float x) { return x; }
double wide(Float16 x) { return to_float(x); }
double wide(Bfloat16 x) { return to_float(x); }

// Writes a row in float64; what is float64 already comes near 1, for squares could be too large or
// vanish. Returns whether it is finite.
template <class Value>
bool widen(const Value* in, std::int64_t dim, double* __restrict out) {
  double largest = 0;
  bool is_number = true;
  for (std::int64_t i = 0; i < dim; ++i) {
    out[i] = wide(in[i]);
    const double magnitude = std::abs(out[i]);
    largest = std::max(largest, magnitude);
    is_number &= magnitude <= std::numeric_limits<double>::max();
  }
  if constexpr (std::is_same_v<Value, double>) {
    if (is_number && largest > 0) {
      // One factor alone may be beyond the largest number.
      const int exponent = -std::ilogb(largest), half = exponent / 2;
      const double first = std::ldexp(1.0, half), second = std::ldexp(1.0, exponent - half);
      for (std::int64_t i = 0; i < dim; ++i) out[i] = out[i] * first * second;
    }
  }
  return is_number;
}

using Widen = bool (*)(const void* in, std::int64_t dim, double* out);

constexpr auto kWiden = std::apply(
    [](auto... source) {
      return std::array<Widen, kSourceCount>{[](const void* in, std::int64_t dim, double* out) {
        return widen(static_cast<const typename decltype(source)::Type*>(in), dim, out);
      }...};
    },
    kSources);

// The square of the chord between two directions; of a row without one, and what is none, more
// than any angle's, unless both are zero.
double chord(const double* x, const double* y, std::int64_t dim) {
  const double of_x = squares(x, dim), of_y = squares(y, dim);
  if (of_x == 0 || of_y == 0) return of_x == of_y ? 0 : std::numeric_limits<double>::infinity();
  const double length_x = std::sqrt(of_x), length_y = std::sqrt(of_y);
  return sum(dim, [&](std::int64_t i) {
    const double apart = x[i] / length_x - y[i] / length_y;
    return apart * apart;
  });
}

// Rows of pairs that are asked for before the first of them is read, while those before them are;
// and those that a thread takes at a time.
constexpr std::int64_t kAhead = 512, kPiece = 16 * kAhead;

// Asks for the memory of some pairs' rows: of rows in a file, all its reads then go on at once,
// where each would wait for those before it and bring what lies around it as well.
void ask_for(const ValueRows& rows, const std::int64_t* pairs, std::int64_t count) {
  const std::uint8_t* begin = nullptr;
  const std::uint8_t* end = nullptr;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint8_t* const row = rows.values + pairs[2 * i + 1] * rows.stride;
    if (begin && row - end <= kPagesApart) {
      end = std::max(end, row + rows.stride);
      continue;
    }
    if (begin) will_need(begin, end);
    begin = row;
    end = row + rows.stride;
  }
  if (begin) will_need(begin, end);
}

// Whether rows are asked for: of many, the system reads what lies between as well, in one pass of a
// file, which is faster then.
bool are_few(const ValueRows& rows, const Rescored& to) {
  constexpr std::int64_t kMany = 20;
  std::int64_t different = 0;
  for (std::int64_t i = 0; i < to.count; ++i) {
    different += i == 0 || to.pairs[2 * i + 1] != to.pairs[2 * i - 1];
  }
  return different <= rows.count / kMany;
}

}  // namespace

void angles(int source, const ValueRows& rows, const double* chords, const Turned& to,
            int threads) {
  const Kernels& kernels = kernels_of(to.format);
  const std::int64_t dim = rows.dim, bytes = row_bytes(dim, bits_of_format(to.format));
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / dim);
  parallel_for(rows.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::uint8_t> codes(dim);
    std::vector<float> values(dim);
    std::vector<double> row(dim), of_codes(dim);
    in_stretches(begin, end, 1, [&](std::int64_t r, std::int64_t) {
      kernels.unpack(to.packed + r * bytes, dim, codes.data());
      kernels.decode(codes.data(), dim, values.data());
      const bool is_finite = kWiden[source](rows.values + r * rows.stride, dim, row.data()) &&
                             widen(values.data(), dim, of_codes.data());
      // Where it is not, no chord is as long.
      const double apart = is_finite ? chord(row.data(), of_codes.data(), dim) : 8;
      const auto* const last = chords + kAngles - 1;
      to.angles[r] = static_cast<std::uint8_t>(std::lower_bound(chords, last, apart) - chords);
    });
  });
}

std::int64_t cosines(const ValueRows& queries, int source, const ValueRows& rows,
                     const Rescored& to, int threads) {
  const std::int64_t dim = rows.dim;
  const bool asks = are_few(rows, to);
  std::vector<double> lengths(queries.count), scaled(queries.count * dim);
  for (std::int64_t q = 0; q < queries.count; ++q) {
    double* const query = &scaled[q * dim];
    kWiden[index_of_source<double>()](queries.values + q * queries.stride, dim, query);
    lengths[q] = std::sqrt(squares(query, dim));
  }
  std::atomic<std::int64_t> first_wrong = rows.count;
  parallel_for(to.count, kPiece, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> row(dim);
    std::int64_t read = -1;
    double length = 0;
    const auto ask = [&](std::int64_t first) {
      const std::int64_t count = std::min(kAhead, end - first);
      if (asks && count > 0) ask_for(rows, to.pairs + 2 * first, count);
    };
    ask(begin);
    in_stretches(begin, end, kAhead, [&](std::int64_t first, std::int64_t count) {
      ask(first + kAhead);
      for (std::int64_t i = first; i < first + count; ++i) {
        const std::int64_t q = to.pairs[2 * i], r = to.pairs[2 * i + 1];
        if (r != read) {
          read = r;
          if (!kWiden[source](rows.values + r * rows.stride, dim, row.data())) {
            return lower_to(first_wrong, r);
          }
          length = std::sqrt(squares(row.data(), dim));
        }
        const double* const query = &scaled[q * dim];
        const double dot = sum(dim, [&](std::int64_t j) { return query[j] * row[j]; });
        const double lengths_of_both = lengths[q] * length;
        to.cosines[i] = lengths_of_both > 0 ? dot / lengths_of_both : 0;
      }
    });
  });
  return first_wrong == rows.count ? -1 : first_wrong.load();
}

}  // namespace minifloat::cpu
