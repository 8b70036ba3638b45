#include "cpu/frames.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "cpu/pieces.h"
#include "format/packing.h"

namespace minifloat::cpu {
namespace {

// Values that are projected together, and stay in the first cache, of at most so many rows.
constexpr std::int64_t kTogether = 1 << 12, kMostTogether = 64;

std::int64_t rows_together(std::int64_t dim) {
  return std::clamp<std::int64_t>(kTogether / dim, 1, kMostTogether);
}

// Rests are floats.
constexpr int kFloatSource = index_of_source<float>();

// In which pieces rows are projected: so many together, with so many floats of scratch memory.
struct Pieces {
  std::int64_t together;
  std::int64_t scratch;
  int threads;
};

// Calls use(rests, first, lengths, scratch) for a few projected rows at a time, where all of them
// are finite. Returns the first row that is not, or -1.
template <class Use>
std::int64_t over_rests(int source, const ValueRows& rows, const Frame& frame, float* coordinates,
                        const Pieces& pieces, Use use) {
  const Project project_some = current_isa().project[source];
  const std::int64_t grain = std::max(pieces.together, kGrain / rows.dim);
  std::atomic<std::int64_t> first_wrong = rows.count;
  parallel_for(rows.count, grain, pieces.threads, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t most = std::min(pieces.together, end - begin);
    std::vector<float> rest(most * frame.padded), lengths(most), scratch(pieces.scratch);
    in_stretches(begin, end, pieces.together, [&](std::int64_t first, std::int64_t count) {
      const ValueRows some{rows.values + first * rows.stride, rows.stride, count, rows.dim};
      project_some(some, frame,
                   {rest.data(), coordinates + first * frame.axis_count, lengths.data()},
                   scratch.data());
      const auto* const wrong = std::find_if_not(lengths.data(), lengths.data() + count,
                                                 [](float length) { return length >= 0; });
      if (wrong < lengths.data() + count) {
        return lower_to(first_wrong, first + (wrong - lengths.data()));
      }
      const std::int64_t row = frame.padded * static_cast<std::int64_t>(sizeof(float));
      const ValueRows rests{reinterpret_cast<const std::uint8_t*>(rest.data()), row, count,
                            rows.dim};
      use(rests, first, lengths.data(), scratch.data());
    });
  });
  return first_wrong == rows.count ? -1 : first_wrong.load();
}

}  // namespace

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
  if (dense.order) order_.assign(dense.order, dense.order + (dense.rounds - 1) * dim);
  static_assert(kFrameStep % kFedPlaces == 0);
  for (std::int64_t first = 0; shares && first < padded; first += kFedPlaces) {
    for (std::int64_t k = 0; k < first + kFedPlaces; ++k) {
      for (std::int64_t i = first; i < first + kFedPlaces; ++i) {
        panels_.push_back(i < dim && k < i ? shares[i * dim + k] : 0.0f);
      }
    }
  }
  frame_.padded = padded;
  frame_.axes = axes_.data();
  frame_.signs = signs_.data();
  frame_.order = order_.data();
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
  const bool feeds_back = frame.feedback.panels != nullptr;
  const Fit fit = feeds_back ? kernels_of(how.format).fit_fed_back : fit_of(how);
  const Fitting fitting{how.scale, how.estimator, frame.feedback};
  const std::int64_t bytes = row_bytes(rows.dim, bits_of_format(how.format));
  const Pieces pieces{
      feeds_back ? kFedRows : rows_together(rows.dim),
      feeds_back ? feedback_scratch(frame.padded) : fit_scratch(frame.padded),
      threads,
  };
  return over_rests(
      how.source, rows, frame, to.coordinates, pieces,
      [&](const ValueRows& rests, std::int64_t first, const float* lengths, float* scratch) {
        const Quantized quantized{to.codes + first * bytes, to.norms + first};
        fit(rests, fitting, quantized, scratch);
        for (std::int64_t r = 0; r < rests.count; ++r) quantized.norms[r] *= lengths[r];
      });
}

std::int64_t to_lane_in_frame(int format, int source, const Frame& frame, const ValueRows& rows,
                              const FramedInLane& to, int threads) {
  const Preparing prepare(format, kFloatSource, rows.dim);
  const Pieces pieces{rows_together(rows.dim), frame.padded, threads};
  return over_rests(source, rows, frame, to.coordinates, pieces,
                    [&](const ValueRows& rests, std::int64_t first, const float* lengths, float*) {
                      prepare(rests, first, to.rest);
                      float* const norms = to.rest.norms + first;
                      for (std::int64_t r = 0; r < rests.count; ++r) norms[r] *= lengths[r];
                    });
}

}  // namespace minifloat::cpu
