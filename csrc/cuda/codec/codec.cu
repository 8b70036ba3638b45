// Encoding and decoding of values that lie side by side.

#include "cuda/codec/runs.h"
#include "cuda/device/launches.h"
#include "cuda/operators.h"

namespace minifloat::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kBlocks = 8;  // of each multiprocessor

template <int kFormat, class Source, bool kSaturates>
MINIFLOAT_KERNEL(kThreads, kBlocks)
encode_kernel(const Source* __restrict__ values, std::int64_t count, std::int64_t vectors,
              std::uint8_t* __restrict__ codes) {
  constexpr Format F = kFormatOf<kFormat>;
  for (std::int64_t i = launch_index(); i < vectors; i += launch_size()) {
    encode_bytes<F, kSaturates>(values + i * kAtOnce<Source>, codes + i * kAtOnce<Source>);
  }
  for (std::int64_t i = vectors * kAtOnce<Source> + launch_index(); i < count; i += launch_size()) {
    codes[i] = to_code<F, kSaturates>(widen(values[i]));
  }
}

template <int kFormat>
MINIFLOAT_KERNEL(kThreads, kBlocks)
decode_kernel(const std::uint8_t* __restrict__ codes, std::int64_t count, std::int64_t vectors,
              float* __restrict__ values) {
  constexpr Format F = kFormatOf<kFormat>;
  using Codes = Run<std::uint8_t, kAtOnce<float>>;
  using Values = Run<float, kAtOnce<float>>;
  for (std::int64_t i = launch_index(); i < vectors; i += launch_size()) {
    const Codes taken = reinterpret_cast<const Codes*>(codes)[i];
    Values made;
    for (int j = 0; j < kAtOnce<float>; ++j) made.each[j] = minifloat::decode<F>(taken.each[j]);
    reinterpret_cast<Values*>(values)[i] = made;
  }
  for (std::int64_t i = vectors * kAtOnce<float> + launch_index(); i < count; i += launch_size()) {
    values[i] = minifloat::decode<F>(codes[i]);
  }
}

// How many whole vectors both sides have; none where one does not start at a multiple of 16 bytes.
template <class Value>
std::int64_t vectors_of(const void* values, const void* codes, std::int64_t count) {
  return is_aligned(values) && is_aligned(codes) ? count / kAtOnce<Value> : 0;
}

}  // namespace

void encode(int format, int source, bool saturates, const void* values, std::int64_t count,
            std::uint8_t* codes, Stream stream) {
  choose_format(format, [&](auto f) {
    choose<kSourceCount>(source, [&](auto s) {
      choose_overflow<kFormatOf<f()>>(saturates, [&](auto saturate) {
        using Source = SourceAt<s()>;
        const std::int64_t vectors = vectors_of<Source>(values, codes, count);
        launch(encode_kernel<f(), Source, saturate()>, grid_for(count, kThreads, kBlocks), stream,
               static_cast<const Source*>(values), count, vectors, codes);
      });
    });
  });
}

void decode(int format, const std::uint8_t* codes, std::int64_t count, float* values,
            Stream stream) {
  choose_format(format, [&](auto f) {
    const std::int64_t vectors = vectors_of<float>(values, codes, count);
    launch(decode_kernel<f()>, grid_for(count, kThreads, kBlocks), stream, codes, count, vectors,
           values);
  });
}

}  // namespace minifloat::cuda
