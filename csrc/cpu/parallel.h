#pragma once

#include <cstdint>
#include <functional>

namespace minifloat {

// Calls body(begin, end) for pieces of [0, count) of at most `grain`, on up to `threads` threads
// of which the caller is one. Returns when all pieces are done. The body must not throw.
void parallel_for(std::int64_t count, std::int64_t grain, int threads,
                  const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace minifloat
