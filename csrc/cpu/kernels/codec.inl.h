// The codec kernels of one instruction set: compiled once inside each one's namespace.

// Codes that pass through a buffer on the stack, between encoding and packing, say.
inline constexpr std::int64_t kBlock = 1024;

inline void widen_run(const Float16* __restrict in, std::int64_t count, float* __restrict out) {
  std::int64_t i = 0;
  for (; i + kWidened <= count; i += kWidened) widen(in + i, out + i);
  for (; i < count; ++i) out[i] = to_float(in[i]);
}

// The low bytes of at most kBlock words.
inline void narrow_run(const std::int32_t* __restrict in, std::int64_t count,
                       std::uint8_t* __restrict out) {
  const std::int64_t whole = count / kNarrowed * kNarrowed;
  for (std::int64_t i = 0; i < whole; i += kNarrowed) narrow(in + i, out + i);
  for (std::int64_t i = whole; i < count; ++i) out[i] = static_cast<std::uint8_t>(in[i]);
}

// At most kBlock values.
template <Format F, class Source, Overflow O>
void encode_block(const Source* __restrict in, std::int64_t count, std::uint8_t* __restrict out) {
  if constexpr (std::is_same_v<Source, Float16>) {
    std::array<float, kBlock> floats;
    widen_run(in, count, floats.data());
    encode_block<F, float, O>(floats.data(), count, out);
  } else if constexpr (kNarrowed > 1) {
    // Else compilers make bytes of signs and of all else apart, each with twice the instructions.
    alignas(kStreamed) std::array<std::int32_t, kBlock> codes;
    for (std::int64_t i = 0; i < count; ++i) codes[i] = round_to_code<F, O>(to_float(in[i])).code;
    narrow_run(codes.data(), count, out);
  } else {
    for (std::int64_t i = 0; i < count; ++i) out[i] = encode<F, O>(to_float(in[i]));
  }
}

// So many codes have left the cache before anyone reads them.
inline constexpr std::int64_t kLongRun = 1 << 22;

// The codes of a long run go past the cache, which saves reading the lines that they replace.
// Widening float16 takes longer than that.
template <Format F, class Source, Overflow O>
void encode_run(const void* values, std::int64_t count, std::uint8_t* out) {
  const Source* in = static_cast<const Source*>(values);
  const bool streams = !std::is_same_v<Source, Float16> && count >= kLongRun &&
                       reinterpret_cast<std::uintptr_t>(out) % kStreamed == 0;
  alignas(kStreamed) std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    if (streams && taken == kBlock) {
      encode_block<F, Source, O>(in + first, taken, codes.data());
      for (int i = 0; i < kBlock; i += kStreamed) stream(codes.data() + i, out + first + i);
    } else {
      encode_block<F, Source, O>(in + first, taken, out + first);
    }
  }
  // Nothing else orders such stores before those that tell another thread of them.
  if (streams) std::atomic_thread_fence(std::memory_order_seq_cst);
}

template <Format F>
void decode_run(const std::uint8_t* __restrict codes, std::int64_t count, float* __restrict out) {
  for (std::int64_t i = 0; i < count; ++i) out[i] = decode<F>(codes[i]);
}

// How many of the groups that start at `bytes_left` bytes before a run's end can be moved by whole
// words, which reach into the next group where kBits is not a power of two.
template <int kBits>
std::int64_t whole_words(std::int64_t groups, std::int64_t bytes_left) {
  return std::min(groups, bytes_left < 8 ? 0 : (bytes_left - 8) / kBits + 1);
}

// Eight codes are kBits bytes: squeeze a block of such groups, then move the groups together.
template <int kBits>
void pack_run(const std::uint8_t* __restrict codes, std::int64_t count,
              std::uint8_t* __restrict out) {
  if constexpr (kBits == 8) {
    std::memcpy(out, codes, count);
    return;
  }
  constexpr int kWord = std::has_single_bit(unsigned{kBits}) ? kBits : 8;
  std::array<std::uint64_t, kBlock / 8> groups;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    const std::int64_t group_count = (taken + 7) / 8;
    if (taken % 8 != 0) groups[taken / 8] = 0;
    std::memcpy(groups.data(), codes + first, taken);
    for (std::int64_t g = 0; g < group_count; ++g) groups[g] = squeeze<kBits>(groups[g]);
    std::uint8_t* to = out + first / 8 * kBits;
    const std::int64_t wide = whole_words<kBits>(taken / 8, row_bytes(count - first, kBits));
    for (std::int64_t g = 0; g < wide; ++g) std::memcpy(to + g * kBits, &groups[g], kWord);
    for (std::int64_t g = wide; g < taken / 8; ++g) std::memcpy(to + g * kBits, &groups[g], kBits);
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
  constexpr int kWord = std::has_single_bit(unsigned{kBits}) ? kBits : 8;
  std::array<std::uint64_t, kBlock / 8> groups;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    const std::int64_t group_count = (taken + 7) / 8;
    const std::uint8_t* from = packed + first / 8 * kBits;
    const std::int64_t wide = whole_words<kBits>(taken / 8, row_bytes(count - first, kBits));
    for (std::int64_t g = 0; g < wide; ++g) std::memcpy(&groups[g], from + g * kBits, kWord);
    for (std::int64_t g = wide; g < taken / 8; ++g) {
      std::memcpy(&groups[g], from + g * kBits, kBits);
    }
    std::memcpy(&groups[taken / 8 % groups.size()], from + taken / 8 * kBits,
                row_bytes(taken % 8, kBits));
    for (std::int64_t g = 0; g < group_count; ++g) groups[g] = spread<kBits>(groups[g]);
    std::memcpy(out + first, groups.data(), taken);
  }
}

template <Format F, class Source, Overflow O>
void encode_pack_run(const void* values, std::int64_t count, std::uint8_t* __restrict out) {
  if constexpr (F.bits() == 8) return encode_run<F, Source, O>(values, count, out);
  const Source* in = static_cast<const Source*>(values);
  std::array<std::uint8_t, kBlock> codes;
  for (std::int64_t first = 0; first < count; first += kBlock) {
    const std::int64_t taken = std::min(kBlock, count - first);
    encode_block<F, Source, O>(in + first, taken, codes.data());
    pack_run<F.bits()>(codes.data(), taken, out + first / 8 * F.bits());
  }
}
