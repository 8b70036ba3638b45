// The codec kernels of one instruction set: compiled once inside each one's namespace.

// Codes that pass through a buffer on the stack, between encoding and packing, say.
inline constexpr std::int64_t kBlock = 1024;

template <Format F, class Source, Overflow O>
void encode_run(const void* values, std::int64_t count, std::uint8_t* __restrict out) {
  const Source* __restrict in = static_cast<const Source*>(values);
  for (std::int64_t i = 0; i < count; ++i) out[i] = encode<F, O>(to_float(in[i]));
}

template <Format F>
void decode_run(const std::uint8_t* __restrict codes, std::int64_t count, float* __restrict out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = decode<F>(codes[i]);
}

// Eight codes are kBits bytes: squeeze a block of such groups, then move the groups together.
template <int kBits>
void pack_run(const std::uint8_t* __restrict codes, std::int64_t count,
              std::uint8_t* __restrict out) {
  if constexpr (kBits == 8) {
    std::memcpy(out, codes, count);
    return;
  }
  std::array<std::uint64_t, kBlock / 8> groups;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    const std::int64_t group_count = (taken + 7) / 8;
    if (taken % 8 != 0) groups[taken / 8] = 0;
    std::memcpy(groups.data(), codes + first, taken);
    for (std::int64_t g = 0; g < group_count; ++g) groups[g] = squeeze<kBits>(groups[g]);
    std::uint8_t* to = out + first / 8 * kBits;
    for (std::int64_t g = 0; g < taken / 8; ++g) std::memcpy(to + g * kBits, &groups[g], kBits);
    std::memcpy(to + taken / 8 * kBits, &groups[taken / 8 % groups.size()],
                row_bytes(taken % 8, kBits));
  }
}

template <int kBits>
void unpack_run(const std::uint8_t* __restrict packed, std::int64_t count,
                std::uint8_t* __restrict out) {
  if constexpr (kBits == 8) {
    std::memcpy(out, packed, count);
    return;
  }
  std::array<std::uint64_t, kBlock / 8> groups;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    const std::int64_t group_count = (taken + 7) / 8;
    const std::uint8_t* from = packed + first / 8 * kBits;
    for (std::int64_t g = 0; g < taken / 8; ++g) std::memcpy(&groups[g], from + g * kBits, kBits);
    std::memcpy(&groups[taken / 8 % groups.size()], from + taken / 8 * kBits,
                row_bytes(taken % 8, kBits));
    for (std::int64_t g = 0; g < group_count; ++g) groups[g] = spread<kBits>(groups[g]);
    std::memcpy(out + first, groups.data(), taken);
  }
}

template <Format F, class Source, Overflow O>
void encode_pack_run(const void* values, std::int64_t count, std::uint8_t* __restrict out) {
  if constexpr (F.bits() == 8) return encode_run<F, Source, O>(values, count, out);
  std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    encode_run<F, Source, O>(static_cast<const Source*>(values) + first, taken, codes.data());
    pack_run<F.bits()>(codes.data(), taken, out + first / 8 * F.bits());
  }
}
