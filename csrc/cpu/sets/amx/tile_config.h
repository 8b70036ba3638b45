// The shape of tiles; a source of a set includes this.

inline constexpr int kTileSide = 16;
inline constexpr int kTileBytes = 64;

struct alignas(64) TileConfig {
  std::uint8_t palette, start;
  std::uint8_t reserved[14];
  std::uint16_t bytes[16];  // of a row, by tile
  std::uint8_t rows[16];
};

// All eight tiles of 16 rows of 64 bytes.
constexpr TileConfig whole_tiles() {
  TileConfig config{};
  config.palette = 1;
  for (int i = 0; i < 8; ++i) {
    config.bytes[i] = kTileBytes;
    config.rows[i] = kTileSide;
  }
  return config;
}
