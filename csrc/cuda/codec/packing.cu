// Dense rows of codes. Those that fill their bytes are one long row, which is packed in registers
// where both sides are aligned; all others go through shared memory.

#include "cuda/codec/registers.h"
#include "cuda/codec/tiles.h"
#include "cuda/operators.h"
#include "cuda/ways.h"

namespace minifloat::cuda {
namespace {

// Calls go(kernel, grid, what of rows it is told): for all codes as one row, or tile by tile.
template <int kBits, class Source, class Long, class ByTile>
void choose_way(std::int64_t rows, std::int64_t dim, bool is_aligned, Long go_long,
                ByTile go_by_tile) {
  // Rows that fill their bytes are one long row.
  if (dim * kBits % 8 == 0) {
    dim *= rows;
    rows = dim == 0 ? 0 : 1;
  }
  if (rows == 1 && is_aligned && ways().packs_in_registers) {
    go_long(grid_for((dim + 3) / 4, kLongThreads, kLongBlocks<Source>), dim);
    return;
  }
  Tiles tiles{rows, dim, (dim + kTile - 1) / kTile};
  const Grid grid{blocks_for(rows * tiles.a_row, kBlocks), kThreads, kSharedBytes<kBits>};
  if (grid.blocks > 0) {
    tiles.step_rows = grid.blocks / tiles.a_row;
    tiles.step_tiles = grid.blocks % tiles.a_row;
  }
  go_by_tile(grid, tiles);
}

template <int kFormat, bool kSaturates, class Source>
void pack_rows(const Source* source, std::int64_t rows, std::int64_t dim, std::uint8_t* packed,
               Stream stream) {
  choose_way<kFormatOf<kFormat>.bits(), Source>(
      rows, dim, is_aligned(source) && is_aligned(packed),
      [&](const Grid& grid, std::int64_t count) {
        launch(pack_long_kernel<kFormat, kSaturates, Source>, grid, stream, source, count, packed);
      },
      [&](const Grid& grid, const Tiles& tiles) {
        launch(pack_kernel<kFormat, kSaturates, Source>, grid, stream, source, tiles, packed);
      });
}

}  // namespace

void pack(int format, const std::uint8_t* codes, std::int64_t rows, std::int64_t dim,
          std::uint8_t* packed, Stream stream) {
  choose_format(format, [&](auto f) {
    if constexpr (kFormatOf<f()>.bits() == 8) {
      copy_memory(packed, codes, rows * dim, stream);
    } else {
      pack_rows<f(), true>(codes, rows, dim, packed, stream);
    }
  });
}

void unpack(int format, const std::uint8_t* packed, std::int64_t rows, std::int64_t dim,
            std::uint8_t* codes, Stream stream) {
  choose_format(format, [&](auto f) {
    constexpr int kBits = kFormatOf<f()>.bits();
    if constexpr (kBits == 8) {
      copy_memory(codes, packed, rows * dim, stream);
    } else {
      choose_way<kBits, std::uint8_t>(
          rows, dim, is_aligned(packed) && is_aligned(codes),
          [&](const Grid& grid, std::int64_t count) {
            launch(unpack_long_kernel<kBits>, grid, stream, packed, count, codes);
          },
          [&](const Grid& grid, const Tiles& tiles) {
            launch(unpack_kernel<kBits>, grid, stream, packed, tiles, codes);
          });
    }
  });
}

void encode_pack(int format, int source, bool saturates, const void* values, std::int64_t rows,
                 std::int64_t dim, std::uint8_t* packed, Stream stream) {
  choose_format(format, [&](auto f) {
    if constexpr (kFormatOf<f()>.bits() == 8) {
      encode(format, source, saturates, values, rows * dim, packed, stream);
    } else {
      choose<kSourceCount>(source, [&](auto s) {
        choose_overflow<kFormatOf<f()>>(saturates, [&](auto saturate) {
          using Source = SourceAt<s()>;
          const auto* const from = static_cast<const Source*>(values);
          pack_rows<f(), saturate()>(from, rows, dim, packed, stream);
        });
      });
    }
  });
}

}  // namespace minifloat::cuda
