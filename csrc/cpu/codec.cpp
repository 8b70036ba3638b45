#include "cpu/codec.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <tuple>
#include <vector>

#include "cpu/sets/set.h"
#include "cpu/threads.h"
#include "format/packing.h"
#include "format/source.h"

namespace minifloat::cpu {
namespace {

// Codes that one piece of parallel work takes: whole groups of eight, which are whole bytes.
constexpr std::int64_t kGrain = 1 << 16;

// Values that are projected together, and stay in the first cache, of at most so many rows.
constexpr std::int64_t kTogether = 1 << 12, kMostTogether = 64;

// Codes that take some milliseconds.
constexpr std::int64_t kStretch = 1 << 24;

// Calls run(begin, count) for stretches of [begin, end) of so many.
template <class Run>
void in_stretches(std::int64_t begin, std::int64_t end, std::int64_t stretch, Run run) {
  for (; begin < end && keep_going(); begin += stretch) run(begin, std::min(stretch, end - begin));
}

// Large pieces, for kernels have a way of their own with long runs, but enough of them to keep all
// threads busy to the end.
std::int64_t grain_of(std::int64_t count, int threads) {
  const std::int64_t even = count / (std::int64_t{8} * threads);
  return std::max(kGrain, even / kGrain * kGrain);
}

std::int64_t rows_together(std::int64_t dim) {
  return std::clamp<std::int64_t>(kTogether / dim, 1, kMostTogether);
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

const Kernels& kernels_of(int format) { return current_isa().kernels[format]; }
int bits_of_format(int format) { return kFormats[format].format.bits(); }
constexpr auto kSourceBytes = std::apply(
    [](auto... source) {
      return std::array<std::int64_t, kSourceCount>{sizeof(typename decltype(source)::Type)...};
    },
    kSources);

// Values that scale "cosine" leaves above the largest become it.
Fit fit_of(const Rounding& how) {
  return kernels_of(how.format).fit[!how.saturates && how.scale != Scale::kCosine];
}

void lower_to(std::atomic<std::int64_t>& least, std::int64_t value) {
  std::int64_t before = least;
  while (value < before && !least.compare_exchange_weak(before, value)) {
  }
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

std::int64_t quantize(const Rounding& how, const ValueRows& rows, std::uint8_t* packed,
                      float* norms, int threads) {
  const Quantize kernel = kernels_of(how.format).quantize[how.source][!how.saturates];
  const Fit fit = fit_of(how);
  const bool fits = how.scale == Scale::kCosine || how.estimator == Estimator::kUnbiased;
  const std::int64_t bytes = row_bytes(rows.dim, bits_of_format(how.format));
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / rows.dim);
  std::atomic<std::int64_t> first_wrong = rows.count;
  parallel_for(rows.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> scratch(fits ? fit_scratch(rows.dim) : 0);
    in_stretches(begin, end, grain, [&](std::int64_t first, std::int64_t count) {
      const ValueRows some{rows.values + first * rows.stride, rows.stride, count, rows.dim};
      const Quantized to{packed + first * bytes, norms + first};
      const std::int64_t wrong =
          first + (fits ? fit(some, how.scale, how.estimator, to, scratch.data())
                        : kernel(some, how.scale == Scale::kAmax, to.codes, to.norms));
      if (wrong < first + count) lower_to(first_wrong, wrong);
    });
  });
  return first_wrong == rows.count ? -1 : first_wrong.load();
}

PaddedFrame::PaddedFrame(const Frame& dense, const float* shares) : frame_(dense) {
  const std::int64_t dim = dense.dim;
  const std::int64_t padded = (dim + kFrameStep - 1) / kFrameStep * kFrameStep;
  const auto pad = [&](const float* rows, std::int64_t count, std::vector<float>& out) {
    for (std::int64_t r = 0; r < count; ++r) std::copy_n(rows + r * dim, dim, &out[r * padded]);
  };
  axes_.resize(dense.axis_count * padded);
  signs_.assign(std::max<std::int64_t>(dense.rounds, 1) * padded, 1);
  pad(dense.axes, dense.axis_count, axes_);
  pad(dense.signs, dense.rounds, signs_);
  static_assert(kFrameStep % kFedPlaces == 0);
  for (std::int64_t first = 0; shares && first < padded; first += kFedPlaces) {
    for (std::int64_t i = first; i < padded; ++i) {
      for (std::int64_t k = first; k < first + kFedPlaces; ++k) {
        panels_.push_back(i < dim && k < i ? shares[i * dim + k] : 0.0f);
      }
    }
  }
  frame_.padded = padded;
  frame_.axes = axes_.data();
  frame_.signs = signs_.data();
  frame_.feedback = {shares ? panels_.data() : nullptr, padded};
}

void project(int source, const ValueRows& rows, const Frame& frame, const Projected& out,
             int threads) {
  const Project kernel = current_isa().project[source];
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / rows.dim);
  const bool is_padded = rows.dim == frame.padded;
  const std::int64_t together = is_padded ? grain : rows_together(rows.dim);
  parallel_for(rows.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> padded(is_padded ? 0 : together * frame.padded), scratch(frame.padded);
    in_stretches(begin, end, together, [&](std::int64_t first, std::int64_t count) {
      const ValueRows some{rows.values + first * rows.stride, rows.stride, count, rows.dim};
      float* const rest = out.rest + first * rows.dim;
      kernel(some, frame,
             {is_padded ? rest : padded.data(), out.coordinates + first * frame.axis_count,
              out.lengths + first},
             scratch.data());
      for (std::int64_t r = 0; r < count && !is_padded; ++r) {
        std::copy_n(&padded[r * frame.padded], rows.dim, rest + r * rows.dim);
      }
    });
  });
}

