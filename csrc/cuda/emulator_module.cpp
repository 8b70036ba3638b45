// What tests ask of the emulator, by the names of C.

#include "choices.h"
#include "device.h"

#define MINIFLOAT_EXPORT extern "C" [[gnu::visibility("default")]]

namespace minifloat {

MINIFLOAT_EXPORT void minifloat_set_order(bool backward, bool copies_early) {
  emulator::set_order({backward, copies_early});
}

// Codes by a processor's own conversion; false where no processor has one to this format.
MINIFLOAT_EXPORT bool minifloat_convert(int format, const float* values, std::int64_t count,
                                        std::uint8_t* codes) {
  bool is_there = false;
  choose_format(format, [&](auto f) {
    constexpr Format F = kFormatOf<f()>;
    if constexpr (converts(F)) {
      is_there = true;
      for (std::int64_t i = 0; i < count; ++i) {
        codes[i] = convert<F.exponent_bits, F.mantissa_bits>(values[i]);
      }
    }
  });
  return is_there;
}

}  // namespace minifloat
