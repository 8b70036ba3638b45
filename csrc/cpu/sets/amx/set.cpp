#ifdef __x86_64__
#include <immintrin.h>

#include "cpu/kernels/includes.h"

MINIFLOAT_WIDE_TARGET(
    "avx2,f16c,fma,avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vnni,avx512bf16")
namespace minifloat::amx {
#include "cpu/sets/avx512/bytes.h"

#include "cpu/kernels/codec.inl.h"
#include "cpu/kernels/direct.inl.h"
#include "cpu/sets/vnni/lanes.h"

#include "cpu/sets/vnni/decode.h"

#include "cpu/kernels/products.inl.h"
#include "cpu/sets/amx/tile_config.h"

#include "cpu/sets/amx/tiles.h"

#include "cpu/sets/amx/set.inl.h"
}  // namespace minifloat::amx
MINIFLOAT_TARGET_END

namespace minifloat {

extern const Isa kAvx512Vnni;

const Isa& amx_isa() {
  static const amx::WithTiles with_tiles("amx", kAvx512Vnni);
  return with_tiles.isa();
}

}  // namespace minifloat
#endif
