// Compares all instruction sets of this machine with plain C++, and prints digests of what that
// answers. Instead:
//
//     driver reference       the digests alone
//     driver sets            the names of the sets, the best first
//     driver codes FORMAT    every float32's code, saturating first and then not, as bytes

#include <array>
#include <cstdio>
#include <string_view>

#include "cases.h"
#include "cpu/codec.h"

namespace minifloat::cases {
namespace {

int write_codes(std::string_view name) {
  constexpr std::int64_t kChunk = 1 << 20;
  std::vector<float> values(kChunk);
  std::vector<std::uint8_t> codes(kChunk);
  for (int format = 0; format < kFormatCount; ++format) {
    if (kFormats[format].name != name) continue;
    for (const bool saturates : {true, false}) {
      for (std::uint64_t first = 0; first < 1ull << 32; first += kChunk) {
        for (std::int64_t i = 0; i < kChunk; ++i) {
          values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(first + i));
        }
        cpu::encode(format, index_of_source<float>(), saturates, values.data(), kChunk,
                    codes.data(), 1);
        if (std::fwrite(codes.data(), 1, kChunk, stdout) != kChunk) return 1;
      }
    }
    return 0;
  }
  return 2;
}

}  // namespace
}  // namespace minifloat::cases

int main(int count, char** arguments) {
  using namespace minifloat::cases;
  const std::string_view asked = count > 1 ? arguments[1] : "";
  if (asked == "codes" && count == 3) return write_codes(arguments[2]);
  if (asked == "sets") {
    for (const std::string& isa : minifloat::available_isas()) std::printf("%s\n", isa.c_str());
    return 0;
  }
  Comparison comparison(asked != "reference");
  compare_codec(comparison);
  compare_rounding(comparison);
  compare_scores(comparison);
  return comparison.report();
}
