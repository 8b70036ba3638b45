// Codes of values, and rows of them.

#include "cpu/codec.h"

#include "cases.h"
#include "format/packing.h"

namespace minifloat::cases {
namespace {

constexpr int kFloat32 = index_of_source<float>();

// Patterns all over, and those around every value of every format and half way between two.
std::vector<std::uint32_t> patterns() {
  std::vector<std::uint32_t> found;
  for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 65521) {
    found.push_back(static_cast<std::uint32_t>(bits));
  }
  for (int format = 0; format < kFormatCount; ++format) {
    std::vector<std::uint8_t> codes(256);
    for (int i = 0; i < 256; ++i) codes[i] = static_cast<std::uint8_t>(i);
    std::vector<float> values(256);
    cpu::decode(format, codes.data(), 256, values.data(), 1);
    for (int i = 0; i < 255; ++i) {
      for (const float x : {values[i], (values[i] + values[i + 1]) / 2}) {
        for (std::uint32_t away = 0; away < 5; ++away) {
          found.push_back(std::bit_cast<std::uint32_t>(x) + away - 2);
        }
      }
    }
  }
  return found;
}

// All values of two bytes, and of more bytes the same as above, and bits at random.
std::vector<std::uint8_t> values_of(int source) {
  std::vector<std::uint8_t> bytes;
  Random random(source);
  if (source == index_of_source<double>()) {
    std::vector<double> values;
    for (const std::uint32_t bits : patterns()) {
      values.push_back(std::bit_cast<float>(bits));
      values.push_back(values.back() * (1 + 0x1p-50));
    }
    append(bytes, values);
    append(bytes, random.bytes(8 << 12));
  } else if (source == kFloat32) {
    append(bytes, patterns());
    append(bytes, random.bytes(4 << 12));
  } else {
    std::vector<std::uint16_t> values(1 << 16);
    for (int i = 0; i < 1 << 16; ++i) values[i] = static_cast<std::uint16_t>(i);
    append(bytes, values);
  }
  return bytes;
}

constexpr auto kSourceBytes = std::apply(
    [](auto... source) { return std::array{sizeof(typename decltype(source)::Type)...}; },
    kSources);

void compare_encoding(Comparison& to, int format) {
  for (int source = 0; source < kSourceCount; ++source) {
    const auto values = values_of(source);
    const auto count = static_cast<std::int64_t>(values.size() / kSourceBytes[source]);
    for (const bool saturates : {true, false}) {
      to.compare(named("encode", format), 0, [&](int threads) {
        std::vector<std::uint8_t> codes(count);
        cpu::encode(format, source, saturates, values.data(), count, codes.data(), threads);
        return Answer::of(codes);
      });
    }
  }
}

void compare_packing(Comparison& to, int format) {
  const int bits = kFormats[format].format.bits();
  Random random(format);
  for (std::int64_t dim = 1; dim <= 300; dim += dim < 70 ? 1 : 23) {
    const std::int64_t rows = 3;
    const auto values = random.numbers(rows * dim);
    auto codes = random.bytes(rows * dim);
    for (std::uint8_t& code : codes) code &= (1 << bits) - 1;
    to.compare(named("pack", format), 0, [&](int threads) {
      std::vector<std::uint8_t> packed(rows * row_bytes(dim, bits)), other(packed.size());
      std::vector<std::uint8_t> unpacked(codes.size());
      std::vector<float> norms(rows), decoded(codes.size());
      cpu::pack(format, codes.data(), rows, dim, packed.data(), threads);
      cpu::unpack(format, packed.data(), rows, dim, unpacked.data(), threads);
      cpu::encode_pack(format, kFloat32, true, values.data(), rows, dim, other.data(), threads);
      cpu::reciprocal_norms(format, other.data(), rows, dim, norms.data(), threads);
      cpu::decode(format, codes.data(), rows * dim, decoded.data(), threads);
      return Answer::of(packed, unpacked, other, norms, decoded);
    });
  }
}

// From so many values on, encoders may write past the cache.
void compare_long_runs(Comparison& to) {
  constexpr std::int64_t kCount = (1 << 22) + 3;
  Random random(0);
  const auto some = random.numbers(1 << 12);
  std::vector<float> values(kCount);
  for (std::int64_t i = 0; i < kCount; ++i) values[i] = some[i % some.size()];
  to.compare("long run", 0, [&](int threads) {
    std::vector<std::uint8_t> codes(kCount + 64);
    const auto past = reinterpret_cast<std::uintptr_t>(codes.data()) % 64;
    std::uint8_t* const aligned = codes.data() + (64 - past) % 64;
    cpu::encode(0, kFloat32, true, values.data(), kCount, aligned, threads);
    return Answer::of(std::vector(aligned, aligned + kCount));
  });
}

}  // namespace

void compare_codec(Comparison& to) {
  for (int format = 0; format < kFormatCount; ++format) {
    compare_encoding(to, format);
    compare_packing(to, format);
  }
  compare_long_runs(to);
}

}  // namespace minifloat::cases