std::int64_t quantize_in_frame(const Rounding& how, const Frame& frame, const ValueRows& rows,
                               const Framed& to, int threads) {
  const Kernels& kernels = kernels_of(how.format);
  const Project project_some = current_isa().project[how.source];
  const Fit fit = fit_of(how);
  const std::int64_t bytes = row_bytes(rows.dim, bits_of_format(how.format));
  const std::int64_t grain = std::max<std::int64_t>(1, kGrain / rows.dim);
  const bool feeds_back = frame.feedback.panels != nullptr;
  const std::int64_t together = feeds_back ? kFedRows : rows_together(rows.dim);
  std::atomic<std::int64_t> first_wrong = rows.count;
  parallel_for(rows.count, grain, threads, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> rest(together * frame.padded), lengths(together);
    std::vector<float> scratch(feeds_back ? feedback_scratch(frame.padded)
                                          : fit_scratch(frame.padded));
    in_stretches(begin, end, together, [&](std::int64_t first, std::int64_t count) {
      const ValueRows some{rows.values + first * rows.stride, rows.stride, count, rows.dim};
      project_some(some, frame,
                   {rest.data(), to.coordinates + first * frame.axis_count, lengths.data()},
                   scratch.data());
      const auto* const wrong = std::find_if_not(lengths.data(), lengths.data() + count,
                                                 [](float length) { return length >= 0; });
      if (wrong < lengths.data() + count) {
        return lower_to(first_wrong, first + (wrong - lengths.data()));
      }
      const std::int64_t row = frame.padded * static_cast<std::int64_t>(sizeof(float));
      const ValueRows left{reinterpret_cast<const std::uint8_t*>(rest.data()), row, count,
                           rows.dim};
      const Quantized quantized{to.codes + first * bytes, to.norms + first};
      if (feeds_back) {
        kernels.fit_fed_back(left, {how.scale, how.estimator, frame.feedback}, quantized, scratch);
      } else {
        fit(left, how.scale, how.estimator, quantized, scratch.data());
      }
      for (std::int64_t r = 0; r < count; ++r) quantized.norms[r] *= lengths[r];
    });
  });
  return first_wrong == rows.count ? -1 : first_wrong.load();
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
