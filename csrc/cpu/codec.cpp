#include "cpu/codec.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <tuple>
#include <utility>
#include <vector>

#include "cpu/pieces.h"
#include "format/packing.h"
#include "format/source.h"

namespace minifloat::cpu {
namespace {

// Codes that take some milliseconds.
constexpr std::int64_t kStretch = 1 << 24;

// Large pieces, for kernels have a way of their own with long runs, but enough of them to keep all
// threads busy to the end.
std::int64_t grain_of(std::int64_t count, int threads) {
  const std::int64_t even = count / (std::int64_t{8} * threads);
  return std::max(kGrain, even / kGrain * kGrain);
}

// Calls run(first, count) over flat codes, in parallel.
template <class Run>
void over_codes(std::int64_t count, int threads, Run run) {
  parallel_for(count, grain_of(count, threads), threads, [&](std::int64_t begin, std::int64_t end) {
    in_stretches(begin, end, kStretch, run);
  });
}

// Calls run(r) over rows, in parallel pieces of so many.
template <class Run>
void over_rows(std::int64_t rows, std::int64_t grain, int threads, Run run) {
  parallel_for(rows, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    in_stretches(begin, end, grain, [&](std::int64_t first, std::int64_t count) {
      for (std::int64_t r = first; r < first + count; ++r) run(r);
    });
  });
}

// Calls run(first_code, count, first_byte) over packed rows, in parallel. Rows that fill their
// bytes are one long row.
template <class Run>
void over_packed_rows(std::int64_t rows, std::int64_t dim, int bits, int threads, Run run) {
  if (dim * bits % 8 == 0) {
    return over_codes(rows * dim, threads, [&](std::int64_t first, std::int64_t count) {
      run(first, count, first * bits / 8);
    });
  }
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / dim);
  over_rows(rows, grain, threads,
            [&](std::int64_t r) { run(r * dim, dim, r * row_bytes(dim, bits)); });
}

// On each thread, calls what begin() returns with some rows of values at a time and the number of
// the first; it tells how many of them are finite before one that is not. Returns the first row of
// all that is not, or -1.
template <class Begin>
std::int64_t over_value_rows(const ValueRows& rows, int threads, Begin begin_thread) {
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / rows.dim);
  std::atomic<std::int64_t> first_wrong = rows.count;
  parallel_for(rows.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    auto use = begin_thread();
    in_stretches(begin, end, grain, [&](std::int64_t first, std::int64_t count) {
      const ValueRows some{rows.values + first * rows.stride, rows.stride, count, rows.dim};
      const std::int64_t wrong = first + use(some, first);
      if (wrong < first + count) lower_to(first_wrong, wrong);
    });
  });
  return first_wrong == rows.count ? -1 : first_wrong.load();
}

}  // namespace

void encode(int format, int source, bool saturates, const void* values, std::int64_t count,
            std::uint8_t* codes, int threads) {
  const Encode kernel = kernels_of(format).encode[source][!saturates];
  const auto* const from = static_cast<const std::uint8_t*>(values);
  over_codes(count, threads, [&](std::int64_t first, std::int64_t taken) {
    kernel(from + first * kSourceBytes[source], taken, codes + first);
  });
}

void decode(int format, const std::uint8_t* codes, std::int64_t count, float* values, int threads) {
  const auto kernel = kernels_of(format).decode;
  over_codes(count, threads, [&](std::int64_t first, std::int64_t taken) {
    kernel(codes + first, taken, values + first);
  });
}

void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, int threads) {
  const auto kernel = kernels_of(format).pack;
  over_packed_rows(
      rows, dim, bits_of_format(format), threads,
      [&](auto code, auto count, auto byte) { kernel(codes + code, count, packed + byte); });
}

void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, int threads) {
  const auto kernel = kernels_of(format).unpack;
  over_packed_rows(
      rows, dim, bits_of_format(format), threads,
      [&](auto code, auto count, auto byte) { kernel(packed + byte, count, codes + code); });
}

void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, int threads) {
  const Encode kernel = kernels_of(format).encode_pack[source][!saturates];
  const auto* const from = static_cast<const std::uint8_t*>(values);
  over_packed_rows(rows, dim, bits_of_format(format), threads,
                   [&](auto code, auto count, auto byte) {
                     kernel(from + code * kSourceBytes[source], count, packed + byte);
                   });
}

// Values that scale "cosine" leaves above the largest become it.
Fit fit_of(const Rounding& how) {
  return kernels_of(how.format).fit[!how.saturates && how.scale != Scale::kCosine];
}

std::int64_t quantize(const Rounding& how, const ValueRows& rows, std::uint8_t* packed,
                      float* norms, int threads) {
  const Quantize kernel = kernels_of(how.format).quantize[how.source][!how.saturates];
  const Fit fit = fit_of(how);
  const bool fits = how.scale == Scale::kCosine || how.estimator == Estimator::kUnbiased;
  const std::int64_t bytes = row_bytes(rows.dim, bits_of_format(how.format));
  return over_value_rows(rows, threads, [&] {
    std::vector<float> scratch(fits ? fit_scratch(rows.dim) : 0);
    return [&, scratch = std::move(scratch)](const ValueRows& some, std::int64_t first) mutable {
      const Quantized to{packed + first * bytes, norms + first};
      return fits ? fit(some, {how.scale, how.estimator, {}}, to, scratch.data())
                  : kernel(some, how.scale == Scale::kAmax, to.codes, to.norms);
    };
  });
}

std::int64_t to_lane(int format, int source, const ValueRows& rows, const InLane& to, int threads) {
  const Preparing prepare(format, source, rows.dim);
  return over_value_rows(rows, threads, [&] {
    return [&](const ValueRows& some, std::int64_t first) { return prepare(some, first, to); };
  });
}

void reciprocal_norms(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
                      float* norms, int threads) {
  const auto kernel = kernels_of(format).reciprocal_norm;
  const std::int64_t bytes = row_bytes(dim, bits_of_format(format));
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, dim));
  over_rows(rows, grain, threads,
            [&](std::int64_t r) { norms[r] = kernel(packed + r * bytes, dim); });
}

}  // namespace minifloat::cpu
